/* proto.c - -proto and -topproto: a report that is a profile again. */
#include "report/context.h"

#include "base/err.h"
#include "profile/encode.h"
#include "report/arith.h"
#include "report/export.h"

static int out_write(void *arg, const void *data, size_t len)
{
	struct out *o = arg;
	out_bytes(o, data, len);
	return o->failed;
}

static int encode(const struct profile *p, struct out *o, struct err *e)
{
	const struct sink sink = { out_write, o };
	o->nul_byte = '\0'; /* what gzip writes is no text */
	return profile_encode(p, PROFILE_GZIP, &sink, e);
}

int proto_write(struct report *r, struct out *o, struct err *e)
{
	const struct export_options options = { .ratio = r->ratio };
	struct profile *p = NULL;
	int rc = export_view(&r->view, &options, &p);
	if (!rc)
		rc = encode(p, o, e);
	profile_free(p);
	return rc;
}

/* ---- the top as a profile ------------------------------------------------ */

static int add_node(const struct report *r, const struct graph_node *n,
		    struct profile *to)
{
	const struct view *v = &r->view;
	const struct profile_function f = {
		.name = profile_intern(to, view_str(v, n->info.name)),
		.filename = profile_intern(to, view_str(v, n->info.file)),
		.start_line = n->info.start_line,
	};
	if (f.name == PROFILE_NONE || f.filename == PROFILE_NONE)
		return ERR_NOMEM;
	const struct profile_line line = {
		.function = profile_add_function(to, &f),
		.line = n->info.line,
	};
	const uint32_t location = profile_add_location(
		to, PROFILE_NONE, n->info.address, &line, 1);
	const int64_t values[] = {
		i64_from_double(measure_scale(graph_cum(n), r->sample_unit,
					      r->unit, NULL)),
		i64_from_double(measure_scale(graph_flat(n), r->sample_unit,
					      r->unit, NULL)),
	};
	return location == PROFILE_NONE ||
			       profile_add_sample(to, &location, 1, values,
						  NULL, 0) == PROFILE_NONE
		       ? ERR_NOMEM
		       : 0;
}

int proto_write_top(struct report *r, struct out *o, struct err *e)
{
	struct trimmed t;
	struct profile *to = NULL;
	const struct profile *p = r->view.p;
	int rc = report_trimmed_graph(r, &t);
	if (rc)
		goto out;
	report_choose_unit(r, &t.g);
	rc = ERR_NOMEM;
	to = profile_new();
	if (!to ||
	    profile_add_sample_type(to, "cum", r->unit) == PROFILE_NONE ||
	    profile_add_sample_type(to, "flat", r->unit) == PROFILE_NONE)
		goto out;
	profile_set_nul_byte(to, profile_nul_byte(p));
	to->time_nanos = p->time_nanos;
	to->duration_nanos = p->duration_nanos;
	to->period = p->period;
	to->period_type.type =
		profile_intern(to, profile_str(p, p->period_type.type));
	to->period_type.unit =
		profile_intern(to, profile_str(p, p->period_type.unit));
	rc = 0;
	for (size_t i = 0; i < t.g.n_order && !rc; i++)
		rc = add_node(r, &t.g.nodes[t.g.order[i]], to);
	if (!rc)
		rc = encode(to, o, e);
out:
	profile_free(to);
	graph_free(&t.g);
	return rc;
}
