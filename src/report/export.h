/*
 * export.h - a view as a profile of its own.
 */
#ifndef PROFLAB_REPORT_EXPORT_H
#define PROFLAB_REPORT_EXPORT_H

#include "report/view.h"

struct export_options {
	double ratio; /* multiplies all values; 0 or 1: as they are */
	/* A text label that every sample gets, in place of one of that key. */
	const char *key, *value;
};

/* Returns: 0 and a profile that the caller owns, or ERR_NOMEM. */
int export_view(const struct view *v, const struct export_options *o,
		struct profile **ret_profile);

#endif
