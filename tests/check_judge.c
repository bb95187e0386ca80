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

#include <math.h>
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
	  ":1: first key \"found\": a stanza begins with finding, question or "
	  "minimum" },
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
	  "must be share|rank|growth" },
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
			.function = profile_add_function(p, &f)
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
	  "No function of that name" },
	{ "no answer", "answer: first flat", "", VERDICT_FAIL,
	  "No answer yet" },
	{ "first cum", "answer: first cum", "handler", VERDICT_PASS, "" },
	{ "number", "answer: number share cum work\ntolerance: 5", "88 %",
	  VERDICT_PASS, "" },
	{ "wrong number", "answer: number share cum work\ntolerance: 5", "60",
	  VERDICT_FAIL, "You said 60; the profile says 90.0 %" },
	{ "no number", "answer: number share cum work\ntolerance: 5", "most",
	  VERDICT_FAIL, "not a number" },
	{ "word", "answer: word boxing|boxed.*", "boxed values", VERDICT_PASS,
	  "" },
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
	tcase_add_test(t, noise_does_not_decide);
	tcase_add_test(t, too_little_is_said);
	testing_add_table(t, answer_table, answers_table);
	return testing_run(s);
}
