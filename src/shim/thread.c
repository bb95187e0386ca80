/*
 * thread.c - pthread_create and C11's thrd_create, so that a thread is known
 * from its first instruction to its last.
 */
#include "base/attr.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/own.h"
#include "shim/real.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <threads.h>

typedef int pthread_create_fn(pthread_t *, const pthread_attr_t *,
			      void *(*)(void *), void *);
typedef int thrd_create_fn(thrd_t *, thrd_start_t, void *);

SHIM_REAL(real_pthread_create, pthread_create_fn, "pthread_create",
	  "GLIBC_2.2.5", "GLIBC_2.34");
SHIM_REAL(real_thrd_create, thrd_create_fn, "thrd_create", NULL, NULL);

/*
 * Both run in the new thread, and end in a jump to the program's function
 * (this file is built with sibling-call optimization), so that they stand in
 * no stack.  What there is to do at the thread's end hangs on a pthread key.
 */
static void *begin_pthread(void *ticket)
{
	const struct hooks_start s = hooks_thread_begin(ticket);
	return ((void *(*)(void *))s.fn)(s.arg);
}

static void *begin_own(void *ticket)
{
	const struct hooks_start s = own_thread_begin(ticket);
	return ((void *(*)(void *))s.fn)(s.arg);
}

static int begin_thrd(void *ticket)
{
	const struct hooks_start s = hooks_thread_begin(ticket);
	return ((thrd_start_t)s.fn)(s.arg);
}

/* The profiler's. */
static COLD int create_own(pthread_t *thread, const pthread_attr_t *attr,
			   void *(*start)(void *), void *arg)
{
	struct own_thread *ticket = own_thread_new((void *)start, arg);
	if (!ticket)
		return real_pthread_create()(thread, attr, start, arg);
	const int rc = real_pthread_create()(thread, attr, begin_own, ticket);
	if (rc)
		own_thread_cancel(ticket);
	return rc;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*start)(void *), void *arg)
{
	if (guard_inside())
		return create_own(thread, attr, start, arg);
	struct hooks_thread *ticket =
		hooks_thread_new((uintptr_t)start, (void *)start, arg);
	if (!ticket)
		return real_pthread_create()(thread, attr, start, arg);
	const int rc =
		real_pthread_create()(thread, attr, begin_pthread, ticket);
	if (rc)
		hooks_thread_cancel(ticket);
	return rc;
}

int thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
	struct hooks_thread *ticket =
		guard_inside() ? NULL
			       : hooks_thread_new((uintptr_t)start,
						  (void *)start, arg);
	if (!ticket)
		return real_thrd_create()(thread, start, arg);
	const int rc = real_thrd_create()(thread, begin_thrd, ticket);
	if (rc != thrd_success)
		hooks_thread_cancel(ticket);
	return rc;
}

__attribute__((constructor)) static void announce(void)
{
	real_pthread_create();
	real_thrd_create();
	hooks_announce(HOOKS_THREAD);
}
