/*
 * alloc_count.h - how often, and for how much, the code under test asks for
 * memory; and what it does when it is refused.
 *
 * For programs linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,
 * --wrap=free (and aligned_alloc): counts the calls that their own objects
 * make, not those inside shared libraries.  Include it in one file.
 */
#ifndef PROFLAB_TESTS_ALLOC_COUNT_H
#define PROFLAB_TESTS_ALLOC_COUNT_H

#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static _Atomic int64_t alloc_calls;
static _Atomic int64_t alloc_bytes;
static _Atomic int64_t alloc_live;   /* blocks */
static _Atomic int64_t alloc_usable; /* bytes in them, as malloc rounds */
/* The call that will fail, counted down from here; 0: none. */
static _Atomic int64_t alloc_fail_in;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *p);

static int alloc_refused(void)
{
	return alloc_fail_in > 0 && --alloc_fail_in == 0;
}

static void *alloc_counted(void *p, size_t size)
{
	if (p) {
		alloc_calls++;
		alloc_bytes += (int64_t)size;
		alloc_live++;
		alloc_usable += (int64_t)malloc_usable_size(p);
	}
	return p;
}

void *__wrap_malloc(size_t size)
{
	return alloc_refused() ? NULL
			       : alloc_counted(__real_malloc(size), size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return alloc_refused()
		       ? NULL
		       : alloc_counted(__real_calloc(n, size), n * size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return alloc_refused()
		       ? NULL
		       : alloc_counted(__real_aligned_alloc(alignment, size),
				       size);
}

void *__wrap_realloc(void *p, size_t size)
{
	if (alloc_refused())
		return NULL;
	const int64_t before = p ? (int64_t)malloc_usable_size(p) : 0;
	void *q = __real_realloc(p, size);
	if (q && p) {
		alloc_live--;
		alloc_usable -= before;
	}
	return alloc_counted(q, size);
}

void __wrap_free(void *p)
{
	if (p) {
		alloc_live--;
		alloc_usable -= (int64_t)malloc_usable_size(p);
	}
	__real_free(p);
}

#endif
