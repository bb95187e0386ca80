/*
 * rates.c - /debug/pprof/rates: the rates of heap, block and mutex profiles,
 * read and switched while the program runs.
 */
#include "base/attr.h"
#include "http/request.h"
#include "pprof/pprof.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <microhttpd.h>
#include <string.h>

static int64_t heap_get(void)
{
	return pprof_mem_profile_rate();
}

static bool heap_set(int64_t bytes)
{
	if (pprof_mem_profile_rate() < 0)
		return false;
	pprof_set_mem_profile_rate(bytes);
	return true;
}

static bool locks_hooked(void)
{
	return pprof_block_profile_rate() >= 0;
}

static bool block_set(int64_t ns)
{
	if (!locks_hooked())
		return false;
	pprof_set_block_profile_rate(ns);
	return true;
}

static int64_t mutex_get(void)
{
	return locks_hooked() ? pprof_set_mutex_profile_fraction(-1) : -1;
}

static bool mutex_set(int64_t n)
{
	if (!locks_hooked())
		return false;
	pprof_set_mutex_profile_fraction((int)n);
	return true;
}

_Static_assert(PPROF_HTTP_MUTEX_RATE_MAX <= INT_MAX,
	       "pprof_set_mutex_profile_fraction takes an int");

static const struct rate {
	const char *name, *unit;
	int64_t max;
	int64_t (*get)(void);
	bool (*set)(int64_t value);
} rates[] = {
	{ "block", "nanoseconds", PPROF_HTTP_BLOCK_RATE_MAX,
	  pprof_block_profile_rate, block_set },
	{ "heap", "bytes", PPROF_HTTP_HEAP_RATE_MAX, heap_get, heap_set },
	{ "mutex", "fraction", PPROF_HTTP_MUTEX_RATE_MAX, mutex_get,
	  mutex_set },
};

/* All or nothing: one that is out of range changes none. */
static bool set_rates(struct http_request *r)
{
	int64_t values[ARRAY_SIZE(rates)];
	bool given[ARRAY_SIZE(rates)];
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		char value[HTTP_PARAM];
		given[i] = http_param(r, rates[i].name, value);
		/* Go, which takes "+5" of its own parameters, has no such
		 * route: here a sign is no part of a number. */
		if (given[i] && (!isdigit((unsigned char)*value) ||
				 !http_parse_int(value, &values[i]) ||
				 values[i] > rates[i].max)) {
			http_reply_error(&r->reply, 400,
					 "invalid value for \"%s\" - must be "
					 "an integer from 0 to %" PRId64
					 " (%s; 0 is off)",
					 rates[i].name, rates[i].max,
					 rates[i].unit);
			return false;
		}
		any = any || given[i];
	}
	if (!any) {
		http_reply_error(&r->reply, 400,
				 "one of block, heap, mutex must be given");
		return false;
	}
	bool set = true;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		if (given[i])
			set = rates[i].set(values[i]) && set;
	if (!set)
		http_reply_error(&r->reply, 501,
				 "this program has no such profile");
	return set;
}

int pprof_http_set_rate(const char *name, int64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		if (strcmp(rates[i].name, name) != 0)
			continue;
		if (value < 0 || value > rates[i].max)
			return PPROF_ERR_INVALID;
		return rates[i].set(value) ? 0 : PPROF_ERR_UNSUPPORTED;
	}
	return PPROF_ERR_NOTFOUND;
}

enum http_next http_rates(struct http_request *r)
{
	struct buf *b = &r->reply.body;
	if (r->post && http_from_another_origin(r)) {
		http_reply_error(&r->reply, 403,
				 "requests of another origin change nothing");
		return HTTP_REPLY;
	}
	if (r->post && !set_rates(r))
		return HTTP_REPLY;
	http_reply_begin(&r->reply, 200, "application/json");
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		buf_printf(b, "%s\"%s\":%" PRId64, i ? "," : "{", rates[i].name,
			   rates[i].get());
	buf_append_str(b, "}\n");
	return HTTP_REPLY;
}
