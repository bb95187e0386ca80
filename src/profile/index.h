/*
 * index.h - a hash index over rows that the caller keeps: row number i was the
 * i-th to be added.  It knows the rows' hashes only; whoever searches compares
 * the candidates.
 *
 *	struct index_probe probe = index_start(&ix, hash);
 *	while ((row = index_next(&ix, &probe)) != PROFILE_NONE)
 *		if (same(row, wanted))
 *			return row;
 *	rc = index_add(&ix, hash);
 */
#ifndef PROFLAB_PROFILE_INDEX_H
#define PROFLAB_PROFILE_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialised it is empty and ready. */
struct index {
	uint32_t *slots; /* owned: row + 1, 0 is empty */
	size_t mask;
	uint32_t *hashes; /* owned: by row */
	size_t n, capacity;
};

struct index_probe {
	size_t slot;
	uint32_t hash;
};

struct index_probe index_start(const struct index *ix, uint64_t hash);
/* The next row with that hash, or PROFILE_NONE. */
uint32_t index_next(const struct index *ix, struct index_probe *probe);
/* Row ix->n has this hash.  Returns: 0, ERR_NOMEM, ERR_LIMIT. */
int index_add(struct index *ix, uint64_t hash);
void index_free(struct index *ix);

#endif
