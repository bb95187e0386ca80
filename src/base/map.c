/* map.c - see map.h. */
#include "base/map.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct map *m, uint64_t key)
{
	size_t i = map_mix(key) & m->mask;
	while (m->slots[i].value && m->slots[i].key != key)
		i = (i + 1) & m->mask;
	return i;
}

uint32_t map_get(const struct map *m, uint64_t key)
{
	if (!m->slots)
		return MAP_NONE;
	return m->slots[slot_of(m, key)].value - 1;
}

static int grow(struct map *m)
{
	const size_t n = m->slots ? (m->mask + 1) * 2 : 64;
	struct map next = { .slots = calloc(n, sizeof(*next.slots)),
			    .mask = n - 1,
			    .count = m->count };
	if (!next.slots)
		return ERR_NOMEM;
	for (size_t i = 0; m->slots && i <= m->mask; i++)
		if (m->slots[i].value)
			next.slots[slot_of(&next, m->slots[i].key)] =
				m->slots[i];
	free(m->slots);
	*m = next;
	return 0;
}

int map_put(struct map *m, uint64_t key, uint32_t value)
{
	if (value == MAP_NONE)
		return ERR_INVALID;
	if (!m->slots || (m->count + 1) * 4 > (m->mask + 1) * 3) {
		const int rc = grow(m);
		if (rc)
			return rc;
	}
	struct map_slot *s = &m->slots[slot_of(m, key)];
	if (!s->value)
		m->count++;
	*s = (struct map_slot){ .key = key, .value = value + 1 };
	return 0;
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

uint64_t map_hash(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed ^ (len * UINT64_C(0x9e3779b97f4a7c15));
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		h = map_mix(h ^ w);
	}
	uint64_t tail = 0;
	if (len)
		memcpy(&tail, p, len);
	return map_mix(h ^ tail);
}
