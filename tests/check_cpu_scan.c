/*
 * check_cpu_scan.c - the CPU profiler in a program that hooks nothing: its
 * threads are found by looking at /proc/self/task.
 */
#include "tests/cpu_testing.h"

#include "pprof/hooks.h"
#include "pprof/unwind.h"

static _Atomic int64_t used_ns;

ON_STACK static void *live_for(void *arg)
{
	burn(*(const int64_t *)arg - clock_thread_cpu_ns());
	used_ns += clock_thread_cpu_ns();
	return NULL;
}

START_TEST(nothing_is_hooked)
{
	ck_assert(!hooks_present(HOOKS_THREAD));
	ck_assert(!hooks_present(HOOKS_DL));
	ck_assert(!unwind_engine_available(UNWIND_LIBUNWIND));
	struct pprof_capture *c = capture_begin(100);
	burn(50 * MS);
	struct profile *p = capture_end(c);
	ck_assert(has_comment(p, "threads: scanned every 100 ms"));
	profile_free(p);
}
END_TEST

/* Those that were there, and those that come: points before a scan found them
 * are counted too, and only what they did after the last scan is missing. */
static pthread_barrier_t may_begin;

static void *wait_then_live(void *arg)
{
	pthread_barrier_wait(&may_begin);
	const int64_t began = clock_thread_cpu_ns();
	burn(*(const int64_t *)arg);
	used_ns += clock_thread_cpu_ns() - began;
	return NULL;
}

START_TEST(old_and_new_threads)
{
	pthread_t old[4], new[4];
	int64_t life = 500 * MS;
	pthread_barrier_init(&may_begin, NULL, 5);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&old[i], NULL, wait_then_live,
						&life),
				 0);
	struct pprof_capture *c = capture_begin(100);
	ck_assert_int_eq(timers_open(), 5);
	pthread_barrier_wait(&may_begin);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&new[i], NULL, live_for, &life),
				 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(old[i], NULL);
		pthread_join(new[i], NULL);
	}
	struct profile *p = capture_end(c);
	ck_assert_int_eq(timers_open(), 0);
	const double got = (double)count_of(p, NULL, "main") / 100;
	const double want = (double)used_ns / 1e9;
	const double unseen = (double)count_of(p, "_ThreadUnseen", NULL) / 100;
	printf("# %.3f s of %.3f s, %.3f s of it before they were found\n", got,
	       want, unseen);
	/*
	 * Each thread's last points are missing: those after its last signal
	 * that no scan saw either, less than two.  Of 400 that is 4 %, at the
	 * very worst; and nothing is counted twice.
	 */
	ck_assert_msg(got > want - 8 * 0.02 && got < want + 0.04,
		      "%.3f s, not %.3f s%s", got, want, describe(p));
	profile_free(p);
}
END_TEST

/*
 * Short lives: most are never found.  Then the profile says what the process
 * used in all, so that the difference can be seen.
 */
START_TEST(short_lives_show_in_a_comment)
{
	int64_t life = 5 * MS;
	struct pprof_capture *c = capture_begin(100);
	for (int i = 0; i < 60; i++) {
		pthread_t t;
		ck_assert_int_eq(pthread_create(&t, NULL, live_for, &life), 0);
		pthread_join(t, NULL);
	}
	struct profile *p = capture_end(c);
	double process = 0;
	for (size_t i = 0; i < p->n_comments; i++)
		sscanf(profile_str(p, p->comments[i]),
		       "cpu time: process %lf s", &process);
	ck_assert_msg(process >= (double)used_ns / 1e9, "%s", describe(p));
	ck_assert_msg((double)count_of(p, NULL, NULL) / 100 <= process + 0.03,
		      "%s", describe(p));
	profile_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cpu_scan");
	TCase *t = tcase_create("scan");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nothing_is_hooked);
	tcase_add_test(t, old_and_new_threads);
	tcase_add_test(t, short_lives_show_in_a_comment);
	suite_add_tcase(s, t);
	return testing_run(s);
}
