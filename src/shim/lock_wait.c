/*
 * lock_wait.c - what waits for something else than a lock: conditions,
 * semaphores, joins, barriers.  They are in the block profile alone; waiting
 * for a condition releases its mutex.
 *
 * Most are cancellation points: the end of the wait is told when the stack is
 * unwound, too (this file is built with -fexceptions).
 */
#include "shim/lock.h"
#include "shim/real.h"

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

typedef int cond_fn(pthread_cond_t *, pthread_mutex_t *);
typedef int cond_timed_fn(pthread_cond_t *, pthread_mutex_t *,
			  const struct timespec *);
typedef int cond_clock_fn(pthread_cond_t *, pthread_mutex_t *, clockid_t,
			  const struct timespec *);
typedef int cnd_fn(cnd_t *, mtx_t *);
typedef int cnd_timed_fn(cnd_t *, mtx_t *, const struct timespec *);
typedef int sem_fn(sem_t *);
typedef int sem_timed_fn(sem_t *, const struct timespec *);
typedef int sem_clock_fn(sem_t *, clockid_t, const struct timespec *);
typedef int join_fn(pthread_t, void **);
typedef int join_timed_fn(pthread_t, void **, const struct timespec *);
typedef int join_clock_fn(pthread_t, void **, clockid_t,
			  const struct timespec *);
typedef int thrd_join_fn(thrd_t, int *);
typedef int barrier_fn(pthread_barrier_t *);

/* dlsym finds the version of before 2003 first. */
SHIM_REAL(real_cond_wait, cond_fn, "pthread_cond_wait", "GLIBC_2.2.5",
	  "GLIBC_2.3.2");
SHIM_REAL(real_cond_timedwait, cond_timed_fn, "pthread_cond_timedwait",
	  "GLIBC_2.2.5", "GLIBC_2.3.2");
SHIM_REAL(real_cond_clockwait, cond_clock_fn, "pthread_cond_clockwait", NULL,
	  NULL);
SHIM_REAL(real_cnd_wait, cnd_fn, "cnd_wait", NULL, NULL);
SHIM_REAL(real_cnd_timedwait, cnd_timed_fn, "cnd_timedwait", NULL, NULL);
SHIM_REAL(real_sem_wait, sem_fn, "sem_wait", NULL, NULL);
SHIM_REAL(real_sem_trywait, sem_fn, "sem_trywait", NULL, NULL);
SHIM_REAL(real_sem_timedwait, sem_timed_fn, "sem_timedwait", NULL, NULL);
SHIM_REAL(real_sem_clockwait, sem_clock_fn, "sem_clockwait", NULL, NULL);
SHIM_REAL(real_join, join_fn, "pthread_join", NULL, NULL);
SHIM_REAL(real_timedjoin, join_timed_fn, "pthread_timedjoin_np", NULL, NULL);
SHIM_REAL(real_clockjoin, join_clock_fn, "pthread_clockjoin_np", NULL, NULL);
SHIM_REAL(real_thrd_join, thrd_join_fn, "thrd_join", NULL, NULL);
SHIM_REAL(real_barrier_wait, barrier_fn, "pthread_barrier_wait", NULL, NULL);

/* Cancelled: it waited until then. */
static void cancelled(void *wait)
{
	hooks_wait_end(wait, HOOKS_GAVE_UP, 0);
}

/* `call`, as a wait for no lock; its answer is in rc. */
#define WAITING(call, outcome)                                                 \
	do {                                                                   \
		struct hooks_wait wait_;                                       \
		hooks_wait_begin(&wait_, NULL);                                \
		pthread_cleanup_push(cancelled, &wait_);                       \
		rc = (call);                                                   \
		pthread_cleanup_pop(0);                                        \
		hooks_wait_end(&wait_, (outcome), 0);                          \
	} while (0)

/* ---- conditions: their mutex is released meanwhile ----------------------- */

/* What it says of its arguments, it says without having waited. */
static bool cond_waited(int rc)
{
	return rc != EINVAL && rc != EPERM;
}

static bool cnd_waited(int rc)
{
	return rc != thrd_error;
}

/*
 * The stack is walked before, while the mutex is held: afterwards might be
 * much later, and the delay would be missing in the meantime.
 */
static void cond_begin(const pthread_mutex_t *m, struct hooks_released *r)
{
	*r = (struct hooks_released){ 0 };
	if (!hooks_locks_on(HOOKS_MUTEX) || !hooks_awaited(m) ||
	    lock_is_nested(m))
		return;
	hooks_release(m, r);
}

#define COND_WAITING(m, call, waited)                                          \
	do {                                                                   \
		struct hooks_released released_;                               \
		cond_begin((const pthread_mutex_t *)(m), &released_);          \
		hooks_released(&released_, 0);                                 \
		WAITING(call, (waited)(rc) ? HOOKS_ACQUIRED : HOOKS_FAILED);   \
		if (UNLIKELY(!(waited)(rc)))                                   \
			hooks_release_failed(&released_);                      \
	} while (0)

int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	int rc;
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_cond_wait()(c, m);
	COND_WAITING(m, real_cond_wait()(c, m), cond_waited);
	return rc;
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
			   const struct timespec *until)
{
	int rc;
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_cond_timedwait()(c, m, until);
	COND_WAITING(m, real_cond_timedwait()(c, m, until), cond_waited);
	return rc;
}

int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m,
			   clockid_t clock, const struct timespec *until)
{
	int rc;
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_cond_clockwait()(c, m, clock, until);
	COND_WAITING(m, real_cond_clockwait()(c, m, clock, until), cond_waited);
	return rc;
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
	int rc;
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_cnd_wait()(c, m);
	COND_WAITING(m, real_cnd_wait()(c, m), cnd_waited);
	return rc;
}

int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
		  const struct timespec *restrict until)
{
	int rc;
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_cnd_timedwait()(c, m, until);
	COND_WAITING(m, real_cnd_timedwait()(c, m, until), cnd_waited);
	return rc;
}

/* ---- semaphores ---------------------------------------------------------- */

/* Taken without waiting?  errno is kept when not. */
static bool sem_taken(sem_t *s)
{
	const int saved = errno;
	if (real_sem_trywait()(s) == 0)
		return true;
	errno = saved;
	return false;
}

static enum hooks_outcome sem_outcome(int rc)
{
	return rc == 0 || errno == ETIMEDOUT || errno == EINTR ? HOOKS_ACQUIRED
							       : HOOKS_FAILED;
}

int sem_wait(sem_t *s)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)))
		return real_sem_wait()(s);
	/* A cancellation point, waiting or not. */
	pthread_testcancel();
	if (sem_taken(s))
		return 0;
	WAITING(real_sem_wait()(s), sem_outcome(rc));
	return rc;
}

int sem_timedwait(sem_t *restrict s, const struct timespec *restrict until)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_sem_timedwait()(s, until);
	pthread_testcancel();
	if (sem_taken(s))
		return 0;
	WAITING(real_sem_timedwait()(s, until), sem_outcome(rc));
	return rc;
}

int sem_clockwait(sem_t *restrict s, clockid_t clock,
		  const struct timespec *restrict until)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)) ||
	    !lock_is_timeout(clock, until))
		return real_sem_clockwait()(s, clock, until);
	/* Unlike the other two, glibc's looks for a request only if it waits.
	 */
	if (sem_taken(s))
		return 0;
	WAITING(real_sem_clockwait()(s, clock, until), sem_outcome(rc));
	return rc;
}

/* ---- joins --------------------------------------------------------------- */

/* A time-out is a wait; what it says of its arguments is none. */
static enum hooks_outcome join_outcome(int rc)
{
	return rc == 0 || rc == ETIMEDOUT ? HOOKS_ACQUIRED : HOOKS_FAILED;
}

int pthread_join(pthread_t thread, void **value)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)))
		return real_join()(thread, value);
	WAITING(real_join()(thread, value), join_outcome(rc));
	return rc;
}

int pthread_timedjoin_np(pthread_t thread, void **value,
			 const struct timespec *until)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)))
		return real_timedjoin()(thread, value, until);
	WAITING(real_timedjoin()(thread, value, until), join_outcome(rc));
	return rc;
}

int pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
			 const struct timespec *until)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)))
		return real_clockjoin()(thread, value, clock, until);
	WAITING(real_clockjoin()(thread, value, clock, until),
		join_outcome(rc));
	return rc;
}

int thrd_join(thrd_t thread, int *result)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)))
		return real_thrd_join()(thread, result);
	WAITING(real_thrd_join()(thread, result),
		rc == thrd_success ? HOOKS_ACQUIRED : HOOKS_FAILED);
	return rc;
}

/* ---- barriers ------------------------------------------------------------ */

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
	int rc;
	if (LIKELY(!lock_watched(HOOKS_BLOCK)))
		return real_barrier_wait()(barrier);
	WAITING(real_barrier_wait()(barrier),
		rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD ? HOOKS_ACQUIRED
							       : HOOKS_FAILED);
	return rc;
}
