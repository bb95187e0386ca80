/* judge.c - see judge.h. */

#include "base/attr.h"
#include "base/err.h"
#include "base/parse.h"
#include "tools/judge_private.h"

#include <inttypes.h>
#include <math.h>
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

void judge_put_amount(struct buf *b, double v, const char *unit)
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
		/* The figure and the word of a report, whose MB is 1024 *
		 * 1024 bytes: a learner holds the two side by side. */
		if (fabs(v) < 1024)
			buf_printf(b, "%.0f B", v);
		else if (fabs(v) < 1 << 20)
			buf_printf(b, "%.1f kB", v / 1024);
		else
			buf_printf(b, "%.1f MB", v / (1 << 20));
	} else {
		buf_printf(b, "%.0f", v);
	}
}

enum verdict judge_compare(const struct expectation *x, double low, double high)
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

int judge_no_profile(const char *kind, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "no %s profile was given", kind);
}

int judge_finding(const struct finding *f, const struct evidence *v,
		  struct judgement *ret, struct err *e)
{
	static int (*const measures[MEASURE_KINDS])(const struct trial *) = {
		[MEASURE_SHARE] = judge_share,	[MEASURE_AMOUNT] = judge_amount,
		[MEASURE_RATE] = judge_rate,	[MEASURE_GROWTH] = judge_growth,
		[MEASURE_RISE] = judge_rise,	[MEASURE_TREND] = judge_trend,
		[MEASURE_RANK] = judge_rank,	[MEASURE_RATIO] = judge_ratio,
		[MEASURE_TOTAL] = judge_amount,
	};
	struct judgement j = { .verdict = VERDICT_INCONCLUSIVE };
	const struct trial t = {
		.f = f,
		.v = v,
		.last = evidence_last(v, f->selection.profile),
		.j = &j,
		.e = e,
	};
	if (!t.last)
		return judge_no_profile(f->selection.profile, e);
	const int rc = measures[f->measure.kind](&t);
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
			return judge_no_profile(m->profile, e);
		const struct selection all = { .profile = m->profile };
		const struct subject whole = { .kind = SUBJECT_ALL };
		struct tally t;
		const int rc = evidence_tally(x, &all, &whole, &t, e);
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
