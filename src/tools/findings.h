/*
 * findings.h - a file of expected findings, in plain text.
 *
 * Stanzas are separated by blank lines; a stanza is lines of `key: value`; a
 * line that begins with a blank continues the value before it; `#` begins a
 * comment line.  The kinds of stanza, told by their first key:
 *
 *   finding: hot-function       a name, unique in the file
 *   title: one function burns the CPU
 *   profile: cpu                cpu heap allocs threads mutex block wall
 *                               stats; .NAME tells two of a kind apart, as
 *                               heap.cleared
 *   base: heap                  growth: since the last of that kind; since
 *                               the first of `profile` if left out
 *   value: cpu                  a sample type; the profile's default if left
 *                               out
 *   labels: route=/cpu          only samples with these labels
 *   measure: share cum perform_cpu_intensive_task
 *   chosen: WHY                 the threshold is not midway between what was
 *                               recorded, for this reason, and make calibrate
 *                               leaves it as it is; stands before expect
 *   expect: >= 60%
 *   recorded: faulty 97%, fixed 12%
 *   pass: what it means when it is found
 *   fail: what it means when it is not
 *
 *   invariant: NAME             as a finding, but it holds on a mended server
 *                               too: -absent does not turn it round
 *
 *   minimum: cpu                what a profile must hold to be judged
 *   samples: 200
 *   duration: 3s
 *
 *   question: hotspot           what a learner answers, `hotspot = NAME`
 *   title: ...
 *   profile, base, value, labels   as above
 *   answer: first flat          the truth, computed from the profile: first
 *                               flat|cum (own functions), first label KEY,
 *                               line RE (of a function), number MEASURE; or
 *                               word RE
 *   tolerance: 5                for numbers, in the answer's unit; 5% of the
 *                               truth with a percent sign
 *
 * Measures:
 *
 *   share WHAT     of all selected samples
 *   amount WHAT    in the sample type's unit
 *   rate WHAT      amount in each second of the profile
 *   growth WHAT    last profile less the first (or less base)
 *   rise WHAT      the largest of the series less the first
 *   trend WHAT     steady, flat or sawtooth over the profiles in time
 *   rank cum|flat RE            among the program's own functions
 *   ratio cum|flat RE / RE
 *   ratio cum|flat RE / .FIELD x 10240B   over a count from /stats, times what
 *                               each is said to take
 *   total          of all selected samples
 *
 * WHAT is `cum RE` or `flat RE` (a regular expression that a function's whole
 * name must match), `label KEY=VALUE`, `all`, or `.FIELD` for the profile
 * stats: a number in the JSON of /stats, as jq spells it.
 *
 * Expectations: >= N, <= N, = N (rank, ratio), with a unit (%, B, kB, MB, KiB,
 * MiB, ns, us, ms, s, x or none), or a word (trend).
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
	MEASURE_AMOUNT,
	MEASURE_RATE,
	MEASURE_GROWTH,
	MEASURE_RISE,
	MEASURE_TREND,
	MEASURE_RANK,
	MEASURE_RATIO,
	MEASURE_TOTAL,
	MEASURE_KINDS,
};

enum subject_kind {
	SUBJECT_CUM,   /* functions, with what they call */
	SUBJECT_FLAT,  /* functions by themselves */
	SUBJECT_LABEL, /* samples with a label */
	SUBJECT_ALL,
	SUBJECT_FIELD, /* a number in /stats */
};

/* What is measured, within a profile. */
struct subject {
	enum subject_kind kind;
	const char *pattern;	       /* CUM, FLAT */
	const char *key, *label_value; /* LABEL */
	const char *field;	       /* FIELD, without its first dot */
};

struct measure {
	enum measure_kind kind;
	struct subject of;
	/* ratio's second: a pattern, or a field and what one of it takes */
	const char *other, *other_field;
	double each;
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
	const char *base;  /* NULL = the first of profile */
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
	bool invariant; /* present on either variant */
	int line;
};

enum answer_kind {
	ANSWER_FIRST,  /* the first own function by flat or cum */
	ANSWER_LINE,   /* the line of a function that holds most */
	ANSWER_LABEL,  /* the value of a label that most samples have */
	ANSWER_NUMBER, /* a measure's value */
	ANSWER_WORD,   /* what the file gives, as a regular expression */
};

struct question {
	const char *name, *title, *hint;
	struct selection selection;
	enum answer_kind kind;
	struct measure measure; /* FIRST: cum or flat; NUMBER: the measure */
	const char *accept; /* WORD, LINE: a regular expression; LABEL: a key */
	double tolerance;
	bool is_relative; /* tolerance is a share of the truth */
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
/*
 * Forget all that rests on another kind of profile than `profile`, which names
 * one kind (heap.cleared) or, without a dot, all of a family (heap).
 */
void findings_keep(struct findings *f, const char *profile);
void findings_free(struct findings *f);

#endif
