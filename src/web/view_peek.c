/* view_peek.c - "peek": functions that match, who calls them, whom they call.
 */
#include "web/subject.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"
#include "report/regex.h"
#include "web/webjson.h"

#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS_MAX = 50, EDGES_MAX = 200 };

/* A profile's graph; side 0 is now, 1 the base. */
struct side {
	struct report *r;
	struct graph g;
};

/* A caller or callee, in both. */
struct edge {
	const char *name;
	int64_t value[2];
	bool is_inline;
};

struct edges {
	struct edge *rows; /* owned */
	size_t n, cap;
};

static int open_side(struct web_call *c, const struct profile *p,
		     const char *pattern, struct side *s)
{
	int rc = web_open(c, p, "peek", pattern, &s->r);
	if (!rc)
		rc = report_graph(s->r, NULL, GRAPH_ALL_EDGES, &s->g);
	if (!rc)
		rc = graph_sort(&s->g, GRAPH_BY_CUM);
	return rc;
}

/* The node of this name; few names are asked for, so a walk will do. */
static const struct graph_node *find_node(const struct side *s,
					  const char *name)
{
	for (size_t i = 0; s->r && i < s->g.n_order; i++) {
		const struct graph_node *n = &s->g.nodes[s->g.order[i]];
		if (strcmp(n->printable, name) == 0)
			return n;
	}
	return NULL;
}

static int add_edge(struct edges *list, const char *name, int side,
		    const struct graph_edge *e)
{
	struct edge *row = NULL;
	for (size_t i = 0; i < list->n && !row; i++)
		if (strcmp(list->rows[i].name, name) == 0)
			row = &list->rows[i];
	if (!row) {
		if (list->n == EDGES_MAX)
			return 0;
		if (grow_rows(&list->rows, &list->cap, list->n + 1,
			      sizeof(*list->rows)))
			return ERR_NOMEM;
		row = &list->rows[list->n++];
		*row = (struct edge){ .name = name };
	}
	row->value[side] = i64_add(row->value[side], e->weight);
	row->is_inline |= e->is_inline;
	return 0;
}

static int add_edges(struct edges *list, struct side *s, int side,
		     const struct graph_node *node, bool in)
{
	struct graph_edge **edges;
	size_t n;
	if (!node)
		return 0;
	int rc = graph_sorted_edges(&s->g, (uint32_t)(node - s->g.nodes), in,
				    &edges, &n);
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_edge(list,
			      s->g.nodes[in ? edges[i]->src : edges[i]->dest]
				      .printable,
			      side, edges[i]);
	return rc;
}

static int write_edges(struct web_call *c, struct side *sides,
		       const struct graph_node **nodes, bool in)
{
	struct edges list = { 0 };
	int rc = add_edges(&list, &sides[0], 0, nodes[0], in);
	if (!rc)
		rc = add_edges(&list, &sides[1], 1, nodes[1], in);
	webjson_open_array(c->j, in ? "callers" : "callees");
	for (size_t i = 0; i < list.n && !rc; i++) {
		webjson_open_array(c->j, NULL);
		webjson_text(c->j, NULL, list.rows[i].name);
		webjson_int(c->j, NULL, list.rows[i].value[0]);
		webjson_int(c->j, NULL, list.rows[i].value[1]);
		webjson_bool(c->j, NULL, list.rows[i].is_inline);
		webjson_close(c->j);
	}
	webjson_close(c->j);
	free(list.rows);
	return rc;
}

static int write_function(struct web_call *c, struct side *sides,
			  const char *name)
{
	const struct graph_node *nodes[2] = { find_node(&sides[0], name),
					      find_node(&sides[1], name) };
	webjson_open_object(c->j, NULL);
	webjson_text(c->j, "name", name);
	webjson_int(c->j, "flat", nodes[0] ? graph_flat(nodes[0]) : 0);
	webjson_int(c->j, "cum", nodes[0] ? graph_cum(nodes[0]) : 0);
	webjson_int(c->j, "flat_before", nodes[1] ? graph_flat(nodes[1]) : 0);
	webjson_int(c->j, "cum_before", nodes[1] ? graph_cum(nodes[1]) : 0);
	int rc = write_edges(c, sides, nodes, true);
	if (!rc)
		rc = write_edges(c, sides, nodes, false);
	webjson_close(c->j);
	return rc;
}

static int write_matches(struct web_call *c, struct side *sides)
{
	size_t matched = 0;
	int rc = 0;
	webjson_open_array(c->j, "functions");
	for (int side = 0; side < 2; side++) {
		const struct side *s = &sides[side];
		for (size_t i = 0; s->r && i < s->g.n_order && !rc; i++) {
			const char *name = s->g.nodes[s->g.order[i]].printable;
			if (!regex_match(s->r->symbol, name, strlen(name)))
				continue;
			/* Those of the base that are here were written. */
			if (side && find_node(&sides[0], name))
				continue;
			if (++matched <= FUNCTIONS_MAX)
				rc = write_function(c, sides, name);
		}
	}
	webjson_close(c->j);
	webjson_int(c->j, "left_out",
		    matched > FUNCTIONS_MAX ? (int64_t)(matched - FUNCTIONS_MAX)
					    : 0);
	if (!rc && !matched)
		rc = err_set(c->e, ERR_NOTFOUND, "no function matches %s",
			     regex_source(sides[0].r->symbol));
	return rc;
}

int web_peek(struct web_call *c)
{
	struct side sides[2] = { 0 };
	const char *pattern = web_parameter(c, "f");
	if (!pattern)
		return err_set(c->e, ERR_INVALID,
			       "f is missing: must be a regular expression");
	int rc = open_side(c, c->s->p, pattern, &sides[0]);
	if (!rc && c->s->base)
		rc = open_side(c, c->s->base, pattern, &sides[1]);
	if (!rc) {
		web_write_head(c, sides[0].r);
		webjson_int(c->j, "total", sides[0].r->total);
		webjson_int(c->j, "total_before",
			    sides[1].r ? sides[1].r->total : 0);
		rc = write_matches(c, sides);
	}
	for (int i = 0; i < 2; i++) {
		graph_free(&sides[i].g);
		report_close(sides[i].r);
	}
	return rc;
}
