/* evidence.c - see evidence.h. */
#include "tools/evidence.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/decode.h"
#include "tools/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which sample types belong to which kind; the first found tells the kind. */
static const struct {
	const char *type, *kind;
} kinds[] = {
	{ "cpu", "cpu" },	    { "wall", "wall" },
	{ "inuse_space", "heap" },  { "threads", "threads" },
	{ "goroutine", "threads" },
};

static const char *infer_kind(const struct profile *p)
{
	if (!strcmp(profile_str(p, p->default_sample_type), "alloc_space"))
		return "allocs";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (profile_sample_type(p, kinds[i].type) != PROFILE_NONE)
			return kinds[i].kind;
	return NULL;
}

int evidence_add(struct evidence *v, const char *argument, struct err *e)
{
	if (v->n == EVIDENCE_MAX)
		return err_set(e, ERR_LIMIT, "more than %d profiles",
			       EVIDENCE_MAX);
	const char *eq = strchr(argument, '=');
	const char *slash = strchr(argument, '/');
	const bool named = eq && (!slash || eq < slash);
	const char *path = named ? eq + 1 : argument;
	struct exhibit x = { .path = strdup(path) };
	if (!x.path)
		return ERR_NOMEM;
	int rc = profile_decode_file(path, NULL, &x.profile, e);
	if (rc)
		goto fail;
	const char *kind = named ? NULL : infer_kind(x.profile);
	x.kind = named ? strndup(argument, (size_t)(eq - argument))
		       : strdup(kind ? kind : "");
	rc = ERR_NOMEM;
	if (!x.kind)
		goto fail;
	if (!*x.kind) {
		rc = err_set(e, ERR_INVALID,
			     "%s: its sample types do not tell its kind; say "
			     "it: mutex=%s, block=%s",
			     path, path, path);
		goto fail;
	}
	v->exhibits[v->n++] = x;
	return 0;
fail:
	free(x.path);
	free(x.kind);
	profile_free(x.profile);
	return rc;
}

void evidence_free(struct evidence *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->exhibits[i].path);
		free(v->exhibits[i].kind);
		profile_free(v->exhibits[i].profile);
	}
	v->n = 0;
}

size_t evidence_series(const struct evidence *v, const char *kind,
		       const struct exhibit *ret_series[EVIDENCE_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->exhibits[i].kind, kind))
			ret_series[n++] = &v->exhibits[i];
	return n;
}

const struct exhibit *evidence_last(const struct evidence *v, const char *kind)
{
	const struct exhibit *series[EVIDENCE_MAX];
	const size_t n = evidence_series(v, kind, series);
	return n ? series[n - 1] : NULL;
}

bool evidence_is_from(const struct exhibit *x, const char *build_id)
{
	const struct profile *p = x->profile;
	return p->n_mappings &&
	       !strcmp(profile_str(p, p->mappings[0].build_id), build_id);
}

/* The columns that a selection reads. */
struct columns {
	uint32_t value;
	uint32_t count; /* of the objects behind the value, or PROFILE_NONE */
	bool poisson;	/* heap: counts are unsampled; scale back to events */
};

static int choose_columns(const struct exhibit *x, const struct selection *s,
			  struct columns *c, struct err *e)
{
	const struct profile *p = x->profile;
	const char *name = s->value;
	if (!name && p->default_sample_type)
		name = profile_str(p, p->default_sample_type);
	c->value = name ? profile_sample_type(p, name)
			: (uint32_t)p->n_sample_types - 1;
	if (c->value == PROFILE_NONE || !p->n_sample_types)
		return err_set(e, ERR_INVALID, "%s: has no sample type \"%s\"",
			       x->path, name ? name : "");
	name = profile_str(p, p->sample_types[c->value].type);
	c->poisson = !strncmp(name, "inuse_", 6) || !strncmp(name, "alloc_", 6);
	const char *count =
		c->poisson ? (*name == 'i' ? "inuse_objects" : "alloc_objects")
			   : "samples";
	c->count = profile_sample_type(p, count);
	if (c->count == PROFILE_NONE && !c->poisson)
		c->count = profile_sample_type(p, "contentions");
	if (c->count == PROFILE_NONE && !c->poisson)
		c->count = c->value;
	return 0;
}

/* How many events of the sampler stand behind sample i. */
static double events_of(const struct profile *p, const struct columns *c,
			size_t i)
{
	if (c->count == PROFILE_NONE)
		return 0;
	const int64_t *v = p->values + i * p->n_sample_types;
	const double count = (double)v[c->count];
	if (!c->poisson || p->period <= 1 || count <= 0)
		return count;
	const char *name = profile_str(p, p->sample_types[c->value].type);
	const uint32_t space = profile_sample_type(
		p, *name == 'i' ? "inuse_space" : "alloc_space");
	if (space == PROFILE_NONE)
		return count;
	const double size = (double)v[space] / count;
	return count * -expm1(-size / (double)p->period);
}

static bool has_label(const struct profile *p, size_t i, const char *key,
		      const char *value)
{
	const struct profile_span span = p->sample_labels[i];
	for (uint32_t k = 0; k < span.count; k++) {
		const struct profile_label *l = &p->labels[span.first + k];
		if (!strcmp(profile_str(p, l->key), key) &&
		    !strcmp(profile_str(p, l->str), value))
			return true;
	}
	return false;
}

static bool is_selected(const struct profile *p, const struct selection *s,
			size_t i)
{
	for (size_t k = 0; k < s->n_labels; k++)
		if (!has_label(p, i, s->label_keys[k], s->label_values[k]))
			return false;
	return true;
}

/* One bit a function: does its name match? */
static int match_functions(const struct profile *p, const char *pattern,
			   bool **ret_matches, struct err *e)
{
	struct pattern *re;
	int rc = pattern_new(pattern, PATTERN_WHOLE, &re, e);
	if (rc)
		return rc;
	bool *matches = calloc(p->n_functions + 1, sizeof(*matches));
	for (size_t i = 0; matches && i < p->n_functions; i++)
		matches[i] = pattern_matches(
			re, profile_str(p, p->functions[i].name));
	pattern_free(re);
	if (!matches)
		return ERR_NOMEM;
	*ret_matches = matches;
	return 0;
}

static bool location_matches(const struct profile *p, uint32_t loc,
			     const bool *matches, bool leaf_only)
{
	const struct profile_location *l = &p->locations[loc];
	const uint32_t n = leaf_only && l->line_count ? 1 : l->line_count;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t f = p->lines[l->line_first + i].function;
		if (f != PROFILE_NONE && matches[f])
			return true;
	}
	return false;
}

static void tally_sample(const struct profile *p, const struct columns *c,
			 const bool *matches, size_t i, struct tally *t)
{
	const double value =
		(double)p->values[i * p->n_sample_types + c->value];
	const double n = events_of(p, c, i);
	t->total += value;
	t->n_total += n;
	if (!matches)
		return;
	const struct profile_span span = p->sample_locs[i];
	for (uint32_t k = 0; k < span.count; k++) {
		const uint32_t loc = p->locs[span.first + k];
		if (k == 0 && location_matches(p, loc, matches, true)) {
			t->flat += value;
			t->n_flat += n;
		}
		if (location_matches(p, loc, matches, false)) {
			t->cum += value;
			t->n_cum += n;
			return;
		}
	}
}

int evidence_tally(const struct exhibit *x, const struct selection *s,
		   const char *pattern, struct tally *ret, struct err *e)
{
	const struct profile *p = x->profile;
	struct columns c;
	int rc = choose_columns(x, s, &c, e);
	bool *matches = NULL;
	if (!rc && pattern)
		rc = match_functions(p, pattern, &matches, e);
	if (rc)
		return rc;
	struct tally t = { .unit = profile_str(p,
					       p->sample_types[c.value].unit) };
	for (size_t i = 0; matches && i < p->n_functions; i++)
		t.matched |= matches[i];
	for (size_t i = 0; i < p->n_samples; i++)
		if (is_selected(p, s, i))
			tally_sample(p, &c, matches, i, &t);
	free(matches);
	*ret = t;
	return 0;
}

/* Rows by function, and the sample that last touched each (for recursion). */
struct ranking {
	const struct profile *p;
	struct ranked *rows;
	size_t *seen;
};

static void rank_sample(const struct ranking *r, const struct columns *c,
			size_t i)
{
	const struct profile *p = r->p;
	const double value =
		(double)p->values[i * p->n_sample_types + c->value];
	const double n = events_of(p, c, i);
	const struct profile_span span = p->sample_locs[i];
	for (uint32_t k = 0; k < span.count; k++) {
		const struct profile_location *l =
			&p->locations[p->locs[span.first + k]];
		for (uint32_t j = 0; j < l->line_count; j++) {
			const uint32_t f = p->lines[l->line_first + j].function;
			if (f == PROFILE_NONE)
				continue;
			struct ranked *row = &r->rows[f];
			row->own |= l->mapping == 0;
			if (k == 0 && j == 0) {
				row->flat += value;
				row->n_flat += n;
			}
			if (r->seen[f] == i + 1)
				continue;
			r->seen[f] = i + 1;
			row->cum += value;
			row->n_cum += n;
		}
	}
}

static int by_flat(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->flat != y->flat)
		return x->flat < y->flat ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int by_cum(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->cum != y->cum)
		return x->cum < y->cum ? 1 : -1;
	return by_flat(a, b);
}

int evidence_rank(const struct exhibit *x, const struct selection *s, bool cum,
		  struct ranked **ret, size_t *ret_n, struct err *e)
{
	const struct profile *p = x->profile;
	struct columns c;
	const int rc = choose_columns(x, s, &c, e);
	if (rc)
		return rc;
	const struct ranking r = {
		.p = p,
		.rows = calloc(p->n_functions + 1, sizeof(*r.rows)),
		.seen = calloc(p->n_functions + 1, sizeof(*r.seen)),
	};
	if (!r.rows || !r.seen) {
		free(r.rows);
		free(r.seen);
		return ERR_NOMEM;
	}
	for (size_t f = 0; f < p->n_functions; f++)
		r.rows[f].name = profile_str(p, p->functions[f].name);
	for (size_t i = 0; i < p->n_samples; i++)
		if (is_selected(p, s, i))
			rank_sample(&r, &c, i);
	free(r.seen);
	qsort(r.rows, p->n_functions, sizeof(*r.rows), cum ? by_cum : by_flat);
	*ret = r.rows;
	*ret_n = p->n_functions;
	return 0;
}
