/*
 * timer.h - a POSIX timer on the CPU clock of any thread of this process,
 * whose signal goes to that thread.  Raw system calls: glibc's timer_create
 * hides the kernel's ids, and starts a thread of its own for SIGEV_THREAD.
 */
#ifndef PROFLAB_PPROF_TIMER_H
#define PROFLAB_PPROF_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel's ids begin at 0. */
enum { TIMER_NONE = -1 };

/*
 * cookie comes back in si_value.
 * Returns: 0; ERR_LIMIT when the system has no more queue entries to give
 * (RLIMIT_SIGPENDING); ERR_NOTFOUND when there is no such thread; ERR_IO (a
 * filter of system calls).  errno is timer_create's.
 */
int timer_open(pid_t tid, int signo, uint64_t cookie, int *ret_id);
/* Fire when the thread's clock passes first_ns, then every period_ns.  A
 * moment that has passed already fires at once, and counts its overruns. */
int timer_arm(int id, int64_t first_ns, int64_t period_ns);
/* Delete; TIMER_NONE is allowed.  A signal may still be on its way. */
void timer_close(int id);
/* Has the thread that an armed timer watches ended? */
bool timer_is_orphan(int id);

#endif
