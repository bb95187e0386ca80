/*
 * cache.c - the workload of /cache, as the exercise gives it.
 *
 * A cache is put in front of something slow, and it works: a value that is
 * there comes back in microseconds instead of 100 ms.  Then the number of
 * users grows, and the cache is what is slow.
 *
 * A CPU profile shows little: threads that wait use no CPU.  Ask who waits,
 * and for whom:
 *
 *   proflab-pprof -top http://HOST/debug/pprof/block?seconds=10
 *   proflab-pprof -top http://HOST/debug/pprof/mutex?seconds=10
 *   proflab-pprof -top http://HOST/debug/pprof/wall?seconds=10
 *
 * block names the victims, where they stood and waited.  mutex names the ones
 * who had what they waited for, and how much waiting each of them caused.
 *
 * Then ask for /cache?key=once&ttl=1ms from many clients at once and look at
 * cache_stats in the answers.  Four things there are not as they should be.
 */
#include "workloads/cache.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "workloads/hash.h"
#include "workloads/pause.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A value, and what the cache has to know about it. */
struct entry {
	struct cache_value value; /* value.key is the key */
	int64_t expires_ns;	  /* on the monotonic clock */
	uint64_t hits;
	bool lost;
	UT_hash_handle hh;
};

/*
 * uthash keeps its elements in a list besides, in the order in which they were
 * put in: get_cache_stats walks along it.
 */
struct cache {
	pthread_mutex_t lock;  /* guards the entries, and all in them */
	struct entry *entries; /* owned, by value.key */
	size_t max_entries;
	int64_t generate_ns;
};

int cache_create(const struct cache_options *options, struct cache **ret_cache)
{
	const struct cache_options none = { 0 };
	const struct cache_options *o = options ? options : &none;
	struct cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return ERR_NOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	cache->max_entries =
		o->max_entries ? o->max_entries : CACHE_MAX_ENTRIES_DEFAULT;
	cache->generate_ns =
		o->generate_ns ? o->generate_ns : CACHE_GENERATE_NS;
	*ret_cache = cache;
	return 0;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	struct entry *entry, *next;
	HASH_ITER(hh, cache->entries, entry, next)
	{
		HASH_DEL(cache->entries, entry);
		free(entry);
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/*
 * One hit more.  The lookup has read the counter; here the new count is
 * written.  Both happen under the lock, so no tool that looks for data races
 * has anything to say about it.  Is the count right?
 */
static ON_STACK void count_hit(struct cache *cache, const char *key,
			       uint64_t hits)
{
	struct entry *entry;
	pthread_mutex_lock(&cache->lock);
	HASH_FIND_STR(cache->entries, key, entry);
	if (entry)
		entry->hits = hits;
	pthread_mutex_unlock(&cache->lock);
}

/*
 * The value, where there is one that has not expired.  Returns: a hit?
 *
 * One lock for all keys: a request for one key waits for a request for any
 * other.
 */
static ON_STACK bool get_cached_value(struct cache *cache, const char *key,
				      struct cache_value *ret_value)
{
	struct entry *entry;
	uint64_t hits = 0;
	pthread_mutex_lock(&cache->lock);
	HASH_FIND_STR(cache->entries, key, entry);
	const bool hit = entry && entry->expires_ns > clock_monotonic_ns();
	if (hit) {
		*ret_value = entry->value;
		hits = entry->hits;
	}
	pthread_mutex_unlock(&cache->lock);
	if (hit)
		count_hit(cache, key, hits + 1);
	return hit;
}

/*
 * What the cache is there to avoid: 100 ms in which a database, or a service
 * far away, is busy on our behalf.  No lock is held here, which is as it
 * should be; so nothing keeps ten requests for the same key from being here at
 * the same time.
 */
static ON_STACK void generate_expensive_value(const char *key,
					      int64_t generate_ns,
					      struct cache_value *ret_value)
{
	pause_ns(generate_ns);
	const size_t length = strlen(key);
	memcpy(ret_value->key, key, length + 1);
	ret_value->random = (int)(map_hash(key, length, 0) % 1000);
	ret_value->generated_ns = clock_realtime_ns();
	for (size_t i = 0; i < CACHE_REPEATS; i++)
		memcpy(ret_value->data + i * length, key, length);
	ret_value->data[CACHE_REPEATS * length] = '\0';
}

/*
 * Keep a value until its time is up.  What happens when its time is up can be
 * read in this file, or in /stats: cache_size, after an hour of traffic.
 *
 * At the ceiling the value is not kept, which is no error: it was made, and
 * the request has it.
 */
static ON_STACK int set_cached_value(struct cache *cache,
				     const struct cache_value *value,
				     int64_t ttl_ns)
{
	struct entry *entry;
	int rc = 0;
	pthread_mutex_lock(&cache->lock);
	HASH_FIND_STR(cache->entries, value->key, entry);
	if (!entry && HASH_COUNT(cache->entries) < cache->max_entries) {
		entry = calloc(1, sizeof(*entry));
		if (entry) {
			memcpy(entry->value.key, value->key,
			       sizeof(value->key));
			HASH_ADD_STR(cache->entries, value.key, entry);
		}
		if (!entry || entry->lost) {
			free(entry);
			entry = NULL;
			rc = ERR_NOMEM;
		}
	}
	if (entry) {
		entry->value = *value;
		entry->expires_ns = clock_monotonic_ns() + ttl_ns;
	}
	pthread_mutex_unlock(&cache->lock);
	return rc;
}

/*
 * Ask every entry, one by one, and add up.  With five keys that is nothing.
 * With five thousand it is most of what this route does, it happens at every
 * request, and it happens while everybody else is kept out.
 */
ON_STACK void get_cache_stats(struct cache *cache,
			      struct cache_stats *ret_stats)
{
	struct cache_stats stats = { 0 };
	pthread_mutex_lock(&cache->lock);
	const int64_t now = clock_monotonic_ns();
	for (const struct entry *e = cache->entries; e; e = e->hh.next) {
		stats.total_entries++;
		stats.total_hits += e->hits;
		if (e->expires_ns <= now)
			stats.expired_count++;
	}
	pthread_mutex_unlock(&cache->lock);
	*ret_stats = stats;
}

/* For /stats.  It takes its place in the queue for the lock, like all. */
size_t cache_size(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	const size_t size = HASH_COUNT(cache->entries);
	pthread_mutex_unlock(&cache->lock);
	return size;
}

/*
 * The request: look; make what is missing; keep it; report.
 *
 * Four steps, each of them right, and each takes the lock by itself.  What
 * others may do between two of them is the question to ask of such code.
 */
ON_STACK int perform_cache_lookup(struct cache *cache, const char *key,
				  int64_t ttl_ns,
				  struct cache_answer *ret_answer)
{
	const size_t length = strlen(key);
	if (length < 1 || length > CACHE_KEY_MAX || ttl_ns <= 0 ||
	    ttl_ns > CACHE_TTL_MAX_NS)
		return ERR_INVALID;
	int rc = 0;
	ret_answer->cache_hit =
		get_cached_value(cache, key, &ret_answer->value);
	if (!ret_answer->cache_hit) {
		generate_expensive_value(key, cache->generate_ns,
					 &ret_answer->value);
		rc = set_cached_value(cache, &ret_answer->value, ttl_ns);
	}
	if (!rc)
		get_cache_stats(cache, &ret_answer->stats);
	return rc;
}
