/* text_tags.c - -tags: each label key with the values it has, by weight. */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"
#include "report/tabs.h"

#include <stdlib.h>
#include <string.h>

struct tag_sum {
	uint32_t key, value; /* strings of the view */
	int64_t sum;
};

struct tag_sums {
	struct view *v;
	struct tag_sum *rows;
	size_t n, cap;
	struct map index;
};

static int add_sum(struct tag_sums *t, uint32_t key, uint32_t value,
		   int64_t sum)
{
	const uint64_t pair = (uint64_t)key << 32 | value;
	uint32_t i = map_get(&t->index, pair);
	if (i == MAP_NONE) {
		i = (uint32_t)t->n;
		if (grow_rows(&t->rows, &t->cap, t->n + 1, sizeof(*t->rows)) ||
		    map_put(&t->index, pair, i))
			return ERR_NOMEM;
		t->rows[t->n++] = (struct tag_sum){ key, value, 0 };
	}
	t->rows[i].sum = i64_add(t->rows[i].sum, sum);
	return 0;
}

static int add_sample(struct report *r, struct tag_sums *t,
		      const struct view_sample *s, struct view_labels *l)
{
	int rc = view_get_labels(&r->view, s, l);
	const int64_t value = view_value(&r->view, s, r->value);
	for (size_t i = 0; i < l->n && !rc; i++) {
		const struct profile_label *row = &l->rows[i];
		uint32_t text = row->str;
		if (!text) {
			char label[MEASURE_LABEL_MAX];
			measure_label(row->num,
				      view_unit(&r->view, &r->units, row->key),
				      r->unit, label);
			text = view_intern(&r->view, label, strlen(label));
		}
		rc = text == PROFILE_NONE ? ERR_NOMEM
					  : add_sum(t, row->key, text, value);
	}
	return rc;
}

static int compare_sums(const void *pa, const void *pb, void *arg)
{
	const struct view *v = arg;
	const struct tag_sum *a = pa, *b = pb;
	if (a->key != b->key)
		return strcmp(view_str(v, a->key), view_str(v, b->key));
	const int64_t x = i64_abs(a->sum), y = i64_abs(b->sum);
	if (x != y)
		return x > y ? -1 : 1;
	return strcmp(view_str(v, a->value), view_str(v, b->value));
}

static void append_value(const struct report *r, struct buf *b, int64_t value)
{
	const char *unit;
	const double v = measure_scale(value, r->sample_unit, r->unit, &unit);
	buf_printf(b, "%.1f%s", v, unit);
}

static void append_key(const struct report *r, struct buf *b,
		       const struct tag_sum *rows, size_t n)
{
	int64_t total = 0;
	for (size_t i = 0; i < n; i++)
		total = i64_add(total, rows[i].sum);
	buf_printf(b, "%s:\t Total ", view_str(&r->view, rows->key));
	append_value(r, b, total);
	buf_append_char(b, '\n');
	for (size_t i = 0; i < n; i++) {
		char percent[MEASURE_PERCENT_MAX];
		buf_append_str(b, " \t");
		append_value(r, b, rows[i].sum);
		if (total > 0)
			buf_printf(b, " (%s)",
				   measure_percent(rows[i].sum, total,
						   percent));
		buf_printf(b, ":\t %s\n", view_str(&r->view, rows[i].value));
	}
	buf_append_char(b, '\n');
}

int text_write_tags(struct report *r, struct out *o, struct err *e)
{
	(void)e;
	struct tag_sums t = { .v = &r->view };
	struct view_labels l = { 0 };
	struct buf b = { .cap = (size_t)1 << 30 };
	int rc = 0;
	for (size_t i = 0; i < r->view.n_samples && !rc; i++)
		rc = add_sample(r, &t, &r->view.samples[i], &l);
	if (rc)
		goto out;
	if (t.n)
		qsort_r(t.rows, t.n, sizeof(*t.rows), compare_sums, &r->view);
	for (size_t i = 0; i < t.n;) {
		size_t end = i + 1;
		while (end < t.n && t.rows[end].key == t.rows[i].key)
			end++;
		append_key(r, &b, t.rows + i, end - i);
		i = end;
	}
	rc = b.failed ? b.failed : tabs_write(&b, o);
out:
	view_labels_free(&l);
	free(t.rows);
	map_free(&t.index);
	buf_free(&b);
	return rc;
}
