/*
 * strings.h - one copy of each text, kept until the pool goes.  Private to
 * src/symbol.
 */
#ifndef PROFLAB_SYMBOL_STRINGS_H
#define PROFLAB_SYMBOL_STRINGS_H

#include "base/map.h"

#include <stddef.h>

struct strings_chunk;

/* Zero-initialised it is empty and ready. */
struct strings {
	struct map by_hash; /* hash -> index into items */
	const char **items;
	size_t n, size;
	struct strings_chunk *chunks;
	size_t bytes; /* of all chunks */
};

/* The pool's copy of s, or NULL when memory ran out. */
const char *strings_intern(struct strings *t, const char *s);
/* Memory of the pool, aligned to 16, freed with it; NULL when it ran out. */
void *strings_alloc(struct strings *t, size_t len);
void strings_free(struct strings *t);

#endif
