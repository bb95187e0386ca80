/*
 * lock_waits.h - who waits for which lock, and what of that time was charged
 * to whom.  Only the accounting: what it is charged to, contention_hooks.c
 * knows.
 *
 * Of each lock that is waited for stands an entry in its bucket: how many wait,
 * and the sum of the moments up to which each has been charged.  So a release
 * charges them all, and a wait ends, without any list to walk, and nothing here
 * points to a waiter's stack: one that jumps out of a lock function from a
 * signal handler, or ends, leaves a number behind, not a dangling pointer.
 *
 * Every nanosecond of a wait goes to one place: to the releases that came while
 * it lasted, each with the time since the one before it; what is left when it
 * ends (the waking up) to the last of them; what was waited in vain to the next
 * release of the lock; what no release was seen to end to
 * contention_add_unseen.
 *
 * A bucket's lock is waited for with patience, but not for ever: where its
 * holder never comes back (it jumped out of a handler that had interrupted it),
 * the bucket is given up, and the program goes on without it.
 *
 * Thread: all of them; inside the guard (guard.h), cancellation disabled.
 */
#ifndef PROFLAB_PPROF_LOCK_WAITS_H
#define PROFLAB_PPROF_LOCK_WAITS_H

#include "pprof/hooks.h"

/* How long it is waited for a bucket's lock. */
#define LOCK_WAITS_PATIENCE_NS INT64_C(1000000000)
/* After how long what is owed by a lock that nobody releases is written off;
 * tests set it. */
extern int64_t lock_waits_owed_ns;

/* The functions behind the shims.  At start, before any wait. */
void lock_waits_use(const struct hooks_mutex_functions *f);

/* The wait begins, and w->lock is waited for.  Sets start_ns and what only
 * this module reads. */
void lock_waits_begin(struct hooks_wait *w);

/* It ended, now.  What is left of it finds its debtor, if it is to be charged
 * at all. */
void lock_waits_end(struct hooks_wait *w, enum hooks_outcome outcome,
		    int64_t now, bool charged);

/*
 * The holder is about to release r->lock, and each waiter is charged until
 * now.  weight: what this release is to be multiplied by, 0 when it is not
 * sampled.
 * Returns: whether anybody waits, or anything was owed.  r then has the delay;
 * if weight is not 0, one of the next two must follow.
 */
bool lock_waits_release(struct hooks_released *r, int weight);
/* It happened, on this record's stack (NULL: there is no room for it).
 * Returns: what has come late to it, already multiplied. */
int64_t lock_waits_settle(const struct hooks_released *r,
			  struct stack_record *record);
/* It did not happen: what it was charged with is owed again. */
void lock_waits_unrelease(const struct hooks_released *r);

/* The calling thread ends: it waits for nothing. */
void lock_waits_thread_ends(void);
/* In a forked child: nobody waits. */
void lock_waits_forked(void);

/* What contention_hooks.c does with waits that no release was seen to end, and
 * with what comes late to a record.  Delays are multiplied already. */
void contention_add_unseen(int contentions, int64_t delay);
void contention_add_late(struct stack_record *r, int64_t delay);

#endif
