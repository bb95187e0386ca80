/*
 * contention.h - the profiles "mutex" and "block": who made others wait, and
 * who waited.  What the lock shims call is in hooks.h.
 */
#ifndef PROFLAB_PPROF_CONTENTION_H
#define PROFLAB_PPROF_CONTENTION_H

#include "pprof/source.h"

extern const struct source mutex_source, block_source;

/* For tests: the calling thread's draws follow from this seed. */
void contention_seed(uint64_t seed);

#endif
