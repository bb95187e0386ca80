/*
 * contention.c - see contention.h; hooks.h has what the lock shims call.
 *
 * A waiter stands in its bucket's list, on its own stack, under the bucket's
 * lock.  Each release of the lock that it waits for charges the time since the
 * last charge to the releaser's stack; what is left when the wait ends, the
 * waking up, goes to the last releaser.  So the delays of the mutex profile add
 * up to those of the block profile over mutexes, to the nanosecond.
 */
#include "pprof/contention.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/sink.h"
#include "pprof/ask.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/label.h"
#include "pprof/lost.h"
#include "pprof/stack_table.h"
#include "pprof/stat.h"
#include "pprof/text.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STACKS = 16384,
	COUNT = 0, /* in units of 1/COUNT_ONE: a scaled count is no integer */
	DELAY = 1,
	COUNT_ONE = 1024,
	OWED_MAX = 4,
	TAG_UNSEEN = 1, /* waits that no release was seen to end */
};

unsigned hooks_locks_state;
uint32_t hooks_lock_waiters[HOOKS_LOCK_BUCKETS];

/* Time that was waited in vain, to be charged to the lock's next release. */
struct owed {
	const void *lock;
	int64_t delay;
};

static struct bucket {
	pthread_mutex_t mutex;
	struct hooks_wait *waits; /* guard: mutex */
	struct owed owed[OWED_MAX];
} buckets[HOOKS_LOCK_BUCKETS];

/* Not the shims': set by them, or the plain ones where there are none. */
static int (*real_lock)(pthread_mutex_t *) = pthread_mutex_lock;
static int (*real_unlock)(pthread_mutex_t *) = pthread_mutex_unlock;

/* Set once, before hooks_locks_state. */
static struct stack_table *mutex_table, *block_table;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic int64_t block_rate_ns;
static _Atomic int mutex_fraction;
/* All that was waited while either profile was on, sampled or not; relaxed. */
static _Atomic int64_t lock_wait_ns, wait_ns;

static _Thread_local struct rng draws TLS_INITIAL_EXEC;
static _Thread_local bool draws_seeded TLS_INITIAL_EXEC;

void hooks_locks_begin(int (*lock)(pthread_mutex_t *),
		       int (*unlock)(pthread_mutex_t *))
{
	real_lock = lock;
	real_unlock = unlock;
	hooks_announce(HOOKS_LOCK);
}

void contention_seed(uint64_t seed)
{
	rng_seed(&draws, seed);
	draws_seeded = true;
}

static uint64_t draw_below(uint64_t n)
{
	if (!draws_seeded) {
		rng_seed_random(&draws);
		draws_seeded = true;
	}
	return rng_below(&draws, n);
}

/* ---- recording ----------------------------------------------------------- */

static void add(struct stack_record *r, int64_t count, int64_t delay)
{
	if (!r)
		return;
	stack_record_add(r, COUNT, count);
	stack_record_add(r, DELAY, delay);
}

/* always_inline: the walk counts frames from the hook. */
HOT_INLINE struct stack_record *find_here(struct stack_table *table,
					  int64_t count, int64_t delay)
{
	uintptr_t pcs[STACK_DEPTH_MAX];
	const struct unwound u =
		unwind_from_here(UNWIND_RULES, 0, pcs, STACK_DEPTH_MAX);
	const struct stack stack = { .pcs = pcs,
				     .depth = (uint32_t)u.depth,
				     .truncated = u.truncated };
	struct stack_record *r =
		stack_table_find(table, &stack, label_set_current(), 0);
	if (!r)
		lost_add(stack_table_lost(table), LOST_TABLE_FULL,
			 count / COUNT_ONE, delay);
	return r;
}

static struct stack_record *unseen_record(void)
{
	const struct stack none = { 0 };
	return stack_table_find(mutex_table, &none, LABEL_SET_NONE, TAG_UNSEEN);
}

/* ---- waiting ------------------------------------------------------------- */

void hooks_wait_begin(struct hooks_wait *w, const void *lock)
{
	*w = (struct hooks_wait){ .lock = lock };
	if (lock) {
		struct bucket *b = &buckets[hooks_lock_bucket(lock)];
		guard_enter();
		real_lock(&b->mutex);
		w->start_ns = w->charged_ns = clock_monotonic_ns();
		w->next = b->waits;
		b->waits = w;
		__atomic_fetch_add(&hooks_lock_waiters[hooks_lock_bucket(lock)],
				   1, __ATOMIC_SEQ_CST);
		real_unlock(&b->mutex);
		guard_leave();
		ask_waiting_for_lock = true;
	} else {
		w->start_ns = clock_monotonic_ns();
	}
}

/* The next release of the lock pays. */
static void owe(struct bucket *b, const void *lock, int64_t delay)
{
	for (size_t i = 0; i < OWED_MAX; i++) {
		struct owed *o = &b->owed[i];
		if (o->lock && o->lock != lock)
			continue;
		/* So that the release looks here. */
		if (!o->lock)
			__atomic_fetch_add(
				&hooks_lock_waiters[hooks_lock_bucket(lock)], 1,
				__ATOMIC_SEQ_CST);
		o->lock = lock;
		o->delay += delay;
		return;
	}
	add(unseen_record(), COUNT_ONE, delay);
}

static int64_t take_owed(struct bucket *b, const void *lock)
{
	int64_t delay = 0;
	for (size_t i = 0; i < OWED_MAX; i++) {
		struct owed *o = &b->owed[i];
		if (o->lock != lock)
			continue;
		delay = o->delay;
		*o = (struct owed){ 0 };
		__atomic_fetch_sub(&hooks_lock_waiters[hooks_lock_bucket(lock)],
				   1, __ATOMIC_SEQ_CST);
	}
	return delay;
}

/* Out of the list; whatever nobody was charged with finds its debtor. */
static void leave_bucket(struct hooks_wait *w, enum hooks_outcome outcome,
			 int64_t now)
{
	struct bucket *b = &buckets[hooks_lock_bucket(w->lock)];
	real_lock(&b->mutex);
	struct hooks_wait **at = &b->waits;
	while (*at && *at != w)
		at = &(*at)->next;
	/* A forked child has forgotten its parent's waits. */
	if (*at) {
		*at = w->next;
		__atomic_fetch_sub(
			&hooks_lock_waiters[hooks_lock_bucket(w->lock)], 1,
			__ATOMIC_SEQ_CST);
		const int64_t left = now - w->charged_ns;
		const int fraction = atomic_load(&mutex_fraction);
		if (outcome == HOOKS_FAILED || fraction <= 0)
			;
		else if (outcome == HOOKS_GAVE_UP)
			owe(b, w->lock, left);
		else if (!w->charged)
			add(unseen_record(), COUNT_ONE, left);
		else
			add(w->releaser, 0, left * fraction);
	}
	real_unlock(&b->mutex);
}

/* Which part of such waits is sampled: all of the long ones, of the short ones
 * as many as their length deserves; these stand for the others. */
static bool block_sampled(int64_t ns, int64_t *ret_count, int64_t *ret_delay)
{
	const int64_t rate = atomic_load(&block_rate_ns);
	*ret_count = COUNT_ONE;
	*ret_delay = ns;
	if (rate <= 0)
		return false;
	if (ns >= rate)
		return true;
	if (ns <= 0 || (int64_t)draw_below((uint64_t)rate) >= ns)
		return false;
	*ret_count =
		(int64_t)((double)COUNT_ONE * (double)rate / (double)ns + 0.5);
	*ret_delay = rate;
	return true;
}

/* noinline: the walk counts frames from here. */
__attribute__((noinline)) void hooks_wait_end(struct hooks_wait *w,
					      enum hooks_outcome outcome)
{
	const int saved = errno;
	const int64_t now = clock_monotonic_ns();
	guard_enter();
	if (w->lock) {
		ask_waiting_for_lock = false;
		leave_bucket(w, outcome, now);
	}
	int64_t count, delay;
	if (outcome != HOOKS_FAILED) {
		const int64_t ns = now - w->start_ns;
		atomic_fetch_add_explicit(w->lock ? &lock_wait_ns : &wait_ns,
					  ns, memory_order_relaxed);
		if (hooks_locks_on(HOOKS_BLOCK) &&
		    block_sampled(ns, &count, &delay))
			add(find_here(block_table, count, delay), count, delay);
	}
	guard_leave();
	if (errno != saved)
		errno = saved;
}

/* ---- releasing ----------------------------------------------------------- */

/* noinline: the walk counts frames from here. */
__attribute__((noinline)) void hooks_release(const void *lock,
					     struct hooks_released *r)
{
	struct bucket *b = &buckets[hooks_lock_bucket(lock)];
	const int saved = errno;
	*r = (struct hooks_released){ 0 };
	guard_enter();
	const int fraction = atomic_load(&mutex_fraction);
	const bool sampled =
		fraction > 0 && draw_below((uint64_t)fraction) == 0;
	/* The stack first: the bucket is not held meanwhile. */
	bool any = false;
	real_lock(&b->mutex);
	for (const struct hooks_wait *w = b->waits; w && !any; w = w->next)
		any = w->lock == lock;
	for (size_t i = 0; i < OWED_MAX && !any; i++)
		any = b->owed[i].lock == lock;
	real_unlock(&b->mutex);
	if (!any)
		goto out;
	if (sampled)
		r->record = find_here(mutex_table, COUNT_ONE, 0);
	real_lock(&b->mutex);
	const int64_t now = clock_monotonic_ns();
	int64_t delay = take_owed(b, lock);
	for (struct hooks_wait *w = b->waits; w; w = w->next) {
		if (w->lock != lock)
			continue;
		delay += now - w->charged_ns;
		w->charged_ns = now;
		w->charged = true;
		w->releaser = r->record;
	}
	real_unlock(&b->mutex);
	if (r->record) {
		r->count = (int64_t)COUNT_ONE * fraction;
		r->delay = delay * fraction;
		add(r->record, r->count, r->delay);
	}
out:
	guard_leave();
	if (errno != saved)
		errno = saved;
}

void hooks_release_failed(const struct hooks_released *r)
{
	add(r->record, -r->count, -r->delay);
}

/* ---- on and off ---------------------------------------------------------- */

static void prepare(void)
{
	const struct stack_table_options options = { .max_stacks = STACKS };
	unwind_init();
	if (stack_table_new(&options, &mutex_table) ||
	    stack_table_new(&options, &block_table))
		return;
	writer_register_table(mutex_table);
	writer_register_table(block_table);
}

static void set_state(void)
{
	guard_enter();
	pthread_once(&once, prepare);
	guard_leave();
	unsigned state = 0;
	if (mutex_table && block_table)
		state = (mutex_fraction > 0 ? HOOKS_MUTEX : 0) |
			(block_rate_ns > 0 ? HOOKS_BLOCK : 0);
	__atomic_store_n(&hooks_locks_state, state, __ATOMIC_SEQ_CST);
}

void pprof_set_block_profile_rate(int64_t ns)
{
	atomic_store(&block_rate_ns, ns > 0 ? ns : 0);
	set_state();
}

int64_t pprof_block_profile_rate(void)
{
	return hooks_present(HOOKS_LOCK) ? atomic_load(&block_rate_ns) : -1;
}

int pprof_set_mutex_profile_fraction(int n)
{
	if (n < 0)
		return atomic_load(&mutex_fraction);
	const int before = atomic_exchange(&mutex_fraction, n);
	set_state();
	return before;
}

/* ---- the profiles -------------------------------------------------------- */

struct source_mark {
	struct stack_snapshot snapshot;
};

static struct stack_table *table_of(const struct source *s)
{
	return s == &mutex_source ? mutex_table : block_table;
}

static int take(const struct source *s, struct stack_snapshot *ret)
{
	*ret = (struct stack_snapshot){ 0 };
	return table_of(s) ? stack_snapshot_take(table_of(s), ret) : 0;
}

static int mark(const struct source *s, struct source_mark **ret_mark)
{
	struct source_mark *m = calloc(1, sizeof(*m));
	if (!m || take(s, &m->snapshot)) {
		free(m);
		return ERR_NOMEM;
	}
	*ret_mark = m;
	return 0;
}

static void mark_free(struct source_mark *m)
{
	if (!m)
		return;
	stack_snapshot_free(&m->snapshot);
	free(m);
}

static int add_stacks(struct writer *w, const struct stack_table *t,
		      const struct stack_snapshot *since,
		      const struct stack_snapshot *until)
{
	for (size_t i = 0; i < until->n; i++) {
		const struct stack_record *r = stack_table_at(t, i);
		if (!r)
			continue;
		const int64_t count = until->counters[i][COUNT] -
				      stack_snapshot_get(since, i, COUNT);
		const int64_t delay = until->counters[i][DELAY] -
				      stack_snapshot_get(since, i, DELAY);
		const int64_t values[2] = { (count + COUNT_ONE / 2) / COUNT_ONE,
					    delay };
		const struct stack stack = stack_table_stack(t, r);
		const int rc =
			r->tag == TAG_UNSEEN
				? writer_add_named(w, "_UnseenRelease", &stack,
						   r->labels, values)
				: writer_add(w, &stack, r->labels, values, NULL,
					     0);
		if (rc)
			return rc;
	}
	return writer_add_lost(w, since, until);
}

/* "" when the profile is on. */
static const char *why_off(const struct source *s)
{
	if (!hooks_present(HOOKS_LOCK))
		return "the lock functions are not hooked: link libpprof-http "
		       "with its shims, or preload libpprof-preload.so";
	if (s == &mutex_source && atomic_load(&mutex_fraction) <= 0)
		return "the mutex profile is off: pprof_set_mutex_profile_"
		       "fraction(1), POST mutex=1 to /debug/pprof/rates, or "
		       "PPROF_MUTEX_FRACTION=1 turns it on";
	if (s == &block_source && atomic_load(&block_rate_ns) <= 0)
		return "the block profile is off: pprof_set_block_profile_"
		       "rate(1), POST block=1 to /debug/pprof/rates, or "
		       "PPROF_BLOCK_RATE=1 turns it on";
	return "";
}

static int collect(const struct source *s, const struct source_options *o,
		   const struct source_mark *since,
		   const struct source_mark *until,
		   struct profile **ret_profile, struct err *e)
{
	(void)o;
	static const struct writer_sample_type types[] = {
		{ "contentions", "count" },
		{ "delay", "nanoseconds" },
	};
	static const struct writer_options options = {
		.sample_types = types,
		.n_sample_types = 2,
		.period_type = { "contentions", "count" },
		.period = 1,
	};
	struct stack_snapshot now;
	if (take(s, &now))
		return err_set(e, ERR_NOMEM, "out of memory");
	struct writer *w;
	int rc = writer_begin(&options, &w, e);
	if (rc)
		goto out;
	if (table_of(s))
		rc = add_stacks(w, table_of(s), since ? &since->snapshot : NULL,
				until ? &until->snapshot : &now);
	if (rc == 0 && *why_off(s))
		rc = writer_comment(w, "%s", why_off(s));
	if (rc) {
		writer_abort(w);
		err_set(e, rc, "the profile could not be written");
	} else {
		rc = writer_finish(w, ret_profile, e);
	}
out:
	stack_snapshot_free(&now);
	return rc;
}

static int write_text(const struct source *s, const struct source_options *o,
		      const struct sink *sink, struct err *e)
{
	struct profile *p;
	int rc = collect(s, o, NULL, NULL, &p, e);
	if (rc)
		return rc;
	const bool mutex = s == &mutex_source;
	const int fraction = atomic_load(&mutex_fraction);
	rc = text_contention(sink, mutex ? "mutex" : "contention", 1000000000,
			     mutex ? fraction : 0, p, e);
	profile_free(p);
	if (rc == 0 && *why_off(s)) {
		char line[256];
		snprintf(line, sizeof(line), "# %s\n", why_off(s));
		rc = sink_write(sink, line, strlen(line));
	}
	return rc;
}

/* Stacks, as Go counts. */
static int64_t count(const struct source *s)
{
	const struct stack_table *t = table_of(s);
	int64_t n = 0;
	for (size_t i = 0; t && i < stack_table_count(t); i++) {
		const struct stack_record *r = stack_table_at(t, i);
		n += r && stack_record_get(r, COUNT) > 0;
	}
	return n;
}

const struct source mutex_source = {
	.name = "mutex",
	.description = "Stack traces of holders of contended mutexes",
	.count = count,
	.collect = collect,
	.write_text = write_text,
	.mark = mark,
	.mark_free = mark_free,
};

const struct source block_source = {
	.name = "block",
	.description = "Stack traces that led to blocking on synchronization "
		       "primitives",
	.count = count,
	.collect = collect,
	.write_text = write_text,
	.mark = mark,
	.mark_free = mark_free,
};

static bool contention_stat(size_t i, struct pprof_stat *ret_stat)
{
	const struct pprof_stat rows[] = {
		{ "lock_wait_seconds_total", NULL, (double)lock_wait_ns / 1e9 },
		{ "sync_wait_seconds_total", NULL, (double)wait_ns / 1e9 },
	};
	if (i >= ARRAY_SIZE(rows))
		return false;
	*ret_stat = rows[i];
	return true;
}

/* The child has none of the threads that waited, and no bucket's holder. */
static void forked(void)
{
	memset(hooks_lock_waiters, 0, sizeof(hooks_lock_waiters));
	for (size_t i = 0; i < HOOKS_LOCK_BUCKETS; i++)
		buckets[i] =
			(struct bucket){ .mutex = PTHREAD_MUTEX_INITIALIZER };
	draws_seeded = false;
	if (mutex_table)
		stack_table_zero(mutex_table);
	if (block_table)
		stack_table_zero(block_table);
}

__attribute__((constructor)) static void contention_init(void)
{
	pthread_atfork(NULL, NULL, forked);
	stat_register(contention_stat);
}
