/*
 * malloc_next.h - the allocator below the malloc shim, found by dlsym, and
 * the memory that serves while dlsym itself is at work.
 */
#ifndef PROFLAB_SHIM_MALLOC_NEXT_H
#define PROFLAB_SHIM_MALLOC_NEXT_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>

/* Not exported, so reached without a detour through the GOT or a PLT. */
#pragma GCC visibility push(hidden)

/*
 * What each of our functions hands on to.  The four in front are the hot ones:
 * they point at once to the allocator, with nothing asked in between.  Before
 * the first call they point to functions that find the allocator; after a
 * change of the rate among threads, to functions that ask sample_is_stale.
 * Relaxed: any of their values is right at any time.
 */
struct malloc_hot {
	void *(*malloc)(size_t size);
	void (*free)(void *p);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t size);
};
extern struct malloc_hot malloc_hot;

/* All that the allocator below offers.  Optional ones may be NULL. */
struct malloc_next {
	void *(*malloc)(size_t size);
	void (*free)(void *p);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	int (*posix_memalign)(void **ret, size_t alignment, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
	size_t (*malloc_usable_size)(void *p);
	/* jemalloc's, optional. */
	void *(*rallocx)(void *p, size_t size, int flags);
	void (*dallocx)(void *p, int flags);
	void (*sdallocx)(void *p, size_t size, int flags);
};

/* Found by the first call of anything.  Signal: safe once found. */
const struct malloc_next *malloc_next(void);

/*
 * Is it from the pool?  Its blocks begin at pages that are pinned (live.h), so
 * only candidates need be asked about.
 */
bool malloc_pool_has(const void *p);
size_t malloc_pool_usable(const void *p);

/*
 * Is a program's own operator new or delete in force, rather than ours?
 * Written once, when the allocator is found.
 */
extern bool malloc_new_replaced;
/* Are these two ours?  NULL is: nobody's is in force.  (new.c) */
bool malloc_new_is_ours(const void *op_new, const void *op_delete);

#pragma GCC visibility pop

#endif
