/*
 * graph_private.h - how labels get into a graph that is being built; not for
 * others.
 */
#ifndef PROFLAB_REPORT_GRAPH_PRIVATE_H
#define PROFLAB_REPORT_GRAPH_PRIVATE_H

#include "report/graph.h"

#include "base/buf.h"

/* The labels of the sample that is being added. */
struct graph_tagger {
	struct graph *g;
	const struct graph_options *o;
	struct view_labels labels;
	struct buf scratch;
	uint32_t joined; /* all its texts, as one: string of the graph */
	bool has_text;
	uint32_t base_key, bytes_key; /* strings, or PROFILE_NONE */
};

int graph_tagger_init(struct graph_tagger *t, struct graph *g,
		      const struct graph_options *o);
void graph_tagger_free(struct graph_tagger *t);
int graph_tagger_load(struct graph_tagger *t, const struct view_sample *s);
/* Add the value to the tags of a node that the sample runs through. */
int graph_tag_node(struct graph_tagger *t, uint32_t node, int64_t value,
		   int64_t div, bool flat);

#endif
