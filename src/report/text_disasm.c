/* text_disasm.c - -disasm: instructions of functions, with what each costs. */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/gopath.h"
#include "report/regex.h"
#include "report/routine.h"
#include "symbol/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHORT_INST = 40, FRAMES_MAX = 64 };

/* "function file:line", "" where it is that of the instruction before. */
static void describe(const struct routine *f, uint64_t address,
		     struct buf *last, struct buf *ret)
{
	struct object_frame frames[FRAMES_MAX];
	struct buf place = { 0 };
	buf_clear(ret);
	if (object_lookup(f->binary->object, address, frames, FRAMES_MAX)) {
		buf_printf(&place, "%s", frames[0].function);
		if (*frames[0].file) {
			buf_append_char(&place, ' ');
			gopath_base(frames[0].file, &place);
			if (frames[0].line)
				buf_printf(&place, ":%d", frames[0].line);
		}
	}
	if (strcmp(buf_str(&place), buf_str(last)) != 0) {
		buf_append_str(ret, buf_str(&place));
		buf_clear(last);
		buf_append_str(last, buf_str(&place));
	}
	buf_free(&place);
}

static void write_costs(const struct report *r, struct out *o,
			const struct routine_cost *c)
{
	char value[MEASURE_LABEL_MAX];
	out_pad(o, 10, report_format_or_dot(r, c->flat, value));
	out_char(o, ' ');
	out_pad(o, 10, report_format_or_dot(r, c->cum, value));
	out_printf(o, " %10" PRIx64 ": ", c->address);
}

static void write_inst(const struct report *r, struct out *o,
		       const struct routine_cost *c, const char *text,
		       const struct buf *place)
{
	if (place->len && strlen(text) >= SHORT_INST)
		out_printf(o, "%74s;%s\n", "", buf_str(place));
	write_costs(r, o, c);
	if (place->len && strlen(text) < SHORT_INST)
		out_printf(o, "%-40s;%s\n", text, buf_str(place));
	else
		out_printf(o, "%s\n", text);
}

static int write_routine(const struct report *r, struct out *o,
			 const struct routine *f, struct err *e)
{
	struct disasm d;
	struct buf last = { 0 }, place = { 0 };
	char value[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
	size_t at = 0;
	const int rc = routine_disassemble(r, f, &d, e);
	if (rc)
		return rc;
	out_printf(o, "ROUTINE ======================== %s\n", f->name);
	out_pad(o, 10, report_format(r, f->flat, value));
	out_char(o, ' ');
	out_pad(o, 10, report_format(r, f->cum, value));
	out_printf(o, " (flat, cum) %s of Total\n",
		   measure_percent(f->cum, r->total, percent));
	for (size_t i = 0; i < d.n; i++) {
		const struct routine_cost c = routine_cost_of(f, &d, i, &at);
		describe(f, c.address, &last, &place);
		write_inst(r, o, &c, d.insts[i].text, &place);
	}
	buf_free(&last);
	buf_free(&place);
	disasm_free(&d);
	return 0;
}

/* Binaries that were wanted and are not there. */
static void tell_missing(const struct report *r, const struct routine_set *s)
{
	for (size_t i = 0; i < s->n_binaries; i++) {
		struct binary b;
		struct err why = { "" };
		if (!s->is_open[i] || s->binaries[i].object)
			continue;
		if (!binary_open(r->view.p, &r->view.mappings[i], &b, &why))
			binary_close(&b);
		else if (r->warn.warn)
			r->warn.warn(r->warn.arg, why.text);
	}
}

int text_write_disasm(struct report *r, struct out *o, struct err *e)
{
	struct graph g;
	struct routine_set s = { 0 };
	char value[MEASURE_LABEL_MAX];
	int rc = report_graph(r, NULL, GRAPH_NO_EDGES, &g);
	if (!rc)
		rc = routine_find_all(r, &g, r->symbol, &s);
	if (!rc && !s.n) {
		tell_missing(r, &s);
		rc = err_set(e, ERR_NOTFOUND, "no matches found for regexp: %s",
			     regex_source(r->symbol));
	}
	if (!rc)
		out_printf(o, "Total: %s\n", report_format(r, r->total, value));
	for (size_t i = 0; i < s.n && !rc; i++)
		rc = write_routine(r, o, &s.routines[i], e);
	routine_free_all(&s);
	graph_free(&g);
	return rc;
}
