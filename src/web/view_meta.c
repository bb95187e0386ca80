/*
 * view_meta.c - "meta": what the profile is, which choices there are in it,
 * and, where it shows nothing, why.
 */
#include "web/subject.h"

#include "base/err.h"
#include "profile/profile.h"
#include "report/arith.h"
#include "report/grow.h"
#include "web/explain.h"
#include "web/webjson.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS_MAX = 400, COMMENTS_MAX = 100 };

static void write_types(struct web_call *c, const struct profile *p)
{
	webjson_open_array(c->j, "types");
	for (size_t i = 0; i < p->n_sample_types; i++) {
		webjson_open_object(c->j, NULL);
		webjson_text(c->j, "type",
			     profile_str(p, p->sample_types[i].type));
		webjson_text(c->j, "unit",
			     profile_str(p, p->sample_types[i].unit));
		webjson_close(c->j);
	}
	webjson_close(c->j);
}

static void write_comments(struct web_call *c, const struct profile *p)
{
	webjson_open_array(c->j, "comments");
	for (size_t i = 0; i < p->n_comments && i < COMMENTS_MAX; i++)
		webjson_text(c->j, NULL, profile_str(p, p->comments[i]));
	webjson_close(c->j);
}

/* Of one profile: name, when and for how long, how much. */
static void write_profile(struct web_call *c, const char *key,
			  const struct profile *p, const char *name)
{
	struct webjson *j = c->j;
	webjson_open_object(j, key);
	webjson_text(j, "name", name);
	if (p->n_mappings) {
		webjson_text(j, "binary",
			     profile_str(p, p->mappings[0].filename));
		webjson_text(j, "build_id",
			     profile_str(p, p->mappings[0].build_id));
	}
	webjson_int(j, "samples", (int64_t)p->n_samples);
	/* Nanoseconds since 1970 are more than a JavaScript number holds. */
	webjson_int(j, "time_ms", p->time_nanos / 1000000);
	webjson_int(j, "duration_ns", p->duration_nanos);
	webjson_text(j, "period_type", profile_str(p, p->period_type.type));
	webjson_text(j, "period_unit", profile_str(p, p->period_type.unit));
	webjson_int(j, "period", p->period);
	write_comments(c, p);
	webjson_close(j);
}

/* ---- labels -------------------------------------------------------------- */

struct label_sum {
	uint32_t key, value;
	int64_t sum;
};

struct label_sums {
	const struct profile *p;
	struct label_sum *rows; /* owned */
	size_t n, cap;
	struct map index;
};

static int add_label(struct label_sums *l, uint32_t key, uint32_t value,
		     int64_t sum)
{
	const uint64_t pair = (uint64_t)key << 32 | value;
	uint32_t i = map_get(&l->index, pair);
	if (i == MAP_NONE) {
		i = (uint32_t)l->n;
		if (grow_rows(&l->rows, &l->cap, l->n + 1, sizeof(*l->rows)) ||
		    map_put(&l->index, pair, i))
			return ERR_NOMEM;
		l->rows[l->n++] = (struct label_sum){ key, value, 0 };
	}
	l->rows[i].sum = i64_add(l->rows[i].sum, i64_abs(sum));
	return 0;
}

static int add_labels(struct label_sums *l, size_t type)
{
	const struct profile *p = l->p;
	for (size_t i = 0; i < p->n_samples; i++) {
		const struct profile_span span = p->sample_labels[i];
		for (uint32_t k = 0; k < span.count; k++) {
			const struct profile_label *row =
				&p->labels[span.first + k];
			const int rc =
				!row->str
					? 0
					: add_label(
						  l, row->key, row->str,
						  p->values
							  [i * p->n_sample_types +
							   type]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int compare_labels(const void *pa, const void *pb, void *arg)
{
	const struct profile *p = arg;
	const struct label_sum *a = pa, *b = pb;
	if (a->key != b->key)
		return strcmp(profile_str(p, a->key), profile_str(p, b->key));
	if (a->sum != b->sum)
		return a->sum > b->sum ? -1 : 1;
	return strcmp(profile_str(p, a->value), profile_str(p, b->value));
}

/* The texts that samples are labelled with: [key, value, sum]. */
static int write_labels(struct web_call *c, const struct profile *p,
			size_t type)
{
	struct label_sums l = { .p = p };
	const int rc = add_labels(&l, type);
	if (l.n)
		qsort_r(l.rows, l.n, sizeof(*l.rows), compare_labels,
			(void *)p);
	webjson_open_array(c->j, "labels");
	for (size_t i = 0; i < l.n && i < LABELS_MAX && !rc; i++) {
		webjson_open_array(c->j, NULL);
		webjson_text(c->j, NULL, profile_str(p, l.rows[i].key));
		webjson_text(c->j, NULL, profile_str(p, l.rows[i].value));
		webjson_int(c->j, NULL, l.rows[i].sum);
		webjson_close(c->j);
	}
	webjson_close(c->j);
	webjson_int(c->j, "labels_left_out",
		    l.n > LABELS_MAX ? (int64_t)(l.n - LABELS_MAX) : 0);
	free(l.rows);
	map_free(&l.index);
	return rc;
}

/* ---- the rest ------------------------------------------------------------ */

/* What the program was started with: where the page begins. */
static void write_defaults(struct web_call *c)
{
	const struct report_options *o = &c->s->options.report;
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "focus", o->focus },	       { "ignore", o->ignore },
		{ "hide", o->hide },	       { "show", o->show },
		{ "show_from", o->show_from }, { "tagfocus", o->tagfocus },
		{ "tagignore", o->tagignore },
	};
	webjson_open_object(c->j, "defaults");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].value && *texts[i].value)
			webjson_text(c->j, texts[i].key, texts[i].value);
	webjson_close(c->j);
}

static void write_explanation(struct web_call *c, const struct profile *p)
{
	const struct explanation *x = explain_empty(p);
	const struct web_options *o = &c->s->options;
	webjson_open_object(c->j, "empty");
	webjson_text(c->j, "why", o->why_empty ? o->why_empty : x->why);
	webjson_text(c->j, "todo", o->todo_empty ? o->todo_empty : x->todo);
	webjson_text(c->j, "command", o->todo_empty ? "" : x->command);
	webjson_close(c->j);
}

static bool is_empty(const struct profile *p, size_t type)
{
	for (size_t i = 0; i < p->n_samples; i++)
		if (p->values[i * p->n_sample_types + type])
			return false;
	return true;
}

int web_meta(struct web_call *c)
{
	const struct web_subject *s = c->s;
	size_t type = 0;
	/* Without any type there is nothing to look at, which is no mistake. */
	int rc = s->p->n_sample_types
			 ? report_find_value(s->p, c->o.sample_index, &type,
					     c->e)
			 : 0;
	if (rc)
		return rc;
	write_types(c, s->p);
	webjson_int(c->j, "value", (int64_t)type);
	webjson_bool(c->j, "graphs", s->options.draw != NULL);
	write_profile(c, "profile", s->p, s->options.name);
	if (s->base)
		write_profile(c, "base", s->base, s->options.base_name);
	write_defaults(c);
	if (!s->p->n_sample_types || is_empty(s->p, type))
		write_explanation(c, s->p);
	return s->p->n_sample_types ? write_labels(c, s->p, type) : 0;
}
