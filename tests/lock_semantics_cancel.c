/*
 * lock_semantics_cancel.c - see lock_semantics.h: cancellation in each wait,
 * and locks where the program has not begun or has nearly ended.
 */
#include "tests/lock_semantics.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

static struct {
	pthread_mutex_t m; /* error-checking: it knows its owner */
	pthread_cond_t c;
	pthread_rwlock_t rw;
	mtx_t mtx;
	cnd_t cnd;
	sem_t sem, ready, begin, go;
	pthread_t sleeper;
	pthread_barrier_t barrier;
	_Atomic int tid;
	int cleanup_unlock; /* what the clean-up handler was answered */
	_Atomic int passed; /* what came after the wait was reached */
} at;

static void *sleeper(void *arg)
{
	(void)arg;
	while (sem_wait(&at.go))
		;
	return NULL;
}

static void fresh(void)
{
	pthread_mutexattr_t a;
	memset(&at, 0, sizeof(at));
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&at.m, &a);
	pthread_cond_init(&at.c, NULL);
	pthread_rwlock_init(&at.rw, NULL);
	mtx_init(&at.mtx, mtx_plain | mtx_recursive);
	cnd_init(&at.cnd);
	sem_init(&at.sem, 0, 0);
	sem_init(&at.ready, 0, 0);
	sem_init(&at.go, 0, 0);
	sem_init(&at.begin, 0, 0);
	pthread_barrier_init(&at.barrier, NULL, 2);
	at.cleanup_unlock = -1;
	pthread_create(&at.sleeper, NULL, sleeper, NULL);
}

/* ---- the waits ----------------------------------------------------------- */

static void w_cond(void)
{
	pthread_cond_wait(&at.c, &at.m);
}
static void w_cond_timed(void)
{
	const struct timespec far = in_ms(CLOCK_REALTIME, 30000);
	pthread_cond_timedwait(&at.c, &at.m, &far);
}
static void w_cond_clock(void)
{
	const struct timespec far = in_ms(CLOCK_MONOTONIC, 30000);
	pthread_cond_clockwait(&at.c, &at.m, CLOCK_MONOTONIC, &far);
}
static void w_cnd(void)
{
	mtx_lock(&at.mtx);
	cnd_wait(&at.cnd, &at.mtx);
}
static void w_cnd_timed(void)
{
	const struct timespec far = in_ms(CLOCK_REALTIME, 30000);
	mtx_lock(&at.mtx);
	cnd_timedwait(&at.cnd, &at.mtx, &far);
}
static void w_sem(void)
{
	sem_wait(&at.sem);
}
static void w_sem_timed(void)
{
	const struct timespec far = in_ms(CLOCK_REALTIME, 30000);
	sem_timedwait(&at.sem, &far);
}
static void w_sem_clock(void)
{
	const struct timespec far = in_ms(CLOCK_MONOTONIC, 30000);
	sem_clockwait(&at.sem, CLOCK_MONOTONIC, &far);
}
static void w_join(void)
{
	pthread_join(at.sleeper, NULL);
}
static void w_join_timed(void)
{
	const struct timespec far = in_ms(CLOCK_REALTIME, 30000);
	pthread_timedjoin_np(at.sleeper, NULL, &far);
}
static void w_join_clock(void)
{
	const struct timespec far = in_ms(CLOCK_MONOTONIC, 30000);
	pthread_clockjoin_np(at.sleeper, NULL, CLOCK_MONOTONIC, &far);
}
static void w_thrd_join(void)
{
	thrd_join(at.sleeper, NULL);
}

/* These are no cancellation points. */
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static mtx_t other_mtx;
static pthread_spinlock_t other_spin;

static void w_mutex(void)
{
	pthread_mutex_lock(&other);
	pthread_mutex_unlock(&other);
}
static void w_mutex_timed(void)
{
	const struct timespec far = in_ms(CLOCK_REALTIME, 30000);
	if (pthread_mutex_timedlock(&other, &far) == 0)
		pthread_mutex_unlock(&other);
}
static void w_read(void)
{
	pthread_rwlock_rdlock(&at.rw);
	pthread_rwlock_unlock(&at.rw);
}
static void w_write(void)
{
	pthread_rwlock_wrlock(&at.rw);
	pthread_rwlock_unlock(&at.rw);
}
static void w_mtx(void)
{
	mtx_lock(&other_mtx);
	mtx_unlock(&other_mtx);
}
static void w_spin(void)
{
	pthread_spin_lock(&other_spin);
	pthread_spin_unlock(&other_spin);
}
static void w_barrier(void)
{
	pthread_barrier_wait(&at.barrier);
}

static const struct wait {
	const char *name;
	void (*wait)(void);
	int point; /* a cancellation point */
} waits[] = {
	{ "pthread_cond_wait", w_cond, 1 },
	{ "pthread_cond_timedwait", w_cond_timed, 1 },
	{ "pthread_cond_clockwait", w_cond_clock, 1 },
	{ "cnd_wait", w_cnd, 1 },
	{ "cnd_timedwait", w_cnd_timed, 1 },
	{ "sem_wait", w_sem, 1 },
	{ "sem_timedwait", w_sem_timed, 1 },
	{ "sem_clockwait", w_sem_clock, 1 },
	{ "pthread_join", w_join, 1 },
	{ "pthread_timedjoin_np", w_join_timed, 1 },
	{ "pthread_clockjoin_np", w_join_clock, 1 },
	{ "thrd_join", w_thrd_join, 1 },
	{ "pthread_mutex_lock", w_mutex, 0 },
	{ "pthread_mutex_timedlock", w_mutex_timed, 0 },
	{ "pthread_rwlock_rdlock", w_read, 0 },
	{ "pthread_rwlock_wrlock", w_write, 0 },
	{ "mtx_lock", w_mtx, 0 },
	{ "pthread_spin_lock", w_spin, 0 },
	{ "pthread_barrier_wait", w_barrier, 0 },
};

/* ---- being cancelled ----------------------------------------------------- */

static void clean_up(void *arg)
{
	(void)arg;
	at.cleanup_unlock = pthread_mutex_unlock(&at.m);
	at.cleanup_unlock += 200 * (int)mtx_unlock(&at.mtx);
}

static void *wait_to_be_cancelled(void *arg)
{
	const struct wait *w = arg;
	at.tid = gettid();
	pthread_mutex_lock(&at.m);
	pthread_cleanup_push(clean_up, NULL);
	w->wait();
	at.passed = 1;
	pthread_testcancel();
	pthread_cleanup_pop(1);
	return NULL;
}

/* With a request that came before the wait did. */
static void *wait_cancelled(void *arg)
{
	const struct wait *w = arg;
	pthread_mutex_lock(&at.m);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&at.ready);
	while (sem_wait(&at.begin))
		;
	pthread_cleanup_push(clean_up, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	w->wait();
	at.passed = 1;
	pthread_testcancel();
	pthread_cleanup_pop(1);
	return NULL;
}

static void *wait_asynchronous(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	return wait_to_be_cancelled(arg);
}

static void hold_others(void)
{
	pthread_mutex_lock(&other);
	pthread_rwlock_wrlock(&at.rw);
	mtx_lock(&other_mtx);
	pthread_spin_lock(&other_spin);
}

static void release_others(void)
{
	pthread_mutex_unlock(&other);
	pthread_rwlock_unlock(&at.rw);
	mtx_unlock(&other_mtx);
	pthread_spin_unlock(&other_spin);
}

static void report(const struct wait *w, const char *how, pthread_t t)
{
	void *result;
	const int rc = pthread_join(t, &result);
	printf("%s %s: join %d, %s, %s, clean-up was answered %d\n", w->name,
	       how, rc,
	       result == PTHREAD_CANCELED ? "cancelled" : "not cancelled",
	       at.passed ? "after the wait" : "in the wait", at.cleanup_unlock);
	/* Is the mutex free, and can it be used? */
	section("%s %s", w->name, how);
	SAY(pthread_mutex_trylock(&at.m));
	SAY(pthread_mutex_unlock(&at.m));
	at.passed = 0;
}

static void in_the_wait(const struct wait *w, const char *how,
			void *(*run)(void *))
{
	pthread_t t;
	fresh();
	hold_others();
	pthread_create(&t, NULL, run, (void *)(uintptr_t)w);
	while (!at.tid)
		usleep(100);
	struct helper h = { .tid = at.tid };
	if (w->wait == w_spin)
		usleep(3000);
	else
		helper_asleep(&h);
	pthread_cancel(t);
	if (!w->point) {
		usleep(2000);
		release_others();
		if (w->wait == w_barrier)
			pthread_barrier_wait(&at.barrier);
	}
	report(w, how, t);
	if (w->point)
		release_others();
	sem_post(&at.go);
	/* A joiner that was cancelled has left it to be joined. */
	SAY(pthread_join(at.sleeper, NULL));
}

static void before_the_wait(const struct wait *w, int available)
{
	pthread_t t;
	int value;
	fresh();
	if (available) {
		sem_post(&at.sem);
		sem_post(&at.go);
		usleep(1000);
	}
	if (w->wait == w_barrier) {
		pthread_barrier_destroy(&at.barrier);
		pthread_barrier_init(&at.barrier, NULL, 1);
	}
	pthread_create(&t, NULL, wait_cancelled, (void *)(uintptr_t)w);
	while (sem_wait(&at.ready))
		;
	pthread_cancel(t);
	sem_post(&at.begin);
	report(w, available ? "before it, and no need to wait" : "before it",
	       t);
	sem_getvalue(&at.sem, &value);
	SAY(value);
	sem_post(&at.go);
}

void cancellation(void)
{
	mtx_init(&other_mtx, mtx_plain);
	pthread_spin_init(&other_spin, 0);
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		const struct wait *w = &waits[i];
		in_the_wait(w, "in it", wait_to_be_cancelled);
		if (w->point)
			in_the_wait(w, "asynchronously", wait_asynchronous);
	}
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		const struct wait *w = &waits[i];
		/* With joins it depends on who is first. */
		if (w->wait == w_join || w->wait == w_join_timed ||
		    w->wait == w_join_clock || w->wait == w_thrd_join)
			continue;
		before_the_wait(w, 0);
		before_the_wait(w, 1);
	}
}

/* ---- before main, after it, and where a thread ends ---------------------- */

static pthread_mutex_t early = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static char early_answers[128];

static int early_lock(void *arg)
{
	(void)arg;
	const int rc = pthread_mutex_lock(&early);
	return rc ? rc : pthread_mutex_unlock(&early);
}

/* All of them contended. */
static int contend(void)
{
	struct helper h;
	int rc = pthread_mutex_lock(&early);
	helper_start(&h, early_lock, NULL);
	helper_asleep(&h);
	rc = rc * 10 + pthread_mutex_unlock(&early);
	return rc * 10 + helper_end(&h);
}

__attribute__((constructor(101))) static void before_main(void)
{
	snprintf(early_answers, sizeof(early_answers), "%d, errno %d",
		 contend(), errno == ENOENT ? 0 : errno);
}

__attribute__((destructor)) static void after_main(void)
{
	if (*early_answers)
		printf("after main: %d\n", contend());
}

static void at_thread_end(void *value)
{
	/* Again and again, as long as there are rounds. */
	const intptr_t round = (intptr_t)value;
	printf("key destructor, round %d: %d\n", (int)round, contend());
	if (round < 3)
		pthread_setspecific(key, (void *)(round + 1));
}

static int set_key(void *arg)
{
	return pthread_setspecific(key, arg);
}

void hard_places(void)
{
	printf("before main: %s\n", early_answers);
	section("thread end");
	pthread_key_create(&key, at_thread_end);
	SAY(elsewhere(set_key, (void *)1));
}
