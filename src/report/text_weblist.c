/*
 * text_weblist.c - -weblist: a page of source lines with what each costs; each
 * line opens to the instructions made of it.
 *
 * A page without scripts: <details> opens and closes.  Everything that comes
 * from the profile, the sources or the binary is escaped.
 */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/gopath.h"
#include "report/grow.h"
#include "report/regex.h"
#include "report/routine.h"
#include "report/source.h"
#include "symbol/object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 5, FRAMES_MAX = 64 };

static const char page_head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"UTF-8\">\n"
	"<title>Profile listing</title>\n"
	"<style>\n"
	":root { color-scheme: light dark; }\n"
	"body { font-family: sans-serif; margin: 1.5em; }\n"
	"h2 { font-size: 1.1em; margin: 2em 0 0; overflow-wrap: anywhere; }\n"
	".file { color: GrayText; margin: 0.2em 0; }\n"
	".code { font-family: monospace; white-space: pre; overflow-x: auto;\n"
	"  line-height: 1.35; tab-size: 8; }\n"
	".code summary { list-style: none; cursor: pointer; }\n"
	".code summary:hover { background: rgba(128, 128, 128, 0.2); }\n"
	".none { color: GrayText; }\n"
	".asm { color: #2a7a2a; border-left: 2px solid; margin-left: 2em;\n"
	"  padding-left: 0.5em; }\n"
	".call { color: #5b5bd6; }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"  .asm { color: #7fd07f; } .call { color: #a9a9ff; }\n"
	"}\n"
	"</style>\n"
	"</head>\n"
	"<body>\n";

static void write_escaped(struct out *o, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			out_str(o, "&amp;");
			break;
		case '<':
			out_str(o, "&lt;");
			break;
		case '>':
			out_str(o, "&gt;");
			break;
		case '"':
			out_str(o, "&#34;");
			break;
		case '\'':
			out_str(o, "&#39;");
			break;
		default:
			out_char(o, *s);
		}
	}
}

/* ---- instructions, by the source line that they were made of ------------- */

struct placed_inst {
	const char *function, *file; /* that contain the line */
	int64_t line;
	struct routine_cost cost;
	const char *text;
	const char *call; /* "callee file:line" where it was inlined, or "" */
};

struct listing {
	struct report *r;
	struct graph g;
	struct routine_set routines;
	struct disasm *disasms; /* owned, one for each routine */
	struct placed_inst *insts;
	size_t n_insts, cap_insts;
	struct source_reader *reader;
	uint32_t *nodes; /* those that match, by name, file, line */
	size_t n_nodes;
	struct arena arena;
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; l->disasms && i < l->routines.n; i++)
		disasm_free(&l->disasms[i]);
	free(l->disasms);
	free(l->insts);
	free(l->nodes);
	source_free(l->reader);
	routine_free_all(&l->routines);
	graph_free(&l->g);
	arena_free(&l->arena);
}

/* An instruction belongs to a line of every function of its inlined stack. */
static int place_inst(struct listing *l, const struct routine *f,
		      const struct disasm_inst *inst,
		      const struct routine_cost *cost)
{
	struct object_frame frames[FRAMES_MAX];
	const size_t n = object_lookup(f->binary->object, inst->address, frames,
				       FRAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *call = "";
		if (i > 0)
			call = arena_printf(&l->arena, "%s %s:%d",
					    frames[0].function, frames[0].file,
					    frames[0].line);
		if (!call || grow_rows(&l->insts, &l->cap_insts, l->n_insts + 1,
				       sizeof(*l->insts)))
			return ERR_NOMEM;
		l->insts[l->n_insts++] = (struct placed_inst){
			.function = frames[i].function,
			.file = frames[i].file,
			.line = frames[i].line,
			.cost = *cost,
			.text = inst->text,
			.call = call,
		};
	}
	return 0;
}

static int place_routine(struct listing *l, size_t i)
{
	const struct routine *f = &l->routines.routines[i];
	struct disasm *d = &l->disasms[i];
	size_t at = 0;
	/* Without objdump the page shows the source alone. */
	if (routine_disassemble(l->r, f, d, NULL))
		return 0;
	int rc = 0;
	for (size_t k = 0; k < d->n && !rc; k++) {
		const struct routine_cost cost = routine_cost_of(f, d, k, &at);
		rc = place_inst(l, f, &d->insts[k], &cost);
	}
	return rc;
}

static int compare_insts(const void *pa, const void *pb)
{
	const struct placed_inst *a = pa, *b = pb;
	int c = strcmp(a->function, b->function);
	if (!c)
		c = strcmp(a->file, b->file);
	if (!c)
		c = (a->line > b->line) - (a->line < b->line);
	if (!c)
		c = (a->cost.address > b->cost.address) -
		    (a->cost.address < b->cost.address);
	return c;
}

static int place_all(struct listing *l)
{
	int rc = routine_find_all(l->r, &l->g, NULL, &l->routines);
	if (rc)
		return rc;
	l->disasms = calloc(l->routines.n + 1, sizeof(*l->disasms));
	if (!l->disasms)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->routines.n && !rc; i++)
		rc = place_routine(l, i);
	if (!rc && l->n_insts)
		qsort(l->insts, l->n_insts, sizeof(*l->insts), compare_insts);
	return rc;
}

/* The instructions of a line.  Returns: how many, from *ret_first on. */
static size_t find_insts(const struct listing *l, const char *function,
			 const char *file, int64_t line, size_t *ret_first)
{
	const struct placed_inst key = { .function = function,
					 .file = file,
					 .line = line };
	size_t low = 0, high = l->n_insts;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare_insts(&l->insts[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_first = low;
	while (high < l->n_insts && l->insts[high].line == line &&
	       !strcmp(l->insts[high].function, function) &&
	       !strcmp(l->insts[high].file, file))
		high++;
	return high - low;
}

/* ---- source lines -------------------------------------------------------- */

static const struct graph_node *node_at(const struct listing *l, size_t i)
{
	return &l->g.nodes[l->nodes[i]];
}

static int compare_nodes(const void *pa, const void *pb, void *arg)
{
	const struct graph *g = arg;
	const struct graph_info *a = &g->nodes[*(const uint32_t *)pa].info;
	const struct graph_info *b = &g->nodes[*(const uint32_t *)pb].info;
	int c = strcmp(view_str(g->v, a->name), view_str(g->v, b->name));
	if (!c)
		c = strcmp(view_str(g->v, a->file), view_str(g->v, b->file));
	return c ? c : (a->line > b->line) - (a->line < b->line);
}

static bool is_asked_for(const struct report *r, const struct graph_info *i)
{
	char *end;
	const char *s = regex_source(r->symbol);
	const uint64_t address = strtoull(s, &end, 0);
	if (*s && !*end && address && i->address == address)
		return true;
	const uint32_t texts[] = { i->name, i->file, i->objfile };
	for (int k = 0; k < 3; k++)
		if (regex_match(r->symbol, view_str(&r->view, texts[k]),
				view_str_len(&r->view, texts[k])))
			return true;
	return false;
}

static int find_nodes(struct listing *l)
{
	l->nodes = calloc(l->g.n_order + 1, sizeof(*l->nodes));
	if (!l->nodes)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->g.n_order; i++) {
		const struct graph_info *info = &l->g.nodes[l->g.order[i]].info;
		if (info->name && is_asked_for(l->r, info))
			l->nodes[l->n_nodes++] = l->g.order[i];
	}
	qsort_r(l->nodes, l->n_nodes, sizeof(*l->nodes), compare_nodes, &l->g);
	return 0;
}

static void write_costs(const struct report *r, struct out *o, int64_t flat,
			int64_t cum)
{
	char value[MEASURE_LABEL_MAX];
	out_pad(o, 10, report_format_or_dot(r, flat, value));
	out_char(o, ' ');
	out_pad(o, 10, report_format_or_dot(r, cum, value));
}

static void write_insts(const struct listing *l, struct out *o, size_t first,
			size_t n)
{
	const char *call = "";
	out_str(o, "<div class=\"asm\">");
	for (size_t i = first; i < first + n; i++) {
		const struct placed_inst *p = &l->insts[i];
		if (*p->call && strcmp(p->call, call) != 0) {
			out_str(o, "<span class=\"call\">");
			write_escaped(o, p->call);
			out_str(o, "</span>\n");
		}
		call = p->call;
		write_costs(l->r, o, p->cost.flat, p->cost.cum);
		out_printf(o, " %10" PRIx64 ": ", p->cost.address);
		write_escaped(o, p->text);
		out_char(o, '\n');
	}
	out_str(o, "</div>");
}

static void write_line(const struct listing *l, struct out *o,
		       const struct graph_info *info, int64_t line,
		       int64_t flat, int64_t cum, const char *text)
{
	const struct view *v = l->g.v;
	size_t first;
	const size_t n = find_insts(l, view_str(v, info->name),
				    view_str(v, info->file), line, &first);
	out_str(o, n		 ? "<details><summary>"
		   : flat || cum ? "<div>"
				 : "<div class=\"none\">");
	write_costs(l->r, o, flat, cum);
	out_printf(o, " %6" PRId64 "  ", line);
	write_escaped(o, text);
	if (n) {
		out_str(o, "</summary>");
		write_insts(l, o, first, n);
		out_str(o, "</details>");
	} else {
		out_str(o, "</div>");
	}
}

static void write_lines(const struct listing *l, struct out *o, size_t first,
			size_t end)
{
	const struct graph_info *info = &node_at(l, first)->info;
	const char *file = view_str(l->g.v, info->file);
	int64_t line = i64_add(info->line, -MARGIN);
	const int64_t stop = i64_add(node_at(l, end - 1)->info.line, MARGIN);
	size_t at = first;
	for (line = line < 1 ? 1 : line; line <= stop; line++) {
		int64_t flat = 0, cum = 0;
		while (at < end && node_at(l, at)->info.line < line)
			at++;
		const bool has = at < end && node_at(l, at)->info.line == line;
		for (; at < end && node_at(l, at)->info.line == line; at++) {
			flat = i64_add(flat, graph_flat(node_at(l, at)));
			cum = i64_add(cum, graph_cum(node_at(l, at)));
		}
		const char *text = source_line(l->reader, file, line);
		if (!text && !has)
			continue;
		write_line(l, o, info, line, flat, cum, text ? text : "???");
	}
}

static void write_function(const struct listing *l, struct out *o, size_t first,
			   size_t end)
{
	const struct view *v = l->g.v;
	const struct graph_info *info = &node_at(l, first)->info;
	char value[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
	int64_t flat = 0, cum = 0;
	for (size_t i = first; i < end; i++) {
		flat = i64_add(flat, graph_flat(node_at(l, i)));
		cum = i64_add(cum, graph_cum(node_at(l, i)));
	}
	out_str(o, "<h2>");
	write_escaped(o, view_str(v, info->name));
	out_str(o, "</h2><p class=\"file\">");
	write_escaped(o, view_str(v, info->file));
	out_str(o, "</p>\n<div class=\"code\">Total: ");
	out_pad(o, 10, report_format(l->r, flat, value));
	out_char(o, ' ');
	out_pad(o, 10, report_format(l->r, cum, value));
	out_printf(o, " (flat, cum) %s\n",
		   measure_percent(cum, l->r->total, percent));
	const char *error = source_error(l->reader, view_str(v, info->file));
	if (error) {
		out_str(o, "<div class=\"none\">");
		write_escaped(o, error);
		out_str(o, "</div>");
	}
	write_lines(l, o, first, end);
	out_str(o, "</div>\n");
}

static int write_page(struct listing *l, struct out *o)
{
	struct label_list labels = { 0 };
	const int rc = labels_of_profile(l->r, &labels);
	char value[MEASURE_LABEL_MAX];
	if (rc)
		return rc;
	out_str(o, page_head);
	out_str(o, "<p>");
	for (size_t i = 0; i < labels.n; i++) {
		write_escaped(o, labels.lines[i]);
		out_str(o, "<br>\n");
	}
	out_printf(o, "Total: %s</p>\n",
		   report_format(l->r, l->r->total, value));
	for (size_t i = 0; i < l->n_nodes;) {
		const struct graph_info *info = &node_at(l, i)->info;
		size_t end = i + 1;
		while (end < l->n_nodes &&
		       node_at(l, end)->info.name == info->name &&
		       node_at(l, end)->info.file == info->file)
			end++;
		write_function(l, o, i, end);
		i = end;
	}
	out_str(o, "</body>\n</html>\n");
	labels_free(&labels);
	return 0;
}

int text_write_weblist(struct report *r, struct out *o, struct err *e)
{
	struct listing l = { .r = r };
	int rc = report_graph(r, NULL, GRAPH_NO_EDGES, &l.g);
	if (!rc)
		rc = find_nodes(&l);
	if (!rc && !l.n_nodes)
		rc = err_set(e, ERR_NOTFOUND, "no matches found for regexp: %s",
			     regex_source(r->symbol));
	if (!rc)
		rc = place_all(&l);
	if (!rc) {
		l.reader = source_new(r->o.source_path, r->o.trim_path,
				      profile_nul_byte(r->view.p));
		rc = l.reader ? write_page(&l, o) : ERR_NOMEM;
	}
	listing_free(&l);
	return rc;
}
