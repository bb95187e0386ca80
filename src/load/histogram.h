/*
 * histogram.h - latencies, in nanoseconds, counted in buckets whose width
 * grows with the value (the idea of HdrHistogram).
 *
 * Values below 256 have a bucket each; above, every doubling is cut into 128
 * buckets, so a bucket is at most 1/128 = 0.8 % of its value wide.  A quantile
 * is exact to that width; count, sum, least and greatest are exact.  Recording
 * is an addition, merging and subtracting are loops, the size is fixed: 37 KB.
 */
#ifndef PROFLAB_LOAD_HISTOGRAM_H
#define PROFLAB_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 7,
	HISTOGRAM_MAX_BITS = 43, /* 2 h 26 min; what is above counts as that */
	HISTOGRAM_BUCKETS = (HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1)
			    << HISTOGRAM_SUB_BITS,
};

/* Zeroed, it is empty.  Thread: one at a time. */
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t count;
	double sum_ns;
	int64_t min_ns, max_ns; /* of the exact values; 0 while empty */
};

/* Negative values count as 0. */
void histogram_record(struct histogram *h, int64_t ns);

void histogram_merge(struct histogram *h, const struct histogram *more);

/*
 * What was recorded since `earlier`, a copy of the same histogram.  min_ns and
 * max_ns of the result are those of its buckets.
 */
void histogram_subtract(struct histogram *h, const struct histogram *earlier);

/*
 * The least value such that at least the share q of all values are no greater:
 * the upper end of its bucket, though never beyond the greatest value.
 * 0 while empty.
 */
int64_t histogram_quantile(const struct histogram *h, double q);

/* 0 while empty. */
double histogram_mean(const struct histogram *h);

/* The bucket of a value; the least and the greatest value of a bucket. */
size_t histogram_bucket(int64_t ns);
int64_t histogram_bucket_low(size_t bucket);
int64_t histogram_bucket_high(size_t bucket);

#endif
