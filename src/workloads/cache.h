/*
 * cache.h - the workload of /cache: values that take 100 ms to make, kept
 * under their key for a time.
 *
 * src/workloads/cache.c is the variant that the exercise gives the learner;
 * solutions/cache.c is its fixed twin (--with-fixed).
 *
 * A value depends on its key alone (but for the time at which it was made), so
 * two variants, or one variant asked twice, answer alike.
 */
#ifndef PROFLAB_WORKLOADS_CACHE_H
#define PROFLAB_WORKLOADS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CACHE_KEY_MAX = 64, /* bytes of a key, without the NUL */
	CACHE_REPEATS = 100,
	CACHE_MAX_ENTRIES_DEFAULT = 20000,
};

#define CACHE_KEY_DEFAULT    "default"
#define CACHE_TTL_DEFAULT_NS INT64_C(60000000000)
#define CACHE_TTL_MAX_NS     INT64_C(86400000000000)
#define CACHE_GENERATE_NS    INT64_C(100000000)

struct cache_options {
	size_t max_entries;  /* 0: CACHE_MAX_ENTRIES_DEFAULT */
	int64_t generate_ns; /* time to make a value; 0: CACHE_GENERATE_NS */
};

struct cache_value {
	char key[CACHE_KEY_MAX + 1];
	int random;	      /* 0 .. 999, drawn from the key */
	int64_t generated_ns; /* when it was made, since 1970 */
	char data[CACHE_KEY_MAX * CACHE_REPEATS + 1]; /* key, 100 times over */
};

struct cache_stats {
	size_t total_entries;
	uint64_t total_hits;
	size_t expired_count; /* entries whose time is up, and still there */
};

/* Everything that one request learns.  About 7 KB: heap or stack, as it fits */
struct cache_answer {
	bool cache_hit;
	struct cache_value value;
	struct cache_stats stats;
};

/* Opaque: each variant has its own. */
struct cache;

/*
 * options may be NULL: all defaults.  Once max_entries are in the cache, what
 * a new key gets is made for it as ever; whether it is kept is the variant's
 * affair.
 *
 * Owns: the caller; cache_free.
 * Returns: 0, ERR_NOMEM.
 */
int cache_create(const struct cache_options *options, struct cache **ret_cache);

/* NULL is allowed.  Thread: the last user. */
void cache_free(struct cache *cache);

/*
 * One request: get the value of the key (get_cached_value); when there is none
 * make it (generate_expensive_value) and keep it for ttl_ns; then read the
 * statistics (get_cache_stats).
 *
 * The key must be 1 .. CACHE_KEY_MAX bytes, ttl_ns 1 .. CACHE_TTL_MAX_NS.
 *
 * Thread: any number at once.
 * Blocks: on locks, and for generate_ns at a miss.
 * Returns: 0, ERR_INVALID, ERR_NOMEM.
 */
int perform_cache_lookup(struct cache *cache, const char *key, int64_t ttl_ns,
			 struct cache_answer *ret_answer);

/*
 * The statistics by themselves.
 *
 * Thread: any number at once.
 * Blocks: on locks.
 */
void get_cache_stats(struct cache *cache, struct cache_stats *ret_stats);

/* Entries in the cache: cache_size of /stats.  Thread: any number at once. */
size_t cache_size(struct cache *cache);

#endif
