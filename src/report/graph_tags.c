/*
 * graph_tags.c - the labels of samples as small boxes beside the nodes of a
 * picture; see graph.h.
 *
 * Of numbers only those under the key "bytes" are shown, as in the Go tool;
 * the mark on samples of a difference's base never is.
 */
#include "report/graph_private.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"
#include "report/measure.h"

#include <stdlib.h>
#include <string.h>

const char *graph_text(const struct graph *g, uint32_t text)
{
	return text < g->n_texts ? g->texts[text].s : "";
}

uint32_t graph_intern(struct graph *g, const char *s, size_t len)
{
	uint64_t key = map_hash(s, len, 0);
	for (;; key++) {
		const uint32_t i = map_get(&g->text_index, key);
		if (i == MAP_NONE)
			break;
		if (g->texts[i].len == len && !memcmp(g->texts[i].s, s, len))
			return i;
	}
	char *copy = arena_text(&g->arena, s, len);
	if (!copy ||
	    grow_rows(&g->texts, &g->cap_texts, g->n_texts + 1,
		      sizeof(*g->texts)) ||
	    map_put(&g->text_index, key, (uint32_t)g->n_texts))
		return PROFILE_NONE;
	g->texts[g->n_texts] = (struct view_text){ copy, len };
	return (uint32_t)g->n_texts++;
}

int graph_tagger_init(struct graph_tagger *t, struct graph *g,
		      const struct graph_options *o)
{
	*t = (struct graph_tagger){ .g = g, .o = o };
	t->base_key = profile_find_str(g->v->p, "pprof::base");
	t->bytes_key = profile_find_str(g->v->p, "bytes");
	/* Text 0 is "", so that "no labels" needs no look-up. */
	return o->tags && graph_intern(g, "", 0) ? ERR_NOMEM : 0;
}

void graph_tagger_free(struct graph_tagger *t)
{
	view_labels_free(&t->labels);
	buf_free(&t->scratch);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "key:value" of all texts, sorted, joined by a backslash and an n. */
static int join_texts(struct graph_tagger *t)
{
	const struct view *v = t->g->v;
	char *few[16];
	char **pairs = few;
	size_t n = 0;
	int rc = ERR_NOMEM;
	struct arena arena = { 0 };
	if (t->labels.n_texts > 16) {
		pairs = arena_alloc(&arena, t->labels.n_texts * sizeof(*pairs));
		if (!pairs)
			goto out;
	}
	for (size_t i = 0; i < t->labels.n_texts; i++) {
		const struct profile_label *row = &t->labels.rows[i];
		if (row->key == t->base_key)
			continue;
		pairs[n] = arena_printf(&arena, "%s:%s", view_str(v, row->key),
					view_str(v, row->str));
		if (!pairs[n++])
			goto out;
	}
	qsort(pairs, n, sizeof(*pairs), compare_texts);
	buf_clear(&t->scratch);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_append_str(&t->scratch, "\\n");
		buf_append_str(&t->scratch, pairs[i]);
	}
	t->has_text = n > 0;
	t->joined = graph_intern(t->g, buf_str(&t->scratch), t->scratch.len);
	rc = t->joined == PROFILE_NONE ? ERR_NOMEM : t->scratch.failed;
out:
	arena_free(&arena);
	return rc;
}

int graph_tagger_load(struct graph_tagger *t, const struct view_sample *s)
{
	t->has_text = false;
	t->joined = 0;
	const int rc = view_get_labels(t->g->v, s, &t->labels);
	return rc || !t->labels.n_texts ? rc : join_texts(t);
}

static uint64_t hash_tag(uint32_t node, uint32_t labels, uint32_t name,
			 bool is_number)
{
	const uint32_t words[] = { node, labels, name, is_number };
	return map_hash(words, sizeof(words), 0);
}

static int find_tag(struct graph *g, const struct graph_tag *want,
		    struct graph_tag **ret_tag)
{
	uint64_t key =
		hash_tag(want->node, want->labels, want->name, want->is_number);
	for (;; key++) {
		const uint32_t i = map_get(&g->tag_index, key);
		if (i == MAP_NONE)
			break;
		struct graph_tag *t = &g->tags[i];
		if (t->node == want->node && t->labels == want->labels &&
		    t->name == want->name && t->is_number == want->is_number) {
			*ret_tag = t;
			return 0;
		}
	}
	if (grow_rows(&g->tags, &g->cap_tags, g->n_tags + 1,
		      sizeof(*g->tags)) ||
	    map_put(&g->tag_index, key, (uint32_t)g->n_tags))
		return ERR_NOMEM;
	struct graph_tag *t = &g->tags[g->n_tags];
	*t = *want;
	t->next = g->nodes[want->node].tag_first;
	g->nodes[want->node].tag_first = (uint32_t)g->n_tags++;
	*ret_tag = t;
	return 0;
}

static int add_to_tag(struct graph *g, const struct graph_tag *want,
		      int64_t value, int64_t div, bool flat)
{
	struct graph_tag *t;
	if (find_tag(g, want, &t))
		return ERR_NOMEM;
	int64_t *sum = flat ? &t->flat : &t->cum;
	int64_t *sum_div = flat ? &t->flat_div : &t->cum_div;
	*sum = i64_add(*sum, value);
	*sum_div = i64_add(*sum_div, div);
	return 0;
}

int graph_tag_node(struct graph_tagger *t, uint32_t node, int64_t value,
		   int64_t div, bool flat)
{
	struct graph_tag want = { .node = node,
				  .name = t->joined,
				  .unit = PROFILE_NONE };
	int rc = 0;
	if (t->has_text)
		rc = add_to_tag(t->g, &want, value, div, flat);
	want.labels = t->joined;
	want.is_number = true;
	for (size_t i = t->labels.n_texts; i < t->labels.n && !rc; i++) {
		const struct profile_label *row = &t->labels.rows[i];
		if (row->key != t->bytes_key)
			continue;
		const struct view_units *units = t->o->units;
		want.unit = units && row->key < units->n ? units->unit[row->key]
							 : row->key;
		char label[MEASURE_LABEL_MAX];
		measure_label(row->num, view_str(t->g->v, want.unit),
			      t->o->unit, label);
		want.name = graph_intern(t->g, label, strlen(label));
		want.value = row->num;
		if (want.name == PROFILE_NONE)
			return ERR_NOMEM;
		rc = add_to_tag(t->g, &want, value, div, flat);
	}
	return rc;
}
