/* metrics.c - see metrics.h. */
#include "config.h"

#include "server/metrics.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/pprof_http.h"
#include "pprof/pprof.h"
#include "server/memory_stats.h"
#include "server/metrics_text.h"
#include "server/pool.h"
#include "server/routes.h"
#include "server/server.h"
#include "server/stats.h"
#include "workloads/cache.h"
#include "workloads/concurrent.h"
#include "workloads/leaky.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- by route ---- */

static const char *route_label(size_t i)
{
	const struct route *r = route_at(i);
	return r ? r->path : "other";
}

static void counter_by_route(struct buf *b, const struct server *s,
			     const char *name, const char *help,
			     size_t offset_in_route)
{
	metrics_family(b, name, "counter", help);
	for (size_t i = 0; i <= route_count(); i++) {
		const atomic_uint_fast64_t *counter =
			(const void *)((const char *)&s->stats.routes[i] +
				       offset_in_route);
		buf_printf(b, "%s{route=\"%s\"} %" PRIuFAST64 "\n", name,
			   route_label(i),
			   atomic_load_explicit(counter, memory_order_relaxed));
	}
}

static void latency_of(struct buf *b, const char *name, const char *label,
		       const struct stats_route *r)
{
	/* The count is the sum of the buckets, so that a scrape amid a
	 * request agrees with itself. */
	uint64_t sum = 0;
	for (size_t i = 0; i < STATS_BUCKETS; i++) {
		sum += atomic_load_explicit(&r->buckets[i],
					    memory_order_relaxed);
		buf_printf(b, "%s_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n",
			   name, label, stats_bounds[i], sum);
	}
	sum += atomic_load_explicit(&r->buckets[STATS_BUCKETS],
				    memory_order_relaxed);
	buf_printf(b,
		   "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
		   "%s_sum{route=\"%s\"} %.9f\n"
		   "%s_count{route=\"%s\"} %" PRIu64 "\n",
		   name, label, sum, name, label,
		   (double)atomic_load_explicit(&r->latency_ns,
						memory_order_relaxed) /
			   1e9,
		   name, label, sum);
}

static void write_routes(struct buf *b, const struct server *s)
{
	static const char latency[] = "proflab_http_request_duration_seconds";
	counter_by_route(b, s, "proflab_http_requests_total",
			 "Requests answered, by route.",
			 offsetof(struct stats_route, requests));
	counter_by_route(b, s, "proflab_http_request_errors_total",
			 "Requests answered with a status of 400 or more, by "
			 "route.",
			 offsetof(struct stats_route, errors));
	metrics_family(
		b, latency, "histogram",
		"Time from a request's first line to its answer, by route.");
	for (size_t i = 0; i <= route_count(); i++)
		latency_of(b, latency, route_label(i), &s->stats.routes[i]);
}

/* ---- the server and its stores ---- */

static void write_server(struct buf *b, struct server *s,
			 const struct memory_stats *m)
{
	metrics_family(b, "proflab_build_info", "gauge",
		       "1, with the version and the variant of the workloads.");
	buf_append_str(b, "proflab_build_info{version=\"" PACKAGE_VERSION
			  "\",variant=\"");
	metrics_escaped(b, s->options.variant);
	buf_append_str(b, "\"} 1\n");

	metrics_single(
		b, "proflab_memory_allocated_bytes", "gauge",
		"Bytes of the heap in use, as the allocator counts them.",
		(double)m->alloc_bytes);
	metrics_single(b, "proflab_memory_system_bytes", "gauge",
		       "Bytes that the allocator has from the system.",
		       (double)m->sys_bytes);
	metrics_single(b, "proflab_threads", "gauge", "Threads of the process.",
		       (double)m->threads);
	metrics_single(
		b, "proflab_workers", "gauge",
		"Threads that serve workloads, busy or waiting for work.",
		(double)pool_threads(s->workers));
	metrics_single(b, "proflab_queued_requests", "gauge",
		       "Requests that wait for a worker.",
		       (double)pool_queued(s->workers));
	metrics_single(b, "proflab_concurrent_threads", "gauge",
		       "Threads that /concurrent has alive.",
		       (double)concurrent_threads(s->concurrent));
	metrics_single(b, "proflab_cache_entries", "gauge",
		       "Entries in the cache.", (double)cache_size(s->cache));
	metrics_single(b, "proflab_data_entries", "gauge",
		       "Entries in the data map.",
		       (double)data_store_size(s->data));
	struct pprof_http_stats http;
	pprof_http_get_stats(s->pprof, &http);
	metrics_single(b, "pprof_http_requests_total", "counter",
		       "Requests below /debug/pprof/.", (double)http.requests);
	metrics_single(
		b, "pprof_http_request_errors_total", "counter",
		"Requests below /debug/pprof/ answered with a status of 400 or "
		"more.",
		(double)http.errors);
	metrics_single(b, "pprof_http_captures", "gauge",
		       "Captures that run now.", (double)http.captures);
	metrics_single(b, "pprof_http_hangups_total", "counter",
		       "Captures that ended because their client had gone.",
		       (double)http.hangups);
	metrics_single(b, "pprof_http_trims_total", "counter",
		       "Times that gc=1 made the allocator give memory back.",
		       (double)http.trims);
}

/* ---- the profiler ---- */

/* What its counters are about; one that is not here is told all the same. */
static const struct {
	const char *name, *label, *help;
} known[] = {
	{ "lost_samples_total", "cause", "Samples lost, by cause." },
	{ "captures_total", "profile",
	  "Profiles taken, snapshots and windows, by kind." },
	{ "cpu_seconds_total", "part", "CPU time of the profiler, by part." },
	{ "cpu_samples_total", NULL, "Samples of CPU profiles." },
	{ "cpu_signals_total", NULL, "Signals that brought CPU samples." },
	{ "cpu_signals_late_total", NULL,
	  "Signals that came when nothing was sampled any more." },
	{ "cpu_threads_slowed_total", NULL,
	  "Times that a thread's rate was halved, its stacks being too dear." },
	{ "cpu_budget_ratio", NULL,
	  "Share of the process's CPU time that the CPU sampler may take; 0 "
	  "is no limit." },
	{ "cpu_rate_reductions_total", NULL,
	  "Times that the budget lowered the rate of the CPU sampler." },
	{ "cpu_rate_hertz", NULL,
	  "Rate of the CPU sampler now; 0 when no capture runs." },
	{ "heap_alloc_bytes_total", NULL,
	  "Bytes ever allocated, estimated from samples." },
	{ "heap_alloc_objects_total", NULL,
	  "Blocks ever allocated, estimated from samples." },
	{ "heap_inuse_bytes", NULL, "Bytes in use, estimated from samples." },
	{ "heap_inuse_objects", NULL,
	  "Blocks in use, estimated from samples." },
	{ "heap_samples_total", NULL, "Blocks that were sampled." },
	{ "heap_live_samples", NULL, "Sampled blocks that are in use." },
	{ "heap_sample_rate_bytes", NULL,
	  "One sampled allocation in about so many bytes." },
	{ "lock_wait_seconds_total", NULL,
	  "Time that threads waited for mutexes and rwlocks, while the mutex "
	  "or the block profile was on." },
	{ "sync_wait_seconds_total", NULL,
	  "Time that threads waited for conditions, semaphores, joins and "
	  "barriers, while the block profile was on." },
};

static void stat_family(struct buf *b, const char *name, const char **ret_label)
{
	char full[128];
	const size_t n = strlen(name);
	const bool total = n > 6 && strcmp(name + n - 6, "_total") == 0;
	const char *help = "A figure of the profiler about itself.";
	*ret_label = "kind";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0) {
			help = known[i].help;
			if (known[i].label)
				*ret_label = known[i].label;
		}
	snprintf(full, sizeof(full), "pprof_%s", name);
	metrics_family(b, full, total ? "counter" : "gauge", help);
}

static void profiler_line(struct buf *b, const struct pprof_stat *s,
			  const char *label)
{
	buf_printf(b, "pprof_%s", s->name);
	if (s->label) {
		buf_printf(b, "{%s=\"", label);
		metrics_escaped(b, s->label);
		buf_append_str(b, "\"}");
	}
	buf_append_char(b, ' ');
	metrics_number(b, s->value);
	buf_append_char(b, '\n');
}

/* All lines of a family stand together, wherever libpprof has them. */
static void write_profiler(struct buf *b)
{
	struct pprof_stat *stats = NULL, s;
	size_t n = 0;
	while (pprof_stat_at(n, &s))
		n++;
	stats = calloc(n, sizeof(*stats));
	if (!stats)
		b->failed = ERR_NOMEM;
	for (size_t i = 0; stats && i < n; i++)
		if (!pprof_stat_at(i, &stats[i]))
			n = i;
	for (size_t i = 0; stats && i < n; i++) {
		const char *name = stats[i].name, *label;
		if (!name)
			continue; /* told already */
		stat_family(b, name, &label);
		for (size_t j = i; j < n; j++) {
			if (!stats[j].name || strcmp(stats[j].name, name) != 0)
				continue;
			profiler_line(b, &stats[j], label);
			stats[j].name = NULL;
		}
	}
	free(stats);
}

/* ---- the process, under the names that every client library has ---- */

static unsigned count_open_files(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", "..", and the folder itself */
}

static double limit_of(int resource)
{
	struct rlimit r = { 0 };
	getrlimit(resource, &r);
	return (double)r.rlim_cur; /* no limit: 2^64, as Go's client says */
}

static void write_process(struct buf *b, const struct server *s,
			  const struct memory_stats *m)
{
	unsigned long long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && fscanf(f, "%llu %llu", &pages, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	const double page = (double)sysconf(_SC_PAGESIZE);
	const struct {
		const char *name, *type, *help;
		double value;
	} rows[] = {
		{ "cpu_seconds_total", "counter", "User and system CPU time.",
		  (double)clock_process_cpu_ns() / 1e9 },
		{ "resident_memory_bytes", "gauge", "Resident memory.",
		  (double)resident * page },
		{ "virtual_memory_bytes", "gauge", "Virtual memory.",
		  (double)pages * page },
		{ "virtual_memory_max_bytes", "gauge",
		  "Limit of virtual memory.", limit_of(RLIMIT_AS) },
		{ "heap_bytes", "gauge", "Size of the heap.",
		  (double)m->sys_bytes },
		{ "start_time_seconds", "gauge",
		  "Start of the server, since the epoch.",
		  (double)s->started_ns / 1e9 },
		{ "open_fds", "gauge", "Open file descriptors.",
		  count_open_files() },
		{ "max_fds", "gauge", "Limit of open file descriptors.",
		  limit_of(RLIMIT_NOFILE) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[64];
		snprintf(name, sizeof(name), "process_%s", rows[i].name);
		metrics_single(b, name, rows[i].type, rows[i].help,
			       rows[i].value);
	}
}

unsigned metrics_write(struct server *s, struct buf *b,
		       struct route_text *ret_text)
{
	ret_text->type = "text/plain; version=0.0.4; charset=utf-8";
	struct memory_stats m;
	memory_stats_read(&m);
	write_routes(b, s);
	write_server(b, s, &m);
	write_profiler(b);
	write_process(b, s, &m);
	return 200;
}
