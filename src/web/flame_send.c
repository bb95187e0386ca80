/*
 * flame_send.c - what of a tree is sent: see web_write_tree in subject.h.
 *
 * A tree of a huge profile has millions of nodes; a screen has a few thousand
 * pixels.  So what is sent is what can be seen below one node (`at`): who
 * zooms asks again.
 */
#include "web/subject.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/regex.h"
#include "web/webjson.h"

#include <stdlib.h>
#include <string.h>

enum {
	NODES_MAX = 12000,
	DEPTH_MAX = 300,  /* below `at` */
	NARROWEST = 4000, /* parts of its width that can be told apart */
};

/* ---- what is sent of it -------------------------------------------------- */

struct sending {
	struct web_call *c;
	const struct flame *f;
	uint32_t at;
	int64_t least;	  /* width of the narrowest that is sent */
	uint32_t *number; /* by graph node: frame number + 1; owned */
	uint32_t *frames; /* graph nodes by frame number; owned */
	size_t n_frames;
	uint32_t *nodes; /* owned */
	size_t n;
	size_t narrow, deep; /* subtrees that are not sent */
};

/* The next in depth-first order; at itself after the last. */
static uint32_t next_node(const struct sending *s, uint32_t node, bool down)
{
	const struct flame_node *nodes = s->f->nodes;
	if (down && nodes[node].child)
		return nodes[node].child;
	while (node != s->at && !nodes[node].next)
		node = nodes[node].parent;
	return node == s->at ? s->at : nodes[node].next;
}

/* Returns: false when there are too many. */
static bool choose_nodes(struct sending *s)
{
	const struct flame_node *nodes = s->f->nodes;
	uint32_t node = s->at;
	s->n = s->narrow = s->deep = 0;
	do {
		const struct flame_node *n = &nodes[node];
		const bool wide = node == s->at || n->width >= s->least;
		const bool shallow = n->depth - nodes[s->at].depth < DEPTH_MAX;
		if (wide && s->n == NODES_MAX)
			return false;
		if (wide)
			s->nodes[s->n++] = node;
		else
			s->narrow++;
		if (wide && !shallow && n->child)
			s->deep++;
		node = next_node(s, node, wide && shallow);
	} while (node != s->at);
	return true;
}

static int choose(struct sending *s)
{
	s->nodes = calloc(NODES_MAX, sizeof(*s->nodes));
	s->number = calloc(s->f->g.n_nodes + 1, sizeof(*s->number));
	s->frames = calloc(s->f->g.n_nodes + 1, sizeof(*s->frames));
	if (!s->nodes || !s->number || !s->frames)
		return ERR_NOMEM;
	/* A small tree is sent whole. */
	if (s->f->n > NODES_MAX)
		s->least = s->f->nodes[s->at].width / NARROWEST;
	if (s->least < 1)
		s->least = 1;
	while (!choose_nodes(s))
		s->least = s->least > INT64_MAX / 2 ? INT64_MAX : s->least * 2;
	return 0;
}

/* -1: the root, which is no frame. */
static int64_t frame_number(struct sending *s, uint32_t node)
{
	const uint32_t frame = s->f->nodes[node].frame;
	if (frame == GRAPH_NONE)
		return -1;
	if (!s->number[frame]) {
		s->frames[s->n_frames++] = frame;
		s->number[frame] = (uint32_t)s->n_frames;
	}
	return s->number[frame] - 1;
}

/* ---- members of the answer ----------------------------------------------- */

typedef int64_t column_value(struct sending *s, uint32_t node);

static int64_t node_of(struct sending *s, uint32_t node)
{
	(void)s;
	return node;
}

static int64_t depth_of(struct sending *s, uint32_t node)
{
	return s->f->nodes[node].depth - s->f->nodes[s->at].depth;
}

static int64_t after_of(struct sending *s, uint32_t node)
{
	return s->f->nodes[node].after;
}

static int64_t before_of(struct sending *s, uint32_t node)
{
	return s->f->nodes[node].before;
}

static int64_t width_of(struct sending *s, uint32_t node)
{
	return s->f->nodes[node].width;
}

static int64_t own_after_of(struct sending *s, uint32_t node)
{
	return s->f->nodes[node].own_after;
}

static int64_t own_before_of(struct sending *s, uint32_t node)
{
	return s->f->nodes[node].own_before;
}

static void write_column(struct sending *s, const char *name,
			 const uint32_t *nodes, size_t n, column_value *value)
{
	webjson_open_array(s->c->j, name);
	for (size_t i = 0; i < n; i++)
		webjson_int(s->c->j, NULL, value(s, nodes[i]));
	webjson_close(s->c->j);
}

static void write_columns(struct sending *s, const uint32_t *nodes, size_t n)
{
	write_column(s, "node", nodes, n, node_of);
	write_column(s, "frame", nodes, n, frame_number);
	write_column(s, "after", nodes, n, after_of);
	write_column(s, "own", nodes, n, own_after_of);
	if (!s->c->s->base)
		return;
	write_column(s, "before", nodes, n, before_of);
	write_column(s, "own_before", nodes, n, own_before_of);
	write_column(s, "width", nodes, n, width_of);
}

/* From the root down to the parent of `at`. */
static void write_path(struct sending *s)
{
	uint32_t path[DEPTH_MAX];
	size_t n = 0;
	for (uint32_t i = s->at; i; i = s->f->nodes[i].parent)
		n++;
	/* Of a very deep one the upper part. */
	uint32_t node = s->at;
	for (size_t i = n; i-- > 0;) {
		node = s->f->nodes[node].parent;
		if (i < DEPTH_MAX)
			path[i] = node;
	}
	webjson_open_object(s->c->j, "path");
	write_columns(s, path, n < DEPTH_MAX ? n : DEPTH_MAX);
	webjson_close(s->c->j);
}

/*
 * Where a function is from is of use also where it does not tell nodes apart:
 * by name, the file of the first function that has it.  Owned by the caller.
 */
static int map_files(const struct profile *p, struct map *ret_files)
{
	*ret_files = (struct map){ 0 };
	for (size_t i = 0; i < p->n_functions; i++) {
		const struct profile_function *f = &p->functions[i];
		if (!f->filename || map_get(ret_files, f->name) != MAP_NONE)
			continue;
		if (map_put(ret_files, f->name, f->filename)) {
			map_free(ret_files);
			return ERR_NOMEM;
		}
	}
	return 0;
}

static const char *file_of(const struct graph *g, uint32_t node,
			   const struct map *files)
{
	const struct graph_info *info = &g->nodes[node].info;
	const uint32_t file = info->file || !info->name
				      ? info->file
				      : map_get(files, info->name);
	return file == MAP_NONE ? "" : view_str(g->v, file);
}

static int write_frames(struct sending *s)
{
	struct map files;
	if (map_files(s->f->g.v->p, &files))
		return ERR_NOMEM;
	const struct graph *g = &s->f->g;
	struct webjson *j = s->c->j;
	webjson_open_array(j, "names");
	for (size_t i = 0; i < s->n_frames; i++) {
		const struct graph_node *n = &g->nodes[s->frames[i]];
		webjson_text(j, NULL,
			     n->info.name && !n->info.address && !n->info.line
				     ? view_str(g->v, n->info.name)
				     : n->printable);
	}
	webjson_close(j);
	webjson_open_array(j, "functions");
	for (size_t i = 0; i < s->n_frames; i++)
		webjson_text(j, NULL,
			     view_str(g->v, g->nodes[s->frames[i]].info.name));
	webjson_close(j);
	webjson_open_array(j, "files");
	for (size_t i = 0; i < s->n_frames; i++)
		webjson_text(j, NULL, file_of(g, s->frames[i], &files));
	webjson_close(j);
	map_free(&files);
	return 0;
}

/* ---- searching ----------------------------------------------------------- */

/* Which frames match, by graph node; owned by the caller. */
static int find_frames(const struct flame *f, const char *pattern,
		       bool **ret_match, struct err *e)
{
	struct regex *rx;
	const int rc = regex_compile(pattern, &rx, e);
	if (rc)
		return err_prefix(e, rc, "search");
	bool *match = calloc(f->g.n_nodes + 1, sizeof(*match));
	for (size_t i = 0; match && i < f->g.n_nodes; i++) {
		const char *name = f->g.nodes[i].printable;
		match[i] = name && regex_match(rx, name, strlen(name));
	}
	regex_free(rx);
	*ret_match = match;
	return match ? 0 : ERR_NOMEM;
}

/* What stacks with a match in them hold, below node `from`. */
static void sum_matches(const struct sending *s, const bool *match,
			uint32_t from, int64_t *ret_after, int64_t *ret_before)
{
	const struct sending below = { .f = s->f, .at = from };
	uint32_t node = from;
	*ret_after = *ret_before = 0;
	do {
		const struct flame_node *n = &s->f->nodes[node];
		const bool hit = n->frame != GRAPH_NONE && match[n->frame];
		if (hit) {
			*ret_after = i64_add(*ret_after, n->after);
			*ret_before = i64_add(*ret_before, n->before);
		}
		node = next_node(&below, node, !hit);
	} while (node != from);
}

static int write_search(struct sending *s, const char *pattern)
{
	struct webjson *j = s->c->j;
	bool *match = NULL;
	int64_t after, before;
	const int rc = find_frames(s->f, pattern, &match, s->c->e);
	if (rc)
		return rc;
	webjson_open_object(j, "search");
	sum_matches(s, match, 0, &after, &before);
	webjson_int(j, "after", after);
	webjson_int(j, "before", before);
	webjson_open_array(j, "frames");
	for (size_t i = 0; i < s->n_frames; i++)
		if (match[s->frames[i]])
			webjson_int(j, NULL, (int64_t)i);
	webjson_close(j);
	webjson_close(j);
	free(match);
	return 0;
}

/* ---- all of it ---------------------------------------------------------- */

int web_write_tree(struct web_call *c, const struct flame *f, uint32_t at,
		   const char *search)
{
	struct sending s = { .c = c, .f = f, .at = at };
	const struct flame_node *root = &f->nodes[0];
	int rc = choose(&s);
	if (rc)
		goto out;
	webjson_int(c->j, "total", root->after);
	webjson_int(c->j, "total_before", root->before);
	webjson_int(c->j, "nodes", (int64_t)f->n);
	webjson_int(c->j, "narrow", (int64_t)s.narrow);
	webjson_int(c->j, "deep", (int64_t)s.deep);
	webjson_int(c->j, "at", at);
	write_path(&s);
	write_columns(&s, s.nodes, s.n);
	write_column(&s, "depth", s.nodes, s.n, depth_of);
	rc = write_frames(&s);
	if (!rc && search)
		rc = write_search(&s, search);
out:
	free(s.nodes);
	free(s.number);
	free(s.frames);
	return rc;
}
