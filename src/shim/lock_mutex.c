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

typedef int mutex_timed_fn(pthread_mutex_t *, const struct timespec *);
typedef int mutex_clock_fn(pthread_mutex_t *, clockid_t,
			   const struct timespec *);
typedef int mtx_timed_fn(mtx_t *, const struct timespec *);

SHIM_REAL_HOT(real_lock, pthread_mutex_t, "pthread_mutex_lock");
SHIM_REAL_HOT(real_trylock, pthread_mutex_t, "pthread_mutex_trylock");
SHIM_REAL_HOT(real_unlock, pthread_mutex_t, "pthread_mutex_unlock");
SHIM_REAL(real_timedlock, mutex_timed_fn, "pthread_mutex_timedlock", NULL,
	  NULL);
SHIM_REAL(real_clocklock, mutex_clock_fn, "pthread_mutex_clocklock", NULL,
	  NULL);
SHIM_REAL_HOT(real_spin_lock, pthread_spinlock_t, "pthread_spin_lock");
SHIM_REAL_HOT(real_spin_trylock, pthread_spinlock_t, "pthread_spin_trylock");
SHIM_REAL_HOT(real_spin_unlock, pthread_spinlock_t, "pthread_spin_unlock");
SHIM_REAL_HOT(real_mtx_lock, mtx_t, "mtx_lock");
SHIM_REAL_HOT(real_mtx_trylock, mtx_t, "mtx_trylock");
SHIM_REAL_HOT(real_mtx_unlock, mtx_t, "mtx_unlock");
SHIM_REAL(real_mtx_timedlock, mtx_timed_fn, "mtx_timedlock", NULL, NULL);

/* In struct __pthread_mutex_s's kind; glibc has no public names for them. */
enum { KIND_ROBUST = 16, KIND_SHARED = 128 };

/*
 * A robust one is not tried: where it is not recoverable, glibc's trylock says
 * so, but leaves it locked (it compares a value that is not its own), and who
 * asks a second time waits for ever.  A deadline that is past says the same.
 */
static __attribute__((noinline)) int try_robust(pthread_mutex_t *m)
{
	static const struct timespec past = { 0 };
	const int rc = real_timedlock()(m, &past);
	return rc == ETIMEDOUT ? EBUSY : rc;
}

HOT_INLINE int try_lock(pthread_mutex_t *m)
{
	return UNLIKELY(m->__data.__kind & KIND_ROBUST) ? try_robust(m)
							: real_trylock(m);
}

/* To try is twice as dear as to lock, in a process that has one thread. */
HOT_INLINE bool is_alone(const pthread_mutex_t *m)
{
	return lock_is_alone() &&
	       !(m->__data.__kind & (KIND_ROBUST | KIND_SHARED));
}

LOCK_WAITS(wait_mutex, (pthread_mutex_t * m), m, real_lock(m), lock_outcome);
LOCK_WAITS(wait_mutex_timed,
	   (pthread_mutex_t * m, const struct timespec *until), m,
	   real_timedlock()(m, until), lock_outcome);
LOCK_WAITS(wait_mutex_clock,
	   (pthread_mutex_t * m, clockid_t clock, const struct timespec *until),
	   m, real_clocklock()(m, clock, until), lock_outcome);
LOCK_RELEASES(release_mutex, (pthread_mutex_t * m), m, lock_is_nested(m),
	      real_unlock(m));

int pthread_mutex_lock(pthread_mutex_t *m)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || is_alone(m))
		return real_lock(m);
	int rc = try_lock(m);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_mutex(m));
	return rc;
}

int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_timedlock()(m, until);
	int rc = try_lock(m);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_mutex_timed(m, until));
	return rc;
}

int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
			    const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || !lock_is_timeout(clock, until))
		return real_clocklock()(m, clock, until);
	int rc = try_lock(m);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_mutex_clock(m, clock, until));
	return rc;
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	int rc;
	if (LIKELY(!lock_is_awaited(m)))
		return real_unlock(m);
	LOCK_CALL(rc, release_mutex(m));
	return rc;
}

/* ---- spin locks ---------------------------------------------------------- */

LOCK_WAITS(wait_spin, (pthread_spinlock_t * l), l, real_spin_lock(l),
	   lock_outcome);
LOCK_RELEASES(release_spin, (pthread_spinlock_t * l), l, false,
	      real_spin_unlock(l));

int pthread_spin_lock(pthread_spinlock_t *l)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_spin_lock(l);
	int rc = real_spin_trylock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_spin(l));
	return rc;
}

int pthread_spin_unlock(pthread_spinlock_t *l)
{
	int rc;
	if (LIKELY(!lock_is_awaited((const void *)l)))
		return real_spin_unlock(l);
	LOCK_CALL(rc, release_spin(l));
	return rc;
}

/* ---- C11: a pthread mutex inside ----------------------------------------- */

static enum hooks_outcome mtx_outcome(int rc)
{
	switch (rc) {
	case thrd_success:
		return HOOKS_ACQUIRED;
	case thrd_timedout:
		return HOOKS_GAVE_UP;
	default:
		return HOOKS_FAILED;
	}
}

LOCK_WAITS(wait_mtx, (mtx_t * m), m, real_mtx_lock(m), mtx_outcome);
LOCK_WAITS(wait_mtx_timed, (mtx_t * m, const struct timespec *until), m,
	   real_mtx_timedlock()(m, until), mtx_outcome);
LOCK_RELEASES(release_mtx, (mtx_t * m), m,
	      lock_is_nested((const pthread_mutex_t *)m), real_mtx_unlock(m));

int mtx_lock(mtx_t *m)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || lock_is_alone())
		return real_mtx_lock(m);
	int rc = real_mtx_trylock(m);
	if (UNLIKELY(rc == thrd_busy))
		LOCK_CALL(rc, wait_mtx(m));
	return rc;
}

int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_mtx_timedlock()(m, until);
	int rc = real_mtx_trylock(m);
	if (UNLIKELY(rc == thrd_busy))
		LOCK_CALL(rc, wait_mtx_timed(m, until));
	return rc;
}

int mtx_unlock(mtx_t *m)
{
	int rc;
	if (LIKELY(!lock_is_awaited(m)))
		return real_mtx_unlock(m);
	LOCK_CALL(rc, release_mtx(m));
	return rc;
}

typedef int mutex_fn(pthread_mutex_t *);

__attribute__((constructor)) static void announce(void)
{
	const struct hooks_mutex_functions f = {
		.trylock = (mutex_fn *)shim_real("pthread_mutex_trylock", NULL,
						 NULL),
		.timedlock = real_timedlock(),
		.unlock = (mutex_fn *)shim_real("pthread_mutex_unlock", NULL,
						NULL),
	};
	hooks_locks_begin(&f);
}
