/*
 * contention_internal.h - what contention.c and contention_hooks.c share.
 */
#ifndef PROFLAB_PPROF_CONTENTION_INTERNAL_H
#define PROFLAB_PPROF_CONTENTION_INTERNAL_H

#include "pprof/stack_table.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
	/* The tables' counters; counts are in units of 1 / CONTENTION_ONE, for
	 * one that is scaled up is no integer. */
	CONTENTION_COUNT = 0,
	CONTENTION_DELAY = 1,
	CONTENTION_ONE = 1024,
	/* The mutex table's tag of waits that no release was seen to end. */
	CONTENTION_UNSEEN = 1,
};

extern struct contention {
	/* Set once, before hooks_locks_state. */
	struct stack_table *mutex_table, *block_table;
	_Atomic int64_t block_rate_ns;
	_Atomic int mutex_fraction;
	/* All that was waited while either profile was on, sampled or not;
	 * relaxed. */
	_Atomic int64_t lock_wait_ns, wait_ns;
} contention;

/* The child's calling thread draws anew. */
void contention_hooks_forked(void);

#endif
