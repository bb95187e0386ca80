/*
 * points.h - the sampling points of one thread: the moments first, first +
 * period, first + 2 * period, ... of its own CPU clock.
 *
 * A sample is a point.  With first uniform in (birth, birth + period], a
 * thread that uses L ns of CPU passes L / period points in expectation,
 * however short it lives: that is what makes totals unbiased.  A timer
 * delivers most points, late (on the kernel's tick) and several at once (its
 * overrun); those that no signal delivered are added when the thread ends.
 */
#ifndef PROFLAB_PPROF_POINTS_H
#define PROFLAB_PPROF_POINTS_H

#include <stdint.h>

/* How many points lie at or before the clock's value now. */
static inline int64_t points_passed(int64_t first, int64_t period, int64_t now)
{
	return now < first ? 0 : (now - first) / period + 1;
}

/*
 * The phase of the seq-th thread, in [1, period]: fractions of the golden
 * ratio's multiples, from a random start.  Each alone is uniform, as a random
 * draw would be; but the phases of many short threads cover the period evenly,
 * so that the total of n of them is off by about log n points, not by sqrt n.
 */
static inline int64_t points_phase(uint64_t start, uint64_t seq, int64_t period)
{
	const uint64_t fraction = start + seq * UINT64_C(0x9e3779b97f4a7c15);
	return 1 + (int64_t)((__uint128_t)fraction * (uint64_t)period >> 64);
}

#endif
