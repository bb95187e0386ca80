/*
 * ask.c - see ask.h.
 *
 * A request is a slot in an array that is never unmapped, and a round's number:
 * a signal that comes late finds another round there, and does nothing.  A
 * slot whose handler is still writing when its round was given up stays out of
 * use until that handler is done.
 */
#include "pprof/ask.h"

#include "base/clock.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/label.h"
#include "pprof/sampler_signal.h"
#include "pprof/thread.h"
#include "pprof/unwind.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum phase { IDLE, ASKED, WRITING, DONE };

enum {
	PHASE_BITS = 2,
	SLOT_BITS = 17, /* twice THREADS_MAX: some may be out of use */
	SLOTS = 1 << SLOT_BITS,
	LOOK_NS = 10000000,    /* how often the silent ones are looked at */
	LINGER_NS = 100000000, /* for one that is writing at the limit */
	/* One that makes a thread, or forks, blocks all for a moment, which is
	 * longer where there is no processor for it. */
	BLOCKED_LOOKS = 3,
};

struct request {
	_Atomic uint64_t state; /* round << PHASE_BITS | phase */
	pid_t tid;
	bool raw;		/* may share another's TLS */
	bool sent;		/* the asker's */
	uint8_t blocked;	/* the asker's: looks that found it so */
	enum ask_result silent; /* the asker's: why it is given up */
	bool given_up;
	/* Written by the handler, between WRITING and DONE. */
	bool truncated, waiting;
	uint32_t labels, depth;
	int64_t clock_ns;
	uintptr_t pcs[STACK_DEPTH_MAX];
};

_Thread_local bool ask_waiting_for_lock TLS_INITIAL_EXEC;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guard: lock; set once, before the first signal. */
static struct request *requests;
static uint64_t current_round;
static int signo;
/* How many answers there were, ever; what the asker waits on (futex). */
static _Atomic uint32_t answers;
static _Atomic uint32_t awaited; /* wake the asker at this many */
static _Atomic int64_t n_requests;

const char *ask_result_text(enum ask_result result)
{
	static const char *const texts[ASK_RESULTS] = {
		[ASK_ANSWERED] = "answered",
		[ASK_GONE] = "has ended",
		[ASK_BLOCKED] = "blocks the signal",
		[ASK_STOPPED] = "is stopped",
		[ASK_SILENT] = "does not answer",
	};
	return texts[result];
}

int64_t ask_requests(void)
{
	return atomic_load(&n_requests);
}

int ask_signal(void)
{
	return __atomic_load_n(&signo, __ATOMIC_RELAXED);
}

/* ---- the handler --------------------------------------------------------- */

static void answer(struct request *r, const ucontext_t *uc)
{
	r->depth = 0;
	r->truncated = r->waiting = false;
	r->labels = LABEL_SET_NONE;
	if (r->raw || !thread_owns_tls(r->tid) || !unwind_has_room(uc)) {
		r->pcs[0] = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
		r->depth = 1;
	} else {
		const struct unwound u = unwind_from_signal(
			UNWIND_RULES, uc, r->pcs, STACK_DEPTH_MAX);
		r->depth = (uint32_t)u.depth;
		r->truncated = u.truncated;
		r->labels = label_set_current();
		r->waiting = ask_waiting_for_lock;
	}
	r->clock_ns = clock_thread_cpu_ns();
}

/* Signal: this is the handler.  It may come late, or from someone else. */
static void on_signal(int sig, siginfo_t *si, void *ucontext)
{
	(void)sig;
	const int saved = errno;
	const uint64_t cookie = (uint64_t)(uintptr_t)si->si_value.sival_ptr;
	struct request *r = &requests[cookie & (SLOTS - 1)];
	const uint64_t round = cookie >> SLOT_BITS << PHASE_BITS;
	uint64_t asked = round | ASKED;
	if (si->si_code == SI_QUEUE && si->si_pid == getpid() &&
	    atomic_compare_exchange_strong(&r->state, &asked,
					   round | WRITING)) {
		answer(r, ucontext);
		atomic_store_explicit(&r->state, round | DONE,
				      memory_order_release);
		if (atomic_fetch_add(&answers, 1) + 1 == atomic_load(&awaited))
			syscall(SYS_futex, &answers, FUTEX_WAKE_PRIVATE,
				INT_MAX);
	}
	if (errno != saved)
		errno = saved;
}

/* ---- asking -------------------------------------------------------------- */

static enum phase phase_of(const struct request *r)
{
	return atomic_load_explicit(&r->state, memory_order_acquire) &
	       ((1 << PHASE_BITS) - 1);
}

static void set_state(struct request *r, enum phase phase)
{
	atomic_store(&r->state, current_round << PHASE_BITS | phase);
}

static int prepare(struct err *e)
{
	if (thread_init())
		return err_set(e, ERR_NOMEM, "no memory for the threads");
	if (!requests) {
		void *memory = mmap(NULL, SLOTS * sizeof(*requests),
				    PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				    -1, 0);
		if (memory == MAP_FAILED)
			return err_set(e, ERR_NOMEM, "no memory to ask with");
		requests = memory;
		unwind_init();
	}
	if (signo && sampler_signal_is_ours(signo, on_signal))
		return 0;
	const int rc = sampler_signal_realtime(on_signal, e);
	if (rc < 0)
		return rc;
	__atomic_store_n(&signo, rc, __ATOMIC_RELAXED);
	return 0;
}

/* The asker's own stack.  noinline: the walk counts frames from here. */
__attribute__((noinline)) static void answer_self(struct request *r)
{
	const struct unwound u =
		unwind_from_here(UNWIND_RULES, 0, r->pcs, STACK_DEPTH_MAX);
	r->depth = (uint32_t)u.depth;
	r->truncated = u.truncated;
	r->waiting = false;
	r->labels = label_set_current();
	r->clock_ns = clock_thread_cpu_ns();
	set_state(r, DONE);
}

static void give_up(struct request *r, enum ask_result why)
{
	uint64_t asked = current_round << PHASE_BITS | ASKED;
	if (atomic_compare_exchange_strong(
		    &r->state, &asked, current_round << PHASE_BITS | IDLE)) {
		r->given_up = true;
		r->silent = why;
	}
}

/* EAGAIN (RLIMIT_SIGPENDING) is tried again at the next look. */
static void send(struct request *r)
{
	const uint64_t slot = (uint64_t)(r - requests);
	siginfo_t si = { .si_code = SI_QUEUE };
	si.si_pid = getpid();
	si.si_uid = getuid();
	si.si_value.sival_ptr =
		(void *)(uintptr_t)(current_round << SLOT_BITS | slot);
	atomic_fetch_add(&n_requests, 1);
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), r->tid, signo, &si) == 0)
		r->sent = true;
	else if (errno != EAGAIN)
		give_up(r, ASK_GONE);
}

/* Why has it not answered yet? */
static void look_at(struct request *r)
{
	if (!r->sent) {
		send(r);
		return;
	}
	const char state = thread_kernel_state(r->tid);
	if (state == '\0' || state == 'Z' || state == 'X')
		give_up(r, ASK_GONE);
	else if (state == 'T' || state == 't')
		give_up(r, ASK_STOPPED);
	else if (thread_blocks_signal(r->tid, signo) &&
		 ++r->blocked == BLOCKED_LOOKS)
		give_up(r, ASK_BLOCKED);
}

static void wait_for_answers(uint32_t more, int64_t until)
{
	const uint32_t now = atomic_load(&answers);
	atomic_store(&awaited, now + more);
	const int64_t left = until - clock_monotonic_ns();
	/* One that answered between the two: then its count is not `now`. */
	if (left <= 0)
		return;
	const struct timespec wait = clock_to_timespec(left);
	syscall(SYS_futex, &answers, FUTEX_WAIT_PRIVATE, now, &wait);
}

static uint32_t count_phase(const uint32_t *slots, size_t n, enum phase phase)
{
	uint32_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += phase_of(&requests[slots[i]]) == phase;
	return count;
}

/* Until all have answered or were given up; those that are writing at the
 * limit get a little longer. */
static void collect(const uint32_t *slots, size_t n)
{
	const int64_t start = clock_monotonic_ns();
	const int64_t limit = start + ASK_LIMIT_MS * INT64_C(1000000);
	int64_t look = start + LOOK_NS;
	for (;;) {
		const int64_t now = clock_monotonic_ns();
		const uint32_t asked = count_phase(slots, n, ASKED);
		const uint32_t left = asked + count_phase(slots, n, WRITING);
		if (left == 0 || now >= limit + LINGER_NS)
			return;
		if (now >= limit) {
			for (size_t i = 0; i < n; i++)
				give_up(&requests[slots[i]], ASK_SILENT);
			look = limit + LINGER_NS;
		} else if (now >= look) {
			for (size_t i = 0; i < n; i++)
				if (phase_of(&requests[slots[i]]) == ASKED)
					look_at(&requests[slots[i]]);
			look = clock_monotonic_ns() + LOOK_NS;
		}
		wait_for_answers(left, look < limit  ? look
				       : now < limit ? limit
						     : limit + LINGER_NS);
	}
}

/* Slots that no late handler writes to. */
static void take_slots(const pid_t *tids, size_t n, uint32_t *slots)
{
	uint32_t next = 0;
	for (size_t i = 0; i < n; i++) {
		while (phase_of(&requests[next]) == WRITING)
			next++;
		struct request *r = &requests[next];
		r->tid = tids[i];
		r->raw = thread_is_raw(tids[i]);
		r->sent = r->given_up = false;
		r->blocked = 0;
		r->silent = ASK_SILENT;
		slots[i] = next++;
		set_state(r, ASKED);
	}
}

static void report(const struct request *r,
		   void (*fn)(const struct ask_answer *, void *), void *arg)
{
	struct ask_answer a = { .tid = r->tid };
	if (phase_of(r) == DONE) {
		a.waiting_for_lock = r->waiting;
		a.labels = r->labels;
		a.clock_ns = r->clock_ns;
		a.stack = (struct stack){ .pcs = r->pcs,
					  .depth = r->depth,
					  .truncated = r->truncated,
					  .exact_leaf = r->tid != gettid() };
	} else {
		a.result = r->silent;
	}
	fn(&a, arg);
}

static int ask_locked(const pid_t *tids, size_t n,
		      void (*fn)(const struct ask_answer *, void *), void *arg,
		      struct err *e)
{
	const int rc = prepare(e);
	if (rc)
		return rc;
	const size_t bytes = (n + 1) * sizeof(uint32_t);
	uint32_t *slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return err_set(e, ERR_NOMEM, "out of memory");
	current_round++;
	atomic_store(&awaited, atomic_load(&answers) - 1);
	take_slots(tids, n, slots);
	for (size_t i = 0; i < n; i++) {
		struct request *r = &requests[slots[i]];
		if (r->tid == gettid())
			answer_self(r);
		else
			send(r);
	}
	collect(slots, n);
	for (size_t i = 0; i < n; i++)
		report(&requests[slots[i]], fn, arg);
	munmap(slots, bytes);
	return 0;
}

int ask_threads(const pid_t *tids, size_t n,
		void (*fn)(const struct ask_answer *answer, void *arg),
		void *arg, struct err *e)
{
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	guard_enter();
	pthread_mutex_lock(&lock);
	const int rc = ask_locked(tids, n, fn, arg, e);
	pthread_mutex_unlock(&lock);
	guard_leave();
	return rc;
}

/* The child has none of the threads that were asked, nor the asker. */
static void forked(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	current_round += 1;
	for (size_t i = 0; requests && i < SLOTS; i++) {
		struct request *r = &requests[i];
		if (atomic_load(&r->state) == 0)
			break;
		set_state(r, IDLE);
	}
}

__attribute__((constructor)) static void ask_init(void)
{
	pthread_atfork(NULL, NULL, forked);
}
