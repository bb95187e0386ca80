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

/*
 * jemalloc's own interface counts only where it is the same library's as
 * malloc: under another allocator, a jemalloc that was merely loaded must not
 * be asked.
 */
static void drop_foreign(struct malloc_next *n)
{
	Dl_info of_malloc, of_dallocx;
	if (n->rallocx && n->dallocx && n->sdallocx &&
	    dladdr((void *)n->malloc, &of_malloc) &&
	    dladdr((void *)n->dallocx, &of_dallocx) &&
	    of_malloc.dli_fbase == of_dallocx.dli_fbase)
		return;
	n->rallocx = NULL;
	n->dallocx = NULL;
	n->sdallocx = NULL;
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
