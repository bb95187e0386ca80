/*
 * live.c - the table of live.h.
 */
#include "pprof/live.h"

#include "base/map.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum {
	BUCKET_SLOTS = 7,
	LEVELS = 4,
};

/* A slot that is claimed, its payload not yet written.  No block's address. */
#define SLOT_BUSY ((uintptr_t)1)

struct bucket {
	/* 0 = empty.  Claimed by compare-and-swap, published by release;
	 * pairs with the acquire of readers. */
	_Atomic uintptr_t slot[BUCKET_SLOTS];
	/*
	 * Entries whose way passes here: in the lower half all of them, in the
	 * upper half those that lie in the levels below.  Relaxed: who looks
	 * for an address got it from the one who added it.
	 */
	_Atomic uint64_t passing;
};

#define PASSING_ONE   UINT64_C(1)
#define PASSING_BELOW (UINT64_C(1) << 32)

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

/* Relaxed atomics: a walk may read while a slot is filled again. */
struct payload {
	_Atomic(struct stack_record *) record;
	_Atomic size_t size;
	_Atomic int64_t birth_ns;
};

struct level {
	struct bucket *buckets;
	struct payload *payloads; /* [bucket * BUCKET_SLOTS + slot] */
};

struct live {
	/* Mapped when first needed, never unmapped; release and acquire. */
	_Atomic(struct bucket *) buckets[LEVELS];
	int levels;
	_Atomic int64_t count;
};

_Atomic uint16_t live_pages[LIVE_PAGES];

static void page_count(const void *p, int delta)
{
	_Atomic uint16_t *n = &live_pages[live_page(p)];
	uint16_t old = atomic_load_explicit(n, memory_order_relaxed);
	while (old != UINT16_MAX &&
	       !atomic_compare_exchange_weak_explicit(
		       n, &old, (uint16_t)(old + delta), memory_order_relaxed,
		       memory_order_relaxed))
		;
}

void live_page_pin(const void *p)
{
	atomic_store_explicit(&live_pages[live_page(p)], UINT16_MAX,
			      memory_order_relaxed);
}

/*
 * Each level takes its own bits of the hash, so that a crowd disperses.  The
 * last takes the few that find a full bucket in the one before while most of
 * it is empty.
 */
static const struct {
	unsigned char bits, shift;
} levels[LEVELS] = { { 12, 0 }, { 16, 12 }, { 20, 28 }, { 16, 48 } };

static size_t level_buckets(int level)
{
	return (size_t)1 << levels[level].bits;
}

static size_t level_bytes(int level)
{
	return level_buckets(level) *
	       (sizeof(struct bucket) + BUCKET_SLOTS * sizeof(struct payload));
}

static size_t level_index(int level, uint64_t hash)
{
	return hash >> levels[level].shift & (level_buckets(level) - 1);
}

static void *map_pages(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static struct level level_get(const struct live *l, int level)
{
	struct bucket *b =
		atomic_load_explicit(&l->buckets[level], memory_order_acquire);
	return (struct level){ b,
			       b ? (struct payload *)(b + level_buckets(level))
				 : NULL };
}

/* Map it if it is new.  Two threads may race: the loser unmaps its own. */
static struct level level_make(struct live *l, int level)
{
	struct level got = level_get(l, level);
	if (got.buckets)
		return got;
	struct bucket *mine = map_pages(level_bytes(level));
	if (!mine)
		return got;
	struct bucket *none = NULL;
	if (!atomic_compare_exchange_strong(&l->buckets[level], &none, mine))
		munmap(mine, level_bytes(level));
	return level_get(l, level);
}

struct live *live_new(size_t max_blocks)
{
	struct live *l = map_pages(sizeof(*l));
	if (!l)
		return NULL;
	size_t room = 0;
	do
		room += level_buckets(l->levels++) * BUCKET_SLOTS;
	while (l->levels < LEVELS && (!max_blocks || room < max_blocks));
	if (!level_make(l, 0).buckets) {
		live_free(l);
		return NULL;
	}
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	for (int i = 0; i < LEVELS; i++) {
		struct bucket *b = atomic_load(&l->buckets[i]);
		if (b)
			munmap(b, level_bytes(i));
	}
	munmap(l, sizeof(*l));
}

/* A slot of this bucket, claimed; or -1. */
static int bucket_claim(struct bucket *b)
{
	for (int i = 0; i < BUCKET_SLOTS; i++) {
		uintptr_t empty = 0;
		if (atomic_load_explicit(&b->slot[i], memory_order_relaxed) ==
			    0 &&
		    atomic_compare_exchange_strong(&b->slot[i], &empty,
						   SLOT_BUSY))
			return i;
	}
	return -1;
}

/* An entry of this level came (sign 1) or goes (-1): tell its way. */
static void count_passing(struct live *l, uint64_t hash, int level,
			  uint64_t sign)
{
	for (int i = 0; i <= level; i++) {
		const uint64_t delta =
			PASSING_ONE + (i < level ? PASSING_BELOW : 0);
		atomic_fetch_add_explicit(
			&level_get(l, i).buckets[level_index(i, hash)].passing,
			sign * delta, memory_order_relaxed);
	}
}

bool live_add(struct live *l, const void *p, const struct live_block *block)
{
	const uint64_t hash = map_mix((uintptr_t)p);
	for (int i = 0; i < l->levels; i++) {
		const struct level level = level_make(l, i);
		if (!level.buckets)
			return false;
		const size_t at = level_index(i, hash);
		struct bucket *b = &level.buckets[at];
		const int slot = bucket_claim(b);
		if (slot < 0)
			continue;
		struct payload *pay =
			&level.payloads[at * BUCKET_SLOTS + (size_t)slot];
		atomic_store_explicit(&pay->record, block->record,
				      memory_order_relaxed);
		atomic_store_explicit(&pay->size, block->size,
				      memory_order_relaxed);
		atomic_store_explicit(&pay->birth_ns, block->birth_ns,
				      memory_order_relaxed);
		count_passing(l, hash, i, 1);
		page_count(p, 1);
		atomic_store_explicit(&b->slot[slot], (uintptr_t)p,
				      memory_order_release);
		atomic_fetch_add_explicit(&l->count, 1, memory_order_relaxed);
		return true;
	}
	return false;
}

static struct live_block payload_read(const struct payload *pay)
{
	return (struct live_block){
		.record = atomic_load_explicit(&pay->record,
					       memory_order_relaxed),
		.size = atomic_load_explicit(&pay->size, memory_order_relaxed),
		.birth_ns = atomic_load_explicit(&pay->birth_ns,
						 memory_order_relaxed),
	};
}

struct place {
	int level;
	struct bucket *bucket;
	int slot;
	const struct payload *payload;
};

static bool find(struct live *l, uint64_t hash, uintptr_t p, struct place *ret)
{
	for (int i = 0; i < l->levels; i++) {
		const struct level level = level_get(l, i);
		if (!level.buckets)
			return false;
		const size_t at = level_index(i, hash);
		struct bucket *b = &level.buckets[at];
		const uint64_t passing =
			atomic_load_explicit(&b->passing, memory_order_relaxed);
		if (passing == 0)
			return false;
		for (int s = 0; s < BUCKET_SLOTS; s++)
			if (atomic_load_explicit(&b->slot[s],
						 memory_order_acquire) == p) {
				*ret = (struct place){
					i, b, s,
					&level.payloads[at * BUCKET_SLOTS +
							(size_t)s]
				};
				return true;
			}
		if (passing < PASSING_BELOW)
			return false;
	}
	return false;
}

bool live_take(struct live *l, const void *p, struct live_block *ret_block)
{
	const uint64_t hash = map_mix((uintptr_t)p);
	struct place at;
	if (!find(l, hash, (uintptr_t)p, &at))
		return false;
	*ret_block = payload_read(at.payload);
	atomic_store_explicit(&at.bucket->slot[at.slot], 0,
			      memory_order_release);
	count_passing(l, hash, at.level, (uint64_t)-1);
	page_count(p, -1);
	atomic_fetch_sub_explicit(&l->count, 1, memory_order_relaxed);
	return true;
}

bool live_find(struct live *l, const void *p, struct live_block *ret_block)
{
	struct place at;
	if (!find(l, map_mix((uintptr_t)p), (uintptr_t)p, &at))
		return false;
	*ret_block = payload_read(at.payload);
	return true;
}

size_t live_count(const struct live *l)
{
	return (size_t)atomic_load(&((struct live *)l)->count);
}

void live_walk(const struct live *l,
	       void (*fn)(void *arg, const void *p,
			  const struct live_block *block),
	       void *arg)
{
	for (int i = 0; i < l->levels; i++) {
		const struct level level = level_get(l, i);
		if (!level.buckets)
			return;
		for (size_t n = 0; n < level_buckets(i) * BUCKET_SLOTS; n++) {
			_Atomic uintptr_t *slot =
				&level.buckets[n / BUCKET_SLOTS]
					 .slot[n % BUCKET_SLOTS];
			const uintptr_t p = atomic_load_explicit(
				slot, memory_order_acquire);
			if (p == 0 || p == SLOT_BUSY)
				continue;
			const struct live_block block =
				payload_read(&level.payloads[n]);
			/* Emptied and filled again meanwhile?  The same
			 * address may have come back; then its birth changed
			 * too, and either reading is of its time. */
			atomic_thread_fence(memory_order_acquire);
			if (atomic_load_explicit(slot, memory_order_relaxed) ==
				    p &&
			    block.record)
				fn(arg, (const void *)p, &block);
		}
	}
}
