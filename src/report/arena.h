/*
 * arena.h - memory that is given out piece by piece and freed in one go.
 * A report makes many small texts that all die with it.
 */
#ifndef PROFLAB_REPORT_ARENA_H
#define PROFLAB_REPORT_ARENA_H

#include <stddef.h>

struct arena_block;

/* Zero-initialised it is empty and ready. */
struct arena {
	struct arena_block *last; /* owned, with those before it */
};

/* Aligned for any type, not zeroed.  Returns: NULL without memory. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy with a NUL behind it. */
char *arena_text(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#endif
