/*
 * check_server.c - proflab-server: its parts by themselves, and the program
 * over HTTP.
 */
#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "server/options.h"
#include "server/params.h"
#include "server/pool.h"
#include "server/stats.h"
#include "tests/http_client.h"
#include "tests/server_process.h"
#include "tests/testing.h"
#include "web/csp.h"

#include <jansson.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* Until it holds; what cannot be awaited any other way is asked for. */
#define ASSERT_SOON(condition)                                                 \
	do {                                                                   \
		const int64_t end_ns = clock_monotonic_ns() + 20 * SECOND;     \
		const struct timespec step = { .tv_nsec = 5000000 };           \
		bool holds;                                                    \
		while (!(holds = (condition)) &&                               \
		       clock_monotonic_ns() < end_ns)                          \
			nanosleep(&step, NULL);                                \
		ck_assert_msg(holds, "not within 20 s: " #condition);          \
	} while (0)

/* ---- parameters ---- */

static const char *const colours[] = { "red", "green" };
static const struct param number = {
	.name = "n", .kind = PARAM_INT, .min = 1, .max = 100, .fallback = 7
};
static const struct param duration = { .name = "d",
				       .kind = PARAM_DURATION,
				       .min = 1,
				       .max = 60 * SECOND,
				       .fallback = SECOND };
static const struct param choice = { .name = "c",
				     .kind = PARAM_CHOICE,
				     .names = colours,
				     .n_names = 2,
				     .fallback = 1 };
static const struct param words = { .name = "t",
				    .kind = PARAM_TEXT,
				    .text = "default" };

static const struct {
	const char *name;
	const struct param *param;
	const char *text;
	int64_t number;	   /* -1: refused */
	const char *value; /* PARAM_TEXT */
	const char *error; /* the whole answer */
} param_rows[] = {
	{ "absent", &number, NULL, 7 },
	{ "empty", &number, "", 7 },
	{ "smallest", &number, "1", 1 },
	{ "largest", &number, "100", 100 },
	{ "below", &number, "0", -1, NULL,
	  "{\"error\":\"n is \\\"0\\\": must be a whole number from 1 to "
	  "100\",\"maximum\":100,\"minimum\":1,\"parameter\":\"n\","
	  "\"value\":\"0\"}" },
	{ "above", &number, "101", -1 },
	{ "word", &number, "abc", -1 },
	{ "trailing", &number, "5x", -1 },
	{ "leading blank", &number, " 5", -1 },
	{ "hexadecimal", &number, "0x5", -1 },
	{ "decimal", &number, "5.0", -1 },
	{ "overflow", &number, "99999999999999999999999999", -1 },
	{ "not UTF-8", &number, "\xff", -1, NULL,
	  "{\"error\":\"(not UTF-8)\",\"maximum\":100,\"minimum\":1,"
	  "\"parameter\":\"n\",\"value\":\"(not UTF-8)\"}" },
	{ "duration", &duration, "300ms", 300000000 },
	{ "duration absent", &duration, NULL, SECOND },
	{ "duration too long", &duration, "61s", -1, NULL,
	  "{\"error\":\"d is \\\"61s\\\": must be a duration from 1ns to "
	  "1m0s, such as 300ms, 10s or 1m30s\",\"maximum\":\"1m0s\","
	  "\"minimum\":\"1ns\",\"parameter\":\"d\",\"value\":\"61s\"}" },
	{ "duration bare", &duration, "60", -1 },
	{ "duration zero", &duration, "0", -1 },
	{ "choice", &choice, "red", 0 },
	{ "choice absent", &choice, NULL, 1 },
	{ "choice unknown", &choice, "blue", -1, NULL,
	  "{\"allowed\":[\"red\",\"green\"],\"error\":\"c is \\\"blue\\\": "
	  "must be one of red, green\",\"parameter\":\"c\","
	  "\"value\":\"blue\"}" },
	{ "choice by case", &choice, "RED", -1 },
	{ "text", &words, "grün", 0, "grün" },
	{ "text absent", &words, NULL, 0, "default" },
	{ "text too long", &words,
	  "0123456789012345678901234567890123456789012345678901234567890123"
	  "4",
	  -1 },
	{ "text not UTF-8", &words, "a\xc3", -1 },
};

START_TEST(param_table)
{
	struct param_value value = { .number = -1 };
	json_t *error = NULL;
	const int rc = param_parse(param_rows[_i].param, param_rows[_i].text,
				   &value, &error);
	const char *name = param_rows[_i].name;
	if (param_rows[_i].number < 0) {
		ck_assert_msg(rc == ERR_INVALID, "%s: %d", name, rc);
		char *text = json_dumps(error, JSON_SORT_KEYS | JSON_COMPACT);
		ck_assert_msg(text != NULL, "%s: no error", name);
		if (param_rows[_i].error)
			ck_assert_msg(strcmp(text, param_rows[_i].error) == 0,
				      "%s: %s", name, text);
		free(text);
		json_decref(error);
		return;
	}
	ck_assert_msg(rc == 0, "%s: %d", name, rc);
	if (param_rows[_i].value)
		ck_assert_str_eq(value.text, param_rows[_i].value);
	else
		ck_assert_msg(value.number == param_rows[_i].number, "%s: %lld",
			      name, (long long)value.number);
}
END_TEST

/* ---- the command line ---- */

static const struct {
	const char *name, *args[3];
	const char *error; /* NULL: it is right */
} option_rows[] = {
	{ "none", { NULL } },
	{ "one dash", { "-listen", ":0" } },
	{ "two dashes", { "--listen", ":0" } },
	{ "equals", { "-listen=:0" } },
	{ "two dashes, equals", { "--max-workers=5" } },
	{ "help", { "-h" } },
	{ "unknown", { "-nix" }, "there is no option \"-nix\"" },
	{ "three dashes", { "---listen", "x" }, "no option" },
	{ "bare word", { "listen" }, "no option" },
	{ "a dash", { "-" }, "no option" },
	{ "two of them", { "--" }, "no option" },
	{ "no value", { "-listen" }, "-listen needs a value" },
	{ "empty value", { "-listen=" }, "-listen is empty" },
	{ "a value too many", { "-help=1" }, "-help takes no value" },
	{ "not a number", { "-max-workers", "many" }, "from 1 to 4096" },
	{ "no workers", { "-max-workers=0" }, "from 1 to 4096" },
	{ "negative", { "-grace=-1s" }, "must be a duration" },
	{ "a budget", { "-profile-budget=1%" } },
	{ "a small budget", { "-profile-budget", "0.25%" } },
	{ "no budget", { "-profile-budget=0" } },
	{ "a bare budget",
	  { "-profile-budget=1" },
	  "-profile-budget is \"1\": must be a percentage from 0% to 100%, "
	  "such as 1% or 0.5%" },
	{ "more than all", { "-profile-budget=101%" }, "from 0% to 100%" },
	{ "a negative budget", { "-profile-budget=-1%" }, "percentage" },
	{ "two points", { "-profile-budget=1.2.3%" }, "percentage" },
	{ "a word", { "-profile-budget=nan%" }, "percentage" },
};

START_TEST(option_table)
{
	char *argv[5] = { (char *)"proflab-server" };
	int argc = 1;
	for (; option_rows[_i].args[argc - 1]; argc++)
		argv[argc] = (char *)option_rows[_i].args[argc - 1];
	struct server_options o;
	struct err e = { "" };
	const int rc = server_options_parse(argc, argv, &o, &e);
	const char *name = option_rows[_i].name;
	if (option_rows[_i].error)
		ck_assert_msg(rc == ERR_INVALID &&
				      strstr(e.text, option_rows[_i].error),
			      "%s: %d %s", name, rc, e.text);
	else
		ck_assert_msg(rc == 0, "%s: %s", name, e.text);
}
END_TEST

START_TEST(option_defaults)
{
	char *argv[] = { (char *)"proflab-server", (char *)"-max-workers",
			 (char *)"3", (char *)"-profile-budget=0.5%", NULL };
	struct server_options o;
	ck_assert_int_eq(server_options_parse(4, argv, &o, NULL), 0);
	ck_assert(o.profile_budget == 0.005);
	ck_assert_str_eq(o.listen, "127.0.0.1:8080");
	ck_assert_ptr_null(o.pprof_listen);
	ck_assert_int_eq(o.max_workers, 3);
	ck_assert_int_eq(o.grace_ns, 10 * SECOND);
	ck_assert_int_eq(o.leak_ceiling, 512 << 20);
}
END_TEST

/* ---- statistics ---- */

START_TEST(stats_buckets)
{
	static struct stats s;
	stats_add(&s, 1, 200, 0);
	stats_add(&s, 1, 400, 500000);	    /* on a bound: in it */
	stats_add(&s, 1, 503, 500001);	    /* just above */
	stats_add(&s, 2, 399, 11 * SECOND); /* above all */
	ck_assert_uint_eq(s.routes[1].buckets[0], 2);
	ck_assert_uint_eq(s.routes[1].buckets[1], 1);
	ck_assert_uint_eq(s.routes[2].buckets[STATS_BUCKETS], 1);
	const struct stats_total t = stats_sum(&s);
	ck_assert_uint_eq(t.requests, 4);
	ck_assert_uint_eq(t.errors, 2);
	ck_assert_uint_eq(t.latency_ns, 1000001 + 11 * (uint64_t)SECOND);
}
END_TEST

/* ---- the pool ---- */

static struct {
	sem_t begun, go;
	atomic_int now, most, done;
} work;

static void task_run(struct pool_task *task)
{
	(void)task;
	const int now = atomic_fetch_add(&work.now, 1) + 1;
	int most = atomic_load(&work.most);
	while (now > most &&
	       !atomic_compare_exchange_weak(&work.most, &most, now))
		;
	sem_post(&work.begun);
	sem_wait(&work.go);
	atomic_fetch_sub(&work.now, 1);
	atomic_fetch_add(&work.done, 1);
}

static struct pool *pool_of(size_t max_threads, size_t max_queue)
{
	struct pool *pool;
	sem_init(&work.begun, 0, 0);
	sem_init(&work.go, 0, 0);
	ck_assert_int_eq(pool_create("test", max_threads, max_queue, 1000000000,
				     &pool),
			 0);
	return pool;
}

START_TEST(pool_limits)
{
	static struct pool_task tasks[7];
	struct pool *pool = pool_of(3, 3);
	for (size_t i = 0; i < 7; i++)
		tasks[i].run = task_run;
	/* Three at work, three that wait, one too many. */
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(pool_submit(pool, &tasks[i]), 0);
		sem_wait(&work.begun);
	}
	for (size_t i = 3; i < 6; i++)
		ck_assert_int_eq(pool_submit(pool, &tasks[i]), 0);
	ck_assert_int_eq(pool_submit(pool, &tasks[6]), ERR_BUSY);
	ck_assert_uint_eq(pool_threads(pool), 3);
	ck_assert_uint_eq(pool_queued(pool), 3);
	for (size_t i = 0; i < 6; i++)
		sem_post(&work.go);
	/* It ends when all is done. */
	pool_free(pool);
	ck_assert_int_eq(work.done, 6);
	ck_assert_int_eq(work.most, 3);
}
END_TEST

START_TEST(pool_follows_the_load)
{
	static struct pool_task tasks[8];
	struct pool *pool = pool_of(8, 0);
	for (size_t i = 0; i < 8; i++) {
		tasks[i].run = task_run;
		ck_assert_int_eq(pool_submit(pool, &tasks[i]), 0);
		sem_wait(&work.begun);
	}
	ck_assert_uint_eq(pool_threads(pool), 8);
	for (size_t i = 0; i < 8; i++)
		sem_post(&work.go);
	/*
	 * One task at a time goes to the one that worked last; so the others
	 * leave although the pool is never idle for a second.
	 */
	const int64_t end = clock_monotonic_ns() + 20 * SECOND;
	int64_t idle_since = clock_monotonic_ns();
	while (pool_threads(pool) > 1 && clock_monotonic_ns() < end) {
		ASSERT_SOON(work.now == 0);
		ck_assert_int_eq(pool_submit(pool, &tasks[0]), 0);
		sem_wait(&work.begun);
		idle_since = clock_monotonic_ns();
		sem_post(&work.go);
		const struct timespec pause = { .tv_nsec = 20000000 };
		nanosleep(&pause, NULL);
	}
	/* That one stays, unless nothing came for its second either, as where
	 * there was no processor for us. */
	const size_t left = pool_threads(pool);
	const int64_t idle = clock_monotonic_ns() - idle_since;
	ck_assert_msg(left == 1 || (left == 0 && idle >= SECOND),
		      "%zu threads, idle for %lld ns", left, (long long)idle);
	ASSERT_SOON(pool_threads(pool) == 0);
	pool_free(pool);
}
END_TEST

/* ---- the program ---- */

static struct server_process server;

static void start(const char *const *args)
{
	server = server_process_start("proflab-server", args);
}

static void setup(void)
{
	start(NULL);
}

static void teardown(void)
{
	server_process_end(&server);
}

static struct client_reply get(const char *path)
{
	return client_ask(server.url, "GET", path, "", NULL);
}

/* One line, one object.  The caller's. */
static json_t *parse(const struct client_reply *r)
{
	json_error_t e;
	char *newline = strchr(r->body, '\n');
	ck_assert_msg(newline && newline[1] == '\0', "not one line: %s",
		      r->body);
	json_t *o = json_loads(r->body, JSON_REJECT_DUPLICATES, &e);
	ck_assert_msg(json_is_object(o), "%s: %s", e.text, r->body);
	return o;
}

static void list_keys(json_t *o, char *out, size_t size)
{
	const char *key;
	json_t *value;
	out[0] = '\0';
	json_object_foreach(o, key, value)
	{
		const size_t n = strlen(out);
		snprintf(out + n, size - n, "%s%s", n ? " " : "", key);
	}
}

#define MEMORY_KEYS                                                            \
	"alloc_mb gc_pause_ns goroutines heap_objects num_gc sys_mb threads "  \
	"total_alloc_mb"

static const struct {
	const char *path;
	const char *keys;	/* in the order of the answer: sorted */
	const char *in, *inner; /* the keys of one that is an object */
} route_rows[] = {
	{ "/", "endpoints message" },
	{ "/cpu?iterations=1000", "duration iterations result" },
	{ "/cpu?iterations=", "duration iterations result" },
	{ "/memory?size=10",
	  "allocated_objects digest duration memory_stats size_parameter",
	  "memory_stats", MEMORY_KEYS },
	{ "/inefficient",
	  "digest duration map_size slice_length string_length" },
	{ "/inefficient?start=7",
	  "digest duration map_size slice_length string_length" },
	{ "/database?records=3", "duration query_type records result", "result",
	  "row_count rows" },
	{ "/database?type=insert&records=1",
	  "duration query_type records result", "result", "affected_rows" },
	{ "/database?type=update&records=1",
	  "duration query_type records result", "result", "affected_rows" },
	{ "/cache?key=a%20key&ttl=1s",
	  "cache_hit cache_stats duration key value", "cache_stats",
	  "expired_count total_entries total_hits" },
	{ "/cache", "cache_hit cache_stats duration key value", "value",
	  "data generated_at key random" },
	{ "/concurrent?workers=2&tasks=4",
	  "digest duration goroutines results tasks threads workers" },
	{ "/leaky?size=1", "data_size duration memory_stats size",
	  "memory_stats", MEMORY_KEYS },
	{ "/stats",
	  "avg_latency cache_size data_size errors goroutines memory_stats "
	  "requests threads total_latency",
	  "memory_stats", MEMORY_KEYS },
	{ "/health", "status time" },
};

START_TEST(route_table)
{
	char keys[512], type[256];
	struct client_reply r = get(route_rows[_i].path);
	const char *name = route_rows[_i].path;
	ck_assert_msg(r.status == 200, "%s: %d %s", name, r.status, r.body);
	client_header(&r, "Content-Type", type);
	ck_assert_str_eq(type, "application/json");
	json_t *o = parse(&r);
	list_keys(o, keys, sizeof(keys));
	ck_assert_msg(strcmp(keys, route_rows[_i].keys) == 0, "%s: %s", name,
		      keys);
	if (route_rows[_i].in) {
		list_keys(json_object_get(o, route_rows[_i].in), keys,
			  sizeof(keys));
		ck_assert_msg(strcmp(keys, route_rows[_i].inner) == 0,
			      "%s: %s: %s", name, route_rows[_i].in, keys);
	}
	json_decref(o);
	client_reply_free(&r);
}
END_TEST

static const struct {
	const char *path, *parameter;
} refused_rows[] = {
	{ "/cpu?iterations=0", "iterations" },
	{ "/cpu?iterations=-1", "iterations" },
	{ "/cpu?iterations=abc", "iterations" },
	{ "/cpu?iterations=1e3", "iterations" },
	{ "/cpu?iterations=100000001", "iterations" },
	{ "/cpu?iterations=99999999999999999999", "iterations" },
	{ "/cpu?iterations=%00", NULL },
	{ "/memory?size=0", "size" },
	{ "/memory?size=x", "size" },
	{ "/database?type=drop", "type" },
	{ "/database?type=select&records=0", "records" },
	{ "/database?records=1001&type=select", "records" },
	{ "/cache?ttl=5", "ttl" },
	{ "/cache?ttl=-5s", "ttl" },
	{ "/cache?ttl=25h", "ttl" },
	{ "/cache?key=%ff", "key" },
	{ "/cache?key=01234567890123456789012345678901234567890123456789"
	  "01234567890123456789",
	  "key" },
	{ "/concurrent?workers=101", "workers" },
	{ "/concurrent?tasks=10001", "tasks" },
	{ "/leaky?size=10001", "size" },
	{ "/leaky?size=", NULL },
};

START_TEST(refused_table)
{
	struct client_reply r = get(refused_rows[_i].path);
	const char *name = refused_rows[_i].path;
	if (refused_rows[_i].parameter) {
		ck_assert_msg(r.status == 400, "%s: %d", name, r.status);
		json_t *o = parse(&r);
		const char *p =
			json_string_value(json_object_get(o, "parameter"));
		ck_assert_msg(p && strcmp(p, refused_rows[_i].parameter) == 0,
			      "%s: %s", name, r.body);
		ck_assert_msg(json_object_get(o, "minimum") ||
				      json_object_get(o, "allowed") ||
				      json_object_get(o, "maximum_length"),
			      "%s: no range: %s", name, r.body);
		json_decref(o);
	} else {
		ck_assert_msg(r.status == 200, "%s: %d", name, r.status);
	}
	client_reply_free(&r);
}
END_TEST

START_TEST(unknown_paths)
{
	static const char *const paths[] = { "/nix",   "/cpu/",
					     "//",     "/CPU",
					     "/debug", "/debug/pproff",
					     "/%00",   "/../etc/passwd" };
	for (size_t i = 0; i < 8; i++) {
		struct client_reply r = get(paths[i]);
		if (strcmp(paths[i], "/%00") == 0) {
			ck_assert_int_eq(r.status, 200); /* it reads as "/" */
		} else {
			ck_assert_msg(r.status == 404, "%s: %d", paths[i],
				      r.status);
			json_t *o = parse(&r);
			json_t *list = json_object_get(o, "endpoints");
			ck_assert_uint_ge(json_array_size(list), 10);
			json_decref(o);
		}
		client_reply_free(&r);
	}
}
END_TEST

START_TEST(methods_and_bodies)
{
	struct client_reply r =
		client_ask(server.url, "HEAD", "/health", "", NULL);
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	r = client_ask(server.url, "POST", "/cpu?iterations=10", "", "body");
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	r = client_ask(server.url, "DELETE", "/cpu", "", NULL);
	ck_assert_int_eq(r.status, 405);
	char value[256];
	client_header(&r, "Allow", value);
	ck_assert_str_eq(value, "GET, HEAD, POST");
	client_reply_free(&r);
	enum { LONG = (1 << 20) + 1 };
	char *body = malloc(LONG + 1);
	memset(body, 'x', LONG);
	body[LONG] = '\0';
	r = client_ask(server.url, "POST", "/cpu?iterations=10", "", body);
	ck_assert_int_eq(r.status, 413);
	client_reply_free(&r);
	free(body);
}
END_TEST

/* Each element's text is in the policy by its hash. */
static void assert_hashed(const char *page, const char *tag, const char *policy)
{
	char open_tag[16], close_tag[16], hash[CSP_HASH_TEXT];
	int n = 0;
	snprintf(open_tag, sizeof(open_tag), "<%s>", tag);
	snprintf(close_tag, sizeof(close_tag), "</%s>", tag);
	for (const char *at = page; (at = strstr(at, open_tag)); n++) {
		at += strlen(open_tag);
		const char *end = strstr(at, close_tag);
		ck_assert_ptr_nonnull(end);
		ck_assert_msg(strstr(policy, csp_hash(at, (size_t)(end - at),
						      hash)) != NULL,
			      "<%s> %d: not in the policy", tag, n);
		at = end;
	}
	ck_assert_int_ge(n, 2);
}

START_TEST(the_dashboard_is_one_page)
{
	struct client_reply r = get("/dashboard");
	char value[256];
	ck_assert_int_eq(r.status, 200);
	ck_assert_int_eq(client_header(&r, "Content-Type", value), 1);
	ck_assert_str_eq(value, "text/html; charset=utf-8");
	ck_assert_int_eq(client_header(&r, "Referrer-Policy", value), 1);
	const char *policy = strstr(r.head, "Content-Security-Policy: ");
	ck_assert_ptr_nonnull(policy);
	ck_assert(strstr(policy, ": default-src 'none'; ") != NULL);
	ck_assert(strstr(policy, "; connect-src 'self'; ") != NULL);
	ck_assert(strstr(policy, "unsafe") == NULL);
	assert_hashed(r.body, "style", policy);
	assert_hashed(r.body, "script", policy);
	/* Nothing from elsewhere; the library's notice is in this copy. */
	static const char *const none[] = { "src=\"http", "href=\"http",
					    "src=\"//", "href=\"//",
					    "@import" };
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		ck_assert_msg(!strstr(r.body, none[i]), "%s", none[i]);
	ck_assert(strstr(r.body, "Permission is hereby granted") != NULL);
	ck_assert(strstr(r.body, "<body data-pprof=\"\">") != NULL);
	client_reply_free(&r);
}
END_TEST

START_TEST(stats_count)
{
	static const char *const paths[] = { "/cpu?iterations=10", "/nix",
					     "/cpu?iterations=x",
					     "/leaky?size=3", "/cache" };
	struct client_reply r;
	for (size_t i = 0; i < 5; i++) {
		r = get(paths[i]);
		client_reply_free(&r);
	}
	r = get("/debug/pprof/heap?gc=1");
	client_reply_free(&r);
	r = get("/stats");
	json_t *o = parse(&r);
	int requests, errors, cache, data, gc, threads;
	ck_assert_int_eq(json_unpack(o, "{s:i, s:i, s:i, s:i, s:i, s:{s:i}}",
				     "requests", &requests, "errors", &errors,
				     "cache_size", &cache, "data_size", &data,
				     "threads", &threads, "memory_stats",
				     "num_gc", &gc),
			 0);
	ck_assert_int_eq(requests, 5);
	ck_assert_int_eq(errors, 2);
	ck_assert_int_eq(cache, 1);
	ck_assert_int_eq(data, 3);
	ck_assert_int_eq(gc, 1);
	ck_assert_int_gt(threads, 2);
	json_decref(o);
	client_reply_free(&r);
}
END_TEST

static int begin(const char *path)
{
	char text[256];
	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
		 path);
	const int fd = client_connect(server.url);
	client_send_text(fd, text);
	return fd;
}

START_TEST(profiles_answer_while_saturated)
{
	static const char *const args[] = { "-max-workers=2", NULL };
	enum { REQUESTS = 50 };
	int fds[REQUESTS];
	start(args);
	for (int i = 0; i < REQUESTS; i++)
		fds[i] = begin("/cache?key=a");
	ASSERT_SOON(server_process_threads(&server, "worker") == 2);
	static const char *const paths[] = { "/debug/pprof/",
					     "/debug/pprof/heap?debug=1",
					     "/debug/pprof/profile?seconds=1",
					     "/stats",
					     "/health",
					     "/" };
	/* One that hogs both workers for much longer than all of this. */
	const int hogs[] = { begin("/cpu?iterations=100000000"),
			     begin("/cpu?iterations=100000000") };
	for (int i = 0; i < REQUESTS; i++) {
		struct client_reply r = client_read(fds[i], 0);
		ck_assert_msg(r.status == 200, "%d: %s", r.status, r.body);
		client_reply_free(&r);
		close(fds[i]);
	}
	const int waiting = begin("/cpu?iterations=1");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct client_reply r = get(paths[i]);
		ck_assert_msg(r.status == 200, "%s: %d %s", paths[i], r.status,
			      r.body);
		client_reply_free(&r);
	}
	/* It has had no turn yet: the workers are as busy as they were. */
	char byte;
	ck_assert_int_eq(recv(waiting, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(server_process_threads(&server, "worker"), 2);
	close(hogs[0]);
	close(hogs[1]);
	close(waiting);
	server_process_end(&server);
}
END_TEST

START_TEST(a_full_queue_is_503)
{
	static const char *const args[] = { "-max-workers=1", "-max-queue=1",
					    NULL };
	char value[256];
	start(args);
	const int working = begin("/cpu?iterations=100000000");
	ASSERT_SOON(server_process_threads(&server, "worker") == 1);
	/* In order on one connection: the first waits, so the second would. */
	const int waiting = begin("/cpu?iterations=1");
	struct client_reply r;
	ASSERT_SOON((r = get("/cpu?iterations=1")).status == 503);
	client_header(&r, "Retry-After", value);
	ck_assert_str_eq(value, "1");
	json_decref(parse(&r));
	client_reply_free(&r);
	close(working);
	close(waiting);
	server_process_end(&server);
}
END_TEST

static const struct {
	const char *name;
	int sig;
} stop_rows[] = { { "SIGTERM", SIGTERM }, { "SIGINT", SIGINT } };

START_TEST(a_signal_finishes_what_is_served)
{
	/* A second of a processor's time, however long that takes. */
	static const char *const args[] = { "-grace=50s", NULL };
	start(args);
	const int fd = begin("/cpu?iterations=5000000");
	const int capture = begin("/debug/pprof/profile?seconds=600");
	const int idle = client_connect(server.url);
	ASSERT_SOON(server_process_threads(&server, "worker") == 1);
	/* An answer after the capture's request was sent: that one is begun. */
	struct client_reply r = get("/health");
	client_reply_free(&r);
	kill(server.pid, stop_rows[_i].sig);
	r = client_read(fd, 0);
	ck_assert_msg(r.status == 200, "%s: %d", stop_rows[_i].name, r.status);
	json_decref(parse(&r));
	client_reply_free(&r);
	r = client_read(capture, 0);
	ck_assert_msg(r.status == 200, "%s: %d", stop_rows[_i].name, r.status);
	ck_assert_msg(r.len > 2 && memcmp(r.body, "\x1f\x8b", 2) == 0,
		      "no gzip: %s", r.body);
	client_reply_free(&r);
	const int status = server_process_wait(&server, 20);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "%s: status %x", stop_rows[_i].name, status);
	close(fd);
	close(capture);
	close(idle);
	server_process_end(&server);
}
END_TEST

START_TEST(grace_is_bounded)
{
	static const char *const args[] = { "-grace=200ms", NULL };
	start(args);
	const int fd = begin("/cpu?iterations=100000000");
	ASSERT_SOON(server_process_threads(&server, "worker") == 1);
	kill(server.pid, SIGTERM);
	const int status = server_process_wait(&server, 10);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	char text[1024] = "";
	ck_assert_int_gt(read(server.out, text, sizeof(text) - 1), 0);
	ck_assert_ptr_nonnull(strstr(text, "finishing what is served"));
	close(fd);
	server_process_end(&server);
}
END_TEST

START_TEST(a_second_signal_ends_it)
{
	start(NULL);
	const int fd = begin("/cpu?iterations=100000000");
	ASSERT_SOON(server_process_threads(&server, "worker") == 1);
	kill(server.pid, SIGTERM);
	char text[256];
	ck_assert_int_gt(read(server.out, text, sizeof(text)), 0);
	/* It says so just before it listens for the second one. */
	ASSERT_SOON(kill(server.pid, SIGTERM) ||
		    waitpid(server.pid, NULL, WNOHANG) == server.pid);
	server.pid = 0;
	close(fd);
	server_process_end(&server);
}
END_TEST

START_TEST(pprof_on_a_socket_of_its_own)
{
	char folder[] = "/tmp/proflab-server-XXXXXX", url[64], token[64];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(url, sizeof(url), "unix:%s/pprof", folder);
	snprintf(token, sizeof(token), "%s/token", folder);
	FILE *f = fopen(token, "w");
	fputs("s3cret\n", f);
	fclose(f);
	const char *const args[] = { "-pprof-listen", url, "-pprof-token-file",
				     token, NULL };
	start(args);
	struct client_reply r = get("/debug/pprof/");
	ck_assert_int_eq(r.status, 404);
	client_reply_free(&r);
	r = client_ask(url, "GET", "/debug/pprof/", "", NULL);
	ck_assert_int_eq(r.status, 401);
	client_reply_free(&r);
	r = client_ask(url, "GET", "/debug/pprof/",
		       "Authorization: Bearer s3cret\r\n", NULL);
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	r = client_ask(url, "GET", "/cpu", "", NULL);
	ck_assert_int_eq(r.status, 404);
	client_reply_free(&r);
	kill(server.pid, SIGTERM);
	ck_assert_int_eq(server_process_wait(&server, 20), 0);
	server_process_end(&server);
	/* The socket went with it. */
	ck_assert_int_eq(unlink(token), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(leak_ceiling_is_503)
{
	static const char *const args[] = { "-leak-ceiling=102400", NULL };
	start(args);
	struct client_reply r = get("/leaky?size=11");
	ck_assert_int_eq(r.status, 503);
	json_t *o = parse(&r);
	ck_assert_ptr_nonnull(
		strstr(json_string_value(json_object_get(o, "error")),
		       "-leak-ceiling"));
	json_decref(o);
	client_reply_free(&r);
	r = get("/leaky?size=5");
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	server_process_end(&server);
}
END_TEST

START_TEST(leak_can_be_deleted)
{
	start(NULL);
	struct client_reply r = get("/leaky?size=7");
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	r = client_ask(server.url, "DELETE", "/leaky", "", NULL);
	ck_assert_int_eq(r.status, 200);
	json_t *o = parse(&r);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "removed")), 7);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "data_size")),
			 0);
	ck_assert_ptr_nonnull(json_object_get(o, "memory_stats"));
	json_decref(o);
	client_reply_free(&r);
	r = client_ask(server.url, "PUT", "/leaky", "", NULL);
	char allow[256];
	ck_assert_int_eq(r.status, 405);
	client_header(&r, "Allow", allow);
	ck_assert_str_eq(allow, "GET, HEAD, POST, DELETE");
	client_reply_free(&r);
	server_process_end(&server);
}
END_TEST

static const char *const rubbish[] = {
	"",
	"\r\n\r\n",
	"GET",
	"GET / HTTP/1.1\r\n",
	"GET /cpu?iterations HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /cpu?=&&==&%%%&iterations=1 HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST /cpu?iterations=1 HTTP/1.1\r\nHost: x\r\n"
	"Content-Length: 18446744073709551616\r\n\r\n",
	"POST /cpu?iterations=1 HTTP/1.1\r\nHost: x\r\n"
	"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n",
	"\x80\x81\x82 / HTTP/1.1\r\n\r\n",
	"CONNECT a:1 HTTP/1.1\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
};

START_TEST(rubbish_table)
{
	/* As fast as it goes, and never listening to an answer. */
	for (int i = 0; i < 20; i++) {
		const int fd = client_connect(server.url);
		client_send_text(fd, rubbish[_i]);
		close(fd);
	}
	struct client_reply r = get("/health");
	ck_assert_msg(r.status == 200, "after row %d: %d", _i, r.status);
	client_reply_free(&r);
}
END_TEST

START_TEST(clients_that_leave)
{
	/* Workers finish for nobody, and nothing is left of it. */
	for (int i = 0; i < 30; i++)
		close(begin("/cache?key=x"));
	/* Once this one is answered, the server has seen those before it. */
	struct client_reply r = get("/health");
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	ASSERT_SOON(server_process_threads(&server, "worker") == 0);
	r = get("/health");
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	kill(server.pid, SIGTERM);
	ck_assert_int_eq(server_process_wait(&server, 20), 0);
}
END_TEST

static const struct {
	const char *args[5];
	int status;
	const char *says;
} exit_rows[] = {
	/* TEST-NET-1 is nobody's address. */
	{ { "-listen", "192.0.2.1:0" }, 1, "Cannot assign requested address" },
	{ { "-listen", "nonsense" }, 1, "is not an address" },
	{ { "-listen", "127.0.0.1:0", "-pprof-listen", "nonsense" },
	  1,
	  "-pprof-listen: \"nonsense\"" },
	{ { "-listen", "127.0.0.1:0", "-data-dir", "/nix/nix" },
	  1,
	  "/nix/nix" },
	{ { "-nix" }, 2, "there is no option \"-nix\"" },
	{ { "-help" }, 0, "usage: proflab-server" },
	{ { "--version" }, 0, "proflab-server " },
};

/*
 * What is behind most of them is that the process comes to an end: its exit
 * handlers take locks of libc, which a shim might have left broken.
 */
START_TEST(exit_table)
{
	char text[8192] = "";
	size_t n = 0;
	ssize_t got;
	server = server_process_run("proflab-server", exit_rows[_i].args);
	const int status = server_process_wait(&server, 20);
	while ((got = read(server.out, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	ck_assert_msg(WIFEXITED(status) &&
			      WEXITSTATUS(status) == exit_rows[_i].status,
		      "row %d: status %x: %s", _i, status, text);
	ck_assert_msg(strstr(text, exit_rows[_i].says) != NULL, "row %d: %s",
		      _i, text);
	server_process_end(&server);
}
END_TEST

START_TEST(fixed_is_said)
{
	server = server_process_start("proflab-server-fixed", NULL);
	ck_assert_ptr_nonnull(strstr(server.line, "(variant fixed)"));
	ck_assert_ptr_eq(strstr(server.line, "proflab-server listening on "),
			 server.line);
	struct client_reply r = get("/cpu?iterations=1000");
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	server_process_end(&server);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("server");
	TCase *t = tcase_create("parts");
	tcase_set_timeout(t, 60);
	testing_add_table(t, param_table, param_rows);
	testing_add_table(t, option_table, option_rows);
	tcase_add_test(t, option_defaults);
	tcase_add_test(t, stats_buckets);
	tcase_add_test(t, pool_limits);
	tcase_add_test(t, pool_follows_the_load);
	suite_add_tcase(s, t);
	/* One server for rows that leave nothing behind. */
	t = tcase_create("one server");
	tcase_add_unchecked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	testing_add_table(t, route_table, route_rows);
	testing_add_table(t, refused_table, refused_rows);
	testing_add_table(t, rubbish_table, rubbish);
	tcase_add_test(t, unknown_paths);
	tcase_add_test(t, methods_and_bodies);
	suite_add_tcase(s, t);
	t = tcase_create("a server each");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_dashboard_is_one_page);
	tcase_add_test(t, stats_count);
	tcase_add_test(t, clients_that_leave);
	suite_add_tcase(s, t);
	t = tcase_create("servers of their own");
	tcase_set_timeout(t, 60);
	testing_add_table(t, a_signal_finishes_what_is_served, stop_rows);
	testing_add_table(t, exit_table, exit_rows);
	tcase_add_test(t, profiles_answer_while_saturated);
	tcase_add_test(t, a_full_queue_is_503);
	tcase_add_test(t, grace_is_bounded);
	tcase_add_test(t, a_second_signal_ends_it);
	tcase_add_test(t, pprof_on_a_socket_of_its_own);
	tcase_add_test(t, leak_ceiling_is_503);
	tcase_add_test(t, leak_can_be_deleted);
	tcase_add_test(t, fixed_is_said);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return testing_run(suite());
}
