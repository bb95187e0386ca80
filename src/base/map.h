/*
 * map.h - a hash map from 64-bit keys to 32-bit values, open addressing.
 * Zero-initialised it is empty and ready.  Any key is allowed; the value
 * MAP_NONE is not.
 */
#ifndef PROFLAB_BASE_MAP_H
#define PROFLAB_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map_slot {
	uint64_t key;
	uint32_t value; /* stored + 1, so that zeroed memory is empty */
};

struct map {
	struct map_slot *slots; /* owned */
	size_t mask;		/* slots - 1, or 0 */
	size_t count;
};

/* The value, or MAP_NONE. */
uint32_t map_get(const struct map *m, uint64_t key);
/* Insert or replace.  Returns: 0 or ERR_NOMEM. */
int map_put(struct map *m, uint64_t key, uint32_t value);
void map_free(struct map *m);

/* A good mixer for keys made of others (splitmix64's finish). */
static inline uint64_t map_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* A hash of bytes, for strings and stacks; not against an adversary. */
uint64_t map_hash(const void *data, size_t len, uint64_t seed);

#endif
