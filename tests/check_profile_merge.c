/*
 * check_profile_merge.c - scale, merge, subtract: tables of small profiles and
 * what must come out, in words.  That google/pprof does the same is
 * profile-go.sh's to say.
 */
#include "tests/testing.h"

#include "base/err.h"
#include "profile/decode.h"
#include "tests/profile_fixture.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/*
 * A profile in the notation of the fixtures, behind a string table and the
 * sample types a/count and b/bytes: strings 1 a, 2 count, 3 b, 4 bytes,
 * 5 /bin/x, 6 id1, 7 f, 8 g, 9 k, 10 l.
 */
static struct profile *make(const char *notation)
{
	struct buf b = { 0 };
	struct profile *p = NULL;
	struct err e;
	fixture_wire(&b, "6'' 6'a' 6'count' 6'b' 6'bytes' 6'/bin/x' 6'id1' "
			 "6'f' 6'g' 6'k' 6'l' 1{1:1 2:2} 1{1:3 2:4}");
	fixture_wire(&b, notation);
	const int rc = profile_decode(b.data, b.len, NULL, &p, &e);
	ck_assert_msg(!rc, "%s: %s", notation, e.text);
	buf_free(&b);
	return p;
}

/* "a b: frame frame [label] | ..." and then the tables' sizes and headers. */
static void say_location(struct buf *out, const struct profile *p, uint32_t i)
{
	const struct profile_location *l = &p->locations[i];
	buf_printf(out, " %#" PRIx64, l->address);
	if (l->mapping != PROFILE_NONE)
		buf_printf(out, "@%" PRIu32, l->mapping);
	for (uint32_t k = 0; k < l->line_count; k++) {
		const struct profile_line *n = &p->lines[l->line_first + k];
		buf_printf(out, ",%s:%" PRId64,
			   profile_str(p, p->functions[n->function].name),
			   n->line);
	}
	if (l->is_folded)
		buf_append_str(out, "F");
}

static const char *say(struct buf *out, const struct profile *p)
{
	buf_clear(out);
	for (size_t i = 0; i < p->n_samples; i++) {
		const struct profile_span s = p->sample_locs[i];
		const struct profile_span t = p->sample_labels[i];
		buf_printf(out, "%s%" PRId64 " %" PRId64 ":", i ? " | " : "",
			   p->values[i * 2], p->values[i * 2 + 1]);
		for (uint32_t k = 0; k < s.count; k++)
			say_location(out, p, p->locs[s.first + k]);
		for (uint32_t k = 0; k < t.count; k++) {
			const struct profile_label *l = &p->labels[t.first + k];
			buf_printf(out, " [%s=%s", profile_str(p, l->key),
				   profile_str(p, l->str));
			if (!l->str)
				buf_printf(out, "%" PRId64 "%s", l->num,
					   profile_str(p, l->num_unit));
			buf_append_char(out, ']');
		}
	}
	for (size_t i = 0; i < p->n_mappings; i++)
		buf_printf(out, " M%#" PRIx64 "-%#" PRIx64,
			   p->mappings[i].start, p->mappings[i].limit);
	buf_printf(out, " L%zu F%zu", p->n_locations, p->n_functions);
	return buf_str(out);
}

/* ---- merge --------------------------------------------------------------- */

#define MAP(start, limit) "3{1:1 2:" start " 3:" limit " 5:5 6:6} "

static const struct {
	const char *name, *one, *two, *result;
} merges[] = {
	{ "nothing", "", "", " L0 F0" },
	{ "values add up", "2{2[1 2] 1:1} 4{1:1 3:16}",
	  "2{2[3 4] 1:9} 4{1:9 3:16}", "4 6: 0x10 L1 F0" },
	{ "different stacks stay", "2{2[1 2] 1[1 2]} 4{1:1 3:16} 4{1:2 3:17}",
	  "2{2[3 4] 1[2 1]} 4{1:1 3:16} 4{1:2 3:17}",
	  "1 2: 0x10 0x11 | 3 4: 0x11 0x10 L2 F0" },
	{ "order is that of first appearance",
	  "2{2[1 0] 1:2} 2{2[2 0] 1:1} 4{1:1 3:16} 4{1:2 3:17}",
	  "2{2[5 0] 1:3} 2{2[2 0] 1:1} 4{1:1 3:16} 4{1:3 3:18}",
	  "1 0: 0x11 | 4 0: 0x10 | 5 0: 0x12 L3 F0" },
	{ "zero samples vanish, with what only they use",
	  "2{2[0 0] 1:1} 4{1:1 3:16 4{1:1}} 5{1:1 2:7} 2{2[0 1] 1:2} 4{1:2}",
	  "", "0 1: 0 L1 F0" },
	{ "sums of zero vanish",
	  "2{2[5 -3] 1:1} 2{2[1 1] 1:2} 4{1:1 3:16 4{1:1}} 4{1:2 3:17} "
	  "5{1:1 2:7}",
	  "2{2[-5 3] 1:1} 4{1:1 3:16 4{1:1}} 5{1:1 2:7}", "1 1: 0x11 L1 F0" },
	{ "a mapping elsewhere is the same",
	  MAP("4096", "8192") "2{2[1 1] 1:1} 4{1:1 2:1 3:4100}",
	  MAP("12288", "16384") "2{2[1 1] 1:1} 4{1:1 2:1 3:12292}",
	  "2 2: 0x1004@0 M0x1000-0x2000 L1 F0" },
	{ "and of nearly the same size",
	  MAP("4096", "8192") "2{2[1 1] 1:1} 4{1:1 2:1 3:4100}",
	  MAP("12288", "15000") "2{2[1 1] 1:1} 4{1:1 2:1 3:12292}",
	  "2 2: 0x1004@0 M0x1000-0x2000 L1 F0" },
	{ "of another size it is not",
	  MAP("4096", "8192") "2{2[1 1] 1:1} 4{1:1 2:1 3:4100}",
	  MAP("12288", "16385") "2{2[1 1] 1:1} 4{1:1 2:1 3:12292}",
	  "1 1: 0x1004@0 | 1 1: 0x3004@1 M0x1000-0x2000 M0x3000-0x4001 L2 F0" },
	{ "nor with another offset",
	  MAP("4096", "8192") "2{2[1 1] 1:1} 4{1:1 2:1 3:4100}",
	  "3{1:1 2:4096 3:8192 4:1 6:6} 2{2[1 1] 1:1} 4{1:1 2:1 3:4100}",
	  "1 1: 0x1004@0 | 1 1: 0x1004@1 M0x1000-0x2000 M0x1000-0x2000 L2 F0" },
	{ "the build id counts, not the file",
	  "3{1:1 3:4096 5:5 6:6} 2{2[1 1] 1:1} 4{1:1 2:1}",
	  "3{1:1 3:4096 5:7 6:6} 2{2[1 1] 1:1} 4{1:1 2:1}",
	  "2 2: 0@0 M0-0x1000 L1 F0" },
	{ "without one, the file", "3{1:1 3:4096 5:5} 2{2[1 1] 1:1} 4{1:1 2:1}",
	  "3{1:1 3:4096 5:7} 2{2[1 1] 1:1} 4{1:1 2:1}",
	  "1 1: 0@0 | 1 1: 0@1 M0-0x1000 M0-0x1000 L2 F0" },
	{ "the first mapping stays first, used or not",
	  "3{1:3 3:4096 5:5} 3{1:4 3:8192 5:5} 2{2[1 1] 1:1} 4{1:1 2:4}", "",
	  "1 1: 0@1 M0-0x1000 M0-0x2000 L1 F0" },
	{ "lines make a location", "2{2[1 1] 1:1} 4{1:1 4{1:1 2:5}} 5{1:1 2:7}",
	  "2{2[1 1] 1:1} 4{1:1 4{1:1 2:6}} 5{1:1 2:7}",
	  "1 1: 0,f:5 | 1 1: 0,f:6 L2 F1" },
	{ "functions by their fields",
	  "2{2[1 1] 1:1} 4{1:1 4{1:1}} 5{1:1 2:7 5:1}",
	  "2{2[1 1] 1:1} 4{1:1 4{1:8}} 5{1:9 2:7 5:2} 5{1:8 2:7 5:1}",
	  "2 2: 0,f:0 L1 F1" },
	{ "folded is not plain", "2{2[1 1] 1:1} 4{1:1}",
	  "2{2[1 1] 1:1} 4{1:1 5:1}", "1 1: 0 | 1 1: 0F L2 F0" },
	{ "labels tell samples apart", "2{2[1 1] 3{1:9 2:7}}",
	  "2{2[1 1] 3{1:9 2:8}} 2{2[1 1]}",
	  "1 1: [k=f] | 1 1: [k=g] | 1 1: L0 F0" },
	{ "in whatever order of keys",
	  "2{2[1 1] 3{1:10 2:7} 3{1:9 3:4} 3{1:9 2:8}}",
	  "2{2[1 1] 3{1:9 2:8} 3{1:10 2:7} 3{1:9 3:4}}",
	  "2 2: [k=g] [l=f] [k=4] L0 F0" },
	{ "but not of values", "2{2[1 1] 3{1:9 2:7} 3{1:9 2:8}}",
	  "2{2[1 1] 3{1:9 2:8} 3{1:9 2:7}}",
	  "1 1: [k=f] [k=g] | 1 1: [k=g] [k=f] L0 F0" },
	{ "units count", "2{2[1 1] 3{1:9 3:4 4:4}}", "2{2[1 1] 3{1:9 3:4}}",
	  "1 1: [k=4bytes] | 1 1: [k=4] L0 F0" },
	{ "sums wrap", "2{2[9223372036854775807 0]}", "2{2[1 0]}",
	  "-9223372036854775808 0: L0 F0" },
};

START_TEST(merging)
{
	struct profile *one = make(merges[_i].one);
	struct profile *two = make(merges[_i].two);
	const struct profile *both[] = { one, two };
	struct profile *merged = NULL;
	struct buf text = { 0 };
	struct err e = { "" };
	ck_assert_msg(!profile_merge(both, 2, &merged, &e), "%s", e.text);
	say(&text, merged);
	ck_assert_msg(!strcmp(buf_str(&text), merges[_i].result),
		      "%s: %s instead of %s", merges[_i].name, buf_str(&text),
		      merges[_i].result);
	ck_assert_int_eq(profile_validate(merged, NULL), 0);
	/* Merged with nothing else it is what it was. */
	struct profile *again = NULL;
	char why[FIXTURE_TEXT];
	const struct profile *alone = merged;
	ck_assert_int_eq(profile_merge(&alone, 1, &again, NULL), 0);
	const char *differs = fixture_difference(merged, again, why);
	ck_assert_msg(!differs, "%s: %s", merges[_i].name, differs);
	profile_free(again);
	profile_free(merged);
	profile_free(one);
	profile_free(two);
	buf_free(&text);
}
END_TEST

static const struct {
	const char *name, *one, *two;
	int64_t time, duration, period;
	const char *comments, *default_type, *drop, *url;
} headers[] = {
	{ "sums and largest", "9:50 10:5 12:7", "9:40 10:6 12:9", 40, 11, 9, "",
	  "", "", "" },
	{ "the earliest first", "9:40 10:6 12:9", "9:50 10:5 12:7", 40, 11, 9,
	  "", "", "", "" },
	{ "no time is earlier", "9:50", "", 0, 0, 0, "", "", "", "" },
	{ "unless it is the first", "", "9:50", 50, 0, 0, "", "", "", "" },
	{ "comments once each", "13[5 6 5]", "13[6 7]", 0, 0, 0,
	  "/bin/x id1 f ", "", "", "" },
	{ "the first default", "", "14:3", 0, 0, 0, "", "b", "", "" },
	{ "not a second", "14:1 15:7", "14:3 15:8", 0, 0, 0, "", "a", "", "f" },
	{ "frames of the first", "7:7", "7:8", 0, 0, 0, "", "", "f", "" },
	{ "though it has none", "", "7:8", 0, 0, 0, "", "", "", "" },
};

START_TEST(merging_headers)
{
	struct profile *one = make(headers[_i].one);
	struct profile *two = make(headers[_i].two);
	const struct profile *both[] = { one, two };
	struct profile *p = NULL;
	struct buf comments = { 0 };
	ck_assert_int_eq(profile_merge(both, 2, &p, NULL), 0);
	for (size_t i = 0; i < p->n_comments; i++)
		buf_printf(&comments, "%s ", profile_str(p, p->comments[i]));
	ck_assert_int_eq(p->time_nanos, headers[_i].time);
	ck_assert_int_eq(p->duration_nanos, headers[_i].duration);
	ck_assert_int_eq(p->period, headers[_i].period);
	ck_assert_str_eq(buf_str(&comments), headers[_i].comments);
	ck_assert_str_eq(profile_str(p, p->default_sample_type),
			 headers[_i].default_type);
	ck_assert_str_eq(profile_str(p, p->drop_frames), headers[_i].drop);
	ck_assert_str_eq(profile_str(p, p->doc_url), headers[_i].url);
	profile_free(p);
	profile_free(one);
	profile_free(two);
	buf_free(&comments);
}
END_TEST

static const struct {
	const char *name, *other, *text;
} others[] = {
	{ "period type", "11{1:1 2:2}",
	  "incompatible period types / and a/count" },
	{ "a type more", "1{1:5 2:6}",
	  "incompatible sample types a/count b/bytes and a/count b/bytes "
	  "/bin/x/id1" },
};

START_TEST(incompatible)
{
	struct profile *one = make(""), *two = make(others[_i].other);
	const struct profile *both[] = { one, two };
	struct profile *merged = NULL;
	struct err e = { "" };
	ck_assert_int_eq(profile_merge(both, 2, &merged, &e), ERR_INVALID);
	ck_assert_str_eq(e.text, others[_i].text);
	ck_assert_int_eq(profile_subtract(one, two, &merged, &e), ERR_INVALID);
	ck_assert_int_eq(profile_compatible(one, two, NULL), ERR_INVALID);
	ck_assert_int_eq(profile_normalize(one, two, &e), ERR_INVALID);
	ck_assert_int_eq(profile_compatible(one, one, NULL), 0);
	ck_assert_int_eq(profile_merge(both, 0, &merged, &e), ERR_INVALID);
	ck_assert_str_eq(e.text, "no profiles to merge");
	ck_assert_ptr_null(merged);
	profile_free(one);
	profile_free(two);
}
END_TEST

/* ---- subtract ------------------------------------------------------------ */

static const struct {
	const char *name, *after, *before, *result;
} deltas[] = {
	{ "what was there is gone", "2{2[5 50] 1:1} 4{1:1 3:16}",
	  "2{2[5 50] 1:1} 4{1:1 3:16}", " L0 F0" },
	{ "what grew stays", "2{2[7 70] 1:1} 4{1:1 3:16}",
	  "2{2[5 50] 1:1} 4{1:1 3:16}", "2 20: 0x10 L1 F0" },
	{ "what is new stays", "2{2[7 70] 1:1} 4{1:1 3:16}", "",
	  "7 70: 0x10 L1 F0" },
	{ "what went is negative", "", "2{2[5 50] 1:1} 4{1:1 3:16}",
	  "-5 -50: 0x10 L1 F0" },
	{ "exact beyond 2^53", "2{2[9007199254740995 0]}",
	  "2{2[9007199254740993 0]}", "2 0: L0 F0" },
	{ "and at the end of the numbers", "", "2{2[-9223372036854775808 0]}",
	  "-9223372036854775808 0: L0 F0" },
};

START_TEST(subtracting)
{
	struct profile *after = make(deltas[_i].after);
	struct profile *before = make(deltas[_i].before);
	struct profile *delta = NULL;
	struct buf text = { 0 };
	after->time_nanos = 1000;
	before->time_nanos = 400;
	after->duration_nanos = 77;
	ck_assert_int_eq(profile_subtract(after, before, &delta, NULL), 0);
	say(&text, delta);
	ck_assert_msg(!strcmp(buf_str(&text), deltas[_i].result),
		      "%s: %s instead of %s", deltas[_i].name, buf_str(&text),
		      deltas[_i].result);
	ck_assert_int_eq(delta->time_nanos, 1000);
	ck_assert_int_eq(delta->duration_nanos, 600);
	/* The same by negating a copy and merging. */
	struct profile *minus = profile_copy(before), *sum = NULL;
	profile_negate(minus);
	const struct profile *both[] = { minus, after };
	ck_assert_int_eq(profile_merge(both, 2, &sum, NULL), 0);
	ck_assert_str_eq(say(&text, sum), deltas[_i].result);
	profile_free(sum);
	profile_free(minus);
	profile_free(delta);
	profile_free(after);
	profile_free(before);
	buf_free(&text);
}
END_TEST

/* ---- scale --------------------------------------------------------------- */

static const struct {
	const char *name, *profile;
	double ratios[2];
	const char *result;
} scales[] = {
	{ "half away from zero",
	  "2{2[1 -1]} 2{2[3 -3]}",
	  { 0.5, 0.5 },
	  "1 -1: | 2 -2: L0 F0" },
	{ "ones change nothing",
	  "2{2[0 0]} 2{2[1 2]}",
	  { 1, 1 },
	  "0 0: | 1 2: L0 F0" },
	{ "what becomes zero goes",
	  "2{2[1 1]} 2{2[9 9]}",
	  { 0.1, 0.1 },
	  "1 1: L0 F0" },
	{ "a ratio of 1 keeps no sample",
	  "2{2[0 5]} 2{2[1 5]}",
	  { 2, 1 },
	  "2 5: L0 F0" },
	{ "minus one", "2{2[1 -2]}", { -1, -1 }, "-1 2: L0 F0" },
	{ "too large for an int64",
	  "2{2[9223372036854775807 1]}",
	  { 4, 4 },
	  "-9223372036854775808 4: L0 F0" },
	{ "not a number",
	  "2{2[1 1]}",
	  { NAN, 3 },
	  "-9223372036854775808 3: L0 F0" },
};

START_TEST(scaling)
{
	struct profile *p = make(scales[_i].profile);
	struct buf text = { 0 };
	profile_scale(p, scales[_i].ratios);
	say(&text, p);
	ck_assert_msg(!strcmp(buf_str(&text), scales[_i].result),
		      "%s: %s instead of %s", scales[_i].name, buf_str(&text),
		      scales[_i].result);
	ck_assert_int_eq(profile_validate(p, NULL), 0);
	profile_free(p);
	buf_free(&text);
}
END_TEST

START_TEST(normalizing)
{
	struct profile *p = make("2{2[10 0]} 2{2[30 0] 3{1:9 2:7}}");
	struct profile *base = make("2{2[5 7]} 2{2[15 8]}");
	struct buf text = { 0 };
	int64_t sums[2];
	ck_assert_int_eq(profile_normalize(p, base, NULL), 0);
	ck_assert_str_eq(say(&text, p), "5 0: | 15 0: [k=f] L0 F0");
	profile_sums(base, sums);
	ck_assert_int_eq(sums[0], 20);
	ck_assert_int_eq(sums[1], 15);
	profile_free(p);
	profile_free(base);
	buf_free(&text);
}
END_TEST

/* ---- what must hold of any profiles ---------------------------------------
 */

enum { SEEDS = 60 };

START_TEST(laws)
{
	char why[FIXTURE_TEXT];
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct profile *p = fixture_random(seed);
		struct profile *zero = NULL, *once = NULL, *twice = NULL;
		/* p - p is empty; p + p is p twice. */
		ck_assert_int_eq(profile_subtract(p, p, &zero, NULL), 0);
		ck_assert_uint_eq(zero->n_samples, 0);
		ck_assert_uint_eq(zero->n_locations, 0);
		const struct profile *ps[] = { p, p };
		ck_assert_int_eq(profile_merge(ps, 1, &once, NULL), 0);
		ck_assert_int_eq(profile_merge(ps, 2, &twice, NULL), 0);
		ck_assert_int_eq(profile_validate(once, NULL), 0);
		for (size_t i = 0; i < once->n_samples; i++)
			for (size_t t = 0; t < once->n_sample_types; t++) {
				int64_t *v =
					&once->values[i * once->n_sample_types +
						      t];
				*v = (int64_t)((uint64_t)*v * 2);
			}
		/* Doubling may wrap a value to 0: then a sample is missing. */
		if (twice->n_samples == once->n_samples) {
			once->duration_nanos = twice->duration_nanos;
			const char *d = fixture_difference(once, twice, why);
			ck_assert_msg(!d, "seed %" PRIu64 ": %s", seed, d);
		}
		profile_free(zero);
		profile_free(once);
		profile_free(twice);
		profile_free(p);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile_merge");
	TCase *tcase = tcase_create("tables");
	testing_add_table(tcase, merging, merges);
	testing_add_table(tcase, merging_headers, headers);
	testing_add_table(tcase, incompatible, others);
	testing_add_table(tcase, subtracting, deltas);
	testing_add_table(tcase, scaling, scales);
	tcase_add_test(tcase, normalizing);
	tcase_add_test(tcase, laws);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return testing_run(suite);
}
