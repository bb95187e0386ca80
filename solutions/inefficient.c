/*
 * inefficient.c - the workload of /inefficient, mended.
 * solutions/inefficient.md tells the story and has the figures.
 *
 * The same three jobs, with the same rule for each: find out, or estimate, how
 * much will be needed; ask for that much once; fill it.
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

enum { PIECE_TEXT = 24 };

/*
 * A text that knows how long it is and how much room it has.  When room runs
 * out, it doubles: then all the copies ever made add up to less than twice the
 * final length, however long that becomes.  That is the difference between
 * growing by a factor and growing by a constant.
 */
struct text {
	char *bytes; /* owned */
	size_t length;
	size_t capacity;
};

/* The one place that knows how a text grows.  Returns: 0 or ERR_NOMEM. */
static int append_text(struct text *text, const char *piece, size_t length)
{
	if (text->length + length + 1 > text->capacity) {
		size_t capacity = text->capacity ? text->capacity : 1024;
		while (capacity < text->length + length + 1)
			capacity *= 2;
		char *bytes = realloc(text->bytes, capacity);
		if (!bytes)
			return ERR_NOMEM;
		text->bytes = bytes;
		text->capacity = capacity;
	}
	memcpy(text->bytes + text->length, piece, length);
	text->length += length;
	text->bytes[text->length] = '\0';
	return 0;
}

/*
 * Five allocations in place of a thousand, and no strlen of what is known: the
 * old loop walked the whole text three times a round, only to find its end.
 */
static ON_STACK char *build_string(int start)
{
	struct text text = { 0 };
	for (int i = 0; i < INEFFICIENT_PIECES; i++) {
		char piece[PIECE_TEXT];
		const int length = snprintf(piece, sizeof(piece), "item_%d_",
					    (start + i) % INEFFICIENT_PIECES);
		if (append_text(&text, piece, (size_t)length)) {
			free(text.bytes);
			return NULL;
		}
	}
	return text.bytes;
}

/* The number of numbers is known before the first: one block. */
static ON_STACK int *grow_slice(size_t start)
{
	int *numbers = malloc(INEFFICIENT_NUMBERS * sizeof(*numbers));
	if (!numbers)
		return NULL;
	for (size_t i = 0; i < INEFFICIENT_NUMBERS; i++)
		numbers[i] = (int)((start + i) % INEFFICIENT_NUMBERS);
	return numbers;
}

/*
 * A map of maps is a map with a key of two parts.  Here each inner map holds
 * one text, so the two parts lie side by side in one entry, and the text in
 * the room that it needs.
 *
 * All entries come from one block.  That is only possible because they are
 * dropped together; entries that came and went one by one would need their own
 * blocks, or a free list within this one.
 */
struct entry {
	char key[PIECE_TEXT];
	char value[PIECE_TEXT];
	bool lost;
	UT_hash_handle hh;
};

struct flat_map {
	struct entry *entries; /* owned; the block */
	struct entry *head;    /* the hash over it */
};

/* HASH_CLEAR gives back the table and its buckets; the block, free. */
static void free_map(struct flat_map *map)
{
	HASH_CLEAR(hh, map->head);
	free(map->entries);
}

/*
 * calloc multiplies, and notices when the product does not fit.  What is left
 * to the hash to allocate are its buckets, doubled a few times on the way.
 * Returns: 0 or ERR_NOMEM; in either case free_map is to be called.
 */
static ON_STACK int build_map_of_maps(struct flat_map *map, int start)
{
	map->entries = calloc(INEFFICIENT_MAPS, sizeof(*map->entries));
	if (!map->entries)
		return ERR_NOMEM;
	for (int n = 0; n < INEFFICIENT_MAPS; n++) {
		struct entry *entry = &map->entries[n];
		snprintf(entry->key, sizeof(entry->key), "key_%d", n);
		snprintf(entry->value, sizeof(entry->value), "value_%d",
			 (start + n) % INEFFICIENT_MAPS);
		HASH_ADD_STR(map->head, key, entry);
		if (entry->lost)
			return ERR_NOMEM;
	}
	return 0;
}

/* The sum over the entries, so that their order makes no difference. */
static uint64_t digest_of_map(const struct flat_map *map)
{
	uint64_t digest = 0;
	for (const struct entry *e = map->head; e; e = e->hh.next) {
		const uint64_t key = map_hash(e->key, strlen(e->key), 0);
		digest += map_hash(e->value, strlen(e->value), key);
	}
	return digest;
}

ON_STACK int
perform_inefficient_operations(int64_t start,
			       struct inefficient_result *ret_result)
{
	if (start < 0 || start > INEFFICIENT_START_MAX)
		return ERR_INVALID;
	struct flat_map map = { 0 };
	char *text = build_string((int)start);
	int *numbers = grow_slice((size_t)start);
	int rc = build_map_of_maps(&map, (int)start);
	if (!text || !numbers)
		rc = ERR_NOMEM;
	if (!rc) {
		uint64_t digest = map_hash(text, strlen(text), 0);
		digest = map_hash(numbers, INEFFICIENT_NUMBERS * sizeof(int),
				  digest);
		ret_result->string_length = strlen(text);
		ret_result->slice_length = INEFFICIENT_NUMBERS;
		ret_result->map_size = HASH_COUNT(map.head);
		ret_result->digest = digest + digest_of_map(&map);
	}
	free_map(&map);
	free(numbers);
	free(text);
	return rc;
}
