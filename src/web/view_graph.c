/* view_graph.c - "graph": the call graph as graphviz draws it. */
#include "web/subject.h"

#include "base/err.h"
#include "base/sink.h"
#include "web/webjson.h"

#include <string.h>

/* What stands before <svg is of no use inside a page. */
static const char *skip_prolog(const char *svg)
{
	const char *at = strstr(svg, "<svg");
	return at ? at : svg;
}

int web_graph(struct web_call *c)
{
	const struct web_options *o = &c->s->options;
	if (!o->draw)
		return err_set(c->e, ERR_UNSUPPORTED, "%s",
			       o->no_graph ? o->no_graph
					   : "graphs are not drawn here");
	struct report *r;
	struct buf svg = { .cap = 64 << 20 };
	const struct profile *p = c->s->both ? c->s->both : c->s->p;
	int rc = web_open(c, p, "graph", NULL, &r);
	if (rc)
		return rc;
	const struct sink sink = sink_buf(&svg);
	rc = report_write(r, &sink, c->e);
	if (!rc && o->draw(&svg, c->e))
		rc = ERR_UNSUPPORTED;
	if (!rc) {
		web_write_head(c, r);
		webjson_text(c->j, "svg", skip_prolog(buf_str(&svg)));
	}
	buf_free(&svg);
	report_close(r);
	return rc;
}
