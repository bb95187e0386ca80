/* flame.c - see flame.h. */
#include "report/flame.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"

#include <stdlib.h>
#include <string.h>

static int64_t add_capped(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* |INT64_MIN| has no int64. */
static int64_t magnitude(int64_t v)
{
	return v == INT64_MIN ? INT64_MAX : i64_abs(v);
}

static int add_node(struct flame *f, uint32_t frame, uint32_t parent,
		    uint32_t *ret_node)
{
	if (f->n >= INT32_MAX)
		return ERR_LIMIT;
	if (grow_rows(&f->nodes, &f->cap, f->n + 1, sizeof(*f->nodes)))
		return ERR_NOMEM;
	f->nodes[f->n] = (struct flame_node){
		.frame = frame,
		.parent = parent,
		.depth = f->n ? f->nodes[parent].depth + 1 : 0,
	};
	*ret_node = (uint32_t)f->n++;
	return 0;
}

static int find_child(struct flame *f, uint32_t parent, uint32_t frame,
		      uint32_t *ret_node)
{
	/* A pair of numbers is a key of its own: no two share one. */
	const uint64_t key = (uint64_t)parent << 32 | frame;
	*ret_node = map_get(&f->index, key);
	if (*ret_node != MAP_NONE)
		return 0;
	const int rc = add_node(f, frame, parent, ret_node);
	return rc ? rc : map_put(&f->index, key, *ret_node);
}

/*
 * The base's part of a difference is negative, whether it carries the mark of
 * -diff_base or is what -base left.
 */
static int add_sample(struct flame *f, const struct report *r,
		      const struct view_sample *s, const uint32_t *first,
		      const uint32_t *frames)
{
	const int64_t value = report_sample_value(r, s);
	uint32_t node = 0;
	if (!value || !s->count || (value < 0 && r->o.drop_negative))
		return 0;
	for (uint32_t i = s->count; i-- > 0;) {
		const uint32_t loc = r->view.locs[s->first + i];
		for (uint32_t k = first[loc + 1]; k-- > first[loc];) {
			const int rc = find_child(f, node, frames[k], &node);
			if (rc)
				return rc;
		}
	}
	struct flame_node *n = &f->nodes[node];
	if (value < 0) {
		n->own_before = add_capped(n->own_before, magnitude(value));
		f->has_base = true;
	} else {
		n->own_after = add_capped(n->own_after, value);
	}
	return 0;
}

/* Parents come before their children: one pass from the end sums them all. */
static void sum_up(struct flame *f)
{
	for (size_t i = f->n; i-- > 0;) {
		struct flame_node *n = &f->nodes[i];
		const int64_t own = n->own_after > n->own_before
					    ? n->own_after
					    : n->own_before;
		n->after = add_capped(n->after, n->own_after);
		n->before = add_capped(n->before, n->own_before);
		n->width = add_capped(n->width, own);
		if (!i)
			break;
		struct flame_node *parent = &f->nodes[n->parent];
		parent->after = add_capped(parent->after, n->after);
		parent->before = add_capped(parent->before, n->before);
		parent->width = add_capped(parent->width, n->width);
	}
}

static int compare_siblings(const void *pa, const void *pb, void *arg)
{
	const struct flame *f = arg;
	const uint32_t x = *(const uint32_t *)pa, y = *(const uint32_t *)pb;
	const struct flame_node *a = &f->nodes[x], *b = &f->nodes[y];
	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->width != b->width)
		return a->width > b->width ? -1 : 1;
	const int c = strcmp(f->g.nodes[a->frame].printable,
			     f->g.nodes[b->frame].printable);
	return c ? c : (x > y) - (x < y);
}

static int link_children(struct flame *f)
{
	uint32_t *order = calloc(f->n + 1, sizeof(*order));
	if (!order)
		return ERR_NOMEM;
	for (size_t i = 1; i < f->n; i++)
		order[i - 1] = (uint32_t)i;
	if (f->n > 1)
		qsort_r(order, f->n - 1, sizeof(*order), compare_siblings, f);
	for (size_t i = f->n - 1; i-- > 0;) {
		struct flame_node *n = &f->nodes[order[i]];
		struct flame_node *parent = &f->nodes[n->parent];
		n->next = parent->child;
		parent->child = order[i];
	}
	free(order);
	return 0;
}

int flame_build(struct report *r, struct flame *f)
{
	uint32_t *first = NULL, *frames = NULL, root;
	*f = (struct flame){ 0 };
	int rc = graph_build_frames(&f->g, &r->view, &first, &frames);
	if (!rc)
		rc = add_node(f, GRAPH_NONE, 0, &root);
	for (size_t i = 0; i < r->view.n_samples && !rc; i++)
		rc = add_sample(f, r, &r->view.samples[i], first, frames);
	if (!rc) {
		sum_up(f);
		rc = link_children(f);
	}
	free(first);
	free(frames);
	return rc;
}

void flame_free(struct flame *f)
{
	free(f->nodes);
	map_free(&f->index);
	graph_free(&f->g);
}
