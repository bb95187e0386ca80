/* timer.c - see timer.h. */
#include "pprof/timer.h"

#include "base/clock.h"
#include "base/err.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

int timer_open(pid_t tid, int signo, uint64_t cookie, int *ret_id)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = signo,
		.sigev_value.sival_ptr = (void *)(uintptr_t)cookie,
	};
	event.sigev_notify_thread_id = tid;
	int id;
	if (syscall(SYS_timer_create, clock_of_tid(tid), &event, &id) == 0) {
		*ret_id = id;
		return 0;
	}
	switch (errno) {
	case EAGAIN:
	case ENOMEM:
		return ERR_LIMIT;
	case EINVAL:
	case ESRCH:
		return ERR_NOTFOUND;
	default:
		return ERR_IO;
	}
}

int timer_arm(int id, int64_t first_ns, int64_t period_ns)
{
	const struct itimerspec spec = {
		/* An absolute 0 would disarm it. */
		.it_value = clock_to_timespec(first_ns > 0 ? first_ns : 1),
		.it_interval = clock_to_timespec(period_ns),
	};
	if (syscall(SYS_timer_settime, id, TIMER_ABSTIME, &spec, NULL) == 0)
		return 0;
	return errno == ESRCH ? ERR_NOTFOUND : ERR_IO;
}

void timer_close(int id)
{
	if (id != TIMER_NONE)
		syscall(SYS_timer_delete, id);
}

/*
 * The kernel's timer refers to the thread itself, not to its number, so this
 * is proof against the number's being used again.  Of a living thread, a timer
 * whose signal waits to be delivered shows 1 ns.
 */
bool timer_is_orphan(int id)
{
	struct itimerspec spec;
	if (id == TIMER_NONE || syscall(SYS_timer_gettime, id, &spec))
		return false;
	return spec.it_value.tv_sec == 0 && spec.it_value.tv_nsec == 0;
}
