/*
 * dot_boxes.c - the labels of samples as boxes beside nodes; see
 * dot_private.h.
 */
#include "report/dot_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dot_append_label(const struct picture *p, struct buf *b, const char *s)
{
	const bool quoted = p->r->kind->flags & KIND_QUOTED;
	bool is_escaped = false; /* by an odd number of backslashes */
	for (; *s; s++) {
		if (*s == '"' && quoted && !is_escaped)
			buf_append_char(b, '\\');
		buf_append_char(b, *s);
		is_escaped = *s == '\\' && !is_escaped;
	}
	/* It would escape the quote that ends the text. */
	if (quoted && is_escaped)
		buf_append_char(b, '\\');
}

/* A tag, or several numbers in one. */
struct box {
	const char *name; /* owned by the picture's graph */
	int64_t flat, cum;
	/* as sorted: sums, not means */
	int64_t sort_flat, sort_cum;
	const struct graph_tag *tag;
};

static int64_t mean(int64_t sum, int64_t div)
{
	return div ? i64_div(sum, div) : sum;
}

static int compare_boxes(const void *pa, const void *pb, void *arg)
{
	const bool flat_only = *(const bool *)arg;
	const struct box *a = pa, *b = pb;
	int64_t x = i64_abs(a->sort_cum), y = i64_abs(b->sort_cum);
	if (flat_only || a->sort_cum == b->sort_cum) {
		x = i64_abs(a->sort_flat);
		y = i64_abs(b->sort_flat);
		if (a->sort_flat == b->sort_flat)
			return strcmp(a->name, b->name);
	}
	return x == y ? strcmp(a->name, b->name) : x > y ? -1 : 1;
}

static void sort_boxes(struct box *boxes, size_t n, bool flat_only)
{
	qsort_r(boxes, n, sizeof(*boxes), compare_boxes, &flat_only);
}

static struct box box_of(const struct graph *g, const struct graph_tag *t)
{
	return (struct box){ .name = graph_text(g, t->name),
			     .flat = mean(t->flat, t->flat_div),
			     .cum = mean(t->cum, t->cum_div),
			     .sort_flat = t->flat,
			     .sort_cum = t->cum,
			     .tag = t };
}

/* The tags of a node: texts, or the numbers beside these texts. */
static int collect_boxes(const struct graph *g, uint32_t node, bool numbers,
			 uint32_t labels, struct box **ret_boxes, size_t *ret_n)
{
	size_t n = 0;
	for (uint32_t t = g->nodes[node].tag_first; t != GRAPH_NONE;
	     t = g->tags[t].next)
		n++;
	struct box *boxes = calloc(n + 1, sizeof(*boxes));
	if (!boxes)
		return ERR_NOMEM;
	n = 0;
	for (uint32_t i = g->nodes[node].tag_first; i != GRAPH_NONE;
	     i = g->tags[i].next) {
		const struct graph_tag *t = &g->tags[i];
		if (!t->is_dropped && t->is_number == numbers &&
		    (!numbers || t->labels == labels))
			boxes[n++] = box_of(g, t);
	}
	*ret_boxes = boxes;
	*ret_n = n;
	return 0;
}

static const char *unit_of(const struct picture *p, const struct graph_tag *t)
{
	return view_str(&p->r->view, t->unit);
}

static double distance(const struct picture *p, const struct graph_tag *a,
		       const struct graph_tag *b)
{
	const double v =
		measure_scale(b->value, unit_of(p, b), unit_of(p, a), NULL);
	return fabs((double)a->value - v);
}

/* Several numbers as one box: "1kB..4kB". */
static int join_boxes(struct picture *p, struct box *const *group, size_t n,
		      struct box *ret)
{
	const struct graph_tag *min = group[0]->tag, *max = min;
	int64_t flat = 0, cum = 0, flat_div = 0, cum_div = 0;
	char low[MEASURE_LABEL_MAX], high[MEASURE_LABEL_MAX];
	for (size_t i = 0; i < n; i++) {
		const struct graph_tag *t = group[i]->tag;
		if (i64_from_double(measure_scale(t->value, unit_of(p, t),
						  unit_of(p, min), NULL)) <
		    min->value)
			min = t;
		if (i64_from_double(measure_scale(t->value, unit_of(p, t),
						  unit_of(p, max), NULL)) >
		    max->value)
			max = t;
		flat = i64_add(flat, t->flat);
		flat_div = i64_add(flat_div, t->flat_div);
		cum = i64_add(cum, t->cum);
		cum_div = i64_add(cum_div, t->cum_div);
	}
	measure_label(min->value, unit_of(p, min), "auto", low);
	measure_label(max->value, unit_of(p, max), "auto", high);
	*ret = (struct box){ .flat = mean(flat, flat_div),
			     .cum = mean(cum, cum_div) };
	ret->sort_flat = ret->flat;
	ret->sort_cum = ret->cum;
	ret->name = n == 1 ? arena_printf(&p->g->arena, "%s", low)
			   : arena_printf(&p->g->arena, "%s..%s", low, high);
	return ret->name ? 0 : ERR_NOMEM;
}

/* No more than four boxes of numbers: each joins the nearest of the top. */
static int collapse(struct picture *p, struct box *boxes, size_t *n,
		    bool flat_only)
{
	sort_boxes(boxes, *n, flat_only);
	if (*n <= GRAPH_NODELETS_MAX)
		return 0;
	struct box joined[GRAPH_NODELETS_MAX];
	struct box **group = calloc(*n, sizeof(*group));
	size_t *of = calloc(*n, sizeof(*of));
	int rc = group && of ? 0 : ERR_NOMEM;
	for (size_t i = 0; i < *n && !rc; i++) {
		of[i] = i < GRAPH_NODELETS_MAX ? i : 0;
		for (size_t k = 1;
		     i >= GRAPH_NODELETS_MAX && k < GRAPH_NODELETS_MAX; k++)
			if (distance(p, boxes[i].tag, boxes[k].tag) <
			    distance(p, boxes[i].tag, boxes[of[i]].tag))
				of[i] = k;
	}
	for (size_t k = 0; k < GRAPH_NODELETS_MAX && !rc; k++) {
		size_t m = 0;
		for (size_t i = 0; i < *n; i++)
			if (of[i] == k)
				group[m++] = &boxes[i];
		rc = join_boxes(p, group, m, &joined[k]);
	}
	free(group);
	free(of);
	if (rc)
		return rc;
	memcpy(boxes, joined, sizeof(joined));
	*n = GRAPH_NODELETS_MAX;
	sort_boxes(boxes, *n, flat_only);
	return 0;
}

static void write_box(struct picture *p, const char *id, const char *from,
		      const struct box *box, int64_t value, const char *style)
{
	char weight[MEASURE_LABEL_MAX];
	struct buf b = { 0 };
	report_format(p->r, value, weight);
	buf_printf(&b, "%s [label = \"", id);
	dot_append_label(p, &b, box->name);
	buf_printf(&b,
		   "\" id=\"%s\" fontsize=8 shape=box3d tooltip=\"%s\"]\n"
		   "%s -> %s [label=\" %s\" weight=100 tooltip=\"%s\" "
		   "labeltooltip=\"%s\"%s]\n",
		   id, weight, from, id, weight, weight, weight, style);
	out_bytes(p->o, buf_str(&b), b.len);
	if (b.failed)
		p->o->failed = b.failed;
	buf_free(&b);
}

static int write_numbers(struct picture *p, uint32_t node, uint32_t labels,
			 const char *source, bool flat_only, bool *ret_any)
{
	struct box *boxes;
	size_t n;
	int rc = collect_boxes(p->g, node, true, labels, &boxes, &n);
	if (rc)
		return rc;
	/* A single number is named by itself, not in the output's unit. */
	if (n <= GRAPH_NODELETS_MAX)
		sort_boxes(boxes, n, flat_only);
	else
		rc = collapse(p, boxes, &n, flat_only);
	for (size_t i = 0; i < n && !rc; i++) {
		const bool flat = flat_only || boxes[i].flat == boxes[i].cum;
		const int64_t value = flat ? boxes[i].flat : boxes[i].cum;
		char id[64];
		if (!value)
			continue;
		snprintf(id, sizeof(id), "N%s_%zu", source, i);
		write_box(p, id, source, &boxes[i], value,
			  flat ? "" : " style=\"dotted\"");
		*ret_any = true;
	}
	free(boxes);
	return rc;
}

int dot_write_boxes(struct picture *p, uint32_t node)
{
	struct graph *g = p->g;
	bool has_callees = false;
	for (uint32_t i = g->nodes[node].out_first; i != GRAPH_NONE;
	     i = g->edges[i].next_out)
		has_callees |= !g->edges[i].is_dead;
	/* A leaf shows what its callees had, for they are gone. */
	const bool flat_only = has_callees;
	struct box *boxes;
	size_t n;
	char id[32], from[32];
	int rc = collect_boxes(g, node, false, 0, &boxes, &n);
	if (rc)
		return rc;
	sort_boxes(boxes, n, flat_only);
	if (n > GRAPH_NODELETS_MAX)
		n = GRAPH_NODELETS_MAX;
	bool any = false;
	snprintf(from, sizeof(from), "N%" PRIu32, p->id[node]);
	for (size_t i = 0; i < n && !rc; i++) {
		const int64_t value = flat_only ? boxes[i].flat : boxes[i].cum;
		if (!value)
			continue;
		snprintf(id, sizeof(id), "%s_%zu", from, i);
		write_box(p, id, from, &boxes[i], value, "");
		any = true;
		rc = write_numbers(p, node, boxes[i].tag->name, id, flat_only,
				   &any);
	}
	if (!rc)
		rc = write_numbers(p, node, 0, from, flat_only, &any);
	p->has_boxes[node] = any;
	free(boxes);
	return rc;
}
