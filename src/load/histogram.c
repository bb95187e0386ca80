/* histogram.c - see histogram.h. */
#include "load/histogram.h"

#include <math.h>

enum { SUB = 1 << HISTOGRAM_SUB_BITS };

/*
 * A value of up to 8 bits is its own bucket.  One of 8 + s bits is shifted
 * right by s, which leaves SUB .. 2*SUB-1, and each s has SUB buckets.
 */
size_t histogram_bucket(int64_t ns)
{
	if (ns < 0)
		ns = 0;
	if (ns >= INT64_C(1) << HISTOGRAM_MAX_BITS)
		return HISTOGRAM_BUCKETS - 1;
	const uint64_t v = (uint64_t)ns;
	if (v < 2 * SUB)
		return (size_t)v;
	const int shift = 63 - __builtin_clzll(v) - HISTOGRAM_SUB_BITS;
	return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(v >> shift);
}

int64_t histogram_bucket_low(size_t bucket)
{
	if (bucket < 2 * SUB)
		return (int64_t)bucket;
	const size_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	return (int64_t)((bucket - (shift << HISTOGRAM_SUB_BITS)) << shift);
}

int64_t histogram_bucket_high(size_t bucket)
{
	return histogram_bucket_low(bucket + 1) - 1;
}

void histogram_record(struct histogram *h, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	h->counts[histogram_bucket(ns)]++;
	if (!h->count || ns < h->min_ns)
		h->min_ns = ns;
	if (!h->count || ns > h->max_ns)
		h->max_ns = ns;
	h->count++;
	h->sum_ns += (double)ns;
}

void histogram_merge(struct histogram *h, const struct histogram *more)
{
	if (!more->count)
		return;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->counts[i] += more->counts[i];
	if (!h->count || more->min_ns < h->min_ns)
		h->min_ns = more->min_ns;
	if (!h->count || more->max_ns > h->max_ns)
		h->max_ns = more->max_ns;
	h->count += more->count;
	h->sum_ns += more->sum_ns;
}

void histogram_subtract(struct histogram *h, const struct histogram *earlier)
{
	h->count = 0;
	h->min_ns = h->max_ns = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		h->counts[i] -= earlier->counts[i];
		if (!h->counts[i])
			continue;
		if (!h->count)
			h->min_ns = histogram_bucket_low(i);
		h->max_ns = histogram_bucket_high(i);
		h->count += h->counts[i];
	}
	h->sum_ns = h->count ? h->sum_ns - earlier->sum_ns : 0;
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	if (!h->count)
		return 0;
	double rank = ceil(q * (double)h->count);
	if (rank < 1)
		rank = 1;
	uint64_t seen = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->counts[i];
		if ((double)seen >= rank) {
			const int64_t high = histogram_bucket_high(i);
			return high < h->max_ns ? high : h->max_ns;
		}
	}
	return h->max_ns;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? h->sum_ns / (double)h->count : 0;
}
