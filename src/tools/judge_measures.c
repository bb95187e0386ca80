/* judge_measures.c - measures of one profile: see findings.h. */
#include "base/err.h"
#include "tools/interval.h"
#include "tools/judge_private.h"
#include "tools/pattern.h"

#include <math.h>
#include <stdlib.h>

/*
 * An equality that holds would lie outside its 95 % interval one time in
 * twenty.  At 4.9 standard errors it is one time in a million.
 */
static const double z_equal = 4.9, z_usual = 1.96;

static int tally(const struct trial *t, struct tally *ret)
{
	return evidence_tally(t->last, &t->f->selection, &t->f->measure.of, ret,
			      t->e);
}

/*
 * How many events of one weight would leave the share p as uncertain as it is.
 * In a heap an event may stand for three large blocks or for ten thousand
 * small ones: 65 events that hold 15 % of all calls are worth fewer than 15 %
 * of 2759 would be.
 */
static double effective_events(const struct tally *a, double p)
{
	if (!(a->var_total > 0))
		return 0;
	if (p <= 0 || p >= 1)
		return a->total * a->total / a->var_total;
	const double var = (1 - p) * (1 - p) * a->var_part +
			   p * p * (a->var_total - a->var_part);
	return p * (1 - p) * a->total * a->total / var;
}

int judge_share(const struct trial *t)
{
	struct tally a;
	const int rc = tally(t, &a);
	if (rc)
		return rc;
	struct judgement *j = t->j;
	j->value = a.total ? a.part / a.total : 0;
	const double n = effective_events(&a, j->value);
	const struct interval i = interval_share(j->value * n, n);
	j->low = fmax(i.low, 0);
	j->high = fmin(i.high, 1);
	buf_printf(&j->found, "%.1f %% (%.1f to %.1f %%; %.0f of %.0f samples)",
		   100 * j->value, 100 * j->low, 100 * j->high, a.n_part,
		   a.n_total);
	j->empty = !(a.n_total > 0);
	j->verdict = j->empty ? VERDICT_INCONCLUSIVE
			      : judge_compare(&t->f->expect, j->low, j->high);
	if (!a.matched)
		buf_printf(&j->why, "No function in this profile matches %s. ",
			   t->f->measure.of.pattern);
	if (j->verdict == VERDICT_INCONCLUSIVE && !j->empty)
		buf_printf(&j->why,
			   "The interval holds the threshold: about %.0f "
			   "samples would decide. ",
			   interval_events_needed(j->value,
						  t->f->expect.value));
	return 0;
}

static void put_interval(struct judgement *j, const struct tally *a,
			 const char *per, double n)
{
	judge_put_amount(&j->found, j->value, a->unit);
	buf_append_str(&j->found, per);
	if (a->exact)
		return;
	buf_append_str(&j->found, " (");
	judge_put_amount(&j->found, j->low, a->unit);
	buf_append_str(&j->found, " to ");
	judge_put_amount(&j->found, j->high, a->unit);
	buf_printf(&j->found, "; %.0f samples)", n);
}

/* An amount, in all (over 1) or in each of so many seconds. */
static void judge_quantity(const struct trial *t, const struct tally *a,
			   double over, const char *per)
{
	const bool total = t->f->measure.kind == MEASURE_TOTAL;
	const double v = (total ? a->total : a->part) / over;
	const double var = total ? a->var_total : a->var_part;
	const double half = a->exact ? 0 : z_usual * sqrt(var) / over;
	t->j->value = v;
	t->j->low = v - half;
	t->j->high = v + half;
	put_interval(t->j, a, per, total ? a->n_total : a->n_part);
	t->j->verdict = judge_compare(&t->f->expect, v - half, v + half);
}

/* A number in /stats is what it is. */
static int judge_field(const struct trial *t)
{
	struct judgement *j = t->j;
	const int rc = evidence_field(t->last, t->f->measure.of.field,
				      &j->value, t->e);
	if (rc)
		return rc;
	j->low = j->high = j->value;
	judge_put_amount(&j->found, j->value, "");
	j->verdict = judge_compare(&t->f->expect, j->low, j->high);
	return 0;
}

int judge_amount(const struct trial *t)
{
	if (t->f->measure.of.kind == SUBJECT_FIELD)
		return judge_field(t);
	struct tally a;
	const int rc = tally(t, &a);
	if (!rc)
		judge_quantity(t, &a, 1, "");
	return rc;
}

int judge_rate(const struct trial *t)
{
	const double seconds =
		t->last->profile
			? (double)t->last->profile->duration_nanos / 1e9
			: 0;
	if (!(seconds > 0))
		return err_set(t->e, ERR_INVALID,
			       "%s: has no duration, so it tells no rate: take "
			       "it with ?seconds=N",
			       t->last->path);
	struct tally a;
	const int rc = tally(t, &a);
	if (!rc)
		judge_quantity(t, &a, seconds, " a second");
	return rc;
}

/* Where a function stands among the program's own, and its neighbours. */
struct place {
	const struct ranked *first, *second, *mine;
	double rank;
};

static double of(const struct trial *t, double cum, double flat)
{
	return t->f->measure.of.kind == SUBJECT_CUM ? cum : flat;
}

static struct place find_place(const struct trial *t, const struct pattern *re,
			       const struct ranked *rows, size_t n)
{
	struct place p = { 0 };
	size_t i = 0;
	for (; i < n && !p.mine; i++) {
		if (!rows[i].own || !of(t, rows[i].cum, rows[i].flat))
			continue;
		p.rank++;
		if (pattern_matches(re, rows[i].name))
			p.mine = &rows[i];
		else if (!p.first)
			p.first = &rows[i];
	}
	for (; p.mine && i < n && !p.second; i++)
		if (rows[i].own)
			p.second = &rows[i];
	return p;
}

static double error(double value, double events)
{
	return events > 0 ? value / sqrt(events) : 0;
}

static void judge_place(const struct trial *t, const struct place *p)
{
	struct judgement *j = t->j;
	j->value = j->low = j->high = p->mine ? p->rank : 0;
	if (!p->mine) {
		j->verdict = VERDICT_FAIL;
		buf_printf(&j->found, "not there at all; the first is %s",
			   p->first ? p->first->name : "nothing");
		return;
	}
	j->verdict = judge_compare(&t->f->expect, p->rank, p->rank);
	const struct ranked *other = p->rank > 1 ? p->first : p->second;
	if (!other) {
		buf_append_str(&j->found, "number 1, alone");
		return;
	}
	buf_printf(&j->found, "number %.0f, %s %s", p->rank,
		   p->rank > 1 ? "behind" : "before", other->name);
	/* Two neighbours whose values differ by chance alone. */
	const double a = of(t, p->mine->n_cum, p->mine->n_flat);
	const double b = of(t, other->n_cum, other->n_flat);
	const double va = of(t, p->mine->cum, p->mine->flat);
	const double vb = of(t, other->cum, other->flat);
	if (fabs(va - vb) < z_usual * hypot(error(va, a), error(vb, b))) {
		j->verdict = VERDICT_INCONCLUSIVE;
		buf_printf(&j->why,
			   "%s and %s are too close to call (%.0f and %.0f "
			   "samples). ",
			   p->mine->name, other->name, a, b);
	}
}

int judge_rank(const struct trial *t)
{
	const struct subject *s = &t->f->measure.of;
	struct ranked *rows;
	size_t n;
	int rc = evidence_rank(t->last, &t->f->selection,
			       s->kind == SUBJECT_CUM, &rows, &n, t->e);
	if (rc)
		return rc;
	struct pattern *re;
	rc = pattern_new(s->pattern, PATTERN_WHOLE, &re, t->e);
	if (!rc) {
		const struct place p = find_place(t, re, rows, n);
		judge_place(t, &p);
		pattern_free(re);
	}
	free(rows);
	return rc;
}

/* Over the same kind of figure for other functions. */
static int judge_ratio_of_functions(const struct trial *t,
				    const struct tally *a)
{
	struct subject other = t->f->measure.of;
	other.pattern = t->f->measure.other;
	struct tally b;
	const int rc =
		evidence_tally(t->last, &t->f->selection, &other, &b, t->e);
	if (rc)
		return rc;
	struct judgement *j = t->j;
	if (!(b.part > 0) || !(a->n_part > 0)) {
		buf_append_str(&j->found, "nothing to divide");
		j->verdict = VERDICT_INCONCLUSIVE;
		return 0;
	}
	const double spread = exp(z_usual * hypot(sqrt(a->var_part) / a->part,
						  sqrt(b.var_part) / b.part));
	j->value = a->part / b.part;
	j->low = j->value / spread;
	j->high = j->value * spread;
	buf_printf(&j->found, "%.2f (%.2f to %.2f; %.0f and %.0f samples)",
		   j->value, j->low, j->high, a->n_part, b.n_part);
	j->verdict = judge_compare(&t->f->expect, j->low, j->high);
	return 0;
}

/*
 * Over what a count in /stats explains: so many things, `each` in size.  The
 * error is that of a sampler which meets so many blocks of that size, so that
 * a profile in which it met none is no surprise when there are few.
 */
static int judge_ratio_of_count(const struct trial *t, const struct tally *a)
{
	const struct measure *m = &t->f->measure;
	const struct exhibit *stats = evidence_last(t->v, "stats");
	if (!stats)
		return judge_no_profile("stats", t->e);
	double count;
	const int rc = evidence_field(stats, m->other_field, &count, t->e);
	if (rc)
		return rc;
	struct judgement *j = t->j;
	const double expected = count * m->each;
	if (!(expected > 0)) {
		buf_printf(&j->found, "nothing to divide by: .%s is %.0f",
			   m->other_field, count);
		j->verdict = VERDICT_INCONCLUSIVE;
		return 0;
	}
	const double period = (double)t->last->profile->period;
	const double met = -expm1(-m->each / fmax(period, 1));
	const double error = a->exact ? 0 : 1 / sqrt(count * met);
	const double z = t->f->expect.op == EXPECT_EQUAL ? z_equal : z_usual;
	j->value = a->part / expected;
	j->low = j->value - z * error;
	j->high = j->value + z * error;
	judge_put_amount(&j->found, a->part, a->unit);
	buf_append_str(&j->found, ", where the count explains ");
	judge_put_amount(&j->found, expected, a->unit);
	buf_printf(&j->found, " (%.0f times ", count);
	judge_put_amount(&j->found, m->each, a->unit);
	buf_printf(&j->found, "): ratio %.2f (%.2f to %.2f; %.0f samples)",
		   j->value, j->low, j->high, a->n_part);
	j->verdict = judge_compare(&t->f->expect, j->low, j->high);
	return 0;
}

int judge_ratio(const struct trial *t)
{
	struct tally a;
	const int rc = tally(t, &a);
	if (rc)
		return rc;
	return t->f->measure.other_field ? judge_ratio_of_count(t, &a)
					 : judge_ratio_of_functions(t, &a);
}
