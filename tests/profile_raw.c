/* profile_raw.c - fixture_raw: a profile as `go tool pprof -raw` shows it. */
#include "tests/profile_fixture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Go's map of label keys: sorted, " KEY:[VALUE VALUE]" for each. */
struct shown {
	const char *key, *text;
	int64_t num;
	const char *unit;
	bool is_text;
	uint32_t place;
};

/* As texts with a colon behind them: k1: comes before k:. */
static int compare_keys(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	const unsigned char x = *a ? (unsigned char)*a : ':';
	const unsigned char y = *b ? (unsigned char)*b : ':';
	return !*a && !*b ? 0 : x - y;
}

static int compare_shown(const void *a, const void *b)
{
	const struct shown *s = a, *t = b;
	if (s->is_text != t->is_text)
		return s->is_text ? -1 : 1;
	const int order = compare_keys(s->key, t->key);
	return order ? order : (s->place > t->place) - (s->place < t->place);
}

static void raw_value(struct buf *out, const struct shown *s, bool has_units)
{
	if (s->is_text)
		buf_append_str(out, s->text);
	else if (has_units)
		buf_printf(out, "%" PRId64 " %s", s->num, s->unit);
	else
		buf_printf(out, "%" PRId64, s->num);
}

/* One key's values, from s on.  Returns: how many. */
static size_t raw_key(struct buf *out, const struct shown *s, size_t left)
{
	size_t n = 0;
	bool has_units = false;
	while (n < left && s[n].is_text == s->is_text &&
	       !strcmp(s[n].key, s->key))
		has_units |= *s[n++].unit != '\0';
	buf_printf(out, "%s:[", s->key);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_append_char(out, ' ');
		raw_value(out, &s[i], has_units);
	}
	buf_append_char(out, ']');
	return n;
}

static void raw_labels(struct buf *out, const struct profile *p,
		       struct profile_span span)
{
	struct shown shown[64];
	const size_t n = span.count < 64 ? span.count : 64;
	for (size_t i = 0; i < n; i++) {
		const struct profile_label *l = &p->labels[span.first + i];
		shown[i] = (struct shown){
			.key = profile_str(p, l->key),
			.text = profile_str(p, l->str),
			.num = l->num,
			.unit = profile_str(p, l->num_unit),
			.is_text = l->str != 0,
			.place = (uint32_t)i,
		};
	}
	qsort(shown, n, sizeof(*shown), compare_shown);
	for (size_t i = 0; i < n;) {
		const bool first =
			!i || (!shown[i].is_text && shown[i - 1].is_text);
		if (first && i)
			buf_append_char(out, '\n');
		buf_append_str(out, first ? "                " : " ");
		i += raw_key(out, shown + i, n - i);
	}
	if (n)
		buf_append_char(out, '\n');
}

static void raw_location(struct buf *out, const struct profile *p, size_t i)
{
	const struct profile_location *l = &p->locations[i];
	buf_printf(out, "%6zu: 0x%" PRIx64 " ", i + 1, l->address);
	if (l->mapping != PROFILE_NONE)
		buf_printf(out, "M=%" PRIu32 " ", l->mapping + 1);
	if (l->is_folded)
		buf_append_str(out, "[F] ");
	for (uint32_t k = 0; k < l->line_count; k++) {
		const struct profile_line *line = &p->lines[l->line_first + k];
		const struct profile_function *f =
			&p->functions[line->function];
		if (k)
			buf_append_str(out, "\n             ");
		buf_printf(out, "%s %s:%" PRId64 " s=%" PRId64,
			   profile_str(p, f->name), profile_str(p, f->filename),
			   line->line, f->start_line);
		if (f->name != f->system_name)
			buf_printf(out, "(%s)", profile_str(p, f->system_name));
	}
	buf_append_char(out, '\n');
}

void fixture_raw(struct buf *out, const struct profile *p)
{
	const size_t n = p->n_sample_types;
	buf_printf(out, "PeriodType: %s %s\nPeriod: %" PRId64 "\nSamples:\n",
		   profile_str(p, p->period_type.type),
		   profile_str(p, p->period_type.unit), p->period);
	for (size_t t = 0; t < n; t++)
		buf_printf(out, "%s%s/%s%s", t ? " " : "",
			   profile_str(p, p->sample_types[t].type),
			   profile_str(p, p->sample_types[t].unit),
			   p->sample_types[t].type == p->default_sample_type
				   ? "[dflt]"
				   : "");
	buf_append_char(out, '\n');
	for (size_t i = 0; i < p->n_samples; i++) {
		const struct profile_span s = p->sample_locs[i];
		for (size_t t = 0; t < n; t++)
			buf_printf(out, " %10" PRId64, p->values[i * n + t]);
		buf_append_str(out, ": ");
		for (uint32_t k = 0; k < s.count; k++)
			buf_printf(out, "%" PRIu32 " ",
				   p->locs[s.first + k] + 1);
		buf_append_char(out, '\n');
		raw_labels(out, p, p->sample_labels[i]);
	}
	buf_append_str(out, "Locations\n");
	for (size_t i = 0; i < p->n_locations; i++)
		raw_location(out, p, i);
	buf_append_str(out, "Mappings\n");
	if (!p->n_mappings)
		buf_append_str(out, "1: 0x0/0x0/0x0   \n"); /* as it does */
	for (size_t i = 0; i < p->n_mappings; i++) {
		const struct profile_mapping *m = &p->mappings[i];
		buf_printf(out,
			   "%zu: 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64 " ",
			   i + 1, m->start, m->limit, m->offset);
		buf_printf(out, "%s %s %s%s%s%s\n", profile_str(p, m->filename),
			   profile_str(p, m->build_id),
			   m->has_functions ? "[FN]" : "",
			   m->has_filenames ? "[FL]" : "",
			   m->has_line_numbers ? "[LN]" : "",
			   m->has_inline_frames ? "[IN]" : "");
	}
}
