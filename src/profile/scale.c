/* scale.c - arithmetic on the values of one profile. */
#include "profile/profile.h"

#include "base/err.h"
#include "profile/private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Go's int64(math.Round(x)) on amd64, where what does not fit (and what is not
 * a number) becomes the smallest number; in C it would be undefined.
 */
static int64_t round_like_go(double x)
{
	const double r = round(x);
	return r >= -0x1p63 && r < 0x1p63 ? (int64_t)r : INT64_MIN;
}

/* Sample i becomes sample `to`: its locations and labels stay where they are.
 */
static void move_sample(struct profile *p, size_t to, size_t i)
{
	if (to == i)
		return;
	p->sample_locs[to] = p->sample_locs[i];
	p->sample_labels[to] = p->sample_labels[i];
	memcpy(p->values + to * p->n_sample_types,
	       p->values + i * p->n_sample_types,
	       p->n_sample_types * sizeof(*p->values));
}

void profile_scale(struct profile *p, const double *ratios)
{
	const size_t n_types = p->n_sample_types;
	bool all_one = true;
	for (size_t t = 0; t < n_types; t++)
		all_one &= ratios[t] == 1;
	if (all_one)
		return;
	size_t kept = 0;
	for (size_t i = 0; i < p->n_samples; i++) {
		int64_t *v = p->values + i * n_types;
		bool keep = false;
		for (size_t t = 0; t < n_types; t++) {
			if (ratios[t] == 1)
				continue;
			v[t] = round_like_go((double)v[t] * ratios[t]);
			keep |= v[t] != 0;
		}
		if (keep)
			move_sample(p, kept++, i);
	}
	p->n_samples = kept;
}

void profile_negate(struct profile *p)
{
	for (size_t i = 0; i < p->n_samples * p->n_sample_types; i++)
		p->values[i] = (int64_t) - (uint64_t)p->values[i];
}

static bool same_type(const struct profile *a, struct profile_value_type s,
		      const struct profile *b, struct profile_value_type t)
{
	return !strcmp(profile_str(a, s.type), profile_str(b, t.type)) &&
	       !strcmp(profile_str(a, s.unit), profile_str(b, t.unit));
}

/* "cpu/nanoseconds", several with spaces between; cut to the buffer. */
enum { TYPES_TEXT = 160 };
static const char *types_text(const struct profile *p,
			      const struct profile_value_type *t, size_t n,
			      char text[static TYPES_TEXT])
{
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < n && len < TYPES_TEXT; i++) {
		const int more =
			snprintf(text + len, TYPES_TEXT - len, "%s%s/%s",
				 i ? " " : "", profile_str(p, t[i].type),
				 profile_str(p, t[i].unit));
		len += more > 0 ? (size_t)more : 0;
	}
	return text;
}

int profile_compatible(const struct profile *a, const struct profile *b,
		       struct err *e)
{
	char as[TYPES_TEXT], bs[TYPES_TEXT];
	if (!same_type(a, a->period_type, b, b->period_type))
		return err_set(e, ERR_INVALID,
			       "incompatible period types %s and %s",
			       types_text(a, &a->period_type, 1, as),
			       types_text(b, &b->period_type, 1, bs));
	bool same = a->n_sample_types == b->n_sample_types;
	for (size_t t = 0; same && t < a->n_sample_types; t++)
		same = same_type(a, a->sample_types[t], b, b->sample_types[t]);
	if (same)
		return 0;
	return err_set(e, ERR_INVALID, "incompatible sample types %s and %s",
		       types_text(a, a->sample_types, a->n_sample_types, as),
		       types_text(b, b->sample_types, b->n_sample_types, bs));
}

void profile_sums(const struct profile *p, int64_t *ret_sums)
{
	const size_t n_types = p->n_sample_types;
	for (size_t t = 0; t < n_types; t++) {
		uint64_t sum = 0;
		for (size_t i = 0; i < p->n_samples; i++)
			sum += (uint64_t)p->values[i * n_types + t];
		ret_sums[t] = (int64_t)sum;
	}
}

int profile_normalize(struct profile *p, const struct profile *base,
		      struct err *e)
{
	int rc = profile_compatible(p, base, e);
	if (rc)
		return rc;
	const size_t n = p->n_sample_types;
	int64_t *sums = calloc(2 * n + 1, sizeof(*sums));
	double *ratios = calloc(n + 1, sizeof(*ratios));
	if (sums && ratios) {
		profile_sums(p, sums);
		profile_sums(base, sums + n);
		for (size_t t = 0; t < n; t++)
			ratios[t] =
				sums[t] ? (double)sums[n + t] / (double)sums[t]
					: 0;
		profile_scale(p, ratios);
	} else {
		rc = err_set(e, ERR_NOMEM, "out of memory");
	}
	free(sums);
	free(ratios);
	return rc;
}
