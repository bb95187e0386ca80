/*
 * cpu_thread.h - the sampling of one thread's CPU time: its points (points.h),
 * its timer or perf event, and what has been counted of it.
 *
 * Everything here but cpu_thread_of_signal and cpu_thread_take is called under
 * the registry's lock (thread.h), of threads that have a slot.
 */
#ifndef PROFLAB_PPROF_CPU_THREAD_H
#define PROFLAB_PPROF_CPU_THREAD_H

#include "pprof/perf_event.h"
#include "pprof/thread.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum cpu_engine {
	CPU_ENGINE_TIMER,
	CPU_ENGINE_PERF,
};

/* What all threads have in common while a capture runs. */
struct cpu_setup {
	int signo;
	enum cpu_engine engine; /* wanted; a thread may have to make do */
	int64_t period_ns;
	int64_t tick_ns; /* a timer's signals come no more often */
};

struct cpu_thread {
	/* 0 = not armed; else what a signal's cookie must carry.  Unlike a
	 * slot, never used twice: a signal of an older capture is known. */
	_Atomic uint32_t ticket;
	int timer;
	struct perf_event event;
	bool armed;
	int no_timer;	    /* errno: the system would not give one, and points
			     * are lost; 0: it has one */
	int64_t first;	    /* the clock's value at the first point */
	int64_t seen_clock; /* at the last scan, for one whose exit is not told
			     */
	/* Points that signals have announced.  Owner: the thread's handler,
	 * from when the source is open; atomic, for one of an older capture may
	 * not have come to its end when the next one arms. */
	_Atomic int64_t delivered;
	/* Points that were accounted for: as samples, or as lost. */
	_Atomic int64_t counted;
	/* The control thread found the signal blocked, and counted the points
	 * up to then as lost. */
	_Atomic bool blocked;
	/* CPU time between two signals now; 0 = the first is still to come, at
	 * a phase of its own.  Relaxed; the handler's alone to change. */
	_Atomic int64_t signal_period;
	/* Owner: the handler.  The period that its own cost forces on it (0:
	 * none), and what the handler costs on average. */
	_Atomic int64_t own_period, cost;
};

/* Reserve the memory of all slots.  Returns: 0 or ERR_NOMEM. */
int cpu_threads_init(void);
/* Before a capture: the setup, and new phases. */
void cpu_threads_setup(const struct cpu_setup *setup);
/*
 * CPU time between two signals of any thread from now on; each sees to it at
 * its next one.  Points are counted by the thread's clock, so that a profile's
 * totals stay.  Not under the lock.
 */
void cpu_threads_pace(int64_t signal_period_ns);

struct cpu_thread *cpu_thread_of(const struct thread *t);
/* Room for the handler to unwind into: STACK_DEPTH_MAX pcs.  The handler's
 * stack may be a small alternate one.  Signal: safe. */
uintptr_t *cpu_thread_scratch(uint32_t slot);

/*
 * Begin to sample t.  Points are laid out from the clock's value `base`; those
 * that are over already are returned, and nobody else counts them.
 */
int64_t cpu_thread_arm(struct thread *t, int64_t base);
/* Try again for one that has no timer. */
void cpu_thread_retry(struct thread *t);
/* No signal of it is taken from here on. */
void cpu_thread_disarm(struct thread *t);
/* What one slot's thread was about goes on in another slot. */
void cpu_thread_move(struct thread *from, struct thread *to);
/* In a forked child: timers were not inherited, descriptors were. */
void cpu_thread_forget(struct thread *t);

/* Points that are over at this value of its clock and not counted yet. */
int64_t cpu_thread_pending(const struct thread *t, int64_t clock_ns);
/* Count n more points, as somebody else than the handler. */
void cpu_thread_count(struct thread *t, int64_t n);
/*
 * Has the thread that it watches ended, and is its id, whose clock says so
 * much, another's?  A timer knows for sure; a perf event does not tell (poll
 * always says POLLHUP where no ring is mapped), so there a clock that has gone
 * back must do.
 */
bool cpu_thread_is_orphan(const struct thread *t, int64_t clock_ns);

/* The slot that this signal is about, or 0 when it is none of ours or comes
 * too late.  Signal: safe. */
uint32_t cpu_thread_of_signal(const siginfo_t *info);
/*
 * The points that this signal brings, less those that were counted as lost
 * meanwhile (ret_lost: in this call).  clock_ns: the thread's, now.
 * Thread: the thread itself.  Signal: safe.
 */
int64_t cpu_thread_take(uint32_t slot, const siginfo_t *info, int64_t clock_ns,
			int64_t *ret_lost);
/*
 * The handler took so much CPU.  When it takes more than a quarter of a
 * thread's time, that thread's rate is halved.  Without this a thread whose
 * samples cost more than its period stands still.  Signal: safe.
 * Returns: was it halved now?
 */
bool cpu_thread_cost(uint32_t slot, const siginfo_t *info, int64_t cpu_ns);

#endif
