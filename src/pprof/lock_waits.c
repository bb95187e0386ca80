/* lock_waits.c - see lock_waits.h. */
#include "pprof/lock_waits.h"

#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum {
	ENTRIES = 4,  /* locks of one bucket that are waited for at once */
	RELEASES = 2, /* releases of a lock whose stacks are being taken */
	NESTED = 2,   /* waits of one thread: a handler's within another */
	PATIENCE = 10,
};

/* One release, for what comes to it later. */
struct release {
	uint64_t seq;
	struct stack_record *record; /* NULL: not sampled, or not known yet */
	int64_t late;		     /* what came before it was known */
	int weight;		     /* 0: not sampled */
	bool open;		     /* lock_waits_settle is to come */
};

struct entry {
	const void *lock; /* NULL: free */
	uint32_t waiters;
	/* Of the moments up to which each is charged; it may wrap round. */
	uint64_t charged_sum;
	int64_t owed;	    /* waited in vain: the next release pays */
	int64_t touched_ns; /* when waiters, or owed, last grew */
	int64_t released_ns;
	uint64_t seq; /* of the last release */
	struct release releases[RELEASES];
};

/* Guard of the entries: mutex; gave_up is set once, relaxed. */
static struct bucket {
	pthread_mutex_t mutex;
	atomic_bool used, gave_up;
	struct entry entries[ENTRIES];
} buckets[HOOKS_LOCK_BUCKETS];

uint32_t hooks_lock_waiters[HOOKS_LOCK_BUCKETS];
int64_t lock_waits_owed_ns = INT64_C(10000000000);

static struct hooks_mutex_functions real = {
	.trylock = pthread_mutex_trylock,
	.timedlock = pthread_mutex_timedlock,
	.unlock = pthread_mutex_unlock,
};
/* Forks so far: a wait of before is unknown to the child. */
static uint32_t epoch;

/*
 * The thread's waits, the outer first, each with where it stands on the stack:
 * one that stands deeper than a wait that begins was left by a jump.
 */
static _Thread_local struct mine {
	struct hooks_wait wait;
	const struct hooks_wait *at;
} mine[NESTED] TLS_INITIAL_EXEC;
static _Thread_local unsigned n_mine TLS_INITIAL_EXEC;

void lock_waits_use(const struct hooks_mutex_functions *f)
{
	real = *f;
}

/* ---- buckets ------------------------------------------------------------- */

static struct bucket *bucket_of(const void *lock)
{
	return &buckets[hooks_lock_bucket(lock)];
}

static uint32_t *waiters_of(const struct bucket *b)
{
	return &hooks_lock_waiters[b - buckets];
}

static bool bucket_enter(struct bucket *b)
{
	if (atomic_load_explicit(&b->gave_up, memory_order_relaxed))
		return false;
	if (LIKELY(real.trylock(&b->mutex) == 0))
		return true;
	/* By the clock that sanitizers know this function for; a clock that is
	 * set, or a process that was stopped, spoils one time-out of several.
	 */
	for (int i = 0; i < PATIENCE; i++) {
		const struct timespec until =
			clock_to_timespec(clock_realtime_ns() +
					  LOCK_WAITS_PATIENCE_NS / PATIENCE);
		if (real.timedlock(&b->mutex, &until) == 0)
			return true;
	}
	atomic_store(&b->gave_up, true);
	__atomic_store_n(waiters_of(b), 0, __ATOMIC_SEQ_CST);
	return false;
}

static void bucket_leave(struct bucket *b)
{
	real.unlock(&b->mutex);
}

static struct entry *entry_find(struct bucket *b, const void *lock)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (b->entries[i].lock == lock)
			return &b->entries[i];
	return NULL;
}

/* What it still has goes to nobody that is known. */
static void entry_free(struct bucket *b, struct entry *e)
{
	if (e->owed)
		contention_add_unseen(1, e->owed);
	for (size_t i = 0; i < RELEASES; i++)
		if (e->releases[i].late)
			contention_add_unseen(0, e->releases[i].late);
	*e = (struct entry){ 0 };
	__atomic_fetch_sub(waiters_of(b), 1, __ATOMIC_SEQ_CST);
}

static void entry_free_if_idle(struct bucket *b, struct entry *e)
{
	bool busy = e->waiters || e->owed;
	for (size_t i = 0; i < RELEASES; i++)
		busy = busy || e->releases[i].open;
	if (!busy)
		entry_free(b, e);
}

/* The lock's own, or a free one, or one that nobody waits for. */
static struct entry *entry_get(struct bucket *b, const void *lock)
{
	struct entry *e = entry_find(b, lock);
	if (e)
		return e;
	e = entry_find(b, NULL);
	for (size_t i = 0; !e && i < ENTRIES; i++)
		if (!b->entries[i].waiters) {
			e = &b->entries[i];
			entry_free(b, e);
		}
	if (!e)
		return NULL;
	e->lock = lock;
	__atomic_fetch_add(waiters_of(b), 1, __ATOMIC_SEQ_CST);
	return e;
}

/* Locks that are owed for, and never released again, make each release in
 * their bucket come here. */
static void write_off(struct bucket *b)
{
	const int64_t before = clock_monotonic_ns() - lock_waits_owed_ns;
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &b->entries[i];
		if (e->lock && !e->waiters && e->touched_ns < before)
			entry_free(b, e);
	}
}

/* ---- waiting ------------------------------------------------------------- */

/* Out of the entry; what is left goes where it belongs. */
static void end_wait(struct bucket *b, const struct hooks_wait *w,
		     enum hooks_outcome outcome, int64_t now, bool charged)
{
	struct entry *e = entry_find(b, w->lock);
	if (!e)
		return;
	const bool seen = e->seq != w->seq;
	const int64_t from = seen ? e->released_ns : w->start_ns;
	const int64_t left = now - from;
	struct release *r = &e->releases[e->seq % RELEASES];
	e->waiters--;
	e->charged_sum -= (uint64_t)from;
	if (!charged || outcome == HOOKS_FAILED) {
		;
	} else if (outcome == HOOKS_GAVE_UP) {
		e->owed += left;
		e->touched_ns = now;
	} else if (!seen) {
		contention_add_unseen(1, left);
	} else if (r->open) {
		r->late += left * r->weight;
	} else if (r->record) {
		contention_add_late(r->record, left * r->weight);
	}
	entry_free_if_idle(b, e);
}

static void drop(const struct hooks_wait *w)
{
	struct bucket *b = bucket_of(w->lock);
	if (w->epoch != epoch || !bucket_enter(b))
		return;
	end_wait(b, w, HOOKS_FAILED, clock_monotonic_ns(), false);
	bucket_leave(b);
}

/* Those of the thread's waits that w, which begins or ends, shows to be left:
 * they stand no higher on the stack than it does.  Is w among them? */
static bool forget_left(const struct hooks_wait *w)
{
	while (n_mine && (uintptr_t)mine[n_mine - 1].at <= (uintptr_t)w) {
		const struct mine *m = &mine[--n_mine];
		if (m->at == w)
			return true;
		drop(&m->wait);
	}
	return false;
}

void lock_waits_begin(struct hooks_wait *w)
{
	struct bucket *b = bucket_of(w->lock);
	if (forget_left(w))
		drop(&mine[n_mine].wait);
	w->start_ns = clock_monotonic_ns();
	atomic_store_explicit(&b->used, true, memory_order_relaxed);
	if (n_mine == NESTED || !bucket_enter(b))
		return;
	struct entry *e = entry_get(b, w->lock);
	if (e) {
		w->start_ns = clock_monotonic_ns();
		w->seq = e->seq;
		w->epoch = epoch;
		w->registered = true;
		e->waiters++;
		e->charged_sum += (uint64_t)w->start_ns;
		e->touched_ns = w->start_ns;
	}
	bucket_leave(b);
	if (e)
		mine[n_mine++] = (struct mine){ *w, w };
}

void lock_waits_end(struct hooks_wait *w, enum hooks_outcome outcome,
		    int64_t now, bool charged)
{
	struct bucket *b = bucket_of(w->lock);
	if (!w->registered) {
		if (charged && outcome != HOOKS_FAILED)
			contention_add_unseen(1, now - w->start_ns);
		return;
	}
	if (!forget_left(w) || w->epoch != epoch || !bucket_enter(b))
		return;
	end_wait(b, w, outcome, now, charged);
	bucket_leave(b);
}

/* ---- releasing ----------------------------------------------------------- */

bool lock_waits_release(struct hooks_released *r, int weight)
{
	struct bucket *b = bucket_of(r->lock);
	if (!bucket_enter(b))
		return false;
	struct entry *e = entry_find(b, r->lock);
	if (!e || (!e->waiters && !e->owed)) {
		write_off(b);
		bucket_leave(b);
		return false;
	}
	const int64_t now = clock_monotonic_ns();
	const uint64_t charged_sum = e->waiters * (uint64_t)now;
	r->delay = (int64_t)(charged_sum - e->charged_sum) + e->owed;
	r->seq = ++e->seq;
	r->epoch = epoch;
	r->weight = weight;
	e->charged_sum = charged_sum;
	e->owed = 0;
	e->released_ns = now;
	struct release *at = &e->releases[r->seq % RELEASES];
	if (at->late)
		contention_add_unseen(0, at->late);
	*at = (struct release){ .seq = r->seq,
				.weight = weight,
				.open = weight > 0 };
	entry_free_if_idle(b, e);
	bucket_leave(b);
	return true;
}

int64_t lock_waits_settle(const struct hooks_released *r,
			  struct stack_record *record)
{
	struct bucket *b = bucket_of(r->lock);
	int64_t late = 0;
	if (r->epoch != epoch || !bucket_enter(b))
		return 0;
	struct entry *e = entry_find(b, r->lock);
	struct release *at = e ? &e->releases[r->seq % RELEASES] : NULL;
	if (at && at->seq == r->seq) {
		late = at->late;
		at->late = 0;
		at->record = record;
		at->open = false;
		entry_free_if_idle(b, e);
	}
	bucket_leave(b);
	return late;
}

void lock_waits_unrelease(const struct hooks_released *r)
{
	struct bucket *b = bucket_of(r->lock);
	if (r->epoch != epoch || !bucket_enter(b))
		return;
	struct entry *e = entry_get(b, r->lock);
	if (e) {
		struct release *at = &e->releases[r->seq % RELEASES];
		if (at->seq == r->seq)
			at->open = false;
		e->owed += r->delay;
		e->touched_ns = clock_monotonic_ns();
	}
	bucket_leave(b);
}

/* ---- threads and processes ----------------------------------------------- */

void lock_waits_thread_ends(void)
{
	while (n_mine)
		drop(&mine[--n_mine].wait);
}

void lock_waits_forked(void)
{
	epoch++;
	n_mine = 0;
	memset(hooks_lock_waiters, 0, sizeof(hooks_lock_waiters));
	for (size_t i = 0; i < HOOKS_LOCK_BUCKETS; i++) {
		struct bucket *b = &buckets[i];
		if (atomic_load(&b->used))
			memset(b, 0, sizeof(*b));
	}
}
