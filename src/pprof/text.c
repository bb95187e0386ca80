/*
 * text.c - see text.h.
 */
#include "pprof/text.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "pprof/symbols.h"

#include <inttypes.h>
#include <stdlib.h>
#include <stdarg.h>

enum { TAB = 8, CELLS = 3 }; /* address, name, file:line; "#" aside */

/* One "#" line: its cells, NUL-terminated in text. */
struct frame_line {
	size_t cells;
	size_t at[CELLS];
};

enum { LINES_MAX = 4096 }; /* frames and inlined calls of one stack */

struct text {
	const struct sink *sink;
	const struct profile *p;
	struct buf cells; /* of one stack */
	struct buf out;
	struct frame_line lines[LINES_MAX];
	size_t n_lines;
};

/* ---- what a function's offset is ----------------------------------------- */

uint64_t (*text_function_start)(uint64_t) = symbols_function_start;

static uint64_t function_offset(uint64_t address)
{
	const uint64_t start = address ? text_function_start(address) : 0;
	return start && start <= address ? address - start : 0;
}

/* ---- one stack's "#" lines ----------------------------------------------- */

static struct frame_line *new_line(struct text *t)
{
	if (t->n_lines == LINES_MAX)
		return NULL;
	struct frame_line *line = &t->lines[t->n_lines++];
	*line = (struct frame_line){ 0 };
	return line;
}

__attribute__((format(printf, 3, 4))) static void
add_cell(struct text *t, struct frame_line *line, const char *format, ...)
{
	line->at[line->cells++] = t->cells.len;
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&t->cells, format, ap);
	va_end(ap);
	buf_append_char(&t->cells, '\0');
}

static void add_frames(struct text *t, const struct profile_location *l)
{
	const struct profile *p = t->p;
	struct frame_line *line;
	if (l->line_count == 0) {
		line = new_line(t);
		if (line)
			add_cell(t, line, "%#" PRIx64, l->address);
		return;
	}
	const uint64_t offset = function_offset(l->address);
	for (uint32_t i = 0; i < l->line_count; i++) {
		const struct profile_line *pl = &p->lines[l->line_first + i];
		const struct profile_function *f = &p->functions[pl->function];
		const char *file = profile_str(p, f->filename);
		line = new_line(t);
		if (!line)
			return;
		/* %#x of 0 lacks its 0x. */
		if (l->address)
			add_cell(t, line, "%#" PRIx64, l->address);
		else
			add_cell(t, line, "0x0");
		add_cell(t, line, "%s+0x%" PRIx64, profile_str(p, f->name),
			 offset);
		if (*file)
			add_cell(t, line, "%s:%" PRId64, file, pl->line);
		else
			add_cell(t, line, "?:0");
	}
}

static const char *cell(const struct text *t, size_t line, size_t c)
{
	return t->cells.data + t->lines[line].at[c];
}

static size_t cell_width(const struct text *t, size_t line, size_t c)
{
	size_t width = 0;
	/* Characters, not bytes: names may be UTF-8. */
	for (const char *s = cell(t, line, c); *s; s++)
		width += ((unsigned char)*s & 0xc0) != 0x80;
	return width;
}

/*
 * The width of column c at this line, as Go's tabwriter: the widest cell of
 * the run of lines that have the column (the last cell of a line is in none),
 * plus one, rounded up to a tab stop.
 */
static size_t column_width(const struct text *t, size_t line, size_t c)
{
	size_t first = line, widest = 0;
	while (first > 0 && t->lines[first - 1].cells > c + 1)
		first--;
	for (size_t i = first; i < t->n_lines && t->lines[i].cells > c + 1;
	     i++) {
		const size_t width = cell_width(t, i, c);
		widest = width > widest ? width : widest;
	}
	return (widest + 1 + TAB - 1) / TAB * TAB;
}

static void put_lines(struct text *t)
{
	if (t->cells.failed) {
		t->out.failed = t->cells.failed;
		return;
	}
	size_t widths[CELLS] = { 0 };
	for (size_t i = 0; i < t->n_lines; i++) {
		const size_t cells = t->lines[i].cells;
		buf_append_str(&t->out, "#\t");
		for (size_t c = 0; c < cells; c++) {
			buf_append_str(&t->out, cell(t, i, c));
			if (c + 1 == cells)
				break;
			/* A column goes on from the line before, or begins. */
			if (i == 0 || t->lines[i - 1].cells <= c + 1)
				widths[c] = column_width(t, i, c);
			const size_t pad = widths[c] - cell_width(t, i, c);
			for (size_t n = 0; n < (pad + TAB - 1) / TAB; n++)
				buf_append_char(&t->out, '\t');
		}
		buf_append_char(&t->out, '\n');
	}
}

/* "@ 0x1 0x2\n", labels, frames, a blank line; the caller wrote the values. */
static int put_stack(struct text *t, size_t sample, const char *labels)
{
	const struct profile *p = t->p;
	const struct profile_span span = p->sample_locs[sample];
	t->n_lines = 0;
	buf_clear(&t->cells);

	buf_append_str(&t->out, "@");
	for (uint32_t i = 0; i < span.count; i++) {
		const struct profile_location *l =
			&p->locations[p->locs[span.first + i]];
		if (l->address)
			buf_printf(&t->out, " %#" PRIx64, l->address + 1);
		add_frames(t, l);
	}
	buf_printf(&t->out, "\n%s", labels);
	if (span.count == 0)
		buf_append_str(&t->out, "#\t0x0\n");
	put_lines(t);
	buf_append_char(&t->out, '\n');

	int code = t->out.failed;
	if (!code)
		code = sink_write(t->sink, t->out.data, t->out.len);
	buf_clear(&t->out);
	return code;
}

static int64_t value_of(const struct profile *p, size_t sample, size_t v)
{
	return p->values[sample * p->n_sample_types + v];
}

static int64_t total_of(const struct profile *p, size_t v)
{
	int64_t total = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		total += value_of(p, i, v);
	return total;
}

/* ---- labels, as Go's %q ----------------------------------------------------
 */

static void put_quoted(struct buf *b, const char *s)
{
	buf_append_char(b, '"');
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n')
			buf_append_str(b, "\\n");
		else if (c == '\t')
			buf_append_str(b, "\\t");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_append_char(b, (char)c);
	}
	buf_append_char(b, '"');
}

/* "# labels: {"k":"v", "l":"w"}\n", or nothing. */
static void put_labels(struct buf *b, const struct profile *p, size_t sample)
{
	const struct profile_span span = p->sample_labels[sample];
	bool any = false;
	for (uint32_t i = 0; i < span.count; i++) {
		const struct profile_label *l = &p->labels[span.first + i];
		if (l->str == 0)
			continue;
		buf_append_str(b, any ? ", " : "# labels: {");
		any = true;
		put_quoted(b, profile_str(p, l->key));
		buf_append_char(b, ':');
		put_quoted(b, profile_str(p, l->str));
	}
	if (any)
		buf_append_str(b, "}\n");
}

/* ---- the three texts -------------------------------------------------------
 */

static int text_begin(struct text **ret_text, const struct sink *sink,
		      const struct profile *p, size_t values, struct err *e)
{
	if (p->n_sample_types < values)
		return err_set(e, ERR_INVALID,
			       "the profile has too few sample types");
	struct text *t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, ERR_NOMEM, "out of memory");
	t->sink = sink;
	t->p = p;
	*ret_text = t;
	return 0;
}

static void text_end(struct text *t)
{
	buf_free(&t->cells);
	buf_free(&t->out);
	free(t);
}

int text_count(const struct sink *sink, const char *name,
	       const struct profile *p, struct err *e)
{
	struct text *t = NULL;
	int code = text_begin(&t, sink, p, 1, e);
	if (code)
		return code;
	buf_printf(&t->out, "%s profile: total %" PRId64 "\n", name,
		   total_of(p, 0));
	struct buf labels = { 0 };
	for (size_t i = 0; i < p->n_samples && !code; i++) {
		buf_clear(&labels);
		put_labels(&labels, p, i);
		buf_printf(&t->out, "%" PRId64 " ", value_of(p, i, 0));
		code = put_stack(t, i, buf_str(&labels));
	}
	buf_free(&labels);
	if (!code && p->n_samples == 0)
		code = sink_write(sink, t->out.data, t->out.len);
	text_end(t);
	return code;
}

int text_contention(const struct sink *sink, const char *name,
		    int64_t cycles_per_second, int64_t sampling_period,
		    const struct profile *p, struct err *e)
{
	struct text *t = NULL;
	int code = text_begin(&t, sink, p, 2, e);
	if (code)
		return code;
	buf_printf(&t->out, "--- %s:\ncycles/second=%" PRId64 "\n", name,
		   cycles_per_second);
	if (sampling_period)
		buf_printf(&t->out, "sampling period=%" PRId64 "\n",
			   sampling_period);
	for (size_t i = 0; i < p->n_samples && !code; i++) {
		buf_printf(&t->out, "%" PRId64 " %" PRId64 " ",
			   value_of(p, i, 1), value_of(p, i, 0));
		code = put_stack(t, i, "");
	}
	if (!code && p->n_samples == 0)
		code = sink_write(sink, t->out.data, t->out.len);
	text_end(t);
	return code;
}

int text_heap(const struct sink *sink, int64_t rate, const struct profile *p,
	      struct err *e)
{
	struct text *t = NULL;
	int code = text_begin(&t, sink, p, 4, e);
	if (code)
		return code;
	buf_printf(&t->out,
		   "heap profile: %" PRId64 ": %" PRId64 " [%" PRId64
		   ": %" PRId64 "] @ heap/%" PRId64 "\n",
		   total_of(p, 2), total_of(p, 3), total_of(p, 0),
		   total_of(p, 1), 2 * rate);
	for (size_t i = 0; i < p->n_samples && !code; i++) {
		buf_printf(&t->out,
			   "%" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64
			   "] ",
			   value_of(p, i, 2), value_of(p, i, 3),
			   value_of(p, i, 0), value_of(p, i, 1));
		code = put_stack(t, i, "");
	}
	if (!code && p->n_samples == 0)
		code = sink_write(sink, t->out.data, t->out.len);
	text_end(t);
	return code;
}
