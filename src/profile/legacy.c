/* legacy.c - which of the formats it is, and what their readers share. */
#include "profile/legacy.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int legacy_fail(const struct legacy *l, const char *format, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	return err_set(l->e, ERR_FORMAT, "parsing profile: %s in line %zu",
		       what, l->line_number);
}

int legacy_no_room(const struct legacy *l, int rc)
{
	if (rc == ERR_LIMIT)
		return err_set(l->e, rc,
			       "the profile needs more memory than the limit "
			       "of %zu bytes",
			       l->p->priv->max);
	return err_set(l->e, rc, "out of memory");
}

int legacy_add_type(struct legacy *l, const char *type, const char *unit)
{
	const uint32_t t = profile_add_sample_type(l->p, type, unit);
	return t == PROFILE_NONE ? legacy_no_room(l, l->p->priv->failed) : 0;
}

int legacy_set_period(struct legacy *l, const char *type, const char *unit,
		      int64_t period)
{
	const uint32_t t = profile_intern(l->p, type);
	const uint32_t u = profile_intern(l->p, unit);
	if (t == PROFILE_NONE || u == PROFILE_NONE)
		return legacy_no_room(l, l->p->priv->failed);
	l->p->period_type = (struct profile_value_type){ t, u };
	l->p->period = period;
	return 0;
}

static int find_location(struct legacy *l, uint64_t address,
			 uint32_t *ret_location)
{
	/* A slot is charged twice over: the map doubles. */
	const size_t cost = 4 * sizeof(struct map_slot);
	const uint64_t key = map_mix(address ^ l->p->priv->seed);
	*ret_location = map_get(&l->locations, key);
	if (*ret_location != MAP_NONE)
		return 0;
	int rc = model_charge(l->p, cost);
	if (rc)
		return legacy_no_room(l, rc);
	l->locations_bytes += cost;
	*ret_location =
		profile_add_location(l->p, PROFILE_NONE, address, NULL, 0);
	if (*ret_location == PROFILE_NONE)
		return legacy_no_room(l, l->p->priv->failed);
	rc = map_put(&l->locations, key, *ret_location);
	return rc ? legacy_no_room(l, rc) : 0;
}

int legacy_push(struct legacy *l, uint64_t address)
{
	if (l->depth == l->stack_size) {
		const size_t size = l->stack_size ? l->stack_size * 2 : 64;
		int rc = model_charge(l->p, (size - l->stack_size) *
						    sizeof(*l->stack));
		if (rc)
			return legacy_no_room(l, rc);
		uint32_t *grown = realloc(l->stack, size * sizeof(*l->stack));
		if (!grown)
			return legacy_no_room(l, ERR_NOMEM);
		l->stack = grown;
		l->stack_size = size;
	}
	const int rc = find_location(l, address, &l->stack[l->depth]);
	l->depth += !rc;
	return rc;
}

/* The lower-case digits behind an 0x: upper-case ones end a number. */
static size_t lower_hex(struct text t)
{
	size_t n = 0;
	while (n < t.len && ((t.s[n] >= '0' && t.s[n] <= '9') ||
			     (t.s[n] >= 'a' && t.s[n] <= 'f')))
		n++;
	return n;
}

int legacy_push_hex(struct legacy *l, struct text t, bool leaf_is_exact)
{
	for (const char *at; (at = text_find(t, "0x"));) {
		const char *digits = at + 2;
		struct text rest = { digits, (size_t)(t.s + t.len - digits) };
		const struct text number = { digits, lower_hex(rest) };
		uint64_t address;
		t = (struct text){ digits + number.len, rest.len - number.len };
		if (!number.len)
			continue;
		if (!text_to_hex(number, &address))
			return legacy_fail(l,
					   "malformed sample: failed to parse "
					   "as hex 64-bit number: 0x%.*s",
					   (int)(number.len < 40 ? number.len
								 : 40),
					   number.s);
		if (l->depth || !leaf_is_exact)
			address--;
		const int rc = legacy_push(l, address);
		if (rc)
			return rc;
	}
	return 0;
}

int legacy_add_sample(struct legacy *l, const int64_t *values,
		      const struct profile_label *labels, size_t n_labels)
{
	const uint32_t i = profile_add_sample(l->p, l->stack, l->depth, values,
					      labels, n_labels);
	l->depth = 0;
	return i == PROFILE_NONE ? legacy_no_room(l, l->p->priv->failed) : 0;
}

void legacy_drop_second(struct profile *p, size_t i)
{
	struct profile_span *s = &p->sample_locs[i];
	uint32_t *locs = p->locs + s->first;
	memmove(locs + 1, locs + 2, (s->count - 2) * sizeof(*locs));
	s->count--;
}

void legacy_drop_duplicates(struct profile *p)
{
	for (size_t i = 0; i < p->n_samples; i++) {
		const uint32_t *locs = p->locs + p->sample_locs[i].first;
		if (p->sample_locs[i].count > 1 &&
		    p->locations[locs[0]].address ==
			    p->locations[locs[1]].address + 1)
			legacy_drop_second(p, i);
	}
}

int64_t legacy_to_int(double x)
{
	return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

int legacy_decode(struct profile *p, const uint8_t *data, size_t len,
		  struct err *e)
{
	static int (*const readers[])(struct legacy *) = {
		legacy_cpu,    legacy_heap,	  legacy_count,
		legacy_thread, legacy_contention,
	};
	const char *begin = (const char *)data;
	struct legacy l = { .p = p, .e = e, .data = begin, .end = begin + len };
	int rc = LEGACY_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(readers) && rc == LEGACY_OTHER; i++) {
		l.next = l.data;
		l.line = (struct text){ l.data, 0 };
		l.line_number = 0;
		rc = readers[i](&l);
	}
	if (!rc)
		rc = legacy_set_frames(&l);
	map_free(&l.locations);
	model_discharge(p, l.locations_bytes);
	free(l.stack);
	model_discharge(p, l.stack_size * sizeof(*l.stack));
	if (!rc)
		model_trim(p);
	return rc;
}
