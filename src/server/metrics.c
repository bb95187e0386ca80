/* metrics.c - see metrics.h. */
#include "config.h"

#include "server/metrics.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/pprof_http.h"
#include "pprof/pprof.h"
#include "server/memory_stats.h"
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
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The head of a family, which comes once before all its lines. */
static void family(struct buf *b, const char *name, const char *type,
		   const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			buf_append_char(b, '\\');
		if (*s == '\n')
			buf_append_str(b, "\\n");
		else
			buf_append_char(b, *s);
	}
}

static void single(struct buf *b, const char *name, const char *type,
		   const char *help, double value)
{
	family(b, name, type, help);
	buf_printf(b, "%s %.17g\n", name, value);
}

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
	family(b, name, "counter", help);
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
	family(b, latency, "histogram",
	       "Time from a request's first line to its answer, by route.");
	for (size_t i = 0; i <= route_count(); i++)
		latency_of(b, latency, route_label(i), &s->stats.routes[i]);
}

/* ---- the server and its stores ---- */

static void write_server(struct buf *b, struct server *s)
{
	family(b, "proflab_build_info", "gauge",
	       "1, with the version and the variant of the workloads.");
	buf_append_str(b, "proflab_build_info{version=\"" PACKAGE_VERSION
			  "\",variant=\"");
	append_escaped(b, s->options.variant);
	buf_append_str(b, "\"} 1\n");

	struct memory_stats m;
	memory_stats_read(&m);
	single(b, "proflab_memory_allocated_bytes", "gauge",
	       "Bytes of the heap in use, as the allocator counts them.",
	       (double)m.alloc_bytes);
	single(b, "proflab_memory_system_bytes", "gauge",
	       "Bytes that the allocator has from the system.",
	       (double)m.sys_bytes);
	single(b, "proflab_threads", "gauge", "Threads of the process.",
	       (double)m.threads);
	single(b, "proflab_workers", "gauge",
	       "Threads that serve workloads, busy or waiting for work.",
	       (double)pool_threads(s->workers));
	single(b, "proflab_queued_requests", "gauge",
	       "Requests that wait for a worker.",
	       (double)pool_queued(s->workers));
	single(b, "proflab_concurrent_threads", "gauge",
	       "Threads that /concurrent has alive.",
	       (double)concurrent_threads(s->concurrent));
	single(b, "proflab_cache_entries", "gauge", "Entries in the cache.",
	       (double)cache_size(s->cache));
	single(b, "proflab_data_entries", "gauge", "Entries in the data map.",
	       (double)data_store_size(s->data));
	struct pprof_http_stats http;
	pprof_http_get_stats(s->pprof, &http);
	single(b, "pprof_http_requests_total", "counter",
	       "Requests below /debug/pprof/.", (double)http.requests);
	single(b, "pprof_http_request_errors_total", "counter",
	       "Requests below /debug/pprof/ answered with a status of 400 or "
	       "more.",
	       (double)http.errors);
	single(b, "pprof_http_captures", "gauge", "Captures that run now.",
	       (double)http.captures);
	single(b, "pprof_http_hangups_total", "counter",
	       "Captures that ended because their client had gone.",
	       (double)http.hangups);
	single(b, "pprof_http_trims_total", "counter",
	       "Times that gc=1 made the allocator give memory back.",
	       (double)http.trims);
}

/* ---- the profiler ---- */

/* What its counters are about; one that is not here is told all the same. */
static const struct {
	const char *name, *label, *help;
} known[] = {
	{ "lost_samples_total", "cause", "Samples lost, by cause." },
	{ "captures_total", "profile", "Captures begun, by profile." },
	{ "cpu_seconds_total", "part",
	  "CPU time that the profiler took outside its handlers." },
	{ "sampler_cpu_seconds_total", "part",
	  "CPU time that the CPU sampler took, by part." },
	{ "cpu_samples_total", "kind", "Samples of CPU profiles." },
	{ "heap_alloc_bytes_total", "kind",
	  "Bytes ever allocated, estimated from samples." },
	{ "heap_alloc_objects_total", "kind",
	  "Blocks ever allocated, estimated from samples." },
	{ "heap_inuse_bytes", "kind", "Bytes in use, estimated from samples." },
	{ "heap_inuse_objects", "kind",
	  "Blocks in use, estimated from samples." },
	{ "lock_wait_seconds_total", "kind",
	  "Time that threads waited for locks, while the block profile was "
	  "on." },
	{ "sync_wait_seconds_total", "kind",
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
			*ret_label = known[i].label;
		}
	snprintf(full, sizeof(full), "pprof_%s", name);
	family(b, full, total ? "counter" : "gauge", help);
}

static bool seen_before(size_t i, const char *name)
{
	struct pprof_stat s;
	for (size_t j = 0; j < i && pprof_stat_at(j, &s); j++)
		if (strcmp(s.name, name) == 0)
			return true;
	return false;
}

/* All lines of a family stand together, wherever libpprof has them. */
static void write_profiler(struct buf *b)
{
	struct pprof_stat first, s;
	for (size_t i = 0; pprof_stat_at(i, &first); i++) {
		const char *label;
		if (seen_before(i, first.name))
			continue;
		stat_family(b, first.name, &label);
		for (size_t j = i; pprof_stat_at(j, &s); j++) {
			if (strcmp(s.name, first.name) != 0)
				continue;
			buf_printf(b, "pprof_%s", s.name);
			if (s.label) {
				buf_printf(b, "{%s=\"", label);
				append_escaped(b, s.label);
				buf_append_str(b, "\"}");
			}
			buf_printf(b, " %.17g\n", s.value);
		}
	}
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

static void write_process(struct buf *b, const struct server *s)
{
	unsigned long long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && fscanf(f, "%llu %llu", &pages, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	const double page = (double)sysconf(_SC_PAGESIZE);
	struct rlimit files = { 0 };
	getrlimit(RLIMIT_NOFILE, &files);
	single(b, "process_cpu_seconds_total", "counter",
	       "User and system CPU time.",
	       (double)clock_process_cpu_ns() / 1e9);
	single(b, "process_resident_memory_bytes", "gauge", "Resident memory.",
	       (double)resident * page);
	single(b, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
	       (double)pages * page);
	single(b, "process_start_time_seconds", "gauge",
	       "Start of the server, since the epoch.",
	       (double)s->started_ns / 1e9);
	single(b, "process_open_fds", "gauge", "Open file descriptors.",
	       count_open_files());
	single(b, "process_max_fds", "gauge", "Limit of open file descriptors.",
	       (double)files.rlim_cur);
}

unsigned metrics_write(struct server *s, struct buf *b, const char **ret_type)
{
	*ret_type = "text/plain; version=0.0.4; charset=utf-8";
	write_routes(b, s);
	write_server(b, s);
	write_profiler(b);
	write_process(b, s);
	return 200;
}
