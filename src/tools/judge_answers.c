/*
 * judge_answers.c - what a learner answered, held against the profile; and when
 * it is wrong, what the profile says of that very answer.
 */
#include "base/attr.h"
#include "base/err.h"
#include "tools/judge_private.h"
#include "tools/pattern.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- functions ---- */

/* All functions of a profile, and what they are shares of. */
struct functions {
	struct ranked *rows;
	size_t n;
	double total;
};

static int read_functions(const struct question *q, const struct exhibit *x,
			  bool cum, struct functions *ret, struct err *e)
{
	const int rc =
		evidence_rank(x, &q->selection, cum, &ret->rows, &ret->n, e);
	ret->total = 0;
	for (size_t i = 0; !rc && i < ret->n; i++)
		ret->total += ret->rows[i].flat;
	return rc;
}

static const struct ranked *find_name(const struct functions *f,
				      const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->rows[i].name, name))
			return &f->rows[i];
	return NULL;
}

/* What the learner's function really is, in the profile's own numbers. */
static void explain_function(struct judgement *j, const struct functions *f,
			     const struct ranked *truth, const char *answer,
			     bool cum)
{
	const struct ranked *named = find_name(f, answer);
	if (!named) {
		buf_printf(&j->why,
			   "No function in the profile is called \"%.80s\". "
			   "Copy the name as top prints it, and nothing else "
			   "into the line. ",
			   answer);
		return;
	}
	const double flat = f->total ? 100 * named->flat / f->total : 0;
	const double whole = f->total ? 100 * named->cum / f->total : 0;
	buf_printf(&j->why, "%s is %.0f %% cumulative %s %.0f %% flat", answer,
		   whole, whole > 2 * flat ? "but" : "and", flat);
	if (!cum && whole > 4 * flat)
		buf_append_str(&j->why, ": which callee holds the time? ");
	else if (truth && !named->own)
		buf_append_str(&j->why, ", and is not the program's own: who "
					"calls it? ");
	else if (truth && named->cum >= truth->cum)
		buf_append_str(&j->why, ": what is asked for is below it. ");
	else
		buf_append_str(&j->why, ": another has more. ");
}

static int answer_first(const struct question *q, const char *answer,
			const struct exhibit *x, struct judgement *j,
			struct err *e)
{
	struct functions f;
	const bool cum = q->measure.of.kind == SUBJECT_CUM;
	const int rc = read_functions(q, x, cum, &f, e);
	if (rc)
		return rc;
	const struct ranked *truth = NULL;
	for (size_t i = 0; i < f.n && !truth; i++)
		if (f.rows[i].own && (cum ? f.rows[i].cum : f.rows[i].flat) > 0)
			truth = &f.rows[i];
	j->verdict = truth && !strcmp(truth->name, answer) ? VERDICT_PASS
							   : VERDICT_FAIL;
	if (j->verdict == VERDICT_FAIL)
		explain_function(j, &f, truth, answer, cum);
	free(f.rows);
	return 0;
}

/* A word; where it is a function's name, a wrong one is explained as such. */
static int answer_word(const struct question *q, const char *answer,
		       const struct exhibit *x, struct judgement *j,
		       struct err *e)
{
	struct pattern *re;
	int rc = pattern_new(q->accept, PATTERN_WHOLE, &re, e);
	if (rc)
		return rc;
	j->verdict = pattern_matches(re, answer) ? VERDICT_PASS : VERDICT_FAIL;
	if (j->verdict == VERDICT_FAIL && x->profile) {
		struct functions f;
		rc = read_functions(q, x, true, &f, e);
		const struct ranked *truth = NULL;
		for (size_t i = 0; !rc && i < f.n && !truth; i++)
			if (f.rows[i].cum > 0 &&
			    pattern_matches(re, f.rows[i].name))
				truth = &f.rows[i];
		if (!rc && truth)
			explain_function(j, &f, truth, answer, true);
		if (!rc)
			free(f.rows);
	}
	pattern_free(re);
	return rc;
}

/* ---- lines ---- */

/* "130" or "leaky.c:130" */
static int64_t line_of(const char *answer)
{
	const char *colon = strrchr(answer, ':');
	char *end;
	const long long line = strtoll(colon ? colon + 1 : answer, &end, 10);
	return *end ? 0 : line;
}

static int answer_line(const struct question *q, const char *answer,
		       const struct exhibit *x, struct judgement *j,
		       struct err *e)
{
	const int64_t said = line_of(answer);
	if (said <= 0) {
		buf_append_str(&j->why, "That is not a line: write its number, "
					"as -list shows it. ");
		return 0;
	}
	struct source_line *rows;
	size_t n;
	const int rc =
		evidence_lines(x, &q->selection, q->accept, &rows, &n, e);
	if (rc)
		return rc;
	double total = 0, mine = 0;
	for (size_t i = 0; i < n; i++) {
		total += rows[i].cum;
		if (rows[i].line == said)
			mine = rows[i].cum;
	}
	/* A statement may run over more than one line. */
	if (n && llabs(rows[0].line - said) <= (int64_t)q->tolerance)
		j->verdict = VERDICT_PASS;
	else if (mine > 0)
		buf_printf(&j->why,
			   "Line %" PRId64 " has %.1f %% of what the function "
			   "holds: another has more. ",
			   said, 100 * mine / total);
	else
		buf_printf(&j->why,
			   "Line %" PRId64 " holds nothing in this profile. ",
			   said);
	free(rows);
	return 0;
}

/* ---- labels ---- */

static double label_share(const struct question *q, const struct exhibit *x,
			  const char *value)
{
	const struct subject of = { .kind = SUBJECT_LABEL,
				    .key = q->accept,
				    .label_value = value };
	struct tally t;
	return !evidence_tally(x, &q->selection, &of, &t, NULL) && t.total
		       ? t.part / t.total
		       : 0;
}

/* The value of a label that most of the profile has. */
static int answer_label(const struct question *q, const char *answer,
			const struct exhibit *x, struct judgement *j)
{
	const struct profile *p = x->profile;
	const double mine = label_share(q, x, answer);
	double top = 0;
	for (size_t i = 0; i < p->n_labels; i++) {
		const struct profile_label *l = &p->labels[i];
		const char *value = profile_str(p, l->str);
		if (strcmp(profile_str(p, l->key), q->accept) ||
		    !strcmp(value, answer))
			continue;
		const double share = label_share(q, x, value);
		top = share > top ? share : top;
		if (top > mine)
			break;
	}
	if (mine > 0 && mine >= top)
		j->verdict = VERDICT_PASS;
	else if (mine > 0)
		buf_printf(&j->why,
			   "%s=%s is %.1f %% of it: another has more. ",
			   q->accept, answer, 100 * mine);
	else
		buf_printf(&j->why, "No sample has %s=%s. ", q->accept, answer);
	return 0;
}

/* ---- numbers ---- */

/* As reports print them: their kB is 1024 bytes. */
static const struct {
	const char *name;
	double factor;
} units[] = {
	{ "", 1 },	 { "%", 1 },	     { "B", 1 },
	{ "kB", 1024 },	 { "MB", 1 << 20 },  { "GB", 1 << 30 },
	{ "KiB", 1024 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
	{ "ms", 1e6 },	 { "s", 1e9 },
};

static bool parse_number(const char *answer, double *ret)
{
	char *end;
	*ret = strtod(answer, &end);
	const char *unit = end + strspn(end, " ");
	for (size_t i = 0; end != answer && i < ARRAY_SIZE(units); i++) {
		if (!strcmp(unit, units[i].name)) {
			*ret *= units[i].factor;
			return true;
		}
	}
	return false;
}

static int answer_number(const struct question *q, const char *answer,
			 const struct evidence *v, struct judgement *j,
			 struct err *e)
{
	double said;
	if (!parse_number(answer, &said)) {
		buf_printf(&j->why, "\"%.80s\" is no number%s. ", answer,
			   strchr(answer, ',')
				   ? ": write it with a point, like 97.5"
				   : "; write it like 97.5 or 12.5MB");
		return 0;
	}
	const struct finding f = { .name = q->name,
				   .selection = q->selection,
				   .measure = q->measure,
				   .expect = { .op = EXPECT_AT_LEAST },
				   .pass = "",
				   .fail = "" };
	struct judgement truth;
	const int rc = judge_finding(&f, v, &truth, e);
	if (rc)
		return rc;
	const double scale = q->measure.kind == MEASURE_SHARE ? 100 : 1;
	const double slack = q->is_relative ? q->tolerance * truth.value * scale
					    : q->tolerance;
	const double low = truth.low * scale - slack;
	const double high = truth.high * scale + slack;
	j->verdict = said >= low && said <= high ? VERDICT_PASS : VERDICT_FAIL;
	buf_append_str(&j->found, buf_str(&truth.found));
	if (j->verdict == VERDICT_FAIL)
		buf_printf(&j->why, "You said %s; the profile says %s. ",
			   answer, buf_str(&truth.found));
	judgement_free(&truth);
	return 0;
}

int judge_answer(const struct question *q, const char *answer,
		 const struct evidence *v, struct judgement *ret, struct err *e)
{
	struct judgement j = { .verdict = VERDICT_FAIL };
	const struct exhibit *x = evidence_last(v, q->selection.profile);
	int rc = 0;
	if (!answer || !*answer)
		buf_append_str(&j.why, "No answer yet. ");
	else if (!x)
		rc = judge_no_profile(q->selection.profile, e);
	else if (q->kind == ANSWER_FIRST)
		rc = answer_first(q, answer, x, &j, e);
	else if (q->kind == ANSWER_LINE)
		rc = answer_line(q, answer, x, &j, e);
	else if (q->kind == ANSWER_LABEL)
		rc = answer_label(q, answer, x, &j);
	else if (q->kind == ANSWER_NUMBER)
		rc = answer_number(q, answer, v, &j, e);
	else
		rc = answer_word(q, answer, x, &j, e);
	if (rc) {
		judgement_free(&j);
		return rc;
	}
	if (j.verdict == VERDICT_FAIL && q->hint)
		buf_append_str(&j.why, q->hint);
	*ret = j;
	return 0;
}
