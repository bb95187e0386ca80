/*
 * report.h - questions put to a profile, and their answers: as text, equal to
 * what `go tool pprof` prints, or as tables for programs.
 *
 * A profile is only read: many reports may be made of one, in many threads.
 *
 *	struct report_options o = REPORT_OPTIONS_DEFAULT;
 *	o.focus = "parse.*";
 *	struct report_table t;
 *	if (report_functions(p, &o, &t, &e) == 0) {
 *		for (size_t i = 0; i < t.n; i++)
 *			... t.rows[i].name, t.rows[i].flat ...
 *		report_table_free(&t);
 *	}
 */
#ifndef PROFLAB_REPORT_REPORT_H
#define PROFLAB_REPORT_REPORT_H

#include "base/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct out;
struct profile;
struct report;

enum report_granularity {
	REPORT_FUNCTIONS, /* by name alone */
	REPORT_FILEFUNCTIONS,
	REPORT_FILES,
	REPORT_LINES,
	REPORT_ADDRESSES,
};

/*
 * What is asked.  Names and meanings are those of the tool's flags; a text
 * that is NULL is not set.  Texts must outlive the call (report_open: the
 * report).
 */
struct report_options {
	const char *sample_index; /* number or name; NULL: the profile's own */
	bool mean;		  /* divide by the first value (count) */
	const char *unit;	  /* "minimum" (NULL), "auto", "ms", "mb", .. */
	double divide_by;
	bool cum; /* sort by cumulative value */
	enum report_granularity granularity;
	bool noinlines;

	/* regular expressions on frames */
	const char *focus, *ignore, *hide, *show, *show_from, *prune_from;
	/* regular expressions or ranges on labels */
	const char *tagfocus, *tagignore;
	const char *tagshow, *taghide; /* on label keys */
	const char *tagroot, *tagleaf; /* label keys, comma-separated */

	int64_t node_count; /* -1: what suits the report; 0: all */
	double node_fraction, edge_fraction;
	bool trim; /* false: no limit of the three above */
	bool relative_percentages, call_tree, compact_labels, drop_negative;
	bool intel_syntax;
	const char *source_path, *trim_path;
	const char *tools; /* where objdump is */
};

#define REPORT_OPTIONS_DEFAULT                                                 \
	{                                                                      \
		.unit = "minimum", .divide_by = 1, .node_count = -1,           \
		.node_fraction = 0.005, .edge_fraction = 0.001, .trim = true   \
	}

/* Who is told that, for example, a filter matched nothing.  NULL: nobody. */
struct report_warn {
	void (*warn)(void *arg, const char *text);
	void *arg;
};

/*
 * The sample type that sample_index names (NULL or "": the profile's own
 * choice, else the last).  Returns: 0; ERR_INVALID, with those there are.
 */
int report_find_value(const struct profile *p, const char *sample_index,
		      size_t *ret_index, struct err *e);

/* ---- reports as text ----------------------------------------------------- */

/* One kind of report; all kinds are in report_kinds. */
struct report_kind {
	const char *name;   /* "top", "peek", ... */
	bool has_parameter; /* a regular expression: "list", "peek", ... */
	/* The rest is for src/report itself. */
	unsigned flags;
	int (*write)(struct report *r, struct out *o, struct err *e);
};

extern const struct report_kind report_kinds[];
extern const size_t report_n_kinds;
/* Returns: the kind, or NULL. */
const struct report_kind *report_find_kind(const char *name);

/*
 * Filter and aggregate p for one report.  parameter is the regular expression
 * of kinds that have one, else NULL.  warn may be NULL.
 * Returns: 0 and a report that the caller owns; ERR_INVALID with what is
 * wrong in the options; ERR_NOTFOUND where the parameter matches nothing;
 * ERR_NOMEM.
 */
int report_open(const struct profile *p, const struct report_kind *kind,
		const char *parameter, const struct report_options *o,
		const struct report_warn *warn, struct report **ret_report,
		struct err *e);
/*
 * Write it.  Returns: 0; ERR_NOTFOUND where the parameter matches nothing
 * (then nothing was written); ERR_NOMEM; what the sink returned.
 */
int report_write(struct report *r, const struct sink *sink, struct err *e);
/* r may be NULL. */
void report_close(struct report *r);

/* The lines about the profile that stand above reports. */
int report_describe(const struct report *r, const struct sink *sink);
/* What percentages refer to, in the profile's unit. */
int64_t report_total(const struct report *r);

/* ---- reports as tables --------------------------------------------------- */

struct report_row {
	const char *name; /* function; "" where it is unknown */
	const char *file; /* "" where unknown or not asked for */
	uint64_t address; /* with REPORT_ADDRESSES, else 0 */
	int64_t line;	  /* with REPORT_LINES and finer, else 0 */
	int64_t flat, cum;
};

struct report_table {
	struct report_row *rows; /* owned, with all texts in it */
	size_t n;
	int64_t total; /* what percentages refer to */
	const char *sample_type, *unit;
	void *memory;
};

/*
 * Every function (or what o->granularity says) with its own and cumulative
 * value, sorted as -top sorts; nothing is trimmed away unless o->node_count
 * is positive.  Values are in the profile's unit.
 * Returns: 0; ERR_INVALID; ERR_NOMEM.  Owns: the caller, report_table_free.
 */
int report_functions(const struct profile *p, const struct report_options *o,
		     struct report_table *ret_table, struct err *e);
void report_table_free(struct report_table *t);

#endif
