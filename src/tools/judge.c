/* judge.c - see judge.h. */
#include "tools/judge.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/parse.h"
#include "tools/interval.h"
#include "tools/pattern.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = { "PASS", "FAIL", "INCONCLUSIVE" };
	return names[v];
}

void judgement_free(struct judgement *j)
{
	buf_free(&j->found);
	buf_free(&j->why);
}

/* An amount with its unit, as people read it. */
static void put_amount(struct buf *b, double v, const char *unit)
{
	char text[PARSE_DURATION_TEXT];
	if (!strcmp(unit, "nanoseconds")) {
		/* Three figures are enough for a measured time. */
		const double digits = v ? floor(log10(fabs(v))) - 3 : 0;
		const double step = digits > 0 ? pow(10, digits) : 1;
		buf_append_str(
			b, format_duration((int64_t)(round(v / step) * step),
					   text));
	} else if (!strcmp(unit, "bytes")) {
		if (fabs(v) < 1e3)
			buf_printf(b, "%.0f B", v);
		else if (fabs(v) < 1e6)
			buf_printf(b, "%.1f kB", v / 1e3);
		else
			buf_printf(b, "%.1f MB", v / 1e6);
	} else {
		buf_printf(b, "%.0f", v);
	}
}

/* Where an interval lies, seen from the expectation. */
static enum verdict compare(const struct expectation *x, double low,
			    double high)
{
	switch (x->op) {
	case EXPECT_AT_LEAST:
		return low >= x->value	 ? VERDICT_PASS
		       : high < x->value ? VERDICT_FAIL
					 : VERDICT_INCONCLUSIVE;
	case EXPECT_AT_MOST:
		return high <= x->value ? VERDICT_PASS
		       : low > x->value ? VERDICT_FAIL
					: VERDICT_INCONCLUSIVE;
	case EXPECT_EQUAL:
		break;
	}
	return x->value >= low && x->value <= high ? VERDICT_PASS
						   : VERDICT_FAIL;
}

static int no_profile(const char *kind, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "no %s profile was given", kind);
}

struct subject {
	const struct finding *f;
	const struct evidence *v;
	const struct exhibit *last;
	struct judgement *j;
	struct err *e;
};

static int judge_share(const struct subject *s)
{
	const struct measure *m = &s->f->measure;
	struct tally t;
	const int rc =
		evidence_tally(s->last, &s->f->selection, m->pattern, &t, s->e);
	if (rc)
		return rc;
	struct judgement *j = s->j;
	const double part = m->cum ? t.cum : t.flat;
	const double k = m->cum ? t.n_cum : t.n_flat;
	const struct interval i = interval_share(k, t.n_total);
	j->value = t.total ? part / t.total : 0;
	/* The interval is of events; values may weigh them differently. */
	const double shift = j->value - (t.n_total ? k / t.n_total : 0);
	j->low = fmax(0, i.low + shift);
	j->high = fmin(1, i.high + shift);
	buf_printf(&j->found, "%.1f %% (%.1f to %.1f %%; %.0f of %.0f samples)",
		   100 * j->value, 100 * j->low, 100 * j->high, k, t.n_total);
	j->verdict = t.n_total > 0 ? compare(&s->f->expect, j->low, j->high)
				   : VERDICT_INCONCLUSIVE;
	if (!t.matched)
		buf_printf(&j->why, "No function in this profile matches %s. ",
			   m->pattern);
	if (j->verdict == VERDICT_INCONCLUSIVE && t.n_total > 0)
		buf_printf(&j->why,
			   "The interval holds the threshold: about %.0f "
			   "samples would decide. ",
			   interval_events_needed(j->value,
						  s->f->expect.value));
	return 0;
}

/* The rank among the program's own functions, and how sure it is. */
static int judge_rank(const struct subject *s)
{
	const struct measure *m = &s->f->measure;
	struct ranked *rows;
	size_t n;
	int rc = evidence_rank(s->last, &s->f->selection, m->cum, &rows, &n,
			       s->e);
	if (rc)
		return rc;
	struct pattern *re;
	rc = pattern_new(m->pattern, PATTERN_WHOLE, &re, s->e);
	if (rc) {
		free(rows);
		return rc;
	}
	const struct ranked *first = NULL, *second = NULL, *mine = NULL;
	double rank = 0;
	for (size_t i = 0; i < n && !mine; i++) {
		if (!rows[i].own || !(m->cum ? rows[i].cum : rows[i].flat))
			continue;
		rank++;
		if (pattern_matches(re, rows[i].name))
			mine = &rows[i];
		else if (!first)
			first = &rows[i];
	}
	for (const struct ranked *r = mine ? mine + 1 : rows;
	     mine && r < rows + n && !second; r++)
		if (r->own)
			second = r;
	struct judgement *j = s->j;
	j->value = j->low = j->high = mine ? rank : 0;
	if (!mine) {
		j->verdict = VERDICT_FAIL;
		buf_printf(&j->found, "not there at all; the first is %s",
			   first ? first->name : "nothing");
	} else {
		j->verdict = compare(&s->f->expect, rank, rank);
		buf_printf(&j->found, "number %.0f, %s%s", rank,
			   rank > 1 ? "behind "
			   : second ? "before "
				    : "alone",
			   rank > 1 ? first->name
			   : second ? second->name
				    : "");
		/* Two neighbours whose events differ by chance alone. */
		const struct ranked *other = rank > 1 ? first : second;
		const double a = m->cum ? mine->n_cum : mine->n_flat;
		const double b = !other	  ? 0
				 : m->cum ? other->n_cum
					  : other->n_flat;
		if (other && fabs(a - b) < 1.96 * sqrt(a + b)) {
			j->verdict = VERDICT_INCONCLUSIVE;
			buf_printf(&j->why,
				   "%s and %s are too close to call (%.0f and "
				   "%.0f samples). ",
				   mine->name, other->name, a, b);
		}
	}
	pattern_free(re);
	free(rows);
	return 0;
}

static int judge_amount(const struct subject *s)
{
	const struct measure *m = &s->f->measure;
	struct tally t;
	const int rc =
		evidence_tally(s->last, &s->f->selection, m->pattern, &t, s->e);
	if (rc)
		return rc;
	const bool total = m->kind == MEASURE_TOTAL;
	const double v = total ? t.total : m->cum ? t.cum : t.flat;
	const double n = total ? t.n_total : m->cum ? t.n_cum : t.n_flat;
	const struct interval i = interval_amount(v, n);
	struct judgement *j = s->j;
	j->value = v;
	j->low = i.low;
	j->high = i.high;
	put_amount(&j->found, v, t.unit);
	buf_append_str(&j->found, " (");
	put_amount(&j->found, i.low, t.unit);
	buf_append_str(&j->found, " to ");
	put_amount(&j->found, i.high, t.unit);
	buf_printf(&j->found, "; %.0f samples)", n);
	j->verdict = compare(&s->f->expect, j->low, j->high);
	return 0;
}

static int judge_ratio(const struct subject *s)
{
	const struct measure *m = &s->f->measure;
	struct tally a, b;
	int rc =
		evidence_tally(s->last, &s->f->selection, m->pattern, &a, s->e);
	if (!rc)
		rc = evidence_tally(s->last, &s->f->selection, m->other, &b,
				    s->e);
	if (rc)
		return rc;
	const double va = m->cum ? a.cum : a.flat,
		     na = m->cum ? a.n_cum : a.n_flat;
	const double vb = m->cum ? b.cum : b.flat,
		     nb = m->cum ? b.n_cum : b.n_flat;
	struct judgement *j = s->j;
	if (!(vb > 0) || !(na > 0)) {
		buf_printf(&j->found, "nothing to divide");
		j->verdict = VERDICT_INCONCLUSIVE;
		return 0;
	}
	const double spread = exp(1.96 * sqrt(1 / na + 1 / nb));
	j->value = va / vb;
	j->low = j->value / spread;
	j->high = j->value * spread;
	buf_printf(&j->found, "%.2f (%.2f to %.2f; %.0f and %.0f samples)",
		   j->value, j->low, j->high, na, nb);
	j->verdict = compare(&s->f->expect, j->low, j->high);
	return 0;
}

/* Values and standard errors of a series of one kind. */
static int read_series(const struct subject *s, double *values, double *errors,
		       size_t *ret_n, const char **ret_unit)
{
	const struct measure *m = &s->f->measure;
	const struct exhibit *series[EVIDENCE_MAX];
	const size_t n = evidence_series(s->v, s->f->selection.profile, series);
	for (size_t i = 0; i < n; i++) {
		struct tally t;
		const int rc = evidence_tally(series[i], &s->f->selection,
					      m->pattern, &t, s->e);
		if (rc)
			return rc;
		const double events = m->cum ? t.n_cum : t.n_flat;
		values[i] = m->cum ? t.cum : t.flat;
		errors[i] = events > 0 ? values[i] / sqrt(events) : 0;
		*ret_unit = t.unit;
	}
	*ret_n = n;
	return 0;
}

static int judge_series(const struct subject *s)
{
	double values[EVIDENCE_MAX], errors[EVIDENCE_MAX];
	size_t n;
	const char *unit = "";
	const int rc = read_series(s, values, errors, &n, &unit);
	if (rc)
		return rc;
	if (n < 2)
		return err_set(s->e, ERR_NOTFOUND,
			       "%s needs two or more %s profiles, in the order "
			       "of time",
			       s->f->name, s->f->selection.profile);
	struct judgement *j = s->j;
	j->value = values[n - 1] - values[0];
	const double half = 1.96 * hypot(errors[0], errors[n - 1]);
	j->low = j->value - half;
	j->high = j->value + half;
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_append_str(&j->found, " -> ");
		put_amount(&j->found, values[i], unit);
	}
	if (s->f->measure.kind == MEASURE_GROWTH) {
		j->verdict = compare(&s->f->expect, j->low, j->high);
		return 0;
	}
	static const char *const names[] = { "flat", "grows steadily",
					     "rises and falls" };
	const enum trend trend = interval_trend(values, errors, n);
	buf_printf(&j->found, ": %s", names[trend]);
	j->verdict = trend == s->f->expect.trend ? VERDICT_PASS
							   : VERDICT_FAIL;
	return 0;
}

int judge_finding(const struct finding *f, const struct evidence *v,
		  struct judgement *ret, struct err *e)
{
	static int (*const measures[MEASURE_KINDS])(const struct subject *) = {
		[MEASURE_SHARE] = judge_share,	 [MEASURE_RANK] = judge_rank,
		[MEASURE_GROWTH] = judge_series, [MEASURE_TREND] = judge_series,
		[MEASURE_AMOUNT] = judge_amount, [MEASURE_TOTAL] = judge_amount,
		[MEASURE_RATIO] = judge_ratio,
	};
	struct judgement j = { .verdict = VERDICT_INCONCLUSIVE };
	const struct subject s = {
		.f = f,
		.v = v,
		.last = evidence_last(v, f->selection.profile),
		.j = &j,
		.e = e,
	};
	if (!s.last)
		return no_profile(f->selection.profile, e);
	const int rc = measures[f->measure.kind](&s);
	if (rc) {
		judgement_free(&j);
		return rc;
	}
	if (j.verdict == VERDICT_PASS)
		buf_append_str(&j.why, f->pass);
	else if (j.verdict == VERDICT_FAIL)
		buf_append_str(&j.why, f->fail);
	*ret = j;
	return 0;
}

int judge_minimums(const struct findings *f, const struct evidence *v,
		   struct judgement *ret, struct err *e)
{
	struct judgement j = { .verdict = VERDICT_PASS };
	for (size_t i = 0; i < f->n_minimums; i++) {
		const struct minimum *m = &f->minimums[i];
		const struct exhibit *x = evidence_last(v, m->profile);
		if (!x)
			return no_profile(m->profile, e);
		const struct selection all = { .profile = m->profile };
		struct tally t;
		const int rc = evidence_tally(x, &all, NULL, &t, e);
		if (rc)
			return rc;
		char lasted[PARSE_DURATION_TEXT], needed[PARSE_DURATION_TEXT];
		format_duration(x->profile->duration_nanos, lasted);
		format_duration(m->duration_ns, needed);
		/* A stop may come a tick early. */
		if (x->profile->duration_nanos < m->duration_ns * 95 / 100)
			buf_printf(&j.why,
				   "The %s profile lasted %s; at least %s are "
				   "needed. ",
				   m->profile, lasted, needed);
		if (t.n_total < (double)m->samples)
			buf_printf(&j.why,
				   "The %s profile holds %.0f samples; at "
				   "least %" PRId64 " are needed: was the "
				   "server under load? ",
				   m->profile, t.n_total, m->samples);
	}
	if (j.why.len)
		j.verdict = VERDICT_INCONCLUSIVE;
	*ret = j;
	return 0;
}

/* What the learner's function really is, in the profile's own numbers. */
static void explain_first(struct judgement *j, const struct ranked *rows,
			  size_t n, const struct ranked *truth,
			  const char *answer, bool cum)
{
	const struct ranked *named = NULL;
	for (size_t i = 0; i < n && !named; i++)
		if (!strcmp(rows[i].name, answer))
			named = &rows[i];
	double total = 0;
	for (size_t i = 0; i < n; i++)
		total += rows[i].flat;
	if (!named) {
		buf_printf(&j->why,
			   "No function of that name is in the profile. Copy "
			   "the name as top prints it. ");
		return;
	}
	const double flat = total ? 100 * named->flat / total : 0;
	const double whole = total ? 100 * named->cum / total : 0;
	buf_printf(&j->why, "%s is %.0f %% cumulative but %.0f %% flat", answer,
		   whole, flat);
	if (!cum && whole > 4 * flat)
		buf_append_str(&j->why, ": which callee holds the time? ");
	else if (truth && !named->own)
		buf_append_str(&j->why, ", and is not the program's own: who "
					"calls it? ");
	else
		buf_append_str(&j->why, ": another has more. ");
}

static int answer_first(const struct question *q, const char *answer,
			const struct exhibit *x, struct judgement *j,
			struct err *e)
{
	struct ranked *rows;
	size_t n;
	const bool cum = q->measure.cum;
	const int rc = evidence_rank(x, &q->selection, cum, &rows, &n, e);
	if (rc)
		return rc;
	const struct ranked *truth = NULL;
	for (size_t i = 0; i < n && !truth; i++)
		if (rows[i].own && (cum ? rows[i].cum : rows[i].flat) > 0)
			truth = &rows[i];
	j->verdict = truth && !strcmp(truth->name, answer) ? VERDICT_PASS
							   : VERDICT_FAIL;
	if (j->verdict == VERDICT_FAIL)
		explain_first(j, rows, n, truth, answer, cum);
	free(rows);
	return 0;
}

static int answer_number(const struct question *q, const char *answer,
			 const struct evidence *v, struct judgement *j,
			 struct err *e)
{
	char *end;
	const double said = strtod(answer, &end);
	end += strspn(end, " %");
	if (end == answer || *end) {
		j->verdict = VERDICT_FAIL;
		buf_printf(&j->why, "That is not a number. ");
		return 0;
	}
	const struct finding f = { .name = q->name,
				   .selection = q->selection,
				   .measure = q->measure,
				   .expect = { .op = EXPECT_AT_LEAST },
				   .pass = "",
				   .fail = "" };
	struct judgement truth;
	const int rc = judge_finding(&f, v, &truth, e);
	if (rc)
		return rc;
	const bool share = q->measure.kind == MEASURE_SHARE;
	const double scale = share ? 100 : 1;
	const double low = truth.low * scale - q->tolerance;
	const double high = truth.high * scale + q->tolerance;
	j->verdict = said >= low && said <= high ? VERDICT_PASS : VERDICT_FAIL;
	buf_printf(&j->found, "%s", buf_str(&truth.found));
	if (j->verdict == VERDICT_FAIL)
		buf_printf(&j->why, "You said %s; the profile says %s. ",
			   answer, buf_str(&truth.found));
	judgement_free(&truth);
	return 0;
}

static int answer_word(const struct question *q, const char *answer,
		       struct judgement *j, struct err *e)
{
	struct pattern *re;
	const int rc = pattern_new(q->accept, PATTERN_WHOLE, &re, e);
	if (rc)
		return rc;
	j->verdict = pattern_matches(re, answer) ? VERDICT_PASS : VERDICT_FAIL;
	pattern_free(re);
	return 0;
}

int judge_answer(const struct question *q, const char *answer,
		 const struct evidence *v, struct judgement *ret, struct err *e)
{
	struct judgement j = { .verdict = VERDICT_FAIL };
	const struct exhibit *x = evidence_last(v, q->selection.profile);
	int rc = 0;
	if (!answer || !*answer)
		buf_append_str(&j.why, "No answer yet. ");
	else if (!x)
		rc = no_profile(q->selection.profile, e);
	else if (q->kind == ANSWER_FIRST)
		rc = answer_first(q, answer, x, &j, e);
	else if (q->kind == ANSWER_NUMBER)
		rc = answer_number(q, answer, v, &j, e);
	else
		rc = answer_word(q, answer, &j, e);
	if (rc) {
		judgement_free(&j);
		return rc;
	}
	if (j.verdict == VERDICT_FAIL && q->hint)
		buf_append_str(&j.why, q->hint);
	*ret = j;
	return 0;
}
