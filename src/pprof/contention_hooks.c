/*
 * contention_hooks.c - what the lock shims call (hooks.h): waits and releases
 * are timed, sampled, and added to the tables of contention.c.
 */
#include "pprof/contention_internal.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/rng.h"
#include "pprof/ask.h"
#include "pprof/contention.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/label.h"
#include "pprof/lock_waits.h"
#include "pprof/lost.h"
#include "pprof/unwind.h"

#include <errno.h>
#include <pthread.h>

static _Thread_local struct rng draws TLS_INITIAL_EXEC;
static _Thread_local bool draws_seeded TLS_INITIAL_EXEC;

void hooks_locks_begin(const struct hooks_mutex_functions *f)
{
	lock_waits_use(f);
	hooks_announce(HOOKS_LOCK);
}

void contention_seed(uint64_t seed)
{
	rng_seed(&draws, seed);
	draws_seeded = true;
}

void contention_hooks_forked(void)
{
	draws_seeded = false;
}

static uint64_t draw_below(uint64_t n)
{
	if (!draws_seeded) {
		rng_seed_random(&draws);
		draws_seeded = true;
	}
	return rng_below(&draws, n);
}

/*
 * Around all that follows.  Lock functions are no cancellation points, and a
 * thread that may be cancelled at any instruction, as many are that only wait,
 * must not be while it holds what others need.
 */
struct inside {
	int cancel, saved_errno;
};

static struct inside enter(void)
{
	struct inside i = { .saved_errno = errno };
	guard_enter();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &i.cancel);
	return i;
}

static void leave(struct inside i)
{
	if (errno != i.saved_errno)
		errno = i.saved_errno;
	guard_leave();
	pthread_setcancelstate(i.cancel, NULL);
}

/* ---- recording ----------------------------------------------------------- */

static void add(struct stack_record *r, int64_t count, int64_t delay)
{
	if (!r)
		return;
	stack_record_add(r, CONTENTION_COUNT, count);
	stack_record_add(r, CONTENTION_DELAY, delay);
}

/* always_inline: the walk counts frames from the hook. */
HOT_INLINE struct stack_record *find_here(struct stack_table *table,
					  size_t skip)
{
	uintptr_t pcs[STACK_DEPTH_MAX];
	const struct unwound u =
		unwind_from_here(UNWIND_RULES, skip, pcs, STACK_DEPTH_MAX);
	const struct stack stack = { .pcs = pcs,
				     .depth = (uint32_t)u.depth,
				     .truncated = u.truncated };
	return stack_table_find(table, &stack, label_set_current(), 0);
}

/* To the record, or to what is lost where there is none. */
static void add_or_lose(struct stack_table *table, struct stack_record *r,
			int64_t count, int64_t delay)
{
	if (r)
		add(r, count, delay);
	else
		lost_add(stack_table_lost(table), LOST_TABLE_FULL,
			 count / CONTENTION_ONE, delay);
}

void contention_add_unseen(int contentions, int64_t delay)
{
	const struct stack none = { 0 };
	struct stack_table *t = contention.mutex_table;
	add_or_lose(t,
		    stack_table_find(t, &none, LABEL_SET_NONE,
				     CONTENTION_UNSEEN),
		    (int64_t)contentions * CONTENTION_ONE, delay);
}

void contention_add_late(struct stack_record *r, int64_t delay)
{
	add(r, 0, delay);
}

/* ---- waiting ------------------------------------------------------------- */

void hooks_wait_begin(struct hooks_wait *w, const void *lock)
{
	*w = (struct hooks_wait){ .lock = lock };
	if (!lock) {
		w->start_ns = clock_monotonic_ns();
		return;
	}
	const struct inside i = enter();
	w->outer = ask_waiting_for_lock;
	if (hooks_locks_on(HOOKS_MUTEX))
		lock_waits_begin(w);
	else
		w->start_ns = clock_monotonic_ns();
	ask_waiting_for_lock = true;
	leave(i);
}

/* Which part of such waits is sampled: all of the long ones, of the short ones
 * as many as their length deserves; these stand for the others. */
static bool block_sampled(int64_t ns, int64_t *ret_count, int64_t *ret_delay)
{
	const int64_t rate = atomic_load(&contention.block_rate_ns);
	*ret_count = CONTENTION_ONE;
	*ret_delay = ns;
	if (rate <= 0)
		return false;
	if (ns >= rate)
		return true;
	if (ns <= 0 || (int64_t)draw_below((uint64_t)rate) >= ns)
		return false;
	*ret_count =
		(int64_t)((double)CONTENTION_ONE * (double)rate / (double)ns +
			  0.5);
	*ret_delay = rate;
	return true;
}

/* noinline: the walk counts frames from here. */
__attribute__((noinline)) void
hooks_wait_end(struct hooks_wait *w, enum hooks_outcome outcome, size_t skip)
{
	const struct inside i = enter();
	const int64_t now = clock_monotonic_ns();
	if (w->lock) {
		ask_waiting_for_lock = w->outer;
		lock_waits_end(w, outcome, now, hooks_locks_on(HOOKS_MUTEX));
	}
	int64_t count, delay;
	if (outcome != HOOKS_FAILED) {
		const int64_t ns = now - w->start_ns;
		atomic_fetch_add_explicit(w->lock ? &contention.lock_wait_ns
						  : &contention.wait_ns,
					  ns, memory_order_relaxed);
		if (hooks_locks_on(HOOKS_BLOCK) &&
		    block_sampled(ns, &count, &delay))
			add_or_lose(contention.block_table,
				    find_here(contention.block_table, skip),
				    count, delay);
	}
	leave(i);
}

/* ---- releasing ----------------------------------------------------------- */

void hooks_release(const void *lock, struct hooks_released *r)
{
	const struct inside i = enter();
	const int fraction = atomic_load(&contention.mutex_fraction);
	const bool sampled =
		fraction > 0 && draw_below((uint64_t)fraction) == 0;
	*r = (struct hooks_released){ .lock = lock };
	if (!lock_waits_release(r, sampled ? fraction : 0))
		r->lock = NULL;
	leave(i);
}

/* noinline: the walk counts frames from here. */
__attribute__((noinline)) void hooks_released(struct hooks_released *r,
					      size_t skip)
{
	if (!r->lock || !r->weight)
		return;
	const struct inside i = enter();
	r->record = find_here(contention.mutex_table, skip);
	const int64_t late = lock_waits_settle(r, r->record);
	add_or_lose(contention.mutex_table, r->record,
		    (int64_t)CONTENTION_ONE * r->weight,
		    r->delay * r->weight + late);
	leave(i);
}

void hooks_release_failed(struct hooks_released *r)
{
	if (!r->lock)
		return;
	const struct inside i = enter();
	add(r->record, -(int64_t)CONTENTION_ONE * r->weight,
	    -r->delay * r->weight);
	lock_waits_unrelease(r);
	leave(i);
}
