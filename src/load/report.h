/*
 * report.h - a run's results, for people and for machines.
 */
#ifndef PROFLAB_LOAD_REPORT_H
#define PROFLAB_LOAD_REPORT_H

#include "load/options.h"
#include "load/results.h"

struct buf;

/*
 * The summary, as the exercise's load tester prints it and with the quantiles
 * that it lacks.  elapsed_ns: the time in which requests were sent.
 * Returns: 0, ERR_NOMEM, ERR_LIMIT.
 */
int report_summary(struct buf *to, const struct load_options *options,
		   const struct results *results, int64_t elapsed_ns);

/* The same as one JSON object and a newline.  Times in milliseconds. */
int report_json(struct buf *to, const struct load_options *options,
		const struct results *results, int64_t elapsed_ns);

/*
 * One line, without a newline, about the interval from `before` to `now`.
 * interval_ns must be above 0.
 */
int report_progress(struct buf *to, const struct results *before,
		    const struct results *now, int64_t elapsed_ns,
		    int64_t interval_ns);

#endif
