/*
 * check_cpu_storm.c - the sampler among everything that has ever broken one:
 * threads being born and dying, objects being loaded and unloaded, malloc,
 * fork, deep stacks, stacks being unwound, at the highest rate there is; and
 * captures started and stopped a thousand times in a storm of signals.
 *
 * A deadlock is a worker that cannot be joined: the test's time limit ends it.
 */
#include "tests/cpu_testing.h"

#include "pprof/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_bool go_on;
static int storm_seconds = 30;

struct worker {
	const char *name;
	void (*round)(void);
	int threads;
	_Atomic int64_t rounds, cpu_ns;
};

/* ---- what they do -------------------------------------------------------- */

static _Atomic int64_t short_lives_ns;

static void *live_shortly(void *arg)
{
	burn((int64_t)(uintptr_t)arg);
	short_lives_ns += clock_thread_cpu_ns();
	return NULL;
}

static void births_and_deaths(void)
{
	pthread_t threads[8];
	int n = 0;
	for (uintptr_t i = 0; i < 8; i++)
		n += pthread_create(&threads[n], NULL, live_shortly,
				    (void *)(i * 100000)) == 0;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void load_and_unload(void)
{
	const char *builddir = getenv("top_builddir");
	char path[4096];
	snprintf(path, sizeof(path), "%s/tests/.libs/storm_object.so",
		 builddir ? builddir : ".");
	void *handle = dlopen(path, RTLD_NOW);
	if (!handle) {
		fprintf(stderr, "# %s\n", dlerror());
		abort();
	}
	int (*work)(int);
	*(void **)&work = dlsym(handle, "storm_object_work");
	work(200000);
	dlclose(handle);
}

static void allocate_and_free(void)
{
	void *blocks[256] = { NULL };
	for (size_t i = 0; i < 4096; i++) {
		void **block = &blocks[(i * 7) % 256];
		free(*block);
		*block = malloc((i * 37) % 4000 + 1);
	}
	for (size_t i = 0; i < 256; i++)
		free(blocks[i]);
}

static void fork_and_wait(void)
{
	const pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		abort();
	burn(5 * MS);
}

ON_STACK static int recurse(int n)
{
	if (n == 0)
		return (int)burn(1000);
	const int got = recurse(n - 1);
	__asm__ __volatile__("" ::: "memory");
	return got + 1;
}

static void deep_stacks(void)
{
	for (int i = 0; i < 100; i++)
		recurse(i * 2);
}

static void unwind_here(void)
{
	uintptr_t pcs[64];
	for (int i = 0; i < 500; i++)
		unwind_from_here(UNWIND_AUTO, 0, pcs, 64);
}

static void keep_errno(void)
{
	errno = 4321;
	for (volatile int i = 0; i < 200000; i++)
		;
	if (errno != 4321)
		abort();
}

static struct worker workers[] = {
	{ .name = "births", .round = births_and_deaths, .threads = 2 },
	{ .name = "dlopen", .round = load_and_unload, .threads = 1 },
	{ .name = "malloc", .round = allocate_and_free, .threads = 2 },
	{ .name = "fork", .round = fork_and_wait, .threads = 1 },
	{ .name = "deep", .round = deep_stacks, .threads = 1 },
	{ .name = "unwind", .round = unwind_here, .threads = 1 },
	{ .name = "errno", .round = keep_errno, .threads = 1 },
};

enum { THREADS_AT_MOST = 16 };
static pthread_t threads[THREADS_AT_MOST];
static int n_threads;

static void *work(void *arg)
{
	struct worker *w = arg;
	while (go_on) {
		w->round();
		w->rounds++;
	}
	w->cpu_ns += clock_thread_cpu_ns();
	return NULL;
}

static void start_workers(void)
{
	go_on = true;
	n_threads = 0;
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].rounds = 0;
		workers[i].cpu_ns = 0;
		for (int j = 0; j < workers[i].threads; j++)
			ck_assert_int_eq(pthread_create(&threads[n_threads++],
							NULL, work,
							&workers[i]),
					 0);
	}
}

static int64_t stop_workers(void)
{
	int64_t sum = short_lives_ns;
	go_on = false;
	for (int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		sum += workers[i].cpu_ns;
	return sum;
}

/* ---- the storm ----------------------------------------------------------- */

static void wait_seconds(int seconds)
{
	const struct timespec until =
		clock_to_timespec(clock_monotonic_ns() + seconds * 1000 * MS);
	/* The sampler's signals cut a sleep short. */
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
}

START_TEST(storm)
{
	struct pprof_capture *c = capture_begin(10000);
	start_workers();
	wait_seconds(storm_seconds);
	const int64_t cpu_ns = stop_workers();
	struct profile *p = capture_end(c);
	ck_assert_int_eq(timers_open(), 0);
	const double got = (double)count_of(p, NULL, "main") / 1e4;
	const double want = (double)cpu_ns / 1e9;
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		printf("# %s: %lld rounds\n", workers[i].name,
		       (long long)workers[i].rounds);
		ck_assert_int_gt(workers[i].rounds, 0);
	}
	printf("# %.3f s sampled of %.3f s; %g signals, handler %.3f s\n", got,
	       want, counter("cpu_signals_total"),
	       counter("cpu_seconds_total"));
	for (size_t i = 0; i < p->n_comments; i++)
		printf("# %s\n", profile_str(p, p->comments[i]));
	/* No thread was lost, nor one counted twice. */
	ck_assert_msg(got > want * 0.97 && got < want * 1.05,
		      "%.3f s, not %.3f s", got, want);
	/* What was unloaded has kept its name. */
	ck_assert_int_gt(count_of(p, "storm_object_work", NULL), 0);
	ck_assert_int_gt(count_of(p, "allocate_and_free", NULL), 0);
	ck_assert_int_gt(count_of(p, "recurse", NULL), 0);
	profile_free(p);
}
END_TEST

/* ---- a thousand captures ------------------------------------------------- */

/* Signals that are none of ours, to everybody, all the time. */
static void *send_signals(void *arg)
{
	while (go_on) {
		for (int i = 0; i < n_threads; i++)
			pthread_kill(threads[i], SIGPROF);
		kill(getpid(), SIGPROF);
		usleep(500);
	}
	return arg;
}

static void *spin(void *arg)
{
	while (go_on)
		burn(1 * MS);
	return arg;
}

START_TEST(a_thousand_captures)
{
	pthread_t sender;
	go_on = true;
	/* The handler is there once a capture has been. */
	pprof_capture_free(capture_begin(100));
	for (n_threads = 0; n_threads < 3; n_threads++)
		ck_assert_int_eq(pthread_create(&threads[n_threads], NULL, spin,
						NULL),
				 0);
	ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, NULL), 0);
	static const int rates[] = { 100, 250, 1000, 10000 };
	const int64_t began = clock_monotonic_ns();
	for (int i = 0; i < 1000; i++) {
		struct pprof_capture *c =
			capture_begin(rates[i % ARRAY_SIZE(rates)]);
		if (i % 10 == 0)
			usleep(1000);
		ck_assert_int_eq(pprof_capture_stop(c), 0);
		pprof_capture_free(c);
		ck_assert_int_eq(timers_open(), 0);
	}
	printf("# 1000 captures in %.1f s\n",
	       (double)(clock_monotonic_ns() - began) / 1e9);
	go_on = false;
	pthread_join(sender, NULL);
	for (int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	/* And the next one is as good as the first. */
	struct pprof_capture *c = capture_begin(100);
	burn(300 * MS);
	struct profile *p = capture_end(c);
	ck_assert_about(count_of(p, "main", NULL), 30, p);
	profile_free(p);
}
END_TEST

int main(void)
{
	const char *seconds = getenv("STORM_SECONDS");
	if (seconds)
		storm_seconds = (int)strtol(seconds, NULL, 10);
	Suite *s = suite_create("cpu_storm");
	TCase *t = tcase_create("storm");
	tcase_set_timeout(t, storm_seconds * 4 + 60);
	tcase_add_test(t, storm);
	tcase_add_test(t, a_thousand_captures);
	suite_add_tcase(s, t);
	return testing_run(s);
}
