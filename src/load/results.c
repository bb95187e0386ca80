/* results.c - see results.h. */
#include "load/results.h"

#include "base/attr.h"

#include <stdio.h>

#define MS INT64_C(1000000)

const struct results_class results_classes[RESULTS_CLASSES] = {
	{ "<10ms", 10 * MS },	   { "10-50ms", 50 * MS },
	{ "50-100ms", 100 * MS },  { "100-500ms", 500 * MS },
	{ "500ms-1s", 1000 * MS }, { ">1s", INT64_MAX },
};

static void add_latency(struct results *r, int64_t ns)
{
	histogram_record(&r->latencies, ns);
	size_t i = 0;
	while (i < RESULTS_CLASSES - 1 && ns >= results_classes[i].below_ns)
		i++;
	r->classes[i]++;
}

static void add_failures(struct results *r, int type, uint64_t count)
{
	size_t i = 0;
	while (i < RESULTS_FAILURE_TYPES - 1 && r->by_type[i].type &&
	       r->by_type[i].type != type)
		i++;
	r->by_type[i].type = type;
	r->by_type[i].count += count;
	r->failures += count;
}

void results_add_success(struct results *r, int64_t latency_ns, uint64_t bytes)
{
	r->successes++;
	r->bytes += bytes;
	add_latency(r, latency_ns);
}

void results_add_failure(struct results *r, int type)
{
	add_failures(r, type, 1);
}

void results_add_not_sent(struct results *r, int64_t waited_ns)
{
	r->not_sent++;
	add_latency(r, waited_ns);
}

void results_merge(struct results *r, const struct results *more)
{
	r->successes += more->successes;
	r->bytes += more->bytes;
	r->not_sent += more->not_sent;
	r->abandoned += more->abandoned;
	for (size_t i = 0; i < RESULTS_FAILURE_TYPES; i++)
		if (more->by_type[i].count)
			add_failures(r, more->by_type[i].type,
				     more->by_type[i].count);
	histogram_merge(&r->latencies, &more->latencies);
	for (size_t i = 0; i < RESULTS_CLASSES; i++)
		r->classes[i] += more->classes[i];
}

const char *results_failure_name(int type,
				 char name[static RESULTS_FAILURE_NAME])
{
	static const char *const names[] = {
		[-FAILURE_CONNECT] = "connect",
		[-FAILURE_TIMEOUT] = "timeout",
		[-FAILURE_NETWORK] = "network",
		[-FAILURE_RESPONSE] = "response_read",
		[-FAILURE_REQUEST] = "request_creation",
	};
	if (type < 0 && (size_t)-type < ARRAY_SIZE(names))
		return names[-type];
	snprintf(name, RESULTS_FAILURE_NAME, "http_%03d", type);
	return name;
}
