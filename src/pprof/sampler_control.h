/*
 * sampler_control.h - the thread "pprof": while a capture runs it looks every
 * 100 ms for threads that no hook announced, and for those that have gone.
 * It blocks all signals and is in no profile.
 */
#ifndef PROFLAB_PPROF_SAMPLER_CONTROL_H
#define PROFLAB_PPROF_SAMPLER_CONTROL_H

#include <stdint.h>

struct thread;

/* A capture begins now; under the registry's lock. */
void sampler_control_prepare(void);
/*
 * Find the threads there are, then start to watch.
 * Returns: 0, ERR_IO (no /proc), ERR_NOMEM (no thread).
 */
int sampler_control_start(void);
/* Blocks: for the rest of a scan. */
void sampler_control_stop(void);

/* Under the registry's lock: t is known to be there now; its exit was told. */
void sampler_control_saw(struct thread *t);
void sampler_control_leaves(struct thread *t);

/* CPU time of all control threads so far. */
int64_t sampler_control_cpu_ns(void);
/* In a forked child, which has no such thread. */
void sampler_control_forked(void);

#endif
