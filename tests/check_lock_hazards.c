/*
 * check_lock_hazards.c - the lock hooks where it hurts: handlers that lock, or
 * jump away; fork, cancellation, ten thousand locks, locks that are gone.
 * After each, nobody waits, no bucket is left behind, and both profiles tell
 * the same sum.
 */
#include "tests/cpu_testing.h"

#include "pprof/contention.h"
#include "pprof/hooks.h"
#include "pprof/lock_waits.h"

#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the profiles -------------------------------------------------------- */

/* With function anywhere in the stack; NULL is any. */
static int64_t sum_of(const struct profile *p, const char *function, int value)
{
	int64_t sum = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		if (!function || sample_has(p, i, function))
			sum += p->values[i * p->n_sample_types + (size_t)value];
	return sum;
}

enum { COUNT, DELAY };

static uint32_t locks_awaited(void)
{
	uint32_t n = 0;
	for (size_t i = 0; i < HOOKS_LOCK_BUCKETS; i++)
		n += __atomic_load_n(&hooks_lock_waiters[i], __ATOMIC_SEQ_CST);
	return n;
}

/* What was waited for locks, by the mutex profile and by all waits there were.
 */
static void assert_settled(void)
{
	struct profile *m = take("mutex");
	const double waited = counter("lock_wait_seconds_total") * 1e9;
	const double charged = (double)sum_of(m, NULL, DELAY);
	ck_assert_msg(charged > waited - 1000 && charged < waited + 1000,
		      "charged %.0f, waited %.0f%s", charged, waited,
		      describe(m));
	ck_assert_uint_eq(locks_awaited(), 0);
	profile_free(m);
}

static void every(int usec, void (*handler)(int), int flags)
{
	const struct itimerval it = { { 0, usec }, { 0, usec } };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void no_more(void)
{
	const struct itimerval none = { 0 };
	setitimer(ITIMER_REAL, &none, NULL);
}

/* ---- threads that contend ------------------------------------------------ */

static struct crowd {
	pthread_mutex_t m[8];
	pthread_t threads[4];
	atomic_bool stop;
	_Atomic int64_t rounds;
} crowd;

static void *be_crowd(void *arg)
{
	unsigned at = (unsigned)(uintptr_t)arg;
	while (!atomic_load(&crowd.stop)) {
		pthread_mutex_t *m = &crowd.m[at++ % 2];
		pthread_mutex_lock(m);
		for (volatile int i = 0; i < 300; i++)
			;
		pthread_mutex_unlock(m);
		crowd.rounds++;
	}
	return NULL;
}

static void crowd_begin(void)
{
	memset(&crowd, 0, sizeof(crowd));
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&crowd.threads[i], NULL, be_crowd, (void *)i);
}

static void crowd_end(void)
{
	atomic_store(&crowd.stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(crowd.threads[i], NULL);
}

/* ---- handlers ------------------------------------------------------------ */

static pthread_mutex_t handlers_own = PTHREAD_MUTEX_INITIALIZER;
static sem_t handlers_sem;
static _Atomic int handled;

static void lock_in_handler(int signo)
{
	(void)signo;
	const int saved = errno;
	/* The thread that it interrupts may be anywhere, but not in this one's
	 * handler: the signal is blocked. */
	pthread_mutex_lock(&handlers_own);
	pthread_mutex_unlock(&handlers_own);
	sem_post(&handlers_sem);
	sem_wait(&handlers_sem);
	handled++;
	errno = saved;
}

/* A handler that locks, whatever it interrupts. */
START_TEST(handlers_that_lock)
{
	sem_init(&handlers_sem, 0, 0);
	profile_all_locks();
	crowd_begin();
	every(500, lock_in_handler, SA_RESTART);
	while (handled < 300)
		pause_ns(MS);
	no_more();
	crowd_end();
	assert_settled();
}
END_TEST

static sigjmp_buf away;
static volatile sig_atomic_t may_jump;

static void jump(int signo)
{
	(void)signo;
	if (may_jump) {
		may_jump = 0;
		siglongjmp(away, 1);
	}
}

/* Overwrite what a wait that was left had on the stack. */
static __attribute__((noinline)) void scribble(void)
{
	volatile char frame[8192];
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (char)0xa5;
}

static sem_t jumper_done;
static int jumps_wanted;

static void *jump_out_of_lock(void *arg)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	for (volatile int i = 0; i < jumps_wanted; i++) {
		if (sigsetjmp(away, 1) == 0) {
			pthread_sigmask(SIG_UNBLOCK, &set, NULL);
			may_jump = 1;
			/* Its holder does not let go. */
			pthread_mutex_lock(arg);
		}
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		scribble();
	}
	sem_post(&jumper_done);
	return NULL;
}

/*
 * A handler that jumps out of a wait: glibc takes it, and so does the profile.
 * What the thread left is forgotten at its next wait, or when it ends.
 */
START_TEST(jumps_out_of_a_wait)
{
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;
	sigset_t set;
	profile_all_locks();
	sem_init(&jumper_done, 0, 0);
	jumps_wanted = 50;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_mutex_lock(&held);
	every(2000, jump, 0);
	pthread_create(&t, NULL, jump_out_of_lock, &held);
	while (sem_wait(&jumper_done))
		;
	no_more();
	pthread_join(t, NULL);
	ck_assert_uint_eq(locks_awaited(), 0);
	ck_assert_int_eq(pthread_mutex_unlock(&held), 0);
	/* And nothing is charged for those who are not there. */
	struct profile *m = take("mutex");
	ck_assert_int_eq(sum_of(m, "jumps_out_of_a_wait", COUNT), 0);
	profile_free(m);
}
END_TEST

static const int jumped_lock;
static atomic_bool jumper_stop;
static _Atomic int released_rounds;

static void *release_for_ever(void *arg)
{
	struct hooks_released r;
	while (!atomic_load(&jumper_stop)) {
		hooks_release(&jumped_lock, &r);
		hooks_released(&r, 0);
		released_rounds++;
	}
	return arg;
}

/*
 * One that jumps out of the hook itself leaves a bucket locked that others
 * need: they give it up.
 */
START_TEST(jumps_out_of_the_hook)
{
	pthread_t t;
	struct hooks_wait w;
	sigset_t set;
	profile_all_locks();
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	atomic_store(&jumper_stop, false);
	pthread_create(&t, NULL, release_for_ever, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	every(500, jump, 0);
	const int64_t until = clock_monotonic_ns() + 1500 * MS;
	while (clock_monotonic_ns() < until) {
		if (sigsetjmp(away, 1) == 0) {
			may_jump = 1;
			for (int i = 0; i < 100000 && may_jump; i++) {
				hooks_wait_begin(&w, &jumped_lock);
				hooks_wait_end(&w, HOOKS_ACQUIRED, 0);
			}
		}
	}
	may_jump = 0;
	no_more();
	/* The others go on. */
	const int before = released_rounds;
	while (released_rounds < before + 1000)
		pause_ns(MS);
	atomic_store(&jumper_stop, true);
	pthread_join(t, NULL);
}
END_TEST

/* ---- fork, cancellation -------------------------------------------------- */

static void *lock_and_hold(void *arg)
{
	pthread_mutex_lock(arg);
	pause_ns(2 * MS);
	pthread_mutex_unlock(arg);
	return NULL;
}

/* In the child: a lock that its parent's threads waited for, a fresh one. */
static int child_contends(pthread_mutex_t *mine)
{
	pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;
	if (locks_awaited() != 0 || pthread_mutex_unlock(mine))
		return 1;
	pthread_mutex_lock(&fresh);
	if (pthread_create(&t, NULL, lock_and_hold, &fresh))
		return 2;
	pause_ns(MS);
	pthread_mutex_unlock(&fresh);
	pthread_join(t, NULL);
	return locks_awaited() == 0 ? 0 : 3;
}

START_TEST(forks_amid_waits)
{
	pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;
	pthread_t waiter;
	profile_all_locks();
	pthread_mutex_lock(&mine);
	pthread_create(&waiter, NULL, lock_and_hold, &mine);
	while (locks_awaited() == 0)
		pause_ns(MS);
	crowd_begin();
	for (int i = 0; i < 100; i++) {
		const pid_t child = fork();
		if (child == 0)
			_exit(child_contends(&mine));
		int status;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	crowd_end();
	pthread_mutex_unlock(&mine);
	pthread_join(waiter, NULL);
	assert_settled();
}
END_TEST

static struct {
	pthread_mutex_t m;
	pthread_cond_t c;
	sem_t s;
} at = { .m = PTHREAD_MUTEX_INITIALIZER, .c = PTHREAD_COND_INITIALIZER };

static void unlock_at(void *arg)
{
	pthread_mutex_unlock(arg);
}

static void *wait_for_cancel(void *arg)
{
	const intptr_t how = (intptr_t)arg;
	if (how & 2)
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;) {
		if (how & 1) {
			sem_wait(&at.s);
			continue;
		}
		pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
		pthread_mutex_lock(&at.m);
		pthread_cleanup_push(unlock_at, &at.m);
		pthread_cond_wait(&at.c, &at.m);
		pthread_cleanup_pop(1);
	}
	return NULL;
}

/* Cancelled at any moment of a wait, with others at the same mutex. */
START_TEST(cancelled_amid_waits)
{
	profile_all_locks();
	sem_init(&at.s, 0, 0);
	for (int round = 0; round < 150; round++) {
		pthread_t t[4];
		for (intptr_t i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, wait_for_cancel, (void *)i);
		for (int i = 0; i < round % 16; i++) {
			pthread_cond_broadcast(&at.c);
			sem_post(&at.s);
		}
		for (int i = 0; i < 4; i++) {
			void *result;
			pthread_cancel(t[i]);
			pthread_join(t[i], &result);
			ck_assert_ptr_eq(result, PTHREAD_CANCELED);
		}
	}
	ck_assert_int_eq(pthread_mutex_trylock(&at.m), 0);
	pthread_mutex_unlock(&at.m);
	assert_settled();
}
END_TEST

/* ---- many locks, nested ones, locks that are gone -------------------------
 */

enum { MANY = 10000 };
static pthread_mutex_t *many;

static void *walk_many(void *arg)
{
	for (int pass = 0; pass < 4; pass++)
		for (int i = 0; i < MANY; i++) {
			pthread_mutex_lock(&many[i]);
			if (i % 64 == 0)
				sched_yield();
			pthread_mutex_unlock(&many[i]);
		}
	return arg;
}

static void *hold_some(void *arg)
{
	const size_t from = (size_t)(uintptr_t)arg;
	for (size_t i = from; i < from + MANY / 10; i++)
		pthread_mutex_lock(&many[i]);
	pause_ns(20 * MS);
	for (size_t i = from; i < from + MANY / 10; i++)
		pthread_mutex_unlock(&many[i]);
	return NULL;
}

START_TEST(ten_thousand_mutexes)
{
	pthread_t t[14];
	many = calloc(MANY, sizeof(*many));
	profile_all_locks();
	for (uintptr_t i = 0; i < 10; i++)
		pthread_create(&t[i], NULL, hold_some,
			       (void *)(i * (MANY / 10)));
	for (int i = 10; i < 14; i++)
		pthread_create(&t[i], NULL, walk_many, NULL);
	for (int i = 0; i < 14; i++)
		pthread_join(t[i], NULL);
	assert_settled();
	free(many);
}
END_TEST

/* Each waits for a lock of its own, more at once than a bucket has room for. */
enum { WAITERS = 12 };
static const void *same_bucket[WAITERS];
static pthread_barrier_t all_wait;

static void *wait_in_bucket(void *arg)
{
	struct hooks_wait w;
	struct hooks_released r;
	hooks_wait_begin(&w, arg);
	pthread_barrier_wait(&all_wait);
	hooks_release(arg, &r);
	hooks_released(&r, 0);
	hooks_wait_end(&w, HOOKS_ACQUIRED, 0);
	return NULL;
}

START_TEST(more_locks_than_a_bucket_holds)
{
	static char space[HOOKS_LOCK_BUCKETS * 64 * WAITERS];
	pthread_t t[WAITERS];
	size_t n = 0;
	for (const char *p = space; n < WAITERS; p += 8)
		if (hooks_lock_bucket(p) == 7)
			same_bucket[n++] = p;
	profile_all_locks();
	pthread_barrier_init(&all_wait, NULL, WAITERS);
	for (size_t i = 0; i < WAITERS; i++)
		pthread_create(&t[i], NULL, wait_in_bucket,
			       (void *)(uintptr_t)same_bucket[i]);
	for (size_t i = 0; i < WAITERS; i++)
		pthread_join(t[i], NULL);
	struct profile *m = take("mutex");
	ck_assert_int_gt(sum_of(m, "wait_in_bucket", COUNT), 0);
	ck_assert_int_gt(sum_of(m, "_UnseenRelease", COUNT), 0);
	profile_free(m);
	assert_settled();
}
END_TEST

static void *lock_and_unlock(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	return NULL;
}

ON_STACK static void release_in_part(pthread_mutex_t *m)
{
	pthread_mutex_unlock(m);
	__asm__ __volatile__("");
}

ON_STACK static void release_whole(pthread_mutex_t *m)
{
	pthread_mutex_unlock(m);
	__asm__ __volatile__("");
}

/* Only the unlock that frees it is blamed. */
START_TEST(released_in_part)
{
	pthread_mutex_t m = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	pthread_t t;
	profile_all_locks();
	for (int i = 0; i < 3; i++)
		pthread_mutex_lock(&m);
	pthread_create(&t, NULL, lock_and_unlock, &m);
	while (locks_awaited() == 0)
		pause_ns(MS);
	release_in_part(&m);
	release_in_part(&m);
	release_whole(&m);
	pthread_join(t, NULL);
	struct profile *p = take("mutex");
	ck_assert_msg(sum_of(p, "release_in_part", COUNT) == 0, "%s",
		      describe(p));
	ck_assert_msg(sum_of(p, "release_whole", COUNT) == 1, "%s",
		      describe(p));
	profile_free(p);
	assert_settled();
}
END_TEST

/* An unlock that is refused is none, and the next pays for all. */
START_TEST(refused_releases)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_t t;
	struct hooks_released r;
	profile_all_locks();
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &a);
	pthread_mutex_lock(&m);
	pthread_create(&t, NULL, lock_and_unlock, &m);
	while (locks_awaited() == 0)
		pause_ns(MS);
	pause_ns(10 * MS);
	/* As the shims do where the real function refuses: before the stack was
	 * walked, and after it (a condition's). */
	hooks_release(&m, &r);
	hooks_release_failed(&r);
	hooks_release(&m, &r);
	hooks_released(&r, 0);
	hooks_release_failed(&r);
	release_whole(&m);
	pthread_join(t, NULL);
	struct profile *p = take("mutex");
	ck_assert_msg(sum_of(p, "release_whole", DELAY) > 10 * MS, "%s",
		      describe(p));
	ck_assert_int_eq(sum_of(p, "release_whole", COUNT),
			 sum_of(p, NULL, COUNT));
	profile_free(p);
	assert_settled();
}
END_TEST

/*
 * Waited for in vain, then freed: whoever has the address next pays, or, when
 * nobody does, it is written off, and its bucket is as fast as ever.
 */
START_TEST(freed_while_owed)
{
	pthread_mutex_t *m = calloc(2, sizeof(*m));
	const struct timespec past = { .tv_sec = 1 };
	struct hooks_released r;
	profile_all_locks();
	pthread_mutex_lock(m);
	ck_assert_int_eq(pthread_mutex_timedlock(m, &past), ETIMEDOUT);
	ck_assert_uint_eq(locks_awaited(), 1);
	memset(m, 0, sizeof(*m));
	pthread_mutex_lock(m);
	release_whole(m);
	assert_settled();
	pthread_mutex_lock(m);
	ck_assert_int_eq(pthread_mutex_timedlock(m, &past), ETIMEDOUT);
	const char *other = (const char *)m;
	do
		other += 8;
	while (hooks_lock_bucket(other) != hooks_lock_bucket(m));
	hooks_release(other, &r);
	ck_assert_uint_eq(locks_awaited(), 1);
	lock_waits_owed_ns = 0;
	pause_ns(MS);
	hooks_release(other, &r);
	free(m);
	assert_settled();
}
END_TEST

/* ---- full tables, unloaded objects, switching -----------------------------
 */

static void fork_in_two(unsigned path, int depth);

static __attribute__((noinline)) void wait_a_moment(void)
{
	struct hooks_wait w;
	hooks_wait_begin(&w, NULL);
	hooks_wait_end(&w, HOOKS_ACQUIRED, 0);
}

static __attribute__((noinline)) void left(unsigned path, int depth)
{
	fork_in_two(path, depth);
	__asm__ __volatile__("");
}

static __attribute__((noinline)) void right(unsigned path, int depth)
{
	fork_in_two(path, depth);
	__asm__ __volatile__("");
}

static void fork_in_two(unsigned path, int depth)
{
	if (depth == 0)
		wait_a_moment();
	else if (path & 1)
		left(path >> 1, depth - 1);
	else
		right(path >> 1, depth - 1);
}

/* What there is no room for is lost, visibly: the sum is still that of all. */
START_TEST(full_tables)
{
	profile_all_locks();
	const double before = counter("sync_wait_seconds_total");
	for (unsigned path = 0; path < 1 << 15; path++)
		fork_in_two(path, 15);
	const double waited =
		(counter("sync_wait_seconds_total") - before) * 1e9;
	struct profile *b = take("block");
	ck_assert_int_gt(sum_of(b, "_LostTableFull", COUNT), 0);
	ck_assert_int_eq(sum_of(b, NULL, COUNT), 1 << 15);
	const double shown = (double)sum_of(b, NULL, DELAY);
	ck_assert_msg(shown > waited - 1000 && shown < waited + 1000,
		      "%.0f shown, %.0f waited", shown, waited);
	profile_free(b);
}
END_TEST

START_TEST(an_object_that_is_gone)
{
	char path[4096];
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;
	profile_all_locks();
	snprintf(path, sizeof(path), "%s/tests/.libs/lock_object.so",
		 getenv("top_builddir") ? getenv("top_builddir") : ".");
	void *object = dlopen(path, RTLD_NOW);
	ck_assert_msg(object != NULL, "%s", dlerror());
	pthread_mutex_lock(&m);
	void *(*wait)(void *) =
		(void *(*)(void *))dlsym(object, "wait_in_object");
	ck_assert_ptr_nonnull((void *)wait);
	pthread_create(&t, NULL, wait, &m);
	while (locks_awaited() == 0)
		pause_ns(MS);
	pthread_mutex_unlock(&m);
	pthread_join(t, NULL);
	ck_assert_int_eq(dlclose(object), 0);
	ck_assert_ptr_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
	struct profile *b = take("block");
	ck_assert_msg(sum_of(b, "wait_in_object", COUNT) == 1, "%s",
		      describe(b));
	profile_free(b);
	assert_settled();
}
END_TEST

/* A thousand times off and on while it is contended. */
START_TEST(switched_while_it_runs)
{
	crowd_begin();
	for (int i = 0; i < 1000; i++) {
		pprof_set_block_profile_rate(i % 2 ? 1 : 0);
		pprof_set_mutex_profile_fraction(i % 3);
		if (i % 10 == 0)
			pause_ns(MS);
	}
	profile_all_locks();
	/* Until one has had to wait for another. */
	const double before = counter("lock_wait_seconds_total");
	while (counter("lock_wait_seconds_total") < before + 0.001)
		pause_ns(MS);
	crowd_end();
	struct profile *m = take("mutex"), *b = take("block");
	ck_assert_int_gt(sum_of(m, "be_crowd", COUNT), 0);
	ck_assert_int_gt(sum_of(b, "be_crowd", COUNT), 0);
	profile_free(m);
	profile_free(b);
	ck_assert_uint_eq(locks_awaited(), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lock_hazards");
	TCase *t = tcase_create("hazards");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, handlers_that_lock);
	tcase_add_test(t, jumps_out_of_a_wait);
	tcase_add_test(t, jumps_out_of_the_hook);
	tcase_add_test(t, forks_amid_waits);
	tcase_add_test(t, cancelled_amid_waits);
	tcase_add_test(t, ten_thousand_mutexes);
	tcase_add_test(t, more_locks_than_a_bucket_holds);
	tcase_add_test(t, released_in_part);
	tcase_add_test(t, refused_releases);
	tcase_add_test(t, freed_while_owed);
	tcase_add_test(t, full_tables);
	tcase_add_test(t, an_object_that_is_gone);
	tcase_add_test(t, switched_while_it_runs);
	suite_add_tcase(s, t);
	return testing_run(s);
}
