/*
 * filter.h - which stacks, frames and labels a report is about.
 *
 * Each function is one option of the tool, applied to a view in the order in
 * which the tool applies them (filter_apply does them all).  A frame is known
 * by its function's name, its file and its mapping's file.
 */
#ifndef PROFLAB_REPORT_FILTER_H
#define PROFLAB_REPORT_FILTER_H

#include "report/view.h"

struct err;
struct regex;
struct report_options;
struct report_warn;

/*
 * focus, ignore, hide, show, show_from, tagfocus, tagignore, tagshow,
 * taghide, prune_from of o.  Warns of each that matched nothing.
 * Returns: 0; ERR_INVALID for an expression that is none; ERR_NOMEM.
 */
int filter_apply(struct view *v, const struct view_units *units,
		 const struct report_options *o, const struct report_warn *warn,
		 struct err *e);

/* Cut from each stack the frames that the profile itself calls dull. */
int filter_drop_frames(struct view *v, struct err *e);

/*
 * tagroot and tagleaf: frames made of labels, at the root and the leaf.
 * keys is a comma-separated list, or NULL.  Returns: 0 or ERR_NOMEM.
 */
int filter_add_label_frames(struct view *v, const struct report_options *o,
			    const struct report_warn *warn);

#endif
