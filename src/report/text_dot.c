/*
 * text_dot.c - -dot: the graph in the language of graphviz, which draws it.
 *
 * A node's letters grow with its own value, its colour with its cumulative
 * one, red for more and green for less than nothing.  Labels of samples are
 * small boxes beside the node.
 */
#include "report/dot_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/gopath.h"

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

/* The printable name in lines, with the file's last part alone. */
static int append_node_name(struct picture *p, const struct graph_info *info,
			    struct buf *b)
{
	struct view *v = &p->r->view;
	struct graph_info i = *info;
	struct buf name = { 0 }, escaped = { 0 }, lines = { 0 };
	struct arena a = { 0 };
	int rc = shortener_cut(&p->shortener, view_str(v, i.name), &name);
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
		dot_append_label(p, b, text);
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

static int64_t font_size(const struct picture *p, int64_t flat)
{
	const double size = (double)i64_abs(flat);
	if (p->max_flat == 0 || flat == 0 || size > p->max_flat)
		return 8;
	/* Of -2^63, which has no absolute value, the root is not a number. */
	return 8 + i64_from_double(ceil(16.0 * sqrt(size / p->max_flat)));
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
		   "\" id=\"node%" PRIu32 "\" fontsize=%" PRId64 " shape=box "
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
		dot_append_label(p, &b, p->r->title);
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
			rc = dot_write_boxes(p, g->order[i]);
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
	dot_append_label(&p, &title, r->title ? r->title : "unnamed");
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
