/* routes.c - see routes.h. */
#include "server/routes.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "server/memory_stats.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/stats.h"
#include "workloads/cache.h"
#include "workloads/concurrent.h"
#include "workloads/cpu.h"
#include "workloads/database.h"
#include "workloads/inefficient.h"
#include "workloads/leaky.h"
#include "workloads/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- pieces of answers ---- */

static void set_integer(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

static void set_string(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_string(value));
}

/* What was worked out, in 16 hexadecimal digits: two variants that give the
 * same have done the same work. */
static void set_digest(json_t *o, uint64_t digest)
{
	char text[17];
	snprintf(text, sizeof(text), "%016" PRIx64, digest);
	set_string(o, "digest", text);
}

static void set_duration(json_t *o, const char *key, int64_t ns)
{
	char text[PARSE_DURATION_TEXT];
	set_string(o, key, format_duration(ns, text));
}

static void set_time(json_t *o, const char *key, int64_t realtime_ns)
{
	const struct timespec ts = clock_to_timespec(realtime_ns);
	struct tm tm;
	char text[40];
	gmtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	set_string(o, key, text);
}

static void set_duration_since(json_t *o, int64_t start_ns)
{
	set_duration(o, "duration", clock_monotonic_ns() - start_ns);
}

/* What a workload's code means to a client. */
static unsigned failure(json_t *o, int rc, const char *text)
{
	json_object_clear(o);
	set_string(o, "error", text && *text ? text : err_name(rc));
	switch (rc) {
	case ERR_INVALID:
		return 400;
	case ERR_LIMIT:
	case ERR_BUSY:
		return 503;
	default:
		return 500;
	}
}

/* ---- the workloads ---- */

static unsigned answer_cpu(struct server *s, const struct param_value *v,
			   json_t *o)
{
	(void)s;
	const int64_t start = clock_monotonic_ns();
	const double result = perform_cpu_intensive_task(v[0].number);
	json_object_set_new(o, "result", json_real(result));
	set_integer(o, "iterations", v[0].number);
	set_duration_since(o, start);
	return 200;
}

static unsigned answer_memory(struct server *s, const struct param_value *v,
			      json_t *o)
{
	(void)s;
	const int64_t start = clock_monotonic_ns();
	struct memory_result result;
	const int rc = perform_memory_intensive_task(v[0].number, &result);
	if (rc)
		return failure(o, rc, NULL);
	set_integer(o, "allocated_objects", (int64_t)result.allocated_objects);
	set_integer(o, "size_parameter", v[0].number);
	set_digest(o, result.digest);
	set_duration_since(o, start);
	json_object_set_new(o, "memory_stats", memory_stats_json());
	return 200;
}

static unsigned answer_inefficient(struct server *s,
				   const struct param_value *v, json_t *o)
{
	(void)s;
	const int64_t start = clock_monotonic_ns();
	struct inefficient_result result;
	const int rc = perform_inefficient_operations(v[0].number, &result);
	if (rc)
		return failure(o, rc, NULL);
	set_integer(o, "string_length", (int64_t)result.string_length);
	set_integer(o, "slice_length", (int64_t)result.slice_length);
	set_integer(o, "map_size", (int64_t)result.map_size);
	set_digest(o, result.digest);
	set_duration_since(o, start);
	return 200;
}

static json_t *database_rows(const struct database_result *result)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < result->row_count; i++) {
		const struct database_user *u = &result->rows[i];
		json_array_append_new(
			rows,
			json_pack("{s:I, s:s, s:s, s:i, s:s, s:I}", "id",
				  (json_int_t)u->id, "name", u->name, "email",
				  u->email, "age", u->age, "city", u->city,
				  "visits", (json_int_t)u->visits));
	}
	return rows;
}

static unsigned answer_database(struct server *s, const struct param_value *v,
				json_t *o)
{
	const int64_t start = clock_monotonic_ns();
	const enum database_query query = (enum database_query)v[0].number;
	struct database_result result = { 0 };
	struct err e = { "" };
	const int rc = simulate_database_operation(s->database, query,
						   v[1].number, &result, &e);
	if (rc)
		return failure(o, rc, e.text);
	json_t *shown = query == DATABASE_SELECT
				? json_pack("{s:o, s:I}", "rows",
					    database_rows(&result), "row_count",
					    (json_int_t)result.row_count)
				: json_pack("{s:I}", "affected_rows",
					    (json_int_t)result.affected_rows);
	database_result_clear(&result);
	json_object_set_new(o, "result", shown);
	set_string(o, "query_type", database_query_names[query]);
	set_integer(o, "records", v[1].number);
	set_duration_since(o, start);
	return 200;
}

static json_t *cache_value_json(const struct cache_value *value)
{
	json_t *o = json_pack("{s:s, s:s, s:i}", "key", value->key, "data",
			      value->data, "random", value->random);
	if (o)
		set_time(o, "generated_at", value->generated_ns);
	return o;
}

static json_t *cache_stats_json(const struct cache_stats *stats)
{
	return json_pack("{s:I, s:I, s:I}", "total_entries",
			 (json_int_t)stats->total_entries, "total_hits",
			 (json_int_t)stats->total_hits, "expired_count",
			 (json_int_t)stats->expired_count);
}

static unsigned answer_cache(struct server *s, const struct param_value *v,
			     json_t *o)
{
	const int64_t start = clock_monotonic_ns();
	struct cache_answer *a = malloc(sizeof(*a));
	if (!a)
		return failure(o, ERR_NOMEM, NULL);
	const int rc =
		perform_cache_lookup(s->cache, v[0].text, v[1].number, a);
	if (!rc) {
		set_string(o, "key", v[0].text);
		json_object_set_new(o, "value", cache_value_json(&a->value));
		json_object_set_new(o, "cache_hit", json_boolean(a->cache_hit));
		set_duration_since(o, start);
		json_object_set_new(o, "cache_stats",
				    cache_stats_json(&a->stats));
	}
	free(a);
	return rc ? failure(o, rc, NULL) : 200;
}

static unsigned answer_concurrent(struct server *s, const struct param_value *v,
				  json_t *o)
{
	const int64_t start = clock_monotonic_ns();
	struct concurrent_result result;
	const int rc = perform_concurrent_work(s->concurrent, v[0].number,
					       v[1].number, &result);
	if (rc == ERR_LIMIT)
		return failure(o, rc,
			       "too many threads: the ceiling "
			       "(-thread-ceiling) is reached");
	if (rc)
		return failure(o, rc, NULL);
	set_integer(o, "workers", v[0].number);
	set_integer(o, "tasks", v[1].number);
	set_integer(o, "results", result.results);
	set_digest(o, result.digest);
	set_duration_since(o, start);
	const int64_t threads = (int64_t)memory_stats_threads();
	set_integer(o, "goroutines", threads);
	set_integer(o, "threads", threads);
	return 200;
}

static unsigned answer_leaky(struct server *s, const struct param_value *v,
			     json_t *o)
{
	const int64_t start = clock_monotonic_ns();
	size_t size = 0;
	const int rc = create_leaky_structures(s->data, v[0].number, &size);
	if (rc == ERR_LIMIT)
		return failure(o, rc,
			       "the data map is full: the ceiling "
			       "(-leak-ceiling) is reached");
	if (rc)
		return failure(o, rc, NULL);
	set_integer(o, "size", v[0].number);
	set_duration_since(o, start);
	json_object_set_new(o, "memory_stats", memory_stats_json());
	set_integer(o, "data_size", (int64_t)size);
	return 200;
}

/* Everything out of the data map: is it what kept the memory? */
static unsigned remove_leaky(struct server *s, const struct param_value *v,
			     json_t *o)
{
	(void)v;
	const int64_t start = clock_monotonic_ns();
	set_integer(o, "removed", (int64_t)data_store_clear(s->data));
	set_duration_since(o, start);
	json_object_set_new(o, "memory_stats", memory_stats_json());
	set_integer(o, "data_size", (int64_t)data_store_size(s->data));
	return 200;
}

/* ---- about the server ---- */

static unsigned answer_root(struct server *s, const struct param_value *v,
			    json_t *o)
{
	(void)v;
	set_string(o, "message",
		   "proflab: a server with planted performance faults, and a "
		   "profiler in it");
	json_object_set_new(o, "endpoints", route_endpoints(s));
	return 200;
}

static unsigned answer_health(struct server *s, const struct param_value *v,
			      json_t *o)
{
	(void)s, (void)v;
	set_string(o, "status", "healthy");
	set_time(o, "time", clock_realtime_ns());
	return 200;
}

static unsigned answer_stats(struct server *s, const struct param_value *v,
			     json_t *o)
{
	(void)v;
	const struct stats_total t = stats_sum(&s->stats);
	const int64_t threads = (int64_t)memory_stats_threads();
	set_integer(o, "requests", (int64_t)t.requests);
	set_integer(o, "errors", (int64_t)t.errors);
	set_duration(o, "avg_latency",
		     t.requests ? (int64_t)(t.latency_ns / t.requests) : 0);
	set_duration(o, "total_latency", (int64_t)t.latency_ns);
	json_object_set_new(o, "memory_stats", memory_stats_json());
	set_integer(o, "goroutines", threads);
	set_integer(o, "threads", threads);
	set_integer(o, "cache_size", (int64_t)cache_size(s->cache));
	set_integer(o, "data_size", (int64_t)data_store_size(s->data));
	return 200;
}

static unsigned write_dashboard(struct server *s, struct buf *body,
				struct route_text *ret_text)
{
	ret_text->type = "text/html; charset=utf-8";
	ret_text->policy = s->dashboard.policy.data;
	buf_append(body, s->dashboard.html.data, s->dashboard.html.len);
	return 200;
}

/* ---- the table ---- */

static const struct route routes[] = {
	{ .path = "/",
	  .description = "this list",
	  .where = ROUTE_HERE,
	  .answer = answer_root },
	{ .path = "/cpu",
	  .description = "CPU-intensive operations",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "iterations",
			.kind = PARAM_INT,
			.min = 1,
			.max = CPU_ITERATIONS_MAX,
			.fallback = CPU_ITERATIONS_DEFAULT } },
	  .answer = answer_cpu },
	{ .path = "/memory",
	  .description = "memory-intensive operations",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "size",
			.kind = PARAM_INT,
			.min = 1,
			.max = MEMORY_SIZE_MAX,
			.fallback = MEMORY_SIZE_DEFAULT } },
	  .answer = answer_memory },
	{ .path = "/inefficient",
	  .description = "inefficient patterns",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "start",
			.kind = PARAM_INT,
			.min = 0,
			.max = INEFFICIENT_START_MAX,
			.fallback = 0 } },
	  .answer = answer_inefficient },
	{ .path = "/database",
	  .description = "database operations",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "type",
			.kind = PARAM_CHOICE,
			.names = database_query_names,
			.n_names = DATABASE_QUERIES,
			.fallback = DATABASE_SELECT },
		      { .name = "records",
			.kind = PARAM_INT,
			.min = 1,
			.max = DATABASE_RECORDS_MAX,
			.fallback = DATABASE_RECORDS_DEFAULT } },
	  .answer = answer_database },
	{ .path = "/cache",
	  .description = "a cache of values that are slow to make",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "key",
			.kind = PARAM_TEXT,
			.text = CACHE_KEY_DEFAULT },
		      { .name = "ttl",
			.kind = PARAM_DURATION,
			.min = 1,
			.max = CACHE_TTL_MAX_NS,
			.fallback = CACHE_TTL_DEFAULT_NS } },
	  .answer = answer_cache },
	{ .path = "/concurrent",
	  .description = "tasks shared out among threads",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "workers",
			.kind = PARAM_INT,
			.min = 1,
			.max = CONCURRENT_WORKERS_MAX,
			.fallback = CONCURRENT_WORKERS_DEFAULT },
		      { .name = "tasks",
			.kind = PARAM_INT,
			.min = 1,
			.max = CONCURRENT_TASKS_MAX,
			.fallback = CONCURRENT_TASKS_DEFAULT } },
	  .answer = answer_concurrent },
	{ .path = "/leaky",
	  .description = "a memory leak; DELETE empties the data map",
	  .where = ROUTE_WORKER,
	  .params = { { .name = "size",
			.kind = PARAM_INT,
			.min = 1,
			.max = LEAKY_SIZE_MAX,
			.fallback = LEAKY_SIZE_DEFAULT } },
	  .answer = answer_leaky,
	  .remove = remove_leaky },
	{ .path = "/stats",
	  .description = "requests, latency, memory, threads",
	  .where = ROUTE_MONITOR,
	  .answer = answer_stats },
	{ .path = "/metrics",
	  .description = "the same and more, for Prometheus",
	  .where = ROUTE_MONITOR,
	  .text = metrics_write },
	{ .path = "/dashboard",
	  .description = "the same, drawn live in a browser",
	  .where = ROUTE_HERE,
	  .text = write_dashboard },
	{ .path = "/health",
	  .description = "is it up?",
	  .where = ROUTE_HERE,
	  .answer = answer_health },
};
_Static_assert(ARRAY_SIZE(routes) < STATS_ROUTES,
	       "each route has its counters, and one is for all else");
_Static_assert((int)CACHE_KEY_MAX == (int)PARAM_TEXT_MAX,
	       "what the route lets through, the cache takes");

const struct route *route_at(size_t i)
{
	return i < ARRAY_SIZE(routes) ? &routes[i] : NULL;
}

const struct route *route_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

size_t route_index(const struct route *route)
{
	return route ? (size_t)(route - routes) : ARRAY_SIZE(routes);
}

size_t route_count(void)
{
	return ARRAY_SIZE(routes);
}

json_t *route_endpoints(const struct server *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (routes[i].description)
			json_array_append_new(list,
					      json_string(routes[i].path));
	if (!s->pprof_apart)
		json_array_append_new(list, json_string("/debug/pprof/"));
	return list;
}
