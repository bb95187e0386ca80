/* lock_semantics_mutex.c - see lock_semantics.h: mutexes of every kind, and
 * read-write locks. */
#include "tests/lock_semantics.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct kind {
	int type, protocol, robust, shared;
};

static const struct named {
	int value;
	const char *name;
} types[] = {
	{ PTHREAD_MUTEX_NORMAL, "normal" },
	{ PTHREAD_MUTEX_ERRORCHECK, "errorcheck" },
	{ PTHREAD_MUTEX_RECURSIVE, "recursive" },
	{ PTHREAD_MUTEX_ADAPTIVE_NP, "adaptive" },
}, protocols[] = {
	{ PTHREAD_PRIO_NONE, "" },
	{ PTHREAD_PRIO_INHERIT, " inherit" },
	{ PTHREAD_PRIO_PROTECT, " protect" },
};

static int make(pthread_mutex_t *m, const struct kind *k)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, k->type);
	pthread_mutexattr_setprotocol(&a, k->protocol);
	pthread_mutexattr_setrobust(&a, k->robust);
	pthread_mutexattr_setpshared(&a, k->shared);
	const int rc = pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
	return rc;
}

/* ---- what another thread is answered ------------------------------------- */

static int lock(void *m)
{
	return pthread_mutex_lock(m);
}
static int lock_and_unlock(void *m)
{
	const int rc = pthread_mutex_lock(m);
	return rc ? rc : pthread_mutex_unlock(m);
}
static int trylock(void *m)
{
	return pthread_mutex_trylock(m);
}
static int unlock(void *m)
{
	return pthread_mutex_unlock(m);
}
static int timed_past(void *m)
{
	return pthread_mutex_timedlock(m, &past);
}
static int timed_soon(void *m)
{
	const struct timespec soon = in_ms(CLOCK_REALTIME, 2);
	return pthread_mutex_timedlock(m, &soon);
}
static int timed_negative(void *m)
{
	return pthread_mutex_timedlock(m, &negative);
}
static int timed_too_many(void *m)
{
	return pthread_mutex_timedlock(m, &too_many);
}
static int clock_past(void *m)
{
	return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &past);
}
static int clock_soon(void *m)
{
	const struct timespec soon = in_ms(CLOCK_MONOTONIC, 2);
	return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &soon);
}
static int clock_unknown(void *m)
{
	return pthread_mutex_clocklock(m, CLOCK_PROCESS_CPUTIME_ID, &past);
}
static int clock_nonsense(void *m)
{
	return pthread_mutex_clocklock(m, 4711, &past);
}
static int clock_negative(void *m)
{
	return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &negative);
}

static const struct op {
	const char *name;
	int (*fn)(void *);
} timed[] = {
	{ "trylock", trylock },
	{ "timedlock past", timed_past },
	{ "timedlock soon", timed_soon },
	{ "timedlock negative", timed_negative },
	{ "timedlock too_many", timed_too_many },
	{ "clocklock past", clock_past },
	{ "clocklock soon", clock_soon },
	{ "clocklock unknown", clock_unknown },
	{ "clocklock nonsense", clock_nonsense },
	{ "clocklock negative", clock_negative },
};

enum { N_TIMED = sizeof(timed) / sizeof(*timed) };

static void say_op(const char *where, const struct op *op, int rc)
{
	char text[64];
	snprintf(text, sizeof(text), "%s %s", where, op->name);
	answer(text, rc);
}

/* Each of them on one that is free, on one's own, and on another's. */
static void try_all(pthread_mutex_t *m, const struct kind *k)
{
	for (int i = 0; i < N_TIMED; i++) {
		errno = UNTOUCHED;
		const int rc = timed[i].fn(m);
		say_op("free", &timed[i], rc);
		if (rc == 0)
			SAY(pthread_mutex_unlock(m));
	}
	SAY(pthread_mutex_lock(m));
	for (int i = 0; i < N_TIMED; i++) {
		errno = UNTOUCHED;
		const int rc = timed[i].fn(m);
		say_op("own", &timed[i], rc);
		if (rc == 0)
			SAY(pthread_mutex_unlock(m));
	}
	for (int i = 0; i < N_TIMED; i++)
		say_op("another's", &timed[i], elsewhere(timed[i].fn, m));
	/* A robust one it would destroy. */
	if (!k->robust)
		SAY(pthread_mutex_destroy(m));
	SAY(pthread_mutex_unlock(m));
}

static void relock(pthread_mutex_t *m, const struct kind *k)
{
	SAY(pthread_mutex_lock(m));
	if (k->type == PTHREAD_MUTEX_ERRORCHECK ||
	    k->type == PTHREAD_MUTEX_RECURSIVE)
		SAY(pthread_mutex_lock(m));
	if (k->type == PTHREAD_MUTEX_RECURSIVE) {
		SAY(elsewhere(trylock, m));
		SAY(pthread_mutex_unlock(m));
		SAY(elsewhere(trylock, m));
		/* glibc counts in an unsigned int. */
		m->__data.__count = UINT32_MAX;
		SAY(pthread_mutex_lock(m));
		SAY(pthread_mutex_trylock(m));
		SAY(pthread_mutex_timedlock(m, &past));
		m->__data.__count = 1;
	}
	SAY(pthread_mutex_unlock(m));
	/* Only these know who has it. */
	if (k->type == PTHREAD_MUTEX_ERRORCHECK ||
	    k->type == PTHREAD_MUTEX_RECURSIVE ||
	    k->robust == PTHREAD_MUTEX_ROBUST) {
		SAY(pthread_mutex_unlock(m));
		SAY(pthread_mutex_lock(m));
		SAY(elsewhere(unlock, m));
		SAY(pthread_mutex_unlock(m));
	}
}

static void wait_and_get(pthread_mutex_t *m)
{
	struct helper h[2];
	SAY(pthread_mutex_lock(m));
	for (int i = 0; i < 2; i++)
		helper_start(&h[i], lock_and_unlock, m);
	for (int i = 0; i < 2; i++)
		helper_asleep(&h[i]);
	SAY(pthread_mutex_unlock(m));
	for (int i = 0; i < 2; i++)
		SAY(helper_end(&h[i]));
}

/* ---- owners that die ----------------------------------------------------- */

static int sleep_and_die(void *m)
{
	const int rc = pthread_mutex_lock(m);
	usleep(5000);
	return rc;
}

static void owner_dies(const struct kind *k)
{
	pthread_mutex_t m;
	for (int i = 0; i < N_TIMED; i++) {
		make(&m, k);
		SAY(elsewhere(lock, &m));
		errno = UNTOUCHED;
		const int rc = timed[i].fn(&m);
		say_op("left", &timed[i], rc);
		if (rc == EOWNERDEAD)
			SAY(pthread_mutex_unlock(&m));
	}
	if (k->robust != PTHREAD_MUTEX_ROBUST)
		return;
	make(&m, k);
	SAY(elsewhere(lock, &m));
	SAY(pthread_mutex_lock(&m));
	SAY(pthread_mutex_consistent(&m));
	SAY(pthread_mutex_unlock(&m));
	SAY(pthread_mutex_consistent(&m));
	/* While it is waited for. */
	struct helper h;
	helper_start(&h, sleep_and_die, &m);
	helper_asleep(&h);
	SAY(pthread_mutex_lock(&m));
	helper_end(&h);
	SAY(pthread_mutex_unlock(&m));
	/* Not by trylock: what glibc's does to it the rest would suffer from.
	 */
	SAY(pthread_mutex_lock(&m));
	SAY(pthread_mutex_lock(&m));
	for (int i = 1; i < N_TIMED; i++) {
		errno = UNTOUCHED;
		say_op("given up", &timed[i], timed[i].fn(&m));
	}
}

static void process_dies(const struct kind *k)
{
	int status;
	struct {
		pthread_mutex_t m;
		_Atomic int has_it;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutex_t *m = &shared->m;
	make(m, k);
	pid_t child = fork();
	if (child == 0)
		_exit(pthread_mutex_lock(m));
	waitpid(child, &status, 0);
	SAY(status);
	SAY(timed_soon(m));
	if (k->robust == PTHREAD_MUTEX_ROBUST) {
		SAY(pthread_mutex_consistent(m));
		SAY(pthread_mutex_unlock(m));
		/* The other process has it when this one asks. */
		child = fork();
		if (child == 0) {
			pthread_mutex_lock(m);
			shared->has_it = 1;
			usleep(10000);
			_exit(pthread_mutex_unlock(m));
		}
		while (!shared->has_it)
			usleep(100);
		SAY(pthread_mutex_lock(m));
		SAY(pthread_mutex_unlock(m));
		waitpid(child, &status, 0);
		SAY(status);
	}
	munmap(shared, sizeof(*shared));
}

/* ---- more than a ceiling allows ------------------------------------------ */

static int lock_at_priority(void *m)
{
	const struct sched_param p = { .sched_priority = 20 };
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &p))
		return -1;
	errno = UNTOUCHED;
	SAY(pthread_mutex_trylock(m));
	SAY(pthread_mutex_timedlock(m, &past));
	SAY(pthread_mutex_lock(m));
	errno = UNTOUCHED;
	return 0;
}

static void ceilings(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	section("ceiling");
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT);
	SAY(pthread_mutexattr_setprioceiling(&a, 10));
	SAY(pthread_mutex_init(&m, &a));
	SAY(elsewhere(lock_at_priority, &m));
}

static void initialisers(void)
{
	static pthread_mutex_t m[] = {
		PTHREAD_MUTEX_INITIALIZER,
		PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
		PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP,
		PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP,
	};
	for (int i = 0; i < 4; i++) {
		section("initialiser %d", i);
		const struct kind k = {
			.type = (int[]){ PTHREAD_MUTEX_NORMAL,
					 PTHREAD_MUTEX_RECURSIVE,
					 PTHREAD_MUTEX_ERRORCHECK,
					 PTHREAD_MUTEX_ADAPTIVE_NP }[i]
		};
		relock(&m[i], &k);
		wait_and_get(&m[i]);
	}
	section("as a semaphore");
	/* What glibc allows, though POSIX does not. */
	SAY(pthread_mutex_lock(&m[0]));
	struct helper h;
	helper_start(&h, lock, &m[0]);
	helper_asleep(&h);
	SAY(elsewhere(unlock, &m[0]));
	SAY(helper_end(&h));
	SAY(pthread_mutex_unlock(&m[0]));
	SAY(pthread_mutex_lock(&m[0]));
	SAY(pthread_mutex_unlock(&m[0]));
}

static void mutex_of(const struct kind *k)
{
	pthread_mutex_t m;
	errno = UNTOUCHED;
	const int rc = make(&m, k);
	answer("make", rc);
	if (rc)
		return;
	try_all(&m, k);
	relock(&m, k);
	wait_and_get(&m);
	SAY(pthread_mutex_destroy(&m));
	/* One that dies at a ceiling makes glibc abort, sooner or later. */
	if (k->protocol == PTHREAD_PRIO_PROTECT)
		return;
	owner_dies(k);
	if (k->shared == PTHREAD_PROCESS_SHARED)
		process_dies(k);
}

void mutexes(void)
{
	for (int i = 0; i < 4 * 3 * 2 * 2; i++) {
		const struct kind k = { types[i % 4].value,
					protocols[i / 4 % 3].value, i / 12 % 2,
					i / 24 };
		section("mutex %s%s%s%s", types[i % 4].name,
			protocols[i / 4 % 3].name, k.robust ? " robust" : "",
			k.shared ? " shared" : "");
		mutex_of(&k);
	}
	ceilings();
	initialisers();
}

/* ---- read-write locks ---------------------------------------------------- */

static int given_back(pthread_rwlock_t *l, int rc)
{
	return rc ? rc : pthread_rwlock_unlock(l);
}
static int rw_timedrd(void *l)
{
	return given_back(l, pthread_rwlock_timedrdlock(l, &past));
}
static int rw_timedwr(void *l)
{
	const struct timespec soon = in_ms(CLOCK_REALTIME, 2);
	return given_back(l, pthread_rwlock_timedwrlock(l, &soon));
}
static int rw_clockrd(void *l)
{
	const struct timespec soon = in_ms(CLOCK_MONOTONIC, 2);
	return given_back(l, pthread_rwlock_clockrdlock(l, CLOCK_MONOTONIC,
							&soon));
}
static int rw_clockwr(void *l)
{
	return given_back(l,
			  pthread_rwlock_clockwrlock(l, CLOCK_REALTIME, &past));
}
static int rw_refused(void *l)
{
	errno = UNTOUCHED;
	SAY(pthread_rwlock_timedrdlock(l, &negative));
	SAY(pthread_rwlock_timedwrlock(l, &too_many));
	SAY(pthread_rwlock_clockrdlock(l, CLOCK_MONOTONIC, &too_many));
	SAY(pthread_rwlock_clockwrlock(l, CLOCK_REALTIME, &negative));
	SAY(pthread_rwlock_clockrdlock(l, CLOCK_THREAD_CPUTIME_ID, &past));
	SAY(pthread_rwlock_clockwrlock(l, 4711, &past));
	errno = UNTOUCHED;
	return 0;
}
static int rw_try(void *l)
{
	int rc = pthread_rwlock_tryrdlock(l);
	if (rc == 0)
		pthread_rwlock_unlock(l);
	const int wr = pthread_rwlock_trywrlock(l);
	if (wr == 0)
		pthread_rwlock_unlock(l);
	return rc * 200 + wr;
}
static int rw_read(void *l)
{
	const int rc = pthread_rwlock_rdlock(l);
	return rc ? rc : pthread_rwlock_unlock(l);
}
static int rw_write(void *l)
{
	const int rc = pthread_rwlock_wrlock(l);
	return rc ? rc : pthread_rwlock_unlock(l);
}

static void rw_held(pthread_rwlock_t *l)
{
	rw_refused(l);
	SAY(elsewhere(rw_refused, l));
	SAY(elsewhere(rw_try, l));
	SAY(elsewhere(rw_timedwr, l));
	SAY(elsewhere(rw_clockwr, l));
}

static void rwlock_of(int preference, int shared)
{
	pthread_rwlockattr_t a;
	pthread_rwlock_t l;
	struct helper h[2];
	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setkind_np(&a, preference);
	pthread_rwlockattr_setpshared(&a, shared);
	SAY(pthread_rwlock_init(&l, &a));
	rw_held(&l);
	SAY(pthread_rwlock_wrlock(&l));
	SAY(pthread_rwlock_wrlock(&l));
	SAY(pthread_rwlock_rdlock(&l));
	SAY(rw_try(&l));
	SAY(rw_timedrd(&l));
	SAY(rw_timedwr(&l));
	SAY(rw_clockrd(&l));
	SAY(rw_clockwr(&l));
	rw_held(&l);
	SAY(elsewhere(rw_timedrd, &l));
	SAY(elsewhere(rw_clockrd, &l));
	helper_start(&h[0], rw_read, &l);
	helper_start(&h[1], rw_write, &l);
	helper_asleep(&h[0]);
	helper_asleep(&h[1]);
	SAY(pthread_rwlock_unlock(&l));
	SAY(helper_end(&h[0]));
	SAY(helper_end(&h[1]));
	SAY(pthread_rwlock_rdlock(&l));
	SAY(pthread_rwlock_timedrdlock(&l, &past));
	SAY(pthread_rwlock_unlock(&l));
	SAY(rw_timedwr(&l));
	rw_held(&l);
	helper_start(&h[0], rw_write, &l);
	helper_asleep(&h[0]);
	SAY(pthread_rwlock_unlock(&l));
	SAY(helper_end(&h[0]));
	/* As many readers as it can count. */
	l.__data.__readers = 0x7ffffff8;
	SAY(pthread_rwlock_rdlock(&l));
	SAY(pthread_rwlock_tryrdlock(&l));
	SAY(pthread_rwlock_timedrdlock(&l, &past));
	SAY(rw_clockrd(&l));
	l.__data.__readers = 0;
	SAY(pthread_rwlock_destroy(&l));
}

void rwlocks(void)
{
	for (int i = 0; i < 6; i++) {
		section("rwlock %d%s", i % 3, i / 3 ? " shared" : "");
		rwlock_of(i % 3, i / 3);
	}
	static pthread_rwlock_t l =
		PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
	section("rwlock initialiser");
	SAY(pthread_rwlock_wrlock(&l));
	SAY(pthread_rwlock_unlock(&l));
}
