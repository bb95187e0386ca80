/*
 * arith.h - 64-bit sums that wrap instead of being undefined.
 *
 * Values come from files that anyone may have written; a sum of them may pass
 * 2^63.  It then wraps, as it does in the Go tool that these reports are equal
 * to, and the report shows a wrong number for wrong input: never a crash.
 */
#ifndef PROFLAB_REPORT_ARITH_H
#define PROFLAB_REPORT_ARITH_H

#include <stdint.h>

static inline int64_t i64_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t i64_neg(int64_t a)
{
	return (int64_t)(0 - (uint64_t)a);
}

static inline int64_t i64_abs(int64_t a)
{
	return a < 0 ? i64_neg(a) : a;
}

static inline int64_t i64_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* b is not 0.  INT64_MIN / -1 would trap. */
static inline int64_t i64_div(int64_t a, int64_t b)
{
	return b == -1 ? i64_neg(a) : a / b;
}

/* What cannot be represented becomes INT64_MIN, as the processor does it. */
static inline int64_t i64_from_double(double d)
{
	if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
		return INT64_MIN;
	return (int64_t)d;
}

#endif
