/*
 * combine.h - several profiles as one, and one compared with another.
 */
#ifndef PROFLAB_REPORT_COMBINE_H
#define PROFLAB_REPORT_COMBINE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct profile;

/*
 * Add them up.  Units that differ (ms, ns) are made the finer one first.  One
 * profile alone is compacted.
 * Owns: the profiles are freed, whatever happens, and their pointers NULL.
 * Returns: 0 and a profile that the caller owns; ERR_INVALID with the types
 * that differ; ERR_NOMEM; ERR_LIMIT.
 */
int combine_profiles(struct profile **ps, size_t n,
		     struct profile **ret_profile, struct err *e);

struct combine_base {
	bool mark;	/* -diff_base: percentages shall refer to the base */
	bool normalize; /* scale p to the base's total first */
};

/*
 * p - base.  Owns: both are freed, whatever happens.
 * Returns: as combine_profiles.
 */
int combine_subtract(struct profile *p, struct profile *base,
		     const struct combine_base *options,
		     struct profile **ret_profile, struct err *e);

#endif
