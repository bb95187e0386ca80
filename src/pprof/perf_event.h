/*
 * perf_event.h - the kernel's high-resolution CPU clock of one thread, as a
 * perf event whose overflow is a signal to that thread: for rates above the
 * timer tick, where the system permits it (perf_event_paranoid, seccomp).
 *
 * Each costs a file descriptor, which is kept above the low numbers that
 * select and open hand out.
 */
#ifndef PROFLAB_PPROF_PERF_EVENT_H
#define PROFLAB_PPROF_PERF_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PERF_EVENT_FD_LIMIT = 1 << 16 };

struct perf_event {
	int fd;	     /* -1 = none */
	uint64_t id; /* the kernel's, to know the descriptor again */
};

/*
 * Armed at once: the first signal after first_ns of the thread's CPU time,
 * later ones each first_ns until perf_event_set_period.  The signal carries
 * the descriptor in si_fd.  It must be a standard signal: when a real-time
 * one cannot be queued, the kernel sends a deadly SIGIO in its place.
 * before_arm is called with the descriptor before a signal can come.
 * Returns: 0, ERR_UNSUPPORTED when not permitted, ERR_NOTFOUND when there is
 * no such thread, ERR_LIMIT when descriptors are short.
 */
int perf_event_open(pid_t tid, int signo, int64_t first_ns,
		    void (*before_arm)(int fd, void *arg), void *arg,
		    struct perf_event *ret_event);
/* Signal: safe. */
void perf_event_set_period(int fd, int64_t period_ns);
void perf_event_enable(const struct perf_event *e, bool enable);
/* Closes the descriptor only if it is still this event's. */
void perf_event_close(struct perf_event *e);

#endif
