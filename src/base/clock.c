/* clock.c - see clock.h. */
#include "base/clock.h"

#include <errno.h>

static int64_t read_ns(clockid_t id)
{
	const int saved = errno;
	struct timespec ts;
	if (clock_gettime(id, &ts) == 0)
		return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
	/* Only now: a raw clone may share errno with a thread that has just
	 * set it. */
	errno = saved;
	return -1;
}

int64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_realtime_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

int64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_process_cpu_ns(void)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_tid_cpu_ns(pid_t tid)
{
	return read_ns(clock_of_tid(tid));
}

struct timespec clock_to_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / 1000000000,
				  .tv_nsec = ns % 1000000000 };
}
