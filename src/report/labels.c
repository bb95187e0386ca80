/*
 * labels.c - the lines above a report: which profile this is, which filters
 * hold, how much of it is shown.
 */
#include "report/context.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/gotime.h"
#include "report/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_line(struct label_list *l, char *line)
{
	if (!line || grow_rows(&l->lines, &l->cap, l->n + 1, sizeof(char *)))
		return ERR_NOMEM;
	l->lines[l->n++] = line;
	return 0;
}

static int add_duration(const struct report *r, struct label_list *l)
{
	const struct profile *p = r->view.p;
	char duration[MEASURE_LABEL_MAX], total[MEASURE_LABEL_MAX];
	char percent[MEASURE_PERCENT_MAX], ratio[MEASURE_PERCENT_MAX + 2] = "";
	const char *unit;
	const double ns =
		measure_scale(r->total, r->sample_unit, "nanoseconds", &unit);
	if (strcmp(unit, "ns") == 0 && ns != 0)
		snprintf(ratio, sizeof(ratio), "(%s)",
			 measure_percent(i64_from_double(ns), p->duration_nanos,
					 percent));
	return add_line(
		l,
		arena_printf(&l->arena, "Duration: %s, Total samples = %s %s",
			     measure_label(p->duration_nanos, "nanoseconds",
					   "auto", duration),
			     report_format(r, r->total, total), ratio));
}

int labels_of_profile(const struct report *r, struct label_list *l)
{
	const struct profile *p = r->view.p;
	struct arena *a = &l->arena;
	int rc = 0;
	if (p->n_mappings) {
		if (r->title)
			rc = add_line(l, arena_printf(a, "File: %s", r->title));
		const char *id = profile_str(p, p->mappings[0].build_id);
		if (!rc && *id)
			rc = add_line(l, arena_printf(a, "Build ID: %s", id));
	}
	/* Comments that begin with '#' are for machines. */
	for (size_t i = 0; i < p->n_comments && !rc; i++) {
		const char *text = profile_str(p, p->comments[i]);
		if (*text != '#')
			rc = add_line(l, arena_text(a, text, strlen(text)));
	}
	if (!rc && *r->sample_type)
		rc = add_line(l, arena_printf(a, "Type: %s", r->sample_type));
	if (!rc && p->time_nanos) {
		char time[GOTIME_MAX];
		rc = add_line(
			l, arena_printf(a, "Time: %s",
					gotime_kitchen(p->time_nanos, time)));
	}
	if (!rc && p->duration_nanos)
		rc = add_duration(r, l);
	return rc;
}

static int add_filters(const struct report *r, struct label_list *l)
{
	const struct report_options *o = &r->o;
	const struct {
		const char *name, *value;
	} filters[] = {
		{ "focus", o->focus },	       { "ignore", o->ignore },
		{ "hide", o->hide },	       { "show", o->show },
		{ "show_from", o->show_from }, { "tagfocus", o->tagfocus },
		{ "tagignore", o->tagignore }, { "tagshow", o->tagshow },
		{ "taghide", o->taghide },
	};
	enum { SHOWN_MAX = 80 };
	bool any = false;
	int rc = 0;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		if (!filters[i].value || !*filters[i].value)
			continue;
		if (!any)
			rc = add_line(l, arena_printf(&l->arena,
						      "Active filters:"));
		any = true;
		char *line = arena_printf(&l->arena, "   %s=%s",
					  filters[i].name, filters[i].value);
		if (line && strlen(line) > SHOWN_MAX + 3)
			line = arena_printf(&l->arena, "%.*s\u2026",
					    SHOWN_MAX + 3, line);
		if (!rc)
			rc = add_line(l, line);
		if (rc)
			return rc;
	}
	return 0;
}

static int add_dropped(const struct report *r, struct label_list *l, size_t n,
		       const char *what, const char *by, double fraction)
{
	if (!n)
		return 0;
	char value[MEASURE_LABEL_MAX];
	const int64_t cutoff =
		i64_abs(i64_from_double((double)r->total * fraction));
	return add_line(l,
			arena_printf(&l->arena, "Dropped %zu %s%s (%s <= %s)",
				     n, what, n > 1 ? "s" : "", by,
				     report_format(r, cutoff, value)));
}

int labels_of_report(const struct report *r, const struct trimmed *t, bool full,
		     struct label_list *l)
{
	int rc = 0;
	if (full || !r->o.compact_labels)
		rc = labels_of_profile(r, l);
	if (!rc)
		rc = add_filters(r, l);
	int64_t flat = 0;
	for (size_t i = 0; i < t->g.n_order; i++)
		flat = i64_add(flat, graph_flat(&t->g.nodes[t->g.order[i]]));
	char part[MEASURE_LABEL_MAX], whole[MEASURE_LABEL_MAX];
	char percent[MEASURE_PERCENT_MAX];
	if (!rc)
		rc = add_line(
			l, arena_printf(&l->arena,
					"Showing nodes accounting for %s, %s "
					"of %s total",
					report_format(r, flat, part),
					measure_percent_trimmed(flat, r->total,
								percent),
					report_format(r, r->total, whole)));
	if (!rc && r->total) {
		rc = add_dropped(r, l, t->dropped_nodes, "node", "cum",
				 r->o.node_fraction);
		if (!rc && full)
			rc = add_dropped(r, l, t->dropped_edges, "edge", "freq",
					 r->o.edge_fraction);
		if (!rc && t->g.n_order && t->g.n_order < t->n_before)
			rc = add_line(l,
				      arena_printf(&l->arena,
						   "Showing top %zu nodes "
						   "out of %zu",
						   t->g.n_order, t->n_before));
	}
	if (!rc && full)
		rc = add_line(l, arena_printf(&l->arena,
					      "\nSee https://git.io/JfYMW for "
					      "how to read the graph"));
	return rc;
}

void labels_write(const struct label_list *l, struct out *o)
{
	for (size_t i = 0; i < l->n; i++) {
		out_str(o, l->lines[i]);
		out_char(o, '\n');
	}
	if (!l->n)
		out_char(o, '\n');
}

void labels_free(struct label_list *l)
{
	free(l->lines);
	arena_free(&l->arena);
	*l = (struct label_list){ 0 };
}
