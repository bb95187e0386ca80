/*
 * sampler_internal.h - what the sampler's files share: under the registry's
 * lock (thread.h), all of it.
 */
#ifndef PROFLAB_PPROF_SAMPLER_INTERNAL_H
#define PROFLAB_PPROF_SAMPLER_INTERNAL_H

#include "pprof/lost.h"
#include "pprof/sampler.h"
#include "pprof/thread.h"

#include <stdbool.h>

/* Does sampling go on?  Who waited for the lock while it was stopped must arm
 * nothing any more. */
bool sampler_goes_on(void);
/* Begin to sample t, whose points begin at that value of its clock. */
void sampler_arm(struct thread *t, int64_t base);
void sampler_add_named(const struct thread *t, uint32_t labels,
		       enum sampler_tag tag, int64_t points);
void sampler_add_lost(enum lost_cause cause, int64_t points);
/* t has that many points pending: are they lost for a reason? */
void sampler_settle(struct thread *t, int64_t points);
/* One more thread went unsampled, for want of a slot; ended unseen. */
void sampler_count_no_slot(void);
void sampler_count_unseen(void);

#endif
