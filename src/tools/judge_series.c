/* judge_series.c - measures over profiles in time: see findings.h. */
#include "base/err.h"
#include "tools/interval.h"
#include "tools/judge_private.h"

#include <math.h>

/* The series and its text; ERR_NOTFOUND where it has but one member. */
static int read_series(const struct trial *t, struct series *s)
{
	const struct finding *f = t->f;
	const int rc =
		evidence_values(t->v, &f->selection, &f->measure.of, s, t->e);
	if (rc)
		return rc;
	if (s->n < 2)
		return err_set(t->e, ERR_NOTFOUND,
			       "%s needs two or more %s profiles, in the order "
			       "of time",
			       f->name, f->selection.profile);
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			buf_append_str(&t->j->found, " -> ");
		judge_put_amount(&t->j->found, s->values[i], s->unit);
	}
	return 0;
}

/* Member i less the first. */
static void judge_difference(const struct trial *t, const struct series *s,
			     size_t i)
{
	struct judgement *j = t->j;
	const double half = 1.96 * hypot(s->errors[0], s->errors[i]);
	j->value = s->values[i] - s->values[0];
	j->low = j->value - half;
	j->high = j->value + half;
	buf_append_str(&j->found, j->value < 0 ? ": " : ": +");
	judge_put_amount(&j->found, j->value, s->unit);
	j->verdict = judge_compare(&t->f->expect, j->low, j->high);
}

int judge_growth(const struct trial *t)
{
	struct series s;
	const int rc = read_series(t, &s);
	if (!rc)
		judge_difference(t, &s, s.n - 1);
	return rc;
}

int judge_rise(const struct trial *t)
{
	struct series s;
	const int rc = read_series(t, &s);
	if (rc)
		return rc;
	size_t top = 0;
	for (size_t i = 1; i < s.n; i++)
		if (s.values[i] > s.values[top])
			top = i;
	judge_difference(t, &s, top);
	return 0;
}

int judge_trend(const struct trial *t)
{
	static const char *const names[] = {
		[TREND_FLAT] = "flat",
		[TREND_STEADY] = "grows steadily",
		[TREND_SAWTOOTH] = "rises and falls",
	};
	struct series s;
	const int rc = read_series(t, &s);
	if (rc)
		return rc;
	struct judgement *j = t->j;
	const enum trend trend = interval_trend(s.values, s.errors, s.n);
	j->value = j->low = j->high = s.values[s.n - 1] - s.values[0];
	buf_printf(&j->found, ": %s", names[trend]);
	j->verdict = trend == t->f->expect.trend ? VERDICT_PASS : VERDICT_FAIL;
	return 0;
}
