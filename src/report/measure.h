/*
 * measure.h - values in units, as people read them: "1.50MB", "20ms", "7".
 *
 * Units of one kind (bytes, time, GCU) convert into each other; a unit that
 * none knows stays as it is.  "minimum" and "auto" as a target choose the
 * largest unit in which the value is at least 1.
 */
#ifndef PROFLAB_REPORT_MEASURE_H
#define PROFLAB_REPORT_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * value, given in unit `from`, in unit `to`.
 * *ret_unit is what to print behind it: a constant, or `to` itself, or ""
 * where the unit says nothing ("count").  It may be NULL.
 */
double measure_scale(int64_t value, const char *from, const char *to,
		     const char **ret_unit);

/* Longer units than this are cut in a label. */
enum { MEASURE_LABEL_MAX = 256, MEASURE_PERCENT_MAX = 32 };

/* The scaled value with its unit: two decimals unless they are 00. */
char *measure_label(int64_t value, const char *from, const char *to,
		    char buf[static MEASURE_LABEL_MAX]);

/* " 12.34%", six or more wide; total 0 counts as 0 %. */
char *measure_percent(int64_t value, int64_t total,
		      char buf[static MEASURE_PERCENT_MAX]);
/* The same without spaces around it. */
const char *measure_percent_trimmed(int64_t value, int64_t total,
				    char buf[static MEASURE_PERCENT_MAX]);

/* Do these two convert into each other (or are they the same)? */
bool measure_compatible(const char *unit1, const char *unit2);

#endif
