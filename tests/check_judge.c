/*
 * check_judge.c - the checker: what a findings file may say, what a verdict
 * rests on, and that neither noise nor an empty profile makes a PASS.
 */
#include "base/attr.h"
#include "base/err.h"
#include "profile/profile.h"
#include "tests/testing.h"
#include "tools/evidence.h"
#include "tools/findings.h"
#include "tools/interval.h"
#include "tools/judge.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- findings files -------------------------------------------------------
 */

#define GOOD                                                                   \
	"finding: hot\ntitle: t\nprofile: cpu\nmeasure: share cum work\n"      \
	"expect: >= 60%\npass: yes\nfail: no\n"

static const struct {
	const char *name, *text;
	const char *error; /* NULL = accepted */
} files[] = {
	{ "a finding", GOOD, NULL },
	{ "comment and blank lines", "# c\n\n" GOOD "\n\n# d\n", NULL },
	{ "continued value",
	  "finding: hot\ntitle: one\n two\nprofile: cpu\n"
	  "measure: share cum work\nexpect: >= 60%\npass: y\nfail: n\n",
	  NULL },
	{ "a question",
	  "question: q\ntitle: t\nprofile: cpu\nanswer: first flat\n", NULL },
	{ "nothing", "# only a comment\n", "holds no finding" },
	{ "unknown stanza", "found: x\n",
	  ":1: first key \"found\": a stanza begins with finding, invariant, "
	  "question or minimum" },
	{ "unknown key", GOOD "colour: red\n", ":8: key \"colour\"" },
	{ "no colon", "finding hot\n", "must be KEY: VALUE" },
	{ "twice", GOOD "\n" GOOD, "is in the file already" },
	{ "key twice", "finding: a\nfinding: b\n", "stands here twice" },
	{ "unknown profile",
	  "finding: a\ntitle: t\nprofile: gpu\nmeasure: share cum x\n"
	  "expect: >= 1%\npass: y\nfail: n\n",
	  "must be cpu, heap, allocs" },
	{ "unknown measure",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: speed cum x\n"
	  "expect: >= 1%\npass: y\nfail: n\n",
	  "must be share|amount|rate|growth" },
	{ "an invariant",
	  "invariant: a\ntitle: t\nprofile: heap.after\nbase: heap\n"
	  "measure: growth cum x\nexpect: >= 1MB\npass: y\nfail: n\n",
	  NULL },
	{ "a dot and no name",
	  "finding: a\ntitle: t\nprofile: heap.\nmeasure: share cum x\n"
	  "expect: >= 1%\npass: y\nfail: n\n",
	  "with or without .NAME" },
	{ "a field",
	  "finding: a\ntitle: t\nprofile: stats\nmeasure: rise .threads\n"
	  "expect: >= 9\npass: y\nfail: n\n",
	  NULL },
	{ "a field of a profile",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: rise .threads\n"
	  "expect: >= 9\npass: y\nfail: n\n",
	  "stats and a .FIELD go together" },
	{ "functions of stats",
	  "finding: a\ntitle: t\nprofile: stats\nmeasure: growth cum x\n"
	  "expect: >= 9\npass: y\nfail: n\n",
	  "stats and a .FIELD go together" },
	{ "rank of a label",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: rank label a=b\n"
	  "expect: = 1\npass: y\nfail: n\n",
	  "rank cum|flat RE" },
	{ "too many words",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: share cum x y\n"
	  "expect: >= 1%\npass: y\nfail: n\n",
	  "must be share" },
	{ "over a count, of nothing",
	  "finding: a\ntitle: t\nprofile: heap\n"
	  "measure: ratio cum x / .data_size x 0B\n"
	  "expect: = 1x\npass: y\nfail: n\n",
	  "ratio cum|flat RE / .FIELD x N" },
	{ "a trend is no number",
	  "finding: a\ntitle: t\nprofile: heap\nmeasure: trend cum x\n"
	  "expect: >= 1\npass: y\nfail: n\n",
	  "steady, flat or sawtooth" },
	{ "chosen, and why",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: share cum x\n"
	  "chosen: it varies\nexpect: >= 1%\npass: y\nfail: n\n",
	  NULL },
	{ "unknown unit",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: share cum x\n"
	  "expect: >= 1 furlong\npass: y\nfail: n\n",
	  "with one of the units" },
	{ "no number",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: share cum x\n"
	  "expect: >= %\npass: y\nfail: n\n",
	  "with one of the units" },
	{ "no fail text",
	  "finding: a\ntitle: t\nprofile: cpu\nmeasure: share cum x\n"
	  "expect: >= 1%\npass: y\n",
	  "needs title, profile, measure, expect, pass and fail" },
	{ "bad minimum", "minimum: cpu\nsamples: many\n",
	  "must be a whole number" },
};

static int read_text(const char *text, struct findings **ret, struct err *e)
{
	char path[] = "/tmp/check_judge.XXXXXX";
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	const int rc = findings_read(path, ret, e);
	unlink(path);
	return rc;
}

START_TEST(findings_files)
{
	struct findings *f = NULL;
	struct err e = { "" };
	const int rc = read_text(files[_i].text, &f, &e);
	ck_assert_msg(rc == (files[_i].error ? ERR_FORMAT : 0), "%s: %d %s",
		      files[_i].name, rc, e.text);
	if (files[_i].error)
		ck_assert_msg(strstr(e.text, files[_i].error) != NULL,
			      "%s: \"%s\" lacks \"%s\"", files[_i].name, e.text,
			      files[_i].error);
	findings_free(f);
}
END_TEST

/* ---- intervals -------------------------------------------------------------
 */

static const struct {
	double k, n, low, high; /* after Wilson, to four places */
} wilson[] = {
	{ 0, 10, 0.0000, 0.2775 },     { 5, 10, 0.2366, 0.7634 },
	{ 10, 10, 0.7225, 1.0000 },    { 81, 263, 0.2553, 0.3662 },
	{ 950, 1000, 0.9347, 0.9619 }, { 0, 0, 0, 1 },
};

START_TEST(wilson_table)
{
	const struct interval i = interval_share(wilson[_i].k, wilson[_i].n);
	ck_assert_double_eq_tol(i.low, wilson[_i].low, 5e-5);
	ck_assert_double_eq_tol(i.high, wilson[_i].high, 5e-5);
}
END_TEST

static const struct {
	const char *name;
	double v[6];
	double error;
	enum trend trend;
} trends[] = {
	{ "constant", { 100, 100, 100, 100, 100, 100 }, 1, TREND_FLAT },
	{ "noise", { 100, 104, 97, 101, 99, 103 }, 3, TREND_FLAT },
	{ "nothing", { 0, 0, 0, 0, 0, 0 }, 0, TREND_FLAT },
	{ "line", { 0, 20, 40, 60, 80, 100 }, 1, TREND_STEADY },
	{ "noisy line", { 0, 25, 38, 66, 79, 101 }, 4, TREND_STEADY },
	{ "saw", { 0, 50, 100, 2, 52, 98 }, 1, TREND_SAWTOOTH },
	{ "falls", { 100, 80, 60, 40, 20, 1 }, 1, TREND_SAWTOOTH },
	{ "back", { 10, 50, 90, 90, 50, 10 }, 1, TREND_SAWTOOTH },
};

START_TEST(trend_table)
{
	double errors[6];
	for (int i = 0; i < 6; i++)
		errors[i] = trends[_i].error;
	ck_assert_msg(interval_trend(trends[_i].v, errors, 6) ==
			      trends[_i].trend,
		      "%s", trends[_i].name);
}
END_TEST

/* ---- verdicts --------------------------------------------------------------
 */

/* A CPU profile in which work, called by handler, has k of n samples. */
static struct profile *cpu_profile(int64_t k, int64_t n, const char *route)
{
	struct profile *p = profile_new();
	profile_add_sample_type(p, "samples", "count");
	profile_add_sample_type(p, "cpu", "nanoseconds");
	p->period_type =
		(struct profile_value_type){ profile_intern(p, "cpu"),
					     profile_intern(p, "nanoseconds") };
	p->period = 10000000;
	p->duration_nanos = 10000000000;
	profile_add_mapping(p, &(struct profile_mapping){
				       .start = 0x1000,
				       .limit = 0x9000,
				       .build_id = profile_intern(p, "abcd"),
			       });
	static const char *const names[] = { "work", "idle", "handler" };
	uint32_t locs[3];
	for (int i = 0; i < 3; i++) {
		const struct profile_function f = { .name = profile_intern(
							    p, names[i]) };
		const struct profile_line line = {
			.function = profile_add_function(p, &f),
			.line = 101 + 100 * i,
		};
		locs[i] = profile_add_location(p, 0, 0x2000 + (uint64_t)i,
					       &line, 1);
	}
	const struct profile_label label = {
		.key = profile_intern(p, "route"),
		.str = profile_intern(p, route),
	};
	const struct {
		uint32_t leaf;
		int64_t count;
	} rows[] = { { locs[0], k }, { locs[1], n - k } };
	for (int i = 0; i < 2; i++) {
		if (!rows[i].count)
			continue;
		const uint32_t stack[] = { rows[i].leaf, locs[2] };
		const int64_t values[] = { rows[i].count,
					   rows[i].count * p->period };
		profile_add_sample(p, stack, 2, values, &label, 1);
	}
	ck_assert_int_eq(profile_validate(p, NULL), 0);
	return p;
}

static void hold(struct evidence *v, const char *kind, struct profile *p)
{
	v->exhibits[v->n++] = (struct exhibit){ .kind = strdup(kind),
						.path = strdup("test"),
						.profile = p };
}

static const struct {
	const char *name;
	int64_t k, n;
	const char *measure, *expect, *labels;
	enum verdict verdict;
} verdicts[] = {
	{ "clearly above", 900, 1000, "share cum work", ">= 60%", NULL,
	  VERDICT_PASS },
	{ "clearly below", 300, 1000, "share cum work", ">= 60%", NULL,
	  VERDICT_FAIL },
	{ "on the threshold", 600, 1000, "share cum work", ">= 60%", NULL,
	  VERDICT_INCONCLUSIVE },
	{ "few samples", 3, 4, "share cum work", ">= 60%", NULL,
	  VERDICT_INCONCLUSIVE },
	{ "an empty profile", 0, 0, "share cum work", ">= 60%", NULL,
	  VERDICT_INCONCLUSIVE },
	{ "an empty profile is not below", 0, 0, "share cum work", "<= 60%",
	  NULL, VERDICT_INCONCLUSIVE },
	{ "flat is not cum", 900, 1000, "share flat handler", ">= 60%", NULL,
	  VERDICT_FAIL },
	{ "cum counts callers", 900, 1000, "share cum handler", ">= 60%", NULL,
	  VERDICT_PASS },
	{ "a part of a name", 900, 1000, "share cum wor", ">= 60%", NULL,
	  VERDICT_FAIL },
	{ "alternatives", 900, 1000, "share flat work|idle", ">= 99%", NULL,
	  VERDICT_PASS },
	{ "the label", 900, 1000, "share cum work", ">= 60%", "route=/cpu",
	  VERDICT_PASS },
	{ "another label", 900, 1000, "share cum work", ">= 60%", "route=/x",
	  VERDICT_INCONCLUSIVE },
	{ "first", 900, 1000, "rank flat work", "= 1", NULL, VERDICT_PASS },
	{ "not first", 100, 1000, "rank flat work", "= 1", NULL, VERDICT_FAIL },
	{ "too close", 505, 1000, "rank flat work", "= 1", NULL,
	  VERDICT_INCONCLUSIVE },
	{ "ratio", 900, 1000, "ratio flat work / idle", ">= 5x", NULL,
	  VERDICT_PASS },
	{ "no ratio", 1000, 1000, "ratio flat work / idle", ">= 5x", NULL,
	  VERDICT_INCONCLUSIVE },
	{ "amount", 900, 1000, "amount flat work", ">= 5s", NULL,
	  VERDICT_PASS },
	{ "total", 900, 1000, "total", "<= 2s", NULL, VERDICT_FAIL },
	{ "half a core", 900, 1000, "rate flat work", ">= 500ms", NULL,
	  VERDICT_PASS },
	{ "not two cores", 900, 1000, "rate flat work", ">= 2s", NULL,
	  VERDICT_FAIL },
	{ "in all", 900, 1000, "rate all", ">= 900ms", NULL, VERDICT_PASS },
	{ "a label's share", 900, 1000, "share label route=/cpu", ">= 90%",
	  NULL, VERDICT_PASS },
	{ "a label with blanks", 900, 1000, "share label route=/cpu and more",
	  ">= 10%", NULL, VERDICT_FAIL },
	{ "two labels", 900, 1000, "share cum work", ">= 60%",
	  "route=/cpu, route=/x", VERDICT_INCONCLUSIVE },
};

START_TEST(verdict_table)
{
	char text[500];
	snprintf(text, sizeof(text),
		 "finding: f\ntitle: t\nprofile: cpu\nmeasure: %s\n"
		 "expect: %s\npass: p\nfail: f\n%s%s\n",
		 verdicts[_i].measure, verdicts[_i].expect,
		 verdicts[_i].labels ? "labels: " : "",
		 verdicts[_i].labels ? verdicts[_i].labels : "");
	struct findings *f;
	struct err e = { "" };
	ck_assert_msg(!read_text(text, &f, &e), "%s", e.text);
	struct evidence v = { .n = 0 };
	hold(&v, "cpu", cpu_profile(verdicts[_i].k, verdicts[_i].n, "/cpu"));
	struct judgement j;
	ck_assert_msg(!judge_finding(&f->findings[0], &v, &j, &e), "%s: %s",
		      verdicts[_i].name, e.text);
	ck_assert_msg(j.verdict == verdicts[_i].verdict, "%s: %s, found %s",
		      verdicts[_i].name, verdict_name(j.verdict),
		      buf_str(&j.found));
	judgement_free(&j);
	evidence_free(&v);
	findings_free(f);
}
END_TEST

/* ---- series ---------------------------------------------------------------
 */

/* A heap in which keep holds n blocks of 10 KiB, as sampled at 512 KiB. */
static struct profile *heap_profile(int64_t n)
{
	struct profile *p = profile_new();
	profile_add_sample_type(p, "inuse_objects", "count");
	profile_add_sample_type(p, "inuse_space", "bytes");
	p->period = 512 << 10;
	const struct profile_function f = { .name = profile_intern(p, "keep") };
	const struct profile_line line = { .function = profile_add_function(
						   p, &f) };
	const uint32_t loc =
		profile_add_location(p, PROFILE_NONE, 0x1000, &line, 1);
	const int64_t values[] = { n, n * 10240 };
	if (n)
		profile_add_sample(p, &loc, 1, values, NULL, 0);
	return p;
}

static struct profile *threads_profile(int64_t n)
{
	struct profile *p = profile_new();
	profile_add_sample_type(p, "threads", "count");
	p->period = 1;
	const struct profile_function f = { .name = profile_intern(p, "wait") };
	const struct profile_line line = { .function = profile_add_function(
						   p, &f) };
	const uint32_t loc =
		profile_add_location(p, PROFILE_NONE, 0x1000, &line, 1);
	if (n)
		profile_add_sample(p, &loc, 1, &n, NULL, 0);
	return p;
}

static void hold_stats(struct evidence *v, const char *kind, int64_t n)
{
	v->exhibits[v->n++] = (struct exhibit){
		.kind = strdup(kind),
		.path = strdup("test"),
		.stats = json_pack("{s:I, s:{s:f}}", "n", (json_int_t)n, "deep",
				   "er", (double)n / 2),
	};
}

/* heap: 1000 blocks, then 9000; heap.cleared 0; threads 5, then 8; stats 10,
 * 300, 12, and the count that explains the 9000. */
static void hold_all(struct evidence *v)
{
	hold(v, "heap", heap_profile(1000));
	hold(v, "heap", heap_profile(9000));
	hold(v, "heap.cleared", heap_profile(0));
	hold(v, "threads", threads_profile(5));
	hold(v, "threads", threads_profile(8));
	hold_stats(v, "stats.time", 10);
	hold_stats(v, "stats.time", 300);
	hold_stats(v, "stats.time", 12);
	hold_stats(v, "stats", 9000);
}

static const struct {
	const char *name, *profile, *measure, *expect;
	enum verdict verdict;
	const char *found;
} series_table[] = {
	{ "growth", "heap", "growth cum keep", ">= 50MB", VERDICT_PASS,
	  "9.8 MB -> 87.9 MB: +78.1 MB" },
	{ "not so much", "heap", "growth cum keep", ">= 200MB", VERDICT_FAIL,
	  "+78.1 MB" },
	{ "in doubt", "heap", "growth cum keep", ">= 82MB",
	  VERDICT_INCONCLUSIVE, "" },
	{ "since a base", "heap.cleared\nbase: heap", "growth cum keep",
	  "<= -50MB", VERDICT_PASS, "87.9 MB -> 0 B: -87.9 MB" },
	{ "threads are counted", "threads", "growth cum wait", ">= 3",
	  VERDICT_PASS, "5 -> 8: +3" },
	{ "one more is not there", "threads", "growth cum wait", ">= 4",
	  VERDICT_FAIL, "+3" },
	{ "an amount of threads", "threads", "amount cum wait", ">= 8",
	  VERDICT_PASS, "8" },
	{ "a field's rise", "stats.time", "rise .n", ">= 290", VERDICT_PASS,
	  "10 -> 300 -> 12: +290" },
	{ "a field's growth", "stats.time", "growth .n", "<= 2", VERDICT_PASS,
	  "+2" },
	{ "a field's trend", "stats.time", "trend .n", "sawtooth", VERDICT_PASS,
	  "rises and falls" },
	{ "a field below", "stats", "amount .deep.er", ">= 4500", VERDICT_PASS,
	  "4500" },
	{ "what the count explains", "heap", "ratio cum keep / .n x 10240B",
	  "= 1x", VERDICT_PASS, "87.9 MB, where the count explains 87.9 MB" },
	{ "half of it", "heap", "ratio cum keep / .n x 20KiB", "= 1x",
	  VERDICT_FAIL, "ratio 0.50" },
	{ "a third more", "heap", "ratio cum keep / .n x 6.4KiB", "= 1x",
	  VERDICT_FAIL, "ratio 1.56" },
};

START_TEST(series_verdicts)
{
	char text[500];
	snprintf(text, sizeof(text),
		 "finding: f\ntitle: t\nprofile: %s\nmeasure: %s\n"
		 "expect: %s\npass: p\nfail: f\n",
		 series_table[_i].profile, series_table[_i].measure,
		 series_table[_i].expect);
	struct findings *f;
	struct err e = { "" };
	ck_assert_msg(!read_text(text, &f, &e), "%s: %s", series_table[_i].name,
		      e.text);
	struct evidence v = { .n = 0 };
	hold_all(&v);
	struct judgement j;
	ck_assert_msg(!judge_finding(&f->findings[0], &v, &j, &e), "%s: %s",
		      series_table[_i].name, e.text);
	ck_assert_msg(j.verdict == series_table[_i].verdict &&
			      strstr(buf_str(&j.found), series_table[_i].found),
		      "%s: %s, found %s", series_table[_i].name,
		      verdict_name(j.verdict), buf_str(&j.found));
	judgement_free(&j);
	evidence_free(&v);
	findings_free(f);
}
END_TEST

/*
 * One event of a small block stands for many calls.  64 of them, of 64 bytes,
 * against 1000 of 10 KiB: 91 % of all calls, give or take what 64 events leave
 * open, whatever the thousand say.
 */
START_TEST(weights_widen_the_interval)
{
	struct findings *f;
	ck_assert_int_eq(
		read_text("finding: f\ntitle: t\nprofile: heap\n"
			  "value: inuse_objects\nmeasure: share cum small\n"
			  "expect: >= 86%\npass: p\nfail: f\n",
			  &f, NULL),
		0);
	struct profile *p = heap_profile(51700);
	const struct profile_function small = { .name = profile_intern(
							p, "small") };
	const struct profile_line line = { .function = profile_add_function(
						   p, &small) };
	const uint32_t loc =
		profile_add_location(p, PROFILE_NONE, 0x2000, &line, 1);
	const int64_t values[] = { 524288, 64 * 524288 };
	profile_add_sample(p, &loc, 1, values, NULL, 0);
	struct evidence v = { .n = 0 };
	hold(&v, "heap", p);
	struct judgement j;
	ck_assert_int_eq(judge_finding(&f->findings[0], &v, &j, NULL), 0);
	ck_assert_double_eq_tol(j.value, 0.910, 0.001);
	/* 1.96 standard errors of 1/8 each way, times p (1 - p). */
	ck_assert_double_eq_tol(j.low, 0.888, 0.005);
	ck_assert_double_eq_tol(j.high, 0.929, 0.005);
	judgement_free(&j);
	evidence_free(&v);
	findings_free(f);
}
END_TEST

/* What cannot be judged is an error that says why, never a verdict. */
static const struct {
	const char *profile, *measure, *error;
} unjudged[] = {
	{ "heap.cleared", "growth cum keep", "needs two or more heap.cleared" },
	{ "heap\nbase: heap.before", "growth cum keep", "no heap.before" },
	{ "heap", "rate cum keep", "has no duration" },
	{ "stats", "amount .deep.est", "has no number .deep.est" },
	{ "block", "share cum x", "no block profile" },
};

START_TEST(unjudged_says_why)
{
	char text[500];
	snprintf(text, sizeof(text),
		 "finding: f\ntitle: t\nprofile: %s\nmeasure: %s\n"
		 "expect: >= 1\npass: p\nfail: f\n",
		 unjudged[_i].profile, unjudged[_i].measure);
	struct findings *f;
	struct err e = { "" };
	ck_assert_msg(!read_text(text, &f, &e), "%s", e.text);
	struct evidence v = { .n = 0 };
	hold_all(&v);
	struct judgement j;
	ck_assert_int_lt(judge_finding(&f->findings[0], &v, &j, &e), 0);
	ck_assert_msg(strstr(e.text, unjudged[_i].error) != NULL, "%s", e.text);
	evidence_free(&v);
	findings_free(f);
}
END_TEST

/*
 * Few blocks are met by chance: a count of 256 explains anything from none
 * sampled to a dozen, and no more.
 */
START_TEST(few_blocks_are_not_a_surprise)
{
	static const struct {
		int64_t blocks;
		enum verdict verdict;
	} rows[] = { { 0, VERDICT_PASS },
		     { 256, VERDICT_PASS },
		     { 700, VERDICT_PASS },
		     { 2000, VERDICT_FAIL } };
	struct findings *f;
	ck_assert_int_eq(read_text("invariant: f\ntitle: t\nprofile: heap\n"
				   "measure: ratio cum keep / .n x 10KiB\n"
				   "expect: = 1x\npass: p\nfail: f\n",
				   &f, NULL),
			 0);
	ck_assert(f->findings[0].invariant);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence v = { .n = 0 };
		hold(&v, "heap", heap_profile(rows[i].blocks));
		hold_stats(&v, "stats", 256);
		struct judgement j;
		ck_assert_int_eq(judge_finding(&f->findings[0], &v, &j, NULL),
				 0);
		ck_assert_msg(j.verdict == rows[i].verdict, "%d: %s",
			      (int)rows[i].blocks, buf_str(&j.found));
		judgement_free(&j);
		evidence_free(&v);
	}
	findings_free(f);
}
END_TEST

START_TEST(one_kind_is_kept)
{
	static const struct {
		const char *keep;
		size_t findings, questions, minimums;
	} rows[] = { { "cpu", 1, 0, 0 },
		     { "heap", 2, 1, 1 },
		     { "heap.after", 1, 0, 0 },
		     { "hea", 0, 0, 0 } };
	static const char rest[] =
		"measure: share cum x\nexpect: >= 1%\npass: y\nfail: n\n\n";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[900];
		snprintf(text, sizeof(text),
			 "%s\nfinding: a\ntitle: t\nprofile: heap\n%s"
			 "finding: b\ntitle: t\nprofile: heap.after\n%s"
			 "question: q\ntitle: t\nprofile: heap\n"
			 "answer: first flat\n\nminimum: heap\nsamples: 3\n",
			 GOOD, rest, rest);
		struct findings *f;
		struct err e = { "" };
		ck_assert_msg(!read_text(text, &f, &e), "%s", e.text);
		findings_keep(f, rows[i].keep);
		ck_assert_msg(f->n_findings == rows[i].findings &&
				      f->n_questions == rows[i].questions &&
				      f->n_minimums == rows[i].minimums,
			      "%s", rows[i].keep);
		findings_free(f);
	}
}
END_TEST

/* A share far from the threshold, drawn a thousand times: never wrong. */
START_TEST(noise_does_not_decide)
{
	struct findings *f;
	ck_assert_int_eq(read_text(GOOD, &f, NULL), 0);
	int wrong = 0, unsure = 0;
	for (int64_t k = 0; k <= 400; k++) {
		struct evidence v = { .n = 0 };
		hold(&v, "cpu", cpu_profile(k, 400, "/cpu"));
		struct judgement j;
		ck_assert_int_eq(judge_finding(&f->findings[0], &v, &j, NULL),
				 0);
		const double share = (double)k / 400;
		if (share < 0.55 && j.verdict == VERDICT_PASS)
			wrong++;
		if (share > 0.65 && j.verdict == VERDICT_FAIL)
			wrong++;
		unsure += j.verdict == VERDICT_INCONCLUSIVE;
		judgement_free(&j);
		evidence_free(&v);
	}
	ck_assert_int_eq(wrong, 0);
	/* The band of doubt at 400 samples is about 2 * 4.8 points wide. */
	ck_assert_int_gt(unsure, 20);
	ck_assert_int_lt(unsure, 50);
	findings_free(f);
}
END_TEST

START_TEST(too_little_is_said)
{
	struct findings *f;
	ck_assert_int_eq(read_text("minimum: cpu\nsamples: 200\n"
				   "duration: 20s\n\n" GOOD,
				   &f, NULL),
			 0);
	struct evidence v = { .n = 0 };
	struct judgement j;
	struct err e = { "" };
	ck_assert_int_eq(judge_minimums(f, &v, &j, &e), ERR_NOTFOUND);
	ck_assert_str_eq(e.text, "no cpu profile was given");
	hold(&v, "cpu", cpu_profile(90, 100, "/cpu"));
	ck_assert_int_eq(judge_minimums(f, &v, &j, &e), 0);
	ck_assert_int_eq(j.verdict, VERDICT_INCONCLUSIVE);
	ck_assert_ptr_nonnull(strstr(buf_str(&j.why), "lasted 10s"));
	ck_assert_ptr_nonnull(strstr(buf_str(&j.why), "holds 100 samples"));
	judgement_free(&j);
	evidence_free(&v);
	findings_free(f);
}
END_TEST

static const struct {
	const char *name, *question, *answer;
	enum verdict verdict;
	const char *why;
} answers_table[] = {
	{ "right", "answer: first flat", "work", VERDICT_PASS, "" },
	{ "the caller", "answer: first flat", "handler", VERDICT_FAIL,
	  "handler is 100 % cumulative but 0 % flat: which callee" },
	{ "another", "answer: first flat", "idle", VERDICT_FAIL,
	  "another has more" },
	{ "not there", "answer: first flat", "nothing", VERDICT_FAIL,
	  "No function in the profile is called \"nothing\"" },
	{ "with what was meant for people", "answer: first flat",
	  "work # I think", VERDICT_FAIL, "called \"work # I think\"" },
	{ "no answer", "answer: first flat", "", VERDICT_FAIL,
	  "No answer yet" },
	{ "first cum", "answer: first cum", "handler", VERDICT_PASS, "" },
	{ "number", "answer: number share cum work\ntolerance: 5", "88 %",
	  VERDICT_PASS, "" },
	{ "wrong number", "answer: number share cum work\ntolerance: 5", "60",
	  VERDICT_FAIL, "You said 60; the profile says 90.0 %" },
	{ "no number", "answer: number share cum work\ntolerance: 5", "most",
	  VERDICT_FAIL, "\"most\" is no number; write it like 97.5" },
	{ "a comma", "answer: number share cum work\ntolerance: 5", "90,0",
	  VERDICT_FAIL, "\"90,0\" is no number: write it with a point" },
	{ "word", "answer: word boxing|boxed.*", "boxed values", VERDICT_PASS,
	  "" },
	{ "another word", "answer: word boxing", "work", VERDICT_FAIL, "" },
	{ "a function's name", "answer: word work", "handler", VERDICT_FAIL,
	  "handler is 100 % cumulative but 0 % flat: what is asked for is "
	  "below it" },
	{ "a lesser function", "answer: word work", "idle", VERDICT_FAIL,
	  "idle is 10 % cumulative and 10 % flat: another has more" },
	{ "no function", "answer: word work", "wrok", VERDICT_FAIL,
	  "Copy the name" },
	{ "with a unit", "answer: number amount cum work\ntolerance: 5%",
	  "9.2s", VERDICT_PASS, "" },
	{ "another unit", "answer: number amount cum work\ntolerance: 5%",
	  "9.2ms", VERDICT_FAIL, "You said 9.2ms; the profile says 9s" },
	{ "beyond the tolerance",
	  "answer: number amount cum work\ntolerance: 5%", "11s", VERDICT_FAIL,
	  "You said 11s" },
	{ "the line", "answer: line work|idle", "101", VERDICT_PASS, "" },
	{ "the line of a file", "answer: line work|idle", "work.c:101",
	  VERDICT_PASS, "" },
	{ "near the line", "answer: line work|idle\ntolerance: 1", "100",
	  VERDICT_PASS, "" },
	{ "another line", "answer: line work|idle", "201", VERDICT_FAIL,
	  "Line 201 has 10.0 % of what the function holds" },
	{ "a line of nothing", "answer: line work|idle", "7", VERDICT_FAIL,
	  "Line 7 holds nothing" },
	{ "no line", "answer: line work|idle", "the third", VERDICT_FAIL,
	  "not a line" },
	{ "the label", "answer: first label route", "/cpu", VERDICT_PASS, "" },
	{ "no such label", "answer: first label route", "/x", VERDICT_FAIL,
	  "No sample has route=/x" },
};

START_TEST(answer_table)
{
	char text[300];
	snprintf(text, sizeof(text),
		 "question: q\ntitle: t\nprofile: cpu\n%s\n",
		 answers_table[_i].question);
	struct findings *f;
	struct err e = { "" };
	ck_assert_msg(!read_text(text, &f, &e), "%s", e.text);
	struct evidence v = { .n = 0 };
	hold(&v, "cpu", cpu_profile(900, 1000, "/cpu"));
	struct judgement j;
	ck_assert_msg(!judge_answer(&f->questions[0], answers_table[_i].answer,
				    &v, &j, &e),
		      "%s: %s", answers_table[_i].name, e.text);
	ck_assert_msg(j.verdict == answers_table[_i].verdict &&
			      strstr(buf_str(&j.why), answers_table[_i].why),
		      "%s: %s \"%s\"", answers_table[_i].name,
		      verdict_name(j.verdict), buf_str(&j.why));
	judgement_free(&j);
	evidence_free(&v);
	findings_free(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge");
	TCase *t = tcase_create("all");
	suite_add_tcase(s, t);
	testing_add_table(t, findings_files, files);
	testing_add_table(t, wilson_table, wilson);
	testing_add_table(t, trend_table, trends);
	testing_add_table(t, verdict_table, verdicts);
	testing_add_table(t, series_verdicts, series_table);
	testing_add_table(t, unjudged_says_why, unjudged);
	tcase_add_test(t, few_blocks_are_not_a_surprise);
	tcase_add_test(t, weights_widen_the_interval);
	tcase_add_test(t, one_kind_is_kept);
	tcase_add_test(t, noise_does_not_decide);
	tcase_add_test(t, too_little_is_said);
	testing_add_table(t, answer_table, answers_table);
	return testing_run(s);
}
