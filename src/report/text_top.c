/* text_top.c - -top and -text: nodes, heaviest first. */
#include "report/context.h"

#include "report/arith.h"

/* Was every call of the node inlined, some, or none? */
static const char *inline_mark(const struct graph *g,
			       const struct graph_node *n)
{
	bool inlined = false, called = false;
	for (uint32_t i = n->in_first; i != GRAPH_NONE;
	     i = g->edges[i].next_in) {
		if (g->edges[i].is_dead)
			continue;
		if (g->edges[i].is_inline)
			inlined = true;
		else
			called = true;
	}
	if (!inlined)
		return "";
	return called ? " (partial-inline)" : " (inline)";
}

static void write_row(const struct report *r, struct out *o,
		      const struct graph *g, const struct graph_node *n,
		      int64_t sum)
{
	char value[MEASURE_LABEL_MAX], percent[MEASURE_PERCENT_MAX];
	const int64_t flat = graph_flat(n), cum = graph_cum(n);
	out_pad(o, 10, report_format(r, flat, value));
	out_char(o, ' ');
	out_str(o, measure_percent(flat, r->total, percent));
	out_char(o, ' ');
	out_str(o, measure_percent(sum, r->total, percent));
	out_char(o, ' ');
	out_pad(o, 10, report_format(r, cum, value));
	out_char(o, ' ');
	out_str(o, measure_percent(cum, r->total, percent));
	out_str(o, "  ");
	out_str(o, n->printable);
	out_str(o, inline_mark(g, n));
	out_char(o, '\n');
}

int text_write_top(struct report *r, struct out *o, struct err *e)
{
	(void)e;
	struct trimmed t;
	struct label_list labels = { 0 };
	int rc = report_trimmed_graph(r, &t);
	if (!rc) {
		report_choose_unit(r, &t.g);
		rc = labels_of_report(r, &t, false, &labels);
	}
	if (rc)
		goto out;
	labels_write(&labels, o);
	out_str(o, "      flat  flat%   sum%        cum   cum%\n");
	int64_t sum = 0;
	for (size_t i = 0; i < t.g.n_order; i++) {
		const struct graph_node *n = &t.g.nodes[t.g.order[i]];
		sum = i64_add(sum, graph_flat(n));
		write_row(r, o, &t.g, n, sum);
	}
out:
	labels_free(&labels);
	graph_free(&t.g);
	return rc;
}
