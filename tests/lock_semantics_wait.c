/* lock_semantics_wait.c - see lock_semantics.h: conditions, semaphores, joins,
 * barriers, spin locks, and C11's. */
#include "tests/lock_semantics.h"

#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

/* ---- conditions ---------------------------------------------------------- */

static struct {
	pthread_mutex_t m;
	pthread_cond_t c;
	int go;
} at;

static int try_mutex(void *arg)
{
	(void)arg;
	const int rc = pthread_mutex_trylock(&at.m);
	if (rc == 0)
		pthread_mutex_unlock(&at.m);
	return rc;
}

static int lock_mutex(void *arg)
{
	(void)arg;
	const int rc = pthread_mutex_lock(&at.m);
	return rc ? rc : pthread_mutex_unlock(&at.m);
}

static int wait_until_go(void *arg)
{
	(void)arg;
	int rc = pthread_mutex_lock(&at.m);
	while (rc == 0 && !at.go)
		rc = pthread_cond_wait(&at.c, &at.m);
	/* It has the mutex, or is told what became of it. */
	return rc * 200 + pthread_mutex_unlock(&at.m);
}

static int change_and_die(void *arg)
{
	(void)arg;
	const int rc = pthread_mutex_lock(&at.m);
	at.go = 1;
	pthread_cond_broadcast(&at.c);
	return rc;
}

static void refused_waits(void)
{
	SAY(pthread_cond_timedwait(&at.c, &at.m, &negative));
	SAY(pthread_cond_timedwait(&at.c, &at.m, &too_many));
	SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_MONOTONIC, &negative));
	SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_MONOTONIC, &too_many));
	SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_PROCESS_CPUTIME_ID,
				   &past));
	SAY(pthread_cond_clockwait(&at.c, &at.m, 4711, &past));
}

static void timed_waits(clockid_t clock)
{
	const struct timespec real = in_ms(CLOCK_REALTIME, 3);
	const struct timespec mono = in_ms(CLOCK_MONOTONIC, 3);
	const struct timespec own = in_ms(clock, 3);
	SAY(pthread_cond_timedwait(&at.c, &at.m, &past));
	SAY(pthread_cond_timedwait(&at.c, &at.m, &own));
	SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_REALTIME, &real));
	SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_MONOTONIC, &mono));
	SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_MONOTONIC, &past));
}

static void condition_of(int type, int protocol, int robust, int shared,
			 clockid_t clock)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	struct helper h[3];
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_settype(&ma, type);
	pthread_mutexattr_setprotocol(&ma, protocol);
	pthread_mutexattr_setrobust(&ma, robust);
	pthread_mutexattr_setpshared(&ma, shared);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, shared);
	pthread_condattr_setclock(&ca, clock);
	memset(&at, 0, sizeof(at));
	SAY(pthread_mutex_init(&at.m, &ma));
	SAY(pthread_cond_init(&at.c, &ca));
	if (type != PTHREAD_MUTEX_NORMAL || robust) {
		/* Not the caller's. */
		SAY(pthread_cond_timedwait(&at.c, &at.m, &past));
		SAY(pthread_cond_clockwait(&at.c, &at.m, CLOCK_REALTIME,
					   &past));
		SAY(pthread_cond_wait(&at.c, &at.m));
	}
	SAY(pthread_mutex_lock(&at.m));
	refused_waits();
	timed_waits(clock);
	SAY(elsewhere(try_mutex, NULL));
	/* The wait frees it for one that waits for the mutex, who may come too
	 * late all the same. */
	helper_start(&h[0], lock_mutex, NULL);
	helper_asleep(&h[0]);
	timed_waits(clock);
	SAY(pthread_mutex_unlock(&at.m));
	SAY(helper_end(&h[0]));
	for (int i = 0; i < 3; i++)
		helper_start(&h[i], wait_until_go, NULL);
	for (int i = 0; i < 3; i++)
		helper_asleep(&h[i]);
	SAY(pthread_mutex_lock(&at.m));
	at.go = 1;
	SAY(pthread_cond_signal(&at.c));
	SAY(pthread_cond_broadcast(&at.c));
	SAY(pthread_mutex_unlock(&at.m));
	for (int i = 0; i < 3; i++)
		SAY(helper_end(&h[i]));
	if (robust) {
		at.go = 0;
		helper_start(&h[0], wait_until_go, NULL);
		helper_asleep(&h[0]);
		SAY(elsewhere(change_and_die, NULL));
		SAY(helper_end(&h[0]));
	}
	SAY(pthread_cond_destroy(&at.c));
}

void conditions(void)
{
	static const int types[] = { PTHREAD_MUTEX_NORMAL,
				     PTHREAD_MUTEX_ERRORCHECK,
				     PTHREAD_MUTEX_RECURSIVE };
	for (int i = 0; i < 3 * 2 * 2 * 2; i++) {
		const int type = i % 3, inherit = i / 3 % 2, robust = i / 6 % 2,
			  shared = i / 12;
		section("condition %d%s%s%s", type, inherit ? " inherit" : "",
			robust ? " robust" : "", shared ? " shared" : "");
		condition_of(types[type],
			     inherit ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE,
			     robust, shared,
			     i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME);
	}
}

/* ---- semaphores ---------------------------------------------------------- */

static sem_t sem;
static _Atomic int signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
	/* What a handler may do with semaphores. */
	sem_post(&sem);
	sem_trywait(&sem);
}

static int interrupted_wait(void *arg)
{
	(void)arg;
	const int rc = sem_wait(&sem);
	const int err = errno;
	errno = UNTOUCHED;
	return rc < 0 ? err : rc;
}

static int interrupted_timedwait(void *arg)
{
	(void)arg;
	const struct timespec far = in_ms(CLOCK_REALTIME, 30000);
	const int rc = sem_timedwait(&sem, &far);
	const int err = errno;
	errno = UNTOUCHED;
	return rc < 0 ? err : rc;
}

static void interrupted(int flags, int (*fn)(void *))
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	struct helper h;
	sigaction(SIGUSR1, &sa, NULL);
	helper_start(&h, fn, NULL);
	helper_asleep(&h);
	const int before = signals;
	pthread_kill(h.thread, SIGUSR1);
	while (signals == before)
		usleep(100);
	/* Its own post may have freed it; if not, this does. */
	if (flags & SA_RESTART) {
		helper_asleep(&h);
		SAY(sem_post(&sem));
	}
	SAY(helper_end(&h));
}

static void refused_sems(void)
{
	SAY(sem_timedwait(&sem, &negative));
	SAY(sem_timedwait(&sem, &too_many));
	SAY(sem_clockwait(&sem, CLOCK_MONOTONIC, &negative));
	SAY(sem_clockwait(&sem, CLOCK_REALTIME, &too_many));
	SAY(sem_clockwait(&sem, CLOCK_PROCESS_CPUTIME_ID, &past));
	SAY(sem_clockwait(&sem, 4711, &past));
}

static void semaphore_of(int shared)
{
	struct helper h;
	int value;
	SAY(sem_init(&sem, shared, (unsigned)INT_MAX + 1));
	SAY(sem_init(&sem, shared, 0));
	SAY(sem_trywait(&sem));
	refused_sems();
	SAY(sem_timedwait(&sem, &past));
	SAY(sem_clockwait(&sem, CLOCK_MONOTONIC, &past));
	const struct timespec real = in_ms(CLOCK_REALTIME, 3);
	const struct timespec mono = in_ms(CLOCK_MONOTONIC, 3);
	SAY(sem_timedwait(&sem, &real));
	SAY(sem_clockwait(&sem, CLOCK_MONOTONIC, &mono));
	SAY(sem_post(&sem));
	refused_sems();
	SAY(sem_timedwait(&sem, &past));
	SAY(sem_post(&sem));
	SAY(sem_clockwait(&sem, CLOCK_MONOTONIC, &past));
	SAY(sem_post(&sem));
	SAY(sem_wait(&sem));
	helper_start(&h, interrupted_wait, NULL);
	helper_asleep(&h);
	SAY(sem_post(&sem));
	SAY(helper_end(&h));
	sem_destroy(&sem);
	sem_init(&sem, shared, INT_MAX);
	SAY(sem_post(&sem));
	SAY(sem_getvalue(&sem, &value));
	SAY(value == INT_MAX);
	sem_destroy(&sem);
}

void semaphores(void)
{
	for (int i = 0; i < 2; i++) {
		section("semaphore%s", i ? " shared" : "");
		semaphore_of(i);
	}
	section("semaphore and signals");
	sem_init(&sem, 0, 0);
	interrupted(SA_RESTART, interrupted_wait);
	interrupted(SA_RESTART, interrupted_timedwait);
}

/* ---- joins --------------------------------------------------------------- */

static void *end_on_post(void *arg)
{
	while (sem_wait(arg))
		;
	return arg;
}

void joins(void)
{
	pthread_t t;
	pthread_attr_t a;
	void *value = NULL;
	section("join");
	sem_init(&sem, 0, 0);
	SAY(pthread_join(pthread_self(), NULL));
	SAY(pthread_timedjoin_np(pthread_self(), NULL, &past));
	pthread_create(&t, NULL, end_on_post, &sem);
	/* A time out of range is left out: glibc's never return with it. */
	const struct timespec real = in_ms(CLOCK_REALTIME, 3);
	const struct timespec mono = in_ms(CLOCK_MONOTONIC, 3);
	SAY(pthread_tryjoin_np(t, &value));
	SAY(pthread_timedjoin_np(t, &value, &past));
	SAY(pthread_timedjoin_np(t, &value, &real));
	SAY(pthread_clockjoin_np(t, &value, CLOCK_MONOTONIC, &mono));
	SAY(value != NULL);
	sem_post(&sem);
	SAY(pthread_join(t, &value));
	SAY(value == &sem);
	/* Ended before it is joined. */
	pthread_create(&t, NULL, end_on_post, &sem);
	sem_post(&sem);
	const struct timespec far = in_ms(CLOCK_MONOTONIC, 30000);
	SAY(pthread_clockjoin_np(t, &value, CLOCK_MONOTONIC, &far));
	SAY(value == &sem);
	pthread_create(&t, NULL, end_on_post, &sem);
	sem_post(&sem);
	while (pthread_tryjoin_np(t, &value) == EBUSY)
		usleep(100);
	SAY(value == &sem);
	/* Two that join one, or each other, are left out, too: the glibc of
	 * Debian 12 lets both wait for ever. */
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	pthread_create(&t, &a, end_on_post, &sem);
	SAY(pthread_join(t, NULL));
	SAY(pthread_tryjoin_np(t, NULL));
	SAY(pthread_timedjoin_np(t, NULL, &past));
	sem_post(&sem);
	usleep(1000);
}

/* ---- barriers, spin locks ------------------------------------------------ */

static int arrive(void *barrier)
{
	int serial = 0;
	for (int i = 0; i < 100; i++)
		serial += pthread_barrier_wait(barrier) ==
			  PTHREAD_BARRIER_SERIAL_THREAD;
	return serial;
}

static int spin_try(void *l)
{
	return pthread_spin_trylock((pthread_spinlock_t *)l);
}
static int spin_wait(void *l)
{
	const int rc = pthread_spin_lock((pthread_spinlock_t *)l);
	return rc ? rc : pthread_spin_unlock((pthread_spinlock_t *)l);
}

void barriers_and_spins(void)
{
	for (int shared = 0; shared < 2; shared++) {
		pthread_barrier_t b;
		pthread_barrierattr_t a;
		pthread_spinlock_t l;
		struct helper h[2];
		section("barrier%s", shared ? " shared" : "");
		pthread_barrierattr_init(&a);
		pthread_barrierattr_setpshared(&a, shared);
		SAY(pthread_barrier_init(&b, &a, 0));
		SAY(pthread_barrier_init(&b, &a, 1));
		SAY(pthread_barrier_wait(&b));
		SAY(pthread_barrier_destroy(&b));
		SAY(pthread_barrier_init(&b, &a, 3));
		helper_start(&h[0], arrive, &b);
		helper_start(&h[1], arrive, &b);
		int serial = arrive(&b);
		serial += helper_end(&h[0]);
		serial += helper_end(&h[1]);
		printf("barrier: %d of 300 were the serial thread\n", serial);
		SAY(pthread_barrier_destroy(&b));

		section("spin%s", shared ? " shared" : "");
		SAY(pthread_spin_init(&l, shared));
		SAY(pthread_spin_lock(&l));
		SAY(pthread_spin_trylock(&l));
		SAY(elsewhere(spin_try, (void *)&l));
		helper_start(&h[0], spin_wait, (void *)&l);
		usleep(3000);
		SAY(pthread_spin_unlock(&l));
		SAY(helper_end(&h[0]));
		SAY(pthread_spin_lock(&l));
		SAY(pthread_spin_unlock(&l));
		SAY(pthread_spin_destroy(&l));
	}
}

/* ---- C11 ----------------------------------------------------------------- */

static mtx_t mtx;
static cnd_t cnd;
static int go;

static int c11_try(void *arg)
{
	(void)arg;
	const int rc = mtx_trylock(&mtx);
	if (rc == thrd_success)
		mtx_unlock(&mtx);
	return rc;
}
static int c11_unlock(void *arg)
{
	(void)arg;
	return mtx_unlock(&mtx);
}
static int c11_timed(void *arg)
{
	(void)arg;
	const struct timespec soon = in_ms(CLOCK_REALTIME, 3);
	return mtx_timedlock(&mtx, &soon) * 10 + mtx_timedlock(&mtx, &past);
}
static int c11_refused(void *arg)
{
	(void)arg;
	return mtx_timedlock(&mtx, &negative) * 10 +
	       mtx_timedlock(&mtx, &too_many);
}
static int c11_wait(void *arg)
{
	int rc = mtx_lock(&mtx);
	while (rc == thrd_success && go != *(int *)arg)
		rc = cnd_wait(&cnd, &mtx);
	return rc * 10 + mtx_unlock(&mtx);
}
static int c11_run(void *arg)
{
	return *(int *)arg;
}
static void once(void)
{
	printf("once\n");
}

void c11(void)
{
	static const int types[] = { mtx_plain, mtx_timed,
				     mtx_plain | mtx_recursive,
				     mtx_timed | mtx_recursive };
	static int seven = 7;
	static once_flag flag = ONCE_FLAG_INIT;
	for (int i = 0; i < 4; i++) {
		struct helper h;
		section("mtx %d", types[i]);
		SAY_C11(mtx_init(&mtx, types[i]));
		SAY_C11(mtx_lock(&mtx));
		SAY_C11(mtx_trylock(&mtx));
		if (types[i] & mtx_recursive) {
			SAY_C11(mtx_unlock(&mtx));
			SAY_C11(mtx_lock(&mtx));
			SAY_C11(mtx_unlock(&mtx));
			SAY_C11(elsewhere(c11_unlock, NULL));
		} else {
			SAY(c11_timed(NULL));
		}
		SAY_C11(elsewhere(c11_try, NULL));
		SAY(elsewhere(c11_timed, NULL));
		SAY(elsewhere(c11_refused, NULL));
		SAY_C11(mtx_unlock(&mtx));
		SAY_C11(mtx_timedlock(&mtx, &negative));
		SAY_C11(cnd_init(&cnd));
		SAY_C11(cnd_timedwait(&cnd, &mtx, &past));
		SAY_C11(cnd_timedwait(&cnd, &mtx, &negative));
		const struct timespec soon = in_ms(CLOCK_REALTIME, 3);
		SAY_C11(cnd_timedwait(&cnd, &mtx, &soon));
		go = 0;
		helper_start(&h, c11_wait, &seven);
		helper_asleep(&h);
		go = 7;
		SAY_C11(cnd_signal(&cnd));
		SAY_C11(mtx_unlock(&mtx));
		SAY(helper_end(&h));
		cnd_destroy(&cnd);
		mtx_destroy(&mtx);
	}
	section("thrd");
	SAY_C11(mtx_init(&mtx, 4711));
	thrd_t t;
	int result = 0;
	SAY_C11(thrd_create(&t, c11_run, &seven));
	SAY_C11(thrd_join(t, &result));
	SAY(result);
	SAY_C11(thrd_join(thrd_current(), NULL));
	call_once(&flag, once);
	call_once(&flag, once);
}
