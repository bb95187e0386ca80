/*
 * cache.c - the workload of /cache, mended.  solutions/cache.md tells the story
 * and has the figures.
 *
 *   one lock for all           16 shards, each with a lock of its own
 *   statistics by walking      sums, kept by those who change what they count
 *   hits that get lost         one atomic addition, in place of read and write
 *   what has expired stays     it goes as soon as anyone comes by; and there is
 *                              a bound, beyond which the least used goes too
 *   ten misses, ten times made the first who misses makes it; the others wait
 *                              for that one
 */
#include "workloads/cache.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "workloads/hash.h"
#include "workloads/pause.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARDS = 16,	    /* a power of two */
	MAX_ENTRIES = 1024, /* in all: 7 MB */
	CACHE_LINE = 64,
};

/*
 * A key is put into the table before its value is there: so whoever comes
 * next for the same key can see that somebody is at it, and wait.
 */
struct entry {
	struct cache_value value; /* value.key is the key from the beginning */
	int64_t expires_ns;
	bool ready;	  /* value is there */
	bool used;	  /* hit since drop_oldest last came by */
	unsigned waiting; /* threads that still want to read it */
	bool lost;
	UT_hash_handle hh;
};

/*
 * Each shard begins on a cache line of its own: two neighbours' locks in one
 * line would make each other's holders wait, for nothing.
 */
struct shard {
	_Alignas(CACHE_LINE) pthread_mutex_t lock; /* guards all in here */
	pthread_cond_t became_ready;
	struct entry *entries; /* owned, by value.key */
	/*
	 * No entry expires before this.  Written under the lock; read without
	 * it, relaxed, as a hint that it is worth taking the lock.
	 */
	_Atomic int64_t next_expiry_ns;
};

struct cache {
	struct shard shards[SHARDS];
	size_t max_entries_each;
	int64_t generate_ns;
	/* Relaxed, both: each is a sum by itself and orders nothing else. */
	_Alignas(CACHE_LINE) _Atomic uint64_t hits;
	_Atomic size_t entries; /* those that are ready */
};

/*
 * aligned_alloc, since malloc promises 16 bytes and the shards ask for 64.  The
 * bound is shared out evenly: a shard that is full gives one up even if its
 * neighbour has room.  With a good hash they fill up together.
 */
int cache_create(const struct cache_options *options, struct cache **ret_cache)
{
	const struct cache_options none = { 0 };
	const struct cache_options *o = options ? options : &none;
	struct cache *cache = aligned_alloc(CACHE_LINE, sizeof(*cache));
	if (!cache)
		return ERR_NOMEM;
	memset(cache, 0, sizeof(*cache));
	size_t max_entries = MAX_ENTRIES;
	if (o->max_entries && o->max_entries < max_entries)
		max_entries = o->max_entries;
	cache->max_entries_each = (max_entries + SHARDS - 1) / SHARDS;
	cache->generate_ns =
		o->generate_ns ? o->generate_ns : CACHE_GENERATE_NS;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&cache->shards[i].lock, NULL);
		pthread_cond_init(&cache->shards[i].became_ready, NULL);
		cache->shards[i].next_expiry_ns = INT64_MAX;
	}
	*ret_cache = cache;
	return 0;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		struct entry *entry, *next;
		HASH_ITER(hh, shard->entries, entry, next)
		{
			HASH_DEL(shard->entries, entry);
			free(entry);
		}
		pthread_cond_destroy(&shard->became_ready);
		pthread_mutex_destroy(&shard->lock);
	}
	free(cache);
}

/*
 * The hash that chooses the shard is not the one that uthash computes within
 * it: were it the same, all keys of a shard would share their low bits, and a
 * sixteenth of its buckets.
 */
static struct shard *shard_of(struct cache *cache, const char *key)
{
	const uint64_t hash = map_hash(key, strlen(key), 1);
	return &cache->shards[hash & (SHARDS - 1)];
}

/* ---- what goes; all under the shard's lock ---- */

/* An entry that nobody is making, and nobody waits for, may go. */
static bool may_drop(const struct entry *entry)
{
	return entry->ready && !entry->waiting;
}

static void drop_entry(struct cache *cache, struct shard *shard,
		       struct entry *entry)
{
	HASH_DEL(shard->entries, entry);
	free(entry);
	atomic_fetch_sub_explicit(&cache->entries, 1, memory_order_relaxed);
}

/*
 * Take out what has expired.  This is a walk, over one shard (64 entries at
 * most), and only when the earliest of them is due: each walk takes at least
 * one entry out, or finds that it went some other way, so there are no more
 * walks than there were entries put in.
 */
static void drop_expired(struct cache *cache, struct shard *shard, int64_t now)
{
	if (now < shard->next_expiry_ns)
		return;
	int64_t earliest = INT64_MAX;
	struct entry *entry, *next;
	HASH_ITER(hh, shard->entries, entry, next)
	{
		if (may_drop(entry) && entry->expires_ns <= now)
			drop_entry(cache, shard, entry);
		else if (entry->ready && entry->expires_ns < earliest)
			earliest = entry->expires_ns;
	}
	atomic_store_explicit(&shard->next_expiry_ns, earliest,
			      memory_order_relaxed);
}

/*
 * Make room for one.  uthash keeps the order of insertion, so the walk begins
 * with the oldest; one that was used since the last walk is passed over, once.
 * That comes close to "least recently used", and a hit need only set a flag.
 * Twice round is enough: the first time clears the flags.
 */
static void drop_oldest(struct cache *cache, struct shard *shard)
{
	for (int round = 0; round < 2; round++) {
		struct entry *entry, *next;
		HASH_ITER(hh, shard->entries, entry, next)
		{
			if (HASH_COUNT(shard->entries) <
			    cache->max_entries_each)
				return;
			const bool used = entry->used;
			entry->used = false;
			if (!used && may_drop(entry))
				drop_entry(cache, shard, entry);
		}
	}
}

/* ---- lookup ---- */

/* A hit; a miss that somebody else mends; a miss that is ours to mend. */
enum found { FOUND_VALUE, FOUND_AFTER_WAIT, FOUND_NOTHING };

/*
 * The value where there is one; where somebody is making it, the value as soon
 * as it is there.  Where there is nothing, an entry that says that from now on
 * somebody is: the caller, who must call set_cached_value.
 *
 * Returns: 0 or ERR_NOMEM.
 */
static ON_STACK int get_cached_value(struct cache *cache, const char *key,
				     struct cache_value *ret_value,
				     enum found *ret_found)
{
	struct shard *shard = shard_of(cache, key);
	struct entry *entry;
	int rc = 0;
	pthread_mutex_lock(&shard->lock);
	drop_expired(cache, shard, clock_monotonic_ns());
	HASH_FIND_STR(shard->entries, key, entry);
	if (!entry) {
		drop_oldest(cache, shard);
		entry = calloc(1, sizeof(*entry));
		if (entry) {
			memcpy(entry->value.key, key, strlen(key) + 1);
			HASH_ADD_STR(shard->entries, value.key, entry);
		}
		if (!entry || entry->lost) {
			free(entry);
			rc = ERR_NOMEM;
		}
		*ret_found = FOUND_NOTHING;
	} else {
		*ret_found = entry->ready ? FOUND_VALUE : FOUND_AFTER_WAIT;
		entry->waiting++;
		while (!entry->ready)
			pthread_cond_wait(&shard->became_ready, &shard->lock);
		entry->waiting--;
		*ret_value = entry->value;
		entry->used = true;
	}
	pthread_mutex_unlock(&shard->lock);
	if (*ret_found == FOUND_VALUE)
		atomic_fetch_add_explicit(&cache->hits, 1,
					  memory_order_relaxed);
	return rc;
}

/* The entry is there, and not ready: nobody else writes to it or drops it. */
static ON_STACK void set_cached_value(struct cache *cache,
				      const struct cache_value *value,
				      int64_t ttl_ns)
{
	struct shard *shard = shard_of(cache, value->key);
	struct entry *entry;
	pthread_mutex_lock(&shard->lock);
	HASH_FIND_STR(shard->entries, value->key, entry);
	entry->value = *value;
	entry->expires_ns = clock_monotonic_ns() + ttl_ns;
	entry->ready = true;
	if (entry->expires_ns < shard->next_expiry_ns)
		atomic_store_explicit(&shard->next_expiry_ns, entry->expires_ns,
				      memory_order_relaxed);
	atomic_fetch_add_explicit(&cache->entries, 1, memory_order_relaxed);
	pthread_cond_broadcast(&shard->became_ready);
	pthread_mutex_unlock(&shard->lock);
}

/* As before: 100 ms, with no lock held.  But now one thread a key is here. */
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

/* ---- statistics ---- */

/*
 * Two loads, and a look at each shard's next expiry.  What is due goes now, so
 * what is left has not expired.
 */
ON_STACK void get_cache_stats(struct cache *cache,
			      struct cache_stats *ret_stats)
{
	const int64_t now = clock_monotonic_ns();
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		if (atomic_load_explicit(&shard->next_expiry_ns,
					 memory_order_relaxed) > now)
			continue;
		pthread_mutex_lock(&shard->lock);
		drop_expired(cache, shard, now);
		pthread_mutex_unlock(&shard->lock);
	}
	ret_stats->total_entries = cache_size(cache);
	ret_stats->total_hits =
		atomic_load_explicit(&cache->hits, memory_order_relaxed);
	ret_stats->expired_count = 0;
}

/* For /stats: no lock, and no waiting. */
size_t cache_size(struct cache *cache)
{
	return atomic_load_explicit(&cache->entries, memory_order_relaxed);
}

/*
 * The request.  One who waited for another's value has missed the cache as
 * well, and says so; but the value was made once.
 */
ON_STACK int perform_cache_lookup(struct cache *cache, const char *key,
				  int64_t ttl_ns,
				  struct cache_answer *ret_answer)
{
	const size_t length = strlen(key);
	if (length < 1 || length > CACHE_KEY_MAX || ttl_ns <= 0 ||
	    ttl_ns > CACHE_TTL_MAX_NS)
		return ERR_INVALID;
	enum found found;
	const int rc = get_cached_value(cache, key, &ret_answer->value, &found);
	if (rc)
		return rc;
	if (found == FOUND_NOTHING) {
		generate_expensive_value(key, cache->generate_ns,
					 &ret_answer->value);
		set_cached_value(cache, &ret_answer->value, ttl_ns);
	}
	ret_answer->cache_hit = found == FOUND_VALUE;
	get_cache_stats(cache, &ret_answer->stats);
	return 0;
}
