/*
 * stack_table.c - see stack_table.h.
 *
 * One mapping holds all: header, buckets, records, frames.  A bucket holds a
 * record's number plus one, or 0 while it is empty, and never changes again
 * once it is set: open addressing with linear probing, at most half full.
 *
 * Why a writer fills a record before it has a bucket for it, and not the other
 * way round: a bucket that is taken but not yet readable would have to be
 * waited for, and whoever took it may be the very thread that this handler
 * interrupted.
 */
#include "pprof/stack_table.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "pprof/guard.h"
#include "pprof/lost.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	DEFAULT_STACKS = 65536,
	DEFAULT_FRAMES_A_STACK = 32,
	/* At load 1/2 a probe this long has a probability below 1e-20. */
	PROBES_MAX = 256,
};

struct stack_table {
	size_t mapped;	/* bytes of the whole mapping; constant */
	size_t records; /* capacity; constant */
	size_t frames;	/* capacity; constant */
	uint32_t mask;	/* buckets - 1; constant */
	_Atomic uint32_t *bucket;
	struct stack_record *record;
	uintptr_t *frame;
	_Alignas(64) _Atomic uint64_t records_used; /* may pass the capacity */
	_Atomic uint64_t frames_used;		    /* may pass the capacity */
	struct lost lost;
};

_Static_assert((int)LOST_CAUSES <= (int)STACK_LOST_MAX,
	       "a snapshot holds every cause");

uint32_t stack_table_unloads;

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

int stack_table_new(const struct stack_table_options *options,
		    struct stack_table **ret_table)
{
	const struct stack_table_options none = { 0 };
	const struct stack_table_options *o = options ? options : &none;
	const size_t records = o->max_stacks ? o->max_stacks : DEFAULT_STACKS;
	if (records > UINT32_MAX / 4 || o->max_frames > SIZE_MAX / 64)
		return ERR_NOMEM;
	const size_t frames = o->max_frames ? o->max_frames
					    : records * DEFAULT_FRAMES_A_STACK;
	size_t buckets = 16;
	while (buckets < 2 * records)
		buckets *= 2;

	const size_t at_buckets = round_up(sizeof(struct stack_table), 64);
	const size_t at_records =
		round_up(at_buckets + buckets * sizeof(uint32_t), 64);
	const size_t at_frames = round_up(
		at_records + records * sizeof(struct stack_record), 64);
	const size_t mapped = at_frames + frames * sizeof(uintptr_t);

	char *base = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return ERR_NOMEM;
	/* Touched here and there: a huge page each would be a waste. */
	madvise(base, mapped, MADV_NOHUGEPAGE);
	struct stack_table *t = (struct stack_table *)base;
	t->mapped = mapped;
	t->records = records;
	t->frames = frames;
	t->mask = (uint32_t)(buckets - 1);
	t->bucket = (_Atomic uint32_t *)(base + at_buckets);
	t->record = (struct stack_record *)(base + at_records);
	t->frame = (uintptr_t *)(base + at_frames);
	*ret_table = t;
	return 0;
}

void stack_table_free(struct stack_table *t)
{
	if (t)
		munmap(t, t->mapped);
}

static uint64_t hash_key(const struct stack *s, uint32_t labels, uint64_t tag)
{
	uint64_t h = map_mix(tag + UINT64_C(0x9e3779b97f4a7c15));
	h = map_mix(h ^ ((uint64_t)labels << 32 | s->depth << 2 |
			 (uint64_t)s->truncated << 1 | s->exact_leaf));
	for (uint32_t i = 0; i < s->depth; i++)
		h = (h ^ s->pcs[i]) * UINT64_C(0x9fb21c651e98df25) ^ (h >> 29);
	return map_mix(h);
}

static bool same_key(const struct stack_table *t, const struct stack_record *r,
		     uint64_t hash, const struct stack *s, uint32_t labels,
		     uint64_t tag)
{
	return r->hash == hash &&
	       !__atomic_load_n((bool *)&r->stale, __ATOMIC_RELAXED) &&
	       r->tag == tag && r->labels == labels && r->depth == s->depth &&
	       r->truncated == s->truncated && r->exact_leaf == s->exact_leaf &&
	       memcmp(t->frame + r->first, s->pcs,
		      s->depth * sizeof(*s->pcs)) == 0;
}

/*
 * n places of a pool, or false when they do not fit.  The look before the
 * addition keeps a full pool from being counted up for ever.
 */
static bool claim(_Atomic uint64_t *used, uint64_t n, uint64_t capacity,
		  uint64_t *ret_first)
{
	if (__atomic_load_n((uint64_t *)used, __ATOMIC_RELAXED) + n > capacity)
		return false;
	*ret_first = __atomic_fetch_add((uint64_t *)used, n, __ATOMIC_RELAXED);
	return *ret_first + n <= capacity;
}

/* A record that nobody else knows yet, written whole; NULL when full. */
static struct stack_record *make_record(struct stack_table *t, uint64_t hash,
					const struct stack *s, uint32_t labels,
					uint64_t tag)
{
	uint64_t i;
	uint64_t first;
	if (!claim(&t->frames_used, s->depth, t->frames, &first) ||
	    !claim(&t->records_used, 1, t->records, &i))
		return NULL;
	struct stack_record *r = &t->record[i];
	r->hash = hash;
	r->tag = tag;
	r->labels = labels;
	r->depth = s->depth;
	r->first = first;
	r->birth = __atomic_load_n(&stack_table_unloads, __ATOMIC_RELAXED);
	r->truncated = s->truncated;
	r->exact_leaf = s->exact_leaf;
	memcpy(t->frame + first, s->pcs, s->depth * sizeof(*s->pcs));
	return r;
}

/*
 * A record that stands in a bucket is whole.  Whoever finds it there marks it
 * for the readers, which walk the records: the one who put it there may have
 * been stopped before it came to that.
 */
static struct stack_record *mark_ready(struct stack_record *r)
{
	bool *ready = (bool *)&r->ready;
	if (UNLIKELY(!__atomic_load_n(ready, __ATOMIC_RELAXED)))
		__atomic_store_n(ready, true, __ATOMIC_RELEASE);
	return r;
}

struct stack_record *stack_table_find(struct stack_table *t,
				      const struct stack *stack,
				      uint32_t labels, uint64_t tag)
{
	struct stack s = *stack;
	if (s.depth > STACK_DEPTH_MAX) {
		s.depth = STACK_DEPTH_MAX;
		s.truncated = true;
	}
	const uint64_t hash = hash_key(&s, labels, tag);
	struct stack_record *mine = NULL;
	uint32_t at = (uint32_t)hash & t->mask;

	for (int probe = 0; probe < PROBES_MAX; probe++) {
		uint32_t *bucket = (uint32_t *)&t->bucket[at];
		uint32_t n = __atomic_load_n(bucket, __ATOMIC_ACQUIRE);
		if (n == 0) {
			if (!mine)
				mine = make_record(t, hash, &s, labels, tag);
			if (!mine)
				return NULL;
			const uint32_t number =
				(uint32_t)(mine - t->record) + 1;
			if (__atomic_compare_exchange_n(bucket, &n, number,
							false, __ATOMIC_ACQ_REL,
							__ATOMIC_ACQUIRE))
				return mark_ready(mine);
		}
		struct stack_record *r = &t->record[n - 1];
		if (same_key(t, r, hash, &s, labels, tag))
			return mark_ready(r);
		at = (at + 1) & t->mask;
	}
	return NULL;
}

size_t stack_table_count(const struct stack_table *t)
{
	const uint64_t used =
		__atomic_load_n((uint64_t *)&t->records_used, __ATOMIC_ACQUIRE);
	return used < t->records ? used : t->records;
}

struct stack_record *stack_table_at(const struct stack_table *t, size_t i)
{
	if (i >= t->records ||
	    !__atomic_load_n((bool *)&t->record[i].ready, __ATOMIC_ACQUIRE))
		return NULL;
	return &t->record[i];
}

const uintptr_t *stack_table_frames(const struct stack_table *t,
				    const struct stack_record *r)
{
	return t->frame + r->first;
}

struct stack stack_table_stack(const struct stack_table *t,
			       const struct stack_record *r)
{
	return (struct stack){ .pcs = t->frame + r->first,
			       .depth = r->depth,
			       .truncated = r->truncated,
			       .exact_leaf = r->exact_leaf,
			       .stale = __atomic_load_n((bool *)&r->stale,
							__ATOMIC_RELAXED),
			       .birth = r->birth };
}

void stack_record_retire(struct stack_record *r, bool retired)
{
	__atomic_store_n((bool *)&r->stale, retired, __ATOMIC_RELAXED);
}

struct lost *stack_table_lost(struct stack_table *t)
{
	return &t->lost;
}

int64_t stack_record_get(const struct stack_record *r, int counter)
{
	return __atomic_load_n((int64_t *)&r->counters[counter],
			       __ATOMIC_ACQUIRE);
}

void stack_table_zero(struct stack_table *t)
{
	const size_t n = stack_table_count(t);
	for (size_t i = 0; i < n; i++)
		for (int c = 0; c < STACK_COUNTERS; c++)
			__atomic_store_n((int64_t *)&t->record[i].counters[c],
					 0, __ATOMIC_RELAXED);
	for (int c = 0; c < LOST_CAUSES; c++) {
		__atomic_store_n((int64_t *)&t->lost.samples[c], 0,
				 __ATOMIC_RELAXED);
		__atomic_store_n((int64_t *)&t->lost.weight[c], 0,
				 __ATOMIC_RELAXED);
	}
}

int stack_snapshot_take(struct stack_table *t, struct stack_snapshot *ret)
{
	const size_t n = stack_table_count(t);
	guard_enter();
	int64_t(*counters)[STACK_COUNTERS] =
		calloc(n ? n : 1, sizeof(*counters));
	guard_leave();
	if (!counters)
		return ERR_NOMEM;

	*ret = (struct stack_snapshot){ .n = n, .counters = counters };
	for (size_t i = 0; i < n; i++) {
		const struct stack_record *r = stack_table_at(t, i);
		for (int c = STACK_COUNTERS - 1; r && c >= 0; c--)
			counters[i][c] = stack_record_get(r, c);
	}
	for (int c = 0; c < LOST_CAUSES; c++) {
		ret->lost_samples[c] = __atomic_load_n(
			(int64_t *)&t->lost.samples[c], __ATOMIC_RELAXED);
		ret->lost_weight[c] = __atomic_load_n(
			(int64_t *)&t->lost.weight[c], __ATOMIC_RELAXED);
	}
	ret->monotonic_ns = clock_monotonic_ns();
	ret->realtime_ns = clock_realtime_ns();
	return 0;
}

void stack_snapshot_free(struct stack_snapshot *s)
{
	if (!s)
		return;
	guard_enter();
	free(s->counters);
	guard_leave();
	*s = (struct stack_snapshot){ 0 };
}
