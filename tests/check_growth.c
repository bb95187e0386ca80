/*
 * check_growth.c - growth over time: verdicts, what is told a second and what
 * as a difference, restarts, order, and that what cannot be used is named.
 */
#include "base/attr.h"
#include "base/sink.h"
#include "profile/encode.h"
#include "tests/testing.h"
#include "tools/growth.h"
#include "tools/spark.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
enum { STEPS_MAX = 10 };
static char folder[64];

static void set_up(void)
{
	strcpy(folder, "/tmp/check_growth.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	setenv("LC_ALL", "C", 1);
}

static void tear_down(void)
{
	char command[96];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* ---- profiles to order ---- */

struct recipe {
	const char *types[4]; /* "type/unit", NULL ends */
	int64_t time_ns, duration_ns, period;
};

static const struct recipe heap = {
	{ "alloc_objects/count", "alloc_space/bytes", "inuse_objects/count",
	  "inuse_space/bytes" },
	0,
	0,
	1
};
static const struct recipe cpu = {
	{ "samples/count", "cpu/nanoseconds" }, 0, SECOND, 1
};
static const struct recipe mutex = {
	{ "contentions/count", "delay/nanoseconds" }, 0, 0, 1
};
static const struct recipe threads = { { "threads/count" }, 0, 0, 1 };

static size_t count_types(const struct recipe *r)
{
	size_t n = 0;
	while (n < 4 && r->types[n])
		n++;
	return n;
}

static struct profile *new_profile(const struct recipe *r)
{
	struct profile *p = profile_new();
	for (size_t i = 0; i < count_types(r); i++) {
		char type[32];
		const char *slash = strchr(r->types[i], '/');
		snprintf(type, sizeof(type), "%.*s", (int)(slash - r->types[i]),
			 r->types[i]);
		profile_add_sample_type(p, type, slash + 1);
	}
	const struct profile_mapping m = { .filename =
						   profile_intern(p, "prog") };
	profile_add_mapping(p, &m);
	p->time_nanos = r->time_ns;
	p->duration_nanos = r->duration_ns;
	p->period = r->period;
	return p;
}

/* main calls name, which has these values. */
static void add(struct profile *p, const char *name, const int64_t *values)
{
	uint32_t locs[2];
	const char *names[2] = { name, "main" };
	for (size_t i = 0; i < 2; i++) {
		const struct profile_function f = { .name = profile_intern(
							    p, names[i]) };
		const struct profile_line line = {
			.function = profile_add_function(p, &f)
		};
		locs[i] = profile_add_location(p, 0, 0x1000 + p->n_locations,
					       &line, 1);
	}
	ck_assert_uint_ne(profile_add_sample(p, locs, 2, values, NULL, 0),
			  PROFILE_NONE);
}

static void save(struct profile *p, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e = { "" };
	ck_assert_int_ge(fd, 0);
	const struct sink sink = sink_fd(&fd);
	ck_assert_msg(!profile_encode(p, PROFILE_GZIP, &sink, &e), "%s",
		      e.text);
	close(fd);
	profile_free(p);
}

/* Adds to g a profile with one function: value in the type of that index. */
static void feed(struct growth *g, const struct recipe *r, int step,
		 size_t type, int64_t value, int64_t counter)
{
	char path[96];
	struct recipe now = *r;
	struct err e = { "" };
	int64_t values[4] = { 0 };
	now.time_ns = (step + 1) * 10 * SECOND;
	struct profile *p = new_profile(&now);
	/* Many small events: chance is small beside what is tested. */
	for (size_t t = 0; t < count_types(r); t++)
		values[t] = 1000000;
	if (r == &heap)
		values[1] = counter;
	values[type] = value;
	add(p, "work", values);
	snprintf(path, sizeof(path), "%s/%d.pb.gz", folder, step);
	save(p, path);
	ck_assert_msg(!growth_add(g, path, &e), "%s", e.text);
}

static const struct growth_row *row(const struct growth *g, const char *name)
{
	for (size_t i = 0; i < g->n_rows; i++)
		if (!strcmp(g->rows[i].name, name))
			return &g->rows[i];
	ck_abort_msg("no row for %s", name);
}

/* ---- verdicts ---- */

static const struct {
	const char *name;
	const struct recipe *recipe;
	const char *sample_index;
	size_t type;
	int64_t values[STEPS_MAX]; /* 0 ends */
	enum growth_verdict verdict;
	double change;
} series[] = {
	{ "a leak",
	  &heap,
	  NULL,
	  3,
	  { 10000, 20000, 30000, 40000, 50000 },
	  GROWTH_STEADY,
	  40000 },
	{ "a level",
	  &heap,
	  NULL,
	  3,
	  { 10000, 10100, 9900, 10050 },
	  GROWTH_FLAT,
	  50 },
	{ "a saw-tooth",
	  &heap,
	  NULL,
	  3,
	  { 10000, 30000, 50000, 11000, 31000, 51000, 12000 },
	  GROWTH_SAWTOOTH,
	  2000 },
	{ "what was freed",
	  &heap,
	  NULL,
	  3,
	  { 50000, 40000, 30000, 20000 },
	  GROWTH_SHRINKS,
	  -30000 },
	{ "objects, by name",
	  &heap,
	  "inuse_objects",
	  2,
	  { 1000, 2000, 3000 },
	  GROWTH_STEADY,
	  2000 },
	{ "objects, by number",
	  &heap,
	  "2",
	  2,
	  { 1000, 2000, 3000 },
	  GROWTH_STEADY,
	  2000 },
	{ "allocation that goes on as ever",
	  &heap,
	  "alloc_space",
	  1,
	  { 1000000, 2000000, 3000000, 4000000 },
	  GROWTH_FLAT,
	  0 },
	{ "allocation that gets faster",
	  &heap,
	  "alloc_space",
	  1,
	  { 1000000, 2000000, 4000000, 8000000, 16000000 },
	  GROWTH_STEADY,
	  700000 },
	{ "CPU time",
	  &cpu,
	  NULL,
	  1,
	  { 100000000, 300000000, 500000000, 700000000 },
	  GROWTH_STEADY,
	  600000000 },
	{ "waiting that is as ever",
	  &mutex,
	  NULL,
	  1,
	  { 1000000000, 2000000000, 3000000000, 4000000000 },
	  GROWTH_FLAT,
	  0 },
	{ "threads that stay",
	  &threads,
	  NULL,
	  0,
	  { 8, 20, 32, 44 },
	  GROWTH_STEADY,
	  36 },
	{ "two threads more",
	  &threads,
	  NULL,
	  0,
	  { 8, 9, 10, 10 },
	  GROWTH_FLAT,
	  2 },
};

START_TEST(test_verdicts)
{
	const struct growth_options options = {
		.sample_index = series[_i].sample_index
	};
	struct growth g;
	struct err e = { "" };
	growth_init(&g, &options);
	for (int i = 0; i < STEPS_MAX && series[_i].values[i]; i++)
		feed(&g, series[_i].recipe, i, series[_i].type,
		     series[_i].values[i], 10000000 * (i + 1));
	ck_assert_msg(!growth_finish(&g, &e), "%s: %s", series[_i].name,
		      e.text);
	const struct growth_row *r = row(&g, "work");
	ck_assert_msg(r->verdict == series[_i].verdict, "%s: was %s",
		      series[_i].name, growth_verdict_text(r->verdict));
	ck_assert_msg(fabs(r->change - series[_i].change) < 1,
		      "%s: change is %f", series[_i].name, r->change);
	ck_assert_uint_eq(g.first, 0);
	growth_free(&g);
}
END_TEST

START_TEST(test_restart)
{
	static const int64_t values[] = { 50000, 60000, 70000,
					  10000, 20000, 30000 };
	static const int64_t counters[] = { 100000, 200000, 300000,
					    20000,  120000, 220000 };
	struct growth g;
	struct err e = { "" };
	struct buf text = { 0 };
	growth_init(&g, &(struct growth_options){ 0 });
	for (int i = 0; i < 6; i++)
		feed(&g, &heap, i, 3, values[i], counters[i]);
	ck_assert_int_eq(growth_finish(&g, &e), 0);
	ck_assert_uint_eq(g.first, 3);
	ck_assert(g.steps[3].restarted);
	const struct growth_row *r = row(&g, "work");
	ck_assert_int_eq(r->verdict, GROWTH_STEADY);
	ck_assert(r->change == 20000);
	growth_write_text(&g, 0, &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "started anew"));
	buf_free(&text);
	growth_free(&g);

	/* A counter that began anew is not a negative rate. */
	growth_init(&g,
		    &(struct growth_options){ .sample_index = "alloc_space" });
	for (int i = 0; i < 6; i++)
		feed(&g, &heap, i, 1, counters[i], 0);
	ck_assert_int_eq(growth_finish(&g, &e), 0);
	ck_assert_uint_eq(g.n_steps, 5);
	r = row(&g, "work");
	for (size_t i = 0; i < 5; i++)
		ck_assert(r->values[i] == (i == 2 ? 2000 : 10000));
	growth_free(&g);
}
END_TEST

/* Times decide, not the order on the command line (heap_10 before heap_2). */
START_TEST(test_order)
{
	static const int order[] = { 0, 2, 1 };
	struct growth g;
	struct err e = { "" };
	growth_init(&g, &(struct growth_options){ 0 });
	for (int i = 0; i < 3; i++)
		feed(&g, &heap, order[i], 3, 1000 * (order[i] + 1),
		     1000 * (order[i] + 1));
	ck_assert_int_eq(growth_finish(&g, &e), 0);
	ck_assert(g.reordered);
	ck_assert_int_eq(row(&g, "work")->verdict, GROWTH_STEADY);
	growth_free(&g);
}
END_TEST

static void write_junk(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(test_skips)
{
	char path[96];
	struct growth g;
	struct err e = { "" };
	growth_init(&g, &(struct growth_options){ 0 });
	feed(&g, &heap, 0, 3, 1000, 1000);
	feed(&g, &mutex, 1, 1, 1000, 1000);
	snprintf(path, sizeof(path), "%s/junk.pb.gz", folder);
	write_junk(path, "this is no profile");
	ck_assert_int_eq(growth_add(&g, path, &e), 0);
	snprintf(path, sizeof(path), "%s/none.pb.gz", folder);
	ck_assert_int_eq(growth_add(&g, path, &e), 0);
	/* One profile of use is not enough, and that is said. */
	ck_assert_int_eq(growth_finish(&g, &e), ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.text, "1 profile is of use"));
	feed(&g, &heap, 2, 3, 2000, 2000);
	ck_assert_int_eq(growth_finish(&g, &e), 0);
	ck_assert_uint_eq(g.n_skips, 3);
	ck_assert_ptr_nonnull(strstr(g.skips[0].why, "contentions/count"));
	ck_assert_ptr_nonnull(strstr(g.skips[2].why, "No such file"));
	ck_assert_uint_eq(g.n_steps, 2);
	growth_free(&g);
}
END_TEST

START_TEST(test_unknown_type)
{
	char path[96];
	struct growth g;
	struct err e = { "" };
	struct profile *p = new_profile(&heap);
	snprintf(path, sizeof(path), "%s/heap.pb.gz", folder);
	save(p, path);
	growth_init(&g,
		    &(struct growth_options){ .sample_index = "inuse_space_" });
	ck_assert_int_eq(growth_add(&g, path, &e), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, "it has alloc_objects/count"));
	growth_free(&g);
}
END_TEST

/* ---- what is written ---- */

/* Three functions over four profiles: a leak, a level, and a shrinking one. */
static void build_three(struct growth *g)
{
	struct err e = { "" };
	growth_init(g, &(struct growth_options){ 0 });
	for (int i = 0; i < 4; i++) {
		char path[96];
		struct recipe r = heap;
		r.time_ns = (1767225600 + i * 60) * SECOND;
		struct profile *p = new_profile(&r);
		const int64_t n = i + 1;
		add(p, "create_leaky_structures",
		    (int64_t[]){ 900, n << 20, 100 * n, n * (3 << 19) });
		add(p, "cache_put<&>",
		    (int64_t[]){ 900, n << 20, 10000, 2 << 20 });
		add(p, "start_up",
		    (int64_t[]){ 900, n << 20, 5000, (5 - n) << 18 });
		snprintf(path, sizeof(path), "%s/%d.pb.gz", folder, i);
		save(p, path);
		ck_assert_msg(!growth_add(g, path, &e), "%s", e.text);
	}
	ck_assert_msg(!growth_finish(g, &e), "%s", e.text);
}

static const char golden[] =
	"inuse_space by function (flat), 4 profiles from 2026-01-01 00:00:00 "
	"UTC over 3m0s\n"
	"\n"
	"    change  verdict                    +0s     +1m0s     +2m0s     "
	"+3m0s  function\n"
	"   +3.75MB  grows steadily  =+*#    4.50MB    5.75MB       7MB    "
	"8.25MB  (total)\n"
	"   +4.50MB  grows steadily  :=+#    1.50MB       3MB    4.50MB       "
	"6MB  create_leaky_structures\n"
	"         0  flat            ####       2MB       2MB       2MB       "
	"2MB  cache_put<&>\n"
	"    -768kB  shrinks         #+=:       1MB     768kB     512kB     "
	"256kB  start_up\n";

START_TEST(test_text)
{
	struct growth g;
	struct buf text = { 0 };
	build_three(&g);
	growth_write_text(&g, 0, &text);
	const char *steps = strstr(buf_str(&text), "\nThe steps");
	ck_assert_ptr_nonnull(steps);
	ck_assert_ptr_nonnull(strstr(steps, "+1.25MB, of which +1.50MB by "
					    "create_leaky_structures"));
	const size_t n = (size_t)(steps - buf_str(&text));
	ck_assert_msg(n == strlen(golden) && !memcmp(buf_str(&text), golden, n),
		      "was\n%s", buf_str(&text));
	buf_clear(&text);
	growth_write_text(&g, 1, &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "(and 2 more: -n 0"));
	buf_free(&text);
	growth_free(&g);
}
END_TEST

START_TEST(test_json)
{
	struct growth g;
	struct buf text = { 0 };
	json_error_t error;
	build_three(&g);
	growth_write_json(&g, 0, &text);
	json_t *root = json_loads(buf_str(&text), 0, &error);
	ck_assert_msg(root != NULL, "%s", error.text);
	const char *first, *verdict, *cause;
	double added;
	ck_assert_int_eq(json_unpack(root, "{s:[{s:s, s:s}], s:[{s:s, s:f}]}",
				     "functions", "function", &first, "verdict",
				     &verdict, "worst_steps", "function",
				     &cause, "added", &added),
			 0);
	ck_assert_str_eq(first, "create_leaky_structures");
	ck_assert_str_eq(verdict, "steady");
	ck_assert_str_eq(cause, "create_leaky_structures");
	ck_assert(added == 1.25 * (1 << 20));
	json_decref(root);
	buf_free(&text);
	growth_free(&g);
}
END_TEST

/* Well-formed, names escaped, a point for each figure. */
START_TEST(test_chart)
{
	struct growth g;
	struct buf text = { 0 };
	build_three(&g);
	growth_write_html(&g, 0, &text);
	const char *svg = buf_str(&text);
	size_t circles = 0;
	for (const char *s = svg; (s = strstr(s, "<circle ")); s++)
		circles++;
	ck_assert_uint_eq(circles, 4 * 4);
	ck_assert_ptr_nonnull(strstr(svg, "cache_put&lt;&amp;&gt;"));
	ck_assert_ptr_null(strstr(svg, "put<&>"));
	ck_assert_ptr_null(strstr(svg, "nan"));
	buf_free(&text);
	growth_free(&g);
}
END_TEST

static const struct {
	const char *name;
	double values[5];
	size_t n;
	bool utf8;
	const char *text;
} sparks[] = {
	{ "rise", { 0, 1, 2, 7 }, 4, false, "_.:#" },
	{ "outside", { -5, 99 }, 2, false, "_#" },
	{ "a gap", { 0, NAN, 7 }, 3, false, "_ #" },
	{ "blocks", { 0, 7 }, 2, true, "\u2581\u2588" },
};

START_TEST(test_spark)
{
	struct buf b = { 0 };
	spark_append(&b, sparks[_i].values, sparks[_i].n, 0, 7,
		     sparks[_i].utf8);
	ck_assert_msg(!strcmp(buf_str(&b), sparks[_i].text), "%s: %s",
		      sparks[_i].name, buf_str(&b));
	buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("growth");
	TCase *tcase = tcase_create("growth");
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	testing_add_table(tcase, test_verdicts, series);
	tcase_add_test(tcase, test_restart);
	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_skips);
	tcase_add_test(tcase, test_unknown_type);
	tcase_add_test(tcase, test_text);
	tcase_add_test(tcase, test_json);
	tcase_add_test(tcase, test_chart);
	testing_add_table(tcase, test_spark, sparks);
	suite_add_tcase(suite, tcase);
	return testing_run(suite);
}
