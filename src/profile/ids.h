/*
 * ids.h - from the ids of a file to indices.
 *
 * Nearly every writer numbers 1..n in order: then the index is id - 1 and
 * nothing is looked up.  Ids that are merely dense take a table; any others
 * (addresses, hashes) a hash map, whose keys are mixed with the profile's
 * seed so that no file can make them collide.
 */
#ifndef PROFLAB_PROFILE_IDS_H
#define PROFLAB_PROFILE_IDS_H

#include "base/map.h"
#include "profile/profile.h"

struct ids {
	enum { IDS_IN_ORDER, IDS_DENSE, IDS_SPARSE } kind;
	uint64_t *of; /* of[index] is its id; owned, n_of rows */
	size_t n, n_of;
	uint32_t *table; /* index + 1 by id; owned, n_table rows */
	size_t n_table;
	struct map map;
	size_t map_bytes;
	uint64_t seed;
};

/* Room for n ids.  Returns: 0, ERR_NOMEM, ERR_LIMIT. */
int ids_init(struct ids *ids, struct profile *p, size_t n);

/* The next index has this id; there is room. */
static inline void ids_append(struct ids *ids, uint64_t id)
{
	ids->of[ids->n++] = id;
}

/*
 * All are appended: make them ready for ids_get.
 * Returns: 0; ERR_FORMAT when two are the same, and then which.
 */
int ids_finish(struct ids *ids, struct profile *p, uint64_t *ret_twice);

uint32_t ids_get_other(const struct ids *ids, uint64_t id);

/* The index, or PROFILE_NONE. */
static inline uint32_t ids_get(const struct ids *ids, uint64_t id)
{
	if (ids->kind == IDS_IN_ORDER)
		return id - 1 < ids->n ? (uint32_t)(id - 1) : PROFILE_NONE;
	return ids_get_other(ids, id);
}

void ids_free(struct ids *ids, struct profile *p);

#endif
