/* stats.c - see stats.h. */
#include "server/stats.h"

const double stats_bounds[STATS_BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01,
					     0.025,  0.05,  0.1,    0.25,  0.5,
					     1,	     2.5,   5,	    10 };

static void add(atomic_uint_fast64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

void stats_add(struct stats *s, size_t route, unsigned status,
	       int64_t latency_ns)
{
	struct stats_route *r = &s->routes[route];
	size_t bucket = 0;
	while (bucket < STATS_BUCKETS &&
	       (double)latency_ns > stats_bounds[bucket] * 1e9)
		bucket++;
	add(&r->requests, 1);
	if (status >= 400)
		add(&r->errors, 1);
	add(&r->latency_ns, (uint64_t)latency_ns);
	add(&r->buckets[bucket], 1);
}

struct stats_total stats_sum(const struct stats *s)
{
	struct stats_total t = { 0 };
	for (size_t i = 0; i < STATS_ROUTES; i++) {
		t.requests += get(&s->routes[i].requests);
		t.errors += get(&s->routes[i].errors);
		t.latency_ns += get(&s->routes[i].latency_ns);
	}
	return t;
}
