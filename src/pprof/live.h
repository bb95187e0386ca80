/*
 * live.h - is this block one of ours?  The sampled blocks that are alive, by
 * address.
 *
 * Every block that ends must be asked about, and nearly none is in the table.
 * So in front of it stands live_pages: how many sampled blocks begin on each
 * page of memory.  Zero, as for 127 pages in 128 at the default rate, and the
 * block is none of ours.  Neighbouring pages lie side by side in it, so what a
 * program works on is in the cache; the load decides a branch that is
 * predicted, and nothing waits for it.  Sampled blocks are the allocator's
 * own, at the address and of the alignment that they would have without us.
 * (doc/sampling.md compares this with page-aligned blocks and with a range of
 * addresses of our own, which were measured too.)
 *
 * Lock-free, in memory mapped by itself, so it works inside malloc, in a
 * handler, and in a forked child.  An address is added by the thread that
 * just got the block and taken by the one that gives it up: two threads never
 * work on one address at a time, and all that is contended is an empty slot.
 *
 * Buckets are cache lines: seven addresses, and a count of the entries that
 * found no room here and went to the next level, which is 16 times as large.
 * No such entries: a search ends here.  So there are no tombstones, nothing is
 * moved, and a table of two thousand blocks stays small.
 */
#ifndef PROFLAB_PPROF_LIVE_H
#define PROFLAB_PPROF_LIVE_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not exported, so reached without a detour through the GOT or a PLT. */
#pragma GCC visibility push(hidden)

struct stack_record;
struct live;

struct live_block {
	struct stack_record *record;
	size_t size;
	int64_t birth_ns; /* CLOCK_MONOTONIC */
};

/*
 * Sampled blocks by page, modulo 512 MiB of addresses: an alias costs a look
 * into the table.  A count that reaches the top stays there.  Relaxed: who
 * gives up a block got it from the one who counted it.
 */
#define LIVE_PAGES ((size_t)1 << 17)
extern _Atomic uint16_t live_pages[LIVE_PAGES];

HOT_INLINE size_t live_page(const void *p)
{
	return (uintptr_t)p >> 12 & (LIVE_PAGES - 1);
}

/* Might p be sampled?  Signal: safe. */
HOT_INLINE bool live_is_candidate(const void *p)
{
	return UNLIKELY(__atomic_load_n((uint16_t *)&live_pages[live_page(p)],
					__ATOMIC_RELAXED) != 0);
}

/* Make every block on p's page a candidate for ever. */
void live_page_pin(const void *p);

/* max_blocks 0: about 7 million.  Returns: NULL without memory. */
struct live *live_new(size_t max_blocks);
/* Only for tests. */
void live_free(struct live *l);

/* Signal: safe.  Returns: false when there is no room. */
bool live_add(struct live *l, const void *p, const struct live_block *block);
/* Remove and return.  Signal: safe. */
bool live_take(struct live *l, const void *p, struct live_block *ret_block);
/* Look, and leave it.  Signal: safe. */
bool live_find(struct live *l, const void *p, struct live_block *ret_block);

size_t live_count(const struct live *l);
/* Every block that is there during the whole walk, and some of the others. */
void live_walk(const struct live *l,
	       void (*fn)(void *arg, const void *p,
			  const struct live_block *block),
	       void *arg);

#pragma GCC visibility pop

#endif
