/*
 * malloc_next.c - finding the allocator below.
 *
 * dlsym may allocate (its error text, a loader's table).  Such calls come back
 * to us while we have nothing to hand on to; they are served from a small pool
 * of whole pages, which is never reused: a block given out in front of the
 * allocator may be freed at any time after.
 */
#include "shim/malloc_next.h"

#include "base/attr.h"
#include "pprof/guard.h"
#include "pprof/heap.h"
#include "pprof/hooks.h"
#include "pprof/sample.h"
#include "shim/malloc_slow.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POOL_PAGE = 4096, POOL_PAGES = 64 };

/* Untouched, it costs address space alone. */
static char pool[POOL_PAGES][POOL_PAGE] __attribute__((aligned(POOL_PAGE)));
static _Atomic size_t pool_used;

/* This thread is in dlsym. */
static _Thread_local bool finding TLS_INITIAL_EXEC;
static struct malloc_next next;
static _Atomic bool found; /* release: next is complete; acquire */
bool malloc_new_replaced;

static void *pool_take(size_t size)
{
	const size_t pages = size / POOL_PAGE + 1;
	const size_t at = atomic_fetch_add(&pool_used, pages);
	if (size > sizeof(pool) || at + pages > POOL_PAGES) {
		errno = ENOMEM;
		return NULL;
	}
	live_page_pin(pool[at]);
	return pool[at];
}

bool malloc_pool_has(const void *p)
{
	return (uintptr_t)p - (uintptr_t)pool < sizeof(pool);
}

size_t malloc_pool_usable(const void *p)
{
	/* Blocks of several pages are rare, and their length is not kept. */
	return POOL_PAGE - (uintptr_t)p % POOL_PAGE;
}

/* ---- while there is no allocator ----------------------------------------- */

static void *pool_memalign(size_t alignment, size_t size)
{
	if (alignment > POOL_PAGE) {
		errno = ENOMEM;
		return NULL;
	}
	return pool_take(size);
}

static int pool_posix_memalign(void **ret, size_t alignment, size_t size)
{
	const int saved = errno;
	void *p = pool_memalign(alignment, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

static void *pool_calloc(size_t n, size_t size)
{
	size_t len;
	if (__builtin_mul_overflow(n, size, &len))
		len = SIZE_MAX;
	return pool_take(len); /* zero, and never used twice */
}

static void *pool_realloc(void *p, size_t size)
{
	void *q = pool_take(size);
	/* All that there can be in the old block lies in the pool too. */
	if (q && p && malloc_pool_has(p)) {
		const size_t old = (size_t)((char *)q - (char *)p);
		memcpy(q, p, old < size ? old : size);
	}
	return q;
}

static void pool_free(void *p)
{
	(void)p;
}

static const struct malloc_next pool_next = {
	.malloc = pool_take,
	.free = pool_free,
	.calloc = pool_calloc,
	.realloc = pool_realloc,
	.memalign = pool_memalign,
	.aligned_alloc = pool_memalign,
	.posix_memalign = pool_posix_memalign,
	.valloc = pool_take,
	.pvalloc = pool_take,
	.malloc_usable_size = malloc_usable_size,
};

/* ---- finding ------------------------------------------------------------- */

struct wanted {
	const char *name;
	size_t offset;
};

#define WANTED(name)                                                           \
	{                                                                      \
#name, offsetof(struct malloc_next, name)                      \
	}
static const struct wanted wanted[] = {
	WANTED(malloc),		WANTED(free),
	WANTED(calloc),		WANTED(realloc),
	WANTED(memalign),	WANTED(aligned_alloc),
	WANTED(posix_memalign), WANTED(valloc),
	WANTED(pvalloc),	WANTED(malloc_usable_size),
	WANTED(sdallocx),	WANTED(rallocx),
	WANTED(dallocx),
};

/* By what the allocator does have: see drop_foreign. */
static void *next_valloc(size_t size)
{
	return next.memalign((size_t)getpagesize(), size);
}

static void *next_pvalloc(size_t size)
{
	const size_t page = (size_t)getpagesize();
	if (size > SIZE_MAX - page) {
		errno = ENOMEM;
		return NULL;
	}
	/* One page at least, as glibc's. */
	const size_t pages = size / page + (size % page != 0 || size == 0);
	return next.memalign(page, pages * page);
}

static bool same_object(void *a, void *b)
{
	Dl_info of_a, of_b;
	return a && b && dladdr(a, &of_a) && dladdr(b, &of_b) &&
	       of_a.dli_fbase == of_b.dli_fbase;
}

/*
 * What is not of the same library as malloc is another allocator's, and its
 * blocks would end in the wrong free: jemalloc has no pvalloc, so the next is
 * glibc's, and a program that calls it crashes without us.  jemalloc's own
 * interface counts only where it is malloc's: a jemalloc that was merely
 * loaded must not be asked.
 */
static void drop_foreign(struct malloc_next *n)
{
	void *malloc_at = (void *)n->malloc;
	if (!same_object((void *)n->rallocx, malloc_at) ||
	    !same_object((void *)n->dallocx, malloc_at) ||
	    !same_object((void *)n->sdallocx, malloc_at)) {
		n->rallocx = NULL;
		n->dallocx = NULL;
		n->sdallocx = NULL;
	}
	if (!same_object((void *)n->memalign, malloc_at))
		return;
	if (!same_object((void *)n->valloc, malloc_at))
		n->valloc = next_valloc;
	if (!same_object((void *)n->pvalloc, malloc_at))
		n->pvalloc = next_pvalloc;
}

/* A new thread of an old rate may be about: see sample.h. */
static void hot_set_checked(void)
{
	__atomic_store_n(&malloc_hot.malloc, malloc_checked, __ATOMIC_RELEASE);
	__atomic_store_n(&malloc_hot.calloc, calloc_checked, __ATOMIC_RELEASE);
	__atomic_store_n(&malloc_hot.realloc, realloc_checked,
			 __ATOMIC_RELEASE);
}

static COLD void find(void)
{
	const int saved = errno;
	struct malloc_next n = { 0 };
	finding = true;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		void *sym = dlsym(RTLD_NEXT, wanted[i].name);
		memcpy((char *)&n + wanted[i].offset, &sym, sizeof(sym));
	}
	drop_foreign(&n);
	malloc_new_replaced = !malloc_new_is_ours(
		dlsym(RTLD_DEFAULT, "_Znwm"), dlsym(RTLD_DEFAULT, "_ZdlPv"));
	/*
	 * What the program is told by dlerror must be its own.  A look-up that
	 * succeeds forgets the failures before it; dlerror would forget them
	 * too, but it translates the message first, under the lock of the
	 * locales, and the allocation that brought us here may be
	 * newlocale's, which holds that lock: the lock would be broken, and
	 * the process hang in freelocale at its end.
	 */
	dlsym(RTLD_NEXT, "malloc");
	finding = false;
	if (!n.malloc || !n.free || !n.calloc || !n.realloc)
		abort(); /* there is no allocator: nothing can work */
	next = n;
	atomic_store_explicit(&found, true, memory_order_release);

	hooks_announce(HOOKS_MALLOC);
	guard_enter();
	if (sample_rate() > 0)
		heap_init();
	guard_leave();
	sample_set_on_change(hot_set_checked);
	__atomic_store_n(&malloc_hot.malloc, n.malloc, __ATOMIC_RELEASE);
	__atomic_store_n(&malloc_hot.free, n.free, __ATOMIC_RELEASE);
	__atomic_store_n(&malloc_hot.calloc, n.calloc, __ATOMIC_RELEASE);
	__atomic_store_n(&malloc_hot.realloc, n.realloc, __ATOMIC_RELEASE);
	errno = saved;
}

const struct malloc_next *malloc_next(void)
{
	if (LIKELY(atomic_load_explicit(&found, memory_order_acquire)))
		return &next;
	if (finding)
		return &pool_next;
	find();
	return &next;
}

/* ---- the first calls ----------------------------------------------------- */

static void *first_malloc(size_t size)
{
	return malloc_next()->malloc(size);
}

static void first_free(void *p)
{
	malloc_next()->free(p);
}

static void *first_calloc(size_t n, size_t size)
{
	return malloc_next()->calloc(n, size);
}

static void *first_realloc(void *p, size_t size)
{
	return malloc_next()->realloc(p, size);
}

struct malloc_hot malloc_hot = {
	first_malloc,
	first_free,
	first_calloc,
	first_realloc,
};
