/*
 * graph_sort.c - the names of nodes, and the orders of nodes and edges; see
 * graph.h.  Every order ends in a comparison of names, so that it does not
 * depend on how the graph was built.
 */
#include "report/graph.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/gopath.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names --------------------------------------------------------------- */

static int append_name(const struct view *v, const struct graph_info *i,
		       const char *sep, struct buf *b)
{
	const char *between = "";
	if (i->address) {
		buf_printf(b, "%016" PRIx64, i->address);
		between = sep;
	}
	if (i->name) {
		buf_append_str(b, between);
		buf_append(b, view_str(v, i->name), view_str_len(v, i->name));
		between = sep;
	}
	if (i->line) {
		buf_printf(b, "%s%s:%" PRId64, between, view_str(v, i->file),
			   i->line);
	} else if (i->file) {
		buf_append_str(b, between);
		buf_append_str(b, view_str(v, i->file));
	} else if (i->name) {
		/* The name says enough. */
	} else if (i->objfile) {
		buf_append_str(b, between);
		buf_append_char(b, '[');
		gopath_base(view_str(v, i->objfile), b);
		buf_append_char(b, ']');
	} else {
		buf_append_str(b, between);
		buf_append_str(b, "<unknown>");
	}
	return b->failed;
}

char *graph_print_info(const struct view *v, const struct graph_info *info,
		       const char *sep, struct arena *a)
{
	struct buf b = { 0 };
	char *s = NULL;
	if (!append_name(v, info, sep, &b))
		s = arena_text(a, buf_str(&b), b.len);
	buf_free(&b);
	return s;
}

int graph_print_names(struct graph *g)
{
	struct buf b = { 0 };
	int rc = 0;
	/* Those outside of order as well: edges may lead to them. */
	for (size_t i = 0; i < g->n_nodes && !rc; i++) {
		struct graph_node *n = &g->nodes[i];
		if (n->printable)
			continue;
		buf_clear(&b);
		rc = append_name(g->v, &n->info, " ", &b);
		n->printable = arena_text(&g->arena, buf_str(&b), b.len);
		if (!n->printable)
			rc = ERR_NOMEM;
	}
	buf_free(&b);
	return rc;
}

/* ---- nodes --------------------------------------------------------------- */

/* larger first */
static int compare_size(int64_t a, int64_t b)
{
	/* |INT64_MIN| stays negative, in Go as well. */
	const int64_t x = i64_abs(a), y = i64_abs(b);
	return x == y ? 0 : x > y ? -1 : 1;
}

/* The whole info as one text, by which the last tie is broken. */
static int compare_info(const struct view *v, const struct graph_info *a,
			const struct graph_info *b)
{
	struct buf x = { 0 }, y = { 0 };
	const struct graph_info *const infos[] = { a, b };
	struct buf *const texts[] = { &x, &y };
	for (int i = 0; i < 2; i++)
		buf_printf(texts[i],
			   "{%s  %" PRIu64 " %s %" PRId64 " %" PRId64 " %s}",
			   view_str(v, infos[i]->name), infos[i]->address,
			   view_str(v, infos[i]->file), infos[i]->start_line,
			   infos[i]->line, view_str(v, infos[i]->objfile));
	const int c = strcmp(buf_str(&x), buf_str(&y));
	buf_free(&x);
	buf_free(&y);
	return c;
}

static int compare_flat(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;
	const struct graph_node *a = &g->nodes[*(const uint32_t *)pa];
	const struct graph_node *b = &g->nodes[*(const uint32_t *)pb];
	int c = compare_size(a->flat, b->flat);
	if (!c)
		c = strcmp(a->printable, b->printable);
	if (!c)
		c = compare_size(a->cum, b->cum);
	return c ? c : compare_info(g->v, &a->info, &b->info);
}

static int compare_score(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;
	const struct graph_node *a = &g->nodes[*(const uint32_t *)pa];
	const struct graph_node *b = &g->nodes[*(const uint32_t *)pb];
	int c = compare_size(a->score, b->score);
	if (!c)
		c = strcmp(a->printable, b->printable);
	if (!c)
		c = compare_size(a->flat, b->flat);
	return c ? c : compare_info(g->v, &a->info, &b->info);
}

static int compare_address(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;
	const struct graph_node *a = &g->nodes[*(const uint32_t *)pa];
	const struct graph_node *b = &g->nodes[*(const uint32_t *)pb];
	if (a->info.address != b->info.address)
		return a->info.address < b->info.address ? -1 : 1;
	return compare_info(g->v, &a->info, &b->info);
}

/*
 * How much the edges on one side of a node tell: entropy in the sense of
 * information theory.  A single heavy edge tells nothing.
 */
static double edge_entropy(const struct graph *g, uint32_t first, bool in,
			   int64_t self)
{
	int64_t total = self;
	for (uint32_t i = first; i != GRAPH_NONE;) {
		const struct graph_edge *e = &g->edges[i];
		if (!e->is_dead && e->weight > 0)
			total = i64_add(total, e->weight);
		i = in ? e->next_in : e->next_out;
	}
	if (!total)
		return 0;
	double score = 0;
	for (uint32_t i = first; i != GRAPH_NONE;) {
		const struct graph_edge *e = &g->edges[i];
		if (!e->is_dead) {
			const double part =
				(double)i64_abs(e->weight) / (double)total;
			score += -part * log2(part);
		}
		i = in ? e->next_in : e->next_out;
	}
	if (self > 0) {
		const double part = (double)self / (double)total;
		score += -part * log2(part);
	}
	return score;
}

static bool has_edges(const struct graph *g, uint32_t first, bool in)
{
	for (uint32_t i = first; i != GRAPH_NONE;) {
		const struct graph_edge *e = &g->edges[i];
		if (!e->is_dead)
			return true;
		i = in ? e->next_in : e->next_out;
	}
	return false;
}

/* A node that only passes on what it got scores low. */
static int64_t entropy(const struct graph *g, const struct graph_node *n)
{
	double score = 0;
	if (!has_edges(g, n->in_first, true))
		score++;
	else
		score += edge_entropy(g, n->in_first, true, 0);
	if (!has_edges(g, n->out_first, false))
		score++;
	else
		score += edge_entropy(g, n->out_first, false, n->flat);
	return i64_add(i64_from_double(score * (double)n->cum), n->flat);
}

int graph_sort(struct graph *g, enum graph_order by)
{
	const int rc = graph_print_names(g);
	if (rc)
		return rc;
	for (size_t i = 0; i < g->n_order; i++) {
		struct graph_node *n = &g->nodes[g->order[i]];
		n->score = by == GRAPH_BY_ENTROPY ? entropy(g, n) : n->cum;
	}
	static int (*const compare[])(const void *, const void *, void *) = {
		[GRAPH_BY_FLAT] = compare_flat,
		[GRAPH_BY_CUM] = compare_score,
		[GRAPH_BY_ENTROPY] = compare_score,
		[GRAPH_BY_ADDRESS] = compare_address,
	};
	qsort_r(g->order, g->n_order, sizeof(*g->order), compare[by], g);
	return 0;
}

/* ---- edges --------------------------------------------------------------- */

static int compare_edges(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;
	const struct graph_edge *a = *(struct graph_edge *const *)pa;
	const struct graph_edge *b = *(struct graph_edge *const *)pb;
	int c = compare_size(a->weight, b->weight);
	if (!c)
		c = strcmp(g->nodes[a->src].printable,
			   g->nodes[b->src].printable);
	if (!c)
		c = strcmp(g->nodes[a->dest].printable,
			   g->nodes[b->dest].printable);
	return c;
}

void graph_sort_edges(const struct graph *g, struct graph_edge **edges,
		      size_t n)
{
	qsort_r(edges, n, sizeof(*edges), compare_edges, (void *)g);
}

int graph_sorted_edges(struct graph *g, uint32_t node, bool in,
		       struct graph_edge ***ret_edges, size_t *ret_n)
{
	const uint32_t first =
		in ? g->nodes[node].in_first : g->nodes[node].out_first;
	size_t n = 0;
	for (uint32_t i = first; i != GRAPH_NONE;) {
		n += !g->edges[i].is_dead;
		i = in ? g->edges[i].next_in : g->edges[i].next_out;
	}
	struct graph_edge **list =
		arena_alloc(&g->arena, (n + 1) * sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	n = 0;
	for (uint32_t i = first; i != GRAPH_NONE;) {
		if (!g->edges[i].is_dead)
			list[n++] = &g->edges[i];
		i = in ? g->edges[i].next_in : g->edges[i].next_out;
	}
	graph_sort_edges(g, list, n);
	*ret_edges = list;
	*ret_n = n;
	return 0;
}
