/*
 * context.h - what the kinds of reports share: the filtered view, the options
 * as they hold for this report, and the graph; for src/report alone.
 */
#ifndef PROFLAB_REPORT_CONTEXT_H
#define PROFLAB_REPORT_CONTEXT_H

#include "report/graph.h"
#include "report/measure.h"
#include "report/out.h"
#include "report/report.h"
#include "report/view.h"

struct regex;

enum report_kind_flags {
	KIND_UNTRIMMED = 1 << 0,     /* shows all, whatever the fractions */
	KIND_ADDRESSES = 1 << 1,     /* needs this granularity */
	KIND_LINES = 1 << 2,	     /* needs this one */
	KIND_FORCE_INLINES = 1 << 3, /* in spite of noinlines */
	KIND_NO_INLINES = 1 << 4,    /* always noinlines */
	KIND_ALL_NODES = 1 << 5,     /* no limit of nodes unless asked for */
	KIND_OBJECT_NAMES = 1 << 6,  /* binaries stay apart */
	KIND_VISUAL = 1 << 7,	     /* a picture */
	KIND_TREE = 1 << 8,	     /* honours call_tree */
	KIND_EDGES = 1 << 9,	     /* shows callers and callees */
	KIND_INTEGERS = 1 << 10,     /* cannot write fractions of a unit */
	KIND_QUOTED = 1 << 11,	     /* names cannot break out of quotes */
};

struct report {
	const struct report_kind *kind;
	struct report_options o; /* with the kind's overrides */
	struct view view;
	struct view_units units;
	struct regex *symbol; /* the kind's parameter, or NULL */
	size_t value;	      /* sample type */
	const char *sample_type, *sample_unit;
	const char *unit; /* for output; "minimum" until one is chosen */
	double ratio;	  /* of output to value, 1 / divide_by */
	int64_t total;
	const char *title; /* the main binary's name, or NULL */
	struct report_warn warn;
};

/* A graph that was trimmed, and what that cost. */
struct trimmed {
	struct graph g;
	size_t n_before; /* nodes before the limit of nodes */
	size_t dropped_nodes, dropped_edges;
};

/* Returns: 0 or ERR_NOMEM.  Owns: the caller, graph_free of ret->g always. */
int report_trimmed_graph(struct report *r, struct trimmed *ret);
/* The graph as it is, of kept nodes (NULL: all). */
int report_graph(struct report *r, const struct graph_set *kept,
		 enum graph_edges edges, struct graph *ret);
/* Settle the unit for output when it is to be the smallest that fits. */
void report_choose_unit(struct report *r, const struct graph *g);

/* A value with its unit, as it is printed. */
char *report_format(const struct report *r, int64_t value,
		    char buf[static MEASURE_LABEL_MAX]);
/* The same, but "." for 0. */
char *report_format_or_dot(const struct report *r, int64_t value,
			   char buf[static MEASURE_LABEL_MAX]);
/* The value of a sample, as a mean where that is asked for. */
int64_t report_sample_value(const struct report *r,
			    const struct view_sample *s);

/* The lines above a report: one text each. */
struct label_list {
	char **lines;
	size_t n, cap;
	struct arena arena;
};
/* About the profile: file, type, time, duration. */
int labels_of_profile(const struct report *r, struct label_list *ret);
/* And what the report shows of it; full adds a hint for pictures. */
int labels_of_report(const struct report *r, const struct trimmed *t, bool full,
		     struct label_list *ret);
void labels_write(const struct label_list *l, struct out *o);
void labels_free(struct label_list *l);

/* ---- the writers of kinds: text_KIND.c ----------------------------------- */

int text_write_top(struct report *r, struct out *o, struct err *e);
int text_write_tree(struct report *r, struct out *o, struct err *e);
int text_write_list(struct report *r, struct out *o, struct err *e);
int text_write_traces(struct report *r, struct out *o, struct err *e);
int text_write_raw(struct report *r, struct out *o, struct err *e);
int text_write_tags(struct report *r, struct out *o, struct err *e);
int text_write_comments(struct report *r, struct out *o, struct err *e);
int text_write_dot(struct report *r, struct out *o, struct err *e);
int text_write_callgrind(struct report *r, struct out *o, struct err *e);
int text_write_flame(struct report *r, struct out *o, struct err *e);
int text_write_disasm(struct report *r, struct out *o, struct err *e);
int text_write_weblist(struct report *r, struct out *o, struct err *e);
int proto_write(struct report *r, struct out *o, struct err *e);
int proto_write_top(struct report *r, struct out *o, struct err *e);

#endif
