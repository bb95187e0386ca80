/*
 * sampler.c - see sampler.h.
 *
 * The handler is at the top, for it is what everything else must be safe for.
 * It takes no lock and allocates nothing; what it needs of its thread it finds
 * through the signal itself.
 */
#include "pprof/sampler.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/cpu.h"
#include "pprof/cpu_thread.h"
#include "pprof/hooks.h"
#include "pprof/label.h"
#include "pprof/lost.h"
#include "pprof/sampler_budget.h"
#include "pprof/sampler_control.h"
#include "pprof/sampler_internal.h"
#include "pprof/sampler_signal.h"
#include "pprof/thread.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	DRAIN_NS = 10000000, /* how long a stop waits for handlers */
	/* What the kernel takes to deliver a signal, which no clock tells
	 * apart: 2 to 5 us were measured. */
	DELIVERY_NS = 4000,
};

static struct stack_table *table; /* set once, before `enabled` */
static struct sampler_info info;  /* guard: the registry's lock */
/*
 * Not libunwind: what its fast trace does not know by heart (a frame of ld.so's
 * lazy binding is enough) it walks step by step, with two rt_sigprocmask, a
 * lock and a pipe at each: 1 ms and more, every time, in a handler.  At 10 kHz
 * a thread in dlclose stood still for that.  Set before `enabled`.
 */
static enum unwind_engine engine = UNWIND_RULES;
/* Sampling goes on.  Sequentially consistent, against `inside`: a stop first
 * clears it, then waits until nobody is inside. */
static atomic_bool enabled;
static _Atomic int inside; /* handlers; also what a stop waits on (futex) */
static atomic_bool draining;
static bool foreign; /* set before the first capture */

/* Relaxed; for sampler_stats. */
static _Atomic int64_t n_samples, n_signals, n_late, handler_ns, n_slowed;

const char *sampler_tag_name(uint64_t tag)
{
	static const char *const names[SAMPLER_TAGS] = {
		[SAMPLER_THREAD_EXIT] = "_ThreadExit",
		[SAMPLER_THREAD_UNSEEN] = "_ThreadUnseen",
	};
	return tag < SAMPLER_TAGS ? names[tag] : NULL;
}

/* ---- the handler --------------------------------------------------------- */

static void add_relaxed(_Atomic int64_t *counter, int64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void record(const struct stack *stack, uint32_t labels, uint64_t tag,
		   int64_t points)
{
	struct stack_record *r = stack_table_find(table, stack, labels, tag);
	if (r) {
		stack_record_add(r, 0, points);
		add_relaxed(&n_samples, points);
	} else {
		lost_add(stack_table_lost(table), LOST_TABLE_FULL, points,
			 points);
	}
}

/* The pc alone, where the stack cannot be walked or TLS is another's. */
static void record_pc(const ucontext_t *uc, uint32_t labels, int64_t points)
{
	const uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	const struct stack stack = { .pcs = &pc,
				     .depth = 1,
				     .exact_leaf = true };
	record(&stack, labels, SAMPLER_STACK, points);
}

static void record_stack(uint32_t slot, const ucontext_t *uc, uint32_t labels,
			 int64_t points)
{
	uintptr_t *pcs = cpu_thread_scratch(slot);
	const struct unwound u =
		unwind_from_signal(engine, uc, pcs, STACK_DEPTH_MAX);
	if (u.reentered) {
		lost_add(stack_table_lost(table), LOST_REENTRY, points, points);
		return;
	}
	const struct stack stack = { .pcs = pcs,
				     .depth = (uint32_t)u.depth,
				     .truncated = u.truncated,
				     .exact_leaf = true };
	record(&stack, labels, SAMPLER_STACK, points);
}

static void sample(const siginfo_t *si, const ucontext_t *uc, int64_t began)
{
	const uint32_t slot = cpu_thread_of_signal(si);
	if (!slot) {
		add_relaxed(&n_late, 1);
		return;
	}
	int64_t lost;
	const int64_t points = cpu_thread_take(slot, si, began, &lost);
	if (lost)
		lost_add(stack_table_lost(table), LOST_BLOCKED, lost, lost);
	if (points == 0)
		return;
	const struct thread *t = thread_at(slot);
	if (t->raw || !thread_owns_tls(t->tid))
		record_pc(uc, LABEL_SET_NONE, points);
	else if (!unwind_has_room(uc))
		record_pc(uc, label_set_current(), points);
	else
		record_stack(slot, uc, label_set_current(), points);
	if (cpu_thread_cost(slot, si, clock_thread_cpu_ns() - began))
		atomic_fetch_add_explicit(&n_slowed, 1, memory_order_relaxed);
}

static void on_signal(int signo, siginfo_t *si, void *ucontext)
{
	(void)signo;
	const int saved = errno;
	const int64_t began = clock_thread_cpu_ns();
	atomic_fetch_add(&inside, 1);
	if (atomic_load(&enabled))
		sample(si, ucontext, began);
	else
		add_relaxed(&n_late, 1);
	add_relaxed(&n_signals, 1);
	add_relaxed(&handler_ns, clock_thread_cpu_ns() - began);
	if (atomic_fetch_sub(&inside, 1) == 1 && atomic_load(&draining))
		syscall(SYS_futex, &inside, FUTEX_WAKE_PRIVATE, INT_MAX);
	/* A raw clone may share errno with a thread that has just set it. */
	if (errno != saved)
		errno = saved;
}

/*
 * Wait until no handler is inside, but not for ever: a thread in one may have
 * to wait for a processor.  What such a thread then adds is in a later window,
 * if there is one.
 */
static void drain(void)
{
	const int64_t end = clock_monotonic_ns() + DRAIN_NS;
	atomic_store(&draining, true);
	for (int n = atomic_load(&inside); n; n = atomic_load(&inside)) {
		const int64_t left = end - clock_monotonic_ns();
		if (left <= 0)
			break;
		const struct timespec wait = clock_to_timespec(left);
		syscall(SYS_futex, &inside, FUTEX_WAIT_PRIVATE, n, &wait);
	}
	atomic_store(&draining, false);
}

/* ---- what the registry tells --------------------------------------------- */

/* Points with no stack, under the thread's start routine. */
void sampler_add_named(const struct thread *t, uint32_t labels,
		       enum sampler_tag tag, int64_t points)
{
	if (points <= 0)
		return;
	const struct stack stack = { .pcs = &t->start,
				     .depth = t->start != 0,
				     .exact_leaf = true };
	record(&stack, labels, tag, points);
}

void sampler_add_lost(enum lost_cause cause, int64_t points)
{
	if (points > 0)
		lost_add(stack_table_lost(table), cause, points, points);
}

bool sampler_goes_on(void)
{
	return atomic_load(&enabled);
}

void sampler_arm(struct thread *t, int64_t base)
{
	const struct cpu_thread *c = cpu_thread_of(t);
	sampler_control_saw(t);
	sampler_add_named(t, t->labels, SAMPLER_THREAD_UNSEEN,
			  cpu_thread_arm(t, base));
	if (c->no_timer) {
		info.threads_without_timer++;
		info.no_timer_errno = c->no_timer;
	}
	info.threads_on_timer_instead +=
		info.perf && c->event.fd < 0 && !c->no_timer;
}

static void born(struct thread *t)
{
	if (atomic_load(&enabled))
		sampler_arm(t, 0);
}

/* 0.7 ms and 256 KiB, so only for those who asked for libunwind. */
static void warm_thread(void)
{
	if (engine == UNWIND_LIBUNWIND && atomic_load(&enabled))
		unwind_warm_thread();
}

static void adopted(struct thread *t, struct thread *to)
{
	sampler_control_saw(to);
	cpu_thread_move(t, to);
}

/* In the thread itself; nothing of it is sampled from here on. */
static bool leaving(struct thread *t, int64_t clock)
{
	struct cpu_thread *c = cpu_thread_of(t);
	if (!c->armed)
		return false;
	atomic_store(&c->ticket, 0);
	const int64_t n = cpu_thread_pending(t, clock);
	sampler_control_leaves(t);
	if (c->no_timer)
		sampler_add_lost(LOST_NO_TIMER, n);
	else if (n > 1 && sigismember(thread_registry_mask(), info.signo) == 1)
		sampler_add_lost(LOST_BLOCKED, n);
	else
		sampler_add_named(t, label_set_current(), SAMPLER_THREAD_EXIT,
				  n);
	cpu_thread_disarm(t);
	return true;
}

/* The child has no timers and no control thread. */
static void forked(struct thread *self)
{
	(void)self;
	atomic_store(&enabled, false);
	atomic_store(&inside, 0);
	atomic_store(&draining, false);
	for (uint32_t i = 1; i < thread_limit(); i++)
		cpu_thread_forget(thread_at(i));
	sampler_control_forked();
	cpu_forked();
}

static const struct thread_listener listener = {
	.born = born,
	.ready = warm_thread,
	.died = cpu_thread_disarm,
	.adopted = adopted,
	.leaving = leaving,
	.forked = forked,
};

/* ---- start --------------------------------------------------------------- */

static int64_t kernel_tick_ns(void)
{
	struct timespec ts;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts))
		return 10000000;
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void ignore_fd(int fd, void *arg)
{
	(void)fd;
	(void)arg;
}

/*
 * Perf events only by a standard signal (perf_event.h says why), and only
 * where exec is hooked: a pending signal would kill the new program.
 */
static bool perf_works(int signo)
{
	struct perf_event e;
	if (signo >= SIGRTMIN || !hooks_present(HOOKS_EXEC))
		return false;
	/* So far in the future that it never fires. */
	if (perf_event_open(gettid(), signo, INT64_C(1000000000000), ignore_fd,
			    NULL, &e))
		return false;
	perf_event_close(&e);
	return true;
}

/* Once a process.  PPROF_UNWINDER is for tests and for those who doubt. */
static int prepare(struct err *e)
{
	static bool done; /* guard: cpu.c's lock */
	if (done)
		return 0;
	if (thread_init() || cpu_threads_init() ||
	    (!table && stack_table_new(NULL, &table)))
		return err_set(e, ERR_NOMEM, "no memory for the profiler");
	unwind_init();
	const char *name = getenv("PPROF_UNWINDER");
	for (int i = 0; name && i < UNWIND_ENGINES; i++)
		if (strcmp(name, unwind_engine_name(i)) == 0)
			engine = i;
	writer_register_table(table);
	thread_listen(&listener);
	done = true;
	return 0;
}

/* Those that the hooks announced before this capture. */
static void arm_known(void)
{
	for (uint32_t i = 1; i < thread_limit(); i++) {
		struct thread *t = thread_at(i);
		if (t->state != THREAD_ALIVE)
			continue;
		const int64_t base = clock_tid_cpu_ns(t->tid);
		if (base >= 0)
			sampler_arm(t, base);
		else
			thread_remove(t);
	}
}

void sampler_in_foreign_program(void)
{
	foreign = true;
}

int sampler_start(int hz, struct err *e)
{
	int rc = prepare(e);
	if (rc)
		return rc;
	const int64_t tick_ns = kernel_tick_ns();
	const bool fast = hz > 1000000000 / tick_ns;
	/* Perf events need a standard signal. */
	const bool spare = foreign && !fast;
	const int signo = sampler_signal_install(spare, on_signal, e);
	if (signo < 0)
		return signo;

	thread_registry_lock();
	info.hz = hz;
	info.period_ns = 1000000000 / hz;
	info.tick_ns = tick_ns;
	info.perf_asked = fast;
	info.perf = fast && perf_works(signo);
	info.signo = signo;
	info.signal_moved = signo != SIGPROF && !spare;
	const struct cpu_setup setup = {
		.signo = signo,
		.engine = info.perf ? CPU_ENGINE_PERF : CPU_ENGINE_TIMER,
		.period_ns = info.period_ns,
		.tick_ns = tick_ns,
	};
	cpu_threads_setup(&setup);
	sampler_budget_begin(info.period_ns,
			     info.perf || info.period_ns > tick_ns
				     ? info.period_ns
				     : tick_ns);
	/* From here on births arm themselves; then comes who is there. */
	atomic_store(&enabled, true);
	sampler_control_prepare();
	arm_known();
	thread_registry_unlock();

	rc = sampler_control_start();
	if (rc) {
		struct stack_snapshot snapshot = { 0 };
		struct sampler_pending *pending = NULL;
		size_t n;
		if (sampler_mark(true, &snapshot, &pending, &n) == 0)
			stack_snapshot_free(&snapshot);
		free(pending);
		return err_set(
			e, rc, "%s",
			rc == ERR_IO
				? "/proc/self/task cannot be read"
				: "no memory, or no thread, for the profiler");
	}
	return 0;
}

/* ---- the end of a window ------------------------------------------------- */

struct pendings {
	struct sampler_pending *rows;
	size_t n, size;
};

/* Without memory the points are lost to the profile, not to the counters. */
static void add_pending(struct pendings *p, uintptr_t start, int64_t points)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->rows[i].start == start) {
			p->rows[i].points += points;
			return;
		}
	}
	if (p->n == p->size)
		return;
	p->rows[p->n++] =
		(struct sampler_pending){ .start = start, .points = points };
}

/*
 * What the caller blocks while it holds the registry's lock is not what it
 * blocks otherwise.
 */
static bool thread_blocks(const struct thread *t)
{
	return t->tid == gettid()
		       ? sigismember(thread_registry_mask(), info.signo) == 1
		       : thread_blocks_signal(t->tid, info.signo);
}

/*
 * A thread that has more than a tick's or a signal's worth to come, and blocks
 * the signal, will not deliver: those points are lost, by that cause.  The
 * handler's next call there knows (cpu_thread_take).  A few points more, for a
 * thread may block everything for a moment: pthread_create does.
 */
void sampler_settle(struct thread *t, int64_t points)
{
	struct cpu_thread *c = cpu_thread_of(t);
	const int64_t signals =
		atomic_load_explicit(&c->signal_period, memory_order_relaxed);
	const int64_t late = signals > info.tick_ns ? signals : info.tick_ns;
	const int64_t usual = 4 + 2 * (late / info.period_ns);
	if (c->no_timer) {
		cpu_thread_count(t, points);
		sampler_add_lost(LOST_NO_TIMER, points);
	} else if (points > usual &&
		   (thread_blocks(t) ||
		    !sampler_signal_is_ours(info.signo, on_signal))) {
		atomic_store(&c->blocked, true);
		cpu_thread_count(t, points);
		sampler_add_lost(LOST_BLOCKED, points);
	}
}

static void settle_all(void)
{
	for (uint32_t i = 1; i < thread_limit(); i++) {
		struct thread *t = thread_at(i);
		if (t->state != THREAD_ALIVE)
			continue;
		const int64_t points =
			cpu_thread_pending(t, clock_tid_cpu_ns(t->tid));
		if (points > 0)
			sampler_settle(t, points);
	}
}

static void collect_pending(struct pendings *p)
{
	for (uint32_t i = 1; i < thread_limit(); i++) {
		struct thread *t = thread_at(i);
		if (t->state != THREAD_ALIVE)
			continue;
		const int64_t points =
			cpu_thread_pending(t, clock_tid_cpu_ns(t->tid));
		if (points > 0)
			add_pending(p, t->start, points);
	}
}

static void disarm_all(void)
{
	for (uint32_t i = 1; i < thread_limit(); i++) {
		struct thread *t = thread_at(i);
		if (t->state != THREAD_ALIVE && t->state != THREAD_LEAVING)
			continue;
		cpu_thread_disarm(t);
		/* Until the next capture's scan nobody would tell its end. */
		if (!t->hooked || t->state == THREAD_LEAVING)
			thread_remove(t);
	}
}

int sampler_mark(bool last, struct stack_snapshot *ret,
		 struct sampler_pending **ret_pending, size_t *ret_n)
{
	enum {
		ROWS = 256
	}; /* start routines; beyond them nothing is lost but
	      a few pending points */
	struct pendings p = { .size = ROWS };
	p.rows = calloc(ROWS, sizeof(*p.rows));
	if (!p.rows)
		return ERR_NOMEM;
	thread_registry_lock();
	settle_all();
	if (last) {
		atomic_store(&enabled, false);
		drain();
	}
	const int rc = stack_snapshot_take(table, ret);
	collect_pending(&p);
	if (last)
		disarm_all();
	info.signal_taken = !sampler_signal_is_ours(info.signo, on_signal);
	thread_registry_unlock();
	if (last)
		sampler_control_stop();
	if (rc) {
		free(p.rows);
		return rc;
	}
	*ret_pending = p.rows;
	*ret_n = p.n;
	return 0;
}

struct stack_table *sampler_table(void)
{
	return table;
}

const char *sampler_unwinder(void)
{
	return unwind_engine_name(engine);
}

void sampler_count_no_slot(void)
{
	info.threads_without_slot++;
}

void sampler_count_unseen(void)
{
	info.threads_unseen++;
}

void sampler_info(struct sampler_info *ret_info)
{
	thread_registry_lock();
	*ret_info = info;
	ret_info->threads_slowed = atomic_load(&n_slowed);
	ret_info->budget = sampler_budget_share();
	ret_info->rate_reductions = sampler_budget_reductions();
	ret_info->signal_period_ns = sampler_budget_signal_period_ns();
	ret_info->scan_every = sampler_budget_scan_every();
	thread_registry_unlock();
}

void sampler_stats(struct sampler_stats *ret_stats)
{
	*ret_stats = (struct sampler_stats){
		.running = atomic_load(&enabled),
		.samples = n_samples,
		.signals = n_signals,
		.late = n_late,
		.slowed = n_slowed,
		.handler_ns = handler_ns,
		.delivery_ns = n_signals * DELIVERY_NS,
		.control_ns = sampler_control_cpu_ns(),
	};
}

/* ---- exec ---------------------------------------------------------------- */

static void switch_perf(bool on)
{
	if (!atomic_load(&enabled))
		return;
	thread_registry_lock();
	const struct thread *t = thread_find(gettid());
	if (t && cpu_thread_of(t)->event.fd >= 0)
		perf_event_enable(&cpu_thread_of(t)->event, on);
	thread_registry_unlock();
}

void hooks_exec_begin(void)
{
	switch_perf(false);
}

void hooks_exec_failed(void)
{
	switch_perf(true);
}
