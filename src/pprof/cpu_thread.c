/* cpu_thread.c - see cpu_thread.h. */
#include "pprof/cpu_thread.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "pprof/points.h"
#include "pprof/stack_table.h"
#include "pprof/timer.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* A cookie: 16 bits of magic, 32 of ticket, 16 of slot. */
#define COOKIE_MAGIC UINT64_C(0x9f1b)
_Static_assert(THREADS_MAX <= 1 << 16, "a slot has 16 bits in the cookie");

/* Shorter first periods would come again before the handler sets the period. */
enum { PERF_FIRST_MIN_NS = 50000 };

static struct cpu_thread *cpu_threads; /* by slot; set once */
static uintptr_t (*scratch)[STACK_DEPTH_MAX];
/* Which slot a perf event's descriptor belongs to: its signal brings no more.
 */
static _Atomic uint32_t slot_of_fd[PERF_EVENT_FD_LIMIT];

/* Written under the registry's lock, before any thread is armed. */
static struct cpu_setup setup;
static uint32_t last_ticket;
static uint64_t phase_start, phase_seq;
static _Atomic int64_t common_period; /* between two signals; relaxed */

static void *reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

int cpu_threads_init(void)
{
	if (!cpu_threads)
		cpu_threads = reserve(THREADS_MAX * sizeof(*cpu_threads));
	if (!scratch)
		scratch = reserve(THREADS_MAX * sizeof(*scratch));
	return cpu_threads && scratch ? 0 : ERR_NOMEM;
}

void cpu_threads_setup(const struct cpu_setup *s)
{
	struct rng rng;
	rng_seed_random(&rng);
	setup = *s;
	phase_start = rng_u64(&rng);
	phase_seq = 0;
	cpu_threads_pace(s->period_ns);
}

void cpu_threads_pace(int64_t signal_period_ns)
{
	atomic_store_explicit(&common_period, signal_period_ns,
			      memory_order_relaxed);
}

static int64_t pace(void)
{
	return atomic_load_explicit(&common_period, memory_order_relaxed);
}

struct cpu_thread *cpu_thread_of(const struct thread *t)
{
	return &cpu_threads[thread_slot(t)];
}

uintptr_t *cpu_thread_scratch(uint32_t slot)
{
	return scratch[slot];
}

/* ---- arming -------------------------------------------------------------- */

static uint32_t new_ticket(void)
{
	if (++last_ticket == 0)
		++last_ticket;
	return last_ticket;
}

static void name_fd(int fd, void *arg)
{
	atomic_store(&slot_of_fd[fd], *(uint32_t *)arg);
}

static int open_perf(const struct thread *t, struct cpu_thread *c)
{
	uint32_t slot = thread_slot(t);
	/* A phase of its own, as the timer's; points are counted by the clock,
	 * so it decides only where in its period a thread is looked at. */
	int64_t first = points_phase(phase_start, phase_seq, pace());
	if (first < PERF_FIRST_MIN_NS)
		first = PERF_FIRST_MIN_NS;
	c->signal_period = 0;
	return perf_event_open(t->tid, setup.signo, first, name_fd, &slot,
			       &c->event);
}

static int open_timer(const struct thread *t, struct cpu_thread *c)
{
	const uint64_t cookie =
		COOKIE_MAGIC << 48 | (uint64_t)c->ticket << 16 | thread_slot(t);
	const int rc = timer_open(t->tid, setup.signo, cookie, &c->timer);
	if (rc)
		return rc;
	const int64_t period = pace();
	/* At full speed each signal is a point; else the first comes at a
	 * phase of its own. */
	const int64_t first =
		period == setup.period_ns
			? c->first + c->delivered * period
			: clock_tid_cpu_ns(t->tid) +
				  points_phase(phase_start, phase_seq, period);
	c->signal_period = period;
	return timer_arm(c->timer, first, period);
}

static void close_sources(struct cpu_thread *c)
{
	timer_close(c->timer);
	c->timer = TIMER_NONE;
	if (c->event.fd >= 0)
		atomic_store(&slot_of_fd[c->event.fd], 0);
	perf_event_close(&c->event);
}

/* first, delivered and counted are set. */
static void open_source(struct thread *t)
{
	struct cpu_thread *c = cpu_thread_of(t);
	c->timer = TIMER_NONE;
	c->event.fd = -1;
	c->no_timer = 0;
	c->own_period = 0;
	c->cost = 0;
	/* A signal may come before we return: the ticket goes first. */
	atomic_store(&c->ticket, new_ticket());
	if (setup.engine == CPU_ENGINE_PERF && open_perf(t, c) == 0)
		return;
	const int rc = open_timer(t, c);
	if (rc == 0)
		return;
	const int error = errno;
	atomic_store(&c->ticket, 0);
	close_sources(c);
	/* A thread that has just ended needs none. */
	c->no_timer = rc == ERR_NOTFOUND ? 0 : error;
}

int64_t cpu_thread_arm(struct thread *t, int64_t base)
{
	struct cpu_thread *c = cpu_thread_of(t);
	const int64_t now = clock_tid_cpu_ns(t->tid);
	c->first =
		base + points_phase(phase_start, ++phase_seq, setup.period_ns);
	c->delivered = points_passed(c->first, setup.period_ns, now);
	c->counted = c->delivered;
	c->seen_clock = now;
	c->blocked = false;
	c->armed = true;
	open_source(t);
	return c->delivered;
}

void cpu_thread_retry(struct thread *t)
{
	struct cpu_thread *c = cpu_thread_of(t);
	c->delivered = c->counted;
	open_source(t);
}

void cpu_thread_disarm(struct thread *t)
{
	struct cpu_thread *c = cpu_thread_of(t);
	if (!c->armed)
		return;
	atomic_store(&c->ticket, 0);
	close_sources(c);
	c->armed = false;
	c->no_timer = 0;
}

void cpu_thread_move(struct thread *from, struct thread *to)
{
	struct cpu_thread *a = cpu_thread_of(from), *b = cpu_thread_of(to);
	const bool armed = a->armed;
	cpu_thread_disarm(from);
	b->first = a->first;
	b->counted = a->counted;
	b->delivered = a->counted;
	b->seen_clock = a->seen_clock;
	b->blocked = false;
	b->armed = armed;
	if (armed)
		open_source(to);
}

void cpu_thread_forget(struct thread *t)
{
	struct cpu_thread *c = cpu_thread_of(t);
	if (!c->armed)
		return;
	atomic_store(&c->ticket, 0);
	c->timer = TIMER_NONE;
	/* The event is the parent's: close, do not disable. */
	if (c->event.fd >= 0) {
		atomic_store(&slot_of_fd[c->event.fd], 0);
		close(c->event.fd);
	}
	c->event.fd = -1;
	c->armed = false;
	c->no_timer = 0;
}

/* ---- counting ------------------------------------------------------------ */

int64_t cpu_thread_pending(const struct thread *t, int64_t clock_ns)
{
	const struct cpu_thread *c = cpu_thread_of(t);
	if (!c->armed || clock_ns < 0)
		return 0;
	const int64_t n = points_passed(c->first, setup.period_ns, clock_ns) -
			  atomic_load(&c->counted);
	return n > 0 ? n : 0;
}

void cpu_thread_count(struct thread *t, int64_t n)
{
	atomic_fetch_add(&cpu_thread_of(t)->counted, n);
}

bool cpu_thread_is_orphan(const struct thread *t, int64_t clock_ns)
{
	const struct cpu_thread *c = cpu_thread_of(t);
	return c->armed &&
	       (clock_ns < c->seen_clock || timer_is_orphan(c->timer));
}

static uint32_t slot_of_timer(const siginfo_t *info)
{
	const uint64_t cookie = (uintptr_t)info->si_value.sival_ptr;
	const uint32_t slot = cookie & 0xffff;
	const uint32_t ticket = (uint32_t)(cookie >> 16);
	if (cookie >> 48 != COOKIE_MAGIC || slot == 0 || slot >= thread_limit())
		return 0;
	return atomic_load(&cpu_threads[slot].ticket) == ticket ? slot : 0;
}

static uint32_t slot_of_perf(const siginfo_t *info)
{
	if (info->si_fd < 0 || info->si_fd >= PERF_EVENT_FD_LIMIT)
		return 0;
	const uint32_t slot = atomic_load(&slot_of_fd[info->si_fd]);
	/* The descriptor may be another event's by now. */
	return slot && thread_at(slot)->tid == gettid() ? slot : 0;
}

uint32_t cpu_thread_of_signal(const siginfo_t *info)
{
	switch (info->si_code) {
	case SI_TIMER:
		return slot_of_timer(info);
	case POLL_IN:
	case POLL_HUP:
		return slot_of_perf(info);
	default:
		return 0;
	}
}

/* Is the source as fast as it should be?  It is known by what came with the
 * signal: somebody else may be closing it. */
static void keep_pace(struct cpu_thread *c, const siginfo_t *info)
{
	const int64_t common = pace();
	const int64_t want = c->own_period > common ? c->own_period : common;
	if (atomic_load_explicit(&c->signal_period, memory_order_relaxed) ==
	    want)
		return;
	atomic_store_explicit(&c->signal_period, want, memory_order_relaxed);
	if (info->si_code != SI_TIMER)
		perf_event_set_period(info->si_fd, want);
	else
		timer_arm(info->si_timerid,
			  c->first + (c->delivered - 1) * setup.period_ns +
				  want,
			  want);
}

/*
 * The clock says how many points are over, not the signal: a perf event runs
 * on a clock that drifts a little from the thread's, and either source may be
 * slower than the points are.  So a signal may bring none, or many.
 */
int64_t cpu_thread_take(uint32_t slot, const siginfo_t *info, int64_t clock_ns,
			int64_t *ret_lost)
{
	struct cpu_thread *c = &cpu_threads[slot];
	c->delivered = points_passed(c->first, setup.period_ns, clock_ns);
	keep_pace(c, info);
	*ret_lost = 0;
	int64_t counted = atomic_load(&c->counted);
	do {
		if (c->delivered <= counted)
			return 0;
	} while (!atomic_compare_exchange_weak(&c->counted, &counted,
					       c->delivered));
	int64_t n = c->delivered - counted;
	/* The first signal after a time in which it was blocked: where it
	 * finds the thread says nothing about the points before. */
	if (atomic_load(&c->blocked) && atomic_exchange(&c->blocked, false)) {
		*ret_lost = n - 1;
		n = 1;
	}
	return n;
}

bool cpu_thread_cost(uint32_t slot, const siginfo_t *info, int64_t cpu_ns)
{
	struct cpu_thread *c = &cpu_threads[slot];
	int64_t period =
		atomic_load_explicit(&c->signal_period, memory_order_relaxed);
	if (info->si_code == SI_TIMER && period < setup.tick_ns)
		period = setup.tick_ns;
	c->cost += (cpu_ns - c->cost) / 8;
	if (c->cost < period / 4)
		return false;
	c->own_period = period * 2;
	keep_pace(c, info);
	return true;
}
