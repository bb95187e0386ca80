/*
 * check_scrapers.c - do our profiles meet what continuous profilers require?
 * What Parca and Grafana Alloy check of a scraped profile is checked here in
 * the same order, on the wire (protobuf-c's own decoder), on a live server
 * under mixed load; and each check is shown to fail where it should.
 */
#include "tests/testing.h"

#include "base/attr.h"
#include "base/clock.h"
#include "profile/inflate.h"
#include "profile/profile.pb-c.h"
#include "tests/http_client.h"
#include "tests/server_process.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

typedef Perftools__Profiles__Profile Profile;
typedef Perftools__Profiles__Sample Sample;
typedef Perftools__Profiles__Location Location;
typedef Perftools__Profiles__Mapping Mapping;

enum { TYPES_MAX = 4, KEY_PARTS_MAX = 512 };

/* What a path's profile is about.  counters: how many of its values, from the
 * first on, only grow while the process lives. */
struct path {
	const char *name, *types[TYPES_MAX], *period;
	int counters;
};

static const struct path paths[] = {
	/* Parca's and Alloy's defaults: these five. */
	{ "allocs",
	  { "alloc_objects/count", "alloc_space/bytes", "inuse_objects/count",
	    "inuse_space/bytes" },
	  "space/bytes",
	  2 },
	{ "block",
	  { "contentions/count", "delay/nanoseconds" },
	  "contentions/count",
	  2 },
	{ "goroutine", { "goroutine/count" }, "goroutine/count", 0 },
	{ "mutex",
	  { "contentions/count", "delay/nanoseconds" },
	  "contentions/count",
	  2 },
	{ "profile?seconds=1",
	  { "samples/count", "cpu/nanoseconds" },
	  "cpu/nanoseconds",
	  0 },
	/* Those that one adds. */
	{ "heap",
	  { "alloc_objects/count", "alloc_space/bytes", "inuse_objects/count",
	    "inuse_space/bytes" },
	  "space/bytes",
	  2 },
	{ "threads", { "threads/count" }, "threads/count", 0 },
	{ "threadcreate", { "threadcreate/count" }, "threadcreate/count", 1 },
	{ "wall?seconds=1",
	  { "samples/count", "wall/nanoseconds" },
	  "wall/nanoseconds",
	  0 },
};

/* ---- what a scraper checks ----------------------------------------------- */

static _Thread_local char verdict[512];

/* For `return wrong(...)`. */
static const char *wrong(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static const char *wrong(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(verdict, sizeof(verdict), format, ap);
	va_end(ap);
	return verdict;
}

/* Alloy's validate.go: the answer before its body. */
static const char *check_reply(const struct client_reply *r)
{
	char type[256];
	if (r->status != 200)
		return wrong("status %d: %.200s", r->status, r->body);
	if (r->len == 0)
		return wrong("the body is empty");
	if (client_header(r, "Content-Type", type) != 1 ||
	    strncmp(type, "application/octet-stream", 24) != 0)
		return wrong("Content-Type is \"%s\"", type);
	return NULL;
}

static const char *text(const Profile *p, int64_t i)
{
	return i >= 0 && (size_t)i < p->n_string_table ? p->string_table[i]
						       : NULL;
}

static bool is_type(const Profile *p, const Perftools__Profiles__ValueType *t,
		    const char *want)
{
	char got[128];
	if (!t || !text(p, t->type) || !text(p, t->unit))
		return false;
	snprintf(got, sizeof(got), "%s/%s", text(p, t->type), text(p, t->unit));
	return strcmp(got, want) == 0;
}

static const char *check_head(const Profile *p, const struct path *path)
{
	if (p->n_string_table == 0 || *p->string_table[0])
		return wrong("string_table[0] is not empty");
	if (p->n_sample_type > TYPES_MAX)
		return wrong("%zu values a sample", p->n_sample_type);
	for (size_t i = 0; i < TYPES_MAX; i++) {
		const char *want = path->types[i];
		if (!want && i >= p->n_sample_type)
			break;
		if (!want || i >= p->n_sample_type ||
		    !is_type(p, p->sample_type[i], want))
			return wrong("sample type %zu is not %s", i,
				     want ? want : "none");
	}
	if (!is_type(p, p->period_type, path->period))
		return wrong("the period type is not %s", path->period);
	if (p->period <= 0)
		return wrong("the period is %" PRId64, p->period);
	if (p->time_nanos <= 0)
		return wrong("there is no time");
	return NULL;
}

/* Parca's normalizer: ids are exactly 1 to n, in order. */
#define CHECK_IDS(p, kind)                                                     \
	for (size_t i = 0; i < (p)->n_##kind; i++)                             \
		if ((p)->kind[i]->id != i + 1)                                 \
	return wrong(#kind " %zu has the id %" PRIu64, i, (p)->kind[i]->id)

static const char *check_ids(const Profile *p)
{
	CHECK_IDS(p, mapping);
	CHECK_IDS(p, function);
	CHECK_IDS(p, location);
	return NULL;
}

/* Alloy tells samples apart by their locations' addresses. */
static const char *check_locations(const Profile *p)
{
	for (size_t i = 0; i < p->n_location; i++) {
		const Location *l = p->location[i];
		for (size_t j = 0; j < l->n_line; j++)
			if (l->line[j]->function_id == 0 ||
			    l->line[j]->function_id > p->n_function)
				return wrong("location %zu: no function", i);
		if (l->address == 0)
			return wrong("location %zu: no address", i);
		if (l->mapping_id == 0 || l->mapping_id > p->n_mapping)
			return wrong("location %zu: no mapping", i);
		const Mapping *m = p->mapping[l->mapping_id - 1];
		if (l->address < m->memory_start ||
		    l->address >= m->memory_limit)
			return wrong("location %zu: 0x%" PRIx64
				     " is not in its mapping",
				     i, l->address);
	}
	return NULL;
}

static const char *check_samples(const Profile *p)
{
	for (size_t i = 0; i < p->n_sample; i++) {
		const Sample *s = p->sample[i];
		if (s->n_value != p->n_sample_type)
			return wrong("sample %zu has %zu values", i,
				     s->n_value);
		if (s->n_location_id == 0)
			return wrong("sample %zu has no location", i);
		for (size_t j = 0; j < s->n_location_id; j++)
			if (s->location_id[j] == 0 ||
			    s->location_id[j] > p->n_location)
				return wrong("sample %zu: location %" PRIu64, i,
					     s->location_id[j]);
		for (size_t j = 0; j < s->n_label; j++) {
			const char *key = text(p, s->label[j]->key);
			if (!key || !*key)
				return wrong("sample %zu: a label without key",
					     i);
		}
	}
	return NULL;
}

/*
 * What Alloy's fastdelta knows a sample by: addresses, then labels.
 * Returns: its length, for a map.
 */
static size_t key_of(const Profile *p, const Sample *s,
		     uint64_t key[static KEY_PARTS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_location_id && n < KEY_PARTS_MAX; i++)
		key[n++] = p->location[s->location_id[i] - 1]->address;
	for (size_t i = 0; i < s->n_label && n + 3 <= KEY_PARTS_MAX; i++) {
		/* Indices of strings are each profile's own; texts are not. */
		const char *texts[2] = { text(p, s->label[i]->key),
					 text(p, s->label[i]->str) };
		for (int t = 0; t < 2; t++) {
			uint64_t hash = UINT64_C(14695981039346656037);
			for (const char *c = texts[t]; c && *c; c++)
				hash = (hash ^ (unsigned char)*c) *
				       UINT64_C(1099511628211);
			key[n++] = hash;
		}
		key[n++] = (uint64_t)s->label[i]->num;
	}
	return n;
}

struct keyed {
	uint64_t key[KEY_PARTS_MAX];
	size_t n;
	const Sample *sample;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = *(struct keyed *const *)a;
	const struct keyed *y = *(struct keyed *const *)b;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->key, y->key, x->n * sizeof(*x->key));
}

/* Sorted by key; owned by the caller: free each, free the array. */
static struct keyed **sort_by_key(const Profile *p)
{
	struct keyed **all = calloc(p->n_sample + 1, sizeof(*all));
	for (size_t i = 0; i < p->n_sample; i++) {
		all[i] = calloc(1, sizeof(**all));
		all[i]->sample = p->sample[i];
		all[i]->n = key_of(p, p->sample[i], all[i]->key);
	}
	qsort(all, p->n_sample, sizeof(*all), by_key);
	return all;
}

static void keyed_free(struct keyed **all, const Profile *p)
{
	for (size_t i = 0; i < p->n_sample; i++)
		free(all[i]);
	free(all);
}

/* Two samples that cannot be told apart collapse in a delta. */
static const char *check_keys(const Profile *p)
{
	struct keyed **all = sort_by_key(p);
	const char *bad = NULL;
	for (size_t i = 1; i < p->n_sample && !bad; i++)
		if (by_key(&all[i - 1], &all[i]) == 0)
			bad = wrong("two samples of the same %zu locations and "
				    "%zu labels",
				    all[i]->sample->n_location_id,
				    all[i]->sample->n_label);
	keyed_free(all, p);
	return bad;
}

/* Between two scrapes a counter never falls, nor does a sample go away. */
static const char *check_growth(const Profile *before, const Profile *after,
				int counters)
{
	struct keyed **a = sort_by_key(before), **b = sort_by_key(after);
	const char *bad = NULL;
	size_t j = 0;
	for (size_t i = 0; i < before->n_sample && !bad; i++) {
		while (j < after->n_sample && by_key(&b[j], &a[i]) < 0)
			j++;
		const bool there =
			j < after->n_sample && by_key(&b[j], &a[i]) == 0;
		for (int v = 0; v < counters && !bad; v++) {
			const int64_t was = a[i]->sample->value[v];
			const int64_t is = there ? b[j]->sample->value[v] : 0;
			if (is < was)
				bad = wrong("a counter fell from %" PRId64
					    " to %" PRId64 "%s",
					    was, is,
					    there ? ""
						  : ": its sample is gone");
		}
	}
	keyed_free(a, before);
	keyed_free(b, after);
	return bad;
}

static const char *check_profile(const Profile *p, const struct path *path)
{
	const char *bad = check_head(p, path);
	if (!bad)
		bad = check_ids(p);
	if (!bad)
		bad = check_locations(p);
	if (!bad)
		bad = check_samples(p);
	if (!bad)
		bad = check_keys(p);
	return bad;
}

/* ---- a live server ------------------------------------------------------- */

static struct server_process server, load;

static Profile *unpack(const struct client_reply *r)
{
	uint8_t *data = (uint8_t *)r->body;
	size_t len = r->len;
	const bool gzip = inflate_is_gzip(data, len);
	if (gzip)
		ck_assert_int_eq(inflate_gzip((uint8_t *)r->body, r->len,
					      64 << 20, &data, &len, NULL),
				 0);
	Profile *p = perftools__profiles__profile__unpack(NULL, len, data);
	if (gzip)
		free(data);
	return p;
}

static void profile_free(Profile *p)
{
	if (p)
		perftools__profiles__profile__free_unpacked(p, NULL);
}

/* Owned by the caller. */
static Profile *scrape(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "/debug/pprof/%s", name);
	struct client_reply r = client_ask(server.url, "GET", path, "", NULL);
	const char *bad = check_reply(&r);
	ck_assert_msg(!bad, "%s: %s", name, bad);
	Profile *p = unpack(&r);
	ck_assert_msg(p != NULL, "%s: it is no profile", name);
	client_reply_free(&r);
	return p;
}

static int64_t total(const Profile *p, size_t v)
{
	int64_t sum = 0;
	for (size_t i = 0; i < p->n_sample; i++)
		sum += p->sample[i]->value[v];
	return sum;
}

static void setup(void)
{
	static const char *const args[] = { "-block-profile-rate=1",
					    "-mutex-profile-fraction=1", NULL };
	server = server_process_start("proflab-server", args);
}

static void setup_with_load(void)
{
	setup();
	const char *const args[] = { "-url",	  server.url, "-concurrency",
				     "6",	  "-rps",     "0",
				     "-duration", "120s",     "-quiet",
				     NULL };
	load = server_process_run("proflab-load", args);
	/* Until each route of the mix has had its turn. */
	for (int64_t end = clock_monotonic_ns() + 30 * SECOND_NS;;) {
		struct client_reply r =
			client_ask(server.url, "GET", "/metrics", "", NULL);
		static const char *const routes[] = { "/cpu", "/memory",
						      "/database", "/cache",
						      "/concurrent" };
		bool all = true;
		for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
			char zero[128];
			snprintf(zero, sizeof(zero),
				 "_requests_total{route=\"%s\"} 0\n",
				 routes[i]);
			all &= !strstr(r.body, zero);
		}
		client_reply_free(&r);
		if (all)
			break;
		ck_assert_msg(clock_monotonic_ns() < end, "there is no load");
	}
}

static void teardown(void)
{
	if (load.pid)
		server_process_end(&load);
	server_process_end(&server);
}

/* All at the same time, as scrapers do. */
struct scraped {
	const struct path *path;
	Profile *p;
};

static void *scrape_thread(void *arg)
{
	struct scraped *s = arg;
	s->p = scrape(s->path->name);
	return NULL;
}

static void scrape_all(struct scraped s[static ARRAY_SIZE(paths)])
{
	pthread_t threads[ARRAY_SIZE(paths)];
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		s[i].path = &paths[i];
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						scrape_thread, &s[i]),
				 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		pthread_join(threads[i], NULL);
}

START_TEST(default_paths_under_load)
{
	enum { ROUNDS = 2 };
	struct scraped s[ROUNDS][ARRAY_SIZE(paths)];
	for (int round = 0; round < ROUNDS; round++) {
		scrape_all(s[round]);
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
			const char *bad =
				check_profile(s[round][i].p, &paths[i]);
			ck_assert_msg(!bad, "%s: %s", paths[i].name, bad);
			ck_assert_msg(s[round][i].p->n_sample > 0,
				      "%s is empty", paths[i].name);
			bad = round ? check_growth(s[round - 1][i].p,
						   s[round][i].p,
						   paths[i].counters)
				    : NULL;
			ck_assert_msg(!bad, "%s: %s", paths[i].name, bad);
		}
	}
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			profile_free(s[round][i].p);
}
END_TEST

/* `seconds=`, as Parca and Alloy ask where delta is set. */
static const char *const deltas[] = { "allocs", "block", "mutex" };

static void *delta_thread(void *arg)
{
	const char *name = arg;
	char with_seconds[64];
	const struct path *path = paths;
	while (strcmp(path->name, name) != 0)
		path++;
	snprintf(with_seconds, sizeof(with_seconds), "%s?seconds=1", name);
	Profile *before = scrape(name), *delta = scrape(with_seconds),
		*after = scrape(name);
	const char *bad = check_profile(delta, path);
	ck_assert_msg(!bad, "%s: %s", with_seconds, bad);
	ck_assert_msg(delta->duration_nanos >= SECOND_NS &&
			      delta->duration_nanos < 30 * SECOND_NS,
		      "%s: %" PRId64 " ns", name, delta->duration_nanos);
	for (int v = 0; v < path->counters; v++) {
		const int64_t all = total(after, v) - total(before, v);
		ck_assert_msg(total(delta, v) > 0 && total(delta, v) <= all,
			      "%s: %" PRId64 " of %" PRId64, name,
			      total(delta, v), all);
		for (size_t i = 0; i < delta->n_sample; i++)
			ck_assert_int_ge(delta->sample[i]->value[v], 0);
	}
	profile_free(before);
	profile_free(delta);
	profile_free(after);
	return NULL;
}

START_TEST(deltas_are_sane)
{
	pthread_t threads[ARRAY_SIZE(deltas)];
	for (size_t i = 0; i < ARRAY_SIZE(deltas); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, delta_thread,
						(void *)(uintptr_t)deltas[i]),
				 0);
	for (size_t i = 0; i < ARRAY_SIZE(deltas); i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---- /metrics and the profiles say the same ------------------------------ */

static int64_t metric_ns(const char *name)
{
	char line[128];
	struct client_reply r =
		client_ask(server.url, "GET", "/metrics", "", NULL);
	snprintf(line, sizeof(line), "\n%s ", name);
	const char *at = strstr(r.body, line);
	ck_assert_msg(at != NULL, "no %s", name);
	const double seconds = strtod(at + strlen(line), NULL);
	client_reply_free(&r);
	return (int64_t)(seconds * 1e9 + 0.5);
}

static int64_t delay_of(const char *name)
{
	Profile *p = scrape(name);
	const int64_t sum = total(p, 1);
	profile_free(p);
	return sum;
}

/* What a profile has between two looks at what /metrics says. */
struct delays {
	int64_t before, sum, after;
};

static struct delays look_at(const char *profile, const char *const *metrics)
{
	struct delays d = { 0 };
	for (size_t i = 0; metrics[i]; i++)
		d.before += metric_ns(metrics[i]);
	d.sum = delay_of(profile);
	for (size_t i = 0; metrics[i]; i++)
		d.after += metric_ns(metrics[i]);
	return d;
}

static bool is_same(const struct delays *d)
{
	return d->before == d->after && d->sum == d->after;
}

static bool is_between(const struct delays *d)
{
	return d->before <= d->sum && d->sum <= d->after;
}

/* A thread may have to wait for a processor between its entry in the one book
 * and that in the other: so, until they agree. */
static int64_t assert_agrees(const char *profile, const char *const *metrics,
			     bool (*agrees)(const struct delays *d))
{
	const int64_t end = clock_monotonic_ns() + 20 * SECOND_NS;
	struct delays d;
	do {
		d = look_at(profile, metrics);
		ck_assert_msg(clock_monotonic_ns() < end || agrees(&d),
			      "%s: %" PRId64 " ns; %" PRId64 " to %" PRId64,
			      profile, d.sum, d.before, d.after);
	} while (!agrees(&d));
	return d.sum;
}

/*
 * At rate 1 and fraction 1 nothing is left to chance: what the mutex profile
 * blames on holders is what /metrics says that threads waited for locks, to
 * the nanosecond.  Nobody may wait between the two scrapes.
 *
 * The block profile has the waits for all else as well; idle workers' end with
 * every request, so it lies between two scrapes.
 */
START_TEST(lock_wait_is_the_profiles_sum)
{
	static const char *const all[] = { "pprof_lock_wait_seconds_total",
					   "pprof_sync_wait_seconds_total",
					   NULL };
	static const char *const locks[] = { "pprof_lock_wait_seconds_total",
					     NULL };
	for (int i = 0; i < 6; i++) {
		struct client_reply r =
			client_ask(server.url, "GET",
				   "/concurrent?workers=20&tasks=400", "",
				   NULL);
		ck_assert_int_eq(r.status, 200);
		client_reply_free(&r);
	}
	const int64_t sum = assert_agrees("mutex", locks, is_same);
	ck_assert_msg(sum > 1000000, "nobody waited: %" PRId64, sum);
	assert_agrees("block", all, is_between);
}
END_TEST

/* ---- the checks can fail ------------------------------------------------- */

static Profile *one, *other; /* the same, twice */

static void read_twice(void)
{
	setup();
	for (int i = 0; i < 2; i++) {
		struct client_reply r =
			client_ask(server.url, "GET", "/concurrent", "", NULL);
		client_reply_free(&r);
	}
	struct client_reply r =
		client_ask(server.url, "GET", "/debug/pprof/block", "", NULL);
	one = unpack(&r);
	other = unpack(&r);
	client_reply_free(&r);
	teardown();
}

static void free_both(void)
{
	profile_free(one);
	profile_free(other);
}

static void swap_locations(Profile *p)
{
	Location *l = p->location[0];
	p->location[0] = p->location[1];
	p->location[1] = l;
}

static void skip_an_id(Profile *p)
{
	p->function[p->n_function - 1]->id++;
}

static void start_mappings_at_0(Profile *p)
{
	p->mapping[0]->id = 0;
}

static void fill_string_0(Profile *p)
{
	char *s = p->string_table[0];
	p->string_table[0] = p->string_table[1];
	p->string_table[1] = s;
}

static void drop_period_type(Profile *p)
{
	p->period_type->type = 0;
}

static void drop_address(Profile *p)
{
	p->location[0]->address = 0;
}

static void move_address(Profile *p)
{
	p->location[0]->address = 1;
}

static void drop_mapping(Profile *p)
{
	p->location[0]->mapping_id = 0;
}

static void drop_a_value(Profile *p)
{
	p->sample[0]->n_value--;
}

static void drop_a_location(Profile *p)
{
	p->sample[0]->location_id[0] = 0;
}

static void double_a_sample(Profile *p)
{
	memcpy(p->sample[1]->location_id, p->sample[0]->location_id,
	       sizeof(uint64_t));
	p->sample[0]->n_location_id = p->sample[1]->n_location_id = 1;
	p->sample[0]->n_label = p->sample[1]->n_label = 0;
}

static void let_a_counter_fall(Profile *p)
{
	p->sample[0]->value[1]--;
}

static void lose_a_sample(Profile *p)
{
	p->n_sample--;
}

static void zero_period(Profile *p)
{
	p->period = 0;
}

static const struct {
	const char *name;
	void (*spoil)(Profile *p);
	const char *want;
} faults[] = {
	{ "ids out of order", swap_locations, "location 0 has the id 2" },
	{ "an id left out", skip_an_id, "function " },
	{ "ids from 0", start_mappings_at_0, "mapping 0 has the id 0" },
	{ "string 0", fill_string_0, "string_table[0]" },
	{ "no period type", drop_period_type, "period type" },
	{ "no period", zero_period, "the period is 0" },
	{ "no address", drop_address, "location 0: no address" },
	{ "a made-up address", move_address, "not in its mapping" },
	{ "no mapping", drop_mapping, "location 0: no mapping" },
	{ "a value too few", drop_a_value, "has 1 values" },
	{ "a bad location", drop_a_location, "sample 0: location 0" },
	{ "collapsing samples", double_a_sample, "two samples" },
	{ "a counter that falls", let_a_counter_fall, "a counter fell" },
	{ "a sample that goes", lose_a_sample, "its sample is gone" },
};

START_TEST(fault_table)
{
	const struct path *block = &paths[1];
	ck_assert_str_eq(block->name, "block");
	ck_assert_uint_ge(one->n_sample, 2);
	const char *bad = check_profile(other, block);
	ck_assert_msg(!bad, "before: %s", bad);
	bad = check_growth(one, other, 2);
	ck_assert_msg(!bad, "before: %s", bad);
	const size_t n_sample = other->n_sample;
	const size_t n_value = other->sample[0]->n_value;
	faults[_i].spoil(other);
	bad = check_profile(other, block);
	if (!bad)
		bad = check_growth(one, other, 2);
	/* What the unpacked message is freed by. */
	other->n_sample = n_sample;
	other->sample[0]->n_value = n_value;
	ck_assert_msg(bad && strstr(bad, faults[_i].want), "%s: %s",
		      faults[_i].name, bad ? bad : "nothing was found");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scrapers");
	TCase *t = tcase_create("under load");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup_with_load, teardown);
	tcase_add_test(t, default_paths_under_load);
	tcase_add_test(t, deltas_are_sane);
	suite_add_tcase(s, t);
	t = tcase_create("metrics");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, lock_wait_is_the_profiles_sum);
	suite_add_tcase(s, t);
	t = tcase_create("faults");
	tcase_set_timeout(t, 60);
	/* Once: each row spoils a copy of its own, after a fork. */
	tcase_add_unchecked_fixture(t, read_twice, free_both);
	testing_add_table(t, fault_table, faults);
	suite_add_tcase(s, t);
	return testing_run(s);
}
