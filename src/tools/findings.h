/*
 * findings.h - a file of expected findings, in plain text.
 *
 * Stanzas are separated by blank lines; a stanza is lines of `key: value`; a
 * line that begins with a blank continues the value before it; `#` begins a
 * comment line.  The kinds of stanza, told by their first key:
 *
 *	finding: hot-function		a name, unique in the file
 *	title: one function burns the CPU
 *	profile: cpu			cpu heap allocs threads mutex block wall
 *	value: cpu			a sample type; the profile's default if left
 *out labels: route=/cpu		only samples with these labels measure:
 *share cum perform_cpu_intensive_task expect: >= 60% recorded: faulty 97%,
 *fixed 12% pass: what it means when it is found fail: what it means when it is
 *not
 *
 *	minimum: cpu			what a profile must hold to be judged
 *	samples: 200
 *	duration: 3s
 *
 *	question: hotspot		what a learner answers, `hotspot = NAME`
 *	title: ...
 *	profile, value, labels		as above
 *	answer: first flat		the truth, computed from the profile
 *	tolerance: 5			for numbers, in the answer's unit
 *
 * Measures: share cum|flat RE; rank cum|flat RE (among the program's own
 * functions); growth cum|flat RE (last profile less the first); trend cum RE
 * (steady, flat or sawtooth over the profiles in time); amount cum|flat RE;
 * total; ratio cum|flat RE / RE.  RE is a regular expression that a function's
 * whole name must match.
 * Expectations: >= N, <= N, = N (rank), with a unit (%, B, kB, MB, ns, us, ms,
 * s, or none), or a word (trend).
 */
#ifndef PROFLAB_TOOLS_FINDINGS_H
#define PROFLAB_TOOLS_FINDINGS_H

#include "tools/interval.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum measure_kind {
	MEASURE_SHARE,
	MEASURE_RANK,
	MEASURE_GROWTH,
	MEASURE_TREND,
	MEASURE_AMOUNT,
	MEASURE_TOTAL,
	MEASURE_RATIO,
	MEASURE_KINDS,
};

struct measure {
	enum measure_kind kind;
	bool cum;
	const char *pattern; /* NULL for total */
	const char *other;   /* ratio's second */
};

enum expect_op { EXPECT_AT_LEAST, EXPECT_AT_MOST, EXPECT_EQUAL };

struct expectation {
	enum expect_op op;
	double value; /* shares as fractions; bytes; nanoseconds; counts */
	enum trend trend;
	const char *text; /* as written */
};

/* Which samples of which profile. */
struct selection {
	const char *profile;
	const char *value; /* NULL = the profile's default */
	const char *label_keys[4];
	const char *label_values[4];
	size_t n_labels;
};

struct finding {
	const char *name, *title, *recorded, *pass, *fail;
	struct selection selection;
	struct measure measure;
	struct expectation expect;
	const char *measure_text;
	int line;
};

enum answer_kind {
	ANSWER_FIRST,  /* the first own function by flat or cum */
	ANSWER_NUMBER, /* a measure's value */
	ANSWER_WORD,   /* a word that the file gives: "truth" */
};

struct question {
	const char *name, *title, *hint;
	struct selection selection;
	enum answer_kind kind;
	struct measure measure; /* FIRST: cum or flat; NUMBER: the measure */
	const char *accept;	/* WORD: a regular expression */
	double tolerance;
	int line;
};

struct minimum {
	const char *profile;
	int64_t samples;
	int64_t duration_ns;
};

struct findings {
	struct finding *findings;
	size_t n_findings;
	struct question *questions;
	size_t n_questions;
	struct minimum *minimums;
	size_t n_minimums;
	char *text; /* what the strings point into; owned */
};

/*
 * Returns: 0; ERR_IO; ERR_FORMAT with file, line, and what is allowed there;
 * ERR_NOMEM.
 */
int findings_read(const char *path, struct findings **ret, struct err *e);
void findings_free(struct findings *f);

#endif
