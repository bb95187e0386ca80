/*
 * clock.h - the clocks that profiles are measured with, in nanoseconds.
 * All are safe in a signal handler and keep errno.
 */
#ifndef PROFLAB_BASE_CLOCK_H
#define PROFLAB_BASE_CLOCK_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* CLOCK_MONOTONIC.  Signal: safe. */
int64_t clock_monotonic_ns(void);
/* Since 1970.  Signal: safe. */
int64_t clock_realtime_ns(void);
/* CPU time of the calling thread, of the process.  Signal: safe. */
int64_t clock_thread_cpu_ns(void);
int64_t clock_process_cpu_ns(void);

/*
 * The clock id of the CPU time of any thread of this process, as the kernel
 * encodes it (include/linux/posix-timers_types.h: CPUCLOCK_PERTHREAD_MASK |
 * CPUCLOCK_SCHED).
 */
static inline clockid_t clock_of_tid(pid_t tid)
{
	return (clockid_t)((~(unsigned int)tid << 3) | 6);
}

/* CPU time of that thread, or -1 when there is none.  Signal: safe. */
int64_t clock_tid_cpu_ns(pid_t tid);

struct timespec clock_to_timespec(int64_t ns);

#endif
