/*
 * daemon.c - setsid and daemon: the two signs of a process that means to
 * outlive its parent.  A forked child has none of its parent's threads; those
 * that become daemons get the profiler's back (hooks.h), others stay alone.
 * And closefrom and close_range, by which such programs, and others, close what
 * they may have inherited, and the profiler's descriptors with it.
 */
#include "pprof/hooks.h"
#include "shim/real.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

typedef pid_t setsid_fn(void);
typedef int daemon_fn(int, int);
typedef void closefrom_fn(int);
typedef int close_range_fn(unsigned, unsigned, int);

SHIM_REAL(real_setsid, setsid_fn, "setsid", NULL, NULL);
SHIM_REAL(real_daemon, daemon_fn, "daemon", NULL, NULL);
SHIM_REAL(real_closefrom, closefrom_fn, "closefrom", NULL, NULL);
SHIM_REAL(real_close_range, close_range_fn, "close_range", NULL, NULL);

pid_t setsid(void)
{
	const pid_t session = real_setsid()();
	if (session >= 0)
		hooks_daemonized();
	return session;
}

/* libc's own calls its own setsid, past ours. */
int daemon(int nochdir, int noclose)
{
	const int rc = real_daemon()(nochdir, noclose);
	if (rc == 0)
		hooks_daemonized();
	return rc;
}

void closefrom(int first)
{
	const int saved = errno;
	const bool stopped = hooks_descriptors_closing(
		first < 0 ? 0 : (unsigned)first, UINT_MAX);
	errno = saved;
	real_closefrom()(first);
	if (stopped)
		hooks_descriptors_closed();
	errno = saved;
}

int close_range(unsigned first, unsigned last, int flags)
{
	const int saved = errno;
	/* Flags: nothing is closed now, or not for other threads. */
	const bool stopped = flags == 0 && first <= last &&
			     hooks_descriptors_closing(first, last);
	errno = saved;
	const int rc = real_close_range()(first, last, flags);
	const int outcome = errno;
	if (stopped)
		hooks_descriptors_closed();
	errno = outcome;
	return rc;
}
