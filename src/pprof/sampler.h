/*
 * sampler.h - the CPU sampler: one signal handler, one control thread, a timer
 * for every thread, and one stack table that lives as long as the process.
 *
 * It runs or it does not; windows on its table are cpu.c's.  start and stop
 * are called by one thread at a time (cpu.c's lock).
 */
#ifndef PROFLAB_PPROF_SAMPLER_H
#define PROFLAB_PPROF_SAMPLER_H

#include "pprof/stack_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* The tag of a record: a plain stack, or a start routine under a name. */
enum sampler_tag {
	SAMPLER_STACK,
	/* Points that a thread passed with no signal, until its end. */
	SAMPLER_THREAD_EXIT,
	/* Points before the scan found a thread that no hook announced. */
	SAMPLER_THREAD_UNSEEN,
	SAMPLER_TAGS,
};
/* "_ThreadExit"; NULL for a plain stack. */
const char *sampler_tag_name(uint64_t tag);

/* What one window should know about how it was sampled. */
struct sampler_info {
	int hz;		   /* asked for */
	int64_t period_ns; /* 1e9 / hz */
	int64_t tick_ns;
	bool perf;	 /* perf events, for all threads that could have one */
	bool perf_asked; /* the rate is above the tick */
	int signo;
	bool signal_moved; /* SIGPROF belongs to the program */
	bool signal_taken; /* the program has taken the signal meanwhile */
	/* Since the process began. */
	int64_t threads_without_timer, threads_without_slot, threads_unseen;
	int no_timer_errno; /* of the last one without a timer */
	int64_t threads_on_timer_instead; /* of a perf event */
	int64_t threads_slowed;	 /* times that a thread's rate was halved */
	int64_t rate_reductions; /* times that the budget lowered all rates */
	/* Now. */
	double budget;		  /* 0: none */
	int64_t signal_period_ns; /* between two signals of a thread */
	unsigned scan_every;	  /* threads are looked for each 100 ms times
				     this */
};

/* Points that were passed but not delivered when a window ended. */
struct sampler_pending {
	uintptr_t start; /* the threads' start routine; 0 = not known */
	int64_t points;
};

/*
 * This program was not made for a profiler, and may install a handler for
 * SIGPROF at any time (gprof's, for one): leave that signal to it.  Before the
 * first capture.
 */
void sampler_in_foreign_program(void);
/*
 * Sample every thread at this rate.
 * Returns: 0, ERR_NOMEM, ERR_UNSUPPORTED, ERR_IO (no thread could be found).
 */
int sampler_start(int hz, struct err *e);

/*
 * The end of a window: the counters of the table into ret, and the points
 * pending into ret_pending (owned by the caller: free).  With `last`, sampling
 * ends first: no handler counts anything when this has returned.
 * Blocks: under 50 ms.
 */
int sampler_mark(bool last, struct stack_snapshot *ret,
		 struct sampler_pending **ret_pending, size_t *ret_n);

struct stack_table *sampler_table(void);
/* "rules", unless PPROF_UNWINDER says otherwise. */
const char *sampler_unwinder(void);
void sampler_info(struct sampler_info *ret_info);

/* Counters for pprof_stat_at. */
struct sampler_stats {
	bool running;
	int64_t samples;    /* points in the table */
	int64_t signals;    /* handler calls */
	int64_t late;	    /* signals that belonged to nothing any more */
	int64_t slowed;	    /* times that a thread's rate was halved */
	int64_t handler_ns; /* CPU time of the handler */
	/* CPU time of the kernel to deliver those signals: an estimate. */
	int64_t delivery_ns;
	int64_t control_ns; /* CPU time of control threads */
};
void sampler_stats(struct sampler_stats *ret_stats);

#endif
