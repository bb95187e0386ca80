/* text_raw.c - -raw and -comments: the profile as it is. */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/parse.h"
#include "report/gotime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char label_indent[] = "                ";

static void write_types(const struct profile *p, struct out *o)
{
	for (size_t i = 0; i < p->n_sample_types; i++) {
		const uint32_t type = p->sample_types[i].type;
		const char *mark =
			type == p->default_sample_type ? "[dflt]" : "";
		out_printf(o, "%s%s/%s%s", i ? " " : "", profile_str(p, type),
			   profile_str(p, p->sample_types[i].unit), mark);
	}
	out_char(o, '\n');
}

/* At most four characters of it: what "%.4v" makes of a duration in Go. */
static void write_duration(struct out *o, int64_t ns)
{
	char text[PARSE_DURATION_TEXT];
	format_duration(ns, text);
	size_t len = strlen(text), end = 0;
	for (int i = 0; i < 4 && end < len; i++) {
		int valid;
		end += text_rune_len(text + end, len - end, &valid);
	}
	out_printf(o, "Duration: %.*s\n", (int)end, text);
}

static void write_header(const struct view *v, struct out *o)
{
	const struct profile *p = v->p;
	for (size_t i = 0; i < p->n_comments; i++)
		out_printf(o, "Comment: %s\n", profile_str(p, p->comments[i]));
	out_printf(o, "PeriodType: %s %s\n",
		   profile_str(p, p->period_type.type),
		   profile_str(p, p->period_type.unit));
	out_printf(o, "Period: %" PRId64 "\n", p->period);
	if (p->time_nanos) {
		char time[GOTIME_MAX];
		out_printf(o, "Time: %s\n", gotime_full(p->time_nanos, time));
	}
	if (p->duration_nanos)
		write_duration(o, p->duration_nanos);
	out_str(o, "Samples:\n");
	write_types(p, o);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "key:[value value]", numbers with their units where the key has any. */
static void append_run(const struct view *v, const struct view_labels *l,
		       size_t i, size_t end, struct buf *b)
{
	const bool units = view_labels_have_units(l, i, end);
	buf_append_str(b, view_str(v, l->rows[i].key));
	buf_append_str(b, ":[");
	for (size_t k = i; k < end; k++) {
		const struct profile_label *row = &l->rows[k];
		if (k > i)
			buf_append_char(b, ' ');
		if (row->str)
			buf_append(b, view_str(v, row->str),
				   view_str_len(v, row->str));
		else if (units)
			buf_printf(b, "%" PRId64 " %s", row->num,
				   view_str(v, row->num_unit));
		else
			buf_printf(b, "%" PRId64, row->num);
	}
	buf_append_char(b, ']');
}

static int write_labels(const struct view *v, struct out *o,
			const struct view_labels *l, size_t first, size_t limit)
{
	if (first == limit)
		return 0;
	struct arena a = { 0 };
	struct buf b = { 0 };
	int rc = ERR_NOMEM;
	size_t n = 0;
	char **runs = arena_alloc(&a, (limit - first) * sizeof(*runs));
	if (!runs)
		goto out;
	for (size_t i = first; i < limit;) {
		const size_t end = view_labels_run(l, i);
		buf_clear(&b);
		append_run(v, l, i, end, &b);
		runs[n] = arena_text(&a, buf_str(&b), b.len);
		if (b.failed || !runs[n++])
			goto out;
		i = end;
	}
	qsort(runs, n, sizeof(*runs), compare_texts);
	out_str(o, label_indent);
	for (size_t i = 0; i < n; i++) {
		if (i)
			out_char(o, ' ');
		out_str(o, runs[i]);
	}
	out_char(o, '\n');
	rc = 0;
out:
	buf_free(&b);
	arena_free(&a);
	return rc;
}

static int write_samples(const struct view *v, struct out *o)
{
	struct view_labels l = { 0 };
	int rc = 0;
	for (size_t i = 0; i < v->n_samples && !rc; i++) {
		const struct view_sample *s = &v->samples[i];
		for (size_t t = 0; t < v->p->n_sample_types; t++)
			out_printf(o, " %10" PRId64, view_value(v, s, t));
		out_str(o, ": ");
		for (uint32_t k = 0; k < s->count; k++)
			out_printf(o, "%" PRIu32 " ",
				   v->locs[s->first + k] + 1);
		out_char(o, '\n');
		rc = view_get_labels(v, s, &l);
		if (!rc)
			rc = write_labels(v, o, &l, 0, l.n_texts);
		if (!rc)
			rc = write_labels(v, o, &l, l.n_texts, l.n);
	}
	view_labels_free(&l);
	return rc;
}

static void write_line(const struct view *v, struct out *o,
		       const struct profile_line *line)
{
	if (line->function == PROFILE_NONE) {
		out_str(o, "??\n");
		return;
	}
	const struct profile_function *f = &v->functions[line->function];
	out_printf(o, "%s %s:%" PRId64 " s=%" PRId64, view_str(v, f->name),
		   view_str(v, f->filename), line->line, f->start_line);
	if (f->name != f->system_name)
		out_printf(o, "(%s)", view_str(v, f->system_name));
	out_char(o, '\n');
}

static void write_locations(const struct view *v, struct out *o)
{
	out_str(o, "Locations\n");
	for (size_t i = 0; i < v->n_locations; i++) {
		const struct profile_location *l = &v->locations[i];
		/* Go's %#x has 0x before a 0 as well; C's has not. */
		out_printf(o, "%6zu: 0x%" PRIx64 " ", i + 1, l->address);
		if (l->mapping != PROFILE_NONE)
			out_printf(o, "M=%" PRIu32 " ", l->mapping + 1);
		if (l->is_folded)
			out_str(o, "[F] ");
		for (uint32_t k = 0; k < l->line_count; k++) {
			if (k)
				out_str(o, "             ");
			write_line(v, o, &v->lines[l->line_first + k]);
		}
		if (!l->line_count)
			out_char(o, '\n');
	}
}

static void write_mappings(const struct view *v, struct out *o)
{
	out_str(o, "Mappings\n");
	for (size_t i = 0; i < v->p->n_mappings; i++) {
		const struct profile_mapping *m = &v->mappings[i];
		out_printf(o,
			   "%zu: 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64
			   " %s %s %s%s%s%s\n",
			   i + 1, m->start, m->limit, m->offset,
			   view_str(v, m->filename), view_str(v, m->build_id),
			   m->has_functions ? "[FN]" : "",
			   m->has_filenames ? "[FL]" : "",
			   m->has_line_numbers ? "[LN]" : "",
			   m->has_inline_frames ? "[IN]" : "");
	}
}

int text_write_raw(struct report *r, struct out *o, struct err *e)
{
	(void)e;
	write_header(&r->view, o);
	const int rc = write_samples(&r->view, o);
	if (rc)
		return rc;
	write_locations(&r->view, o);
	write_mappings(&r->view, o);
	return 0;
}

int text_write_comments(struct report *r, struct out *o, struct err *e)
{
	(void)e;
	const struct profile *p = r->view.p;
	for (size_t i = 0; i < p->n_comments; i++)
		out_printf(o, "%s\n", profile_str(p, p->comments[i]));
	return 0;
}
