/* sampler_signal.c - see sampler_signal.h. */
#include "pprof/sampler_signal.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * SA_RESTART spares the program most interrupted calls.  No SA_ONSTACK: an
 * alternate stack is often 8 KiB, made for the program's own handler, and
 * overflowing it would corrupt memory silently; where the signal finds a
 * thread on such a stack, the handler looks how much is left.  All signals
 * wait while it runs: a handler of the program's that jumped out of ours would
 * leave it half done.
 */
static int install(int signo, sampler_handler *handler)
{
	struct sigaction action = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	sigfillset(&action.sa_mask);
	return sigaction(signo, &action, NULL);
}

bool sampler_signal_is_ours(int signo, sampler_handler *handler)
{
	struct sigaction now;
	return sigaction(signo, NULL, &now) == 0 &&
	       (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handler;
}

/* Nobody handles it. */
static bool is_free(int signo)
{
	struct sigaction now;
	return sigaction(signo, NULL, &now) == 0 &&
	       !(now.sa_flags & SA_SIGINFO) &&
	       (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
}

int sampler_signal_parse(const char *text)
{
	int base = 0;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strcasecmp(text, "PROF") == 0)
		return SIGPROF;
	if (strncasecmp(text, "RTMIN+", 6) == 0) {
		base = SIGRTMIN;
		text += 6;
	}
	char *end;
	const long n = strtol(text, &end, 10);
	if (end == text || *end || n < 0 || n > SIGRTMAX)
		return 0;
	const int signo = base + (int)n;
	return signo >= 1 && signo <= SIGRTMAX && signo != SIGKILL &&
			       signo != SIGSTOP
		       ? signo
		       : 0;
}

/* From the top: programs count theirs from SIGRTMIN.  0 = all are taken. */
static int find_realtime(sampler_handler *handler)
{
	for (int signo = SIGRTMAX - 1; signo > SIGRTMIN; signo--)
		if (sampler_signal_is_ours(signo, handler) || is_free(signo))
			return signo;
	return 0;
}

static int find_signal(bool spare_sigprof, sampler_handler *handler,
		       struct err *e)
{
	const char *text = getenv("PPROF_SIGNAL");
	if (text && *text) {
		const int signo = sampler_signal_parse(text);
		if (!signo)
			return err_set(e, ERR_UNSUPPORTED,
				       "PPROF_SIGNAL=%s names no signal", text);
		if (is_free(signo) || sampler_signal_is_ours(signo, handler))
			return signo;
		return err_set(e, ERR_UNSUPPORTED,
			       "PPROF_SIGNAL=%s: the program handles it", text);
	}
	const int signo = find_realtime(handler);
	if (spare_sigprof && signo)
		return signo;
	if (is_free(SIGPROF) || sampler_signal_is_ours(SIGPROF, handler))
		return SIGPROF;
	if (signo)
		return signo;
	return err_set(e, ERR_UNSUPPORTED,
		       "the program handles SIGPROF and all other signals");
}

static int install_at(int signo, sampler_handler *handler, struct err *e)
{
	if (signo < 0 || sampler_signal_is_ours(signo, handler))
		return signo;
	if (install(signo, handler))
		return err_set(e, ERR_UNSUPPORTED, "sigaction(%d) failed",
			       signo);
	return signo;
}

int sampler_signal_install(bool spare_sigprof, sampler_handler *handler,
			   struct err *e)
{
	return install_at(find_signal(spare_sigprof, handler, e), handler, e);
}

int sampler_signal_realtime(sampler_handler *handler, struct err *e)
{
	const int signo = find_realtime(handler);
	if (!signo)
		return err_set(e, ERR_UNSUPPORTED,
			       "the program handles all real-time signals");
	return install_at(signo, handler, e);
}
