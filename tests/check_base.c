/*
 * check_base.c - src/base: parsing, durations, buffers, maps, draws,
 * embedded files.
 */
#include "base/attr.h"
#include "base/buf.h"
#include "base/embed.h"
#include "base/err.h"
#include "base/map.h"
#include "base/parse.h"
#include "base/rng.h"
#include "tests/testing.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static const struct {
	const char *in;
	int64_t ns; /* -1 = refused */
	const char *out;
} durations[] = {
	{ "0", 0, "0s" },
	{ "1ns", 1, "1ns" },
	{ "1500ns", 1500, "1.5µs" },
	{ "4.85us", 4850, "4.85µs" },
	{ "300ms", 300000000, "300ms" },
	{ "1.5h", 5400 * SECOND, "1h30m0s" },
	{ "2h45m", 9900 * SECOND, "2h45m0s" },
	{ "1m2.3s", 62300000000, "1m2.3s" },
	{ "5m", 300 * SECOND, "5m0s" },
	{ "", -1, NULL },
	{ "5", -1, NULL },
	{ "s", -1, NULL },
	{ "1.2.3s", -1, NULL },
	{ "-1s", -1, NULL },
	{ "1s x", -1, NULL },
	{ "9999999h", -1, NULL },
};

START_TEST(duration_table)
{
	struct err e = { "" };
	int64_t ns = -1;
	const int rc = parse_duration(durations[_i].in, "ttl", 0,
				      100000 * 3600 * SECOND, &ns, &e);
	ck_assert_msg((rc == 0) == (durations[_i].ns >= 0), "\"%s\": %d %s",
		      durations[_i].in, rc, e.text);
	if (rc) {
		ck_assert_ptr_nonnull(strstr(e.text, "ttl is \""));
		return;
	}
	char text[PARSE_DURATION_TEXT];
	ck_assert_int_eq(ns, durations[_i].ns);
	ck_assert_str_eq(format_duration(ns, text), durations[_i].out);
}
END_TEST

START_TEST(int_refusals)
{
	static const char *const bad[] = { "",	 "x",  "1x",
					   " 1", "+1", "-1",
					   "0",	 "11", "99999999999999999999" };
	struct err e;
	int64_t v = 7;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(parse_int(bad[i], "size", 1, 10, &v, &e),
				 ERR_INVALID);
		ck_assert_int_eq(v, 7);
		ck_assert_ptr_nonnull(strstr(e.text, "from 1 to 10"));
	}
	ck_assert_int_eq(parse_int("10", "size", 1, 10, &v, NULL), 0);
	ck_assert_int_eq(v, 10);
}
END_TEST

START_TEST(percentages)
{
	static const struct {
		const char *in;
		double want; /* -1: refused */
	} rows[] = {
		{ "1%", 0.01 },	  { "0.5%", 0.005 }, { "0", 0 },
		{ "0%", 0 },	  { "100%", 1 },     { ".5%", 0.005 },
		{ "", -1 },	  { "1", -1 },	     { "0.01", -1 },
		{ "100.1%", -1 }, { "-1%", -1 },     { "%", -1 },
		{ "1%%", -1 },	  { " 1%", -1 },     { "1 %", -1 },
		{ "nan%", -1 },	  { "1e1%", -1 },    { "0x1%", -1 },
		{ "1.2.3%", -1 }, { ".%", -1 },	     { "inf%", -1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = { "" };
		double got = -1;
		const int rc = parse_percent(rows[i].in, "share", &got, &e);
		ck_assert_msg(rc == (rows[i].want < 0 ? ERR_INVALID : 0) &&
				      got == rows[i].want,
			      "%s: %d %g %s", rows[i].in, rc, got, e.text);
		ck_assert_msg(!rc || strstr(e.text, "from 0% to 100%"), "%s",
			      e.text);
	}
}
END_TEST

START_TEST(buf_cap_is_kept)
{
	struct buf b = { .cap = 8 };
	ck_assert_int_eq(buf_append_str(&b, "1234567"), 0);
	ck_assert_int_eq(buf_append_str(&b, "8"), ERR_LIMIT);
	ck_assert_int_eq(buf_append_str(&b, ""), ERR_LIMIT);
	ck_assert_str_eq(buf_str(&b), "1234567");
	buf_clear(&b);
	ck_assert_int_eq(buf_printf(&b, "%d", 42), 0);
	ck_assert_str_eq(buf_str(&b), "42");
	buf_free(&b);
}
END_TEST

START_TEST(map_holds_what_was_put)
{
	struct map m = { 0 };
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_int_eq(map_put(&m, (uint64_t)i << 32, i), 0);
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(map_get(&m, (uint64_t)i << 32), i);
	ck_assert_uint_eq(map_get(&m, 1), MAP_NONE);
	ck_assert_uint_eq(m.count, 10000);
	map_free(&m);
}
END_TEST

/* A fixed seed, so no false alarm; 6 sigma, so that a bias is seen. */
START_TEST(draws_have_their_distribution)
{
	enum { N = 1000000 };
	struct rng r;
	rng_seed(&r, 42);
	double sum = 0, squares = 0;
	for (int i = 0; i < N; i++) {
		const double x = rng_exponential(&r, 10);
		ck_assert_msg(x > 0 && isfinite(x), "%g", x);
		sum += x;
		squares += x * x;
	}
	ck_assert_msg(fabs(sum / N - 10) < 6 * 10 / sqrt(N), "%g", sum / N);
	ck_assert_msg(fabs(squares / N - 200) < 6 * 448 / sqrt(N), "%g",
		      squares / N);
	int64_t seen[7] = { 0 };
	for (int i = 0; i < N; i++)
		seen[rng_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		ck_assert_msg(llabs(seen[i] - N / 7) < 6 * sqrt(N / 7.0),
			      "%d: %" PRId64, i, seen[i]);
}
END_TEST

EMBED(own_source, "tests/lib.sh");

START_TEST(embedded_is_the_file)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	snprintf(path, sizeof(path), "%s/tests/lib.sh", top ? top : ".");
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	static char text[1 << 20];
	const size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	ck_assert_uint_gt(n, 1000);
	ck_assert_uint_eq(EMBED_SIZE(own_source), n);
	ck_assert_int_eq(memcmp(embed_own_source, text, n), 0);
	ck_assert_int_eq(embed_own_source[n], 0);
	ck_assert_uint_eq((uintptr_t)embed_own_source % 16, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("all");
	suite_add_tcase(s, t);
	testing_add_table(t, duration_table, durations);
	tcase_add_test(t, int_refusals);
	tcase_add_test(t, percentages);
	tcase_add_test(t, buf_cap_is_kept);
	tcase_add_test(t, map_holds_what_was_put);
	tcase_add_test(t, draws_have_their_distribution);
	tcase_add_test(t, embedded_is_the_file);
	return testing_run(s);
}
