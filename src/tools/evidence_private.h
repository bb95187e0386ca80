/*
 * evidence_private.h - between the files that read evidence: which samples and
 * columns a selection means.
 */
#ifndef PROFLAB_TOOLS_EVIDENCE_PRIVATE_H
#define PROFLAB_TOOLS_EVIDENCE_PRIVATE_H

#include "tools/evidence.h"

/* The columns that a selection reads. */
struct columns {
	uint32_t value;
	uint32_t count; /* of the objects behind the value, or PROFILE_NONE */
	bool poisson;	/* heap: counts are unsampled; scale back to events */
	bool exact;	/* threads: all are there */
};

/* Returns: 0, ERR_INVALID with text. */
int evidence_columns(const struct exhibit *x, const struct selection *s,
		     struct columns *c, struct err *e);
/* How many events of the sampler stand behind sample i. */
double evidence_events(const struct profile *p, const struct columns *c,
		       size_t i);
bool evidence_is_selected(const struct profile *p, const struct selection *s,
			  size_t i);
/*
 * One flag a function: does its name match?  Owns: the caller frees.
 * Returns: 0, ERR_INVALID with text, ERR_NOMEM.
 */
int evidence_match(const struct profile *p, const char *pattern,
		   bool **ret_matches, struct err *e);

#endif
