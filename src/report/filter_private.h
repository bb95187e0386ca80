/*
 * filter_private.h - what filter.c and filter_tags.c share; not for others.
 */
#ifndef PROFLAB_REPORT_FILTER_PRIVATE_H
#define PROFLAB_REPORT_FILTER_PRIVATE_H

#include "report/filter.h"

#include "report/report.h"

#include <stdbool.h>

/* Is the option set?  "" counts as unset, as on the command line. */
static inline bool filter_is_set(const char *option)
{
	return option && *option;
}

static inline void filter_warn_unmatched(const struct report_warn *w,
					 bool matched, const char *text)
{
	if (!matched && w && w->warn)
		w->warn(w->arg, text);
}

/* Compile an option that may be unset: then *ret_regex is NULL. */
int filter_compile(const char *name, const char *value,
		   struct regex **ret_regex, struct err *e);

/* tagfocus and tagignore, then tagshow and taghide. */
int filter_samples_by_tag(struct view *v, const struct view_units *units,
			  const struct report_options *o,
			  const struct report_warn *warn, struct err *e);
int filter_tags_by_name(struct view *v, const struct report_options *o,
			const struct report_warn *warn, struct err *e);

#endif
