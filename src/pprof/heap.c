/*
 * heap.c - the tables behind the heap profile, and what the malloc shim does
 * to them.
 */
#include "pprof/heap.h"

#include "base/clock.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/label.h"
#include "pprof/lost.h"
#include "pprof/sample.h"
#include "pprof/stack_table.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>

enum {
	MAX_STACKS = 1 << 17,
	MAX_FRAMES = MAX_STACKS * 24,
	TAG_CLASS_BITS = 16,
	/* Frames of the profiler's own on top of the caller's, at most. */
	OWN_FRAMES = 8,
};

/* Estimates, kept up as samples come and go; relaxed. */
static struct {
	_Atomic int64_t objects, bytes, samples;
} allocated, freed;

/* Set once by heap_init; release and acquire. */
static _Atomic(struct stack_table *) table;
static _Atomic(struct live *) live;

struct stack_table *heap_table(void)
{
	return atomic_load_explicit(&table, memory_order_acquire);
}

struct live *heap_live(void)
{
	return atomic_load_explicit(&live, memory_order_acquire);
}

int heap_init(void)
{
	if (heap_table())
		return 0;
	const int saved = errno;
	struct stack_table *t = NULL;
	struct live *l = live_new(0);
	const struct stack_table_options options = {
		.max_stacks = MAX_STACKS,
		.max_frames = MAX_FRAMES,
	};
	if (!l || stack_table_new(&options, &t) < 0) {
		live_free(l);
		errno = saved;
		return ERR_NOMEM;
	}
	/* Two threads that begin at once: the later one's tables go. */
	struct live *none = NULL;
	if (atomic_compare_exchange_strong(&live, &none, l)) {
		atomic_store_explicit(&table, t, memory_order_release);
		writer_register_table(t);
	} else {
		live_free(l);
		stack_table_free(t);
	}
	errno = saved;
	return 0;
}

/* ---- tags ----------------------------------------------------------------
 *
 * The rate stands in the tag, so records of different rates are scaled each by
 * its own, and the rate may change at any time.
 */

static uint64_t tag_make(size_t size, int64_t rate)
{
	const size_t class = sample_class_size(size);
	/* 2^k + j * 2^(k-4), as 16 * k + j: fits 10 bits. */
	uint64_t code = class;
	if (class > 32) {
		const int k = 63 - __builtin_clzl(class - 1);
		code = (uint64_t)(k * 16) +
		       ((class - 1 - ((size_t)1 << k)) >> (k - 4));
	}
	return (uint64_t)rate << TAG_CLASS_BITS | code;
}

int64_t heap_tag_rate(uint64_t tag)
{
	return (int64_t)(tag >> TAG_CLASS_BITS);
}

size_t heap_tag_class(uint64_t tag)
{
	const size_t code = tag & ((1 << TAG_CLASS_BITS) - 1);
	if (code <= 32)
		return code;
	const size_t k = code / 16;
	return ((size_t)1 << k) + ((code % 16 + 1) << (k - 4));
}

/* ---- blocks come and go -------------------------------------------------- */

static void totals_add(size_t size, int64_t rate, bool is_free)
{
	const double weight = sample_weight((double)size, rate);
	const int64_t objects = llround(weight);
	const int64_t bytes = llround(weight * (double)size);
	_Atomic int64_t *n = is_free ? &freed.objects : &allocated.objects;
	_Atomic int64_t *b = is_free ? &freed.bytes : &allocated.bytes;
	_Atomic int64_t *s = is_free ? &freed.samples : &allocated.samples;
	atomic_fetch_add_explicit(n, objects, memory_order_relaxed);
	atomic_fetch_add_explicit(b, bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(s, 1, memory_order_relaxed);
}

static void count_lost(struct stack_table *t, size_t size, int64_t rate)
{
	const double weight = sample_weight((double)size, rate);
	lost_add(stack_table_lost(t), LOST_TABLE_FULL, llround(weight),
		 llround(weight * (double)size));
}

/*
 * The stack from the allocating function's caller on.  How many frames of
 * ours lie above it depends on inlining and tail calls, so they are counted
 * by looking for the return address itself.
 */
static struct stack stack_from(uintptr_t caller, uintptr_t *pcs, size_t max)
{
	const struct unwound u = unwind_from_here(UNWIND_RULES, 0, pcs, max);
	size_t first = 0;
	while (first < u.depth && first < OWN_FRAMES && pcs[first] != caller)
		first++;
	if (first == u.depth || pcs[first] != caller) {
		/* Unwinding failed, or was already going on. */
		pcs[0] = caller;
		return (struct stack){ .pcs = pcs, .depth = 1 };
	}
	size_t depth = u.depth - first;
	const bool cut = depth > STACK_DEPTH_MAX;
	if (cut)
		depth = STACK_DEPTH_MAX;
	return (struct stack){
		.pcs = pcs + first,
		.depth = (uint32_t)depth,
		.truncated = cut || u.truncated,
	};
}

void heap_add(const void *p, size_t size, int64_t rate, uintptr_t caller)
{
	struct stack_table *t = heap_table();
	struct live *l = heap_live();
	if (!t || !l)
		return;
	const int saved = errno;
	guard_enter();
	/* An end that nobody told us of: the address was given out again. */
	heap_forget(p);
	uintptr_t pcs[STACK_DEPTH_MAX + OWN_FRAMES];
	const struct stack stack =
		stack_from(caller, pcs, STACK_DEPTH_MAX + OWN_FRAMES);
	const struct live_block block = {
		.record = stack_table_find(t, &stack, label_set_current(),
					   tag_make(size, rate)),
		.size = size,
		.birth_ns = clock_monotonic_ns(),
	};
	if (!block.record || !live_add(l, p, &block)) {
		count_lost(t, size, rate);
	} else {
		stack_record_add(block.record, HEAP_ALLOC_OBJECTS, 1);
		stack_record_add(block.record, HEAP_ALLOC_BYTES, (int64_t)size);
		totals_add(size, rate, false);
	}
	guard_leave();
	errno = saved;
}

struct heap_taken heap_take(const void *p)
{
	struct heap_taken t = { .found = false };
	struct live *l = heap_live();
	if (LIKELY(l != NULL))
		t.found = live_take(l, p, &t.block);
	return t;
}

void heap_count_free(const struct heap_taken *t)
{
	struct stack_record *r = t->block.record;
	stack_record_add(r, HEAP_FREE_OBJECTS, 1);
	stack_record_add(r, HEAP_FREE_BYTES, (int64_t)t->block.size);
	totals_add(t->block.size, heap_tag_rate(r->tag), true);
}

void heap_put_back(const void *p, const struct heap_taken *t)
{
	struct live *l = heap_live();
	/* Its slot was emptied a moment ago; if another has it and there is no
	 * other, the block is out of our sight, as if freed. */
	if (!live_add(l, p, &t->block))
		heap_count_free(t);
}

/* ---- statistics ---------------------------------------------------------- */

struct heap_totals heap_totals_now(void)
{
	struct heap_totals t = { 0 };
	/* Frees first: what is in use is never negative. */
	const int64_t f_objects = atomic_load(&freed.objects);
	const int64_t f_bytes = atomic_load(&freed.bytes);
	const int64_t f_samples = atomic_load(&freed.samples);
	t.alloc_objects = atomic_load(&allocated.objects);
	t.alloc_bytes = atomic_load(&allocated.bytes);
	t.samples = atomic_load(&allocated.samples);
	t.inuse_objects = t.alloc_objects - f_objects;
	t.inuse_bytes = t.alloc_bytes - f_bytes;
	t.live_samples = t.samples - f_samples;
	struct stack_table *s = heap_table();
	if (s)
		t.lost = atomic_load(
			&stack_table_lost(s)->samples[LOST_TABLE_FULL]);
	return t;
}

bool heap_stat_at(size_t i, struct pprof_stat *ret_stat)
{
	if (!hooks_present(HOOKS_MALLOC))
		return false;
	const struct heap_totals t = heap_totals_now();
	const struct pprof_stat stats[] = {
		{ "heap_alloc_bytes_total", NULL, (double)t.alloc_bytes },
		{ "heap_alloc_objects_total", NULL, (double)t.alloc_objects },
		{ "heap_inuse_bytes", NULL, (double)t.inuse_bytes },
		{ "heap_inuse_objects", NULL, (double)t.inuse_objects },
		{ "heap_samples_total", NULL, (double)t.samples },
		{ "heap_live_samples", NULL, (double)t.live_samples },
		{ "heap_sample_rate_bytes", NULL, (double)sample_rate() },
	};
	if (i >= ARRAY_SIZE(stats))
		return false;
	*ret_stat = stats[i];
	return true;
}

void heap_scale(int64_t objects, int64_t bytes, int64_t rate,
		int64_t *ret_objects, int64_t *ret_bytes)
{
	if (objects <= 0 || bytes < 0) {
		*ret_objects = 0;
		*ret_bytes = 0;
		return;
	}
	const double weight =
		bytes ? sample_weight((double)bytes / (double)objects, rate)
		      : 1;
	*ret_objects = llround((double)objects * weight);
	*ret_bytes = llround((double)bytes * weight);
}

/* ---- the rate ------------------------------------------------------------ */

int64_t pprof_set_mem_profile_rate(int64_t bytes)
{
	guard_enter();
	if (bytes > 0 && heap_init() < 0)
		bytes = 0;
	const int64_t before = sample_set_rate(bytes);
	guard_leave();
	return before;
}

int64_t pprof_mem_profile_rate(void)
{
	return hooks_present(HOOKS_MALLOC) ? sample_rate() : -1;
}
