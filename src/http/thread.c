/* thread.c - see thread.h. */
#include "http/thread.h"

#include "base/err.h"
#include "pprof/guard.h"

void http_signals_block(sigset_t *ret_saved)
{
	sigset_t set;
	sigemptyset(&set);
	for (int sig = 1; sig < 32; sig++)
		sigaddset(&set, sig);
	static const int open[] = { SIGPROF, SIGSEGV, SIGBUS,  SIGILL,
				    SIGFPE,  SIGTRAP, SIGABRT, SIGSYS };
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		sigdelset(&set, open[i]);
	pthread_sigmask(SIG_BLOCK, &set, ret_saved);
}

void http_signals_restore(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

int http_thread_start(pthread_t *ret_thread, const char *name,
		      void *(*run)(void *), void *arg)
{
	sigset_t saved;
	/* Before the thread exists: there is no moment at which it could take
	 * the program's SIGTERM. */
	http_signals_block(&saved);
	guard_enter(); /* not one of the program's */
	const int rc = pthread_create(ret_thread, NULL, run, arg);
	guard_leave();
	http_signals_restore(&saved);
	if (rc)
		return ERR_NOMEM;
	pthread_setname_np(*ret_thread, name);
	return 0;
}
