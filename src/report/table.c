/* table.c - reports as tables, for programs; see report.h. */
#include "report/context.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static const struct report_kind table_kind = { .name = "table",
					       .flags = KIND_ALL_NODES };

struct table_memory {
	struct report *r;
	struct graph g;
};

int report_functions(const struct profile *p, const struct report_options *o,
		     struct report_table *ret_table, struct err *e)
{
	struct report_table t = { 0 };
	struct table_memory *m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(e, ERR_NOMEM, "out of memory");
	t.memory = m;
	int rc = report_open(p, &table_kind, NULL, o, NULL, &m->r, e);
	if (!rc)
		rc = report_graph(m->r, NULL, GRAPH_NO_EDGES, &m->g);
	if (!rc)
		rc = graph_sort(&m->g, o->cum ? GRAPH_BY_CUM : GRAPH_BY_FLAT);
	if (rc)
		goto fail;
	t.n = m->g.n_order;
	if (o->node_count > 0 && t.n > (size_t)o->node_count)
		t.n = (size_t)o->node_count;
	t.rows = calloc(t.n + 1, sizeof(*t.rows));
	rc = ERR_NOMEM;
	if (!t.rows)
		goto fail;
	for (size_t i = 0; i < t.n; i++) {
		const struct graph_node *n = &m->g.nodes[m->g.order[i]];
		t.rows[i] = (struct report_row){
			.name = view_str(&m->r->view, n->info.name),
			.file = view_str(&m->r->view, n->info.file),
			.address = n->info.address,
			.line = n->info.line,
			.flat = graph_flat(n),
			.cum = graph_cum(n),
		};
	}
	t.total = m->r->total;
	t.sample_type = m->r->sample_type;
	t.unit = m->r->sample_unit;
	*ret_table = t;
	return 0;
fail:
	report_table_free(&t);
	return rc;
}

void report_table_free(struct report_table *t)
{
	struct table_memory *m = t->memory;
	if (m) {
		graph_free(&m->g);
		report_close(m->r);
		free(m);
	}
	free(t->rows);
	*t = (struct report_table){ 0 };
}
