/* graph_trim.c - making a graph small enough to read; see graph.h. */
#include "report/graph.h"

#include "base/err.h"
#include "report/arith.h"

#include <stdlib.h>
#include <string.h>

size_t graph_count_frequent(const struct graph *g, int64_t cutoff)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n_order; i++)
		n += i64_abs(g->nodes[g->order[i]].cum) >= cutoff;
	return n;
}

void graph_move_frequent(const struct graph *g, int64_t cutoff,
			 uint32_t *ret_order)
{
	for (size_t i = 0; i < g->n_order; i++)
		if (i64_abs(g->nodes[g->order[i]].cum) >= cutoff)
			*ret_order++ = g->order[i];
}

void graph_drop_tags(struct graph *g, int64_t cutoff)
{
	for (size_t i = 0; i < g->n_tags; i++) {
		struct graph_tag *t = &g->tags[i];
		if (g->nodes[t->node].is_kept && i64_abs(t->flat) < cutoff &&
		    i64_abs(t->cum) < cutoff)
			t->is_dropped = true;
	}
}

size_t graph_drop_edges(struct graph *g, int64_t cutoff)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n_edges; i++) {
		struct graph_edge *e = &g->edges[i];
		/* Edges into nodes that were dropped before are not counted. */
		if (e->is_dead || !g->nodes[e->dest].is_kept ||
		    i64_abs(e->weight) >= cutoff)
			continue;
		e->is_dead = true;
		n++;
	}
	return n;
}

static size_t count_flat_tags(const struct graph *g, const struct graph_node *n)
{
	size_t count = 0;
	for (uint32_t t = n->tag_first; t != GRAPH_NONE; t = g->tags[t].next)
		count += !g->tags[t].is_dropped && g->tags[t].flat != 0;
	return count;
}

size_t graph_count_top(const struct graph *g, size_t count, bool visual)
{
	size_t sum = 0;
	for (size_t i = 0; visual && i < g->n_order; i++) {
		size_t tags = count_flat_tags(g, &g->nodes[g->order[i]]);
		if (tags > GRAPH_NODELETS_MAX)
			tags = GRAPH_NODELETS_MAX;
		sum += tags + 1;
		if (sum >= count) {
			count = i + 1;
			break;
		}
	}
	return count < g->n_order ? count : g->n_order;
}

/* Can e->src reach e->dest without e? */
static bool is_redundant(const struct graph *g, const struct graph_edge *e,
			 uint32_t *seen, uint32_t mark, uint32_t *queue)
{
	size_t head = 0, tail = 0;
	seen[e->dest] = mark;
	queue[tail++] = e->dest;
	while (head < tail) {
		const uint32_t n = queue[head++];
		for (uint32_t i = g->nodes[n].in_first; i != GRAPH_NONE;
		     i = g->edges[i].next_in) {
			const struct graph_edge *in = &g->edges[i];
			if (in == e || in->is_dead || seen[in->src] == mark)
				continue;
			if (in->src == e->src)
				return true;
			seen[in->src] = mark;
			queue[tail++] = in->src;
		}
	}
	return false;
}

int graph_drop_redundant(struct graph *g)
{
	uint32_t *seen = calloc(g->n_nodes + 1, sizeof(*seen));
	uint32_t *queue = calloc(g->n_nodes + 1, sizeof(*queue));
	uint32_t mark = 0;
	int rc = seen && queue ? 0 : ERR_NOMEM;
	/* Backwards, to take the lightest first. */
	for (size_t i = g->n_order; i-- > 0 && !rc;) {
		struct graph_edge **in = NULL;
		size_t n = 0;
		rc = graph_sorted_edges(g, g->order[i], true, &in, &n);
		while (n-- > 0 && !rc) {
			/* Nothing heavier than an edge that must stay. */
			if (!in[n]->residual)
				break;
			if (is_redundant(g, in[n], seen, ++mark, queue))
				in[n]->is_dead = true;
		}
	}
	free(seen);
	free(queue);
	return rc;
}

/* Hand the children of a node that goes to its parent. */
static void remove_tree_node(struct graph *g, uint32_t node)
{
	struct graph_edge *up = NULL;
	for (uint32_t i = g->nodes[node].in_first; i != GRAPH_NONE;
	     i = g->edges[i].next_in)
		if (!g->edges[i].is_dead)
			up = &g->edges[i];
	if (up)
		up->is_dead = true;
	uint32_t i = g->nodes[node].out_first;
	g->nodes[node].out_first = GRAPH_NONE;
	while (i != GRAPH_NONE) {
		struct graph_edge *e = &g->edges[i];
		const uint32_t next = e->next_out;
		if (!up) {
			e->is_dead = true;
		} else if (!e->is_dead) {
			e->src = up->src;
			e->next_out = g->nodes[up->src].out_first;
			g->nodes[up->src].out_first = i;
			e->residual = true;
			e->is_inline &= up->is_inline;
		}
		i = next;
	}
}

int graph_trim_tree(struct graph *g, const uint32_t *kept, size_t n)
{
	bool *keep = calloc(g->n_nodes + 1, sizeof(*keep));
	if (!keep)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		keep[kept[i]] = true;
	size_t left = 0;
	for (size_t i = 0; i < g->n_order; i++) {
		const uint32_t node = g->order[i];
		if (keep[node]) {
			g->order[left++] = node;
			continue;
		}
		g->nodes[node].is_kept = false;
		remove_tree_node(g, node);
	}
	g->n_order = left;
	free(keep);
	return graph_drop_redundant(g);
}
