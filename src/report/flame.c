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

/*
 * Most nodes have one child for ever: the first stands in the node itself
 * (link_children orders them later), only its siblings in the map.
 */
static int find_child(struct flame *f, uint32_t parent, uint32_t frame,
		      uint32_t *ret_node)
{
	/* A pair of numbers is a key of its own: no two share one. */
	const uint64_t key = (uint64_t)parent << 32 | frame;
	const uint32_t first = f->nodes[parent].child;
	*ret_node = !first			     ? MAP_NONE
		    : f->nodes[first].frame == frame ? first
						     : map_get(&f->index, key);
	if (*ret_node != MAP_NONE)
		return 0;
	const int rc = add_node(f, frame, parent, ret_node);
	if (!rc && !first)
		f->nodes[parent].child = *ret_node;
	return rc || !first ? rc : map_put(&f->index, key, *ret_node);
}

/* What one sample after the other is added with. */
struct adder {
	struct flame *f;
	const struct report *r;
	const struct flame_options *o;
	const uint32_t *first, *frames; /* of graph_build_frames */
	uint32_t *path; /* the sample's frames, root first; owned */
	size_t n, cap;
};

static int take_path(struct adder *a, const struct view_sample *s)
{
	a->n = 0;
	for (uint32_t i = s->count; i-- > 0;) {
		const uint32_t loc = a->r->view.locs[s->first + i];
		const uint32_t from = a->first[loc], end = a->first[loc + 1];
		if (grow_rows(&a->path, &a->cap, a->n + (end - from),
			      sizeof(*a->path)))
			return ERR_NOMEM;
		for (uint32_t k = end; k-- > from;)
			a->path[a->n++] = a->frames[k];
	}
	return 0;
}

/* The first frame of the path that is the pivot; n: there is none. */
static size_t find_pivot(const struct adder *a)
{
	const struct graph *g = &a->f->g;
	size_t i = 0;
	while (i < a->n &&
	       strcmp(view_str(g->v, g->nodes[a->path[i]].info.name),
		      a->o->pivot) != 0)
		i++;
	return i;
}

/* Down the tree along the path.  Returns: the node where it ends. */
static int walk_path(struct adder *a, uint32_t *ret_node)
{
	size_t from = 0, end = a->n;
	uint32_t node = 0;
	if (a->o->pivot) {
		from = find_pivot(a);
		if (a->o->inverted) {
			end = from < a->n ? from + 1 : 0;
			from = 0;
		}
	}
	for (size_t i = from; i < end; i++) {
		const size_t at = a->o->inverted ? end - 1 - (i - from) : i;
		const int rc = find_child(a->f, node, a->path[at], &node);
		if (rc)
			return rc;
	}
	*ret_node = node;
	return 0;
}

/*
 * The base's part of a difference is negative, whether it carries the mark of
 * -diff_base or is what -base left.
 */
static int add_sample(struct adder *a, const struct view_sample *s)
{
	struct flame *f = a->f;
	const int64_t value = report_sample_value(a->r, s);
	uint32_t node;
	if (!value || !s->count || (value < 0 && a->r->o.drop_negative))
		return 0;
	int rc = take_path(a, s);
	if (!rc)
		rc = walk_path(a, &node);
	if (rc || (!node && a->o->pivot))
		return rc;
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
	if (a->width != b->width)
		return a->width > b->width ? -1 : 1;
	const int c = strcmp(f->g.nodes[a->frame].printable,
			     f->g.nodes[b->frame].printable);
	return c ? c : (x > y) - (x < y);
}

/*
 * Children of one parent side by side, by counting; most have no sibling, so
 * only short runs are left to sort.  end[i] becomes the end of i's children.
 */
static void gather_children(const struct flame *f, uint32_t *end,
			    uint32_t *children)
{
	for (size_t i = 1; i < f->n; i++)
		end[f->nodes[i].parent]++;
	uint32_t sum = 0;
	for (size_t i = 0; i < f->n; i++) {
		const uint32_t n = end[i];
		end[i] = sum;
		sum += n;
	}
	for (size_t i = 1; i < f->n; i++)
		children[end[f->nodes[i].parent]++] = (uint32_t)i;
}

static int link_children(struct flame *f)
{
	uint32_t *end = calloc(f->n + 1, sizeof(*end));
	uint32_t *children = calloc(f->n + 1, sizeof(*children));
	const int rc = end && children ? 0 : ERR_NOMEM;
	if (!rc)
		gather_children(f, end, children);
	for (size_t i = 0, from = 0; i < f->n && !rc; from = end[i++]) {
		const size_t n = end[i] - from;
		if (n > 1)
			qsort_r(children + from, n, sizeof(*children),
				compare_siblings, f);
		for (size_t k = 0; k < n; k++)
			f->nodes[children[from + k]].next =
				k + 1 < n ? children[from + k + 1] : 0;
		if (n)
			f->nodes[i].child = children[from];
	}
	free(end);
	free(children);
	return rc;
}

int flame_build(struct report *r, const struct flame_options *o,
		struct flame *f)
{
	static const struct flame_options whole;
	uint32_t *first = NULL, *frames = NULL, root;
	struct adder a = { .f = f, .r = r, .o = o ? o : &whole };
	*f = (struct flame){ 0 };
	int rc = graph_build_frames(&f->g, &r->view, &first, &frames);
	a.first = first;
	a.frames = frames;
	if (!rc)
		rc = add_node(f, GRAPH_NONE, 0, &root);
	for (size_t i = 0; i < r->view.n_samples && !rc; i++)
		rc = add_sample(&a, &r->view.samples[i]);
	if (!rc) {
		sum_up(f);
		rc = link_children(f);
	}
	free(a.path);
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
