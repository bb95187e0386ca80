/*
 * judge_private.h - between the files that judge: measures of one profile
 * (judge_measures.c), of a series (judge_series.c), answers (judge_answers.c).
 */
#ifndef PROFLAB_TOOLS_JUDGE_PRIVATE_H
#define PROFLAB_TOOLS_JUDGE_PRIVATE_H

#include "tools/judge.h"

/* One finding on trial: what was expected, the evidence, the judgement. */
struct trial {
	const struct finding *f;
	const struct evidence *v;
	const struct exhibit *last; /* of the finding's kind */
	struct judgement *j;
	struct err *e;
};

/* An amount with its unit, as people read it. */
void judge_put_amount(struct buf *b, double v, const char *unit);
/* Where an interval lies, seen from the expectation. */
enum verdict judge_compare(const struct expectation *x, double low,
			   double high);
/* ERR_NOTFOUND with text. */
int judge_no_profile(const char *kind, struct err *e);

/* Each fills *t->j.  Returns: 0, or an error with text. */
int judge_share(const struct trial *t);
int judge_amount(const struct trial *t);
int judge_rate(const struct trial *t);
int judge_rank(const struct trial *t);
int judge_ratio(const struct trial *t);
int judge_growth(const struct trial *t);
int judge_rise(const struct trial *t);
int judge_trend(const struct trial *t);

#endif
