/*
 * graph.h - the call graph of a view: one node for each distinct frame, one
 * edge for each caller and callee that met in a stack.
 *
 * Building costs one pass over the stacks.  A frame that recurs in a stack is
 * counted once for its node, a pair once for its edge, by marks that carry
 * the number of the sample: no set is cleared between samples.
 *
 * Removed nodes and edges stay in their arrays; `order` lists the nodes that
 * are left, and a dead edge is skipped.
 */
#ifndef PROFLAB_REPORT_GRAPH_H
#define PROFLAB_REPORT_GRAPH_H

#include "base/map.h"
#include "report/arena.h"
#include "report/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAPH_NONE UINT32_MAX

/* What tells one node from another. */
struct graph_info {
	uint32_t name, file, objfile; /* strings of the view */
	uint64_t address;
	int64_t start_line, line;
};

/* A part of a node's value that carries a label; only in pictures. */
struct graph_tag {
	uint32_t node;
	uint32_t labels; /* for numbers: the text labels beside them */
	uint32_t name;	 /* strings of the graph's own table, see graph_text */
	uint32_t unit; /* of a number: string of the view; else PROFILE_NONE */
	int64_t value;
	int64_t flat, flat_div, cum, cum_div;
	bool is_number;
	bool is_dropped;
	uint32_t next; /* of the same node */
};

struct graph_node {
	struct graph_info info;
	const char *printable; /* set by graph_print_names */
	int64_t flat, flat_div, cum, cum_div;
	int64_t score;
	uint32_t in_first, out_first; /* edges, or GRAPH_NONE */
	uint32_t tag_first;
	uint32_t function; /* an id that nodes of one function share */
	bool is_kept;	   /* in `order` */
};

struct graph_edge {
	uint32_t src, dest;
	uint32_t next_in, next_out; /* of the same dest, of the same src */
	int64_t weight, weight_div;
	bool residual, is_inline, is_dead;
};

struct graph {
	struct view *v;
	struct graph_node *nodes;
	size_t n_nodes, cap_nodes;
	struct graph_edge *edges;
	size_t n_edges, cap_edges;
	struct graph_tag *tags;
	size_t n_tags, cap_tags;
	uint32_t *order; /* owned */
	size_t n_order;
	struct map node_index, edge_index, tag_index;
	struct arena arena;
	struct view_text *texts;
	size_t n_texts, cap_texts;
	struct map text_index;
};

/* Which nodes to build; nodes are compared by their info. */
struct graph_set {
	struct graph_info *rows; /* owned */
	size_t n;
	struct map index;
};

enum graph_edges {
	GRAPH_ALL_EDGES,
	/*
	 * Edges to frames that were inlined somewhere: all that a list of
	 * nodes needs, to say "(inline)".  Often there are none.
	 */
	GRAPH_INLINE_EDGES,
	GRAPH_NO_EDGES,
};

struct graph_options {
	size_t value;	   /* sample type */
	bool mean;	   /* divide by sample type 0 */
	bool object_names; /* functions of different binaries stay apart */
	bool call_tree;
	bool drop_negative;
	bool tags;
	enum graph_edges edges;
	const char *unit; /* in which numbers of labels are named */
	const struct view_units *units;
	const struct graph_set *kept; /* NULL = all */
};

/*
 * Returns: 0 or ERR_NOMEM.  Owns: the caller, graph_free (also after a
 * failure).  The view must outlive the graph.
 */
int graph_build(struct graph *g, struct view *v, const struct graph_options *o);
void graph_free(struct graph *g);

/*
 * No graph, only its nodes: one for each frame, without values.  The frames
 * of location i are the nodes frames[first[i]] .. frames[first[i + 1] - 1],
 * innermost call first; at least one.
 * Returns: 0 or ERR_NOMEM.  Owns: the caller, free() of both arrays, and
 * graph_free (also after a failure).
 */
int graph_build_frames(struct graph *g, struct view *v, uint32_t **ret_first,
		       uint32_t **ret_frames);

/* The set of the first n nodes of order. */
int graph_set_init(struct graph_set *s, const struct graph *g,
		   const uint32_t *order, size_t n);
void graph_set_free(struct graph_set *s);

/* Values, as means where there is a divisor. */
int64_t graph_flat(const struct graph_node *n);
int64_t graph_cum(const struct graph_node *n);
int64_t graph_weight(const struct graph_edge *e);

/* Give every node its printable name.  Returns: 0 or ERR_NOMEM. */
int graph_print_names(struct graph *g);
/* The printable name of one info, joined by sep, in arena memory, or NULL. */
char *graph_print_info(const struct view *v, const struct graph_info *info,
		       const char *sep, struct arena *a);

enum graph_order {
	GRAPH_BY_FLAT,
	GRAPH_BY_CUM,
	GRAPH_BY_ENTROPY, /* what makes an instructive picture */
	GRAPH_BY_ADDRESS,
};
/* Returns: 0 or ERR_NOMEM. */
int graph_sort(struct graph *g, enum graph_order by);

/*
 * The edges into or out of a node, heaviest first, in arena memory.  The nodes
 * must have names (graph_sort gives them).
 */
int graph_sorted_edges(struct graph *g, uint32_t node, bool in,
		       struct graph_edge ***ret_edges, size_t *ret_n);
/* Sort any edges so. */
void graph_sort_edges(const struct graph *g, struct graph_edge **edges,
		      size_t n);

/* ---- trimming ------------------------------------------------------------ */

/* Keep in order only nodes whose cumulative value reaches cutoff. */
size_t graph_count_frequent(const struct graph *g, int64_t cutoff);
void graph_move_frequent(const struct graph *g, int64_t cutoff,
			 uint32_t *ret_order);
void graph_drop_tags(struct graph *g, int64_t cutoff);
/* Returns: how many went. */
size_t graph_drop_edges(struct graph *g, int64_t cutoff);
/* How many nodes make up the top `count`, where tags count as nodes too. */
size_t graph_count_top(const struct graph *g, size_t count, bool visual);
/* Residual edges that another path makes needless. */
int graph_drop_redundant(struct graph *g);
/*
 * In a tree: take out the nodes that are not in kept (n node numbers); their
 * children move up to their parents.
 */
int graph_trim_tree(struct graph *g, const uint32_t *kept, size_t n);

/* ---- tags ---------------------------------------------------------------- */

const char *graph_text(const struct graph *g, uint32_t text);
uint32_t graph_intern(struct graph *g, const char *s, size_t len);
enum { GRAPH_NODELETS_MAX = 4 };

#endif
