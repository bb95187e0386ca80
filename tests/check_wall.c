/*
 * check_wall.c - the wall profile: each thread is credited with all the time,
 * in the state that it is in, and what sleeps is left asleep.
 */
#include "tests/cpu_testing.h"

#include "pprof/ask.h"
#include "pprof/thread.h"
#include "pprof/wall.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t ready, leave;
static atomic_bool stop;
static _Atomic pid_t started; /* the last one */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

ON_STACK static void sleep_here(void)
{
	while (sem_wait(&leave))
		;
}

ON_STACK static void spin_here(void)
{
	while (!atomic_load(&stop))
		;
}

ON_STACK static void wait_here(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void *run(void *arg)
{
	started = gettid();
	sem_post(&ready);
	((void (*)(void))arg)();
	return NULL;
}

static void start(pthread_t *t, void (*fn)(void))
{
	const struct pprof_label label = { "job", "wall" };
	pprof_set_labels(&label, 1);
	ck_assert_int_eq(pthread_create(t, NULL, run, (void *)fn), 0);
	pprof_set_labels(NULL, 0);
	while (sem_wait(&ready))
		;
}

/* The same, until it sleeps where it is to sleep. */
static void start_sleeper(pthread_t *t, void (*fn)(void))
{
	start(t, fn);
	while (thread_kernel_state(started) != 'S')
		pause_ns(MS);
}

static void setup(void)
{
	sem_init(&ready, 0, 0);
	sem_init(&leave, 0, 0);
	atomic_store(&stop, false);
}

static struct pprof_capture *wall_begin(int hz)
{
	struct pprof_capture *c = NULL;
	const struct pprof_capture_options options = { .hz = hz };
	const int rc = pprof_capture_start("wall", &options, &c);
	ck_assert_msg(rc == 0, "start: %s", pprof_strerror(rc));
	return c;
}

/* Nanoseconds below a function in a state; NULL is any. */
static int64_t wall_of(const struct profile *p, const char *function,
		       const char *state)
{
	int64_t ns = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		if ((!function || sample_has(p, i, function)) &&
		    (!state || sample_has_label(p, i, "state", state)))
			ns += p->values[i * p->n_sample_types + 1];
	return ns;
}

START_TEST(all_of_the_time)
{
	pthread_t sleeps, spins, waits;
	setup();
	pprof_set_block_profile_rate(1);
	pthread_mutex_lock(&mutex);
	start_sleeper(&sleeps, sleep_here);
	start_sleeper(&waits, wait_here);
	start(&spins, spin_here);
	/* The window begins within the one call, and ends within the other. */
	const int64_t before = clock_monotonic_ns();
	struct pprof_capture *c = wall_begin(50);
	const int64_t began = clock_monotonic_ns();
	pause_ns(1000 * MS);
	const int64_t ends = clock_monotonic_ns();
	ck_assert_int_eq(pprof_capture_stop(c), 0);
	const int64_t after = clock_monotonic_ns();
	struct profile *p = capture_read(c);
	pprof_capture_free(c);
	static const struct {
		const char *function, *state;
	} rows[] = {
		{ "sleep_here", "sleeping" },
		{ "spin_here", "running" },
		{ "wait_here", "blocked on lock" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const int64_t all = wall_of(p, rows[i].function, NULL);
		const int64_t state =
			wall_of(p, rows[i].function, rows[i].state);
		ck_assert_msg(all >= ends - began && all <= after - before,
			      "%s: %.3f s of %.3f to %.3f s%s",
			      rows[i].function, (double)all / 1e9,
			      (double)(ends - began) / 1e9,
			      (double)(after - before) / 1e9, describe(p));
		ck_assert_msg(state > all / 10 * 9,
			      "%s is %s: %.3f s of %.3f s%s", rows[i].function,
			      rows[i].state, (double)state / 1e9,
			      (double)all / 1e9, describe(p));
	}
	for (size_t i = 0; i < p->n_samples; i++)
		if (sample_has(p, i, "spin_here"))
			ck_assert(sample_has_label(p, i, "job", "wall"));
	profile_free(p);
	pthread_mutex_unlock(&mutex);
	atomic_store(&stop, true);
	sem_post(&leave);
	pthread_join(sleeps, NULL);
	pthread_join(spins, NULL);
	pthread_join(waits, NULL);
}
END_TEST

START_TEST(what_sleeps_is_asked_once)
{
	enum { N = 20, HZ = 100 };
	pthread_t t[N];
	setup();
	for (int i = 0; i < N; i++)
		start_sleeper(&t[i], sleep_here);
	struct pprof_capture *c = wall_begin(HZ);
	const int64_t before = ask_requests();
	pause_ns(1000 * MS);
	const int64_t requests = ask_requests() - before;
	struct profile *p = capture_end(c);
	/* A hundred ticks; asked at each, they would be 2000 requests. */
	ck_assert_msg(requests < 10 * N, "%lld requests", (long long)requests);
	ck_assert_msg(wall_of(p, "sleep_here", NULL) > N * 950 * MS, "%s",
		      describe(p));
	profile_free(p);
	for (int i = 0; i < N; i++)
		sem_post(&leave);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
}
END_TEST

static void *live_briefly(void *arg)
{
	burn(1 * MS);
	return arg;
}

START_TEST(windows_share_a_rate)
{
	struct pprof_capture *a = wall_begin(50), *b = wall_begin(50), *c;
	char reason[64] = "";
	struct pprof_capture_options other = {
		.hz = 20,
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	ck_assert_int_eq(pprof_capture_start("wall", &other, &c),
			 PPROF_ERR_BUSY);
	ck_assert_str_eq(reason, "wall profiling already in use at 50 Hz");
	other.hz = 1001;
	ck_assert_int_eq(pprof_capture_start("wall", &other, &c),
			 PPROF_ERR_INVALID);
	ck_assert_str_eq(reason, "hz is 1001: must be from 1 to 1000");
	other.hz = 20;
	for (int i = 0; i < 50; i++) {
		pthread_t t;
		pthread_create(&t, NULL, live_briefly, NULL);
		pthread_join(t, NULL);
	}
	profile_free(capture_end(a));
	struct profile *p = capture_end(b);
	ck_assert_int_gt(wall_of(p, NULL, NULL), 0);
	profile_free(p);
	/* When they are over, so is the rate. */
	ck_assert_int_eq(pprof_capture_start("wall", &other, &c), 0);
	const pid_t child = fork();
	if (child == 0) {
		struct pprof_capture *mine = wall_begin(50);
		pause_ns(50 * MS);
		p = capture_end(mine);
		_exit(wall_of(p, NULL, NULL) > 0 ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	profile_free(capture_end(c));
	/* This thread alone is left. */
	ck_assert_int_eq(tasks_settle_at(3), 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wall");
	TCase *t = tcase_create("wall");
	tcase_set_timeout(t, 30);
	tcase_add_test(t, all_of_the_time);
	tcase_add_test(t, what_sleeps_is_asked_once);
	tcase_add_test(t, windows_share_a_rate);
	suite_add_tcase(s, t);
	return testing_run(s);
}
