/* thread.c - see thread.h. */
#include "pprof/thread.h"

#include "base/clock.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/label.h"
#include "pprof/lock_waits.h"
#include "pprof/threadcreate.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUCKETS = 8192 };

/* The destructor round in which a thread's end is taken: later than the first,
 * so that what other destructors burn is still seen. */
enum { LAST_ROUND = 2 };

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
/* Of the thread that holds the lock. */
static sigset_t mask_before;
static int cancel_before;
/* All guarded by registry_lock; `threads` is set once, before it is seen. */
static struct thread *threads;
static uint32_t buckets[BUCKETS];
static uint32_t free_head;
static _Atomic uint32_t limit = 1;
static _Atomic(const struct thread_listener *) listener;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_result;
static pthread_key_t exit_key;
static bool have_key;

/*
 * Claimed by the first thread that finds it 0.  A raw clone that shares our
 * TLS finds another's id here.
 */
static _Thread_local _Atomic pid_t tls_owner TLS_INITIAL_EXEC;

bool thread_owns_tls(pid_t tid)
{
	pid_t owner = 0;
	return atomic_compare_exchange_strong(&tls_owner, &owner, tid) ||
	       owner == tid;
}

struct thread *thread_at(uint32_t slot)
{
	return &threads[slot];
}

uint32_t thread_slot(const struct thread *t)
{
	return (uint32_t)(t - threads);
}

uint32_t thread_limit(void)
{
	return atomic_load(&limit);
}

/*
 * All signals wait meanwhile: a handler of the program's that forks (crash
 * reporters do) would otherwise find the lock taken by the code under it.  Nor
 * is a thread cancelled, as it would be at the close of a perf event, and leave
 * the lock to nobody.
 */
void thread_registry_lock(void)
{
	sigset_t all, before;
	int cancel;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* Who waits for it does not wait for the program. */
	guard_enter();
	pthread_mutex_lock(&registry_lock);
	mask_before = before;
	cancel_before = cancel;
}

void thread_registry_unlock(void)
{
	const sigset_t before = mask_before;
	const int cancel = cancel_before;
	pthread_mutex_unlock(&registry_lock);
	guard_leave();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_setcancelstate(cancel, NULL);
}

const sigset_t *thread_registry_mask(void)
{
	return &mask_before;
}

/* ---- slots --------------------------------------------------------------- */

static uint32_t *bucket_of(pid_t tid)
{
	return &buckets[(uint32_t)tid % BUCKETS];
}

struct thread *thread_find(pid_t tid)
{
	uint32_t slot = *bucket_of(tid);
	while (slot && threads[slot].tid != tid)
		slot = threads[slot].next;
	return slot ? &threads[slot] : NULL;
}

static struct thread *take_slot(enum thread_state state)
{
	uint32_t slot = free_head;
	if (slot) {
		free_head = threads[slot].next;
	} else {
		slot = atomic_load(&limit);
		if (slot == THREADS_MAX)
			return NULL;
		atomic_store(&limit, slot + 1);
	}
	struct thread *t = &threads[slot];
	*t = (struct thread){ .state = state };
	return t;
}

static void give_slot(struct thread *t)
{
	t->state = THREAD_FREE;
	t->tid = 0;
	t->next = free_head;
	free_head = thread_slot(t);
}

static void list(struct thread *t, pid_t tid)
{
	t->tid = tid;
	t->next = *bucket_of(tid);
	*bucket_of(tid) = thread_slot(t);
}

static void unlist(struct thread *t)
{
	uint32_t *link = bucket_of(t->tid);
	while (*link && *link != thread_slot(t))
		link = &threads[*link].next;
	if (*link)
		*link = t->next;
}

struct thread *thread_add(pid_t tid)
{
	struct thread *t = take_slot(THREAD_ALIVE);
	if (t)
		list(t, tid);
	return t;
}

void thread_remove(struct thread *t)
{
	unlist(t);
	give_slot(t);
}

/* ---- birth and exit, as the shim tells them ------------------------------ */

/* A ticket is the new thread's slot: nothing is allocated. */
struct hooks_thread *hooks_thread_new(uintptr_t start, void *fn, void *arg)
{
	if (thread_init() || !have_key)
		return NULL;
	struct stack_record *created = threadcreate_record();
	thread_registry_lock();
	struct thread *t = take_slot(THREAD_UNBORN);
	if (t) {
		t->created = created;
		t->start = start;
		t->fn = fn;
		t->arg = arg;
		t->labels = label_set_current();
	}
	thread_registry_unlock();
	return (struct hooks_thread *)t;
}

void hooks_thread_cancel(struct hooks_thread *ticket)
{
	threadcreate_undo(((struct thread *)ticket)->created);
	thread_registry_lock();
	give_slot((struct thread *)ticket);
	thread_registry_unlock();
}

static void begin_locked(struct thread *t, pid_t tid)
{
	const struct thread_listener *l = atomic_load(&listener);
	struct thread *old = thread_find(tid);
	t->state = THREAD_ALIVE;
	/* What was hooked has died without its exit hook. */
	if (old && old->state == THREAD_ALIVE && !old->hooked && l) {
		l->adopted(old, t);
	} else if (l) {
		if (old)
			l->died(old);
		l->born(t);
	}
	if (old)
		thread_remove(old);
	list(t, tid);
}

struct hooks_start hooks_thread_begin(struct hooks_thread *ticket)
{
	struct thread *t = (struct thread *)ticket;
	const pid_t tid = gettid();
	guard_enter();
	/* A new pthread has TLS of its own. */
	atomic_store(&tls_owner, tid);
	/* Nobody else touches an unborn slot. */
	const struct hooks_start start = { .fn = t->fn, .arg = t->arg };
	label_set_current_set(t->labels);
	t->hooked = pthread_setspecific(exit_key, (void *)(uintptr_t)1) == 0;
	thread_registry_lock();
	t->tid = tid;
	begin_locked(t, tid);
	thread_registry_unlock();
	const struct thread_listener *l = atomic_load(&listener);
	if (l)
		l->ready();
	guard_leave();
	return start;
}

static void leave(void)
{
	/* First of all: what we take here is not the program's. */
	const int64_t clock = clock_thread_cpu_ns();
	const pid_t tid = atomic_load(&tls_owner);
	const struct thread_listener *l = atomic_load(&listener);
	thread_registry_lock();
	struct thread *t = thread_find(tid);
	if (t && t->state == THREAD_ALIVE) {
		if (l && l->leaving(t, clock))
			t->state = THREAD_LEAVING;
		else
			thread_remove(t);
	}
	thread_registry_unlock();
}

/* The key's destructor: at return, pthread_exit, cancellation alike. */
static void exiting(void *value)
{
	const uintptr_t round = (uintptr_t)value;
	guard_enter();
	lock_waits_thread_ends();
	if (round >= LAST_ROUND ||
	    pthread_setspecific(exit_key, (void *)(round + 1)))
		leave();
	guard_leave();
}

/* ---- fork ----------------------------------------------------------------
 *
 * The lock is held while the process forks, and no signal comes: a fork that is
 * interrupted at a high rate may be restarted without end, and the child must
 * not sample before it has been put right.
 */
/* Keep the slot of the only thread there is, under its new id. */
static void after_fork_in_child(void)
{
	const struct thread_listener *l = atomic_load(&listener);
	const pid_t old_tid = atomic_load(&tls_owner);
	const pid_t tid = gettid();
	struct thread *self = old_tid ? thread_find(old_tid) : NULL;
	if (l)
		l->forked(self);
	for (uint32_t i = 1; i < atomic_load(&limit); i++) {
		struct thread *t = &threads[i];
		if (t == self || t->state == THREAD_FREE)
			continue;
		if (t->state == THREAD_UNBORN)
			give_slot(t);
		else
			thread_remove(t);
	}
	if (self) {
		unlist(self);
		list(self, tid);
	}
	atomic_store(&tls_owner, tid);
	thread_registry_unlock();
}

static void init(void)
{
	init_result = ERR_NOMEM;
	void *memory = mmap(NULL, THREADS_MAX * sizeof(*threads),
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return;
	threads = memory;
	if (pthread_atfork(thread_registry_lock, thread_registry_unlock,
			   after_fork_in_child))
		return;
	/* Without a key no exit is told: threads are then found by scanning. */
	have_key = pthread_key_create(&exit_key, exiting) == 0;
	init_result = 0;
}

int thread_init(void)
{
	pthread_once(&once, init);
	return init_result;
}

void thread_listen(const struct thread_listener *l)
{
	atomic_store(&listener, l);
}
