/* text_tree.c - -tree and -peek: nodes with their callers and callees. */
#include "report/context.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/regex.h"

#include <string.h>

static const char separator[] =
	"----------------------------------------------------------+"
	"-------------\n";
static const char legend[] = "      flat  flat%   sum%        cum   cum%   "
			     "calls calls% + context \t \t \n";

static int write_edges(const struct report *r, struct out *o, struct graph *g,
		       uint32_t node, bool in, int64_t cum)
{
	struct graph_edge **edges;
	size_t n;
	const int rc = graph_sorted_edges(g, node, in, &edges, &n);
	for (size_t i = 0; !rc && i < n; i++) {
		const struct graph_edge *e = edges[i];
		char value[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
		out_pad(o, 50, report_format(r, e->weight, value));
		out_char(o, ' ');
		out_str(o, measure_percent(e->weight, cum, percent));
		out_str(o, " |   ");
		out_str(o, g->nodes[in ? e->src : e->dest].printable);
		out_str(o, e->is_inline ? " (inline)\n" : "\n");
	}
	return rc;
}

static int write_node(const struct report *r, struct out *o, struct graph *g,
		      uint32_t node, int64_t *sum)
{
	const struct graph_node *n = &g->nodes[node];
	const int64_t flat = graph_flat(n), cum = graph_cum(n);
	char value[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
	out_str(o, separator);
	int rc = write_edges(r, o, g, node, true, cum);
	if (rc)
		return rc;
	*sum = i64_add(*sum, flat);
	out_pad(o, 10, report_format(r, flat, value));
	out_char(o, ' ');
	out_str(o, measure_percent(flat, r->total, percent));
	out_char(o, ' ');
	out_str(o, measure_percent(*sum, r->total, percent));
	out_char(o, ' ');
	out_pad(o, 10, report_format(r, cum, value));
	out_char(o, ' ');
	out_str(o, measure_percent(cum, r->total, percent));
	out_str(o, "                | ");
	out_str(o, n->printable);
	out_char(o, '\n');
	return write_edges(r, o, g, node, false, cum);
}

static bool is_asked_for(const struct report *r, const char *name)
{
	return !r->symbol || regex_match(r->symbol, name, strlen(name));
}

int text_write_tree(struct report *r, struct out *o, struct err *e)
{
	struct trimmed t;
	struct label_list labels = { 0 };
	int rc = report_trimmed_graph(r, &t);
	if (rc)
		goto out;
	bool matched = false;
	for (size_t i = 0; i < t.g.n_order && !matched; i++)
		matched = is_asked_for(r, t.g.nodes[t.g.order[i]].printable);
	if (r->symbol && !matched) {
		rc = err_set(e, ERR_NOTFOUND, "no matches found for regexp: %s",
			     regex_source(r->symbol));
		goto out;
	}
	report_choose_unit(r, &t.g);
	rc = labels_of_report(r, &t, false, &labels);
	if (rc)
		goto out;
	labels_write(&labels, o);
	out_str(o, separator);
	out_str(o, legend);
	int64_t sum = 0;
	for (size_t i = 0; i < t.g.n_order && !rc; i++)
		if (is_asked_for(r, t.g.nodes[t.g.order[i]].printable))
			rc = write_node(r, o, &t.g, t.g.order[i], &sum);
	if (t.g.n_order)
		out_str(o, separator);
out:
	labels_free(&labels);
	graph_free(&t.g);
	return rc;
}
