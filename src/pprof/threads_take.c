/*
 * threads_take.c - the list of all threads and where they are; see threads.h.
 */
#include "pprof/threads.h"

#include "base/clock.h"
#include "base/err.h"
#include "pprof/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	/* What a thread still spends after its answer, on the way back. */
	RETURN_NS = 100000,
};

struct found {
	pid_t tid;
	uintptr_t start;
};

struct found_list {
	struct found *v; /* mapped for THREADS_MAX; the scan may not allocate */
	size_t n;
};

static void add_found(pid_t tid, struct thread *t, void *arg)
{
	struct found_list *l = arg;
	if (l->n < THREADS_MAX)
		l->v[l->n++] = (struct found){ tid, t ? t->start : 0 };
}

/* ---- since when a thread has not run --------------------------------------
 *
 * The kernel tells when a thread last ran.  But to ask it is to make it run,
 * so what is known is kept: while its clock has not moved since its last
 * answer, it has been where it was.
 */
struct seen {
	pid_t tid;
	int64_t clock_ns; /* when it had answered */
	int64_t since_ns; /* it has not run since */
};

static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static struct seen *seen; /* by tid; guard: seen_lock */
static size_t n_seen;

static const struct seen *find_seen(pid_t tid)
{
	size_t low = 0, high = n_seen;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (seen[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n_seen && seen[low].tid == tid ? &seen[low] : NULL;
}

/* The moment of a look, on the clocks that it needs. */
struct moment {
	int64_t now_ns;
	int64_t boot_ns; /* CLOCK_BOOTTIME, as threads' start times */
	/*
	 * How far the scheduler's clock is behind.  It leaves out what the host
	 * took away and what interrupts took: on a virtual machine 26 s were
	 * seen after four hours.  Each CPU has its own, which differ by little;
	 * this is that of the one who asks, who runs now.
	 */
	int64_t lag_ns;
};

static struct moment moment_now(void)
{
	struct timespec boot;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	const int64_t ran = thread_last_ran_ns(gettid());
	const int64_t now = clock_monotonic_ns();
	return (struct moment){
		.now_ns = now,
		.boot_ns = boot.tv_sec * INT64_C(1000000000) + boot.tv_nsec,
		.lag_ns = ran >= 0 ? now - ran : 0,
	};
}

static void look_at(struct threads_one *t, const struct moment *m)
{
	t->state = thread_kernel_state(t->tid);
	t->idle_ns = -1;
	if (t->state == 'R' || t->state == '\0' || t->tid == gettid())
		return;
	int64_t since = thread_last_ran_ns(t->tid);
	const struct seen *s = find_seen(t->tid);
	const int64_t clock = clock_tid_cpu_ns(t->tid);
	if (s && clock >= s->clock_ns && clock - s->clock_ns < RETURN_NS)
		since = s->since_ns;
	else if (since >= 0)
		since += m->lag_ns;
	if (since < 0)
		return;
	t->idle_ns = m->now_ns > since ? m->now_ns - since : 0;
	/* Nobody has slept for longer than it lives. */
	const int64_t started = thread_started_ns(t->tid);
	if (started >= 0 && m->boot_ns - started < t->idle_ns)
		t->idle_ns = m->boot_ns > started ? m->boot_ns - started : 0;
}

static int by_tid(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void remember(const struct threads_list *l, const int64_t *clocks,
		     int64_t now)
{
	struct seen *fresh = calloc(l->n + 1, sizeof(*fresh));
	if (!fresh)
		return;
	for (size_t i = 0; i < l->n; i++) {
		const struct threads_one *t = &l->v[i];
		fresh[i] = (struct seen){
			.tid = t->tid,
			.clock_ns = clocks[i],
			.since_ns = t->idle_ns >= 0 ? now - t->idle_ns : now,
		};
	}
	qsort(fresh, l->n, sizeof(*fresh), by_tid);
	free(seen);
	seen = fresh;
	n_seen = l->n;
}

/* ---- asking -------------------------------------------------------------- */

struct taking {
	struct threads_list *list;
	int64_t *clocks;
	size_t i;
	int rc;
};

static uintptr_t *more_pcs(struct threads_list *l, size_t n)
{
	/* NULL is a failure, even where the first has no stack. */
	if (!l->pcs || l->n_pcs + n > l->pcs_size) {
		const size_t size = (l->pcs_size + n) * 2 + 1024;
		uintptr_t *pcs = realloc(l->pcs, size * sizeof(*pcs));
		if (!pcs)
			return NULL;
		l->pcs = pcs;
		l->pcs_size = size;
	}
	return l->pcs + l->n_pcs;
}

static void take_answer(const struct ask_answer *a, void *arg)
{
	struct taking *taking = arg;
	struct threads_list *l = taking->list;
	struct threads_one *t = &l->v[taking->i];
	taking->clocks[taking->i++] = a->clock_ns;
	uintptr_t *pcs = more_pcs(l, a->stack.depth);
	if (!pcs) {
		taking->rc = ERR_NOMEM;
		return;
	}
	t->result = a->result;
	t->labels = a->labels;
	t->waiting_for_lock = a->waiting_for_lock;
	t->depth = a->stack.depth;
	t->truncated = a->stack.truncated;
	t->exact_leaf = a->stack.exact_leaf;
	t->first = l->n_pcs;
	if (t->depth)
		memcpy(pcs, a->stack.pcs, t->depth * sizeof(*pcs));
	l->n_pcs += t->depth;
}

/* Those that ended before they could answer are not there now. */
static void drop_gone(struct threads_list *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].result != ASK_GONE)
			l->v[kept++] = l->v[i];
	l->n = kept;
}

static int take(const struct found_list *found, bool details,
		struct threads_list *l, struct err *e)
{
	l->v = calloc(found->n + 1, sizeof(*l->v));
	pid_t *tids = calloc(found->n + 1, sizeof(*tids));
	struct taking taking = {
		.list = l,
		.clocks = calloc(found->n + 1, sizeof(*taking.clocks)),
	};
	int rc = ERR_NOMEM;
	if (!l->v || !tids || !taking.clocks)
		goto out;
	l->n = found->n;
	const struct moment moment = moment_now();
	for (size_t i = 0; i < l->n; i++) {
		struct threads_one *t = &l->v[i];
		t->tid = tids[i] = found->v[i].tid;
		t->start = found->v[i].start;
		t->n = 1;
		if (details)
			look_at(t, &moment);
	}
	rc = ask_threads(tids, l->n, take_answer, &taking, e);
	if (rc == 0)
		rc = taking.rc;
	if (rc == 0 && details)
		remember(l, taking.clocks, moment.now_ns);
	drop_gone(l);
out:
	free(tids);
	free(taking.clocks);
	return rc;
}

int threads_take(bool details, struct threads_list *ret, struct err *e)
{
	*ret = (struct threads_list){ 0 };
	int rc = thread_init();
	if (rc)
		return err_set(e, rc, "no memory for the threads");
	const size_t bytes = THREADS_MAX * sizeof(struct found);
	struct found_list found = {
		.v = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
	};
	if (found.v == MAP_FAILED)
		return err_set(e, ERR_NOMEM, "out of memory");
	rc = thread_scan(add_found, &found);
	if (rc < 0) {
		err_set(e, rc, "/proc/self/task cannot be read");
	} else {
		if (details)
			pthread_mutex_lock(&seen_lock);
		rc = take(&found, details, ret, e);
		if (details)
			pthread_mutex_unlock(&seen_lock);
	}
	munmap(found.v, bytes);
	if (rc)
		threads_list_free(ret);
	return rc;
}

void threads_list_free(struct threads_list *l)
{
	free(l->v);
	free(l->pcs);
	*l = (struct threads_list){ 0 };
}

struct stack threads_stack(const struct threads_list *l,
			   const struct threads_one *t)
{
	return (struct stack){
		.pcs = l->pcs + t->first,
		.depth = t->depth,
		.truncated = t->truncated,
		.exact_leaf = t->exact_leaf,
	};
}

/* The child must not inherit the lock from a thread that it does not have. */
static void forked(void)
{
	seen_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	n_seen = 0;
}

__attribute__((constructor)) static void threads_init(void)
{
	pthread_atfork(NULL, NULL, forked);
}
