/*
 * flame.h - all stacks of a report as one tree, roots at the top: what a flame
 * graph draws.
 *
 * Each node has two values: what its samples hold now, and what those of the
 * base held.  Without a base the second is 0.
 */
#ifndef PROFLAB_REPORT_FLAME_H
#define PROFLAB_REPORT_FLAME_H

#include "report/context.h"

#include "base/map.h"

struct flame_node {
	uint32_t frame;	       /* node of the graph; GRAPH_NONE: the root */
	uint32_t parent;       /* always a smaller number than its own */
	uint32_t child, next;  /* first child, sibling; 0: none */
	uint32_t depth;	       /* the root is 0 */
	int64_t after, before; /* with all below it */
	int64_t width;	       /* sum over leaves of the larger of the two */
	int64_t own_after, own_before;
};

struct flame {
	struct graph g;		  /* names of frames */
	struct flame_node *nodes; /* nodes[0] is the root */
	size_t n, cap;
	struct map index;
	bool has_base; /* is it a difference? */
};

/* Zeroed: whole stacks, as they are. */
struct flame_options {
	/* Leaves at the top instead, and below each frame who called it. */
	bool inverted;
	/*
	 * Of stacks with this function alone, the part from its outermost
	 * call on: down to the leaf, or up to the root where inverted.  NULL:
	 * whole stacks.
	 */
	const char *pivot;
};

/*
 * Children stand heaviest first.  Sums that pass 2^63 stop there.  o may be
 * NULL.  Equal reports give equal trees, number for number.
 * Returns: 0, ERR_NOMEM or ERR_LIMIT (2^31 nodes).
 * Owns: the caller, flame_free (also after a failure).
 */
int flame_build(struct report *r, const struct flame_options *o,
		struct flame *ret_flame);
void flame_free(struct flame *f);

#endif
