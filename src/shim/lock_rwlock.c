/* lock_rwlock.c - pthread read-write locks: who releases one, as reader or as
 * writer, is blamed for those who wait. */
#include "shim/lock.h"
#include "shim/real.h"

#include <pthread.h>
#include <time.h>

typedef int rwlock_timed_fn(pthread_rwlock_t *, const struct timespec *);
typedef int rwlock_clock_fn(pthread_rwlock_t *, clockid_t,
			    const struct timespec *);

SHIM_REAL_HOT(real_rdlock, pthread_rwlock_t, "pthread_rwlock_rdlock");
SHIM_REAL_HOT(real_tryrdlock, pthread_rwlock_t, "pthread_rwlock_tryrdlock");
SHIM_REAL_HOT(real_wrlock, pthread_rwlock_t, "pthread_rwlock_wrlock");
SHIM_REAL_HOT(real_trywrlock, pthread_rwlock_t, "pthread_rwlock_trywrlock");
SHIM_REAL_HOT(real_unlock, pthread_rwlock_t, "pthread_rwlock_unlock");
SHIM_REAL(real_timedrdlock, rwlock_timed_fn, "pthread_rwlock_timedrdlock", NULL,
	  NULL);
SHIM_REAL(real_timedwrlock, rwlock_timed_fn, "pthread_rwlock_timedwrlock", NULL,
	  NULL);
SHIM_REAL(real_clockrdlock, rwlock_clock_fn, "pthread_rwlock_clockrdlock", NULL,
	  NULL);
SHIM_REAL(real_clockwrlock, rwlock_clock_fn, "pthread_rwlock_clockwrlock", NULL,
	  NULL);

LOCK_WAITS(wait_rd, (pthread_rwlock_t * l), l, real_rdlock(l), lock_outcome);
LOCK_WAITS(wait_wr, (pthread_rwlock_t * l), l, real_wrlock(l), lock_outcome);
LOCK_WAITS(wait_timedrd, (pthread_rwlock_t * l, const struct timespec *until),
	   l, real_timedrdlock()(l, until), lock_outcome);
LOCK_WAITS(wait_timedwr, (pthread_rwlock_t * l, const struct timespec *until),
	   l, real_timedwrlock()(l, until), lock_outcome);
LOCK_WAITS(wait_clockrd,
	   (pthread_rwlock_t * l, clockid_t clock,
	    const struct timespec *until),
	   l, real_clockrdlock()(l, clock, until), lock_outcome);
LOCK_WAITS(wait_clockwr,
	   (pthread_rwlock_t * l, clockid_t clock,
	    const struct timespec *until),
	   l, real_clockwrlock()(l, clock, until), lock_outcome);
LOCK_RELEASES(release_rw, (pthread_rwlock_t * l), l, false, real_unlock(l));

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_rdlock(l);
	int rc = real_tryrdlock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_rd(l));
	return rc;
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_wrlock(l);
	int rc = real_trywrlock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_wr(l));
	return rc;
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *l,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_timedrdlock()(l, until);
	int rc = real_tryrdlock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_timedrd(l, until));
	return rc;
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *l,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_timedwrlock()(l, until);
	int rc = real_trywrlock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_timedwr(l, until));
	return rc;
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || !lock_is_timeout(clock, until))
		return real_clockrdlock()(l, clock, until);
	int rc = real_tryrdlock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_clockrd(l, clock, until));
	return rc;
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || !lock_is_timeout(clock, until))
		return real_clockwrlock()(l, clock, until);
	int rc = real_trywrlock(l);
	if (UNLIKELY(rc == EBUSY))
		LOCK_CALL(rc, wait_clockwr(l, clock, until));
	return rc;
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	int rc;
	if (LIKELY(!lock_is_awaited(l)))
		return real_unlock(l);
	LOCK_CALL(rc, release_rw(l));
	return rc;
}
