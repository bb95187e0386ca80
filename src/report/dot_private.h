/*
 * dot_private.h - what the files that write graphs in graphviz's language
 * share; not for others.
 */
#ifndef PROFLAB_REPORT_DOT_PRIVATE_H
#define PROFLAB_REPORT_DOT_PRIVATE_H

#include "report/context.h"

struct buf;
struct regex;

/* The patterns by which a long name is cut to what tells it apart. */
struct shortener {
	struct regex *anonymous, *version, *parts[3];
};

int shortener_init(struct shortener *s, struct err *e);
void shortener_free(struct shortener *s);
/* Append what is left of name.  Returns: 0 or ERR_NOMEM. */
int shortener_cut(const struct shortener *s, const char *name, struct buf *b);

/* The graph that is being written. */
struct picture {
	struct report *r;
	struct graph *g;
	struct out *o;
	struct shortener shortener;
	uint32_t *id; /* by node; 0 = not shown */
	bool *has_boxes;
	double max_flat;
};

/*
 * Append a text that has escapes of its own; only a quote would end it early.
 * The Go tool lets it, so -dot does the same; what is drawn is kept whole.
 */
void dot_append_label(const struct picture *p, struct buf *b, const char *s);

/* The boxes beside a node: labels of its samples.  Returns: 0, ERR_NOMEM. */
int dot_write_boxes(struct picture *p, uint32_t node);

#endif
