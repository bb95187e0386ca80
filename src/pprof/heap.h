/*
 * heap.h - the sampled heap: what the malloc shim tells it, and the profiles
 * "heap" and "allocs" that come of it.
 *
 * The shim asks sample.h whether to sample, and reports the block here; it
 * reports the end of each block that live.h calls a candidate *before* the
 * block goes back to the allocator, or its address could be sampled anew in
 * between.
 *
 * A stack record's counters are raw sampled figures; its tag says with which
 * rate, and of which size class.  They become estimates when written, by Go's
 * formula, on the mean size of each record.
 */
#ifndef PROFLAB_PPROF_HEAP_H
#define PROFLAB_PPROF_HEAP_H

#include "pprof/live.h"
#include "pprof/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not exported, so reached without a detour through the GOT or a PLT. */
#pragma GCC visibility push(hidden)

/* The counters of a heap record. */
enum {
	HEAP_ALLOC_OBJECTS,
	HEAP_ALLOC_BYTES,
	HEAP_FREE_OBJECTS, /* read before the two above: never more freed */
	HEAP_FREE_BYTES,
};

/*
 * Make the tables, once; later calls return what the first did.  Called by
 * the shim from its first allocation, before there is a second thread.
 * Returns: 0 or ERR_NOMEM (nothing will be sampled).
 */
int heap_init(void);

/*
 * The block at p, of size bytes as asked for, was sampled at
 * rate; caller is the return address of the allocating function, where its
 * stack begins.  Keeps errno.
 * Signal: safe.  Blocks: no.
 */
void heap_add(const void *p, size_t size, int64_t rate, uintptr_t caller);

/* What heap_take took: to be counted as freed, or put back. */
struct heap_taken {
	struct live_block block;
	bool found;
};

#define HEAP_NOT_TAKEN ((struct heap_taken){ .found = false })

/* p, a candidate, is about to end.  Signal: safe. */
struct heap_taken heap_take(const void *p);
/* It did. */
void heap_count_free(const struct heap_taken *t);
/* It did not: realloc failed. */
void heap_put_back(const void *p, const struct heap_taken *t);

static inline void heap_forget(const void *p)
{
	const struct heap_taken t = heap_take(p);
	if (t.found)
		heap_count_free(&t);
}

/* ---- the profiles -------------------------------------------------------- */

extern const struct source heap_source;	  /* "heap" */
extern const struct source allocs_source; /* "allocs" */

/* Estimates of all that was allocated and is in use: for statistics. */
struct heap_totals {
	int64_t alloc_objects, alloc_bytes;
	int64_t inuse_objects, inuse_bytes;
	int64_t samples;      /* blocks sampled so far */
	int64_t live_samples; /* of them alive */
	int64_t lost;	      /* not recorded: a table was full */
};

/* Signal: safe.  A few loads: kept up as samples come and go. */
struct heap_totals heap_totals_now(void);

/* The i-th line of pprof_stat_at that is about the heap. */
bool heap_stat_at(size_t i, struct pprof_stat *ret_stat);

/* ---- between heap.c and heap_source.c, and for tests --------------------- */

struct stack_table *heap_table(void); /* NULL before heap_init */
struct live *heap_live(void);

/* One record's raw counters as estimates: Go's scaleHeapSample. */
void heap_scale(int64_t objects, int64_t bytes, int64_t rate,
		int64_t *ret_objects, int64_t *ret_bytes);
int64_t heap_tag_rate(uint64_t tag);
size_t heap_tag_class(uint64_t tag);

#pragma GCC visibility pop

#endif
