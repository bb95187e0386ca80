/*
 * check.c - proflab-check: expected findings against profiles that were really
 * collected.  One line a finding for a machine, four for a learner.
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "symbol/object.h"
#include "tools/answers.h"
#include "tools/evidence.h"
#include "tools/findings.h"
#include "tools/judge.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	EXIT_PASS = 0,
	EXIT_FAIL = 1,
	EXIT_USAGE = 2,
	EXIT_UNSURE = 77,
	EXIT_BROKEN = 99
};

static const char usage_text[] =
	"Usage: proflab-check [OPTION]... FINDINGS [KIND=]PROFILE...\n"
	"\n"
	"Judge profiles by a file of expected findings.  KIND is cpu, heap,\n"
	"allocs, threads, mutex, block, wall or stats (an answer of /stats);\n"
	"it may be left out where the profile's sample types tell it.  "
	"KIND.NAME\n"
	"tells two of a kind apart.  Several of one kind are a series in "
	"time.\n"
	"\n"
	"  -binary FILE    profiles must come from this build (its build id)\n"
	"  -answers FILE   judge a learner's answers, not the findings\n"
	"  -only NAME      this finding or question alone\n"
	"  -profile KIND   only what rests on that kind of profile\n"
	"  -absent         every finding must be absent: for a mended server\n"
	"  -json           one JSON object for machines\n"
	"  -quiet          only what does not pass\n"
	"  -version        the version\n"
	"  -help           this text\n"
	"\n"
	"Exit status: 0 all pass; 1 one fails; 77 none fails and one is\n"
	"inconclusive; 2 wrong usage; 99 the profiles cannot be judged.\n";

struct options {
	const char *binary, *answers, *only, *profile;
	bool json, quiet, absent;
};

struct session {
	struct options o;
	struct findings *findings;
	struct evidence evidence;
	struct answers answers;
	json_t *rows;
	int counts[3];
	bool colour;
};

static int broken(const struct err *e)
{
	fprintf(stderr, "proflab-check: %s\n", e->text);
	return EXIT_BROKEN;
}

/* Print text in lines of at most 70 characters behind a heading. */
static void put_wrapped(const char *heading, const char *text)
{
	size_t column = 0;
	printf("      %-9s", heading);
	while (*text) {
		const size_t word = strcspn(text, " ");
		if (column && column + word > 62) {
			printf("\n%15s", "");
			column = 0;
		}
		printf("%s%.*s", column ? " " : "", (int)word, text);
		column += word + 1;
		text += word;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static const char *colour_of(const struct session *s, enum verdict v)
{
	static const char *const codes[] = { "\033[32m", "\033[31m",
					     "\033[33m" };
	return s->colour ? codes[v] : "";
}

static void report(struct session *s, const char *name, const char *title,
		   const char *measure, const char *expect,
		   const struct judgement *j)
{
	s->counts[j->verdict]++;
	if (s->o.json) {
		json_array_append_new(
			s->rows,
			json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:s}",
				  "name", name, "verdict",
				  verdict_name(j->verdict), "found",
				  buf_str(&j->found), "expected",
				  expect ? expect : "", "value", j->value,
				  "low", j->low, "high", j->high, "meaning",
				  buf_str(&j->why)));
		return;
	}
	if (s->o.quiet && j->verdict == VERDICT_PASS)
		return;
	printf("%s%s%s  %s: %s\n", colour_of(s, j->verdict),
	       verdict_name(j->verdict), s->colour ? "\033[0m" : "", name,
	       title);
	if (measure)
		put_wrapped("measured", measure);
	if (j->found.len)
		put_wrapped("found", buf_str(&j->found));
	if (expect)
		put_wrapped("expected", expect);
	if (j->why.len)
		put_wrapped("meaning", buf_str(&j->why));
}

/* Profiles must come from the program that is being judged. */
static int check_binary(const struct session *s, struct err *e)
{
	struct object *object;
	int rc = object_open(s->o.binary, NULL, 0, &object, e);
	if (rc)
		return rc;
	const uint8_t *id;
	const size_t n = object_build_id(object, &id);
	char hex[2 * 64 + 1] = "";
	for (size_t i = 0; i < n && i < 64; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	object_close(object);
	if (!n)
		return err_set(e, ERR_INVALID, "%s has no build id",
			       s->o.binary);
	for (size_t i = 0; i < s->evidence.n; i++) {
		const struct exhibit *x = &s->evidence.exhibits[i];
		if (x->profile && !evidence_is_from(x, hex))
			return err_set(e, ERR_INVALID,
				       "%s was not taken from %s: another "
				       "program, or another build of it",
				       x->path, s->o.binary);
	}
	return 0;
}

/* Does the file say what such a profile needs?  Then it has it, see above. */
static bool has_minimum(const struct findings *f, const char *profile)
{
	for (size_t i = 0; i < f->n_minimums; i++)
		if (!strcmp(f->minimums[i].profile, profile))
			return true;
	return false;
}

/*
 * Of a mended server.  Where nothing was sampled nobody has a share: a server
 * that takes no lock has an empty mutex profile.  That is no evidence unless
 * the file says what is enough, with `minimum`, and there was that much.
 */
static enum verdict when_absent(const struct findings *f,
				const struct finding *row,
				const struct judgement *j)
{
	if (j->empty && has_minimum(f, row->selection.profile))
		return VERDICT_PASS;
	return j->verdict == VERDICT_PASS   ? VERDICT_FAIL
	       : j->verdict == VERDICT_FAIL ? VERDICT_PASS
					    : j->verdict;
}

static bool is_wanted(const struct session *s, const char *name)
{
	return !s->o.only || !strcmp(s->o.only, name);
}

static int judge_findings(struct session *s, struct err *e)
{
	const struct findings *f = s->findings;
	for (size_t i = 0; i < f->n_findings; i++) {
		const struct finding *row = &f->findings[i];
		if (!is_wanted(s, row->name))
			continue;
		struct judgement j;
		const int rc = judge_finding(row, &s->evidence, &j, e);
		if (rc)
			return err_prefix(e, rc, "%s", row->name);
		char expect[160];
		if (s->o.absent && !row->invariant) {
			j.verdict = when_absent(f, row, &j);
			snprintf(expect, sizeof(expect), "not %s",
				 row->expect.text);
		} else {
			snprintf(expect, sizeof(expect), "%s",
				 row->expect.text);
		}
		report(s, row->name, row->title, row->measure_text, expect, &j);
		judgement_free(&j);
	}
	return 0;
}

/* The learner's line number row answers nothing that was asked. */
static int no_such_question(const struct session *s, const struct answer *row,
			    struct err *e)
{
	struct buf names = { 0 };
	for (size_t i = 0; i < s->findings->n_questions; i++)
		buf_printf(&names, " %s", s->findings->questions[i].name);
	const int rc =
		err_set(e, ERR_INVALID,
			"%s:%d: no question is called \"%.80s\"; there are:%s",
			s->o.answers, row->line, row->name, buf_str(&names));
	buf_free(&names);
	return rc;
}

static int judge_answers(struct session *s, struct err *e)
{
	const struct findings *f = s->findings;
	int rc = answers_read(s->o.answers, &s->answers, e);
	for (size_t i = 0; !rc && i < f->n_questions; i++) {
		const struct question *q = &f->questions[i];
		if (!is_wanted(s, q->name))
			continue;
		const char *said = answers_find(&s->answers, q->name);
		struct judgement j;
		rc = judge_answer(q, said, &s->evidence, &j, e);
		if (rc)
			return err_prefix(e, rc, "%s", q->name);
		report(s, q->name, q->title, NULL, NULL, &j);
		judgement_free(&j);
	}
	for (size_t i = 0; !rc && !s->o.profile && i < s->answers.n; i++) {
		size_t k = 0;
		while (k < f->n_questions &&
		       strcmp(s->answers.rows[i].name, f->questions[k].name))
			k++;
		if (k == f->n_questions)
			rc = no_such_question(s, &s->answers.rows[i], e);
	}
	return rc;
}

static int finish(struct session *s)
{
	const int total = s->counts[0] + s->counts[1] + s->counts[2];
	if (s->o.json) {
		json_t *root =
			json_pack("{s:O, s:i, s:i, s:i}", "results", s->rows,
				  "pass", s->counts[0], "fail", s->counts[1],
				  "inconclusive", s->counts[2]);
		json_dumpf(root, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(root);
	} else {
		printf("%d of %d pass", s->counts[VERDICT_PASS], total);
		if (s->counts[VERDICT_FAIL])
			printf(", %d fail", s->counts[VERDICT_FAIL]);
		if (s->counts[VERDICT_INCONCLUSIVE])
			printf(", %d inconclusive",
			       s->counts[VERDICT_INCONCLUSIVE]);
		putchar('\n');
	}
	if (!total)
		return EXIT_BROKEN;
	return s->counts[VERDICT_FAIL]		 ? EXIT_FAIL
	       : s->counts[VERDICT_INCONCLUSIVE] ? EXIT_UNSURE
						 : EXIT_PASS;
}

static int run(struct session *s, char **args)
{
	struct err e = { "" };
	int rc = findings_read(args[0], &s->findings, &e);
	if (!rc && s->o.profile)
		findings_keep(s->findings, s->o.profile);
	for (char **a = args + 1; !rc && *a; a++)
		rc = evidence_add(&s->evidence, *a, &e);
	if (!rc && s->o.binary)
		rc = check_binary(s, &e);
	if (rc)
		return broken(&e);
	struct judgement enough;
	rc = judge_minimums(s->findings, &s->evidence, &enough, &e);
	if (rc)
		return broken(&e);
	if (enough.verdict != VERDICT_PASS) {
		report(s, "minimum", "too little to judge by", NULL, NULL,
		       &enough);
		judgement_free(&enough);
		return finish(s);
	}
	if (s->o.profile && !s->findings->n_findings &&
	    !s->findings->n_questions) {
		err_set(&e, ERR_NOTFOUND, "%s has nothing about a %s profile",
			args[0], s->o.profile);
		return broken(&e);
	}
	rc = s->o.answers ? judge_answers(s, &e) : judge_findings(s, &e);
	if (!rc && s->o.only && !(s->counts[0] + s->counts[1] + s->counts[2]))
		rc = err_set(&e, ERR_NOTFOUND, "%s has nothing called \"%s\"",
			     args[0], s->o.only);
	return rc ? broken(&e) : finish(s);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "binary", required_argument, NULL, 'b' },
		{ "answers", required_argument, NULL, 'a' },
		{ "only", required_argument, NULL, 'o' },
		{ "profile", required_argument, NULL, 'p' },
		{ "absent", no_argument, NULL, 'A' },
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct session s = { .rows = json_array(),
			     .colour = isatty(STDOUT_FILENO) &&
				       !getenv("NO_COLOR") };
	int c;
	while ((c = getopt_long_only(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'b':
			s.o.binary = optarg;
			break;
		case 'a':
			s.o.answers = optarg;
			break;
		case 'o':
			s.o.only = optarg;
			break;
		case 'p':
			s.o.profile = optarg;
			break;
		case 'A':
			s.o.absent = true;
			break;
		case 'j':
			s.o.json = true;
			break;
		case 'q':
			s.o.quiet = true;
			break;
		case 'v':
			puts("proflab-check " PACKAGE_VERSION);
			json_decref(s.rows);
			return EXIT_PASS;
		case 'h':
			fputs(usage_text, stdout);
			json_decref(s.rows);
			return EXIT_PASS;
		default:
			fputs(usage_text, stderr);
			json_decref(s.rows);
			return EXIT_USAGE;
		}
	}
	int status = EXIT_USAGE;
	if (argc - optind < 2)
		fputs(usage_text, stderr);
	else
		status = run(&s, argv + optind);
	findings_free(s.findings);
	evidence_free(&s.evidence);
	answers_free(&s.answers);
	json_decref(s.rows);
	return status;
}
