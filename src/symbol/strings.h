/*
 * strings.h - one copy of each text, or run of bytes, kept until the pool
 * goes.  Private to
 * src/symbol.
 */
#ifndef PROFLAB_SYMBOL_STRINGS_H
#define PROFLAB_SYMBOL_STRINGS_H

#include "base/map.h"

#include <stddef.h>

struct strings_chunk;
struct strings_item;

/* Zero-initialised it is empty and ready. */
struct strings {
	struct map by_hash; /* hash -> index into items */
	struct strings_item *items;
	size_t n, size;
	struct strings_chunk *chunks;
	size_t bytes; /* of all chunks */
};

/* The pool's copy of s, or NULL when memory ran out. */
const char *strings_intern(struct strings *t, const char *s);
/* The same for bytes, which must have no padding in them; aligned to 16. */
const void *strings_intern_bytes(struct strings *t, const void *data,
				 size_t len);
/* Memory of the pool, aligned to 16, freed with it; NULL when it ran out. */
void *strings_alloc(struct strings *t, size_t len);
void strings_free(struct strings *t);

#endif
