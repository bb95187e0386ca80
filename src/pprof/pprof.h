/*
 * pprof.h - the profiler inside a running program: what Go has in
 * runtime/pprof, in C spelling.
 *
 * Start with two lines (libpprof-http) or with these calls alone:
 *
 *	int fd = open("cpu.pb.gz", O_WRONLY | O_CREAT | O_TRUNC, 0644);
 *	pprof_start_cpu_profile(fd);
 *	... work ...
 *	pprof_stop_cpu_profile();
 *
 * What comes out is gzip-compressed profile.proto, with functions, files,
 * lines and inlined calls resolved, for `proflab-pprof` or `go tool pprof`.
 *
 * Every function returns 0 or a negative PPROF_ERR_ code and changes nothing
 * when it fails, unless it says otherwise.  All are safe to call from any
 * thread; none from a signal handler, unless it says `Signal: safe`.  None that
 * blocks is a cancellation point, and nor is what it calls of yours.  The
 * library prints nothing and never ends the process.
 */
#ifndef PPROF_H
#define PPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pprof_error {
	PPROF_ERR_NOMEM = -1,
	PPROF_ERR_INVALID = -2,	    /* an argument out of its range */
	PPROF_ERR_LIMIT = -4,	    /* a cap was reached */
	PPROF_ERR_IO = -5,	    /* the writer or the system; see errno */
	PPROF_ERR_BUSY = -6,	    /* "cpu profiling already in use" */
	PPROF_ERR_UNSUPPORTED = -7, /* not possible here */
	PPROF_ERR_NOTFOUND = -8,
};

/* A few words for a code.  Never NULL. */
const char *pprof_strerror(int code);

/* Where a profile goes: takes all len bytes, or returns a negative code. */
struct pprof_writer {
	int (*write)(void *arg, const void *data, size_t len);
	void *arg;
};

/* ---- CPU ------------------------------------------------------------------
 */

/*
 * Start the CPU profile that goes to fd when it is stopped.  One at a time
 * (PPROF_ERR_BUSY otherwise), beside any number of captures at the same rate.
 * fd stays the caller's, and open until pprof_stop_cpu_profile has returned.
 */
int pprof_start_cpu_profile(int fd);
/* Stop it, and write.  PPROF_ERR_NOTFOUND when none runs. */
int pprof_stop_cpu_profile(void);
/*
 * The rate of the CPU profiles started after this, 1 to 10000 Hz; 100 at
 * first.  Above the kernel's tick (usually 250 Hz) perf events are used where
 * permitted, otherwise the profile's comments say what rate it really had.
 */
int pprof_set_cpu_profile_rate(int hz);
/*
 * What CPU profiling may cost: a share of the CPU time that the process uses,
 * 0.01 for 1 %; 0, as at first, is no limit.  While a capture runs, the
 * sampler's own CPU time (its handlers, what the kernel takes to deliver their
 * signals, its thread) is compared with it ten times a second, over the last
 * second; where it is more, all threads are sampled less often, but not less
 * than 10 times a second of their CPU time, or, where it is the looking that
 * is dear, threads are looked for less often.  A sample then weighs as much as the time that it
 * stands for, so values stay true and the profile coarser, which its comments
 * say.  Every capture begins at the rate asked, and is slowed within 0.2 s.
 * Takes effect on captures that run.
 * Returns: 0; PPROF_ERR_INVALID for a share outside [0, 1].
 */
int pprof_set_cpu_profile_budget(double share);
/* The share in force. */
double pprof_cpu_profile_budget(void);

/* ---- captures: a window in time on any profile ------------------------------
 */

struct pprof_capture;

struct pprof_capture_options {
	/* "profile", 1 to 10000, and "wall", 1 to 1000; 0 = the default. */
	int hz;
	/*
	 * Where a start that fails says why, in one line for people, cut at its
	 * size: which signal was taken, which rate is in use.  NULL: nowhere.
	 */
	char *reason;
	size_t reason_size;
};

/*
 * Open a window on the profile called name: "profile" (CPU), "wall", or any
 * that pprof_lookup knows and that can be subtracted.  Any number may be open;
 * CPU windows at one rate share one sampler, and one at another rate while a
 * window is open fails with PPROF_ERR_BUSY.  options may be NULL.
 */
int pprof_capture_start(const char *name,
			const struct pprof_capture_options *options,
			struct pprof_capture **ret_capture);
/* The end of the window; what happens later is not in it.  Once only. */
int pprof_capture_stop(struct pprof_capture *capture);
/* Write a stopped window.  Blocks: symbolizes, writes. */
int pprof_capture_write(struct pprof_capture *capture,
			const struct pprof_writer *writer);
/* Stops it if need be; NULL is allowed. */
void pprof_capture_free(struct pprof_capture *capture);

/* ---- named profiles
 * ----------------------------------------------------------- */

struct pprof_profile;

/*
 * "heap", "allocs", "block", "mutex", "threads", "goroutine", "threadcreate",
 * or one made by pprof_new_profile; NULL when there is none of that name.
 */
struct pprof_profile *pprof_lookup(const char *name);
/*
 * The i-th of all named profiles, sorted by name, or NULL past the last.
 */
struct pprof_profile *pprof_profile_at(size_t i);
const char *pprof_profile_name(const struct pprof_profile *profile);
/* One line for people. */
const char *pprof_profile_description(const struct pprof_profile *profile);
/* How many entries (stacks or values) it holds now: Go's Profile.Count. */
int64_t pprof_profile_count(const struct pprof_profile *profile);
/* May pprof_capture_start open a window on it? */
bool pprof_profile_has_delta(const struct pprof_profile *profile);

struct pprof_write_options {
	int debug;	    /* 0 profile.proto gzip, 1 legacy text, 2 dump */
	int64_t min_age_ns; /* heap: only blocks that have lived this long */
	/* As in pprof_capture_options; of no use where writer refuses. */
	char *reason;
	size_t reason_size;
};
/*
 * Write what the profile holds now.  options may be NULL.  Blocks: symbolizes
 * and writes.  Thread: one with a stack of the usual size; the reading of
 * debug information overflows one of 64 KiB.
 *
 * "threads" and "goroutine" ask every thread by a real-time signal.  System
 * calls that can be restarted are (SA_RESTART); those that never are return
 * EINTR, as for any signal: poll, epoll_wait, select, nanosleep, pause,
 * sigwaitinfo, msgrcv, semop, io_getevents, and socket calls with a time-out
 * of SO_RCVTIMEO or SO_SNDTIMEO (signal(7)).
 */
int pprof_write_to(struct pprof_profile *profile,
		   const struct pprof_write_options *options,
		   const struct pprof_writer *writer);

/*
 * A profile of your own: values (open handles, sessions) by the stack that
 * added them.  The name must be new, 1 to 64 letters, digits, '_', '-', '.' or
 * '/'.  It lives as long as the process.
 */
int pprof_new_profile(const char *name, struct pprof_profile **ret_profile);
/*
 * Add value, with the caller's stack less skip frames.  PPROF_ERR_BUSY when
 * it is there already.
 */
int pprof_profile_add(struct pprof_profile *profile, const void *value,
		      int skip);
/* PPROF_ERR_NOTFOUND when it is not there. */
int pprof_profile_remove(struct pprof_profile *profile, const void *value);

/* ---- rates
 * ---------------------------------------------------------------------- */

/*
 * One sampled allocation in about `bytes` (524288 at first); 1 is every one;
 * 0 turns the heap profile off.  Without the malloc shim nothing is sampled.
 * Returns: the rate before.
 */
int64_t pprof_set_mem_profile_rate(int64_t bytes);
/* The rate in force; -1 when the malloc shim is absent. */
int64_t pprof_mem_profile_rate(void);
/* Record an event of blocking that lasts `ns` or longer always, a shorter one
 * with probability duration/ns (and scaled up); 1 everything, <= 0 off. */
void pprof_set_block_profile_rate(int64_t ns);
/* The rate in force, 0 = off; -1 when the lock functions are not hooked. */
int64_t pprof_block_profile_rate(void);
/*
 * Report one of n contended unlocks (scaled up); 0 off; < 0 only reads.
 *
 * The stack that releases a lock is blamed for the time that it made others
 * wait.  pthread_cond_wait is a release; what it waits to have the lock back
 * is in the block profile alone.  Not seen: locks inside libc, and waiters in
 * other processes.  Where no release was seen (the holder is not hooked), the
 * delay stands under a function named _UnseenRelease.
 * Returns: the fraction before.
 */
int pprof_set_mutex_profile_fraction(int n);

/* ---- labels
 * ------------------------------------------------------------------------ */

struct pprof_label {
	const char *key, *value;
};

/*
 * Label what the calling thread does from now on; n 0 removes all labels.  The
 * set is copied and interned; threads created by this one inherit it.  At most
 * 16 labels a set, keys and values of at most 256 bytes.
 */
int pprof_set_labels(const struct pprof_label *labels, size_t n);
/* As Go's pprof.Do: the present labels with these added (same keys replaced)
 * while fn runs.  fn runs even when the labels cannot be set. */
int pprof_do(const struct pprof_label *labels, size_t n, void (*fn)(void *),
	     void *arg);

/* ---- about the profiler
 * ---------------------------------------------------------------- */

/* "name" of the function at pc into buf, as /debug/pprof/symbol answers.
 * Returns: 0 or PPROF_ERR_NOTFOUND. */
int pprof_symbol(uintptr_t pc, char *buf, size_t size);

struct pprof_stat {
	const char *name;  /* e.g. "lost_samples_total" */
	const char *label; /* e.g. a cause, or NULL */
	double value;
};
/* The i-th counter about the profiler itself: samples taken and lost by cause,
 * captures by profile, its own CPU seconds.  Returns: false past the last. */
bool pprof_stat_at(size_t i, struct pprof_stat *ret_stat);

#ifdef __cplusplus
}
#endif

#endif
