/*
 * lock.h - what the shims of the lock functions share: try first, and when
 * that would block, tell the wait and its end.
 */
#ifndef PROFLAB_SHIM_LOCK_H
#define PROFLAB_SHIM_LOCK_H

#include "base/attr.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

/* Is anything to be told at all?  Not from inside the profiler. */
HOT_INLINE bool lock_watched(unsigned which)
{
	return hooks_locks_on(which) && !guard_inside();
}

#define LOCK_ANY (HOOKS_MUTEX | HOOKS_BLOCK)

/*
 * A clock that there is not, and a time out of range, most timed forms refuse
 * even where they would not wait, and some only where they would: then the real
 * one alone is asked.
 */
static inline bool lock_is_timeout(clockid_t clock,
				   const struct timespec *until)
{
	return (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) &&
	       until->tv_nsec >= 0 && until->tv_nsec < 1000000000;
}

/* How a wait for a lock ended, by what the function returned. */
static inline enum hooks_outcome lock_outcome(int rc)
{
	switch (rc) {
	case 0:
	case EOWNERDEAD:
		return HOOKS_ACQUIRED;
	case ETIMEDOUT:
		return HOOKS_GAVE_UP;
	default:
		return HOOKS_FAILED;
	}
}

/*
 * `try`, which is EBUSY when `block` would block (any other answer is the
 * final one); then `block`, as a wait for `lock`.
 */
#define LOCK_WAITING(lock, try, block)                                         \
	do {                                                                   \
		int rc_ = (try);                                               \
		if (LIKELY(rc_ != EBUSY))                                      \
			return rc_;                                            \
		struct hooks_wait wait_;                                       \
		hooks_wait_begin(&wait_, (lock));                              \
		rc_ = (block);                                                 \
		hooks_wait_end(&wait_, lock_outcome(rc_));                     \
		return rc_;                                                    \
	} while (0)

/*
 * Release by `real`; before it, those who wait are counted, unless the holder
 * `keeps` the lock all the same.
 */
#define LOCK_RELEASING(lock, keeps, real)                                      \
	do {                                                                   \
		if (LIKELY(!lock_watched(HOOKS_MUTEX) ||                       \
			   !hooks_awaited((const void *)(lock))) ||            \
		    (keeps))                                                   \
			return (real);                                         \
		struct hooks_released released_;                               \
		hooks_release((const void *)(lock), &released_);               \
		const int rc_ = (real);                                        \
		if (LIKELY(rc_ == 0))                                          \
			hooks_released(&released_);                            \
		else                                                           \
			hooks_release_failed(&released_);                      \
		return rc_;                                                    \
	} while (0)

/*
 * Does one unlock leave it locked, a recursive mutex that was locked more than
 * once?  A C11 mtx_t is such a mutex inside.  Asked of a mutex that others wait
 * for, by its holder (or by someone who will be refused).
 */
static inline bool lock_is_nested(const pthread_mutex_t *m)
{
	return (m->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE &&
	       m->__data.__count > 1;
}

#endif
