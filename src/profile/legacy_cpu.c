/*
 * legacy_cpu.c - gperftools' binary CPU profile: words of 32 or 64 bits, of
 * either endianness.
 *
 *	0, 3, 0, period in microseconds, 0	the header
 *	count, depth, pc, pc, ...		each stack, leaf first
 *	0, 1, 0					the end
 *
 * and then, as text, the map of memory.
 */
#include "base/attr.h"
#include "base/err.h"
#include "profile/legacy.h"
#include "profile/private.h"

enum { HEADER_WORDS = 5, VERSION = 3 };

struct words {
	const uint8_t *p, *end;
	size_t size; /* 4 or 8 */
	bool big_endian;
};

static bool have(const struct words *w, uint64_t n)
{
	return n <= (size_t)(w->end - w->p) / w->size;
}

/* The next word; it is there. */
static uint64_t word(struct words *w)
{
	uint64_t v = 0;
	for (size_t i = 0; i < w->size; i++) {
		const size_t at = w->big_endian ? i : w->size - 1 - i;
		v = v << 8 | w->p[at];
	}
	w->p += w->size;
	return v;
}

/* Returns: the period in microseconds, or 0 when this is no header. */
static uint64_t read_header(struct words *w, bool *ret_java)
{
	if (!have(w, HEADER_WORDS))
		return 0;
	const uint64_t zero = word(w), version = word(w), java = word(w);
	const uint64_t period = word(w), padding = word(w);
	*ret_java = java == 1;
	return !zero && version == VERSION && java <= 1 && !padding ? period
								    : 0;
}

static int fail_at(const struct legacy *l, const struct words *w,
		   const char *what)
{
	return err_set(l->e, ERR_FORMAT,
		       "parsing profile: CPU profile: %s at byte %td", what,
		       (const char *)w->p - l->data);
}

static int read_sample(struct legacy *l, struct words *w, bool *ret_end)
{
	if (!have(w, 2))
		return fail_at(l, w, "a sample is cut");
	const uint64_t count = word(w), depth = word(w);
	if (!have(w, depth))
		return fail_at(l, w, "a stack is cut");
	for (uint64_t i = 0; i < depth; i++) {
		const uint64_t pc = word(w);
		if (!count && depth == 1 && !pc) {
			*ret_end = true;
			return 0;
		}
		/* All but the leaf are return addresses. */
		const int rc = legacy_push(l, i ? pc - 1 : pc);
		if (rc)
			return rc;
	}
	const int64_t values[] = {
		(int64_t)count,
		(int64_t)(count * (uint64_t)l->p->period),
	};
	return legacy_add_sample(l, values, NULL, 0);
}

static uint64_t second_address(const struct profile *p, size_t i)
{
	return p->locations[p->locs[p->sample_locs[i].first + 1]].address;
}

/*
 * When all samples, but for one in 32, have the same frame behind the leaf, it
 * is the signal handler's: strip it.
 * Returns: 0, ERR_NOMEM; *ret_found says whether there was one.
 */
static int strip_handler_frame(struct legacy *l, bool *ret_found)
{
	struct profile *p = l->p;
	const size_t needed = p->n_samples - p->n_samples / 32;
	struct map counts = { 0 };
	uint64_t handler = 0;
	int rc = 0;
	*ret_found = false;
	for (size_t i = 0; !rc && !*ret_found && i < p->n_samples; i++) {
		if (p->sample_locs[i].count < 2)
			continue;
		const uint64_t address = second_address(p, i);
		const uint64_t key = map_mix(address ^ p->priv->seed);
		const uint32_t before = map_get(&counts, key);
		const uint32_t count = before == MAP_NONE ? 1 : before + 1;
		rc = map_put(&counts, key, count);
		*ret_found = count >= needed;
		handler = address;
	}
	map_free(&counts);
	for (size_t i = 0; *ret_found && i < p->n_samples; i++)
		if (p->sample_locs[i].count > 1 &&
		    second_address(p, i) == handler)
			legacy_drop_second(p, i);
	return rc ? legacy_no_room(l, rc) : 0;
}

static int read_profile(struct legacy *l, struct words *w, uint64_t period_us)
{
	bool end = false, found = true;
	int rc = legacy_set_period(l, "cpu", "nanoseconds",
				   (int64_t)(period_us * 1000));
	if (!rc)
		rc = legacy_add_type(l, "samples", "count");
	if (!rc)
		rc = legacy_add_type(l, "cpu", "nanoseconds");
	while (!rc && !end && w->p < w->end)
		rc = read_sample(l, w, &end);
	/* The handler, and what called it. */
	for (int i = 0; i < 2 && found && !rc; i++)
		rc = strip_handler_frame(l, &found);
	if (rc)
		return rc;
	l->next = (const char *)w->p;
	legacy_drop_duplicates(l->p);
	return legacy_finish_maps(l);
}

int legacy_cpu(struct legacy *l)
{
	static const struct {
		size_t size;
		bool big_endian;
	} kinds[] = { { 4, false }, { 4, true }, { 8, false }, { 8, true } };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct words w = {
			.p = (const uint8_t *)l->data,
			.end = (const uint8_t *)l->end,
			.size = kinds[i].size,
			.big_endian = kinds[i].big_endian,
		};
		bool java = false;
		const uint64_t period_us = read_header(&w, &java);
		if (!period_us)
			continue;
		if (java)
			return fail_at(l, &w, "Java's format is not read");
		return read_profile(l, &w, period_us);
	}
	return LEGACY_OTHER;
}
