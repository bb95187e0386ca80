/*
 * inefficient.c - the workload of /inefficient, as the exercise gives it.
 *
 * Three jobs, three habits that everybody has had.  None of them shows with
 * ten items.  With a thousand, `allocs` puts the three functions at the top;
 * the order that they stand in is worth a guess before you look.
 *
 *   proflab-pprof -top -alloc_space http://HOST/debug/pprof/allocs
 *   proflab-pprof -list=build_string http://HOST/debug/pprof/allocs
 */
#include "workloads/inefficient.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "workloads/hash.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_TEXT = 24,
	SLICE_STEP = 16,     /* numbers by which the slice grows */
	BUFFER_BYTES = 1024, /* of an inner map's entry */
};

/*
 * text = text + piece, a thousand times.  Each time the whole text so far is
 * measured, copied to a new place, and the old place given back.
 *
 * "Quadratic" means: twice as many pieces, four times the work.  Multiply:
 * 1,000 pieces, the text 4,445 bytes long on average.
 *
 * Returns: the text, to be freed, or NULL.
 */
static ON_STACK char *build_string_quadratic(int start)
{
	char *text = calloc(1, 1);
	for (int i = 0; i < INEFFICIENT_PIECES && text; i++) {
		char piece[PIECE_TEXT];
		snprintf(piece, sizeof(piece), "item_%d_",
			 (start + i) % INEFFICIENT_PIECES);
		char *longer = malloc(strlen(text) + strlen(piece) + 1);
		if (longer) {
			memcpy(longer, text, strlen(text));
			memcpy(longer + strlen(text), piece, strlen(piece) + 1);
		}
		free(text);
		text = longer;
	}
	return text;
}

/*
 * A list that starts empty and is made longer whenever it is full.  realloc
 * may be able to extend the block where it is, and then nothing is copied; it
 * may as well not be, and you will not be told.  The profile counts what was
 * asked for, every time.
 *
 * Returns: the numbers, to be freed, or NULL.
 */
static ON_STACK int *grow_slice(size_t start)
{
	int *numbers = NULL;
	size_t capacity = 0;
	for (size_t i = 0; i < INEFFICIENT_NUMBERS; i++) {
		if (i == capacity) {
			capacity += SLICE_STEP;
			int *longer =
				realloc(numbers, capacity * sizeof(*numbers));
			if (!longer) {
				free(numbers);
				return NULL;
			}
			numbers = longer;
		}
		numbers[i] = (int)((start + i) % INEFFICIENT_NUMBERS);
	}
	return numbers;
}

/*
 * A map whose values are maps.  Each inner map has one entry, and the entry a
 * buffer of 1 KiB, "to be on the safe side".
 *
 * A hash map is not just its entries: even an empty one has a table of buckets
 * that waits for them.  uthash begins with 32.
 */
struct inner {
	char key[PIECE_TEXT];
	char *buffer; /* owned, BUFFER_BYTES */
	bool lost;
	UT_hash_handle hh;
};

/* An entry of the map of maps: a key, and a whole map for it. */
struct outer {
	char key[PIECE_TEXT];
	struct inner *map; /* owned */
	bool lost;
	UT_hash_handle hh;
};

/* Undone piece by piece, as it was done. */
static void free_inner_map(struct inner *map)
{
	struct inner *entry, *next;
	HASH_ITER(hh, map, entry, next)
	{
		HASH_DEL(map, entry);
		free(entry->buffer);
		free(entry);
	}
}

static void free_map_of_maps(struct outer *map)
{
	struct outer *entry, *next;
	HASH_ITER(hh, map, entry, next)
	{
		HASH_DEL(map, entry);
		free_inner_map(entry->map);
		free(entry);
	}
}

/*
 * A new inner map with one text, value_N, under the key data_N, or NULL.
 *
 * Four allocations for nine bytes: the entry, its buffer, and, within
 * HASH_ADD_STR, the table and its buckets.  `list` shows each at its line, the
 * last two at that of the macro.
 */
static ON_STACK struct inner *build_inner_map(int n)
{
	struct inner *map = NULL;
	struct inner *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->buffer = malloc(BUFFER_BYTES);
	if (!entry->buffer) {
		free(entry);
		return NULL;
	}
	snprintf(entry->key, sizeof(entry->key), "data_%d", n);
	snprintf(entry->buffer, BUFFER_BYTES, "value_%d", n);
	HASH_ADD_STR(map, key, entry);
	if (entry->lost) {
		free(entry->buffer);
		free(entry);
		return NULL;
	}
	return map;
}

/*
 * A thousand of them, under a thousand keys.  This outer map grows as hash
 * maps do, by doubling its buckets: compare its share of the bytes with that
 * of the inner ones.
 *
 * Returns: the map, for free_map_of_maps, or NULL.
 */
static ON_STACK struct outer *build_map_of_maps(int start)
{
	struct outer *map = NULL;
	for (int n = 0; n < INEFFICIENT_MAPS; n++) {
		struct outer *entry = calloc(1, sizeof(*entry));
		if (entry)
			entry->map =
				build_inner_map((start + n) % INEFFICIENT_MAPS);
		if (!entry || !entry->map) {
			free(entry);
			free_map_of_maps(map);
			return NULL;
		}
		snprintf(entry->key, sizeof(entry->key), "key_%d", n);
		HASH_ADD_STR(map, key, entry);
		if (entry->lost) {
			free_inner_map(entry->map);
			free(entry);
			free_map_of_maps(map);
			return NULL;
		}
	}
	return map;
}

/* The sum over the entries, so that their order makes no difference. */
static uint64_t digest_of_map(const struct outer *map)
{
	uint64_t digest = 0;
	for (const struct outer *o = map; o; o = o->hh.next) {
		const uint64_t key = map_hash(o->key, strlen(o->key), 0);
		for (const struct inner *i = o->map; i; i = i->hh.next)
			digest += map_hash(i->buffer, strlen(i->buffer), key);
	}
	return digest;
}

/*
 * The request: the three jobs, one after the other.  In `top -cum` it has the
 * whole; the three share it among themselves.
 */
ON_STACK int
perform_inefficient_operations(int64_t start,
			       struct inefficient_result *ret_result)
{
	if (start < 0 || start > INEFFICIENT_START_MAX)
		return ERR_INVALID;
	char *text = build_string_quadratic((int)start);
	int *numbers = grow_slice((size_t)start);
	struct outer *map = build_map_of_maps((int)start);
	int rc = ERR_NOMEM;
	if (text && numbers && map) {
		uint64_t digest = map_hash(text, strlen(text), 0);
		digest = map_hash(numbers, INEFFICIENT_NUMBERS * sizeof(int),
				  digest);
		ret_result->string_length = strlen(text);
		ret_result->slice_length = INEFFICIENT_NUMBERS;
		ret_result->map_size = HASH_COUNT(map);
		ret_result->digest = digest + digest_of_map(map);
		rc = 0;
	}
	free_map_of_maps(map);
	free(numbers);
	free(text);
	return rc;
}
