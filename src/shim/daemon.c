/*
 * daemon.c - setsid and daemon: the two signs of a process that means to
 * outlive its parent.  A forked child has none of its parent's threads; those
 * that become daemons get the profiler's back (hooks.h), others stay alone.
 */
#include "pprof/hooks.h"
#include "shim/real.h"

#include <sys/types.h>
#include <unistd.h>

typedef pid_t setsid_fn(void);
typedef int daemon_fn(int, int);

SHIM_REAL(real_setsid, setsid_fn, "setsid", NULL, NULL);
SHIM_REAL(real_daemon, daemon_fn, "daemon", NULL, NULL);

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
