/*
 * wall.c - see wall.h.
 *
 * At each tick every thread is credited with the time since the last one, on
 * the stack that it stands in.  A thread whose CPU clock has not moved since
 * it was asked stands where it stood: it is credited without being asked
 * again, so that nothing that sleeps is woken at every tick.  Windows tick at
 * their start and at their end, so a thread that lives through one is credited
 * with all of it, whatever the ticks between did.
 */
#include "pprof/wall.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/ask.h"
#include "pprof/guard.h"
#include "pprof/lost.h"
#include "pprof/stack_table.h"
#include "pprof/stat.h"
#include "pprof/thread.h"
#include "pprof/writer.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SAMPLES = 0, /* counters */
	WALL = 1,
	/* What a thread still spends after its answer, on the way back. */
	RETURN_NS = 100000,
	STACK_BYTES = 256 << 10,
};

enum state {
	STATE_RUNNING,
	STATE_SLEEPING,
	STATE_DISK,
	STATE_STOPPED,
	STATE_LOCK,
	STATES,
};

static const char *const state_names[STATES] = {
	"running", "sleeping", "disk", "stopped", "blocked on lock",
};

/* A record's tag: the state, and why there is no stack. */
static uint64_t tag_of(enum state state, enum ask_result result)
{
	return (uint64_t)result << 8 | state;
}

struct wall_thread {
	pid_t tid;
	bool fresh; /* it has only just answered: its clock may move a little */
	bool moved; /* to be asked in this tick */
	enum state state;
	int64_t clock_ns;
	struct stack_record *record; /* NULL: lost */
};

struct wall_list {
	struct wall_thread *v; /* mapped for THREADS_MAX; sorted by tid */
	size_t n;
};

struct source_mark {
	struct stack_snapshot snapshot;
	uint32_t epoch; /* of the process: a child's windows are its own */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guard: lock. */
static struct stack_table *table;
static int windows, current_hz;
static uint32_t epoch;
static pthread_t sampler;
static struct wall_list now_list, last_list;
static pid_t *asked;
static int64_t last_tick_ns;
static _Atomic pid_t sampler_tid;
static _Atomic uint32_t stop;  /* futex */
static _Atomic int64_t cpu_ns; /* of all ticks; relaxed */

/* ---- a tick -------------------------------------------------------------- */

static void credit(const struct wall_thread *t, int64_t ns)
{
	if (t->record) {
		stack_record_add(t->record, SAMPLES, 1);
		stack_record_add(t->record, WALL, ns);
	} else {
		lost_add(stack_table_lost(table), LOST_TABLE_FULL, 1, ns);
	}
}

static void add_found(pid_t tid, struct thread *t, void *arg)
{
	(void)t;
	struct wall_list *l = arg;
	if (l->n < THREADS_MAX && tid != atomic_load(&sampler_tid))
		l->v[l->n++] = (struct wall_thread){ .tid = tid };
}

static int by_tid(const void *a, const void *b)
{
	const struct wall_thread *x = a, *y = b;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static enum state state_of(pid_t tid)
{
	switch (thread_kernel_state(tid)) {
	case 'R':
		return STATE_RUNNING;
	case 'D':
		return STATE_DISK;
	case 'T':
	case 't':
		return STATE_STOPPED;
	default:
		return STATE_SLEEPING;
	}
}

/* Does it stand where it stood?  One that waits for a processor has a clock
 * that stands, too, but is not asleep: it is asked again. */
static bool stands(struct wall_thread *t, const struct wall_thread *before)
{
	const int64_t clock = clock_tid_cpu_ns(t->tid);
	const int64_t moved = clock - before->clock_ns;
	if (moved < 0 || moved > (before->fresh ? RETURN_NS : 0))
		return false;
	if (before->state == STATE_RUNNING || before->state == STATE_DISK)
		return false;
	*t = *before;
	t->clock_ns = clock;
	t->fresh = false;
	return true;
}

/* What the last tick knew; both lists are sorted.  Returns: how many must be
 * asked. */
static size_t compare_with_last(void)
{
	size_t j = 0, n = 0;
	for (size_t i = 0; i < now_list.n; i++) {
		struct wall_thread *t = &now_list.v[i];
		while (j < last_list.n && last_list.v[j].tid < t->tid)
			j++;
		const bool known =
			j < last_list.n && last_list.v[j].tid == t->tid;
		if (known && stands(t, &last_list.v[j])) {
			t->moved = false;
			continue;
		}
		t->moved = true;
		t->state = state_of(t->tid);
		asked[n++] = t->tid;
	}
	return n;
}

struct answers {
	size_t i; /* where the next that was asked is looked for */
};

static void take_answer(const struct ask_answer *a, void *arg)
{
	struct answers *answers = arg;
	while (!now_list.v[answers->i].moved)
		answers->i++;
	struct wall_thread *t = &now_list.v[answers->i++];
	t->clock_ns = a->clock_ns;
	t->fresh = true;
	if (a->waiting_for_lock && t->state == STATE_SLEEPING)
		t->state = STATE_LOCK;
	if (a->result == ASK_GONE) {
		t->tid = 0;
		return;
	}
	if (a->result != ASK_ANSWERED)
		t->clock_ns = clock_tid_cpu_ns(t->tid);
	t->record = stack_table_find(table, &a->stack, a->labels,
				     tag_of(t->state, a->result));
}

static void drop_gone(void)
{
	size_t kept = 0;
	for (size_t i = 0; i < now_list.n; i++)
		if (now_list.v[i].tid)
			now_list.v[kept++] = now_list.v[i];
	now_list.n = kept;
}

/* Was it there at the last tick?  Then all the time since is its own, else
 * what it has lived. */
static int64_t share_of(const struct wall_thread *t, int64_t since_tick)
{
	size_t low = 0, high = last_list.n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (last_list.v[middle].tid < t->tid)
			low = middle + 1;
		else
			high = middle;
	}
	/* Born between two ticks: half of it, on average. */
	return low < last_list.n && last_list.v[low].tid == t->tid
		       ? since_tick
		       : since_tick / 2;
}

static int ask_and_credit(struct err *e)
{
	now_list.n = 0;
	if (thread_scan(add_found, &now_list) < 0)
		return err_set(e, ERR_IO, "/proc/self/task cannot be read");
	qsort(now_list.v, now_list.n, sizeof(*now_list.v), by_tid);
	const size_t n = compare_with_last();
	struct answers answers = { 0 };
	const int rc = n ? ask_threads(asked, n, take_answer, &answers, e) : 0;
	if (rc)
		return rc;
	drop_gone();
	const int64_t now = clock_monotonic_ns();
	const int64_t since_tick = now - last_tick_ns;
	for (size_t i = 0; last_tick_ns && i < now_list.n; i++)
		credit(&now_list.v[i], share_of(&now_list.v[i], since_tick));
	last_tick_ns = now;
	const struct wall_list swap = last_list;
	last_list = now_list;
	now_list = swap;
	return 0;
}

/* Under the lock. */
static int tick(struct err *e)
{
	const int64_t began = clock_thread_cpu_ns();
	const int rc = ask_and_credit(e);
	atomic_fetch_add_explicit(&cpu_ns, clock_thread_cpu_ns() - began,
				  memory_order_relaxed);
	return rc;
}

/* ---- the sampler's thread ------------------------------------------------ */

static void *sampler_run(void *arg)
{
	const int64_t period = 1000000000 / (int64_t)(intptr_t)arg;
	guard_enter(); /* for good */
	atomic_store(&sampler_tid, gettid());
	pthread_setname_np(pthread_self(), "pprof-wall");
	int64_t next = clock_monotonic_ns() + period;
	while (atomic_load(&stop) == 0) {
		const int64_t left = next - clock_monotonic_ns();
		if (left > 0) {
			const struct timespec wait = clock_to_timespec(left);
			syscall(SYS_futex, &stop, FUTEX_WAIT_PRIVATE, 0, &wait);
			continue;
		}
		pthread_mutex_lock(&lock);
		if (atomic_load(&stop) == 0)
			tick(NULL);
		pthread_mutex_unlock(&lock);
		const int64_t now = clock_monotonic_ns();
		/* A tick that came too late is not made up for. */
		next = next + period > now ? next + period : now + period;
	}
	return NULL;
}

static int start_thread(int hz)
{
	sigset_t all, before;
	pthread_attr_t attr;
	if (pthread_attr_init(&attr))
		return ERR_NOMEM;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	atomic_store(&stop, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	guard_enter();
	const int rc = pthread_create(&sampler, &attr, sampler_run,
				      (void *)(intptr_t)hz);
	guard_leave();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc ? ERR_NOMEM : 0;
}

/* ---- windows ------------------------------------------------------------- */

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int prepare(struct err *e)
{
	if (thread_init())
		return err_set(e, ERR_NOMEM, "no memory for the profiler");
	if (!now_list.v)
		now_list.v = map(THREADS_MAX * sizeof(*now_list.v));
	if (!last_list.v)
		last_list.v = map(THREADS_MAX * sizeof(*last_list.v));
	if (!asked)
		asked = map(THREADS_MAX * sizeof(*asked));
	if (!table && stack_table_new(NULL, &table) == 0)
		writer_register_table(table);
	if (!now_list.v || !last_list.v || !asked || !table)
		return err_set(e, ERR_NOMEM, "no memory for the profiler");
	return 0;
}

static int begin(int hz, struct source_mark *m, struct err *e)
{
	int rc = prepare(e);
	if (rc)
		return rc;
	if (windows > 0 && hz != current_hz)
		return err_set(e, ERR_BUSY,
			       "wall profiling already in use at %d Hz",
			       current_hz);
	if (windows == 0) {
		last_list.n = 0;
		last_tick_ns = 0;
		atomic_store(&sampler_tid, 0);
	}
	rc = tick(e);
	if (rc == 0 && stack_snapshot_take(table, &m->snapshot))
		rc = err_set(e, ERR_NOMEM, "out of memory");
	if (rc == 0 && windows == 0 && start_thread(hz)) {
		stack_snapshot_free(&m->snapshot);
		rc = err_set(e, ERR_NOMEM, "no thread for the profiler");
	}
	if (rc)
		return rc;
	m->epoch = epoch;
	windows++;
	current_hz = hz;
	return 0;
}

static void mark_free(struct source_mark *m)
{
	if (!m)
		return;
	stack_snapshot_free(&m->snapshot);
	free(m);
}

static int wall_start(const struct source *s, const struct source_options *o,
		      struct source_mark **ret_mark, struct err *e)
{
	(void)s;
	const int hz = o && o->hz ? o->hz : WALL_HZ_DEFAULT;
	if (hz < 1 || hz > WALL_HZ_MAX)
		return err_set(e, ERR_INVALID, "hz is %d: must be from 1 to %d",
			       hz, WALL_HZ_MAX);
	guard_enter();
	struct source_mark *m = calloc(1, sizeof(*m));
	int rc = m ? 0 : err_set(e, ERR_NOMEM, "out of memory");
	if (rc == 0) {
		pthread_mutex_lock(&lock);
		rc = begin(hz, m, e);
		pthread_mutex_unlock(&lock);
	}
	if (rc == 0)
		*ret_mark = m;
	else
		free(m);
	guard_leave();
	return rc;
}

static int wall_stop(const struct source *s, struct source_mark *started,
		     struct source_mark **ret_mark, struct err *e)
{
	(void)s;
	guard_enter();
	bool last = false;
	struct source_mark *m = calloc(1, sizeof(*m));
	pthread_mutex_lock(&lock);
	const bool ours = started->epoch == epoch && windows > 0;
	int rc = ours ? tick(e) : 0;
	if (m && stack_snapshot_take(table, &m->snapshot))
		rc = ERR_NOMEM;
	if (ours && --windows == 0) {
		last = true;
		atomic_store(&stop, 1);
		syscall(SYS_futex, &stop, FUTEX_WAKE_PRIVATE, 1);
	}
	const pthread_t ends = sampler;
	pthread_mutex_unlock(&lock);
	if (last)
		pthread_join(ends, NULL);
	if (!m || rc) {
		mark_free(m);
		rc = err_set(e, m ? rc : ERR_NOMEM, "the window was lost");
	} else {
		*ret_mark = m;
	}
	guard_leave();
	return rc;
}

/* ---- writing ------------------------------------------------------------- */

static const char *silent_name(enum ask_result result)
{
	switch (result) {
	case ASK_BLOCKED:
		return "_ThreadBlocksSignal";
	case ASK_STOPPED:
		return "_ThreadStopped";
	default:
		return "_ThreadNotAnswering";
	}
}

static int add_record(struct writer *w, const struct stack_record *r,
		      const int64_t *values)
{
	struct profile *p = writer_profile(w);
	const enum state state = r->tag & 0xff;
	const enum ask_result result = r->tag >> 8;
	const struct profile_label label = {
		.key = profile_intern(p, "state"),
		.str = profile_intern(p, state_names[state]),
	};
	const struct stack stack = stack_table_stack(table, r);
	return result == ASK_ANSWERED
		       ? writer_add(w, &stack, r->labels, values, &label, 1)
		       : writer_add_named(w, silent_name(result), &stack,
					  r->labels, values);
}

static int add_all(struct writer *w, const struct stack_snapshot *since,
		   const struct stack_snapshot *until)
{
	for (size_t i = 0; i < until->n; i++) {
		const struct stack_record *r = stack_table_at(table, i);
		const int64_t values[2] = {
			until->counters[i][SAMPLES] -
				stack_snapshot_get(since, i, SAMPLES),
			until->counters[i][WALL] -
				stack_snapshot_get(since, i, WALL),
		};
		if (!r || (values[0] == 0 && values[1] == 0))
			continue;
		const int rc = add_record(w, r, values);
		if (rc)
			return rc;
	}
	return writer_add_lost(w, since, until);
}

static int wall_collect(const struct source *s, const struct source_options *o,
			const struct source_mark *since,
			const struct source_mark *until,
			struct profile **ret_profile, struct err *e)
{
	(void)s;
	static const struct writer_sample_type types[] = {
		{ "samples", "count" },
		{ "wall", "nanoseconds" },
	};
	const int hz = o && o->hz ? o->hz : WALL_HZ_DEFAULT;
	if (!until)
		return err_set(e, ERR_UNSUPPORTED,
			       "a wall profile is a window in time");
	const struct writer_options options = {
		.sample_types = types,
		.n_sample_types = ARRAY_SIZE(types),
		.period_type = { "wall", "nanoseconds" },
		.period = 1000000000 / hz,
	};
	struct writer *w;
	int rc = writer_begin(&options, &w, e);
	if (rc)
		return rc;
	rc = add_all(w, since ? &since->snapshot : NULL, &until->snapshot);
	if (rc == 0)
		rc = writer_comment(w,
				    "rate: %d Hz; threads that sleep are "
				    "asked once",
				    hz);
	if (rc) {
		writer_abort(w);
		return err_set(e, rc, "the profile could not be written");
	}
	return writer_finish(w, ret_profile, e);
}

const struct source wall_source = {
	.name = "wall",
	.description = "Stack traces of all threads, running or not, over "
		       "time. You can specify the duration in the seconds GET "
		       "parameter, and the rate in hz.",
	.collect = wall_collect,
	.mark_free = mark_free,
	.start = wall_start,
	.stop = wall_stop,
	.hidden = true,
};

/* The child has no sampler, and no window of its own. */
static void forked(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	windows = 0;
	epoch++;
}

static bool wall_stat(size_t i, struct pprof_stat *ret_stat)
{
	*ret_stat = (struct pprof_stat){
		.name = "cpu_seconds_total",
		.label = "wall",
		.value = (double)atomic_load(&cpu_ns) / 1e9,
	};
	return i == 0;
}

__attribute__((constructor)) static void wall_init(void)
{
	stat_register(wall_stat);
	pthread_atfork(NULL, NULL, forked);
}
