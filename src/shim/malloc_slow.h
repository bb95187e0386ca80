/*
 * malloc_slow.h - what lies off the malloc shim's hot path: blocks that are
 * sampled, and candidates that end.
 */
#ifndef PROFLAB_SHIM_MALLOC_SLOW_H
#define PROFLAB_SHIM_MALLOC_SLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not exported, so reached without a detour through the GOT or a PLT. */
#pragma GCC visibility push(hidden)

/*
 * Each decides again whether to sample, and serves the request in any case;
 * caller is where the program's own stack begins.
 */
void *malloc_slow(size_t size, uintptr_t caller);
void *calloc_slow(size_t n, size_t size, uintptr_t caller);
/* aligned is the allocator's function of that kind. */
void *memalign_slow(void *(*aligned)(size_t, size_t), size_t alignment,
		    size_t size, uintptr_t caller);
int posix_memalign_slow(void **ret, size_t alignment, size_t size,
			uintptr_t caller);
/* due: the countdown said so; otherwise p is a candidate. */
void *realloc_slow(void *p, size_t size, bool due, uintptr_t caller);
/* p is a candidate. */
void free_slow(void *p);

/* In malloc_hot once the rate has changed among threads. */
void *malloc_checked(size_t size);
void *calloc_checked(size_t n, size_t size);
void *realloc_checked(void *p, size_t size);

#pragma GCC visibility pop

#endif
