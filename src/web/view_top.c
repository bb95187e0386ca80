/*
 * view_top.c - "top": every function with its own and cumulative value, those
 * of the base beside them.
 */
#include "web/subject.h"

#include "base/err.h"
#include "base/map.h"
#include "report/grow.h"
#include "report/arith.h"
#include "web/webjson.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 2000 };

/* A profile's functions; side 0 is now, 1 the base. */
struct side {
	struct report *r;
	struct graph g;
};

/* A function in one profile, in the other, or in both. */
struct pair {
	const struct graph_node *node[2]; /* NULL = not there */
	bool is_sent;
};

struct pairs {
	struct pair *rows; /* owned */
	size_t n, cap;
	struct map index;
};

static const char *name_of(const struct pair *p)
{
	return p->node[p->node[0] ? 0 : 1]->printable;
}

/*
 * The row of this name that has no node of this side yet: two binaries may
 * each have a function of one name, which stay apart.
 * Returns: the row, or MAP_NONE; *ret_key is where a new one goes.
 */
static uint32_t find(const struct pairs *p, const char *name, int side,
		     uint64_t *ret_key)
{
	uint64_t key = map_hash(name, strlen(name), 0);
	for (;; key = map_mix(key + 1)) {
		const uint32_t at = map_get(&p->index, key);
		*ret_key = key;
		if (at == MAP_NONE ||
		    (!p->rows[at].node[side] &&
		     strcmp(name_of(&p->rows[at]), name) == 0))
			return at;
	}
}

static int add_nodes(struct pairs *p, const struct graph *g, int side)
{
	for (size_t i = 0; i < g->n_order; i++) {
		const struct graph_node *n = &g->nodes[g->order[i]];
		uint64_t key;
		uint32_t at = find(p, n->printable, side, &key);
		if (at == MAP_NONE) {
			at = (uint32_t)p->n;
			if (grow_rows(&p->rows, &p->cap, p->n + 1,
				      sizeof(*p->rows)) ||
			    map_put(&p->index, key, at))
				return ERR_NOMEM;
			p->rows[p->n++] = (struct pair){ 0 };
		}
		p->rows[at].node[side] = n;
	}
	return 0;
}

static int64_t value_of(const struct pair *p, int side, bool cum)
{
	const struct graph_node *n = p->node[side];
	return !n ? 0 : cum ? graph_cum(n) : graph_flat(n);
}

/* ---- the heaviest -------------------------------------------------------- */

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double magnitude(int64_t v)
{
	return v < 0 ? -(double)v : (double)v;
}

static double weight(const struct pair *p, bool cum)
{
	return larger(magnitude(value_of(p, 0, cum)),
		      magnitude(value_of(p, 1, cum)));
}

struct order {
	const struct pair *rows;
	bool cum;
};

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct order *o = arg;
	const uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	const double x = weight(&o->rows[a], o->cum),
		     y = weight(&o->rows[b], o->cum);
	return x != y ? (x < y) - (x > y) : (a > b) - (a < b);
}

/* Mark those to send: the first by either order.  Returns: 0, ERR_NOMEM. */
static int choose(struct pairs *p, size_t *ret_sent)
{
	uint32_t *order = calloc(p->n + 1, sizeof(*order));
	if (!order)
		return ERR_NOMEM;
	size_t sent = 0;
	for (int cum = 0; cum < 2; cum++) {
		struct order by = { p->rows, cum };
		for (size_t i = 0; i < p->n; i++)
			order[i] = (uint32_t)i;
		if (p->n > ROWS_MAX)
			qsort_r(order, p->n, sizeof(*order), compare, &by);
		for (size_t i = 0; i < p->n && i < ROWS_MAX; i++) {
			sent += !p->rows[order[i]].is_sent;
			p->rows[order[i]].is_sent = true;
		}
	}
	free(order);
	*ret_sent = sent;
	return 0;
}

/* ---- the answer ---------------------------------------------------------- */

/* [name, function, file, line, flat, cum, and flat and cum before] */
static void write_row(struct web_call *c, const struct side *sides,
		      const struct pair *p)
{
	const int from = p->node[0] ? 0 : 1;
	const struct graph_info *info = &p->node[from]->info;
	const struct view *v = &sides[from].r->view;
	webjson_open_array(c->j, NULL);
	webjson_text(c->j, NULL, name_of(p));
	webjson_text(c->j, NULL, view_str(v, info->name));
	webjson_text(c->j, NULL, view_str(v, info->file));
	webjson_int(c->j, NULL, info->line);
	for (int side = 0; side < (c->s->base ? 2 : 1); side++) {
		webjson_int(c->j, NULL, value_of(p, side, false));
		webjson_int(c->j, NULL, value_of(p, side, true));
	}
	webjson_close(c->j);
}

static int write_table(struct web_call *c, const struct side *sides)
{
	struct pairs p = { 0 };
	size_t sent = 0;
	int rc = add_nodes(&p, &sides[0].g, 0);
	if (!rc)
		rc = add_nodes(&p, &sides[1].g, 1);
	if (!rc)
		rc = choose(&p, &sent);
	if (rc)
		goto out;
	web_write_head(c, sides[0].r);
	webjson_int(c->j, "total", sides[0].r->total);
	webjson_int(c->j, "total_before", sides[1].r ? sides[1].r->total : 0);
	webjson_int(c->j, "left_out", (int64_t)(p.n - sent));
	webjson_open_array(c->j, "rows");
	for (size_t i = 0; i < p.n; i++)
		if (p.rows[i].is_sent)
			write_row(c, sides, &p.rows[i]);
	webjson_close(c->j);
out:
	free(p.rows);
	map_free(&p.index);
	return rc;
}

static int open_side(struct web_call *c, const struct profile *p,
		     struct side *s)
{
	int rc = web_open(c, p, "top", NULL, &s->r);
	if (!rc)
		rc = report_graph(s->r, NULL, GRAPH_NO_EDGES, &s->g);
	if (!rc)
		rc = graph_sort(&s->g, GRAPH_BY_FLAT);
	return rc;
}

int web_top(struct web_call *c)
{
	struct side sides[2] = { 0 };
	int rc = open_side(c, c->s->p, &sides[0]);
	if (!rc && c->s->base)
		rc = open_side(c, c->s->base, &sides[1]);
	if (!rc)
		rc = write_table(c, sides);
	for (int i = 0; i < 2; i++) {
		graph_free(&sides[i].g);
		report_close(sides[i].r);
	}
	return rc;
}
