/* lock_rwlock.c - pthread read-write locks: who releases one, as reader or as
 * writer, is blamed for those who wait. */
#include "shim/lock.h"
#include "shim/real.h"

#include <pthread.h>
#include <time.h>

typedef int rwlock_fn(pthread_rwlock_t *);
typedef int rwlock_timed_fn(pthread_rwlock_t *, const struct timespec *);
typedef int rwlock_clock_fn(pthread_rwlock_t *, clockid_t,
			    const struct timespec *);

SHIM_REAL(real_rdlock, rwlock_fn, "pthread_rwlock_rdlock", NULL, NULL);
SHIM_REAL(real_tryrdlock, rwlock_fn, "pthread_rwlock_tryrdlock", NULL, NULL);
SHIM_REAL(real_wrlock, rwlock_fn, "pthread_rwlock_wrlock", NULL, NULL);
SHIM_REAL(real_trywrlock, rwlock_fn, "pthread_rwlock_trywrlock", NULL, NULL);
SHIM_REAL(real_unlock, rwlock_fn, "pthread_rwlock_unlock", NULL, NULL);
SHIM_REAL(real_timedrdlock, rwlock_timed_fn, "pthread_rwlock_timedrdlock", NULL,
	  NULL);
SHIM_REAL(real_timedwrlock, rwlock_timed_fn, "pthread_rwlock_timedwrlock", NULL,
	  NULL);
SHIM_REAL(real_clockrdlock, rwlock_clock_fn, "pthread_rwlock_clockrdlock", NULL,
	  NULL);
SHIM_REAL(real_clockwrlock, rwlock_clock_fn, "pthread_rwlock_clockwrlock", NULL,
	  NULL);

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_rdlock()(l);
	LOCK_WAITING(l, real_tryrdlock()(l), real_rdlock()(l));
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	if (LIKELY(!lock_watched(LOCK_ANY)))
		return real_wrlock()(l);
	LOCK_WAITING(l, real_trywrlock()(l), real_wrlock()(l));
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *l,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_timedrdlock()(l, until);
	LOCK_WAITING(l, real_tryrdlock()(l), real_timedrdlock()(l, until));
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *l,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) ||
	    !lock_is_timeout(CLOCK_REALTIME, until))
		return real_timedwrlock()(l, until);
	LOCK_WAITING(l, real_trywrlock()(l), real_timedwrlock()(l, until));
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || !lock_is_timeout(clock, until))
		return real_clockrdlock()(l, clock, until);
	LOCK_WAITING(l, real_tryrdlock()(l),
		     real_clockrdlock()(l, clock, until));
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock,
			       const struct timespec *until)
{
	if (LIKELY(!lock_watched(LOCK_ANY)) || !lock_is_timeout(clock, until))
		return real_clockwrlock()(l, clock, until);
	LOCK_WAITING(l, real_trywrlock()(l),
		     real_clockwrlock()(l, clock, until));
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	LOCK_RELEASING(l, false, real_unlock()(l));
}
