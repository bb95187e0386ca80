/* strings.c - see strings.h. */
#include "symbol/strings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 32 << 10 };

struct strings_chunk {
	struct strings_chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct strings_item {
	const void *data;
	size_t len;
};

void *strings_alloc(struct strings *t, size_t len)
{
	if (len > SIZE_MAX / 2)
		return NULL;
	len = (len + 15) & ~(size_t)15;
	struct strings_chunk *c = t->chunks;
	if (!c || c->size - c->used < len) {
		const size_t size = len > CHUNK_BYTES ? len : CHUNK_BYTES;
		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		*c = (struct strings_chunk){ .next = t->chunks, .size = size };
		t->chunks = c;
		t->bytes += size;
	}
	void *p = c->data + c->used;
	c->used += len;
	return p;
}

const void *strings_intern_bytes(struct strings *t, const void *data,
				 size_t len)
{
	uint64_t key;
	/* Others with the same hash move on to the next seed. */
	for (uint64_t seed = 0;; seed++) {
		key = map_hash(data, len, seed);
		const uint32_t i = map_get(&t->by_hash, key);
		if (i == MAP_NONE)
			break;
		if (t->items[i].len == len &&
		    !memcmp(t->items[i].data, data, len))
			return t->items[i].data;
	}
	if (t->n >= MAP_NONE)
		return NULL;
	if (t->n == t->size) {
		const size_t size = t->size ? t->size * 2 : 256;
		void *p = realloc(t->items, size * sizeof(*t->items));
		if (!p)
			return NULL;
		t->items = p;
		t->size = size;
	}
	void *copy = strings_alloc(t, len);
	if (!copy || map_put(&t->by_hash, key, (uint32_t)t->n))
		return NULL;
	memcpy(copy, data, len);
	t->items[t->n++] = (struct strings_item){ copy, len };
	return copy;
}

const char *strings_intern(struct strings *t, const char *s)
{
	return strings_intern_bytes(t, s, strlen(s) + 1);
}

void strings_free(struct strings *t)
{
	while (t->chunks) {
		struct strings_chunk *next = t->chunks->next;
		free(t->chunks);
		t->chunks = next;
	}
	free(t->items);
	map_free(&t->by_hash);
	*t = (struct strings){ 0 };
}
