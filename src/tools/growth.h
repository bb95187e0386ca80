/*
 * growth.h - what a row of profiles of one kind says about time: each function
 * by each profile, a verdict for each, and the steps that changed most.
 *
 * Profiles are added one by one and not kept, so a year of them fits into
 * memory.  What a figure means depends on its sample type:
 *
 *	level	in use at that moment (inuse_space, threads): as it is
 *	rate	collected for a while (cpu, wall, any ?seconds=N): a second
 *	counter	since the process began (alloc_space, delay): the difference
 *		from the profile before, a second; the first one only begins it
 *
 * A counter that fell means that the process was started anew: verdicts then
 * rest on what came after.
 */
#ifndef PROFLAB_TOOLS_GROWTH_H
#define PROFLAB_TOOLS_GROWTH_H

#include "base/buf.h"
#include "base/err.h"
#include "tools/evidence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum growth_mode { GROWTH_LEVEL, GROWTH_RATE, GROWTH_COUNTER };

enum growth_verdict {
	GROWTH_STEADY,
	GROWTH_SAWTOOTH,
	GROWTH_FLAT,
	GROWTH_SHRINKS,
	GROWTH_UNKNOWN, /* fewer than two figures since the last start */
	GROWTH_VERDICTS,
};

struct growth_options {
	const char *sample_index; /* a sample type or its number; NULL: the
				   * profile's default */
	bool cum;		  /* with what a function calls */
	struct selection labels;  /* only its labels are read */
};

struct growth_step {
	char *path; /* owned */
	int64_t time_ns, duration_ns;
	bool restarted; /* the process is another than at the step before */
	double total;
	double added; /* the total's change since the step before */
};

struct growth_row {
	const char *name;
	double *values; /* one a step; owned */
	double *errors; /* standard errors of them; owned */
	double change;	/* the last less the first since the last start */
	enum growth_verdict verdict;
};

struct growth_skip {
	char *path, *why; /* owned */
};

struct growth_raw; /* figures as they were read */

struct growth {
	struct growth_options options;
	enum growth_mode mode;
	char *type, *unit; /* of the figures; owned */
	bool per_second;
	bool reordered; /* times said another order than that given */
	struct growth_step *steps;
	size_t n_steps;
	struct growth_row *rows; /* worst first */
	size_t n_rows;
	struct growth_row total;
	struct growth_skip *skips;
	size_t n_skips;
	size_t first; /* the step from which verdicts count */
	struct growth_raw *raw;
};

/* options is copied; what it points to must outlive the growth. */
void growth_init(struct growth *g, const struct growth_options *options);
void growth_free(struct growth *g);

/*
 * Take in one profile.  One that cannot be read, or that is of another kind
 * than the first, becomes a skip with its reason.
 * Returns: 0 also then; ERR_INVALID when the first profile does not have the
 * sample type that was asked for, with the ones it has.
 */
int growth_add(struct growth *g, const char *path, struct err *e);

/* Note a file that was not even opened, for the reader. */
void growth_add_skip(struct growth *g, const char *path, const char *why);

/*
 * Put the steps in order of time and fill rows, total, first.
 * Returns: 0, or ERR_NOTFOUND when fewer than two profiles were of use.
 */
int growth_finish(struct growth *g, struct err *e);

/* "grows steadily", ... for people; "steady", ... for machines. */
const char *growth_verdict_text(enum growth_verdict v);
const char *growth_verdict_name(enum growth_verdict v);

enum { GROWTH_AMOUNT_TEXT = 64 };
/* An amount of the growth's unit, "12.50MB"; with a sign where one is asked. */
char *growth_amount(const struct growth *g, double v, bool sign,
		    char buf[static GROWTH_AMOUNT_TEXT]);
/* The time of a step since the first, "+1m30s", or its number without times. */
char *growth_when(const struct growth *g, size_t step,
		  char buf[static GROWTH_AMOUNT_TEXT]);

/* At most max steps, the first and the last among them, evenly spaced. */
size_t growth_choose_steps(const struct growth *g, size_t max,
			   size_t *ret_steps);
/* The n steps whose total moved most, largest first.  Returns: how many. */
size_t growth_worst_steps(const struct growth *g, size_t max,
			  size_t *ret_steps);
/* The row that moved most between step - 1 and step, with the total. */
const struct growth_row *growth_cause(const struct growth *g, size_t step);

/* growth_text.c: a table, and JSON; max_rows 0: all. */
void growth_write_text(const struct growth *g, size_t max_rows, struct buf *to);
void growth_write_json(const struct growth *g, size_t max_rows, struct buf *to);

/* growth_chart.c: a chart as an SVG, alone or in a page with the table. */
void growth_write_svg(const struct growth *g, struct buf *to);
void growth_write_html(const struct growth *g, size_t max_rows, struct buf *to);

#endif
