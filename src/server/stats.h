/*
 * stats.h - what the server counts: requests, errors and latency, by route.
 */
#ifndef PROFLAB_SERVER_STATS_H
#define PROFLAB_SERVER_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { STATS_ROUTES = 16, STATS_BUCKETS = 14 };

/* Upper bounds of the latency buckets in seconds; one more is +Inf. */
extern const double stats_bounds[STATS_BUCKETS];

struct stats_route {
	/* Relaxed: each is right by itself. */
	atomic_uint_fast64_t requests;
	atomic_uint_fast64_t errors; /* status 400 and above */
	atomic_uint_fast64_t latency_ns;
	atomic_uint_fast64_t buckets[STATS_BUCKETS + 1];
};

struct stats {
	struct stats_route routes[STATS_ROUTES];
};

/* One request, from its first line to its answer. */
void stats_add(struct stats *s, size_t route, unsigned status,
	       int64_t latency_ns);

struct stats_total {
	uint64_t requests, errors, latency_ns;
};
struct stats_total stats_sum(const struct stats *s);

#endif
