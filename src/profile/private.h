/*
 * private.h - what the files of this folder share about the model: the
 * capacities behind its columns, the strings, and the budget of memory.  Not
 * for other folders.
 *
 * The budget: everything that grows is charged to `used`; what would pass
 * `max` is refused with ERR_LIMIT.  It is what keeps a hostile file from
 * taking the machine, so decoders set it and builders leave it at 0: no limit.
 */
#ifndef PROFLAB_PROFILE_PRIVATE_H
#define PROFLAB_PROFILE_PRIVATE_H

#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column {
	COLUMN_SAMPLE_TYPES,
	COLUMN_MAPPINGS,
	COLUMN_FUNCTIONS,
	COLUMN_LOCATIONS,
	COLUMN_LINES,
	COLUMN_SAMPLE_LOCS,
	COLUMN_SAMPLE_LABELS,
	COLUMN_VALUES,
	COLUMN_LOCS,
	COLUMN_LABELS,
	COLUMN_COMMENTS,
	N_COLUMNS
};

struct string_entry {
	char *text; /* in a chunk; a NUL follows */
	uint32_t len;
	uint32_t hash;
};

/* Texts never move: a chunk is never reallocated, only followed by another. */
struct string_chunk {
	struct string_chunk *next;
	size_t used, size;
	char text[];
};

struct profile_private {
	size_t capacity[N_COLUMNS];

	struct string_entry *strings;
	size_t n_strings, strings_capacity;
	uint32_t *string_slots; /* index + 1; 0 is empty */
	size_t string_mask;
	struct string_chunk *chunks; /* newest first */

	uint32_t *function_slots; /* index + 1; of the first n_indexed */
	size_t function_mask, n_indexed_functions;

	uint64_t seed; /* of the hashes: not known to who wrote the input */
	size_t used, max;
	char nul_byte; /* stands for NUL in the strings; '\0' = none */
	int failed;    /* why the last add returned PROFILE_NONE */
};

/* Room for `need` rows in all.  Returns: 0, ERR_NOMEM, ERR_LIMIT. */
int model_reserve(struct profile *p, enum column c, size_t need);
/* Cut the capacity down to the rows that there are; never fails. */
void model_trim(struct profile *p);

/* Charge the budget with bytes that the model will hold. */
int model_charge(struct profile *p, size_t bytes);
void model_discharge(struct profile *p, size_t bytes);

/*
 * An array that only a decoder needs, zeroed, charged to the budget.
 * Returns: 0, ERR_NOMEM, ERR_LIMIT.  model_release frees it; array may be
 * NULL.
 */
int model_scratch(struct profile *p, size_t n, size_t size, void **ret_array);
void model_release(struct profile *p, void *array, size_t n, size_t size);

/* A function without looking for its equal, as a file has it. */
uint32_t model_append_function(struct profile *p,
			       const struct profile_function *f);

int profile_strings_init(struct profile *p);
void profile_strings_free(struct profile *p);
int profile_strings_copy(struct profile *to, const struct profile *from);
/* Room for n more, so that a run of them does not rehash. */
int profile_strings_reserve(struct profile *p, size_t n);
/* Returns: 0 and the index, ERR_NOMEM, ERR_LIMIT. */
int profile_strings_intern(struct profile *p, const char *s, size_t len,
			   uint32_t *ret_index);

#endif
