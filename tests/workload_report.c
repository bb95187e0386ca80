/*
 * workload_report.c - what a variant of the workloads answers, and what a
 * request costs it.  Built with the faulty ones and with the fixed ones, so
 * that tests/workload_twins.sh can lay the two side by side.
 *
 *   workload_report answers         one line an answer; no time in it
 *   workload_report cost ROUNDS     a line a workload: the least CPU and wall
 *                                   time of a request in so many rounds, in
 *                                   nanoseconds, the bytes and the calls of
 *                                   its allocations
 *
 * Bytes and calls are those of the workload's own code, not of SQLite's.
 */
#include "tests/alloc_count.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "workloads/cache.h"
#include "workloads/concurrent.h"
#include "workloads/cpu.h"
#include "workloads/database.h"
#include "workloads/inefficient.h"
#include "workloads/leaky.h"
#include "workloads/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct data_store *store;
static struct cache *cache;
static struct concurrent *work;
static struct database *database;

static void must(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "workload_report: %s: %s\n", what, err_name(rc));
	exit(2);
}

static void begin(void)
{
	struct err e;
	must(data_store_create(0, &store), "leaky");
	must(cache_create(&(struct cache_options){ .generate_ns = 1000000 },
			  &cache),
	     "cache");
	must(concurrent_create(0, &work), "concurrent");
	if (database_create(NULL, 0, &database, &e)) {
		fprintf(stderr, "workload_report: %s\n", e.text);
		exit(2);
	}
}

static void end(void)
{
	data_store_free(store);
	cache_free(cache);
	concurrent_free(work);
	database_free(database);
}

/* ---- answers ---- */

static void answer_cpu(int64_t iterations)
{
	printf("cpu %" PRId64 " %.17g\n", iterations,
	       perform_cpu_intensive_task(iterations));
}

static void answer_memory(int64_t size)
{
	struct memory_result r;
	must(perform_memory_intensive_task(size, &r), "memory");
	printf("memory %" PRId64 " %zu %" PRIx64 "\n", size,
	       r.allocated_objects, r.digest);
}

static void answer_inefficient(int64_t start)
{
	struct inefficient_result r;
	must(perform_inefficient_operations(start, &r), "inefficient");
	printf("inefficient %zu %zu %zu %" PRIx64 "\n", r.string_length,
	       r.slice_length, r.map_size, r.digest);
}

static void answer_cache(const char *key)
{
	struct cache_answer a;
	must(perform_cache_lookup(cache, key, CACHE_TTL_DEFAULT_NS, &a),
	     "cache");
	printf("cache %s %d %s %d %s %zu %" PRIu64 " %zu\n", key, a.cache_hit,
	       a.value.key, a.value.random, a.value.data, a.stats.total_entries,
	       a.stats.total_hits, a.stats.expired_count);
}

static void answer_concurrent(int64_t workers, int64_t tasks)
{
	struct concurrent_result r;
	must(perform_concurrent_work(work, workers, tasks, &r), "concurrent");
	printf("concurrent %" PRId64 " %" PRId64 " %" PRId64 " %" PRIx64 "\n",
	       workers, tasks, r.results, r.digest);
}

static void answer_database(enum database_query query, int64_t records)
{
	struct database_result r = { 0 };
	struct err e;
	if (simulate_database_operation(database, query, records, &r, &e)) {
		fprintf(stderr, "workload_report: %s\n", e.text);
		exit(2);
	}
	printf("database %s %" PRId64 " %zu %" PRId64 "\n",
	       database_query_names[query], records, r.row_count,
	       r.affected_rows);
	for (size_t i = 0; i < r.row_count; i++)
		printf(" %" PRId64 "|%s|%s|%d|%s|%" PRId64 "\n", r.rows[i].id,
		       r.rows[i].name, r.rows[i].email, r.rows[i].age,
		       r.rows[i].city, r.rows[i].visits);
	database_result_clear(&r);
}

static void print_answers(void)
{
	static const int64_t iterations[] = {
		0, 1, 359, 360, 100000, 500000, 1000000, 2000000
	};
	static const int64_t sizes[] = { 0, 1, 100, 1000, 5000, 20000 };
	static const char *const keys[] = { "user_1", "user_2", "config",
					    "user_1", "user_1", "default",
					    "user_2", "user_1" };
	for (size_t i = 0; i < ARRAY_SIZE(iterations); i++)
		answer_cpu(iterations[i]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		answer_memory(sizes[i]);
	answer_inefficient(0);
	answer_inefficient(7);
	answer_inefficient(INEFFICIENT_START_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		answer_cache(keys[i]);
	answer_concurrent(5, 50);
	answer_concurrent(10, 100);
	answer_concurrent(20, 7);
	for (int round = 0; round < 2; round++)
		for (int query = 0; query < DATABASE_QUERIES; query++) {
			answer_database((enum database_query)query, 10);
			answer_database((enum database_query)query, 50);
		}
	answer_database(DATABASE_SELECT, 100);
}

/* ---- cost ---- */

static void run_cpu(void)
{
	perform_cpu_intensive_task(1000000);
}

static void run_memory(void)
{
	struct memory_result r;
	must(perform_memory_intensive_task(1000, &r), "memory");
}

static void run_memory_large(void)
{
	struct memory_result r;
	must(perform_memory_intensive_task(20000, &r), "memory");
}

static void run_inefficient(void)
{
	struct inefficient_result r;
	must(perform_inefficient_operations(7, &r), "inefficient");
}

/* In a store that has had 300 blocks before. */
static void run_leaky(void)
{
	size_t data_size;
	if (!data_store_size(store))
		must(create_leaky_structures(store, 300, &data_size), "leaky");
	must(create_leaky_structures(store, 200, &data_size), "leaky");
}

/* A hundred hits, in a cache that has 500 entries. */
static void run_cache(void)
{
	struct cache_answer a;
	char key[16];
	for (int i = 0; cache_size(cache) < 500 && i < 500; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		must(perform_cache_lookup(cache, key, CACHE_TTL_MAX_NS, &a),
		     "cache");
	}
	for (int i = 0; i < 100; i++)
		must(perform_cache_lookup(cache, "key 499", CACHE_TTL_MAX_NS,
					  &a),
		     "cache");
}

static void run_concurrent(void)
{
	struct concurrent_result r;
	must(perform_concurrent_work(work, 10, 100, &r), "concurrent");
}

static void run_database(enum database_query query)
{
	struct database_result r;
	must(simulate_database_operation(database, query, 100, &r, NULL),
	     "database");
	database_result_clear(&r);
}

static void run_select(void)
{
	run_database(DATABASE_SELECT);
}

static void run_insert(void)
{
	run_database(DATABASE_INSERT);
}

static void run_update(void)
{
	run_database(DATABASE_UPDATE);
}

static const struct {
	const char *name;
	void (*run)(void);
} costs[] = {
	{ "cpu", run_cpu },
	{ "memory", run_memory },
	{ "memory_large", run_memory_large },
	{ "inefficient", run_inefficient },
	{ "leaky", run_leaky },
	{ "cache", run_cache },
	{ "concurrent", run_concurrent },
	{ "database_select", run_select },
	{ "database_insert", run_insert },
	{ "database_update", run_update },
};

static void print_cost(size_t i, int rounds)
{
	int64_t cpu = INT64_MAX, wall = INT64_MAX, bytes = 0, calls = 0;
	for (int round = 0; round <= rounds; round++) {
		const int64_t c = clock_process_cpu_ns();
		const int64_t w = clock_monotonic_ns();
		const int64_t b = alloc_bytes, n = alloc_calls;
		costs[i].run();
		const int64_t took = clock_monotonic_ns() - w;
		const int64_t used = clock_process_cpu_ns() - c;
		if (!round)
			continue; /* to warm up */
		cpu = used < cpu ? used : cpu;
		wall = took < wall ? took : wall;
		bytes = alloc_bytes - b;
		calls = alloc_calls - n;
	}
	printf("%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
	       costs[i].name, cpu, wall, bytes, calls);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "answers")) {
		begin();
		print_answers();
		end();
		return 0;
	}
	const int rounds = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	if (rounds < 1 || strcmp(argv[1], "cost")) {
		fprintf(stderr, "usage: workload_report answers | cost N\n");
		return 2;
	}
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(costs); i++)
		print_cost(i, rounds);
	end();
	return 0;
}
