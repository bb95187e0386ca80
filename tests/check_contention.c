/*
 * check_contention.c - the mutex and block profiles against the clocks: who
 * made others wait, who waited, and that both tell the same sum.
 */
#include "tests/cpu_testing.h"

#include "pprof/contention.h"
#include "pprof/hooks.h"

#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

/* ---- the profile --------------------------------------------------------- */

/* The delay below both functions; NULL is any. */
static int64_t delay_of(const struct profile *p, const char *one,
			const char *other)
{
	int64_t ns = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		if ((!one || sample_has(p, i, one)) &&
		    (!other || sample_has(p, i, other)))
			ns += p->values[i * p->n_sample_types + 1];
	return ns;
}

/* ---- A holds, B and C wait ----------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mtx_t c11;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static _Atomic int64_t waited_ns;

static void mutex_lock(void)
{
	pthread_mutex_lock(&mutex);
}
static void mutex_unlock(void)
{
	pthread_mutex_unlock(&mutex);
}
static void mutex_timed(void)
{
	const struct timespec far = { .tv_sec = INT32_MAX };
	pthread_mutex_timedlock(&mutex, &far);
}
static void mutex_clock(void)
{
	const struct timespec far = { .tv_sec = INT32_MAX };
	pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &far);
}
static void c11_lock(void)
{
	mtx_lock(&c11);
}
static void c11_unlock(void)
{
	mtx_unlock(&c11);
}
static void write_lock(void)
{
	pthread_rwlock_wrlock(&rwlock);
}
static void read_lock(void)
{
	pthread_rwlock_rdlock(&rwlock);
}
static void rw_unlock(void)
{
	pthread_rwlock_unlock(&rwlock);
}
static void spin_lock(void)
{
	pthread_spin_lock(&spin);
}
static void spin_unlock(void)
{
	pthread_spin_unlock(&spin);
}

static const struct held_kind {
	const char *name;
	void (*hold)(void), (*wait)(void), (*unlock)(void);
	const char *wait_name, *unlock_name;
} kinds[] = {
	{ "mutex", mutex_lock, mutex_lock, mutex_unlock, "pthread_mutex_lock",
	  "pthread_mutex_unlock" },
	{ "timed", mutex_lock, mutex_timed, mutex_unlock,
	  "pthread_mutex_timedlock", "pthread_mutex_unlock" },
	{ "clock", mutex_lock, mutex_clock, mutex_unlock,
	  "pthread_mutex_clocklock", "pthread_mutex_unlock" },
	{ "c11", c11_lock, c11_lock, c11_unlock, "mtx_lock", "mtx_unlock" },
	{ "writers", write_lock, write_lock, rw_unlock, "pthread_rwlock_wrlock",
	  "pthread_rwlock_unlock" },
	{ "readers wait", write_lock, read_lock, rw_unlock,
	  "pthread_rwlock_rdlock", "pthread_rwlock_unlock" },
	{ "reader holds", read_lock, write_lock, rw_unlock,
	  "pthread_rwlock_wrlock", "pthread_rwlock_unlock" },
	{ "spin", spin_lock, spin_lock, spin_unlock, "pthread_spin_lock",
	  "pthread_spin_unlock" },
};

static sem_t waiter_comes;
/* When each of the two began to wait, and their holder released. */
static _Atomic int64_t began_sum_ns;
static int64_t held_for_others_ns;

ON_STACK static void wait_in_line(const struct held_kind *k)
{
	sem_post(&waiter_comes);
	const int64_t began = clock_monotonic_ns();
	began_sum_ns += began;
	k->wait();
	waited_ns += clock_monotonic_ns() - began;
	k->unlock();
}

static void *waiter(void *arg)
{
	wait_in_line(arg);
	return NULL;
}

ON_STACK static void hold_and_release(const struct held_kind *k, int64_t ns)
{
	pthread_t threads[2];
	sem_init(&waiter_comes, 0, 0);
	k->hold();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, waiter,
						(void *)(uintptr_t)k),
				 0);
	for (int i = 0; i < 2; i++)
		while (sem_wait(&waiter_comes))
			;
	pause_ns(ns);
	const int64_t released = clock_monotonic_ns();
	k->unlock();
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	held_for_others_ns += 2 * released - began_sum_ns;
	began_sum_ns = 0;
}

/* Within 5 %. */
static bool is_near(int64_t got, int64_t want)
{
	return fabs((double)(got - want)) < 0.05 * (double)want;
}

START_TEST(holder_and_waiters)
{
	const struct held_kind *k = &kinds[_i];
	mtx_init(&c11, mtx_plain);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	profile_all_locks();
	waited_ns = held_for_others_ns = 0;
	for (int i = 0; i < 5; i++)
		hold_and_release(k, 40 * MS);
	struct profile *m = take("mutex"), *b = take("block");
	const int64_t blocked = delay_of(b, "wait_in_line", k->wait_name);
	const int64_t caused = delay_of(m, "hold_and_release", k->unlock_name);
	/* The clocks' own figures hold the calls as well, and where there is no
	 * processor, whatever came between the two looks at the clock. */
	ck_assert_msg(is_near(blocked, waited_ns),
		      "%s: blocked %lld, not %lld%s", k->name,
		      (long long)blocked, (long long)waited_ns, describe(b));
	/* A is charged with what it made them wait, and with the waking up of
	 * the one who then came first; the rest is between B and C. */
	const int64_t after = waited_ns - held_for_others_ns;
	ck_assert_msg(caused > held_for_others_ns - held_for_others_ns / 20 &&
			      caused < held_for_others_ns +
					       held_for_others_ns / 20 + after,
		      "%s: caused %lld, not %lld%s", k->name, (long long)caused,
		      (long long)held_for_others_ns, describe(m));
	/* The two profiles tell the same, to the nanosecond. */
	ck_assert_msg(delay_of(m, NULL, NULL) == blocked, "%s: %lld, %lld%s",
		      k->name, (long long)delay_of(m, NULL, NULL),
		      (long long)blocked, describe(b));
	profile_free(m);
	profile_free(b);
}
END_TEST

/* ---- what waits for no lock ---------------------------------------------- */

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;

static void wait_cond(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 50000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&cond, &mutex, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&mutex);
}

static void *post_later(void *arg)
{
	pause_ns(50 * MS);
	sem_post(arg);
	return NULL;
}

static void *arrive_later(void *arg)
{
	pause_ns(50 * MS);
	pthread_barrier_wait(arg);
	return NULL;
}

static void *end_later(void *arg)
{
	pause_ns(50 * MS);
	return arg;
}

static void wait_sem(void)
{
	pthread_t t;
	sem_init(&sem, 0, 0);
	pthread_create(&t, NULL, post_later, &sem);
	while (sem_wait(&sem))
		;
	pthread_detach(t);
}

static void wait_barrier(void)
{
	pthread_t t;
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&t, NULL, arrive_later, &barrier);
	pthread_barrier_wait(&barrier);
	pthread_detach(t);
}

static void wait_join(void)
{
	pthread_t t;
	pthread_create(&t, NULL, end_later, NULL);
	pthread_join(t, NULL);
}

static int thrd_end_later(void *arg)
{
	end_later(arg);
	return 7;
}

static void wait_thrd(void)
{
	thrd_t t;
	int result;
	thrd_create(&t, thrd_end_later, NULL);
	ck_assert_int_eq(thrd_join(t, &result), thrd_success);
	ck_assert_int_eq(result, 7);
}

static const struct wait_kind {
	void (*wait)(void);
	const char *function;
} waits[] = {
	{ wait_cond, "pthread_cond_timedwait" },
	{ wait_sem, "sem_wait" },
	{ wait_barrier, "pthread_barrier_wait" },
	{ wait_join, "pthread_join" },
	{ wait_thrd, "thrd_join" },
};

ON_STACK static void wait_here(const struct wait_kind *k)
{
	k->wait();
}

START_TEST(waits_without_a_holder)
{
	const struct wait_kind *k = &waits[_i];
	const struct pprof_label label = { "route", "/wait" };
	profile_all_locks();
	pprof_set_labels(&label, 1);
	const int64_t began = clock_monotonic_ns();
	/* Who is waited for may have begun before the wait did, where there was
	 * no processor: then once more. */
	int64_t ns = 0;
	for (int tries = 0; tries < 20 && ns <= 45 * MS; tries++) {
		wait_here(k);
		struct profile *p = take("block");
		ns = delay_of(p, "wait_here", k->function);
		profile_free(p);
	}
	const int64_t took = clock_monotonic_ns() - began;
	struct profile *m = take("mutex"), *b = take("block");
	ck_assert_msg(ns > 45 * MS && ns <= took, "%s: %lld of %lld%s",
		      k->function, (long long)ns, (long long)took, describe(b));
	ck_assert_int_eq(delay_of(m, NULL, NULL), 0);
	for (size_t i = 0; i < b->n_samples; i++)
		if (sample_has(b, i, "wait_here"))
			ck_assert(sample_has_label(b, i, "route", "/wait"));
	profile_free(m);
	profile_free(b);
}
END_TEST

/* ---- sampling ------------------------------------------------------------ */

/*
 * An estimate with the given variance is true: within six standard deviations
 * (a false alarm is 2e-9).  And the test is sharp: truths that are 5 % off are
 * refused.
 */
static void assert_unbiased(double got, double truth, double variance)
{
	const double margin = 6 * sqrt(variance);
	ck_assert_msg(fabs(got - truth) < margin, "%.0f, not %.0f +- %.0f", got,
		      truth, margin);
	for (int sign = -1; sign <= 1; sign += 2) {
		const double biased = truth * (1 + 0.05 * sign);
		ck_assert_msg(fabs(got - biased) > margin,
			      "%.0f would pass for %.0f +- %.0f", biased, got,
			      margin);
	}
}

/*
 * Waits of a known length, as the shims would tell them: their estimate is
 * unbiased at any rate.  Each is sampled with probability p = ns / rate and
 * then stands for 1 / p, so the variance of the sum is ns^2 (1 - p) / p each.
 */
START_TEST(short_waits_are_unbiased)
{
	enum { N = 400000, RATE = 100000, WAIT = 20000 };
	const double p = (double)WAIT / RATE;
	pprof_set_block_profile_rate(RATE);
	contention_seed(4711);
	double variance = 0;
	/* What was waited in all, sampled or not. */
	const double before = counter("sync_wait_seconds_total");
	for (int i = 0; i < N; i++) {
		struct hooks_wait w;
		hooks_wait_begin(&w, NULL);
		/* What it waited is what the clock says at its end. */
		w.start_ns = clock_monotonic_ns() - WAIT;
		hooks_wait_end(&w, HOOKS_ACQUIRED, 0);
		variance += (1 - p) / p * WAIT * WAIT;
	}
	const double truth =
		(counter("sync_wait_seconds_total") - before) * 1e9;
	ck_assert(truth >= (double)N * WAIT);
	struct profile *b = take("block");
	assert_unbiased((double)delay_of(b, NULL, NULL), truth, variance);
	profile_free(b);
}
END_TEST

/*
 * The same of releases, each of which is sampled with probability 1 / n and
 * then stands for n: the variance is (n - 1) d^2 each.  The truth is the block
 * profile's, of which none is left out.
 */
START_TEST(sampled_releases_are_unbiased)
{
	enum { N = 300000, FRACTION = 4, WAIT = 20000 };
	static int lock;
	pprof_set_block_profile_rate(1);
	pprof_set_mutex_profile_fraction(FRACTION);
	contention_seed(815);
	double variance = 0;
	for (int i = 0; i < N; i++) {
		struct hooks_wait w;
		struct hooks_released r;
		hooks_wait_begin(&w, &lock);
		hooks_release(&lock, &r);
		/* Before the holder walks its stack, which it does only where
		 * it is sampled: the waiter does not wait for that. */
		hooks_wait_end(&w, HOOKS_ACQUIRED, 0);
		const double ns = (double)(clock_monotonic_ns() - w.start_ns);
		hooks_released(&r, 0);
		variance += (FRACTION - 1) * ns * ns;
	}
	struct profile *m = take("mutex"), *b = take("block");
	const double truth = (double)delay_of(b, NULL, NULL);
	const double got = (double)delay_of(m, NULL, NULL);
	/* One that was interrupted for long weighs more than all others. */
	if (6 * sqrt(variance) < 0.02 * truth)
		assert_unbiased(got, truth, variance);
	/* So do counts, which nothing disturbs. */
	double count = 0;
	for (size_t i = 0; i < m->n_samples; i++)
		count += (double)sample_count(m, i);
	assert_unbiased(count, N, (FRACTION - 1) * (double)N);
	profile_free(m);
	profile_free(b);
}
END_TEST

/* ---- off, fork, cancellation --------------------------------------------- */

static const char *take_text(const char *name)
{
	static struct buf b;
	buf_clear(&b);
	const struct pprof_writer writer = { capture_append, &b };
	const struct pprof_write_options o = { .debug = 1 };
	ck_assert_int_eq(pprof_write_to(pprof_lookup(name), &o, &writer), 0);
	return buf_str(&b);
}

START_TEST(off_says_so)
{
	hold_and_release(&kinds[0], 5 * MS);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "mutex" : "block";
		struct profile *p = take(name);
		ck_assert_uint_eq(p->n_samples, 0);
		ck_assert(has_comment(p, "profile is off"));
		ck_assert_ptr_nonnull(
			strstr(take_text(name), "profile is off"));
		profile_free(p);
	}
	ck_assert_int_eq(pprof_set_mutex_profile_fraction(5), 0);
	ck_assert_int_eq(pprof_set_mutex_profile_fraction(-1), 5);
	pprof_set_block_profile_rate(9);
	ck_assert_int_eq(pprof_block_profile_rate(), 9);
	ck_assert_ptr_null(strstr(take_text("block"), "profile is off"));
}
END_TEST

/* One that gives up is owed by the next release. */
START_TEST(given_up_is_charged_to_the_holder)
{
	profile_all_locks();
	pthread_mutex_lock(&mutex);
	struct timespec past = { .tv_sec = 1 };
	ck_assert_int_eq(pthread_mutex_timedlock(&mutex, &past), ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &past);
	past.tv_sec++;
	past.tv_nsec = 0;
	ck_assert_int_eq(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC,
						 &past),
			 ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	struct profile *m = take("mutex"), *b = take("block");
	ck_assert_int_gt(delay_of(m, "pthread_mutex_unlock", NULL), 0);
	ck_assert_int_eq(delay_of(m, NULL, NULL), delay_of(b, NULL, NULL));
	profile_free(m);
	profile_free(b);
}
END_TEST

static void *wait_for_ever(void *arg)
{
	sem_t *never = arg;
	sem_post(&waiter_comes);
	for (;;)
		sem_wait(never);
	return NULL;
}

START_TEST(cancelled_in_a_wait)
{
	pthread_t t;
	sem_t never;
	void *result;
	profile_all_locks();
	sem_init(&never, 0, 0);
	sem_init(&waiter_comes, 0, 0);
	ck_assert_int_eq(pthread_create(&t, NULL, wait_for_ever, &never), 0);
	while (sem_wait(&waiter_comes))
		;
	pause_ns(30 * MS);
	pthread_cancel(t);
	pthread_join(t, &result);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	struct profile *b = take("block");
	ck_assert_msg(delay_of(b, "wait_for_ever", "sem_wait") > 0, "%s",
		      describe(b));
	profile_free(b);
}
END_TEST

static void *hold_for_ever(void *arg)
{
	pthread_mutex_lock(arg);
	sem_post(&waiter_comes);
	pause();
	return NULL;
}

START_TEST(a_child_begins_anew)
{
	static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;
	profile_all_locks();
	sem_init(&waiter_comes, 0, 0);
	hold_and_release(&kinds[0], 10 * MS);
	sem_init(&waiter_comes, 0, 0);
	pthread_create(&t, NULL, hold_for_ever, &held);
	while (sem_wait(&waiter_comes))
		;
	const pid_t child = fork();
	if (child == 0) {
		struct profile *m = take("mutex");
		const bool empty = m->n_samples == 0;
		profile_free(m);
		hold_and_release(&kinds[0], 10 * MS);
		m = take("mutex");
		const bool again = delay_of(m, "hold_and_release", NULL) > 0;
		_exit(empty && again ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- no lost wake-up ------------------------------------------------------
 */

enum { ROUNDS = 50000 };
static int turn;

static void *play(void *arg)
{
	const int me = (int)(intptr_t)arg;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&cond, &mutex);
		turn = !me;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

START_TEST(no_wakeup_is_lost)
{
	pthread_t t[2];
	profile_all_locks();
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, play, (void *)(intptr_t)i);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	struct profile *b = take("block");
	ck_assert_int_gt(delay_of(b, "play", "pthread_cond_wait"), 0);
	profile_free(b);
}
END_TEST

/* ---- every lock is what it was ------------------------------------------- */

static const struct mutex_kind {
	int type, relock, alien_unlock;
} types[] = {
	{ PTHREAD_MUTEX_ERRORCHECK, EDEADLK, EPERM },
	{ PTHREAD_MUTEX_RECURSIVE, 0, EPERM },
};

static void *unlock_of_another(void *arg)
{
	return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

static void *die_holding(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

START_TEST(semantics_are_kept)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;
	pthread_t t;
	void *rc;
	if (_i & 1)
		profile_all_locks();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_settype(&attr, types[i].type);
		pthread_mutex_init(&m, &attr);
		errno = 77;
		ck_assert_int_eq(pthread_mutex_lock(&m), 0);
		ck_assert_int_eq(pthread_mutex_lock(&m), types[i].relock);
		pthread_create(&t, NULL, unlock_of_another, &m);
		pthread_join(t, &rc);
		ck_assert_int_eq((int)(intptr_t)rc, types[i].alien_unlock);
		if (types[i].relock == 0)
			ck_assert_int_eq(pthread_mutex_unlock(&m), 0);
		ck_assert_int_eq(pthread_mutex_unlock(&m), 0);
		ck_assert_int_eq(pthread_mutex_unlock(&m), EPERM);
		ck_assert_int_eq(errno, 77);
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&m, &attr);
	pthread_create(&t, NULL, die_holding, &m);
	pthread_join(t, NULL);
	ck_assert_int_eq(pthread_mutex_lock(&m), EOWNERDEAD);
	ck_assert_int_eq(pthread_mutex_unlock(&m), 0);
	ck_assert_int_eq(pthread_mutex_lock(&m), ENOTRECOVERABLE);
	ck_assert_int_eq(pthread_join(pthread_self(), NULL), EDEADLK);
	struct timespec bad = { .tv_sec = 1, .tv_nsec = -1 };
	ck_assert_int_eq(sem_init(&sem, 0, 0), 0);
	ck_assert_int_eq(sem_timedwait(&sem, &bad), -1);
	ck_assert_int_eq(errno, EINVAL);
	bad.tv_nsec = 0;
	ck_assert_int_eq(sem_timedwait(&sem, &bad), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(pthread_rwlock_wrlock(&rwlock), 0);
	ck_assert_int_eq(pthread_rwlock_wrlock(&rwlock), EDEADLK);
	ck_assert_int_eq(pthread_rwlock_rdlock(&rwlock), EDEADLK);
	ck_assert_int_eq(pthread_rwlock_timedrdlock(&rwlock, &bad), EDEADLK);
	ck_assert_int_eq(pthread_rwlock_unlock(&rwlock), 0);
	ck_assert_int_eq(pthread_mutex_clocklock(&mutex, 99, &bad), EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("contention");
	TCase *t = tcase_create("truth");
	tcase_set_timeout(t, 30);
	testing_add_table(t, holder_and_waiters, kinds);
	testing_add_table(t, waits_without_a_holder, waits);
	tcase_add_test(t, short_waits_are_unbiased);
	tcase_add_test(t, sampled_releases_are_unbiased);
	tcase_add_test(t, given_up_is_charged_to_the_holder);
	suite_add_tcase(s, t);
	TCase *h = tcase_create("harm");
	tcase_set_timeout(h, 60);
	tcase_add_test(h, off_says_so);
	tcase_add_test(h, cancelled_in_a_wait);
	tcase_add_test(h, a_child_begins_anew);
	tcase_add_test(h, no_wakeup_is_lost);
	tcase_add_loop_test(h, semantics_are_kept, 0, 2);
	suite_add_tcase(s, h);
	return testing_run(s);
}
