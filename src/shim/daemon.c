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

static void tell_closed(void)
{
	const int saved = errno;
	hooks_descriptors_closed();
	errno = saved;
}

void closefrom(int first)
{
	real_closefrom()(first);
	tell_closed();
}

int close_range(unsigned first, unsigned last, int flags)
{
	const int rc = real_close_range()(first, last, flags);
	if (rc == 0 && flags == 0)
		tell_closed();
	return rc;
}
