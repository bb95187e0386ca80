/* arena.c - see arena.h. */
#include "report/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 32 << 10, BLOCK_MAX = 1 << 20 };

struct arena_block {
	struct arena_block *before;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	struct arena_block *b = a->last;
	if (!b || b->size - b->used < size) {
		size_t want = b ? b->size * 2 : BLOCK_MIN;
		if (want > BLOCK_MAX)
			want = BLOCK_MAX;
		if (want < size)
			want = size;
		b = malloc(sizeof(*b) + want);
		if (!b)
			return NULL;
		*b = (struct arena_block){ .before = a->last, .size = want };
		a->last = b;
	}
	void *p = b->bytes + b->used;
	b->used += size;
	return p;
}

char *arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	va_list again;
	va_copy(again, ap);
	const int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *s = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (s)
		vsnprintf(s, (size_t)n + 1, format, ap);
	va_end(ap);
	return s;
}

void arena_free(struct arena *a)
{
	while (a->last) {
		struct arena_block *b = a->last;
		a->last = b->before;
		free(b);
	}
}
