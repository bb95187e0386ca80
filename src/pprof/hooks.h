/*
 * hooks.h - what the shims (src/shim) tell the profiler.
 *
 * A shim defines someone else's symbol, calls the function here, and passes
 * on to the real one.  Each shim announces itself from a constructor, so that
 * the profiler knows what it can rely on: a program may link libpprof without
 * any shim, and still gets CPU profiles, by scanning for threads.
 *
 * While guard_inside() a shim calls nothing here: it passes straight through.
 */
#ifndef PROFLAB_PPROF_HOOKS_H
#define PROFLAB_PPROF_HOOKS_H

#include "base/attr.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dl_phdr_info;
struct stack_record;

enum hooks {
	HOOKS_THREAD = 1 << 0, /* pthread_create, thrd_create */
	HOOKS_DL = 1 << 1,     /* dlopen, dlclose, dl_iterate_phdr */
	HOOKS_EXEC = 1 << 2,   /* the exec family */
	HOOKS_MALLOC = 1 << 3,
	HOOKS_LOCK = 1 << 4,
};

/* Signal: safe. */
void hooks_announce(unsigned which);
bool hooks_present(unsigned which);

/* ---- threads ---------------------------------------------------------------
 *
 * The creator makes a ticket and passes it to the new thread through the real
 * pthread_create; the new thread redeems it before its start routine runs.
 */
struct hooks_thread;

/*
 * start is for profiles alone (the root of the thread's stacks).
 * Thread: the creator.  Returns: NULL when there is no room, and the thread
 * is then created without us, to be found by the scan.
 */
struct hooks_thread *hooks_thread_new(uintptr_t start, void *fn, void *arg);
/* The real call failed: nobody will redeem it. */
void hooks_thread_cancel(struct hooks_thread *t);
/*
 * Thread: the new one.  From here to its exit (found by a pthread key, so
 * that pthread_exit and cancellation are covered) the thread is registered.
 * Returns: by value, so that the shim can end in a jump to fn.
 */
struct hooks_start {
	void *fn, *arg;
};
struct hooks_start hooks_thread_begin(struct hooks_thread *t);

/* ---- loaded objects ------------------------------------------------------ */

/*
 * Once, from the shim's constructor: what is loaded now stays, and real is the
 * dl_iterate_phdr behind the shim's.  Announces HOOKS_DL.
 * Returns: 0 or ERR_NOMEM.
 */
int hooks_objects_begin(int (*real)(int (*callback)(struct dl_phdr_info *,
						    size_t, void *),
				    void *data));

/*
 * Before dlopen and dlmopen.  Before, not after: those look who calls them, so
 * the shim jumps to them and never comes back.  libunwind is not trusted until
 * the control thread, or the next dlclose, has looked what there is now.
 */
void hooks_objects_adding(void);

/*
 * Around dlclose: whatever has samples and might be unmapped is resolved and
 * frozen; afterwards, what is still there is thawed.
 * Returns: what hooks_objects_closed wants back; NULL when there is nothing.
 */
struct hooks_closing;
struct hooks_closing *hooks_objects_closing(void);
void hooks_objects_closed(struct hooks_closing *closing);

/* ---- exec ------------------------------------------------------------------
 *
 * POSIX timers die with exec, and the kernel discards their signals; a perf
 * event's pending signal would kill the new program.
 */
void hooks_exec_begin(void);
/* The exec failed. */
void hooks_exec_failed(void);

/* ---- locks ------------------------------------------------------------------
 *
 * Only who waits pays.  While a profile is on, a lock's shim tries first; when
 * that fails, it tells the wait before it blocks, and its end; who releases a
 * lock looks, before the real release, whether anybody waits:
 *
 *	struct hooks_released r;
 *	if (hooks_locks_on(HOOKS_MUTEX) && hooks_awaited(lock))
 *		hooks_release(lock, &r);	before it, then
 *	hooks_released(&r, 0);			after it, or
 *	hooks_release_failed(&r);
 *
 * The mutex profile blames the releasing holder's stack for the time that it
 * made others wait, the block profile the waiter's own.  The stack is walked
 * when the lock is free again: what that takes nobody waits for.
 */
enum hooks_locks { HOOKS_MUTEX = 1 << 0, HOOKS_BLOCK = 1 << 1 };

/* Which of the two profiles are on.  Relaxed: a wait that begins while one is
 * switched may be missed. */
extern unsigned hooks_locks_state __attribute__((visibility("hidden")));

HOT_INLINE bool hooks_locks_on(unsigned which)
{
	return UNLIKELY(__atomic_load_n(&hooks_locks_state, __ATOMIC_RELAXED) &
			which);
}

/* Of each bucket, how many locks are waited for.  A waiter counts its lock
 * before it blocks; who looks before that releases a lock that nobody waits for
 * yet. */
#define HOOKS_LOCK_BUCKETS ((size_t)1 << 10)
extern uint32_t hooks_lock_waiters[HOOKS_LOCK_BUCKETS]
	__attribute__((visibility("hidden")));

HOT_INLINE size_t hooks_lock_bucket(const void *lock)
{
	return ((uintptr_t)lock >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54;
}

HOT_INLINE bool hooks_awaited(const void *lock)
{
	return UNLIKELY(
		__atomic_load_n(&hooks_lock_waiters[hooks_lock_bucket(lock)],
				__ATOMIC_SEQ_CST) != 0);
}

/* One thread's wait.  The shim's own, on its stack. */
struct hooks_wait {
	const void *lock; /* NULL: no holder is to blame (a semaphore, a join)
			   */
	int64_t start_ns;
	bool outer; /* it interrupted another wait for a lock */
	/* lock_waits.c's: the lock's releases before it began, and whether it
	 * is known there at all. */
	uint64_t seq;
	uint32_t epoch;
	bool registered;
};

enum hooks_outcome {
	HOOKS_ACQUIRED,
	HOOKS_GAVE_UP, /* time-out: the holder still holds it */
	HOOKS_FAILED,  /* an error: it did not wait */
};

void hooks_wait_begin(struct hooks_wait *w, const void *lock);
/* The leaf of the stack is the caller, or `skip` frames further out.  errno is
 * kept. */
void hooks_wait_end(struct hooks_wait *w, enum hooks_outcome outcome,
		    size_t skip);

/* A release that others wait for.  The shim's own, on its stack. */
struct hooks_released {
	const void *lock; /* NULL: nobody waits, or it is not sampled */
	int64_t delay;	  /* that it causes */
	int weight;	  /* how many it stands for */
	uint64_t seq;
	uint32_t epoch;
	struct stack_record *record; /* once hooks_released has found it */
};
/* errno is kept. */
void hooks_release(const void *lock, struct hooks_released *r);
/* It happened.  The leaf of the stack is the caller, or `skip` frames further
 * out.  errno is kept. */
void hooks_released(struct hooks_released *r, size_t skip);
/* It did not, whether hooks_released said so already or not. */
void hooks_release_failed(struct hooks_released *r);

/* The functions behind the shims, for the profiler's own locks. */
struct hooks_mutex_functions {
	int (*trylock)(pthread_mutex_t *);
	int (*timedlock)(pthread_mutex_t *, const struct timespec *);
	int (*unlock)(pthread_mutex_t *);
};
void hooks_locks_begin(const struct hooks_mutex_functions *f);

/* ---- daemons ----------------------------------------------------------------
 *
 * setsid or daemon succeeded: this process means to outlive its parent, so
 * what its parent ran for it (a server's thread) may be started here.
 */
void hooks_daemonized(void);
/* Who wants to be told.  One; at start. */
void hooks_on_daemon(void (*fn)(void));

/*
 * All descriptors of a range are about to be closed, and were.  Also in a vfork
 * child.
 * Returns: hooks_descriptors_closed must be called afterwards.
 */
bool hooks_descriptors_closing(unsigned first, unsigned last);
void hooks_descriptors_closed(void);
/* Who wants to be told.  One; at start. */
void hooks_on_descriptors(bool (*closing)(unsigned first, unsigned last),
			  void (*closed)(void));

#endif
