/*
 * text_dot.c - -dot: the graph in the language of graphviz, which draws it.
 *
 * A node's letters grow with its own value, its colour with its cumulative
 * one, red for more and green for less than nothing.  Labels of samples are
 * small boxes beside the node.
 */
#include "report/context.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/gopath.h"
#include "report/regex.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts --------------------------------------------------------------- */

/* For a string in quotes: \ and " escaped, ends of lines set to the left. */
static void append_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			buf_append_str(b, "\\\\");
		else if (*s == '"')
			buf_append_str(b, "\\\"");
		else if (*s == '\n')
			buf_append_str(b, "\\l");
		else
			buf_append_char(b, *s);
	}
}

/* A label has escapes of its own; only a quote would end it early. */
static void append_label(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '"')
			buf_append_char(b, '\\');
		buf_append_char(b, *s);
	}
}

/* The patterns by which a long name is cut to what tells it apart. */
struct shortener {
	struct regex *anonymous, *version, *parts[3];
};

static int shortener_init(struct shortener *s, struct err *e)
{
	const struct {
		struct regex **rx;
		const char *pattern;
	} all[] = {
		/* C++: (anonymous namespace)::f */
		{ &s->anonymous, "^\\(anonymous namespace\\)::" },
		/* Go: the version of a module in a path */
		{ &s->version, "^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$" },
		/* Go: the folders of a package's path */
		{ &s->parts[0], "^(?:[\\w\\-\\.]+\\/)+(.+)" },
		/* Java: package and arguments */
		{ &s->parts[1], "^(?:[a-z]\\w*\\.)*([A-Z][\\w\\$]*\\.(?:<init>|"
				"[a-z][\\w\\$]*(?:\\$\\d+)?))(?:(?:\\()|$)" },
		/* C++: namespaces */
		{ &s->parts[2],
		  "^(?:[_a-zA-Z]\\w*::)+(_*[A-Z]\\w*::~?[_a-zA-Z]\\w*"
		  "(?:<.*>)?)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const int rc = regex_compile(all[i].pattern, all[i].rx, e);
		if (rc)
			return rc;
	}
	return 0;
}

static void shortener_free(struct shortener *s)
{
	regex_free(s->anonymous);
	regex_free(s->version);
	for (size_t i = 0; i < ARRAY_SIZE(s->parts); i++)
		regex_free(s->parts[i]);
}

static int shorten(const struct shortener *s, const char *name, struct buf *b)
{
	size_t span[6];
	if (regex_find(s->anonymous, name, strlen(name), span))
		name += span[1];
	const size_t start = b->len;
	if (regex_find(s->version, name, strlen(name), span)) {
		buf_append(b, name, span[3]);
		buf_append_str(b, name + span[4]);
	} else {
		buf_append_str(b, name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(s->parts) && !b->failed; i++) {
		if (!regex_find(s->parts[i], b->data + start, b->len - start,
				span))
			continue;
		memmove(b->data + start, b->data + start + span[2],
			span[3] - span[2]);
		b->len = start + span[3] - span[2];
		b->data[b->len] = '\0';
		break;
	}
	return b->failed;
}

/* One part of the name a line: "::" and "." end one. */
static int append_lines(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (s[0] == ':' && s[1] == ':') {
			buf_append_str(b, "\\n");
			s++;
		} else if (strncmp(s, "[...]", 5) == 0) {
			buf_append_str(b, "[\u2026]");
			s += 4;
		} else if (*s == '.') {
			buf_append_str(b, "\\n");
		} else {
			buf_append_char(b, *s);
		}
	}
	return b->failed;
}

struct picture {
	struct report *r;
	struct graph *g;
	struct out *o;
	struct shortener shortener;
	uint32_t *id; /* by node; 0 = not shown */
	bool *has_boxes;
	double max_flat;
};

/* The printable name in lines, with the file's last part alone. */
static int append_node_name(struct picture *p, const struct graph_info *info,
			    struct buf *b)
{
	struct view *v = &p->r->view;
	struct graph_info i = *info;
	struct buf name = { 0 }, escaped = { 0 }, lines = { 0 };
	struct arena a = { 0 };
	int rc = shorten(&p->shortener, view_str(v, i.name), &name);
	append_escaped(&escaped, buf_str(&name));
	if (!rc)
		rc = append_lines(&lines, buf_str(&escaped));
	i.name = view_intern(v, buf_str(&lines), lines.len);
	if (!rc && i.file) {
		buf_clear(&name);
		rc = gopath_base(view_str(v, i.file), &name);
		i.file = view_intern(v, buf_str(&name), name.len);
	}
	if (i.name == PROFILE_NONE || i.file == PROFILE_NONE)
		rc = ERR_NOMEM;
	const char *text = rc ? NULL : graph_print_info(v, &i, "\\n", &a);
	if (text) {
		buf_append_str(b, text);
		buf_append_str(b, "\\n");
	} else if (!rc) {
		rc = ERR_NOMEM;
	}
	buf_free(&name);
	buf_free(&escaped);
	buf_free(&lines);
	arena_free(&a);
	return rc ? rc : b->failed;
}

/* ---- colours ------------------------------------------------------------- */

static unsigned channel(double c)
{
	return isnan(c) ? 0 : (unsigned)(int)(c * 255.0) & 0xff;
}

/*
 * Green for -1, grey for 0, red for 1.  score is stretched, so that small
 * values can be told from none.
 */
static void append_color(struct buf *b, double score, bool background)
{
	const double shift = 0.7;
	double saturation = background ? 0.1 : 1.0;
	const double value = background ? 0.93 : 0.7;
	if (score > 1.0)
		score = 1.0;
	if (score < -1.0)
		score = -1.0;
	if (fabs(score) < 0.2)
		saturation *= fabs(score) / 0.2;
	if (score > 0.0)
		score = pow(score, 1.0 - shift);
	if (score < 0.0)
		score = -pow(-score, 1.0 - shift);
	double red = value, green = value;
	if (score < 0.0)
		red = value * (1 + saturation * score);
	else
		green = value * (1 - saturation * score);
	buf_printf(b, "#%02x%02x%02x", channel(red), channel(green),
		   channel(value * (1 - saturation)));
}

static double share(const struct report *r, int64_t value)
{
	return (double)value / (double)i64_abs(r->total);
}

/* ---- nodes --------------------------------------------------------------- */

static void append_share(const struct picture *p, struct buf *b, int64_t value)
{
	char label[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
	buf_printf(b, "%s (%s)", report_format(p->r, value, label),
		   measure_percent_trimmed(value, p->r->total, percent));
}

static int font_size(const struct picture *p, int64_t flat)
{
	const double size = (double)i64_abs(flat);
	if (p->max_flat == 0 || flat == 0 || size > p->max_flat)
		return 8;
	return 8 + (int)ceil(16.0 * sqrt(size / p->max_flat));
}

static int write_node(struct picture *p, uint32_t node)
{
	const struct graph_node *n = &p->g->nodes[node];
	const int64_t flat = graph_flat(n), cum = graph_cum(n);
	char value[MEASURE_LABEL_MAX];
	struct buf b = { 0 };
	buf_printf(&b, "N%" PRIu32 " [label=\"", p->id[node]);
	int rc = append_node_name(p, &n->info, &b);
	if (flat)
		append_share(p, &b, flat);
	else
		buf_append_char(&b, '0');
	if (cum != flat) {
		buf_append_str(&b, flat ? "\\nof " : " of ");
		append_share(p, &b, cum);
	}
	buf_printf(&b,
		   "\" id=\"node%" PRIu32 "\" fontsize=%d shape=box "
		   "tooltip=\"",
		   p->id[node], font_size(p, flat));
	append_escaped(&b, n->printable);
	buf_printf(&b, " (%s)\" color=\"", report_format(p->r, cum, value));
	append_color(&b, share(p->r, cum), false);
	buf_append_str(&b, "\" fillcolor=\"");
	append_color(&b, share(p->r, cum), true);
	buf_append_str(&b, "\"]\n");
	out_bytes(p->o, buf_str(&b), b.len);
	rc = rc ? rc : b.failed;
	buf_free(&b);
	return rc;
}

/* ---- boxes for labels ---------------------------------------------------- */

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
	append_label(&b, box->name);
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

static int write_boxes(struct picture *p, uint32_t node)
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

/* ---- edges --------------------------------------------------------------- */

static int64_t capped_share(const struct report *r, int64_t value, int64_t of)
{
	const int64_t n = i64_abs(i64_div(i64_mul(value, of), r->total));
	return n < of ? n : of;
}

static void write_edge(struct picture *p, const struct graph_edge *edge)
{
	const struct graph *g = p->g;
	const int64_t weight = graph_weight(edge);
	char value[MEASURE_LABEL_MAX];
	struct buf b = { 0 };
	report_format(p->r, weight, value);
	buf_printf(&b, "N%" PRIu32 " -> N%" PRIu32 " [label=\" %s%s\"",
		   p->id[edge->src], p->id[edge->dest], value,
		   edge->is_inline ? "\\n (inline)" : "");
	if (p->r->total) {
		const int64_t heavy = 1 + capped_share(p->r, weight, 100);
		const int64_t wide = 1 + capped_share(p->r, weight, 5);
		if (heavy > 1)
			buf_printf(&b, " weight=%" PRId64, heavy);
		if (wide > 1)
			buf_printf(&b, " penwidth=%" PRId64, wide);
		buf_append_str(&b, " color=\"");
		append_color(&b, share(p->r, weight), false);
		buf_append_char(&b, '"');
	}
	const char *const names[] = { "tooltip", "labeltooltip" };
	for (int i = 0; i < 2; i++) {
		buf_printf(&b, " %s=\"", names[i]);
		append_escaped(&b, g->nodes[edge->src].printable);
		buf_append_str(&b, edge->residual ? " ... " : " -> ");
		append_escaped(&b, g->nodes[edge->dest].printable);
		buf_printf(&b, " (%s)\"", value);
	}
	if (edge->residual)
		buf_append_str(&b, " style=\"dotted\"");
	if (p->has_boxes[edge->src])
		buf_append_str(&b, " minlen=2");
	buf_append_str(&b, "]\n");
	out_bytes(p->o, buf_str(&b), b.len);
	if (b.failed)
		p->o->failed = b.failed;
	buf_free(&b);
}

static int write_edges(struct picture *p)
{
	struct graph *g = p->g;
	struct graph_edge **edges = calloc(g->n_edges + 1, sizeof(*edges));
	if (!edges)
		return ERR_NOMEM;
	size_t n = 0;
	for (size_t i = 0; i < g->n_edges; i++)
		if (!g->edges[i].is_dead && g->nodes[g->edges[i].src].is_kept)
			edges[n++] = &g->edges[i];
	graph_sort_edges(g, edges, n);
	for (size_t i = 0; i < n; i++)
		write_edge(p, edges[i]);
	free(edges);
	return 0;
}

/* ---- the whole ----------------------------------------------------------- */

static void write_legend(struct picture *p, const struct label_list *l)
{
	struct buf b = { 0 };
	buf_append_str(&b, "subgraph cluster_L { \"");
	append_escaped(&b, l->lines[0]);
	buf_append_str(&b, "\" [shape=box fontsize=16 label=\"");
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_append_str(&b, "\\l");
		append_escaped(&b, l->lines[i]);
	}
	buf_append_str(&b, "\\l\"");
	if (p->r->title) {
		buf_append_str(&b, " tooltip=\"");
		append_label(&b, p->r->title);
		buf_append_char(&b, '"');
	}
	buf_append_str(&b, "] }\n");
	out_bytes(p->o, buf_str(&b), b.len);
	buf_free(&b);
}

static int write_graph(struct picture *p)
{
	struct graph *g = p->g;
	p->id = calloc(g->n_nodes + 1, sizeof(*p->id));
	p->has_boxes = calloc(g->n_nodes + 1, sizeof(*p->has_boxes));
	int rc = p->id && p->has_boxes ? 0 : ERR_NOMEM;
	for (size_t i = 0; i < g->n_order && !rc; i++) {
		const double flat =
			(double)i64_abs(graph_flat(&g->nodes[g->order[i]]));
		p->id[g->order[i]] = (uint32_t)i + 1;
		if (flat > p->max_flat)
			p->max_flat = flat;
	}
	for (size_t i = 0; i < g->n_order && !rc; i++) {
		rc = write_node(p, g->order[i]);
		if (!rc)
			rc = write_boxes(p, g->order[i]);
	}
	return rc ? rc : write_edges(p);
}

int text_write_dot(struct report *r, struct out *o, struct err *e)
{
	struct trimmed t;
	struct label_list labels = { 0 };
	struct picture p = { .r = r, .g = &t.g, .o = o };
	int rc = report_trimmed_graph(r, &t);
	if (!rc) {
		report_choose_unit(r, &t.g);
		rc = labels_of_report(r, &t, true, &labels);
	}
	if (!rc)
		rc = shortener_init(&p.shortener, e);
	if (rc)
		goto out;
	struct buf title = { 0 };
	append_label(&title, r->title ? r->title : "unnamed");
	out_printf(o,
		   "digraph \"%s\" {\n"
		   "node [style=filled fillcolor=\"#f8f8f8\"]\n",
		   buf_str(&title));
	buf_free(&title);
	write_legend(&p, &labels);
	if (t.g.n_order)
		rc = write_graph(&p);
	out_str(o, "}\n");
out:
	shortener_free(&p.shortener);
	free(p.id);
	free(p.has_boxes);
	labels_free(&labels);
	graph_free(&t.g);
	return rc;
}
