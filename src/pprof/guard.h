/*
 * guard.h - what the calling thread is doing inside the profiler, in TLS that
 * a handler may read.
 *
 * While depth > 0 the hooks pass straight through: what the profiler itself
 * allocates or locks is neither sampled nor recursed into.
 */
#ifndef PROFLAB_PPROF_GUARD_H
#define PROFLAB_PPROF_GUARD_H

#include "base/attr.h"

#include <stdbool.h>

extern _Thread_local unsigned guard_depth TLS_INITIAL_EXEC;

/* Signal: safe. */
static inline void guard_enter(void)
{
	guard_depth++;
	__asm__ __volatile__("" ::: "memory");
}

static inline void guard_leave(void)
{
	__asm__ __volatile__("" ::: "memory");
	guard_depth--;
}

static inline bool guard_inside(void)
{
	return guard_depth != 0;
}

#endif
