/*
 * check_budget.c - the overhead budget of CPU profiling: when it slows the
 * sampler down, that it is kept, and that values stay true.
 */
#include "tests/cpu_testing.h"

#include "pprof/budget.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>

/* ---- the arithmetic ------------------------------------------------------ */

/* A process that uses one processor, read every 100 ms; costs in us of each
 * 100 ms at full speed. */
static const struct {
	const char *name;
	double share;
	int signals_us, control_us, readings;
	unsigned rate_halvings, scan_halvings; /* at the end */
} verdicts[] = {
	{ "well within", 0.01, 500, 100, 30, 0, 0 },
	{ "just within", 0.01, 900, 100, 30, 0, 0 },
	{ "no limit", 0, 90000, 9000, 30, 0, 0 },
	{ "twice too much", 0.01, 1500, 100, 30, 1, 0 },
	{ "much too much: at the first interval", 0.01, 2500, 100, 2, 2, 0 },
	{ "too much: not yet", 0.01, 1500, 100, 5, 0, 0 },
	{ "too much: at half a window", 0.01, 1500, 100, 6, 1, 0 },
	{ "at once as far as needed", 0.01, 30000, 100, 2, 6, 0 },
	{ "as far as allowed", 0.01, 90000, 100, 30, 6, 2 },
	{ "scans are what is dear", 0.01, 100, 1500, 30, 0, 1 },
	{ "both", 0.01, 1000, 1000, 30, 1, 1 },
	{ "a large budget", 0.5, 40000, 100, 30, 0, 0 },
};

/* Readings as a sampler at these halvings would give them. */
static int read_on(struct budget *b, double share, struct budget_reading *r,
		   double signals_us, double control_us)
{
	r->process_ns += 100 * MS;
	r->signals_ns += (int64_t)(1000 * signals_us / (1 << b->rate_halvings));
	r->control_ns += (int64_t)(1000 * control_us / (1 << b->scan_halvings));
	return budget_check(b, share, r);
}

START_TEST(verdict_table)
{
	struct budget b = { .rate_halvings_max = 6, .scan_halvings_max = 2 };
	struct budget_reading r = { 0 };
	for (int i = 0; i < verdicts[_i].readings; i++)
		read_on(&b, verdicts[_i].share, &r, verdicts[_i].signals_us,
			verdicts[_i].control_us);
	ck_assert_msg(b.rate_halvings == verdicts[_i].rate_halvings &&
			      b.scan_halvings == verdicts[_i].scan_halvings,
		      "%s: %u and %u", verdicts[_i].name, b.rate_halvings,
		      b.scan_halvings);
}
END_TEST

/* What was dear becomes cheap: back to full speed, one step a window, and no
 * further change. */
START_TEST(speeds_up_again)
{
	struct budget b = { .rate_halvings_max = 6, .scan_halvings_max = 4 };
	struct budget_reading r = { 0 };
	for (int i = 0; i < 3; i++)
		read_on(&b, 0.01, &r, 8000, 100);
	ck_assert_uint_eq(b.rate_halvings, 4);
	int faster = 0, at[4] = { 0 };
	for (int i = 0; i < 100; i++)
		if (read_on(&b, 0.01, &r, 400, 100) == -1)
			at[faster++ % 4] = i;
	ck_assert_int_eq(faster, 4);
	ck_assert_uint_eq(b.rate_halvings, 0);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(at[i] - at[i - 1], BUDGET_WINDOW);
	/* At the border it does not swing to and fro. */
	int changes = 0;
	for (int i = 0; i < 200; i++)
		changes += read_on(&b, 0.01, &r, 1300, 100) != 0;
	ck_assert_int_eq(changes, 1);
	/* Without a limit: at once. */
	ck_assert_int_eq(read_on(&b, 0, &r, 1300, 100), -1);
	ck_assert_uint_eq(b.rate_halvings, 0);
}
END_TEST

/* A process that does nothing is judged by two intervals, not by one. */
START_TEST(little_is_not_judged_hastily)
{
	struct budget b = { .rate_halvings_max = 6, .scan_halvings_max = 4 };
	struct budget_reading r = { 0 };
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(budget_check(&b, 0.01, &r), i == 2);
		r.process_ns += 1 * MS;
		r.control_ns += 200000;
	}
	ck_assert_uint_eq(b.scan_halvings, 4);
}
END_TEST

/* ---- for real ------------------------------------------------------------ */

enum { THREADS = 2, DEPTH = 110 };

static _Atomic int64_t three_ns, one_ns, used_ns;
static int stretches; /* in each half */
static pthread_barrier_t half;

static double sampler_seconds(void)
{
	static const char *const parts[] = { "handler", "delivery", "control" };
	struct pprof_stat stat;
	double sum = 0;
	for (size_t i = 0; pprof_stat_at(i, &stat); i++)
		for (size_t j = 0; j < ARRAY_SIZE(parts); j++)
			if (strcmp(stat.name, "cpu_seconds_total") == 0 &&
			    strcmp(stat.label, parts[j]) == 0)
				sum += stat.value;
	return sum;
}

/* Out of step with any rate. */
static int64_t stretch_ns(int i)
{
	return (4 + i * 7 % 13) * MS;
}

ON_STACK static void burn_three_parts(int i)
{
	three_ns += burn(3 * stretch_ns(i) / 2);
}

ON_STACK static void burn_one_part(int i)
{
	one_ns += burn(stretch_ns(i) / 2);
}

ON_STACK static void burn_below(int depth)
{
	if (depth > 0) {
		burn_below(depth - 1);
		/* Not a tail call: each level stays. */
		__asm__ __volatile__("" ::: "memory");
		return;
	}
	for (int i = 0; i < 2 * stretches; i++) {
		if (i == stretches)
			pthread_barrier_wait(&half);
		burn_three_parts(i);
		burn_one_part(i);
	}
}

static void *burner(void *arg)
{
	(void)arg;
	burn_below(DEPTH);
	used_ns += clock_thread_cpu_ns();
	return NULL;
}

static void ignore(int signo)
{
	(void)signo;
}

/* What a capture cost of the process's CPU time, over its second half. */
static double second_half(int hz, int n, struct profile **ret_p)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&half, NULL, THREADS + 1);
	three_ns = one_ns = used_ns = 0;
	stretches = n;
	struct pprof_capture *c = capture_begin(hz);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, burner, NULL), 0);
	pthread_barrier_wait(&half);
	const double sampler = sampler_seconds();
	const int64_t process = clock_process_cpu_ns();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	const double share = 1e9 * (sampler_seconds() - sampler) /
			     (double)(clock_process_cpu_ns() - process);
	*ret_p = capture_end(c);
	pthread_barrier_destroy(&half);
	return share;
}

static const struct {
	const char *name;
	int hz;
	double share;
	bool timers;
} rates[] = {
	{ "5 kHz, 1 %", 5000, 0.01, false },
	{ "1 kHz by timers, 0.3 %", 1000, 0.003, true },
};

static double total_seconds(const struct profile *p)
{
	double sum = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		if (!sample_has(p, i, "main"))
			sum += (double)p->values[2 * i + 1] / 1e9;
	return sum;
}

START_TEST(is_kept_and_values_stay)
{
	/* The dearer of the unwinders. */
	setenv("PPROF_UNWINDER", "libgcc", 1);
	/* Perf events need a standard signal: without one, timers serve. */
	if (rates[_i].timers)
		signal(SIGPROF, ignore);
	struct profile *p;
	const double free_share = second_half(rates[_i].hz, 10, &p);
	ck_assert(!has_comment(p, "overhead budget"));
	ck_assert_int_eq((int)counter("cpu_rate_reductions_total"), 0);
	profile_free(p);
	/* Else the rest would prove nothing. */
	ck_assert_msg(free_share > 2 * rates[_i].share, "%s: only %.2f %%",
		      rates[_i].name, 100 * free_share);

	ck_assert_int_eq(pprof_set_cpu_profile_budget(rates[_i].share), 0);
	double signals = counter("cpu_signals_total");
	const double share = second_half(rates[_i].hz, 30, &p);
	signals = counter("cpu_signals_total") - signals;
	const double got = total_seconds(p), want = (double)used_ns / 1e9;
	const double three = (double)count_of(p, "burn_three_parts", NULL);
	const double one = (double)count_of(p, "burn_one_part", NULL);
	const double said = three / (three + one);
	const double is = (double)three_ns / (double)(three_ns + one_ns);
	printf("# %s: %.2f %% without, %.3f %% with; %.3f s of %.3f s; "
	       "%.3f of %.3f\n",
	       rates[_i].name, 100 * free_share, 100 * share, got, want, said,
	       is);
	for (size_t i = 0; i < p->n_comments; i++)
		printf("#   %s\n", profile_str(p, p->comments[i]));
	ck_assert_msg(share <= 1.5 * rates[_i].share, "%s: %.3f %%",
		      rates[_i].name, 100 * share);
	ck_assert(counter("cpu_rate_reductions_total") >= 1);
	ck_assert_msg(fabs(got / want - 1) < 0.03, "%s: %.3f s, not %.3f s",
		      rates[_i].name, got, want);
	/* Each signal an independent draw would be the worst: 5.5 standard
	 * deviations of that. */
	ck_assert_msg(fabs(said - is) < 5.5 * sqrt(is * (1 - is) / signals),
		      "%s: %.3f, not %.3f, of %g signals", rates[_i].name, said,
		      is, signals);
	ck_assert(has_comment(p, "rate lowered "));
	ck_assert(!has_comment(p, "rate lowered 0 times"));
	profile_free(p);
}
END_TEST

START_TEST(bad_shares_are_refused)
{
	static const double bad[] = { -0.01, 1.01, NAN, INFINITY };
	ck_assert(pprof_cpu_profile_budget() == 0);
	ck_assert_int_eq(pprof_set_cpu_profile_budget(0.25), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(pprof_set_cpu_profile_budget(bad[i]),
				 PPROF_ERR_INVALID);
	ck_assert(pprof_cpu_profile_budget() == 0.25);
	ck_assert(counter("cpu_budget_ratio") == 0.25);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("budget");
	TCase *t = tcase_create("arithmetic");
	testing_add_table(t, verdict_table, verdicts);
	tcase_add_test(t, speeds_up_again);
	tcase_add_test(t, little_is_not_judged_hastily);
	tcase_add_test(t, bad_shares_are_refused);
	suite_add_tcase(s, t);
	t = tcase_create("sampler");
	tcase_set_timeout(t, 120);
	testing_add_table(t, is_kept_and_values_stay, rates);
	suite_add_tcase(s, t);
	return testing_run(s);
}
