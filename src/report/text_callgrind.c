/* text_callgrind.c - -callgrind: for KCachegrind and its like. */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name is written once, "(3) name", and then called "(3)". */
struct numbering {
	struct map seen; /* by string */
	uint32_t n;
};

static int write_name(struct out *o, const char *what, struct numbering *names,
		      const struct view *v, uint32_t name)
{
	out_printf(o, "%s=", what);
	int rc = 0;
	if (name) {
		const uint32_t known = map_get(&names->seen, name);
		if (known != MAP_NONE) {
			out_printf(o, "(%" PRIu32 ")", known);
		} else {
			rc = map_put(&names->seen, name, ++names->n);
			out_printf(o, "(%" PRIu32 ") %s", names->n,
				   view_str(v, name));
		}
	}
	out_char(o, '\n');
	return rc;
}

/* Relative to the one before where that is shorter. */
static void write_address(struct out *o, const struct graph_info *before,
			  uint64_t address)
{
	char absolute[32], relative[32];
	snprintf(absolute, sizeof(absolute), "0x%" PRIx64, address);
	if (!before) {
		out_str(o, absolute);
	} else if (before->address == address) {
		out_char(o, '*');
	} else {
		snprintf(relative, sizeof(relative), "%+" PRId64,
			 (int64_t)(address - before->address));
		out_str(o, strlen(relative) < strlen(absolute) ? relative
							       : absolute);
	}
}

/* ---- names that differ where functions do -------------------------------- */

/*
 * KCachegrind takes functions of one name and file for one; where they are
 * several, their names get a number.
 */
struct naming {
	struct map functions;	   /* hash of a function -> its number */
	uint32_t *number, *out_of; /* by node */
};

static uint32_t parent_of(const struct graph *g, uint32_t node)
{
	const uint32_t in = g->nodes[node].in_first;
	return in == GRAPH_NONE ? GRAPH_NONE : g->edges[in].src;
}

static uint64_t hash_function(const struct graph *g, uint32_t node, bool tree,
			      bool by_name_only)
{
	const struct graph_info *i = &g->nodes[node].info;
	const uint64_t words[] = {
		(uint64_t)i->name << 32 | i->file,
		by_name_only ? 0 : (uint64_t)i->objfile + 1,
		by_name_only ? 0 : (uint64_t)i->start_line,
		by_name_only || !tree ? 0 : (uint64_t)parent_of(g, node) + 1,
	};
	return map_hash(words, sizeof(words), by_name_only);
}

static void naming_free(struct naming *n)
{
	map_free(&n->functions);
	free(n->number);
	free(n->out_of);
}

/* Number the functions that share a name, in order of appearance. */
static int naming_init(struct naming *n, const struct graph *g, bool tree)
{
	struct map count = { 0 };
	int rc = 0;
	n->number = calloc(g->n_nodes + 1, sizeof(*n->number));
	n->out_of = calloc(g->n_nodes + 1, sizeof(*n->out_of));
	if (!n->number || !n->out_of)
		return ERR_NOMEM;
	for (size_t i = 0; i < g->n_order && !rc; i++) {
		const uint32_t node = g->order[i];
		const uint64_t name = hash_function(g, node, tree, true);
		const uint64_t function = hash_function(g, node, tree, false);
		uint32_t k = map_get(&n->functions, function);
		if (k == MAP_NONE) {
			const uint32_t had = map_get(&count, name);
			k = had == MAP_NONE ? 1 : had + 1;
			rc = map_put(&count, name, k);
			if (!rc)
				rc = map_put(&n->functions, function, k);
		}
		n->number[node] = k;
	}
	for (size_t i = 0; i < g->n_order; i++) {
		const uint32_t node = g->order[i];
		n->out_of[node] =
			map_get(&count, hash_function(g, node, tree, true));
	}
	map_free(&count);
	return rc;
}

static uint32_t name_of(struct view *v, const struct graph *g,
			const struct naming *n, uint32_t node)
{
	const uint32_t name = g->nodes[node].info.name;
	if (n->out_of[node] < 2)
		return name;
	struct buf b = { 0 };
	buf_printf(&b, "%s [%" PRIu32 "/%" PRIu32 "]", view_str(v, name),
		   n->number[node], n->out_of[node]);
	const uint32_t string = view_intern(v, buf_str(&b), b.len);
	buf_free(&b);
	return string;
}

/* ---- the report ---------------------------------------------------------- */

struct callgrind {
	struct report *r;
	struct graph *g;
	struct naming naming;
	struct numbering objects, files, names;
};

static int64_t scale(const struct report *r, int64_t value)
{
	return i64_from_double(
		measure_scale(value, r->sample_unit, r->unit, NULL));
}

static int write_calls(struct callgrind *c, struct out *o, uint32_t node,
		       const struct graph_info *before)
{
	struct graph_edge **out;
	size_t n;
	struct view *v = &c->r->view;
	int rc = graph_sorted_edges(c->g, node, false, &out, &n);
	for (size_t i = 0; i < n && !rc; i++) {
		const struct graph_info *callee =
			&c->g->nodes[out[i]->dest].info;
		const uint32_t name =
			name_of(v, c->g, &c->naming, out[i]->dest);
		if (name == PROFILE_NONE)
			return ERR_NOMEM;
		rc = write_name(o, "cfl", &c->files, v, callee->file);
		if (!rc)
			rc = write_name(o, "cfn", &c->names, v, name);
		/* How often it was called is not known. */
		out_str(o, "calls=0 ");
		write_address(o, before, callee->address);
		out_printf(o, " %" PRId64 "\n* * %" PRId64 "\n", callee->line,
			   scale(c->r, out[i]->weight));
	}
	return rc;
}

static int write_node(struct callgrind *c, struct out *o, uint32_t node,
		      const struct graph_info *before)
{
	const struct graph_node *n = &c->g->nodes[node];
	const struct graph_info *i = &n->info;
	const struct view *v = &c->r->view;
	int rc = 0;
	if (!before || before->objfile != i->objfile ||
	    before->file != i->file || before->name != i->name) {
		out_char(o, '\n');
		rc = write_name(o, "ob", &c->objects, v, i->objfile);
		if (!rc)
			rc = write_name(o, "fl", &c->files, v, i->file);
		if (!rc)
			rc = write_name(o, "fn", &c->names, v, i->name);
	}
	write_address(o, before, i->address);
	out_printf(o, " %" PRId64 " %" PRId64 "\n", i->line,
		   scale(c->r, graph_flat(n)));
	return rc ? rc : write_calls(c, o, node, before);
}

int text_write_callgrind(struct report *r, struct out *o, struct err *e)
{
	(void)e;
	struct trimmed t;
	struct callgrind c = { .r = r, .g = &t.g };
	int rc = report_trimmed_graph(r, &t);
	if (!rc)
		rc = naming_init(&c.naming, &t.g, r->o.call_tree);
	if (rc)
		goto out;
	report_choose_unit(r, &t.g);
	out_printf(o, "positions: instr line\nevents: %s(%s)\n", r->sample_type,
		   r->unit);
	const struct graph_info *before = NULL;
	for (size_t i = 0; i < t.g.n_order && !rc; i++) {
		rc = write_node(&c, o, t.g.order[i], before);
		before = &t.g.nodes[t.g.order[i]].info;
	}
out:
	naming_free(&c.naming);
	map_free(&c.objects.seen);
	map_free(&c.files.seen);
	map_free(&c.names.seen);
	graph_free(&t.g);
	return rc;
}
