/*
 * thread.h - the library's own threads, which stay out of the program's way.
 */
#ifndef PROFLAB_HTTP_THREAD_H
#define PROFLAB_HTTP_THREAD_H

#include <pthread.h>
#include <signal.h>

/*
 * Block, in the calling thread, every signal that a program may want to
 * handle in a thread of its own.  SIGPROF, the real-time signals (libpprof
 * asks threads by one) and those of faults stay as they are.
 */
void http_signals_block(sigset_t *ret_saved);
void http_signals_restore(const sigset_t *saved);

/* A thread with that name and mask.  Returns: 0, ERR_NOMEM. */
int http_thread_start(pthread_t *ret_thread, const char *name,
		      void *(*run)(void *), void *arg);

#endif
