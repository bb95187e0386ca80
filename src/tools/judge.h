/*
 * judge.h - a finding or an answer put to the evidence: PASS, FAIL or
 * INCONCLUSIVE, with the figures.
 *
 * A share passes when its interval lies wholly on the expected side of the
 * threshold, fails when it lies wholly on the other, and is inconclusive
 * between: then more samples are needed, and the text says how many.  Events
 * of a heap, or of a lock, weigh differently: intervals go by their weights.
 */
#ifndef PROFLAB_TOOLS_JUDGE_H
#define PROFLAB_TOOLS_JUDGE_H

#include "base/buf.h"
#include "tools/evidence.h"
#include "tools/findings.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_INCONCLUSIVE };

const char *verdict_name(enum verdict v);

struct judgement {
	enum verdict verdict;
	double value, low, high; /* as measured */
	bool empty;		 /* a share of nothing: there is no sample */
	struct buf found;	 /* for people; owned */
	struct buf why;		 /* what it means; owned */
};

void judgement_free(struct judgement *j);

/*
 * Is there enough to judge by?  VERDICT_INCONCLUSIVE with the reason when a
 * minimum of the file is not met; VERDICT_PASS otherwise.
 * Returns: 0, ERR_NOTFOUND (no profile of a kind that a finding needs), or
 * another error, with text.
 */
int judge_minimums(const struct findings *f, const struct evidence *v,
		   struct judgement *ret, struct err *e);

/* Returns: 0, or ERR_NOTFOUND / ERR_INVALID / ERR_NOMEM with text. */
int judge_finding(const struct finding *f, const struct evidence *v,
		  struct judgement *ret, struct err *e);

/* answer is what the learner wrote; NULL or "" = nothing yet (FAIL). */
int judge_answer(const struct question *q, const char *answer,
		 const struct evidence *v, struct judgement *ret,
		 struct err *e);

#endif
