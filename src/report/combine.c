/* combine.c - see combine.h. */
#include "report/combine.h"

#include "base/err.h"
#include "profile/profile.h"
#include "report/arith.h"
#include "report/export.h"
#include "report/measure.h"
#include "report/view.h"

#include <stdlib.h>
#include <string.h>

/* "sample" and "samples" are the same. */
static bool same_type(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);
	m -= m && a[m - 1] == 's';
	n -= n && b[n - 1] == 's';
	return m == n && memcmp(a, b, m) == 0;
}

struct named_type {
	const char *type, *unit;
};

static struct named_type name_type(const struct profile *p,
				   const struct profile_value_type *t)
{
	return (struct named_type){ profile_str(p, t->type),
				    profile_str(p, t->unit) };
}

static const struct profile_value_type *type_at(const struct profile *p,
						size_t t)
{
	return t == SIZE_MAX ? &p->period_type : &p->sample_types[t];
}

/*
 * The finest unit of type t (SIZE_MAX: the period) of all profiles.
 */
static int find_unit(struct profile **ps, size_t n, size_t t,
		     const char **ret_unit, struct err *e)
{
	struct named_type min = name_type(ps[0], type_at(ps[0], t));
	for (size_t i = 1; i < n; i++) {
		const struct named_type other =
			name_type(ps[i], type_at(ps[i], t));
		if (!same_type(min.type, other.type) ||
		    !measure_compatible(min.unit, other.unit))
			return err_set(e, ERR_INVALID,
				       "%s types: incompatible types: "
				       "{%s %s} {%s %s}",
				       t == SIZE_MAX ? "period" : "sample",
				       min.type, min.unit, other.type,
				       other.unit);
		if (measure_scale(1, other.unit, min.unit, NULL) < 1)
			min = other;
	}
	*ret_unit = min.unit;
	return 0;
}

static int scale_profile(struct profile *p, const char *const *units,
			 const char *period_unit)
{
	double *ratios = calloc(p->n_sample_types + 1, sizeof(*ratios));
	int rc = ERR_NOMEM;
	if (!ratios)
		return rc;
	p->period = i64_from_double(
		measure_scale(p->period, profile_str(p, p->period_type.unit),
			      period_unit, NULL));
	p->period_type.unit = profile_intern(p, period_unit);
	if (p->period_type.unit == PROFILE_NONE)
		goto out;
	for (size_t t = 0; t < p->n_sample_types; t++) {
		const char *unit = profile_str(p, p->sample_types[t].unit);
		ratios[t] = measure_scale(1, unit, units[t], NULL);
		p->sample_types[t].unit = profile_intern(p, units[t]);
		if (p->sample_types[t].unit == PROFILE_NONE)
			goto out;
	}
	profile_scale(p, ratios);
	rc = 0;
out:
	free(ratios);
	return rc;
}

static int make_units_equal(struct profile **ps, size_t n, struct err *e)
{
	const size_t n_types = ps[0]->n_sample_types;
	for (size_t i = 1; i < n; i++)
		if (ps[i]->n_sample_types != n_types)
			return err_set(e, ERR_INVALID,
				       "inconsistent samples type count: "
				       "%zu != %zu",
				       n_types, ps[i]->n_sample_types);
	const char *period_unit;
	const char **units = calloc(n_types + 1, sizeof(*units));
	if (!units)
		return err_set(e, ERR_NOMEM, "out of memory");
	int rc = find_unit(ps, n, SIZE_MAX, &period_unit, e);
	for (size_t t = 0; t < n_types && !rc; t++)
		rc = find_unit(ps, n, t, &units[t], e);
	for (size_t i = 0; i < n && !rc; i++)
		rc = scale_profile(ps[i], units, period_unit);
	free(units);
	return rc;
}

static void free_all(struct profile **ps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		profile_free(ps[i]);
		ps[i] = NULL;
	}
}

int combine_profiles(struct profile **ps, size_t n,
		     struct profile **ret_profile, struct err *e)
{
	int rc;
	if (n == 1) {
		rc = profile_compact(&ps[0], e);
		if (!rc) {
			*ret_profile = ps[0];
			ps[0] = NULL;
		}
		return rc;
	}
	rc = make_units_equal(ps, n, e);
	if (!rc)
		rc = profile_merge((const struct profile *const *)ps, n,
				   ret_profile, e);
	free_all(ps, n);
	return rc;
}

/* A copy in which every sample says that it is of the base. */
static int mark_base(const struct profile *base, struct profile **ret_marked)
{
	struct view v;
	const struct export_options mark = { .key = "pprof::base",
					     .value = "true" };
	int rc = view_init(&v, base);
	if (rc)
		return rc;
	rc = export_view(&v, &mark, ret_marked);
	view_free(&v);
	return rc;
}

static int negate(struct profile *p)
{
	double *ratios = calloc(p->n_sample_types + 1, sizeof(*ratios));
	if (!ratios)
		return ERR_NOMEM;
	for (size_t t = 0; t < p->n_sample_types; t++)
		ratios[t] = -1;
	profile_scale(p, ratios);
	free(ratios);
	return 0;
}

int combine_subtract(struct profile *p, struct profile *base,
		     const struct combine_base *options,
		     struct profile **ret_profile, struct err *e)
{
	struct profile *both[] = { p, base };
	int rc = 0;
	if (options->mark) {
		struct profile *marked;
		rc = mark_base(base, &marked);
		if (!rc) {
			profile_free(base);
			both[1] = marked;
		}
	}
	if (!rc && options->normalize)
		rc = profile_normalize(p, both[1], e);
	if (!rc)
		rc = negate(both[1]);
	if (rc) {
		free_all(both, 2);
		return rc == ERR_NOMEM ? err_set(e, rc, "out of memory") : rc;
	}
	return combine_profiles(both, 2, ret_profile, e);
}
