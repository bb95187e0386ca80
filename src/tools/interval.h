/*
 * interval.h - how sure a figure is that rests on samples.
 */
#ifndef PROFLAB_TOOLS_INTERVAL_H
#define PROFLAB_TOOLS_INTERVAL_H

#include <stddef.h>

struct interval {
	double low, high;
};

/*
 * Wilson's score interval for a share of k in n events, at 95 % (Wilson, 1927,
 * J. Am. Stat. Assoc. 22, 209-212).  n 0: all of [0, 1].
 */
struct interval interval_share(double k, double n);

/*
 * For an amount that n events of a Poisson process were scaled up to: value
 * +- 1.96 value / sqrt(n).  n 0 with value 0: [0, 0].
 */
struct interval interval_amount(double value, double n);

/* How many more events until the interval around share p keeps clear of the
 * threshold: for the text of an inconclusive verdict. */
double interval_events_needed(double share, double threshold);

/* What a series of amounts does in time. */
enum trend { TREND_FLAT, TREND_STEADY, TREND_SAWTOOTH };

/*
 * values[i] with the standard error errors[i].  Flat: no value differs from
 * the first by more than 4 errors, nor by more than a tenth of the largest.
 * Steady growth: the last exceeds the first beyond that, and no step down is
 * larger than 4 errors and a tenth of the whole rise.  Else a saw-tooth.
 */
enum trend interval_trend(const double *values, const double *errors, size_t n);

#endif
