/*
 * own.h - which threads are the profiler's own.
 *
 * A process whose first thread has ended by pthread_exit ends with its last
 * thread; ours must not be the ones that keep it.  The shim of pthread_create
 * passes through here what is created inside the guard.
 */
#ifndef PROFLAB_PPROF_OWN_H
#define PROFLAB_PPROF_OWN_H

#include "pprof/hooks.h"

#include <stdbool.h>
#include <sys/types.h>

struct own_thread;

/* As hooks_thread_new.  Returns: NULL when there is no room. */
struct own_thread *own_thread_new(void *fn, void *arg);
/* The real call failed: nobody will begin. */
void own_thread_cancel(struct own_thread *t);
/* Thread: the new one.  It is ours from here to its end. */
struct hooks_start own_thread_begin(struct own_thread *t);

bool own_thread_is(pid_t tid);
/*
 * Is there a thread that runs, or might, and is not ours?  Reads
 * /proc/self/task; yes where that cannot be read.
 */
bool own_threads_have_company(void);

#endif
