/*
 * merge.c - one profile from several.
 *
 * What makes two things one is google/pprof's: a mapping is its size rounded
 * up to 4 KiB, its offset, and its build id or else its file, so that a
 * program loaded elsewhere is still the same; a location is its distance from
 * the mapping's start and its lines; a function is its four fields; a sample
 * is its locations and labels.  Rows are numbered in the order in which the
 * samples first refer to them, and what no sample refers to is left out.
 */
#include "profile/profile.h"

#include "base/err.h"
#include "base/map.h"
#include "profile/merger.h"
#include "profile/private.h"

#include <stdlib.h>
#include <string.h>

struct source {
	const struct profile *p;
	bool negate;
};

/* ---- labels -------------------------------------------------------------- */

struct sortable {
	struct profile_label label;
	uint32_t place;
};

/* By bytes, NULs among them. */
static int compare_strings(const struct profile *p, uint32_t a, uint32_t b)
{
	const size_t a_len = profile_str_len(p, a),
		     b_len = profile_str_len(p, b);
	const int order = memcmp(profile_str(p, a), profile_str(p, b),
				 a_len < b_len ? a_len : b_len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Strings before numbers, by key, and as they stood within a key. */
static int compare_labels(const void *a, const void *b, void *profile)
{
	const struct sortable *s = a, *t = b;
	if (!s->label.str != !t->label.str)
		return s->label.str ? -1 : 1;
	const int order = compare_strings(profile, s->label.key, t->label.key);
	if (order)
		return order;
	return s->place < t->place ? -1 : s->place > t->place;
}

static int sort_labels(struct profile *out, struct profile_label *labels,
		       uint32_t n)
{
	if (n < 2)
		return 0;
	struct sortable few[32], *s = few;
	if (n > sizeof(few) / sizeof(*few) && !(s = calloc(n, sizeof(*s))))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		s[i] = (struct sortable){ labels[i], i };
	qsort_r(s, n, sizeof(*s), compare_labels, out);
	for (uint32_t i = 0; i < n; i++)
		labels[i] = s[i].label;
	if (s != few)
		free(s);
	return 0;
}

/* Behind the last of out's labels, in the order that makes equal sets equal. */
static int merge_labels(struct merger *m, struct profile_span span)
{
	struct profile *out = m->out;
	int rc = model_reserve(out, COLUMN_LABELS, out->n_labels + span.count);
	if (rc)
		return rc;
	struct profile_label *to = out->labels + out->n_labels;
	for (uint32_t i = 0; !rc && i < span.count; i++) {
		to[i] = m->src->labels[span.first + i];
		rc = merge_string(m, to[i].key, &to[i].key);
		if (!rc)
			rc = merge_string(m, to[i].str, &to[i].str);
		if (!rc)
			rc = merge_string(m, to[i].num_unit, &to[i].num_unit);
	}
	return rc ? rc : sort_labels(out, to, span.count);
}

static bool same_labels(const struct profile_label *a,
			const struct profile_label *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].key != b[i].key || a[i].str != b[i].str ||
		    a[i].num != b[i].num || a[i].num_unit != b[i].num_unit)
			return false;
	return true;
}

/* ---- samples ------------------------------------------------------------- */

static int merge_locs(struct merger *m, struct profile_span span)
{
	struct profile *out = m->out;
	int rc = model_reserve(out, COLUMN_LOCS, out->n_locs + span.count);
	for (uint32_t i = 0; !rc && i < span.count; i++)
		rc = merge_location(m, m->src->locs[span.first + i],
				    &out->locs[out->n_locs + i]);
	return rc;
}

static uint64_t sample_hash(const struct merger *m, struct profile_span locs,
			    struct profile_span labels)
{
	const struct profile *out = m->out;
	uint64_t h = m->out->priv->seed;
	if (locs.count)
		h = map_hash(out->locs + locs.first,
			     locs.count * sizeof(*out->locs), h);
	for (uint32_t i = 0; i < labels.count; i++) {
		const struct profile_label *l = &out->labels[labels.first + i];
		h = map_mix(h ^ ((uint64_t)l->key << 32 | l->str));
		h = map_mix(h ^ (uint64_t)l->num);
		h = map_mix(h ^ l->num_unit);
	}
	return h;
}

static uint32_t find_sample(const struct merger *m, uint64_t hash,
			    struct profile_span locs,
			    struct profile_span labels)
{
	const struct profile *out = m->out;
	struct index_probe probe = index_start(&m->samples, hash);
	uint32_t row;
	while ((row = index_next(&m->samples, &probe)) != PROFILE_NONE) {
		const struct profile_span s = out->sample_locs[row];
		const struct profile_span t = out->sample_labels[row];
		if (s.count != locs.count || t.count != labels.count)
			continue;
		if (locs.count &&
		    memcmp(out->locs + s.first, out->locs + locs.first,
			   s.count * sizeof(*out->locs)) != 0)
			continue;
		if (same_labels(out->labels + t.first,
				out->labels + labels.first, t.count))
			break;
	}
	return row;
}

static int append_sample(struct merger *m, uint64_t hash,
			 struct profile_span locs, struct profile_span labels)
{
	struct profile *out = m->out;
	const size_t n = out->n_samples, n_types = out->n_sample_types;
	int rc = model_reserve(out, COLUMN_SAMPLE_LOCS, n + 1);
	if (!rc)
		rc = model_reserve(out, COLUMN_SAMPLE_LABELS, n + 1);
	if (!rc)
		rc = model_reserve(out, COLUMN_VALUES, (n + 1) * n_types);
	if (!rc)
		rc = index_add(&m->samples, hash);
	if (rc)
		return rc;
	out->sample_locs[n] = locs;
	out->sample_labels[n] = labels;
	memset(out->values + n * n_types, 0, n_types * sizeof(*out->values));
	out->n_locs += locs.count;
	out->n_labels += labels.count;
	out->n_samples++;
	return 0;
}

static bool is_zero(const struct profile *p, size_t sample)
{
	const int64_t *v = p->values + sample * p->n_sample_types;
	for (size_t t = 0; t < p->n_sample_types; t++)
		if (v[t])
			return false;
	return true;
}

static int merge_sample(struct merger *m, size_t i, bool negate)
{
	struct profile *out = m->out;
	const size_t n_types = out->n_sample_types;
	/* First of all: the row may be the one that is written to. */
	memcpy(m->values, m->src->values + i * n_types,
	       n_types * sizeof(*m->values));
	const uint32_t n_locs = m->src->sample_locs[i].count;
	const uint32_t n_labels = m->src->sample_labels[i].count;
	int rc = merge_locs(m, m->src->sample_locs[i]);
	if (!rc)
		rc = merge_labels(m, m->src->sample_labels[i]);
	if (rc)
		return rc;
	const struct profile_span locs = { (uint32_t)out->n_locs, n_locs };
	const struct profile_span labels = { (uint32_t)out->n_labels,
					     n_labels };
	const uint64_t hash = sample_hash(m, locs, labels);
	uint32_t row = find_sample(m, hash, locs, labels);
	if (row == PROFILE_NONE) {
		row = (uint32_t)out->n_samples;
		rc = append_sample(m, hash, locs, labels);
		if (rc)
			return rc;
	}
	int64_t *to = out->values + row * n_types;
	for (size_t t = 0; t < n_types; t++) {
		const uint64_t v = (uint64_t)m->values[t];
		to[t] = (int64_t)((uint64_t)to[t] + (negate ? -v : v));
	}
	return 0;
}

/* ---- the whole ----------------------------------------------------------- */

static uint32_t *unseen(size_t n)
{
	uint32_t *of = malloc((n + 1) * sizeof(*of));
	if (of)
		memset(of, 0xff, (n + 1) * sizeof(*of));
	return of;
}

static void leave_source(struct merger *m)
{
	free(m->strings_of);
	free(m->mappings_of);
	free(m->functions_of);
	free(m->locations_of);
	free(m->values);
	m->strings_of = m->mappings_of = NULL;
	m->functions_of = m->locations_of = NULL;
	m->values = NULL;
}

static int enter_source(struct merger *m, const struct profile *src)
{
	m->src = src;
	m->strings_of = unseen(src->priv->n_strings);
	m->mappings_of = unseen(src->n_mappings);
	m->functions_of = unseen(src->n_functions);
	m->locations_of = unseen(src->n_locations);
	m->values = calloc(src->n_sample_types + 1, sizeof(*m->values));
	return m->strings_of && m->mappings_of && m->functions_of &&
			       m->locations_of && m->values
		       ? 0
		       : ERR_NOMEM;
}

/* What one header says of the merged one; the first is copied, in effect. */
static int merge_header(struct merger *m, bool first)
{
	struct profile *out = m->out;
	const struct profile *src = m->src;
	int rc = 0;
	for (size_t t = 0; first && t < src->n_sample_types; t++)
		if (profile_add_sample_type(
			    out, profile_str(src, src->sample_types[t].type),
			    profile_str(src, src->sample_types[t].unit)) ==
		    PROFILE_NONE)
			return out->priv->failed;
	const struct {
		uint32_t from, *to;
		bool wanted;
	} strings[] = {
		{ src->period_type.type, &out->period_type.type, first },
		{ src->period_type.unit, &out->period_type.unit, first },
		{ src->drop_frames, &out->drop_frames, first },
		{ src->keep_frames, &out->keep_frames, first },
		{ src->default_sample_type, &out->default_sample_type,
		  !out->default_sample_type },
		{ src->doc_url, &out->doc_url, !out->doc_url },
	};
	for (size_t i = 0; !rc && i < sizeof(strings) / sizeof(*strings); i++)
		if (strings[i].wanted)
			rc = merge_string(m, strings[i].from, strings[i].to);
	/* A time of 0 replaces, and is replaced: so does google/pprof. */
	if (!out->time_nanos || src->time_nanos < out->time_nanos)
		out->time_nanos = src->time_nanos;
	out->duration_nanos = (int64_t)((uint64_t)out->duration_nanos +
					(uint64_t)src->duration_nanos);
	if (!out->period || out->period < src->period)
		out->period = src->period;
	return rc;
}

/* Each comment once; the index's hash is the comment's own number. */
static int merge_comments(struct merger *m)
{
	struct profile *out = m->out;
	for (size_t i = 0; i < m->src->n_comments; i++) {
		uint32_t comment, row;
		int rc = merge_string(m, m->src->comments[i], &comment);
		if (rc)
			return rc;
		const uint64_t hash = map_mix(comment);
		struct index_probe probe = index_start(&m->comments, hash);
		do {
			row = index_next(&m->comments, &probe);
		} while (row != PROFILE_NONE && out->comments[row] != comment);
		if (row != PROFILE_NONE)
			continue;
		rc = model_reserve(out, COLUMN_COMMENTS, out->n_comments + 1);
		if (!rc)
			rc = index_add(&m->comments, hash);
		if (rc)
			return rc;
		out->comments[out->n_comments++] = comment;
	}
	return 0;
}

static int merge_source(struct merger *m, const struct source *s, bool first)
{
	int rc = enter_source(m, s->p);
	if (!rc)
		rc = merge_header(m, first);
	if (!rc)
		rc = merge_comments(m);
	/* The first mapping is the main program: it must not come later. */
	uint32_t main_mapping;
	if (!rc && !m->out->n_mappings && s->p->n_mappings)
		rc = merge_mapping(m, 0, &main_mapping);
	for (size_t i = 0; !rc && i < s->p->n_samples; i++)
		if (!is_zero(s->p, i))
			rc = merge_sample(m, i, s->negate);
	leave_source(m);
	return rc;
}

/*
 * Do the samples' spans come one behind the other?  Then each may be rewritten
 * where it stands, for what is kept never outruns what is read.
 */
static bool is_in_order(const struct profile *p)
{
	size_t locs = 0, labels = 0;
	for (size_t i = 0; i < p->n_samples; i++) {
		if (p->sample_locs[i].first < locs ||
		    p->sample_labels[i].first < labels)
			return false;
		locs += p->sample_locs[i].count;
		labels += p->sample_labels[i].count;
	}
	return true;
}

static const enum column sample_columns[] = { COLUMN_SAMPLE_LOCS,
					      COLUMN_SAMPLE_LABELS,
					      COLUMN_VALUES, COLUMN_LOCS,
					      COLUMN_LABELS };

/* The samples' columns of p become out's too; out counts none of them yet. */
static void share_columns(struct profile *out, const struct profile *p)
{
	/* The rows that a new profile has at once. */
	free(out->sample_locs);
	free(out->sample_labels);
	free(out->values);
	free(out->locs);
	free(out->labels);
	out->sample_locs = p->sample_locs;
	out->sample_labels = p->sample_labels;
	out->values = p->values;
	out->locs = p->locs;
	out->labels = p->labels;
	for (size_t i = 0; i < sizeof(sample_columns) / sizeof(*sample_columns);
	     i++)
		out->priv->capacity[sample_columns[i]] =
			p->priv->capacity[sample_columns[i]];
}

/* p has them no longer. */
static void forget_columns(struct profile *p)
{
	p->sample_locs = p->sample_labels = NULL;
	p->values = NULL;
	p->locs = NULL;
	p->labels = NULL;
	p->n_samples = p->n_locs = p->n_labels = 0;
	for (size_t i = 0; i < sizeof(sample_columns) / sizeof(*sample_columns);
	     i++)
		p->priv->capacity[sample_columns[i]] = 0;
}

/* share: the only source's columns are rewritten in place. */
static int merge_once(const struct source *sources, size_t n, bool share,
		      struct profile **ret_merged)
{
	struct merger m = { .out = profile_new() };
	int rc = m.out ? 0 : ERR_NOMEM;
	if (!rc && share)
		share_columns(m.out, sources[0].p);
	for (size_t i = 0; !rc && i < n; i++)
		rc = merge_source(&m, &sources[i], i == 0);
	index_free(&m.mappings);
	index_free(&m.locations);
	index_free(&m.samples);
	index_free(&m.comments);
	if (rc) {
		if (m.out && share)
			forget_columns(m.out);
		profile_free(m.out);
		return rc;
	}
	*ret_merged = m.out;
	return 0;
}

static bool has_zero(const struct profile *p)
{
	for (size_t i = 0; i < p->n_samples; i++)
		if (is_zero(p, i))
			return true;
	return false;
}

/* Once more, without samples that became zero and what only they refer to. */
static int drop_zeros(struct profile **merged)
{
	if (!has_zero(*merged))
		return 0;
	const struct source again = { .p = *merged };
	struct profile *rest = NULL;
	const int rc = merge_once(&again, 1, false, &rest);
	profile_free(*merged);
	*merged = rest;
	return rc;
}

static int merge_all(const struct source *sources, size_t n,
		     struct profile **ret_merged, struct err *e)
{
	for (size_t i = 1; i < n; i++) {
		const int rc =
			profile_compatible(sources[0].p, sources[i].p, e);
		if (rc)
			return rc;
	}
	struct profile *merged = NULL;
	int rc = merge_once(sources, n, false, &merged);
	if (!rc)
		rc = drop_zeros(&merged);
	if (rc)
		return err_set(e, rc, "merging profiles: %s", err_name(rc));
	model_trim(merged);
	*ret_merged = merged;
	return 0;
}

int profile_merge(const struct profile *const *ps, size_t n,
		  struct profile **ret_merged, struct err *e)
{
	if (!n)
		return err_set(e, ERR_INVALID, "no profiles to merge");
	struct source *sources = calloc(n, sizeof(*sources));
	if (!sources)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		sources[i].p = ps[i];
	const int rc = merge_all(sources, n, ret_merged, e);
	free(sources);
	return rc;
}

int profile_subtract(const struct profile *after, const struct profile *before,
		     struct profile **ret_delta, struct err *e)
{
	const struct source sources[] = { { before, true }, { after, false } };
	struct profile *delta;
	const int rc = merge_all(sources, 2, &delta, e);
	if (rc)
		return rc;
	delta->time_nanos = after->time_nanos;
	delta->duration_nanos = (int64_t)((uint64_t)after->time_nanos -
					  (uint64_t)before->time_nanos);
	*ret_delta = delta;
	return 0;
}

int profile_compact(struct profile **p, struct err *e)
{
	const bool share = is_in_order(*p);
	const struct source source = { .p = *p };
	struct profile *compact = NULL;
	int rc = merge_once(&source, 1, share, &compact);
	if (!rc && share)
		forget_columns(*p);
	profile_free(*p);
	*p = NULL;
	if (!rc)
		rc = drop_zeros(&compact);
	if (rc)
		return err_set(e, rc, "merging profiles: %s", err_name(rc));
	*p = compact;
	return 0;
}
