/* evidence_tally.c - how much, out of how much: see evidence.h. */
#include "base/attr.h"
#include "base/err.h"
#include "tools/evidence_private.h"
#include "tools/pattern.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int evidence_columns(const struct exhibit *x, const struct selection *s,
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
	c->exact = !strcmp(name, "threads") || !strcmp(name, "goroutine");
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

double evidence_events(const struct profile *p, const struct columns *c,
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
		char number[24];
		snprintf(number, sizeof(number), "%" PRId64, l->num);
		if (!strcmp(profile_str(p, l->key), key) &&
		    !strcmp(l->str ? profile_str(p, l->str) : number, value))
			return true;
	}
	return false;
}

bool evidence_is_selected(const struct profile *p, const struct selection *s,
			  size_t i)
{
	for (size_t k = 0; k < s->n_labels; k++)
		if (!has_label(p, i, s->label_keys[k], s->label_values[k]))
			return false;
	return true;
}

int evidence_match(const struct profile *p, const char *pattern,
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

/* Does sample i count as part of the subject? */
static bool is_part(const struct profile *p, const struct subject *of,
		    const bool *matches, size_t i)
{
	if (of->kind == SUBJECT_LABEL)
		return has_label(p, i, of->key, of->label_value);
	if (of->kind == SUBJECT_ALL)
		return true;
	const bool leaf = of->kind == SUBJECT_FLAT;
	const struct profile_span span = p->sample_locs[i];
	const uint32_t n = leaf && span.count ? 1 : span.count;
	for (uint32_t k = 0; k < n; k++)
		if (location_matches(p, p->locs[span.first + k], matches, leaf))
			return true;
	return false;
}

int evidence_tally(const struct exhibit *x, const struct selection *s,
		   const struct subject *of, struct tally *ret, struct err *e)
{
	const struct profile *p = x->profile;
	struct columns c;
	int rc = evidence_columns(x, s, &c, e);
	bool *matches = NULL;
	if (!rc && of->pattern)
		rc = evidence_match(p, of->pattern, &matches, e);
	if (rc)
		return rc;
	struct tally t = {
		.unit = profile_str(p, p->sample_types[c.value].unit),
		.matched = !of->pattern,
		.exact = c.exact,
	};
	for (size_t i = 0; matches && i < p->n_functions; i++)
		t.matched |= matches[i];
	for (size_t i = 0; i < p->n_samples; i++) {
		if (!evidence_is_selected(p, s, i))
			continue;
		const double value =
			(double)p->values[i * p->n_sample_types + c.value];
		const double n = evidence_events(p, &c, i);
		const bool part = is_part(p, of, matches, i);
		t.total += value;
		t.n_total += n;
		t.part += part ? value : 0;
		t.n_part += part ? n : 0;
		const double var = n > 0 ? value * value / n : 0;
		t.var_total += var;
		t.var_part += part ? var : 0;
	}
	free(matches);
	*ret = t;
	return 0;
}

/* Add one exhibit's value to the series. */
static int add_value(const struct exhibit *x, const struct selection *s,
		     const struct subject *of, struct series *ret,
		     struct err *e)
{
	double *value = &ret->values[ret->n], *error = &ret->errors[ret->n];
	*error = 0;
	if (of->kind == SUBJECT_FIELD) {
		ret->unit = "";
		ret->n++;
		return evidence_field(x, of->field, value, e);
	}
	struct tally t;
	const int rc = evidence_tally(x, s, of, &t, e);
	if (rc)
		return rc;
	*value = t.part;
	if (!t.exact)
		*error = sqrt(t.var_part);
	ret->unit = t.unit;
	ret->n++;
	return 0;
}

int evidence_values(const struct evidence *v, const struct selection *s,
		    const struct subject *of, struct series *ret, struct err *e)
{
	const struct exhibit *all[EVIDENCE_MAX];
	const size_t n = evidence_series(v, s->profile, all);
	const struct exhibit *base = NULL;
	ret->n = 0;
	ret->unit = "";
	if (s->base) {
		base = evidence_last(v, s->base);
		if (!base)
			return err_set(e, ERR_NOTFOUND,
				       "no %s profile was given", s->base);
	}
	int rc = base ? add_value(base, s, of, ret, e) : 0;
	/* Since a base, the last is what counts. */
	for (size_t i = base && n ? n - 1 : 0; i < n && !rc; i++)
		rc = add_value(all[i], s, of, ret, e);
	return rc;
}
