/* text_traces.c - -traces: every sample with its labels and its stack. */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static const char separator[] =
	"-----------+-------------------------------------------------------\n";

static void append_values(const struct report *r, const struct view_labels *l,
			  size_t i, size_t end, struct buf *b)
{
	const struct view *v = &r->view;
	for (size_t k = i; k < end; k++) {
		const struct profile_label *row = &l->rows[k];
		char label[MEASURE_LABEL_MAX];
		if (k > i)
			buf_append_char(b, ' ');
		if (row->str)
			buf_append(b, view_str(v, row->str),
				   view_str_len(v, row->str));
		else
			buf_append_str(b, measure_label(row->num,
							view_unit(v, &r->units,
								  row->key),
							"auto", label));
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines for labels first..end, sorted as whole lines. */
static int write_labels(const struct report *r, struct out *o,
			const struct view_labels *l, size_t first, size_t limit)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	size_t n = 0;
	int rc = ERR_NOMEM;
	char **lines = arena_alloc(&a, (limit - first + 1) * sizeof(*lines));
	if (!lines)
		goto out;
	for (size_t i = first; i < limit;) {
		const size_t end = view_labels_run(l, i);
		const char *key = view_str(&r->view, l->rows[i].key);
		buf_clear(&b);
		for (size_t k = text_count_runes(key, strlen(key)); k < 10; k++)
			buf_append_char(&b, ' ');
		buf_append_str(&b, key);
		buf_append_str(&b, ":  ");
		append_values(r, l, i, end, &b);
		lines[n] = arena_text(&a, buf_str(&b), b.len);
		if (b.failed || !lines[n++])
			goto out;
		i = end;
	}
	qsort(lines, n, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < n; i++) {
		out_str(o, lines[i]);
		out_char(o, '\n');
	}
	rc = 0;
out:
	buf_free(&b);
	arena_free(&a);
	return rc;
}

struct traces {
	struct graph g;
	uint32_t *first, *frames;
	struct view_labels labels;
};

static void write_stack(const struct report *r, struct out *o,
			const struct traces *t, const struct view_sample *s)
{
	char value[MEASURE_LABEL_MAX];
	report_format(r, report_sample_value(r, s), value);
	for (uint32_t i = 0; i < s->count; i++) {
		const uint32_t loc = r->view.locs[s->first + i];
		const uint32_t end = t->first[loc + 1];
		for (uint32_t k = t->first[loc]; k < end; k++) {
			out_pad(o, 10, value);
			out_str(o, "   ");
			out_str(o, t->g.nodes[t->frames[k]].printable);
			out_str(o, k + 1 < end ? " (inline)\n" : "\n");
			value[0] = '\0';
		}
	}
}

static int write_sample(const struct report *r, struct out *o, struct traces *t,
			const struct view_sample *s)
{
	if (!s->count)
		return 0;
	out_str(o, separator);
	int rc = view_get_labels(&r->view, s, &t->labels);
	if (!rc && t->labels.n_texts)
		rc = write_labels(r, o, &t->labels, 0, t->labels.n_texts);
	if (!rc && t->labels.n > t->labels.n_texts)
		rc = write_labels(r, o, &t->labels, t->labels.n_texts,
				  t->labels.n);
	if (!rc)
		write_stack(r, o, t, s);
	return rc;
}

int text_write_traces(struct report *r, struct out *o, struct err *e)
{
	(void)e;
	struct traces t = { 0 };
	struct label_list labels = { 0 };
	int rc = labels_of_profile(r, &labels);
	if (!rc)
		rc = graph_build_frames(&t.g, &r->view, &t.first, &t.frames);
	if (rc)
		goto out;
	labels_write(&labels, o);
	for (size_t i = 0; i < r->view.n_samples && !rc; i++)
		rc = write_sample(r, o, &t, &r->view.samples[i]);
	out_str(o, separator);
out:
	view_labels_free(&t.labels);
	free(t.first);
	free(t.frames);
	graph_free(&t.g);
	labels_free(&labels);
	return rc;
}
