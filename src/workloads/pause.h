/*
 * pause.h - sleep for as long as was asked, whatever signals come: under a
 * profiler many do.
 */
#ifndef PROFLAB_WORKLOADS_PAUSE_H
#define PROFLAB_WORKLOADS_PAUSE_H

#include "base/clock.h"

#include <errno.h>

/* nanosleep, over EINTR.  Never shorter than ns. */
static inline void pause_ns(int64_t ns)
{
	struct timespec left = clock_to_timespec(ns);
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

#endif
