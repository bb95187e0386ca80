/* report.c - see report.h and context.h. */
#include "report/report.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/context.h"
#include "report/filter.h"
#include "report/gopath.h"
#include "report/regex.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ------------------------------------------------------------- */

static void override_options(struct report *r)
{
	const unsigned flags = r->kind->flags;
	if (flags & KIND_ADDRESSES)
		r->o.granularity = REPORT_ADDRESSES;
	if (flags & KIND_LINES)
		r->o.granularity = REPORT_LINES;
	if (flags & KIND_FORCE_INLINES)
		r->o.noinlines = false;
	if (flags & KIND_NO_INLINES)
		r->o.noinlines = true;
	if (r->o.node_count == -1)
		r->o.node_count = flags & KIND_ALL_NODES ? 0 : 80;
	if (!r->o.trim || flags & KIND_UNTRIMMED) {
		r->o.node_count = 0;
		r->o.node_fraction = 0;
		r->o.edge_fraction = 0;
	}
}

static void print_types(const struct profile *p, struct buf *b)
{
	buf_append_char(b, '[');
	for (size_t i = 0; i < p->n_sample_types; i++)
		buf_printf(b, "%s%s", i ? " " : "",
			   profile_str(p, p->sample_types[i].type));
	buf_append_char(b, ']');
}

static bool names_type(const struct profile *p, size_t i, const char *name)
{
	return strcmp(profile_str(p, p->sample_types[i].type), name) == 0;
}

int report_find_value(const struct profile *p, const char *name,
		      size_t *ret_index, struct err *e)
{
	const size_t n = p->n_sample_types;
	if (!n)
		return err_set(e, ERR_INVALID, "profile has no samples");
	if (!name || !*name) {
		*ret_index = n - 1;
		for (size_t i = n; p->default_sample_type && i-- > 0;)
			if (names_type(p, i,
				       profile_str(p, p->default_sample_type)))
				*ret_index = i;
		return 0;
	}
	char *end;
	errno = 0;
	const long long number = strtoll(name, &end, 10);
	if (!errno && !*end &&
	    (*name == '-' || *name == '+' || (*name >= '0' && *name <= '9'))) {
		if (number < 0 || (unsigned long long)number >= n)
			return err_set(e, ERR_INVALID,
				       "sample_index %s is outside the range "
				       "[0..%zu]",
				       name, n - 1);
		*ret_index = (size_t)number;
		return 0;
	}
	/* Old heap profiles call "inuse_space" just "space". */
	const char *short_name = strncmp(name, "inuse_", 6) ? name : name + 6;
	for (size_t i = 0; i < n; i++)
		if (names_type(p, i, name) || names_type(p, i, short_name)) {
			*ret_index = i;
			return 0;
		}
	struct buf types = { 0 };
	print_types(p, &types);
	err_set(e, ERR_INVALID, "sample_index \"%s\" must be one of: %s", name,
		buf_str(&types));
	buf_free(&types);
	return ERR_INVALID;
}

static int choose_value(struct report *r, struct err *e)
{
	const struct profile *p = r->view.p;
	const int rc = report_find_value(p, r->o.sample_index, &r->value, e);
	if (rc)
		return rc;
	const struct profile_value_type *t = &p->sample_types[r->value];
	r->sample_unit = profile_str(p, t->unit);
	r->sample_type = profile_str(p, t->type);
	if (r->o.mean)
		r->sample_type =
			arena_printf(&r->view.arena, "mean_%s", r->sample_type);
	if (!r->sample_type)
		return ERR_NOMEM;
	if (r->o.divide_by == 0)
		return err_set(e, ERR_INVALID, "zero divisor specified");
	r->ratio = 1 / r->o.divide_by;
	r->unit = r->o.unit;
	return 0;
}

/* A sample of a difference's base carries this label. */
static bool is_base(const struct view *v, const struct view_sample *s,
		    uint32_t key)
{
	const struct profile_span span = v->p->sample_labels[s->row];
	for (uint32_t i = 0; i < span.count; i++) {
		const struct profile_label *l = &v->p->labels[span.first + i];
		if (l->key == key && strcmp(view_str(v, l->str), "true") == 0)
			return true;
	}
	return false;
}

/* Percentages refer to all samples, or to those of the base where marked. */
static int64_t compute_total(const struct report *r)
{
	const struct view *v = &r->view;
	const uint32_t key = profile_find_str(v->p, "pprof::base");
	int64_t total = 0, div = 0, base_total = 0, base_div = 0;
	for (size_t i = 0; i < v->n_samples; i++) {
		const struct view_sample *s = &v->samples[i];
		const int64_t value = i64_abs(view_value(v, s, r->value));
		const int64_t d = r->o.mean ? view_value(v, s, 0) : 0;
		total = i64_add(total, value);
		div = i64_add(div, d);
		if (key == PROFILE_NONE || !is_base(v, s, key))
			continue;
		base_total = i64_add(base_total, value);
		base_div = i64_add(base_div, d);
	}
	if (base_total > 0) {
		total = base_total;
		div = base_div;
	}
	return div ? i64_div(total, div) : total;
}

static void aggregate(struct report *r)
{
	const bool inlines = !r->o.noinlines;
	static const struct view_detail details[] = {
		[REPORT_FUNCTIONS] = { .function = true },
		[REPORT_FILEFUNCTIONS] = { .function = true, .filename = true },
		[REPORT_FILES] = { .filename = true },
		[REPORT_LINES] = { .function = true,
				   .filename = true,
				   .line = true },
		[REPORT_ADDRESSES] = { .function = true,
				       .filename = true,
				       .line = true,
				       .address = true },
	};
	struct view_detail keep = details[r->o.granularity];
	keep.inlines = inlines;
	view_aggregate(&r->view, &keep);
}

static int set_title(struct report *r)
{
	const struct profile *p = r->view.p;
	if (!p->n_mappings || !p->mappings[0].filename)
		return 0;
	struct buf b = { 0 };
	int rc = gopath_base(profile_str(p, p->mappings[0].filename), &b);
	if (!rc) {
		r->title = arena_text(&r->view.arena, buf_str(&b), b.len);
		rc = r->title ? 0 : ERR_NOMEM;
	}
	buf_free(&b);
	return rc;
}

static int prepare(struct report *r, const char *parameter, struct err *e)
{
	int rc = filter_drop_frames(&r->view, e);
	if (!rc)
		rc = view_find_units(&r->view, r->warn.warn, r->warn.arg,
				     &r->units);
	if (!rc)
		rc = filter_add_label_frames(&r->view, &r->o, &r->warn);
	if (!rc && r->o.relative_percentages)
		rc = filter_apply(&r->view, &r->units, &r->o, &r->warn, e);
	if (!rc)
		rc = choose_value(r, e);
	if (!rc)
		rc = set_title(r);
	if (!rc && parameter) {
		rc = regex_compile(parameter, &r->symbol, e);
		if (rc == ERR_INVALID)
			err_prefix(e, rc, "parsing argument regexp %s",
				   parameter);
	}
	if (rc)
		return rc;
	r->total = compute_total(r);
	if (!r->o.relative_percentages)
		rc = filter_apply(&r->view, &r->units, &r->o, &r->warn, e);
	if (!rc)
		aggregate(r);
	return rc;
}

int report_open(const struct profile *p, const struct report_kind *kind,
		const char *parameter, const struct report_options *o,
		const struct report_warn *warn, struct report **ret_report,
		struct err *e)
{
	struct report *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_NOMEM;
	r->kind = kind;
	r->o = *o;
	if (!r->o.unit)
		r->o.unit = "minimum";
	if (warn)
		r->warn = *warn;
	override_options(r);
	int rc = view_init(&r->view, p);
	if (!rc)
		rc = prepare(r, parameter, e);
	if (rc) {
		if (rc == ERR_NOMEM)
			err_set(e, rc, "out of memory");
		report_close(r);
		return rc;
	}
	*ret_report = r;
	return 0;
}

void report_close(struct report *r)
{
	if (!r)
		return;
	regex_free(r->symbol);
	view_units_free(&r->units);
	view_free(&r->view);
	free(r);
}

int report_write(struct report *r, const struct sink *sink, struct err *e)
{
	struct out *o = malloc(sizeof(*o));
	if (!o)
		return err_set(e, ERR_NOMEM, "out of memory");
	out_init(o, sink);
	o->nul_byte = profile_nul_byte(r->view.p);
	int rc = r->kind->write(r, o, e);
	if (!rc)
		rc = out_finish(o);
	free(o);
	if (rc == ERR_NOMEM)
		err_set(e, rc, "out of memory");
	return rc;
}

int report_describe(const struct report *r, const struct sink *sink)
{
	struct label_list labels = { 0 };
	struct out *o = malloc(sizeof(*o));
	int rc = o ? labels_of_profile(r, &labels) : ERR_NOMEM;
	if (!rc) {
		out_init(o, sink);
		o->nul_byte = profile_nul_byte(r->view.p);
		labels_write(&labels, o);
		rc = out_finish(o);
	}
	labels_free(&labels);
	free(o);
	return rc;
}

int64_t report_total(const struct report *r)
{
	return r->total;
}

/* ---- values -------------------------------------------------------------- */

char *report_format(const struct report *r, int64_t value,
		    char buf[static MEASURE_LABEL_MAX])
{
	if (r->ratio > 0 && r->ratio != 1)
		value = i64_from_double((double)value * r->ratio);
	return measure_label(value, r->sample_unit, r->unit, buf);
}

char *report_format_or_dot(const struct report *r, int64_t value,
			   char buf[static MEASURE_LABEL_MAX])
{
	if (value)
		return report_format(r, value, buf);
	buf[0] = '.';
	buf[1] = '\0';
	return buf;
}

int64_t report_sample_value(const struct report *r, const struct view_sample *s)
{
	const int64_t value = view_value(&r->view, s, r->value);
	const int64_t div = r->o.mean ? view_value(&r->view, s, 0) : 0;
	return div ? i64_div(value, div) : value;
}

/* ---- the graph ----------------------------------------------------------- */

/*
 * Cut what file names share with the source and trim paths.  Each graph that
 * is built does it again, to what is left, as the Go tool does.
 */
static int trim_file_names(struct report *r, bool *ret_changed)
{
	*ret_changed = false;
	struct view *v = &r->view;
	for (size_t i = 0; i < v->n_functions; i++) {
		uint32_t *name = &v->functions[i].filename;
		if (!*name)
			continue;
		const char *s = view_str(v, *name);
		const size_t cut =
			gopath_trim(s, r->o.trim_path, r->o.source_path);
		if (!cut)
			continue;
		const uint32_t rest =
			view_intern(v, s + cut, view_str_len(v, *name) - cut);
		if (rest == PROFILE_NONE)
			return ERR_NOMEM;
		*name = rest;
		*ret_changed = true;
	}
	return 0;
}

static bool is_tree(const struct report *r)
{
	return r->o.call_tree && r->kind->flags & KIND_TREE;
}

static int build_graph(struct report *r, const struct graph_set *kept,
		       enum graph_edges edges, struct graph *ret)
{
	const struct graph_options o = {
		.value = r->value,
		.mean = r->o.mean,
		.object_names = r->kind->flags & KIND_OBJECT_NAMES,
		.call_tree = is_tree(r),
		.drop_negative = r->o.drop_negative,
		.tags = r->kind->flags & KIND_VISUAL,
		.edges = edges,
		.unit = r->unit,
		.units = &r->units,
		.kept = kept,
	};
	return graph_build(ret, &r->view, &o);
}

int report_graph(struct report *r, const struct graph_set *kept,
		 enum graph_edges edges, struct graph *ret)
{
	bool unused;
	*ret = (struct graph){ 0 };
	const int rc = trim_file_names(r, &unused);
	return rc ? rc : build_graph(r, kept, edges, ret);
}

/* Keep n nodes, without looking at the samples again. */
static void keep_nodes(struct graph *g, const uint32_t *order, size_t n)
{
	for (size_t i = 0; i < g->n_order; i++)
		g->nodes[g->order[i]].is_kept = false;
	memmove(g->order, order, n * sizeof(*order));
	g->n_order = n;
	for (size_t i = 0; i < n; i++)
		g->nodes[g->order[i]].is_kept = true;
}

/*
 * The graph of the first n nodes of order alone.  Edges and labels go past
 * nodes that are taken out, so it is built anew; the nodes' own values do
 * not change.
 */
static int rebuild(struct report *r, struct trimmed *t, const uint32_t *order,
		   size_t n, enum graph_edges edges)
{
	struct graph_set kept;
	struct graph g;
	bool changed;
	int rc = trim_file_names(r, &changed);
	if (rc)
		return rc;
	if (!changed && edges == GRAPH_INLINE_EDGES && !t->g.n_edges &&
	    !(r->kind->flags & KIND_VISUAL)) {
		keep_nodes(&t->g, order, n);
		return 0;
	}
	rc = graph_set_init(&kept, &t->g, order, n);
	if (rc)
		return rc;
	rc = build_graph(r, &kept, edges, &g);
	graph_free(&t->g);
	t->g = g;
	graph_set_free(&kept);
	return rc;
}

/* First step: nodes that are too light go. */
static int drop_light_nodes(struct report *r, struct trimmed *t, int64_t cutoff,
			    enum graph_edges edges)
{
	const size_t n = graph_count_frequent(&t->g, cutoff);
	if (cutoff <= 0 || n == t->g.n_order)
		return 0;
	t->dropped_nodes = t->g.n_order - n;
	uint32_t *kept = calloc(n + 1, sizeof(*kept));
	if (!kept)
		return ERR_NOMEM;
	graph_move_frequent(&t->g, cutoff, kept);
	const int rc = is_tree(r) ? graph_trim_tree(&t->g, kept, n)
				  : rebuild(r, t, kept, n, edges);
	free(kept);
	return rc;
}

/* Second step: no more nodes than asked for. */
static int limit_nodes(struct report *r, struct trimmed *t, int64_t node_cutoff,
		       int64_t edge_cutoff, enum graph_order by,
		       enum graph_edges edges)
{
	if (r->o.node_count <= 0)
		return 0;
	/* Light labels and edges go first: they would sway the choice. */
	graph_drop_tags(&t->g, node_cutoff);
	graph_drop_edges(&t->g, edge_cutoff);
	const size_t n = graph_count_top(&t->g, (size_t)r->o.node_count,
					 r->kind->flags & KIND_VISUAL);
	if (n == t->g.n_order)
		return 0;
	const int rc = is_tree(r) ? graph_trim_tree(&t->g, t->g.order, n)
				  : rebuild(r, t, t->g.order, n, edges);
	return rc ? rc : graph_sort(&t->g, by);
}

static int64_t cut_off(int64_t total, double fraction)
{
	return i64_abs(i64_from_double((double)total * fraction));
}

int report_trimmed_graph(struct report *r, struct trimmed *t)
{
	const bool visual = r->kind->flags & KIND_VISUAL;
	const enum graph_order by = visual     ? GRAPH_BY_ENTROPY
				    : r->o.cum ? GRAPH_BY_CUM
					       : GRAPH_BY_FLAT;
	const enum graph_edges edges = r->kind->flags & KIND_EDGES
					       ? GRAPH_ALL_EDGES
					       : GRAPH_INLINE_EDGES;
	*t = (struct trimmed){ 0 };
	int rc = report_graph(r, NULL, edges, &t->g);
	if (rc)
		return rc;
	int64_t total = 0;
	for (size_t i = 0; i < t->g.n_order; i++)
		total = i64_add(total, t->g.nodes[t->g.order[i]].flat);
	const int64_t node_cutoff = cut_off(total, r->o.node_fraction);
	const int64_t edge_cutoff = cut_off(total, r->o.edge_fraction);
	rc = drop_light_nodes(r, t, node_cutoff, edges);
	if (rc)
		return rc;
	t->n_before = t->g.n_order;
	rc = graph_sort(&t->g, by);
	if (!rc)
		rc = limit_nodes(r, t, node_cutoff, edge_cutoff, by, edges);
	if (rc)
		return rc;
	graph_drop_tags(&t->g, node_cutoff);
	t->dropped_edges = graph_drop_edges(&t->g, edge_cutoff);
	return visual ? graph_drop_redundant(&t->g) : 0;
}

void report_choose_unit(struct report *r, const struct graph *g)
{
	if (strcmp(r->unit, "minimum") != 0 || !g->n_order)
		return;
	int64_t min = 0, max = r->total;
	for (size_t i = 0; i < g->n_order; i++) {
		const struct graph_node *n = &g->nodes[g->order[i]];
		int64_t least = i64_abs(graph_flat(n));
		if (!least)
			least = i64_abs(graph_cum(n));
		if (least > 0 && (!min || least < min))
			min = least;
	}
	if (!min)
		min = max;
	if (r->ratio > 0 && r->ratio != 1) {
		min = i64_from_double((double)min * r->ratio);
		max = i64_from_double((double)max * r->ratio);
	}
	const char *unit, *min_unit, *max_unit;
	measure_scale(min, r->sample_unit, "minimum", &min_unit);
	measure_scale(max, r->sample_unit, "minimum", &max_unit);
	unit = min_unit;
	/* A larger unit, in which the least value still is 0.01. */
	if (strcmp(min_unit, max_unit) != 0 && i64_mul(min, 100) < max &&
	    !(r->kind->flags & KIND_INTEGERS))
		measure_scale(i64_mul(min, 100), r->sample_unit, "minimum",
			      &unit);
	r->unit = *unit ? unit : r->sample_unit;
}
