/* graph.c - building the graph; see graph.h. */
#include "report/graph.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/gopath.h"
#include "report/graph_private.h"
#include "report/grow.h"

#include <stdlib.h>
#include <string.h>

/* ---- nodes --------------------------------------------------------------- */

static bool same_info(const struct graph_info *a, const struct graph_info *b)
{
	return a->name == b->name && a->file == b->file &&
	       a->objfile == b->objfile && a->address == b->address &&
	       a->start_line == b->start_line && a->line == b->line;
}

static uint64_t hash_info(const struct graph_info *i, uint64_t seed)
{
	const uint64_t words[] = { (uint64_t)i->name << 32 | i->file,
				   i->objfile, i->address,
				   (uint64_t)i->start_line, (uint64_t)i->line };
	return map_hash(words, sizeof(words), seed);
}

static bool set_has(const struct graph_set *s, const struct graph_info *info)
{
	for (uint64_t key = hash_info(info, 0);; key++) {
		const uint32_t i = map_get(&s->index, key);
		if (i == MAP_NONE)
			return false;
		if (same_info(&s->rows[i], info))
			return true;
	}
}

int graph_set_init(struct graph_set *s, const struct graph *g,
		   const uint32_t *order, size_t n)
{
	*s = (struct graph_set){ .n = n };
	s->rows = calloc(n ? n : 1, sizeof(*s->rows));
	if (!s->rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		s->rows[i] = g->nodes[order[i]].info;
		if (set_has(s, &s->rows[i]))
			continue;
		uint64_t key = hash_info(&s->rows[i], 0);
		while (map_get(&s->index, key) != MAP_NONE)
			key++;
		if (map_put(&s->index, key, (uint32_t)i)) {
			graph_set_free(s);
			return ERR_NOMEM;
		}
	}
	return 0;
}

void graph_set_free(struct graph_set *s)
{
	free(s->rows);
	map_free(&s->index);
	*s = (struct graph_set){ 0 };
}

static int add_node(struct graph *g, const struct graph_info *info,
		    uint64_t key, uint32_t *ret_node)
{
	if (g->n_nodes >= GRAPH_NONE ||
	    grow_rows(&g->nodes, &g->cap_nodes, g->n_nodes + 1,
		      sizeof(*g->nodes)) ||
	    map_put(&g->node_index, key, (uint32_t)g->n_nodes))
		return ERR_NOMEM;
	g->nodes[g->n_nodes] = (struct graph_node){
		.info = *info,
		.in_first = GRAPH_NONE,
		.out_first = GRAPH_NONE,
		.tag_first = GRAPH_NONE,
		.function = GRAPH_NONE,
	};
	*ret_node = (uint32_t)g->n_nodes++;
	return 0;
}

/*
 * The node of this info below parent (GRAPH_NONE in a graph, where nodes have
 * many).  *ret_node is GRAPH_NONE for one that is not to be built.
 */
static int find_node(struct graph *g, const struct graph_options *o,
		     const struct graph_info *info, uint32_t parent,
		     const uint32_t *parents, uint32_t *ret_node)
{
	*ret_node = GRAPH_NONE;
	if (o->kept && !set_has(o->kept, info))
		return 0;
	uint64_t key = hash_info(info, parent);
	for (;; key++) {
		const uint32_t i = map_get(&g->node_index, key);
		if (i == MAP_NONE)
			return add_node(g, info, key, ret_node);
		if (same_info(&g->nodes[i].info, info) &&
		    (!parents || parents[i] == parent)) {
			*ret_node = i;
			return 0;
		}
	}
}

/* file paths, cleaned once for each string */
struct clean_paths {
	uint32_t *clean; /* PROFILE_NONE = not yet */
	size_t n;
};

static int clean_path(struct view *v, struct clean_paths *c, uint32_t path,
		      uint32_t *ret_clean)
{
	*ret_clean = path;
	if (!path)
		return 0;
	if (path < c->n && c->clean[path] != PROFILE_NONE) {
		*ret_clean = c->clean[path];
		return 0;
	}
	struct buf b = { 0 };
	int rc = gopath_clean(view_str(v, path), &b);
	if (!rc) {
		*ret_clean = view_intern(v, buf_str(&b), b.len);
		rc = *ret_clean == PROFILE_NONE ? ERR_NOMEM : 0;
	}
	buf_free(&b);
	if (!rc && path < c->n)
		c->clean[path] = *ret_clean;
	return rc;
}

/* What a line of a location is called, at this detail. */
static int make_info(struct view *v, const struct graph_options *o,
		     struct clean_paths *paths,
		     const struct profile_location *l,
		     const struct profile_line *line,
		     struct graph_info *ret_info)
{
	const uint32_t objfile = l->mapping == PROFILE_NONE
					 ? 0
					 : v->mappings[l->mapping].filename;
	*ret_info = (struct graph_info){ .address = l->address };
	if (!line || line->function == PROFILE_NONE) {
		ret_info->objfile = objfile;
		return 0;
	}
	const struct profile_function *f = &v->functions[line->function];
	ret_info->name = f->name;
	ret_info->line = line->line;
	if (o->object_names || !f->name) {
		ret_info->objfile = objfile;
		ret_info->start_line = f->start_line;
	}
	return clean_path(v, paths, f->filename, &ret_info->file);
}

/* ---- one pass over the samples ------------------------------------------- */

struct builder {
	struct graph *g;
	const struct graph_options *o;
	struct clean_paths paths;
	/* frames of location i: frames[first[i]] .. frames[first[i + 1]) */
	uint32_t *frames, *first;
	bool *may_be_inlined; /* by node */
	bool any_inlined;
	uint32_t *node_mark, *edge_mark;
	size_t cap_edge_mark;
	uint32_t mark;
	/* in a tree */
	uint32_t *parents;
	size_t cap_parents;
	struct graph_tagger tagger;
};

static void builder_free(struct builder *b)
{
	free(b->paths.clean);
	free(b->frames);
	free(b->first);
	free(b->may_be_inlined);
	free(b->node_mark);
	free(b->edge_mark);
	free(b->parents);
	graph_tagger_free(&b->tagger);
}

static uint32_t count_frames(const struct profile_location *l)
{
	/* A location without lines still is a frame, by its address. */
	return l->line_count ? l->line_count : 1;
}

static int make_frames(struct builder *b)
{
	struct view *v = b->g->v;
	size_t total = 0;
	for (size_t i = 0; i < v->n_locations; i++)
		total += count_frames(&v->locations[i]);
	if (total >= UINT32_MAX)
		return ERR_NOMEM;
	b->frames = calloc(total + 1, sizeof(*b->frames));
	b->first = calloc(v->n_locations + 1, sizeof(*b->first));
	if (!b->frames || !b->first)
		return ERR_NOMEM;
	uint32_t at = 0;
	for (size_t i = 0; i < v->n_locations; i++) {
		const struct profile_location *l = &v->locations[i];
		b->first[i] = at;
		for (uint32_t k = 0; k < count_frames(l); k++) {
			struct graph_info info;
			int rc =
				make_info(v, b->o, &b->paths, l,
					  l->line_count
						  ? &v->lines[l->line_first + k]
						  : NULL,
					  &info);
			if (!rc)
				rc = find_node(b->g, b->o, &info, GRAPH_NONE,
					       NULL, &b->frames[at++]);
			if (rc)
				return rc;
		}
	}
	b->first[v->n_locations] = at;
	return 0;
}

/* Nodes that stand for an inlined call in some location. */
static int mark_inlined(struct builder *b)
{
	const struct view *v = b->g->v;
	b->may_be_inlined = calloc(b->g->n_nodes + 1, sizeof(bool));
	b->node_mark = calloc(b->g->n_nodes + 1, sizeof(*b->node_mark));
	if (!b->may_be_inlined || !b->node_mark)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n_locations; i++)
		for (uint32_t k = b->first[i]; k + 1 < b->first[i + 1]; k++)
			if (b->frames[k] != GRAPH_NONE) {
				b->may_be_inlined[b->frames[k]] = true;
				b->any_inlined = true;
			}
	return 0;
}

static int find_edge(struct graph *g, uint32_t src, uint32_t dest,
		     uint32_t *ret_edge)
{
	const uint64_t key = (uint64_t)src << 32 | dest;
	*ret_edge = map_get(&g->edge_index, key);
	if (*ret_edge != MAP_NONE)
		return 0;
	if (grow_rows(&g->edges, &g->cap_edges, g->n_edges + 1,
		      sizeof(*g->edges)) ||
	    map_put(&g->edge_index, key, (uint32_t)g->n_edges))
		return ERR_NOMEM;
	g->edges[g->n_edges] = (struct graph_edge){
		.src = src,
		.dest = dest,
		.next_in = g->nodes[dest].in_first,
		.next_out = g->nodes[src].out_first,
		.is_inline = true,
	};
	g->nodes[dest].in_first = g->nodes[src].out_first =
		(uint32_t)g->n_edges;
	*ret_edge = (uint32_t)g->n_edges++;
	return 0;
}

static int add_to_edge(struct builder *b, uint32_t src, uint32_t dest,
		       int64_t value, int64_t div, bool residual,
		       bool is_inline, bool once)
{
	uint32_t i;
	if (find_edge(b->g, src, dest, &i))
		return ERR_NOMEM;
	if (once) {
		const size_t had = b->cap_edge_mark;
		if (grow_rows(&b->edge_mark, &b->cap_edge_mark, i + 1,
			      sizeof(*b->edge_mark)))
			return ERR_NOMEM;
		if (b->cap_edge_mark > had)
			memset(b->edge_mark + had, 0,
			       (b->cap_edge_mark - had) *
				       sizeof(*b->edge_mark));
		if (b->edge_mark[i] == b->mark)
			return 0;
		b->edge_mark[i] = b->mark;
	}
	struct graph_edge *e = &b->g->edges[i];
	e->weight = i64_add(e->weight, value);
	e->weight_div = i64_add(e->weight_div, div);
	e->residual |= residual;
	e->is_inline &= is_inline;
	return 0;
}

static void add_cum(struct graph_node *n, int64_t value, int64_t div)
{
	n->cum = i64_add(n->cum, value);
	n->cum_div = i64_add(n->cum_div, div);
}

static void add_flat(struct graph_node *n, int64_t value, int64_t div)
{
	n->flat = i64_add(n->flat, value);
	n->flat_div = i64_add(n->flat_div, div);
}

/* Values alone: no edges, no labels.  This loop is where time goes. */
static void add_sample_nodes(struct builder *b, const struct view_sample *s,
			     int64_t value, int64_t div)
{
	struct graph_node *nodes = b->g->nodes;
	const uint32_t *locs = b->g->v->locs + s->first;
	const uint32_t *first = b->first, *frames = b->frames;
	uint32_t *marks = b->node_mark;
	const uint32_t mark = b->mark;
	for (uint32_t i = 0; i < s->count; i++)
		for (uint32_t k = first[locs[i]]; k < first[locs[i] + 1]; k++) {
			const uint32_t n = frames[k];
			if (n == GRAPH_NONE || marks[n] == mark)
				continue;
			marks[n] = mark;
			add_cum(&nodes[n], value, div);
		}
	if (s->count && frames[first[locs[0]]] != GRAPH_NONE)
		add_flat(&nodes[frames[first[locs[0]]]], value, div);
}

static int add_sample(struct builder *b, const struct view_sample *s,
		      int64_t value, int64_t div)
{
	struct graph *g = b->g;
	const bool all = b->o->edges == GRAPH_ALL_EDGES;
	uint32_t parent = GRAPH_NONE;
	bool residual = false; /* did the path skip nodes that are not kept? */
	int rc = 0;
	for (uint32_t i = s->count; i-- > 0;) {
		const uint32_t loc = g->v->locs[s->first + i];
		const uint32_t last = b->first[loc + 1] - 1;
		for (uint32_t k = b->first[loc + 1]; k-- > b->first[loc];) {
			const uint32_t n = b->frames[k];
			if (n == GRAPH_NONE) {
				residual = true;
				continue;
			}
			if (b->node_mark[n] != b->mark) {
				b->node_mark[n] = b->mark;
				add_cum(&g->nodes[n], value, div);
				if (b->o->tags)
					rc = graph_tag_node(&b->tagger, n,
							    value, div, false);
			}
			if (!rc && parent != GRAPH_NONE && parent != n &&
			    (all || b->may_be_inlined[n]))
				rc = add_to_edge(b, parent, n, value, div,
						 residual, k != last, true);
			if (rc)
				return rc;
			parent = n;
			residual = false;
		}
	}
	if (parent == GRAPH_NONE || residual)
		return 0;
	add_flat(&g->nodes[parent], value, div);
	if (b->o->tags)
		rc = graph_tag_node(&b->tagger, parent, value, div, true);
	return rc;
}

/* ---- the same for a tree: a node for each path --------------------------- */

static int add_tree_frame(struct builder *b, const struct profile_location *l,
			  uint32_t k, int64_t value, int64_t div,
			  uint32_t *parent)
{
	struct graph *g = b->g;
	struct view *v = g->v;
	struct graph_info info;
	uint32_t n;
	int rc = make_info(v, b->o, &b->paths, l,
			   l->line_count ? &v->lines[l->line_first + k] : NULL,
			   &info);
	const size_t had = g->n_nodes;
	if (!rc)
		rc = grow_rows(&b->parents, &b->cap_parents, had + 1,
			       sizeof(*b->parents));
	if (!rc)
		rc = find_node(g, b->o, &info, *parent, b->parents, &n);
	if (rc)
		return rc;
	if (g->n_nodes > had)
		b->parents[n] = *parent;
	add_cum(&g->nodes[n], value, div);
	if (b->o->tags)
		rc = graph_tag_node(&b->tagger, n, value, div, false);
	if (!rc && *parent != GRAPH_NONE)
		rc = add_to_edge(b, *parent, n, value, div, false,
				 k + 1 != count_frames(l), false);
	*parent = n;
	return rc;
}

static int add_sample_tree(struct builder *b, const struct view_sample *s,
			   int64_t value, int64_t div)
{
	const struct view *v = b->g->v;
	uint32_t parent = GRAPH_NONE;
	int rc = 0;
	for (uint32_t i = s->count; i-- > 0 && !rc;) {
		const struct profile_location *l =
			&v->locations[v->locs[s->first + i]];
		for (uint32_t k = count_frames(l); k-- > 0 && !rc;)
			rc = add_tree_frame(b, l, k, value, div, &parent);
	}
	if (rc || parent == GRAPH_NONE)
		return rc;
	add_flat(&b->g->nodes[parent], value, div);
	if (b->o->tags)
		rc = graph_tag_node(&b->tagger, parent, value, div, true);
	return rc;
}

static int add_samples(struct builder *b)
{
	const struct view *v = b->g->v;
	const bool plain =
		!b->o->tags && !b->o->call_tree &&
		(b->o->edges == GRAPH_NO_EDGES ||
		 (b->o->edges == GRAPH_INLINE_EDGES && !b->any_inlined));
	for (size_t i = 0; i < v->n_samples; i++) {
		const struct view_sample *s = &v->samples[i];
		const int64_t value = view_value(v, s, b->o->value);
		const int64_t div = b->o->mean ? view_value(v, s, 0) : 0;
		if (!value && !div)
			continue;
		b->mark++;
		int rc = 0;
		if (plain) {
			add_sample_nodes(b, s, value, div);
			continue;
		}
		if (b->o->tags)
			rc = graph_tagger_load(&b->tagger, s);
		if (!rc)
			rc = b->o->call_tree ? add_sample_tree(b, s, value, div)
					     : add_sample(b, s, value, div);
		if (rc)
			return rc;
	}
	return 0;
}

static bool is_negative(const struct graph_node *n)
{
	return n->flat < 0 || (n->flat == 0 && n->cum < 0);
}

static int select_nodes(struct graph *g, bool drop_negative)
{
	g->order = calloc(g->n_nodes + 1, sizeof(*g->order));
	if (!g->order)
		return ERR_NOMEM;
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct graph_node *n = &g->nodes[i];
		if (!n->cum && !n->flat)
			continue;
		if (drop_negative && is_negative(n))
			continue;
		n->is_kept = true;
		g->order[g->n_order++] = (uint32_t)i;
	}
	return 0;
}

static int paths_init(struct clean_paths *c, const struct view *v)
{
	c->n = view_n_strings(v);
	c->clean = malloc((c->n + 1) * sizeof(*c->clean));
	if (!c->clean)
		return ERR_NOMEM;
	memset(c->clean, 0xff, c->n * sizeof(*c->clean));
	return 0;
}

int graph_build_frames(struct graph *g, struct view *v, uint32_t **ret_first,
		       uint32_t **ret_frames)
{
	const struct graph_options plain = { .edges = GRAPH_NO_EDGES };
	*g = (struct graph){ .v = v };
	struct builder b = { .g = g, .o = &plain };
	int rc = paths_init(&b.paths, v);
	if (!rc)
		rc = make_frames(&b);
	if (!rc)
		rc = graph_print_names(g);
	if (!rc) {
		*ret_first = b.first;
		*ret_frames = b.frames;
		b.first = b.frames = NULL;
	}
	builder_free(&b);
	return rc;
}

int graph_build(struct graph *g, struct view *v, const struct graph_options *o)
{
	*g = (struct graph){ .v = v };
	struct builder b = { .g = g, .o = o };
	int rc = paths_init(&b.paths, v);
	if (!rc)
		rc = graph_tagger_init(&b.tagger, g, o);
	if (!rc && !o->call_tree)
		rc = make_frames(&b);
	if (!rc && !o->call_tree)
		rc = mark_inlined(&b);
	if (!rc)
		rc = add_samples(&b);
	if (!rc)
		rc = select_nodes(g, o->drop_negative);
	builder_free(&b);
	return rc;
}

void graph_free(struct graph *g)
{
	free(g->nodes);
	free(g->edges);
	free(g->tags);
	free(g->order);
	free(g->texts);
	map_free(&g->node_index);
	map_free(&g->edge_index);
	map_free(&g->tag_index);
	map_free(&g->text_index);
	arena_free(&g->arena);
	*g = (struct graph){ 0 };
}

int64_t graph_flat(const struct graph_node *n)
{
	return n->flat_div ? i64_div(n->flat, n->flat_div) : n->flat;
}

int64_t graph_cum(const struct graph_node *n)
{
	return n->cum_div ? i64_div(n->cum, n->cum_div) : n->cum;
}

int64_t graph_weight(const struct graph_edge *e)
{
	return e->weight_div ? i64_div(e->weight, e->weight_div) : e->weight;
}
