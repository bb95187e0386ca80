/*
 * malloc_slow.c - sampled blocks, and candidates that end.
 */
#include "shim/malloc_slow.h"

#include "base/attr.h"
#include "pprof/heap.h"
#include "pprof/sample.h"
#include "shim/malloc_next.h"

#include <stdbool.h>
#include <string.h>

void *malloc_slow(size_t size, uintptr_t caller)
{
	const int64_t rate = sample_due(size);
	void *p = malloc_next()->malloc(size);
	if (p && rate)
		heap_add(p, size, rate, caller);
	return p;
}

void *calloc_slow(size_t n, size_t size, uintptr_t caller)
{
	size_t len;
	int64_t rate = 0;
	if (!__builtin_mul_overflow(n, size, &len))
		rate = sample_due(len);
	void *p = malloc_next()->calloc(n, size);
	if (p && rate)
		heap_add(p, len, rate, caller);
	return p;
}

void *memalign_slow(void *(*aligned)(size_t, size_t), size_t alignment,
		    size_t size, uintptr_t caller)
{
	const int64_t rate = sample_due(size);
	void *p = aligned(alignment, size);
	if (p && rate)
		heap_add(p, size, rate, caller);
	return p;
}

int posix_memalign_slow(void **ret, size_t alignment, size_t size,
			uintptr_t caller)
{
	const int64_t rate = sample_due(size);
	const int rc = malloc_next()->posix_memalign(ret, alignment, size);
	if (rc == 0 && *ret && rate)
		heap_add(*ret, size, rate, caller);
	return rc;
}

static void *realloc_pool(const struct malloc_next *next, void *p, size_t size)
{
	void *q = next->malloc(size);
	const size_t old = malloc_pool_usable(p);
	if (q)
		memcpy(q, p, old < size ? old : size);
	return q;
}

/*
 * To the profile it is the end of one block and the beginning of another.  The
 * end is taken out of the table first: once the allocator has it, the address
 * may be another thread's.
 */
void *realloc_slow(void *p, size_t size, bool due, uintptr_t caller)
{
	const struct malloc_next *next = malloc_next();
	const int64_t rate = due ? sample_due(size) : 0;
	if (UNLIKELY(malloc_pool_has(p)))
		return realloc_pool(next, p, size);
	const struct heap_taken taken = p ? heap_take(p) : HEAP_NOT_TAKEN;
	void *q = next->realloc(p, size);
	if (!q && size) {
		if (taken.found)
			heap_put_back(p, &taken);
		return NULL;
	}
	if (taken.found)
		heap_count_free(&taken);
	if (q && rate)
		heap_add(q, size, rate, caller);
	return q;
}

void free_slow(void *p)
{
	if (!p || malloc_pool_has(p))
		return;
	heap_forget(p);
	malloc_next()->free(p);
}
