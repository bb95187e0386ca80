/*
 * check_load.c - proflab-load in its parts, and against a server inside the
 * test that is slow, refuses, stalls or dies as it is told.
 */
#include "tests/testing.h"
#include "tests/stall_server.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "load/histogram.h"
#include "load/options.h"
#include "load/plan.h"
#include "load/report.h"
#include "load/results.h"
#include "load/run.h"
#include "load/schedule.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)
enum { TIMEOUT_S = 60 };

/* ---- histogram ---- */

/* Every value has one bucket, none is wider than 1/128 of its values. */
START_TEST(histogram_buckets_are_seamless)
{
	int64_t next = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const int64_t low = histogram_bucket_low(i);
		const int64_t high = histogram_bucket_high(i);
		ck_assert_msg(low == next, "bucket %zu begins at %" PRId64, i,
			      low);
		ck_assert_int_ge(high, low);
		ck_assert_uint_eq(histogram_bucket(low), i);
		ck_assert_uint_eq(histogram_bucket(high), i);
		ck_assert_int_le((high - low) * 128, low);
		next = high + 1;
	}
	ck_assert_int_eq(next, INT64_C(1) << HISTOGRAM_MAX_BITS);
	ck_assert_uint_eq(histogram_bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
	ck_assert_uint_eq(histogram_bucket(-1), 0);
}
END_TEST

static const struct {
	const char *name;
	int64_t n, step; /* the values step, 2*step, ... n*step */
	double q;
	int64_t want;
} quantile_table[] = {
	{ "one value", 1, 77, 0.5, 77 },
	{ "the least", 100, 1, 0.0, 1 },
	{ "the median of 100", 100, 1, 0.5, 50 },
	{ "the median of 101", 101, 1, 0.5, 51 },
	{ "p90 of 100", 100, 1, 0.9, 90 },
	{ "p99 of 200", 200, 1, 0.99, 198 },
	{ "the greatest", 200, 1, 1.0, 200 },
	{ "p99.9 of 1000", 1000, 1000, 0.999, 999000 },
	{ "ms", 1000, 1000000, 0.5, 500000000 },
	{ "p99 of many", 100000, 12345, 0.99, 99000 * INT64_C(12345) },
};

START_TEST(histogram_quantiles_are_exact_to_a_bucket)
{
	const char *name = quantile_table[_i].name;
	static struct histogram h;
	double sum = 0;
	for (int64_t i = 1; i <= quantile_table[_i].n; i++) {
		histogram_record(&h, i * quantile_table[_i].step);
		sum += (double)(i * quantile_table[_i].step);
	}
	const int64_t got = histogram_quantile(&h, quantile_table[_i].q);
	const int64_t want = quantile_table[_i].want;
	ck_assert_msg(got >= want && got - want <= want / 128,
		      "%s: %" PRId64 ", not %" PRId64, name, got, want);
	ck_assert_int_eq(h.min_ns, quantile_table[_i].step);
	ck_assert_int_eq(h.max_ns,
			 quantile_table[_i].n * quantile_table[_i].step);
	ck_assert_double_eq(histogram_mean(&h),
			    sum / (double)quantile_table[_i].n);
}
END_TEST

static int compare_values(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Against a sort, on values spread over nine decades. */
START_TEST(histogram_agrees_with_a_sort)
{
	enum { N = 20000 };
	static int64_t values[N];
	static struct histogram h;
	struct rng rng;
	rng_seed(&rng, 11);
	for (int i = 0; i < N; i++) {
		values[i] = (int64_t)pow(10, 9 * rng_double(&rng));
		histogram_record(&h, values[i]);
	}
	qsort(values, N, sizeof(*values), compare_values);
	for (int percent = 1; percent <= 100; percent++) {
		const int64_t want = values[N / 100 * percent - 1];
		const int64_t got = histogram_quantile(&h, percent / 100.0);
		ck_assert_msg(got >= want && got - want <= want / 128,
			      "p%d: %" PRId64 ", not %" PRId64, percent, got,
			      want);
	}
}
END_TEST

START_TEST(histogram_merges_and_subtracts)
{
	static struct histogram a, b, both, rest, empty;
	for (int64_t i = 1; i <= 1000; i++) {
		histogram_record(i % 3 ? &a : &b, i * i);
		histogram_record(&both, i * i);
	}
	rest = a;
	histogram_merge(&rest, &b);
	histogram_merge(&rest, &empty);
	ck_assert_int_eq(memcmp(&rest, &both, sizeof(rest)), 0);
	histogram_subtract(&rest, &a);
	ck_assert_uint_eq(rest.count, b.count);
	ck_assert_int_eq(memcmp(rest.counts, b.counts, sizeof(b.counts)), 0);
	ck_assert_int_eq(histogram_quantile(&rest, 0.5),
			 histogram_quantile(&b, 0.5));
	ck_assert_double_eq(rest.sum_ns, b.sum_ns);
	histogram_merge(&empty, &a);
	ck_assert_int_eq(memcmp(&empty, &a, sizeof(a)), 0);
	histogram_subtract(&empty, &a);
	ck_assert_uint_eq(empty.count, 0);
	ck_assert_int_eq(histogram_quantile(&empty, 0.5), 0);
	ck_assert_double_eq(histogram_mean(&empty), 0);
}
END_TEST

/* ---- plan ---- */

/* Within six standard deviations: one false alarm in 5e8 draws of a seed. */
static void check_share(const char *what, uint64_t got, uint64_t n, double p)
{
	const double want = (double)n * p;
	const double apart = fabs((double)got - want);
	ck_assert_msg(apart <= 6 * sqrt((double)n * p * (1 - p)) + 1e-9,
		      "%s: %" PRIu64 " of %" PRIu64 ", not about %.0f", what,
		      got, n, want);
}

static const struct scenario_route *route_of(const struct scenario *s,
					     const char *target)
{
	const size_t length = strcspn(target, "?");
	for (size_t i = 0; i < SCENARIO_ROUTES && s->routes[i].path; i++)
		if (strlen(s->routes[i].path) == length &&
		    !memcmp(s->routes[i].path, target, length))
			return &s->routes[i];
	ck_abort_msg("%s asks for %s", s->name, target);
}

/* The value of a parameter in "/path?a=1&b=2", as its place in the list. */
static size_t value_of(const struct scenario_param *param, const char *target)
{
	char start[40];
	snprintf(start, sizeof(start), "%s=", param->name);
	const char *at = strpbrk(target, "?&");
	while (at && strncmp(at + 1, start, strlen(start)))
		at = strpbrk(at + 1, "&");
	ck_assert_msg(at != NULL, "%s lacks %s", target, param->name);
	at += 1 + strlen(start);
	const size_t length = strcspn(at, "&");
	char value[40];
	snprintf(value, sizeof(value), "%.*s", (int)length, at);
	if (param->prefix) {
		unsigned number = 0;
		ck_assert_int_eq(strncmp(value, param->prefix,
					 strlen(param->prefix)),
				 0);
		ck_assert_int_eq(sscanf(value + strlen(param->prefix),
					*param->prefix ? "_%u" : "%u", &number),
				 1);
		ck_assert_uint_ge(number, 1);
		ck_assert_uint_le(number, param->count);
		return number - 1;
	}
	for (size_t i = 0; i < SCENARIO_VALUES && param->values[i]; i++)
		if (!strcmp(param->values[i], value))
			return i;
	ck_abort_msg("%s: no such %s", target, param->name);
}

static size_t value_count(const struct scenario_param *param)
{
	size_t count = 0;
	while (count < SCENARIO_VALUES && param->values[count])
		count++;
	return param->prefix ? param->count : count;
}

START_TEST(plan_draws_by_weight)
{
	enum { N = 30000, VALUES = 512 };
	const struct scenario *s = &scenarios[_i];
	const struct plan plan = { s, 5 };
	uint64_t total = 0;
	static uint64_t routes[SCENARIO_ROUTES];
	static uint64_t values[SCENARIO_ROUTES][SCENARIO_PARAMS][VALUES];
	for (size_t i = 0; i < SCENARIO_ROUTES && s->routes[i].path; i++)
		total += s->routes[i].weight;
	for (uint64_t i = 0; i < N; i++) {
		char target[PLAN_TARGET];
		plan_target(&plan, i, target);
		ck_assert_uint_lt(strlen(target), STALL_TARGET);
		const struct scenario_route *route = route_of(s, target);
		const size_t r = (size_t)(route - s->routes);
		routes[r]++;
		for (size_t p = 0; p < SCENARIO_PARAMS && route->params[p].name;
		     p++)
			values[r][p][value_of(&route->params[p], target)]++;
	}
	for (size_t r = 0; r < SCENARIO_ROUTES && s->routes[r].path; r++) {
		const struct scenario_route *route = &s->routes[r];
		check_share(route->path, routes[r], N,
			    route->weight / (double)total);
		for (size_t p = 0; p < SCENARIO_PARAMS && route->params[p].name;
		     p++) {
			const size_t count = value_count(&route->params[p]);
			for (size_t v = 0; v < count; v++)
				check_share(route->params[p].name,
					    values[r][p][v], routes[r],
					    1.0 / (double)count);
		}
	}
}
END_TEST

START_TEST(plan_is_the_seed_s_alone)
{
	const struct scenario *mixed = scenario_find("mixed");
	const struct plan one = { mixed, 1 }, again = { mixed, 1 };
	const struct plan other = { mixed, 2 };
	char a[PLAN_TARGET], b[PLAN_TARGET];
	int same = 0;
	/* Backwards in the one, forwards in the other: order is nothing. */
	for (uint64_t i = 1000; i-- > 0;)
		plan_target(&again, i, b);
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert_str_eq(plan_target(&one, i, a),
				 plan_target(&again, i, b));
		same += !strcmp(plan_target(&one, i, a),
				plan_target(&other, i, b));
	}
	ck_assert_int_lt(same, 300);
	ck_assert_ptr_null(scenario_find("mixe"));
}
END_TEST

/* The exercise's table, by its letter. */
static const struct {
	const char *name;
	int64_t concurrency, minutes, rps;
} defaults_table[] = {
	{ "cpu", 10, 2, 0 },	     { "memory", 5, 2, 0 },
	{ "mixed", 20, 3, 50 },	     { "leaky", 3, 5, 10 },
	{ "inefficient", 10, 2, 0 }, { "database", 10, 2, 0 },
	{ "cache", 20, 2, 0 },	     { "concurrent", 5, 2, 0 },
};

START_TEST(scenarios_are_as_documented)
{
	const struct scenario *s = scenario_find(defaults_table[_i].name);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(s->concurrency, defaults_table[_i].concurrency);
	ck_assert_int_eq(s->duration_ns,
			 defaults_table[_i].minutes * 60 * SECOND);
	ck_assert_int_eq(s->rps, defaults_table[_i].rps);
	ck_assert_uint_eq(scenario_count, ARRAY_SIZE(defaults_table));
}
END_TEST

/* ---- options ---- */

static const struct {
	const char *name;
	const char *argv[6];
	int rc;
	const char *text; /* in the error */
	const char *scenario;
	int64_t concurrency, duration_ns, rps;
} options_table[] = {
	{ "none", { "" }, 0, "", "mixed", 20, 180 * SECOND, 50 },
	{ "one dash",
	  { "", "-scenario=cpu", "-duration=1m30s" },
	  0,
	  "",
	  "cpu",
	  10,
	  90 * SECOND,
	  0 },
	{ "two dashes, value apart",
	  { "", "--scenario", "leaky", "--concurrency", "7" },
	  0,
	  "",
	  "leaky",
	  7,
	  300 * SECOND,
	  10 },
	{ "no limit", { "", "-rps=0" }, 0, "", "mixed", 20, 180 * SECOND, 0 },
	{ "a rate",
	  { "", "-rps", "99" },
	  0,
	  "",
	  "mixed",
	  20,
	  180 * SECOND,
	  99 },
	{ "as the scenario",
	  { "", "-rps=-1", "-duration=0", "-concurrency=0" },
	  0,
	  "",
	  "mixed",
	  20,
	  180 * SECOND,
	  50 },
	{ "the last one counts",
	  { "", "-duration=1s", "-duration=250ms" },
	  0,
	  "",
	  "mixed",
	  20,
	  250 * MS,
	  50 },
	{ "no such scenario",
	  { "", "-scenario=x" },
	  ERR_INVALID,
	  "there are cpu, memory, mixed, leaky, " },
	{ "no such option", { "", "-users=3" }, ERR_INVALID, "-users" },
	{ "not an option", { "", "cpu" }, ERR_INVALID, "\"cpu\"" },
	{ "no value", { "", "-duration" }, ERR_INVALID, "needs a value" },
	{ "no unit", { "", "-duration=5" }, ERR_INVALID, "-duration" },
	{ "negative", { "", "-duration=-5s" }, ERR_INVALID, "-duration" },
	{ "too many", { "", "-concurrency=10001" }, ERR_INVALID, "10000" },
	{ "not a number", { "", "-rps=fast" }, ERR_INVALID, "-rps" },
	{ "not a URL", { "", "-url=localhost" }, ERR_INVALID, "http://" },
	{ "not a header", { "", "-header=X" }, ERR_INVALID, "NAME: VALUE" },
	{ "two headers in one",
	  { "", "-header=X: 1\r\nY: 2" },
	  ERR_INVALID,
	  "NAME: VALUE" },
	{ "not a truth", { "", "-json=perhaps" }, ERR_INVALID, "true" },
};

START_TEST(options_are_read)
{
	const char *name = options_table[_i].name;
	char **argv = (char **)options_table[_i].argv;
	int argc = 0;
	while (argc < 6 && argv[argc])
		argc++;
	struct load_options o;
	struct err e = { "" };
	const int rc = load_options_parse(argc, argv, &o, &e);
	ck_assert_msg(rc == options_table[_i].rc, "%s: %s", name, e.text);
	ck_assert_msg(strstr(e.text, options_table[_i].text) != NULL,
		      "%s: \"%s\"", name, e.text);
	if (rc)
		return;
	ck_assert_str_eq(o.scenario->name, options_table[_i].scenario);
	ck_assert_int_eq(o.concurrency, options_table[_i].concurrency);
	ck_assert_int_eq(o.duration_ns, options_table[_i].duration_ns);
	ck_assert_int_eq(o.rps, options_table[_i].rps);
}
END_TEST

/* ---- schedule ---- */

START_TEST(schedule_has_a_rate)
{
	struct schedule s;
	uint64_t i;
	int64_t due;
	schedule_init(&s, 1000, 2 * SECOND, 3, 0);
	ck_assert_int_eq(schedule_take(&s, 1000, &i, &due), SCHEDULE_NOW);
	ck_assert_uint_eq(i, 0);
	ck_assert_int_eq(due, 1000);
	ck_assert_int_eq(schedule_take(&s, 1000, &i, &due), SCHEDULE_LATER);
	ck_assert_int_eq(due, 1000 + SECOND / 3);
	/* Late: it is still due when it was due. */
	ck_assert_int_eq(schedule_take(&s, SECOND, &i, &due), SCHEDULE_NOW);
	ck_assert_uint_eq(i, 1);
	ck_assert_int_eq(due, 1000 + SECOND / 3);
	ck_assert_int_eq(schedule_take(&s, SECOND, &i, &due), SCHEDULE_NOW);
	ck_assert_int_eq(schedule_take(&s, SECOND, &i, &due), SCHEDULE_LATER);
	ck_assert_uint_eq(schedule_due_count(&s), 6);
	schedule_end(&s, 1000 + SECOND + 1);
	ck_assert_uint_eq(schedule_due_count(&s), 4);
	schedule_end(&s, 5 * SECOND); /* never later again */
	ck_assert_uint_eq(schedule_due_count(&s), 4);
	ck_assert_int_eq(schedule_take(&s, 3 * SECOND, &i, &due),
			 SCHEDULE_OVER);
}
END_TEST

START_TEST(schedule_has_a_limit)
{
	static const int64_t rates[] = { 0, 1000 };
	for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
		struct schedule s;
		uint64_t i;
		int64_t due;
		schedule_init(&s, 0, SECOND, rates[r], 3);
		for (uint64_t k = 0; k < 3; k++) {
			ck_assert_int_eq(schedule_take(&s, 9000000, &i, &due),
					 SCHEDULE_NOW);
			ck_assert_uint_eq(i, k);
		}
		ck_assert_int_eq(schedule_take(&s, 9000000, &i, &due),
				 SCHEDULE_OVER);
		ck_assert_uint_eq(schedule_due_count(&s), 3);
	}
}
END_TEST

START_TEST(schedule_lasts_for_years)
{
	struct schedule s;
	schedule_init(&s, 0, 366 * 24 * 3600 * SECOND, 1000000, 0);
	ck_assert_int_eq(schedule_due_ns(&s, UINT64_C(31622400000000)),
			 366 * 24 * 3600 * SECOND);
	ck_assert_uint_eq(schedule_due_count(&s), UINT64_C(31622400000000));
}
END_TEST

struct taker {
	struct schedule *schedule;
	_Atomic unsigned char *taken;
};

static void *take_all(void *arg)
{
	struct taker *t = arg;
	uint64_t i;
	int64_t due;
	while (schedule_take(t->schedule, SECOND - 1, &i, &due) == SCHEDULE_NOW)
		t->taken[i]++;
	return NULL;
}

START_TEST(schedule_gives_each_number_once)
{
	enum { N = 100000 };
	static _Atomic unsigned char taken[N];
	struct schedule s;
	struct taker taker = { &s, taken };
	pthread_t threads[4];
	schedule_init(&s, 0, SECOND, N, 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, take_all, &taker);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(taken[i], 1);
}
END_TEST

/* ---- results and report ---- */

static void fill_results(struct results *r)
{
	static const int64_t latencies[] = { 1,	  5,   9,   10,	 49,   50,
					     100, 499, 500, 999, 1000, 2500 };
	struct results half = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(latencies); i++)
		results_add_success(i % 2 ? r : &half, latencies[i] * MS, 100);
	results_add_failure(r, 503);
	results_add_failure(&half, 503);
	results_add_failure(&half, FAILURE_TIMEOUT);
	results_add_failure(r, FAILURE_NETWORK);
	results_add_not_sent(&half, 1500 * MS);
	half.abandoned = 2;
	results_merge(r, &half);
}

static const struct load_options report_options = {
	.url = "http://localhost:8080",
	.concurrency = 20,
	.rps = 50,
	.seed = 7,
};

static const char summary[] =
	"\n=== Load Test Results ===\n"
	"Scenario: mixed (seed 7, concurrency 20, 50 requests a second)\n"
	"Duration: 4s\n"
	"Total Requests: 16\n"
	"Successful Requests: 12\n"
	"Failed Requests: 4\n"
	"Not Sent: 1 (due, but every connection was busy; their waiting is in "
	"the latencies)\n"
	"Abandoned: 2 (unanswered when the time to wait for them was over)\n"
	"Success Rate: 75.00%\n"
	"Requests/Second: 4.00\n"
	"Average Latency: 555.5ms\n"
	"Min Latency: 1ms\n"
	"P50 Latency: 100.1ms\n"
	"P90 Latency: 1.502s\n"
	"P99 Latency: 2.5s\n"
	"P99.9 Latency: 2.5s\n"
	"Max Latency: 2.5s\n"
	"\nErrors by Type:\n"
	"  http_503: 2\n"
	"  network: 1\n"
	"  timeout: 1\n"
	"\nLatency Distribution:\n"
	"  <10ms: 3 (23.08%)\n"
	"  10-50ms: 2 (15.38%)\n"
	"  50-100ms: 1 (7.69%)\n"
	"  100-500ms: 2 (15.38%)\n"
	"  500ms-1s: 2 (15.38%)\n"
	"  >1s: 3 (23.08%)\n";

START_TEST(report_for_people)
{
	struct load_options o = report_options;
	static struct results r;
	struct buf text = { 0 };
	o.scenario = scenario_find("mixed");
	fill_results(&r);
	ck_assert_int_eq(report_summary(&text, &o, &r, 4 * SECOND), 0);
	ck_assert_str_eq(buf_str(&text), summary);
	buf_free(&text);
}
END_TEST

START_TEST(report_for_machines)
{
	struct load_options o = report_options;
	static struct results r;
	struct buf text = { 0 };
	json_int_t total, failed, not_sent, abandoned, refused, bytes, slow;
	double rate, min, p50, max;
	o.scenario = scenario_find("mixed");
	fill_results(&r);
	ck_assert_int_eq(report_json(&text, &o, &r, 4 * SECOND), 0);
	json_t *root = json_loads(buf_str(&text), 0, NULL);
	ck_assert_ptr_nonnull(root);
	ck_assert_int_eq(
		json_unpack(root,
			    "{s:I, s:I, s:I, s:I, s:I, s:F, s:{s:F, s:F, s:F},"
			    " s:{s:I}, s:[{}, {}, {}, {}, {}, {s:I}]}",
			    "total_requests", &total, "failed_requests",
			    &failed, "not_sent", &not_sent, "abandoned",
			    &abandoned, "bytes", &bytes, "success_rate", &rate,
			    "latency_ms", "min", &min, "p50", &p50, "max", &max,
			    "errors", "http_503", &refused,
			    "latency_distribution", "count", &slow),
		0);
	ck_assert_int_eq(total, 16);
	ck_assert_int_eq(failed, 4);
	ck_assert_int_eq(not_sent, 1);
	ck_assert_int_eq(abandoned, 2);
	ck_assert_int_eq(refused, 2);
	ck_assert_int_eq(bytes, 1200);
	ck_assert_int_eq(slow, 3);
	ck_assert_double_eq(rate, 75.0);
	ck_assert_double_eq(min, 1.0);
	ck_assert_double_eq(max, 2500.0);
	ck_assert_double_eq_tol(p50, 100, 100.0 / 128);
	json_decref(root);
	buf_free(&text);
}
END_TEST

START_TEST(report_of_nothing)
{
	struct load_options o = report_options;
	static struct results r;
	struct buf text = { 0 }, json = { 0 };
	o.scenario = scenario_find("mixed");
	ck_assert_int_eq(report_summary(&text, &o, &r, 0), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "Total Requests: 0\n"));
	ck_assert_ptr_null(strstr(buf_str(&text), "Latency"));
	ck_assert_ptr_null(strstr(buf_str(&text), "nan"));
	ck_assert_int_eq(report_json(&json, &o, &r, 0), 0);
	ck_assert_ptr_null(strstr(buf_str(&json), "nan"));
	buf_free(&text);
	buf_free(&json);
}
END_TEST

/* Of the interval alone: what was before does not count. */
START_TEST(report_of_progress)
{
	static struct results before, now;
	struct buf text = { 0 };
	for (int i = 0; i < 50; i++)
		results_add_success(&before, 900 * MS, 0);
	now = before;
	for (int i = 0; i < 20; i++)
		results_add_success(&now, 2 * MS, 0);
	results_add_failure(&now, 503);
	ck_assert_int_eq(report_progress(&text, &before, &now, 15 * SECOND,
					 5 * SECOND),
			 0);
	ck_assert_str_eq(buf_str(&text),
			 "  15s  71 requests  4.2/s  1 errors  98.6% success"
			 "  p50 2.007ms  p99 2.007ms");
	buf_free(&text);
}
END_TEST

/* More kinds of failure than there is room for: none is lost. */
START_TEST(results_keep_every_failure)
{
	static struct results r, more;
	char name[RESULTS_FAILURE_NAME];
	for (int i = 0; i < 60; i++) {
		results_add_failure(&r, 400 + i);
		results_add_failure(&more, 440 + i);
	}
	results_merge(&r, &more);
	uint64_t sum = 0;
	for (size_t i = 0; i < RESULTS_FAILURE_TYPES; i++)
		sum += r.by_type[i].count;
	ck_assert_uint_eq(r.failures, 120);
	ck_assert_uint_eq(sum, 120);
	ck_assert_str_eq(results_failure_name(FAILURE_NETWORK, name),
			 "network");
	ck_assert_str_eq(results_failure_name(404, name), "http_404");
}
END_TEST

/* ---- against a server ---- */

static struct stall_server server;
static struct results results;
static struct load_options options;

static void start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	stall_start(&server);
	options = (struct load_options){
		.scenario = scenario_find("mixed"),
		.concurrency = 4,
		.duration_ns = 300 * MS,
		.url = server.url,
		.seed = 3,
		.timeout_ns = 20 * SECOND,
		.grace_ns = 20 * SECOND,
	};
}

static void stop(void)
{
	stall_stop(&server);
}

static struct run *begin_run(void)
{
	struct run *run = NULL;
	struct err e;
	const int rc = run_start(&options, &run, &e);
	ck_assert_msg(rc == 0, "%s", e.text);
	return run;
}

static int64_t end_run(struct run *run)
{
	int64_t elapsed;
	memset(&results, 0, sizeof(results));
	run_finish(run, &results, &elapsed);
	return elapsed;
}

/*
 * A run in which each connection sends a request at least.  Where there is no
 * processor for so long it takes longer, and so do the server's answers.
 * Returns: how long it was.
 */
static int64_t run_until_all_send(void)
{
	for (;;) {
		const int64_t elapsed = end_run(begin_run());
		if (results.successes + results.failures + results.abandoned >=
			    (uint64_t)options.concurrency ||
		    options.duration_ns > 5 * SECOND)
			return elapsed;
		options.duration_ns *= 2;
		server.delay_ns *= 2;
		server.requests = server.with_header = 0;
	}
}

/* What the server saw is what was planned, and what was counted. */
START_TEST(run_sends_the_plan)
{
	char slashed[80];
	snprintf(slashed, sizeof(slashed), "%s//", server.url);
	options.url = slashed;
	options.concurrency = 1;
	options.headers[options.header_count++] = "X-Test: 7";
	const int64_t elapsed = run_until_all_send();
	ck_assert_int_eq(elapsed, options.duration_ns);
	ck_assert_uint_gt(results.successes, 0);
	ck_assert_uint_eq(results.failures, 0);
	ck_assert_uint_eq(results.successes, server.requests);
	ck_assert_uint_eq(server.with_header, server.requests);
	ck_assert_uint_eq(results.bytes, 5 * results.successes);
	ck_assert_uint_eq(results.latencies.count, results.successes);
	const struct plan plan = { options.scenario, 3 };
	for (size_t i = 0; i < server.requests && i < STALL_TARGETS; i++) {
		char target[PLAN_TARGET];
		ck_assert_str_eq(server.targets[i],
				 plan_target(&plan, i, target));
	}
}
END_TEST

/* 200 a second for 0.6 s are 120, over 2 and over 3 threads; and most of them
 * are sent, at least where there is a processor, so in one run of five. */
START_TEST(run_keeps_a_rate)
{
	uint64_t most = 0;
	options.concurrency = _i ? 300 : 200;
	options.rps = 200;
	options.duration_ns = 600 * MS;
	for (int i = 0; i < 5 && most <= 60; i++) {
		server.requests = 0;
		end_run(begin_run());
		ck_assert_uint_eq(results.failures, 0);
		ck_assert_uint_eq(results.successes + results.not_sent, 120);
		ck_assert_uint_eq(server.requests, results.successes);
		most = results.successes > most ? results.successes : most;
	}
	ck_assert_uint_gt(most, 60);
}
END_TEST

START_TEST(run_uses_all_connections)
{
	options.concurrency = 8;
	server.delay_ns = 100 * MS;
	options.duration_ns = 150 * MS;
	run_until_all_send();
	/* Eight at once, and as each is answered another one. */
	ck_assert_uint_ge(results.successes, 8);
	ck_assert_uint_le(results.successes, 16);
	ck_assert_int_ge(results.latencies.min_ns, 100 * MS);
}
END_TEST

/* Under way at the end: waited for, and a success like any other. */
START_TEST(run_waits_for_the_last_answers)
{
	server.delay_ns = 400 * MS;
	options.duration_ns = 50 * MS;
	run_until_all_send();
	ck_assert_uint_eq(results.successes, 4);
	ck_assert_uint_eq(results.failures, 0);
	ck_assert_uint_eq(results.abandoned, 0);
}
END_TEST

/* But not for ever; and it is no failure of the server's either. */
START_TEST(run_does_not_wait_for_ever)
{
	server.stalled = true;
	options.duration_ns = 50 * MS;
	options.grace_ns = 200 * MS;
	const int64_t begin = clock_monotonic_ns();
	run_until_all_send();
	ck_assert_int_ge(clock_monotonic_ns() - begin, 250 * MS);
	ck_assert_uint_eq(results.successes, 0);
	ck_assert_uint_eq(results.failures, 0);
	ck_assert_uint_eq(results.abandoned, 4);
}
END_TEST

static uint64_t failures_of(int type)
{
	for (size_t i = 0; i < RESULTS_FAILURE_TYPES; i++)
		if (results.by_type[i].type == type)
			return results.by_type[i].count;
	return 0;
}

START_TEST(run_counts_refusals)
{
	server.status = 503;
	options.rps = 100;
	options.duration_ns = 200 * MS;
	run_until_all_send();
	ck_assert_uint_eq(results.successes, 0);
	ck_assert_uint_gt(results.failures, 0);
	ck_assert_uint_eq(failures_of(503), results.failures);
	ck_assert_uint_eq(server.requests, results.failures);
}
END_TEST

START_TEST(run_has_a_timeout)
{
	server.stalled = true;
	options.duration_ns = 50 * MS;
	options.timeout_ns = 150 * MS;
	run_until_all_send();
	ck_assert_uint_eq(results.failures, 4);
	ck_assert_uint_eq(failures_of(FAILURE_TIMEOUT), 4);
	ck_assert_uint_eq(results.abandoned, 0);
}
END_TEST

/*
 * The server dies.  Pauses of 0.1, 0.2, 0.4, 0.8 s: within 1.5 s at most five
 * attempts on each of the four connections.  (One that did not pause made
 * 37,000 a second.)
 */
START_TEST(run_goes_easy_on_the_dead)
{
	options.duration_ns = 1500 * MS;
	struct run *run = begin_run();
	int64_t elapsed;
	do {
		ck_assert_int_eq(poll(NULL, 0, 1), 0);
		run_snapshot(run, &results, &elapsed);
	} while (results.successes < 10);
	stall_stop(&server);
	end_run(run);
	ck_assert_uint_ge(results.successes, 10);
	ck_assert_uint_ge(results.failures, 4);
	ck_assert_uint_le(results.failures, 4 * 5);
	ck_assert_uint_gt(failures_of(FAILURE_CONNECT), 0);
}
END_TEST

START_TEST(health_is_asked_first)
{
	struct err e = { "" };
	ck_assert_int_eq(run_check_health(&options, &e), 0);
	ck_assert_str_eq(server.targets[0], "/health");
	server.status = 500;
	ck_assert_int_eq(run_check_health(&options, &e), ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.text, "500"));
	stall_stop(&server);
	ck_assert_int_eq(run_check_health(&options, &e), ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.text, "/health"));
}
END_TEST

START_TEST(run_can_be_ended)
{
	const bool abort = _i;
	server.stalled = true;
	options.duration_ns = 3600 * SECOND;
	struct run *run = begin_run();
	size_t requests = 0;
	while (requests < 4) {
		ck_assert_int_eq(poll(NULL, 0, 1), 0);
		pthread_mutex_lock(&server.lock);
		requests = server.requests;
		pthread_mutex_unlock(&server.lock);
	}
	run_stop(run);
	struct pollfd fd = { .fd = run_fd(run), .events = POLLIN };
	ck_assert_int_eq(poll(&fd, 1, 50), 0); /* it waits for answers */
	if (abort)
		run_abort(run);
	else
		stall_release(&server);
	ck_assert_int_eq(poll(&fd, 1, 20000), 1);
	ck_assert_int_lt(end_run(run), 3600 * SECOND);
	ck_assert_uint_eq(results.successes, abort ? 0 : 4);
	ck_assert_uint_eq(results.abandoned, abort ? 4 : 0);
	ck_assert_uint_eq(results.failures, 0);
}
END_TEST

/*
 * Coordinated omission.  100 requests a second, one connection; the server
 * answers at once, but stalls for 800 ms from its 20th request on.  Some 80
 * requests are due during the stall and find the connection busy; users would
 * have waited for 800 ms, 790, 780, ...  A tester that measures from the
 * sending would report one slow request in 150, and a p90 of a millisecond.
 */
START_TEST(run_does_not_omit_what_a_stall_delays)
{
	options.concurrency = 1;
	options.rps = 100;
	options.duration_ns = 1500 * MS;
	server.stall_at = 20;
	server.stall_ns = 800 * MS;
	end_run(begin_run());
	ck_assert_uint_eq(results.successes + results.not_sent, 150);
	/*
	 * Of 150, 80 waited, the i-th of them 800 - 10 i ms: at least 60 more
	 * than 200 ms, 40 more than 400 ms.  A machine under load makes them
	 * more, never fewer.
	 */
	ck_assert_int_ge(histogram_quantile(&results.latencies, 1 - 50 / 150.0),
			 200 * MS);
	ck_assert_int_ge(histogram_quantile(&results.latencies, 1 - 30 / 150.0),
			 400 * MS);
	ck_assert_int_ge(results.latencies.max_ns, 790 * MS);
}
END_TEST

/* The same where the stall outlasts the run: what was never sent waited too. */
START_TEST(run_does_not_omit_what_was_never_sent)
{
	options.concurrency = 1;
	options.rps = 100;
	options.duration_ns = 500 * MS;
	server.stall_at = 1;
	server.stall_ns = 600 * MS;
	end_run(begin_run());
	ck_assert_uint_eq(results.successes, 1);
	ck_assert_uint_eq(results.not_sent, 49);
	ck_assert_uint_eq(results.latencies.count, 50);
	ck_assert_int_ge(histogram_quantile(&results.latencies, 0.5), 245 * MS);
}
END_TEST

static TCase *add_tcase(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);
	tcase_set_timeout(tc, TIMEOUT_S);
	suite_add_tcase(suite, tc);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tc = add_tcase(suite, "histogram");
	tcase_add_test(tc, histogram_buckets_are_seamless);
	testing_add_table(tc, histogram_quantiles_are_exact_to_a_bucket,
			  quantile_table);
	tcase_add_test(tc, histogram_agrees_with_a_sort);
	tcase_add_test(tc, histogram_merges_and_subtracts);

	tc = add_tcase(suite, "plan");
	tcase_add_loop_test(tc, plan_draws_by_weight, 0, (int)scenario_count);
	tcase_add_test(tc, plan_is_the_seed_s_alone);
	testing_add_table(tc, scenarios_are_as_documented, defaults_table);
	testing_add_table(tc, options_are_read, options_table);

	tc = add_tcase(suite, "schedule");
	tcase_add_test(tc, schedule_has_a_rate);
	tcase_add_test(tc, schedule_has_a_limit);
	tcase_add_test(tc, schedule_lasts_for_years);
	tcase_add_test(tc, schedule_gives_each_number_once);

	tc = add_tcase(suite, "report");
	tcase_add_test(tc, report_for_people);
	tcase_add_test(tc, report_for_machines);
	tcase_add_test(tc, report_of_nothing);
	tcase_add_test(tc, report_of_progress);
	tcase_add_test(tc, results_keep_every_failure);

	tc = add_tcase(suite, "run");
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, run_sends_the_plan);
	tcase_add_loop_test(tc, run_keeps_a_rate, 0, 2);
	tcase_add_test(tc, run_uses_all_connections);
	tcase_add_test(tc, run_waits_for_the_last_answers);
	tcase_add_test(tc, run_does_not_wait_for_ever);
	tcase_add_test(tc, run_counts_refusals);
	tcase_add_test(tc, run_has_a_timeout);
	tcase_add_test(tc, run_goes_easy_on_the_dead);
	tcase_add_test(tc, health_is_asked_first);
	tcase_add_loop_test(tc, run_can_be_ended, 0, 2);
	tcase_add_test(tc, run_does_not_omit_what_a_stall_delays);
	tcase_add_test(tc, run_does_not_omit_what_was_never_sent);
	return testing_run(suite);
}
