/*
 * sampler_signal.h - which signal samples, and its handler: installed once,
 * kept for ever.
 */
#ifndef PROFLAB_PPROF_SAMPLER_SIGNAL_H
#define PROFLAB_PPROF_SAMPLER_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

struct err;

typedef void sampler_handler(int signo, siginfo_t *info, void *ucontext);

/*
 * The signal that the environment's PPROF_SIGNAL names (a number, PROF, or
 * RTMIN+n); else SIGPROF; or, when the program handles that itself, or
 * spare_sigprof says that it may yet, a free real-time one.  The handler is in
 * place when this returns.
 * Returns: the signal, or ERR_UNSUPPORTED with the reason.
 */
int sampler_signal_install(bool spare_sigprof, sampler_handler *handler,
			   struct err *e);
/*
 * "27", "PROF", "SIGPROF", "RTMIN+3".  Returns: the signal, 0 when the text
 * names none that can be used.
 */
int sampler_signal_parse(const char *text);
/*
 * A free real-time signal, whatever the environment says: for requests, which
 * must queue.  Returns: as above.
 */
int sampler_signal_realtime(sampler_handler *handler, struct err *e);
/* Is our handler still the signal's? */
bool sampler_signal_is_ours(int signo, sampler_handler *handler);

#endif
