/* sampler_control.c - see sampler_control.h. */
#include "pprof/sampler_control.h"

#include "base/clock.h"
#include "base/err.h"
#include "pprof/cpu_thread.h"
#include "pprof/guard.h"
#include "pprof/sampler_budget.h"
#include "pprof/sampler_internal.h"
#include "pprof/thread.h"
#include "pprof/unwind_phdr.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	SCAN_NS = 100000000,
	FIRST_SCANS_MAX = 8,
	/* A thread's clock is compared with its samples every so many scans. */
	SETTLE_SCANS = 10,
	/* One that is found so long after its exit hook is alive all the
	 * same: another destructor works on, or its id is another's. */
	GRACE_SCANS = 10,
	STACK_BYTES = 128 << 10,
};

/* Under the registry's lock, but for the atomics. */
static uint32_t scan_no;
static int64_t capture_began; /* CLOCK_BOOTTIME, as threads' start times */
static bool first_scans;
static int newly_found;

static pthread_t control;
static _Atomic pid_t control_tid;
static atomic_bool running;   /* guard: cpu.c's lock; read without */
static _Atomic uint32_t stop; /* futex */
static _Atomic int64_t past_cpu_ns;

static int64_t boottime_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* ---- one scan ------------------------------------------------------------ */

/*
 * Where its points begin: with its life, if it was born in this capture; now,
 * if it was there before.
 */
static int64_t base_of(pid_t tid)
{
	if (!first_scans && thread_started_ns(tid) >= capture_began)
		return 0;
	return clock_tid_cpu_ns(tid);
}

static void found_new(pid_t tid)
{
	const int64_t base = base_of(tid);
	if (base < 0)
		return; /* it has gone */
	struct thread *t = thread_add(tid);
	if (!t) {
		sampler_count_no_slot();
		return;
	}
	t->raw = thread_is_raw(tid);
	t->seen = scan_no;
	sampler_arm(t, base);
	newly_found++;
}

/* Its end was not told: what its clock said at the last scan is all we know. */
static void vanish(struct thread *t)
{
	const struct cpu_thread *c = cpu_thread_of(t);
	const int64_t n = cpu_thread_pending(t, c->seen_clock);
	if (c->no_timer)
		sampler_add_lost(LOST_NO_TIMER, n);
	else
		sampler_add_named(t, 0, SAMPLER_THREAD_EXIT, n);
	sampler_count_unseen();
	cpu_thread_disarm(t);
	thread_remove(t);
}

/* Returns: whether it is still the thread that the slot is about. */
static bool look_at_unhooked(struct thread *t)
{
	const int64_t clock = clock_tid_cpu_ns(t->tid);
	/* The clock first: if the timer's thread still lives afterwards, it
	 * was that thread's. */
	if (cpu_thread_is_orphan(t, clock)) {
		const pid_t tid = t->tid;
		vanish(t);
		found_new(tid);
		return false;
	}
	cpu_thread_of(t)->seen_clock = clock;
	if (t->raw)
		t->raw = thread_is_raw(t->tid);
	return true;
}

static void look_at_any(struct thread *t)
{
	if (cpu_thread_of(t)->no_timer) {
		sampler_settle(t,
			       cpu_thread_pending(t, clock_tid_cpu_ns(t->tid)));
		cpu_thread_retry(t);
	}
	if ((thread_slot(t) + scan_no) % SETTLE_SCANS == 0) {
		const int64_t n =
			cpu_thread_pending(t, clock_tid_cpu_ns(t->tid));
		if (n > 0)
			sampler_settle(t, n);
	}
}

static void look_at(pid_t tid, struct thread *t, void *arg)
{
	(void)arg;
	if (tid == atomic_load(&control_tid) || !sampler_goes_on())
		return;
	if (!t) {
		found_new(tid);
		return;
	}
	t->seen = scan_no;
	if (t->state == THREAD_LEAVING && scan_no - t->left > GRACE_SCANS) {
		t->state = THREAD_ALIVE;
		t->hooked = false;
		sampler_arm(t, clock_tid_cpu_ns(tid));
	}
	if (t->state == THREAD_ALIVE && (t->hooked || look_at_unhooked(t)))
		look_at_any(t);
}

/* Those that the scan did not find: a listing may miss one, so their clock is
 * asked. */
static void sweep(void)
{
	for (uint32_t i = 1; i < thread_limit(); i++) {
		struct thread *t = thread_at(i);
		if (t->seen == scan_no || t->state == THREAD_FREE ||
		    t->state == THREAD_UNBORN || clock_tid_cpu_ns(t->tid) >= 0)
			continue;
		if (t->state == THREAD_LEAVING)
			thread_remove(t);
		else
			vanish(t);
	}
}

/* Returns: how many threads were new, or ERR_IO, ERR_NOMEM. */
static int scan(void)
{
	thread_registry_lock();
	scan_no++;
	newly_found = 0;
	thread_registry_unlock();
	const int rc = thread_scan(look_at, NULL);
	if (rc < 0)
		return rc;
	thread_registry_lock();
	sweep();
	const int n = newly_found;
	thread_registry_unlock();
	return n;
}

/* ---- the thread ---------------------------------------------------------- */

static void *control_main(void *arg)
{
	(void)arg;
	/* The first scan of this capture is over; the next is our own. */
	atomic_store(&control_tid, gettid());
	guard_enter(); /* for good: nothing of this thread is profiled */
	pthread_setname_np(pthread_self(), "pprof");
	while (atomic_load(&stop) == 0) {
		const struct timespec period = clock_to_timespec(
			(int64_t)SCAN_NS * sampler_budget_scan_every());
		syscall(SYS_futex, &stop, FUTEX_WAIT_PRIVATE, 0, &period);
		if (atomic_load(&stop) != 0)
			break;
		sampler_budget_check();
		scan();
		unwind_phdr_refresh_if_changed();
	}
	atomic_fetch_add(&past_cpu_ns, clock_thread_cpu_ns());
	return NULL;
}

static int start_thread(void)
{
	sigset_t all, before;
	pthread_attr_t attr;
	if (pthread_attr_init(&attr))
		return ERR_NOMEM;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	atomic_store(&stop, 0);
	atomic_store(&control_tid, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	guard_enter();
	const int rc = pthread_create(&control, &attr, control_main, NULL);
	guard_leave();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc ? ERR_NOMEM : 0;
}

void sampler_control_prepare(void)
{
	capture_began = boottime_ns();
	scan_no++;
}

/*
 * A listing of /proc/self/task may miss a thread when others end meanwhile,
 * so it is repeated until it brings nothing new.
 */
int sampler_control_start(void)
{
	int cancel;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	int rc = 1;
	first_scans = true;
	for (int i = 0; rc > 0 && i < FIRST_SCANS_MAX; i++)
		rc = scan();
	first_scans = false;
	if (rc >= 0)
		rc = start_thread();
	running = rc == 0;
	pthread_setcancelstate(cancel, NULL);
	return rc;
}

void sampler_control_stop(void)
{
	if (!running)
		return;
	int cancel;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	atomic_store(&stop, 1);
	syscall(SYS_futex, &stop, FUTEX_WAKE_PRIVATE, INT_MAX);
	guard_enter();
	pthread_join(control, NULL);
	guard_leave();
	running = false;
	pthread_setcancelstate(cancel, NULL);
}

void sampler_control_forked(void)
{
	running = false;
	atomic_store(&control_tid, 0);
}

void sampler_control_saw(struct thread *t)
{
	t->seen = scan_no;
}

void sampler_control_leaves(struct thread *t)
{
	t->left = scan_no;
}

int64_t sampler_control_cpu_ns(void)
{
	int64_t now = 0;
	const pid_t tid = atomic_load(&control_tid);
	if (running && tid)
		now = clock_tid_cpu_ns(tid);
	return atomic_load(&past_cpu_ns) + (now > 0 ? now : 0);
}
