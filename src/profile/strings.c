/*
 * strings.c - the interned strings of a profile: an arena of texts that never
 * move, and an open-addressing table over them.
 */
#include "base/err.h"
#include "base/map.h"
#include "profile/private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum { CHUNK_MIN = 4 << 10, CHUNK_MAX = 1 << 20 };

/*
 * 16 random bytes that the kernel gave the process at exec: enough to keep a
 * file's author from choosing strings or ids that all collide.
 */
static uint64_t process_seed(void)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&seed, random, sizeof(seed));
	return seed;
}

static char *arena_alloc(struct profile *p, size_t len, int *ret_error)
{
	struct profile_private *v = p->priv;
	struct string_chunk *c = v->chunks;
	if (!c || c->size - c->used < len) {
		size_t size = c ? c->size * 2 : CHUNK_MIN;
		if (size > CHUNK_MAX)
			size = CHUNK_MAX;
		if (size < len)
			size = len;
		if ((*ret_error = model_charge(p, sizeof(*c) + size)))
			return NULL;
		c = malloc(sizeof(*c) + size);
		if (!c) {
			model_discharge(p, sizeof(*c) + size);
			*ret_error = ERR_NOMEM;
			return NULL;
		}
		c->used = 0;
		c->size = size;
		c->next = v->chunks;
		v->chunks = c;
	}
	char *text = c->text + c->used;
	c->used += len;
	return text;
}

static size_t find_slot(const struct profile_private *v, const char *s,
			size_t len, uint32_t hash)
{
	size_t i = hash & v->string_mask;
	for (uint32_t n; (n = v->string_slots[i]);
	     i = (i + 1) & v->string_mask) {
		const struct string_entry *t = &v->strings[n - 1];
		if (t->hash == hash && t->len == len &&
		    !memcmp(t->text, s, len))
			break;
	}
	return i;
}

static uint32_t hash_of(const struct profile_private *v, const char *s,
			size_t len)
{
	return (uint32_t)map_hash(s, len, v->seed);
}

static void fill_slots(struct profile_private *v, uint32_t *slots, size_t size)
{
	for (size_t k = 0; k < v->n_strings; k++) {
		size_t i = v->strings[k].hash & (size - 1);
		while (slots[i])
			i = (i + 1) & (size - 1);
		slots[i] = (uint32_t)k + 1;
	}
}

/* Slots for n strings at a load of at most 3/4. */
static int grow_slots(struct profile *p, size_t n)
{
	struct profile_private *v = p->priv;
	const size_t old = v->string_slots ? v->string_mask + 1 : 0;
	if (n < old / 4 * 3)
		return 0;
	size_t size = old ? old : 64;
	while (n >= size / 4 * 3)
		size *= 2;
	const int rc = model_charge(p, (size - old) * sizeof(uint32_t));
	if (rc)
		return rc;
	uint32_t *slots = calloc(size, sizeof(*slots));
	if (!slots) {
		model_discharge(p, (size - old) * sizeof(uint32_t));
		return ERR_NOMEM;
	}
	fill_slots(v, slots, size);
	free(v->string_slots);
	v->string_slots = slots;
	v->string_mask = size - 1;
	return 0;
}

static int grow_entries(struct profile *p, size_t need)
{
	struct profile_private *v = p->priv;
	if (need <= v->strings_capacity)
		return 0;
	if (need >= PROFILE_NONE)
		return ERR_LIMIT;
	size_t cap = v->strings_capacity ? v->strings_capacity * 2 : 16;
	if (cap < need)
		cap = need;
	const size_t more = (cap - v->strings_capacity) * sizeof(*v->strings);
	const int rc = model_charge(p, more);
	if (rc)
		return rc;
	void *grown = realloc(v->strings, cap * sizeof(*v->strings));
	if (!grown) {
		model_discharge(p, more);
		return ERR_NOMEM;
	}
	v->strings = grown;
	v->strings_capacity = cap;
	return 0;
}

int profile_strings_reserve(struct profile *p, size_t n)
{
	if (n >= PROFILE_NONE - p->priv->n_strings)
		return ERR_LIMIT;
	const size_t need = p->priv->n_strings + n;
	const int rc = grow_entries(p, need);
	return rc ? rc : grow_slots(p, need);
}

int profile_strings_intern(struct profile *p, const char *s, size_t len,
			   uint32_t *ret_index)
{
	struct profile_private *v = p->priv;
	if (len >= UINT32_MAX)
		return ERR_LIMIT;
	int rc = profile_strings_reserve(p, 1);
	if (rc)
		return rc;
	const uint32_t hash = hash_of(v, s, len);
	const size_t slot = find_slot(v, s, len, hash);
	if (v->string_slots[slot]) {
		*ret_index = v->string_slots[slot] - 1;
		return 0;
	}
	char *text = arena_alloc(p, len + 1, &rc);
	if (!text)
		return rc;
	if (len)
		memcpy(text, s, len);
	text[len] = '\0';
	v->strings[v->n_strings] = (struct string_entry){ .text = text,
							  .len = (uint32_t)len,
							  .hash = hash };
	v->string_slots[slot] = (uint32_t)++v->n_strings;
	*ret_index = (uint32_t)v->n_strings - 1;
	return 0;
}

int profile_strings_init(struct profile *p)
{
	uint32_t empty;
	p->priv->seed = process_seed();
	return profile_strings_intern(p, "", 0, &empty);
}

void profile_strings_free(struct profile *p)
{
	struct profile_private *v = p->priv;
	for (struct string_chunk *c = v->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(v->strings);
	free(v->string_slots);
}

int profile_strings_copy(struct profile *to, const struct profile *from)
{
	const struct profile_private *v = from->priv;
	int rc = profile_strings_reserve(to, v->n_strings);
	for (size_t i = 0; !rc && i < v->n_strings; i++) {
		uint32_t index;
		rc = profile_strings_intern(to, v->strings[i].text,
					    v->strings[i].len, &index);
	}
	return rc;
}

const char *profile_str(const struct profile *p, uint32_t string)
{
	return string < p->priv->n_strings ? p->priv->strings[string].text : "";
}

size_t profile_str_len(const struct profile *p, uint32_t string)
{
	return string < p->priv->n_strings ? p->priv->strings[string].len : 0;
}

size_t profile_n_strings(const struct profile *p)
{
	return p->priv->n_strings;
}

uint32_t profile_intern_len(struct profile *p, const char *s, size_t len)
{
	uint32_t index;
	const int rc = profile_strings_intern(p, s, len, &index);
	if (!rc)
		return index;
	p->priv->failed = rc;
	return PROFILE_NONE;
}

uint32_t profile_intern(struct profile *p, const char *s)
{
	return profile_intern_len(p, s, strlen(s));
}

uint32_t profile_find_str(const struct profile *p, const char *s)
{
	const size_t len = strlen(s);
	const uint32_t hash = hash_of(p->priv, s, len);
	/* An empty slot holds 0, and 0 - 1 is PROFILE_NONE. */
	return p->priv->string_slots[find_slot(p->priv, s, len, hash)] - 1;
}

/* ---- NULs ---------------------------------------------------------------- */

enum { CONTROLS = 32 };

/* Which bytes below 32 do the texts hold? */
static void note_controls(const struct profile_private *v, bool *used)
{
	for (size_t k = 0; k < v->n_strings; k++)
		for (uint32_t i = 0; i < v->strings[k].len; i++) {
			const unsigned char c =
				(unsigned char)v->strings[k].text[i];
			if (c < CONTROLS)
				used[c] = true;
		}
}

static void replace_nuls(struct profile *p, char with)
{
	struct profile_private *v = p->priv;
	for (size_t k = 0; k < v->n_strings; k++) {
		struct string_entry *s = &v->strings[k];
		if (!memchr(s->text, '\0', s->len))
			continue;
		for (uint32_t i = 0; i < s->len; i++)
			if (!s->text[i])
				s->text[i] = with;
		s->hash = hash_of(v, s->text, s->len);
	}
	memset(v->string_slots, 0,
	       (v->string_mask + 1) * sizeof(*v->string_slots));
	fill_slots(v, v->string_slots, v->string_mask + 1);
	v->nul_byte = with;
}

char profile_hide_nuls(struct profile *const *ps, size_t n)
{
	/* Ends of lines, and what moves the cursor, are no letters. */
	bool used[CONTROLS] = {
		['\a'] = true, ['\b'] = true, ['\t'] = true, ['\n'] = true,
		['\v'] = true, ['\f'] = true, ['\r'] = true,
	};
	for (size_t i = 0; i < n; i++)
		note_controls(ps[i]->priv, used);
	if (!used[0])
		return '\0';
	/* The least: it sorts as NUL does. */
	for (char byte = 1; byte < CONTROLS; byte++)
		if (!used[(unsigned char)byte]) {
			for (size_t i = 0; i < n; i++)
				replace_nuls(ps[i], byte);
			return byte;
		}
	return '\0';
}

char profile_nul_byte(const struct profile *p)
{
	return p->priv->nul_byte;
}

void profile_set_nul_byte(struct profile *p, char byte)
{
	p->priv->nul_byte = byte;
}
