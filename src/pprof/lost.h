/*
 * lost.h - samples that were dropped, by cause.  Never silently: each cause
 * appears in the profile as samples of a function named for the loss, in a
 * comment, and in the counters of pprof_stat_at.
 */
#ifndef PROFLAB_PPROF_LOST_H
#define PROFLAB_PPROF_LOST_H

#include <stdint.h>

enum lost_cause {
	LOST_TABLE_FULL, /* no room for a new stack */
	LOST_REENTRY,	 /* the unwinder was already running in this thread */
	LOST_NO_TIMER,	 /* timer_create failed: a thread went unsampled */
	LOST_BLOCKED,	 /* the thread blocks the signal */
	LOST_CAUSES,
};

/* "_LostTableFull" and so on: the function that stands for it in a profile. */
const char *lost_function(enum lost_cause cause);
/* "table_full": for metrics and comments. */
const char *lost_name(enum lost_cause cause);

/* A set of counters; each table has its own.  Relaxed atomics. */
struct lost {
	_Atomic int64_t samples[LOST_CAUSES];
	_Atomic int64_t weight[LOST_CAUSES]; /* in the table's main value */
};

/* Signal: safe. */
void lost_add(struct lost *l, enum lost_cause cause, int64_t samples,
	      int64_t weight);

#endif
