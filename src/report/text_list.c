/* text_list.c - -list: source lines of functions, with what each costs. */
#include "report/context.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/regex.h"
#include "report/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 5 }; /* lines shown before the first and after the last */

/* Nodes of one function in one file: a run of the sorted list. */
struct listing {
	const struct report *r;
	const struct graph *g;
	struct source_reader *reader;
	uint32_t *nodes; /* by function name, file, line */
	size_t n;
};

static int compare_nodes(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;
	const struct graph_info *a = &g->nodes[*(const uint32_t *)pa].info;
	const struct graph_info *b = &g->nodes[*(const uint32_t *)pb].info;
	int c = a->name == b->name ? 0
				   : strcmp(view_str(g->v, a->name),
					    view_str(g->v, b->name));
	if (!c && a->file != b->file)
		c = strcmp(view_str(g->v, a->file), view_str(g->v, b->file));
	if (!c)
		c = (a->line > b->line) - (a->line < b->line);
	return c;
}

static int find_nodes(struct listing *l)
{
	const struct graph *g = l->g;
	l->nodes = calloc(g->n_order + 1, sizeof(*l->nodes));
	if (!l->nodes)
		return ERR_NOMEM;
	for (size_t i = 0; i < g->n_order; i++) {
		const uint32_t name = g->nodes[g->order[i]].info.name;
		if (regex_match(l->r->symbol, view_str(g->v, name),
				view_str_len(g->v, name)))
			l->nodes[l->n++] = g->order[i];
	}
	qsort_r(l->nodes, l->n, sizeof(*l->nodes), compare_nodes, (void *)g);
	return 0;
}

static const struct graph_node *node_at(const struct listing *l, size_t i)
{
	return &l->g->nodes[l->nodes[i]];
}

/* Which lines to show, from what the samples and the function's start say. */
static void choose_lines(const struct listing *l, size_t first, size_t end,
			 int64_t *ret_start, int64_t *ret_end)
{
	int64_t start = INT64_MAX, stop = 0;
	for (size_t i = first; i < end; i++) {
		const struct graph_info *info = &node_at(l, i)->info;
		const int64_t from = info->start_line
					     ? info->start_line
					     : i64_add(info->line, -MARGIN);
		if (from < start)
			start = from;
		if (i64_add(info->line, MARGIN) > stop)
			stop = i64_add(info->line, MARGIN);
	}
	*ret_start = start < 1 ? 1 : start;
	*ret_end = stop;
}

static void write_lines(const struct listing *l, struct out *o,
			const char *file, size_t first, size_t end)
{
	int64_t start, stop;
	choose_lines(l, first, end, &start, &stop);
	size_t at = first;
	for (int64_t line = start; line <= stop; line++) {
		const char *text = source_line(l->reader, file, line);
		if (!text)
			break;
		int64_t flat = 0, cum = 0;
		while (at < end && node_at(l, at)->info.line < line)
			at++;
		for (; at < end && node_at(l, at)->info.line == line; at++) {
			flat = i64_add(flat, node_at(l, at)->flat);
			cum = i64_add(cum, node_at(l, at)->cum);
		}
		char value[MEASURE_LABEL_MAX];
		out_pad(o, 10, report_format_or_dot(l->r, flat, value));
		out_char(o, ' ');
		out_pad(o, 10, report_format_or_dot(l->r, cum, value));
		out_printf(o, " %6" PRId64 ":%s\n", line, text);
	}
}

static void write_file(const struct listing *l, struct out *o, size_t first,
		       size_t end)
{
	const struct view *v = l->g->v;
	const struct graph_info *info = &node_at(l, first)->info;
	const char *file = view_str(v, info->file);
	char value[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
	int64_t flat = 0, cum = 0;
	for (size_t i = first; i < end; i++) {
		flat = i64_add(flat, node_at(l, i)->flat);
		cum = i64_add(cum, node_at(l, i)->cum);
	}
	out_printf(o, "ROUTINE ======================== %s in %s\n",
		   view_str(v, info->name), file);
	out_pad(o, 10, report_format(l->r, flat, value));
	out_char(o, ' ');
	out_pad(o, 10, report_format(l->r, cum, value));
	out_printf(o, " (flat, cum) %s of Total\n",
		   measure_percent(cum, l->r->total, percent));
	const char *error = source_error(l->reader, file);
	if (error)
		out_printf(o, " Error: %s\n", error);
	else
		write_lines(l, o, file, first, end);
}

static void write_function(const struct listing *l, struct out *o, size_t first,
			   size_t end)
{
	bool any = false;
	for (size_t i = first; i < end;) {
		const uint32_t file = node_at(l, i)->info.file;
		size_t stop = i + 1;
		while (stop < end && node_at(l, stop)->info.file == file)
			stop++;
		if (file) {
			write_file(l, o, i, stop);
			any = true;
		}
		i = stop;
	}
	if (!any)
		out_printf(o, "No source information for %s\n",
			   view_str(l->g->v, node_at(l, first)->info.name));
}

int text_write_list(struct report *r, struct out *o, struct err *e)
{
	struct graph g;
	struct listing l = { .r = r, .g = &g };
	int rc = report_graph(r, NULL, GRAPH_NO_EDGES, &g);
	if (!rc)
		rc = find_nodes(&l);
	if (rc)
		goto out;
	if (!l.n) {
		rc = err_set(e, ERR_NOTFOUND, "no matches found for regexp: %s",
			     regex_source(r->symbol));
		goto out;
	}
	rc = ERR_NOMEM;
	l.reader = source_new(r->o.source_path, r->o.trim_path,
			      profile_nul_byte(r->view.p));
	if (!l.reader)
		goto out;
	char value[MEASURE_LABEL_MAX];
	out_printf(o, "Total: %s\n", report_format(r, r->total, value));
	for (size_t i = 0; i < l.n;) {
		const uint32_t name = node_at(&l, i)->info.name;
		size_t end = i + 1;
		while (end < l.n && node_at(&l, end)->info.name == name)
			end++;
		write_function(&l, o, i, end);
		i = end;
	}
	rc = 0;
out:
	source_free(l.reader);
	free(l.nodes);
	graph_free(&g);
	return rc;
}
