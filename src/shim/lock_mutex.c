/*
 * lock_mutex.c - pthread mutexes, spin locks, and C11's mtx.
 *
 * To try first keeps every kind of mutex as it is: whatever the real function
 * would answer at once (EDEADLK aside, which it then does), the try answers.
 * tests/lock-semantics.sh asks them all.
 */
#include "shim/lock.h"
#include "shim/real.h"

#include <pthread.h>
#include <threads.h>
#include <time.h>

typedef int mutex_fn(pthread_mutex_t *);
typedef int mutex_timed_fn(pthread_mutex_t *, const struct timespec *);
typedef int mutex_clock_fn(pthread_mutex_t *, clockid_t,
			   const struct timespec *);
typedef int spin_fn(pthread_spinlock_t *);
typedef int mtx_fn(mtx_t *);
typedef int mtx_timed_fn(mtx_t *, const struct timespec *);

SHIM_REAL(real_lock, mutex_fn, "pthread_mutex_lock", NULL, NULL);
SHIM_REAL(real_trylock, mutex_fn, "pthread_mutex_trylock", NULL, NULL);
SHIM_REAL(real_unlock, mutex_fn, "pthread_mutex_unlock", NULL, NULL);
SHIM_REAL(real_timedlock, mutex_timed_fn, "pthread_mutex_timedlock", NULL,
	  NULL);
SHIM_REAL(real_clocklock, mutex_clock_fn, "pthread_mutex_clocklock", NULL,
	  NULL);
SHIM_REAL(real_spin_lock, spin_fn, "pthread_spin_lock", NULL, NULL);
SHIM_REAL(real_spin_trylock, spin_fn, "pthread_spin_trylock", NULL, NULL);
SHIM_REAL(real_spin_unlock, spin_fn, "pthread_spin_unlock", NULL, NULL);
SHIM_REAL(real_mtx_lock, mtx_fn, "mtx_lock", NULL, NULL);
SHIM_REAL(real_mtx_trylock, mtx_fn, "mtx_trylock", NULL, NULL);
SHIM_REAL(real_mtx_unlock, mtx_fn, "mtx_unlock", NULL, NULL);
SHIM_REAL(real_mtx_timedlock, mtx_timed_fn, "mtx_timedlock", NULL, NULL);

/* In struct __pthread_mutex_s's kind; glibc has no public name for it. */
enum { KIND_ROBUST = 16 };

/*
 * A robust one is not tried: where it is not recoverable, glibc's trylock says
 * so, but leaves it locked (it compares a value that is not its own), and who
 * asks a second time waits for ever.  A deadline that is past says the same.
 */
HOT_INLINE int try_lock(pthread_mutex_t *m)
{
	static const struct timespec past = { 0 };
	if (LIKELY(!(m->__data.__kind & KIND_ROBUST)))
		return real_trylock()(m);
	const int rc = real_timedlock()(m, &past);
	return rc == ETIMEDOUT ? EBUSY : rc;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_lock()(m);
	LOCK_WAITING(m, try_lock(m), real_lock()(m));
}

int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_timedlock()(m, until);
	LOCK_WAITING(m, try_lock(m), real_timedlock()(m, until));
}

int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
			    const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || !lock_is_timeout(clock, until))
		return real_clocklock()(m, clock, until);
	LOCK_WAITING(m, try_lock(m), real_clocklock()(m, clock, until));
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	LOCK_RELEASING(m, lock_is_nested(m), real_unlock()(m));
}

int pthread_spin_lock(pthread_spinlock_t *l)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_spin_lock()(l);
	LOCK_WAITING((const void *)l, real_spin_trylock()(l),
		     real_spin_lock()(l));
}

int pthread_spin_unlock(pthread_spinlock_t *l)
{
	LOCK_RELEASING(l, false, real_spin_unlock()(l));
}

/* C11's answers, as errno has them. */
static int mtx_errno(int rc)
{
	switch (rc) {
	case thrd_success:
		return 0;
	case thrd_timedout:
		return ETIMEDOUT;
	default:
		return EINVAL;
	}
}

int mtx_lock(mtx_t *m)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_mtx_lock()(m);
	int rc = real_mtx_trylock()(m);
	if (LIKELY(rc != thrd_busy))
		return rc;
	struct hooks_wait wait;
	hooks_wait_begin(&wait, m);
	rc = real_mtx_lock()(m);
	hooks_wait_end(&wait, lock_outcome(mtx_errno(rc)));
	return rc;
}

int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_mtx_timedlock()(m, until);
	int rc = real_mtx_trylock()(m);
	if (LIKELY(rc != thrd_busy))
		return rc;
	struct hooks_wait wait;
	hooks_wait_begin(&wait, m);
	rc = real_mtx_timedlock()(m, until);
	hooks_wait_end(&wait, lock_outcome(mtx_errno(rc)));
	return rc;
}

int mtx_unlock(mtx_t *m)
{
	LOCK_RELEASING(m, lock_is_nested((const pthread_mutex_t *)m),
		       real_mtx_unlock()(m));
}

__attribute__((constructor)) static void announce(void)
{
	const struct hooks_mutex_functions f = {
		.trylock = real_trylock(),
		.timedlock = real_timedlock(),
		.unlock = real_unlock(),
	};
	real_lock();
	hooks_locks_begin(&f);
}
