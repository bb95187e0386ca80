/* index.c - see index.h. */
#include "profile/index.h"

#include "base/err.h"
#include "profile/profile.h"

#include <stdlib.h>

struct index_probe index_start(const struct index *ix, uint64_t hash)
{
	const uint32_t h = (uint32_t)(hash ^ hash >> 32);
	return (struct index_probe){ .slot = h & ix->mask, .hash = h };
}

uint32_t index_next(const struct index *ix, struct index_probe *probe)
{
	while (ix->slots && ix->slots[probe->slot]) {
		const uint32_t row = ix->slots[probe->slot] - 1;
		probe->slot = (probe->slot + 1) & ix->mask;
		if (ix->hashes[row] == probe->hash)
			return row;
	}
	return PROFILE_NONE;
}

static void insert(struct index *ix, uint32_t row)
{
	size_t i = ix->hashes[row] & ix->mask;
	while (ix->slots[i])
		i = (i + 1) & ix->mask;
	ix->slots[i] = row + 1;
}

/* Slots and hashes for twice the rows; three quarters are used at most. */
static int grow(struct index *ix)
{
	const size_t size = ix->slots ? (ix->mask + 1) * 2 : 64;
	const size_t capacity = size / 4 * 3;
	if (capacity >= PROFILE_NONE)
		return ERR_LIMIT;
	uint32_t *hashes = realloc(ix->hashes, capacity * sizeof(*hashes));
	if (!hashes)
		return ERR_NOMEM;
	ix->hashes = hashes;
	uint32_t *slots = calloc(size, sizeof(*slots));
	if (!slots)
		return ERR_NOMEM;
	free(ix->slots);
	ix->slots = slots;
	ix->mask = size - 1;
	ix->capacity = capacity;
	for (size_t row = 0; row < ix->n; row++)
		insert(ix, (uint32_t)row);
	return 0;
}

int index_add(struct index *ix, uint64_t hash)
{
	const int rc = ix->n < ix->capacity ? 0 : grow(ix);
	if (rc)
		return rc;
	ix->hashes[ix->n] = (uint32_t)(hash ^ hash >> 32);
	insert(ix, (uint32_t)ix->n++);
	return 0;
}

void index_free(struct index *ix)
{
	free(ix->slots);
	free(ix->hashes);
	*ix = (struct index){ 0 };
}
