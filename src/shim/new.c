/*
 * new.c - C++'s operator new and delete, under their mangled names.
 *
 * libstdc++'s would reach our malloc by themselves, but jemalloc and tcmalloc
 * bring their own, which do not.  All of ours stand on malloc and free.  When
 * there is no memory the next definition is asked, which knows about
 * new_handler and throws.
 *
 * A program may replace the two basic forms; the standard's other forms then
 * go through its own.  Where that has happened, ours step aside for the next
 * definition, libstdc++'s, which does that.
 */
#include "base/attr.h"
#include "pprof/live.h"
#include "pprof/sample.h"
#include "shim/malloc_next.h"
#include "shim/malloc_slow.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define CALLER	  ((uintptr_t)__builtin_return_address(0))
#define HOT(name) __atomic_load_n(&malloc_hot.name, __ATOMIC_RELAXED)

/*
 * In a program (not in the preload library) these are weak: its own operator
 * new is no clash.
 */
#define OPERATOR __attribute__((weak))

/* The next definition of a form; found once. */
#define NEXT(type, name)                                                       \
	({                                                                     \
		static type cached;                                            \
		type got = __atomic_load_n(&cached, __ATOMIC_RELAXED);         \
		if (!got) {                                                    \
			got = (type)dlsym(RTLD_NEXT, name);                    \
			__atomic_store_n(&cached, got, __ATOMIC_RELAXED);      \
		}                                                              \
		got;                                                           \
	})

typedef void *new_fn(size_t);
typedef void *new_nothrow_fn(size_t, const void *);
typedef void *new_aligned_fn(size_t, size_t);
typedef void *new_aligned_nothrow_fn(size_t, size_t, const void *);
typedef void delete_fn(void *);
typedef void delete_size_fn(void *, size_t);
typedef void delete_nothrow_fn(void *, const void *);
typedef void delete_size_aligned_fn(void *, size_t, size_t);
typedef void delete_aligned_nothrow_fn(void *, size_t, const void *);

new_fn _Znwm, _Znam;
new_nothrow_fn _ZnwmRKSt9nothrow_t, _ZnamRKSt9nothrow_t;
new_aligned_fn _ZnwmSt11align_val_t, _ZnamSt11align_val_t;
new_aligned_nothrow_fn _ZnwmSt11align_val_tRKSt9nothrow_t,
	_ZnamSt11align_val_tRKSt9nothrow_t;
delete_fn _ZdlPv, _ZdaPv;
delete_size_fn _ZdlPvm, _ZdaPvm;
delete_nothrow_fn _ZdlPvRKSt9nothrow_t, _ZdaPvRKSt9nothrow_t;
delete_size_fn _ZdlPvSt11align_val_t, _ZdaPvSt11align_val_t;
delete_size_aligned_fn _ZdlPvmSt11align_val_t, _ZdaPvmSt11align_val_t;
delete_aligned_nothrow_fn _ZdlPvSt11align_val_tRKSt9nothrow_t,
	_ZdaPvSt11align_val_tRKSt9nothrow_t;

HOT_INLINE void *allocate(size_t size, uintptr_t caller)
{
	if (sample_countdown(size))
		return malloc_slow(size, caller);
	return HOT(malloc)(size);
}

HOT_INLINE void *allocate_aligned(size_t size, size_t alignment,
				  uintptr_t caller)
{
	/* posix_memalign has a least alignment, operator new has none. */
	if (alignment < sizeof(void *))
		alignment = sizeof(void *);
	void *p = NULL;
	if (sample_countdown(size) || sample_is_stale()) {
		if (posix_memalign_slow(&p, alignment, size, caller) != 0)
			return NULL;
		return p;
	}
	return malloc_next()->posix_memalign(&p, alignment, size) == 0 ? p
								       : NULL;
}

HOT_INLINE void release(void *p)
{
	if (live_is_candidate(p))
		free_slow(p);
	else
		HOT(free)(p);
}

/*
 * A form that allocates: name, its parameters, its arguments, what to try
 * first.  Without memory, or where the program has its own, the next one.
 */
#define DEFINE_NEW(name, type, params, args, try)                              \
	static COLD void *next_##name params                                   \
	{                                                                      \
		return NEXT(type *, #name) args;                               \
	}                                                                      \
	OPERATOR void *name params                                             \
	{                                                                      \
		void *p = NULL;                                                \
		if (LIKELY(!malloc_new_replaced))                              \
			p = try;                                               \
		return LIKELY(p != NULL) ? p : next_##name args;               \
	}

#define DEFINE_DELETE(name, type, params, args)                                \
	static COLD void next_##name params                                    \
	{                                                                      \
		NEXT(type *, #name) args;                                      \
	}                                                                      \
	OPERATOR void name params                                              \
	{                                                                      \
		if (LIKELY(!malloc_new_replaced))                              \
			release(p);                                            \
		else                                                           \
			next_##name args;                                      \
	}

/* The basic forms run only where they are in force. */
static COLD void *next__Znwm(size_t size)
{
	return NEXT(new_fn *, "_Znwm")(size);
}

OPERATOR void *_Znwm(size_t size)
{
	void *p = allocate(size, CALLER);
	return LIKELY(p != NULL) ? p : next__Znwm(size);
}

OPERATOR void _ZdlPv(void *p)
{
	release(p);
}

DEFINE_NEW(_Znam, new_fn, (size_t size), (size), allocate(size, CALLER))
DEFINE_NEW(_ZnwmRKSt9nothrow_t, new_nothrow_fn,
	   (size_t size, const void *nothrow), (size, nothrow),
	   allocate(size, CALLER))
DEFINE_NEW(_ZnamRKSt9nothrow_t, new_nothrow_fn,
	   (size_t size, const void *nothrow), (size, nothrow),
	   allocate(size, CALLER))
DEFINE_NEW(_ZnwmSt11align_val_t, new_aligned_fn,
	   (size_t size, size_t alignment), (size, alignment),
	   allocate_aligned(size, alignment, CALLER))
DEFINE_NEW(_ZnamSt11align_val_t, new_aligned_fn,
	   (size_t size, size_t alignment), (size, alignment),
	   allocate_aligned(size, alignment, CALLER))
DEFINE_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, new_aligned_nothrow_fn,
	   (size_t size, size_t alignment, const void *nothrow),
	   (size, alignment, nothrow),
	   allocate_aligned(size, alignment, CALLER))
DEFINE_NEW(_ZnamSt11align_val_tRKSt9nothrow_t, new_aligned_nothrow_fn,
	   (size_t size, size_t alignment, const void *nothrow),
	   (size, alignment, nothrow),
	   allocate_aligned(size, alignment, CALLER))

DEFINE_DELETE(_ZdaPv, delete_fn, (void *p), (p))
DEFINE_DELETE(_ZdlPvm, delete_size_fn, (void *p, size_t size), (p, size))
DEFINE_DELETE(_ZdaPvm, delete_size_fn, (void *p, size_t size), (p, size))
DEFINE_DELETE(_ZdlPvRKSt9nothrow_t, delete_nothrow_fn,
	      (void *p, const void *nothrow), (p, nothrow))
DEFINE_DELETE(_ZdaPvRKSt9nothrow_t, delete_nothrow_fn,
	      (void *p, const void *nothrow), (p, nothrow))
DEFINE_DELETE(_ZdlPvSt11align_val_t, delete_size_fn,
	      (void *p, size_t alignment), (p, alignment))
DEFINE_DELETE(_ZdaPvSt11align_val_t, delete_size_fn,
	      (void *p, size_t alignment), (p, alignment))
DEFINE_DELETE(_ZdlPvmSt11align_val_t, delete_size_aligned_fn,
	      (void *p, size_t size, size_t alignment), (p, size, alignment))
DEFINE_DELETE(_ZdaPvmSt11align_val_t, delete_size_aligned_fn,
	      (void *p, size_t size, size_t alignment), (p, size, alignment))
DEFINE_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, delete_aligned_nothrow_fn,
	      (void *p, size_t alignment, const void *nothrow),
	      (p, alignment, nothrow))
DEFINE_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, delete_aligned_nothrow_fn,
	      (void *p, size_t alignment, const void *nothrow),
	      (p, alignment, nothrow))

/* Our own, whatever the names above are bound to. */
static void *own_new(size_t) __attribute__((alias("_Znwm")));
static void own_delete(void *) __attribute__((alias("_ZdlPv")));

bool malloc_new_is_ours(const void *op_new, const void *op_delete)
{
	return (!op_new || op_new == (const void *)own_new) &&
	       (!op_delete || op_delete == (const void *)own_delete);
}
