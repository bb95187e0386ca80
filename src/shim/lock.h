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
#include <sys/single_threaded.h>
#include <time.h>

/* Is anything to be told at all?  Not from inside the profiler. */
HOT_INLINE bool lock_watched(unsigned which)
{
	return UNLIKELY(hooks_locks_on(which)) && !guard_inside();
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
	case ENOTRECOVERABLE: /* by the holder's release */
		return HOOKS_ACQUIRED;
	case ETIMEDOUT:
		return HOOKS_GAVE_UP;
	default:
		return HOOKS_FAILED;
	}
}

/*
 * Waiting and releasing are functions of their own, so that nothing is saved on
 * the stack where nobody waits.  They stand in no profile, for they are left
 * out; but the function that calls them must stand there: not a jump.  They are
 * not cold: the call would be far away from its function then, where one that
 * is stripped has another's name.
 */
#define LOCK_OWN_FRAMES 1
#define LOCK_CALL(rc, call)                                                    \
	do {                                                                   \
		(rc) = (call);                                                 \
		__asm__ __volatile__("" : "+r"(rc));                           \
	} while (0)

/* name: `block`, as a wait for `lock`. */
#define LOCK_WAITS(name, parameters, lock, block, outcome)                     \
	static __attribute__((noinline)) int name parameters                   \
	{                                                                      \
		struct hooks_wait wait;                                        \
		hooks_wait_begin(&wait, (const void *)(lock));                 \
		const int rc = (block);                                        \
		hooks_wait_end(&wait, (outcome)(rc), LOCK_OWN_FRAMES);         \
		return rc;                                                     \
	}                                                                      \
	_Static_assert(1, "")

/*
 * name: release by `real`; before it, those who wait are counted, unless the
 * holder `keeps` the lock all the same.
 */
#define LOCK_RELEASES(name, parameters, lock, keeps, real)                     \
	static __attribute__((noinline)) int name parameters                   \
	{                                                                      \
		if (keeps)                                                     \
			return (real);                                         \
		struct hooks_released released;                                \
		hooks_release((const void *)(lock), &released);                \
		const int rc = (real);                                         \
		if (LIKELY(rc == 0))                                           \
			hooks_released(&released, LOCK_OWN_FRAMES);            \
		else                                                           \
			hooks_release_failed(&released);                       \
		return rc;                                                     \
	}                                                                      \
	_Static_assert(1, "")

/* Does anybody wait for it, and is that of interest? */
HOT_INLINE bool lock_is_awaited(const void *lock)
{
	return hooks_locks_on(HOOKS_MUTEX) && hooks_awaited(lock) &&
	       !guard_inside();
}

/* The process has one thread, so nobody else here has it, and nobody waits. */
HOT_INLINE bool lock_is_alone(void)
{
	return __libc_single_threaded;
}

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
