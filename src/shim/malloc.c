/*
 * malloc.c - the allocator's names, defined again: each counts the bytes down,
 * and hands on to the allocator below.
 *
 * malloc: one subtraction in TLS and a branch; free: one load by the block's
 * page and a branch.  Then a jump through malloc_hot.  Everything else is in
 * malloc_slow.c, and called last, so that no function here has a frame.
 */
#include "base/attr.h"
#include "pprof/heap.h"
#include "pprof/live.h"
#include "pprof/sample.h"
#include "shim/malloc_next.h"
#include "shim/malloc_slow.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define CALLER	  ((uintptr_t)__builtin_return_address(0))
#define HOT(name) __atomic_load_n(&malloc_hot.name, __ATOMIC_RELAXED)

/* Names that glibc's headers do not declare, or not always. */
void cfree(void *p);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);
void dallocx(void *p, int flags);
void sdallocx(void *p, size_t size, int flags);
void *rallocx(void *p, size_t size, int flags);

void *malloc(size_t size)
{
	if (sample_countdown(size))
		return malloc_slow(size, CALLER);
	return HOT(malloc)(size);
}

void free(void *p)
{
	if (live_is_candidate(p))
		free_slow(p);
	else
		HOT(free)(p);
}

void *calloc(size_t n, size_t size)
{
	size_t len;
	/* What overflows is no size: the allocator refuses it. */
	if (__builtin_mul_overflow(n, size, &len) || sample_countdown(len))
		return calloc_slow(n, size, CALLER);
	return HOT(calloc)(n, size);
}

HOT_INLINE void *realloc_inline(void *p, size_t size, uintptr_t caller)
{
	const bool due = sample_countdown(size);
	if (due || live_is_candidate(p))
		return realloc_slow(p, size, due, caller);
	return HOT(realloc)(p, size);
}

void *realloc(void *p, size_t size)
{
	return realloc_inline(p, size, CALLER);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t len;
	if (__builtin_mul_overflow(n, size, &len)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc_inline(p, len, CALLER);
}

/* ---- with an alignment --------------------------------------------------- */

/* Rare enough to ask about a changed rate every time. */
#define SAMPLED(size) (sample_countdown(size) || sample_is_stale())

void *memalign(size_t alignment, size_t size)
{
	const struct malloc_next *next = malloc_next();
	if (SAMPLED(size))
		return memalign_slow(next->memalign, alignment, size, CALLER);
	return next->memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	const struct malloc_next *next = malloc_next();
	if (SAMPLED(size))
		return memalign_slow(next->aligned_alloc, alignment, size,
				     CALLER);
	return next->aligned_alloc(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	if (SAMPLED(size))
		return posix_memalign_slow(ret, alignment, size, CALLER);
	return malloc_next()->posix_memalign(ret, alignment, size);
}

static void *valloc_as_memalign(size_t alignment, size_t size)
{
	(void)alignment;
	return malloc_next()->valloc(size);
}

static void *pvalloc_as_memalign(size_t alignment, size_t size)
{
	(void)alignment;
	return malloc_next()->pvalloc(size);
}

void *valloc(size_t size)
{
	if (SAMPLED(size))
		return memalign_slow(valloc_as_memalign, 0, size, CALLER);
	return malloc_next()->valloc(size);
}

void *pvalloc(size_t size)
{
	if (SAMPLED(size))
		return memalign_slow(pvalloc_as_memalign, 0, size, CALLER);
	return malloc_next()->pvalloc(size);
}

/* ---- other ways to ask, and to end --------------------------------------- */

size_t malloc_usable_size(void *p)
{
	if (live_is_candidate(p) && malloc_pool_has(p))
		return malloc_pool_usable(p);
	return malloc_next()->malloc_usable_size(p);
}

void cfree(void *p)
{
	free(p);
}

void free_sized(void *p, size_t size)
{
	(void)size;
	free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	free(p);
}

/*
 * jemalloc's own: their blocks are not sampled, but malloc's may end or be
 * resized here.  Where the allocator below is another, they are as free and
 * realloc to whoever found them.
 */
void dallocx(void *p, int flags)
{
	const struct malloc_next *next = malloc_next();
	if (live_is_candidate(p))
		heap_forget(p);
	if (next->dallocx)
		next->dallocx(p, flags);
	else
		next->free(p);
}

void sdallocx(void *p, size_t size, int flags)
{
	const struct malloc_next *next = malloc_next();
	if (live_is_candidate(p))
		heap_forget(p);
	if (next->sdallocx)
		next->sdallocx(p, size, flags);
	else
		next->free(p);
}

void *rallocx(void *p, size_t size, int flags)
{
	const struct malloc_next *next = malloc_next();
	if (!next->rallocx)
		return realloc_inline(p, size, CALLER);
	const struct heap_taken taken =
		live_is_candidate(p) ? heap_take(p) : HEAP_NOT_TAKEN;
	void *q = next->rallocx(p, size, flags);
	if (taken.found && q)
		heap_count_free(&taken);
	else if (taken.found)
		heap_put_back(p, &taken);
	return q;
}

/* ---- after a change of the rate ------------------------------------------ */

void *malloc_checked(size_t size)
{
	if (sample_is_stale())
		return malloc_slow(size, CALLER);
	return malloc_next()->malloc(size);
}

void *calloc_checked(size_t n, size_t size)
{
	if (sample_is_stale())
		return calloc_slow(n, size, CALLER);
	return malloc_next()->calloc(n, size);
}

void *realloc_checked(void *p, size_t size)
{
	if (sample_is_stale())
		return realloc_slow(p, size, true, CALLER);
	return malloc_next()->realloc(p, size);
}
