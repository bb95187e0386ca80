/*
 * spark.h - a row of figures as a row of characters, one each.
 */
#ifndef PROFLAB_TOOLS_SPARK_H
#define PROFLAB_TOOLS_SPARK_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Does the terminal, by the environment's locale, show UTF-8?  Sets LC_CTYPE
 * of the process.  Thread: before others are started.
 */
bool spark_utf8(void);

/*
 * One character a figure, from low (the lowest) to high (the highest); what
 * lies outside is drawn at the border, NAN as a blank.  low = high: all lowest.
 */
void spark_append(struct buf *to, const double *values, size_t n, double low,
		  double high, bool utf8);

#endif
