/*
 * check_threads.c - the profiles of threads: every thread is there, under the
 * stack that it stands in, whatever it does; and asking harms none.
 */
#include "tests/cpu_testing.h"

#include "pprof/ask.h"
#include "pprof/threads.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- threads that stand somewhere ---------------------------------------- */

struct parked {
	sem_t ready, leave;
	atomic_bool stop;
};

ON_STACK static void park_here(struct parked *p)
{
	sem_post(&p->ready);
	while (sem_wait(&p->leave))
		;
}

static void *park(void *arg)
{
	park_here(arg);
	return NULL;
}

ON_STACK static void spin_here(struct parked *p)
{
	sem_post(&p->ready);
	while (!atomic_load(&p->stop))
		;
}

static void *spin(void *arg)
{
	spin_here(arg);
	return NULL;
}

static void parked_init(struct parked *p)
{
	sem_init(&p->ready, 0, 0);
	sem_init(&p->leave, 0, 0);
	atomic_store(&p->stop, false);
}

ON_STACK static void start_threads(pthread_t *threads, size_t n,
				   void *(*run)(void *), struct parked *p)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	if (n > 100)
		pthread_attr_setstacksize(&attr, 64 << 10);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(pthread_create(&threads[i], &attr, run, p), 0);
	pthread_attr_destroy(&attr);
	for (size_t i = 0; i < n; i++)
		while (sem_wait(&p->ready))
			;
}

static void end_threads(pthread_t *threads, size_t n, struct parked *p)
{
	atomic_store(&p->stop, true);
	for (size_t i = 0; i < n; i++)
		sem_post(&p->leave);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/* ---- asking for the profile ---------------------------------------------- */

static char *take_text(const char *name, int debug)
{
	static struct buf b;
	buf_clear(&b);
	const struct pprof_writer writer = { capture_append, &b };
	const struct pprof_write_options o = { .debug = debug };
	const int rc = pprof_write_to(pprof_lookup(name), &o, &writer);
	ck_assert_int_eq(rc, 0);
	return (char *)(uintptr_t)buf_str(&b);
}

static const struct named_kind {
	const char *name, *type;
} kinds[] = {
	{ "threads", "threads" },
	{ "goroutine", "goroutine" },
};

static size_t parked_samples(const struct profile *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		n += sample_has(p, i, "park_here");
	return n;
}

START_TEST(each_thread_is_there)
{
	enum { N = 5 };
	struct parked p;
	pthread_t threads[N];
	const struct pprof_label label = { "job", "parking" };
	parked_init(&p);
	pprof_set_labels(&label, 1);
	start_threads(threads, N, park, &p);
	pprof_set_labels(NULL, 0);
	struct profile *profile = take(kinds[_i].name);
	ck_assert_msg(count_of(profile, "park_here", NULL) == N, "%s",
		      describe(profile));
	ck_assert_msg(count_of(profile, NULL, NULL) == N + 1, "%s",
		      describe(profile));
	ck_assert_str_eq(profile_str(profile, profile->sample_types[0].type),
			 kinds[_i].type);
	ck_assert_int_eq(profile->period, 1);
	for (size_t i = 0; i < profile->n_samples; i++)
		if (sample_has(profile, i, "park_here"))
			ck_assert(
				sample_has_label(profile, i, "job", "parking"));
	/* Once the last of them has come to its wait they are alike, so one
	 * sample. */
	const int64_t end = clock_monotonic_ns() + 20000 * MS;
	while (parked_samples(profile) != 1 && clock_monotonic_ns() < end) {
		profile_free(profile);
		profile = take(kinds[_i].name);
	}
	ck_assert_msg(parked_samples(profile) == 1, "%s", describe(profile));
	profile_free(profile);
	end_threads(threads, N, &p);
}
END_TEST

START_TEST(running_threads_answer)
{
	enum { N = 3 };
	struct parked p;
	pthread_t threads[N];
	parked_init(&p);
	start_threads(threads, N, spin, &p);
	struct profile *profile = take("threads");
	ck_assert_msg(count_of(profile, "spin_here", NULL) == N, "%s",
		      describe(profile));
	profile_free(profile);
	end_threads(threads, N, &p);
}
END_TEST

START_TEST(the_asker_is_there)
{
	struct profile *profile = take("threads");
	ck_assert_msg(count_of(profile, "the_asker_is_there_fn", NULL) == 1,
		      "%s", describe(profile));
	profile_free(profile);
}
END_TEST

/* ---- those that do not answer -------------------------------------------- */

static void *block_all(void *arg)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	park_here(arg);
	return NULL;
}

START_TEST(one_that_blocks_signals_is_listed)
{
	struct parked p;
	pthread_t thread;
	parked_init(&p);
	start_threads(&thread, 1, block_all, &p);
	const int64_t began = clock_monotonic_ns();
	struct profile *profile = take("threads");
	ck_assert_int_lt(clock_monotonic_ns() - began, 5000 * MS);
	ck_assert_msg(count_of(profile, "_ThreadBlocksSignal", NULL) == 1, "%s",
		      describe(profile));
	ck_assert_msg(has_comment(profile, "blocks the signal"), "%s",
		      describe(profile));
	/* Under its start routine. */
	for (size_t i = 0; i < profile->n_samples; i++)
		if (sample_has(profile, i, "_ThreadBlocksSignal"))
			ck_assert(sample_has(profile, i, "block_all"));
	profile_free(profile);
	ck_assert_ptr_nonnull(strstr(take_text("threads", 2),
				     "no stack: it blocks the signal"));
	end_threads(&thread, 1, &p);
}
END_TEST

/* ---- many ---------------------------------------------------------------- */

START_TEST(a_thousand)
{
	enum { N = 1000 };
	struct parked p;
	static pthread_t threads[N];
	struct threads_list l;
	struct err e;
	int64_t best = INT64_MAX;
	parked_init(&p);
	start_threads(threads, N, park, &p);
	for (int i = 0; i < 5; i++) {
		const int64_t began = clock_monotonic_ns();
		ck_assert_int_eq(threads_take(false, &l, &e), 0);
		const int64_t took = clock_monotonic_ns() - began;
		best = took < best ? took : best;
		size_t answered = 0;
		for (size_t j = 0; j < l.n; j++)
			answered += l.v[j].result == ASK_ANSWERED;
		ck_assert_uint_eq(answered, N + 1);
		threads_list_free(&l);
	}
	printf("# 1000 threads answered in %.1f ms\n", (double)best / 1e6);
	ck_assert_int_lt(best, 250 * MS);
	struct profile *profile = take("threads");
	ck_assert_int_eq(count_of(profile, "park_here", NULL), N);
	profile_free(profile);
	end_threads(threads, N, &p);
}
END_TEST

/* ---- storms -------------------------------------------------------------- */

static void *live_briefly(void *arg)
{
	return arg;
}

static void *breed(void *arg)
{
	struct parked *p = arg;
	sem_post(&p->ready);
	while (!atomic_load(&p->stop)) {
		pthread_t t[4];
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(pthread_create(&t[i], NULL,
							live_briefly, NULL),
					 0);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
	}
	return NULL;
}

static void *dump(void *arg)
{
	struct parked *p = arg;
	sem_post(&p->ready);
	while (!atomic_load(&p->stop))
		profile_free(take("threads"));
	return NULL;
}

START_TEST(threads_come_and_go)
{
	struct parked p;
	pthread_t threads[3];
	parked_init(&p);
	struct pprof_capture *c = capture_begin(1000);
	start_threads(threads, 1, breed, &p);
	start_threads(threads + 1, 2, dump, &p);
	for (int i = 0; i < 40; i++) {
		struct profile *profile = take("threads");
		ck_assert_int_eq(
			count_of(profile, "threads_come_and_go_fn", NULL), 1);
		ck_assert_int_eq(count_of(profile, "_ThreadNotAnswering", NULL),
				 0);
		profile_free(profile);
	}
	end_threads(threads, 3, &p);
	profile_free(capture_end(c));
}
END_TEST

static void own_handler(int signo)
{
	(void)signo;
}

START_TEST(no_signal_is_free)
{
	const struct sigaction own = { .sa_handler = own_handler };
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++)
		sigaction(signo, &own, NULL);
	static struct buf b;
	char reason[64] = "";
	const struct pprof_writer writer = { capture_append, &b };
	const struct pprof_write_options o = {
		.debug = 2,
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	ck_assert_int_eq(pprof_write_to(pprof_lookup("threads"), &o, &writer),
			 PPROF_ERR_UNSUPPORTED);
	ck_assert_str_eq(reason, "the program handles all real-time signals");
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

/* The first of all does not answer, or is no more. */
static void *dump_once(void *arg)
{
	int64_t *answered = arg;
	struct profile *p = take("threads");
	*answered = count_of(p, "dump_once", NULL);
	profile_free(p);
	return NULL;
}

START_TEST(the_main_thread_blocks_signals)
{
	pthread_t t;
	sigset_t all;
	int64_t answered = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_create(&t, NULL, dump_once, &answered);
	pthread_join(t, NULL);
	ck_assert_int_eq(answered, 1);
}
END_TEST

static void *dump_without_main(void *arg)
{
	char line[256] = "";
	const pid_t pid = getpid();
	(void)arg;
	/* Until the main thread has ended. */
	while (!strstr(line, ") Z")) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", pid);
		FILE *f = fopen(path, "r");
		if (!f || !fgets(line, sizeof(line), f))
			_exit(2);
		fclose(f);
	}
	int64_t answered = 0;
	dump_once(&answered);
	_exit(answered == 1 ? 0 : 1);
}

START_TEST(the_main_thread_has_ended)
{
	const pid_t child = fork();
	if (child == 0) {
		pthread_t t;
		pthread_create(&t, NULL, dump_without_main, NULL);
		pthread_exit(NULL);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A thousand stand, and others come and go all the time. */
START_TEST(a_thousand_amid_births)
{
	enum { N = 1000 };
	struct parked p, storm;
	static pthread_t threads[N];
	pthread_t breeders[2];
	int64_t best = INT64_MAX;
	parked_init(&p);
	parked_init(&storm);
	start_threads(threads, N, park, &p);
	start_threads(breeders, 2, breed, &storm);
	for (int i = 0; i < 10; i++) {
		struct threads_list l;
		struct err e;
		const int64_t began = clock_monotonic_ns();
		ck_assert_int_eq(threads_take(i % 2 == 1, &l, &e), 0);
		const int64_t took = clock_monotonic_ns() - began;
		best = i % 2 == 0 && took < best ? took : best;
		size_t answered = 0;
		for (size_t j = 0; j < l.n; j++) {
			answered += l.v[j].result == ASK_ANSWERED;
			/* One that came and went is no riddle. */
			ck_assert_int_ne(l.v[j].result, ASK_SILENT);
		}
		ck_assert_uint_ge(answered, N + 1);
		threads_list_free(&l);
		struct profile *profile = take("threads");
		ck_assert_int_eq(count_of(profile, "park_here", NULL), N);
		profile_free(profile);
	}
	printf("# 1000 threads amid births in %.1f ms\n", (double)best / 1e6);
	ck_assert_int_lt(best, 250 * MS);
	end_threads(breeders, 2, &storm);
	end_threads(threads, N, &p);
}
END_TEST

/* What waits goes on waiting: the calls that restart are restarted. */
static void *read_byte(void *arg)
{
	const int *fd = arg;
	char c;
	const ssize_t n = read(*fd, &c, 1);
	return (void *)(intptr_t)(n == 1 ? 0 : errno);
}

START_TEST(calls_restart)
{
	int fds[2];
	pthread_t thread;
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_byte, &fds[0]), 0);
	for (int i = 0; i < 50; i++)
		profile_free(take("threads"));
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	void *result;
	pthread_join(thread, &result);
	ck_assert_ptr_null(result);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* errno of a running thread is its own. */
static void *watch_errno(void *arg)
{
	struct parked *p = arg;
	sem_post(&p->ready);
	intptr_t changed = 0;
	while (!atomic_load(&p->stop)) {
		errno = 12345;
		for (volatile int i = 0; i < 1000; i++)
			;
		changed += errno != 12345;
	}
	return (void *)changed;
}

START_TEST(errno_is_kept)
{
	struct parked p;
	pthread_t thread;
	parked_init(&p);
	start_threads(&thread, 1, watch_errno, &p);
	for (int i = 0; i < 50; i++)
		profile_free(take("threads"));
	atomic_store(&p.stop, true);
	void *changed;
	pthread_join(thread, &changed);
	ck_assert_ptr_null(changed);
}
END_TEST

/* A signal of another sender, or one that comes late, does nothing. */
START_TEST(alien_signals_are_ignored)
{
	profile_free(take("threads"));
	const int signo = ask_signal();
	ck_assert_int_gt(signo, 0);
	kill(getpid(), signo);
	const union sigval value = { .sival_ptr = (void *)0x20001 };
	sigqueue(getpid(), signo, value);
	struct profile *profile = take("threads");
	ck_assert_int_eq(count_of(profile, NULL, NULL), 1);
	profile_free(profile);
}
END_TEST

/* Nothing waits for anybody when a dump is over. */
START_TEST(nothing_is_left_pending)
{
	enum { N = 20 };
	struct parked p;
	pthread_t threads[N];
	parked_init(&p);
	start_threads(threads, N, park, &p);
	profile_free(take("threads"));
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof(line), f)) {
		uint64_t mask;
		if (sscanf(line, "SigPnd: %" SCNx64, &mask) == 1 ||
		    sscanf(line, "ShdPnd: %" SCNx64, &mask) == 1)
			ck_assert_uint_eq(mask, 0);
	}
	fclose(f);
	end_threads(threads, N, &p);
}
END_TEST

START_TEST(a_child_has_its_own)
{
	enum { N = 4 };
	struct parked p;
	pthread_t threads[N];
	parked_init(&p);
	start_threads(threads, N, park, &p);
	profile_free(take("threads"));
	const pid_t child = fork();
	if (child == 0) {
		struct profile *profile = take("threads");
		const bool right = count_of(profile, NULL, NULL) == 1;
		profile_free(profile);
		profile = take("threadcreate");
		_exit(right && profile->n_samples == 0 ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	end_threads(threads, N, &p);
}
END_TEST

/* ---- the dump, the difference, threadcreate ------------------------------ */

/* For how many seconds the thread of this name slept, as the dump says. */
static int seconds_slept(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	ck_assert_msg(at != NULL, "%s", text);
	while (at > text && at[-1] != '\n')
		at--;
	ck_assert_msg(strncmp(at, "thread ", 7) == 0, "%s", text);
	int n = 0;
	char unit[8] = "";
	ck_assert_msg(sscanf(strchr(at, '['), "[sleeping, %d %7[a-z]", &n,
			     unit) == 2,
		      "%s", at);
	return strncmp(unit, "second", 6) == 0 ? n : 0;
}

START_TEST(the_dump_tells_each)
{
	const int64_t began = clock_monotonic_ns();
	/* On one CPU: the scheduler has a clock for each. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	struct parked p;
	pthread_t thread;
	parked_init(&p);
	start_threads(&thread, 1, park, &p);
	pthread_setname_np(thread, "parking lot");
	/* The second time it has been asked before, which was not to move. */
	const char *text = NULL;
	for (int pauses = 1; pauses <= 2; pauses++) {
		const struct timespec pause = { 1, 500000000 };
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		text = take_text("threads", 2);
		const int slept = seconds_slept(text, "]: parking lot\n");
		/* Not for longer than there is a test: the scheduler's clock
		 * may be far behind. */
		const int64_t most =
			(clock_monotonic_ns() - began) / 1000000000 + 1;
		ck_assert_msg(slept >= pauses && slept <= most,
			      "%d of %d s: %s", slept, (int)most, text);
	}
	const char *at = strstr(text, "]: parking lot\n");
	ck_assert_msg(strstr(at, "\npark_here(...)\n\t") != NULL, "%s", at);
	ck_assert_msg(strstr(at, "\nstarted as park(...)") != NULL, "%s", at);
	text = take_text("goroutine", 2);
	ck_assert(strncmp(text, "goroutine ", 10) == 0);
	end_threads(&thread, 1, &p);
}
END_TEST

START_TEST(the_legacy_text)
{
	const char *text = take_text("goroutine", 1);
	ck_assert_msg(strncmp(text, "goroutine profile: total 1\n1 @ 0x", 33) ==
			      0,
		      "%s", text);
}
END_TEST

START_TEST(a_window_has_the_difference)
{
	enum { N = 3 };
	struct parked p, q;
	pthread_t before[N], later[N + 1];
	struct pprof_capture *c;
	parked_init(&p);
	parked_init(&q);
	start_threads(before, N, spin, &p);
	ck_assert_int_eq(pprof_capture_start("goroutine", NULL, &c), 0);
	start_threads(later, N + 1, park, &q);
	end_threads(before, N, &p);
	struct profile *profile = capture_end(c);
	ck_assert_msg(count_of(profile, "park_here", NULL) == N + 1, "%s",
		      describe(profile));
	ck_assert_msg(count_of(profile, "spin_here", NULL) == -N, "%s",
		      describe(profile));
	profile_free(profile);
	end_threads(later, N + 1, &q);
}
END_TEST

START_TEST(creators_are_named)
{
	enum { N = 7 };
	struct parked p;
	pthread_t threads[N];
	parked_init(&p);
	const int64_t before =
		pprof_profile_count(pprof_lookup("threadcreate"));
	start_threads(threads, N, park, &p);
	ck_assert_int_eq(pprof_profile_count(pprof_lookup("threadcreate")),
			 before + N);
	/* One that fails creates nothing. */
	pthread_attr_t attr;
	cpu_set_t none;
	CPU_ZERO(&none);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(none), &none);
	pthread_t t;
	ck_assert_int_ne(pthread_create(&t, &attr, park, &p), 0);
	pthread_attr_destroy(&attr);
	struct profile *profile = take("threadcreate");
	ck_assert_msg(count_of(profile, "start_threads", NULL) == N, "%s",
		      describe(profile));
	ck_assert_msg(count_of(profile, "pthread_create", NULL) == 0, "%s",
		      describe(profile));
	ck_assert_msg(count_of(profile, "hooks_thread_new", NULL) == 0, "%s",
		      describe(profile));
	/* The creator itself is the leaf. */
	const uint32_t leaf = profile->locs[profile->sample_locs[0].first];
	ck_assert_msg(location_has(profile, leaf, "start_threads"), "%s",
		      describe(profile));
	profile_free(profile);
	end_threads(threads, N, &p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("threads");
	TCase *there = tcase_create("there");
	tcase_set_timeout(there, 30);
	testing_add_table(there, each_thread_is_there, kinds);
	tcase_add_test(there, running_threads_answer);
	tcase_add_test(there, the_asker_is_there);
	tcase_add_test(there, one_that_blocks_signals_is_listed);
	tcase_add_test(there, a_thousand);
	suite_add_tcase(s, there);
	TCase *harm = tcase_create("harm");
	tcase_set_timeout(harm, 60);
	tcase_add_test(harm, threads_come_and_go);
	tcase_add_test(harm, a_thousand_amid_births);
	tcase_add_test(harm, no_signal_is_free);
	tcase_add_test(harm, the_main_thread_blocks_signals);
	tcase_add_test(harm, the_main_thread_has_ended);
	tcase_add_test(harm, calls_restart);
	tcase_add_test(harm, errno_is_kept);
	tcase_add_test(harm, alien_signals_are_ignored);
	tcase_add_test(harm, nothing_is_left_pending);
	tcase_add_test(harm, a_child_has_its_own);
	suite_add_tcase(s, harm);
	TCase *texts = tcase_create("texts");
	tcase_set_timeout(texts, 30);
	tcase_add_test(texts, the_dump_tells_each);
	tcase_add_test(texts, the_legacy_text);
	tcase_add_test(texts, a_window_has_the_difference);
	tcase_add_test(texts, creators_are_named);
	suite_add_tcase(s, texts);
	return testing_run(s);
}
