/*
 * real.h - the function that a shim stands in front of.
 */
#ifndef PROFLAB_SHIM_REAL_H
#define PROFLAB_SHIM_REAL_H

#include "base/attr.h"

/*
 * The next definition of name after ours.  Plain dlsym first: a sanitizer's
 * interceptor is found by that alone.  It may return a version that libc keeps
 * for old programs; when it does (obsolete, or NULL), the current one is taken.
 * Ends the process, with a message, when there is none: the program asked for
 * a function that does not exist.
 */
void *shim_real(const char *name, const char *obsolete, const char *current);

/* A pointer that is looked up once; losing the race costs a second look. */
#define SHIM_REAL(variable, type, name, obsolete, current)                     \
	static type *variable##_cached;                                        \
	static type *variable(void)                                            \
	{                                                                      \
		type *fn =                                                     \
			__atomic_load_n(&variable##_cached, __ATOMIC_RELAXED); \
		if (!fn) {                                                     \
			fn = (type *)shim_real(name, obsolete, current);       \
			__atomic_store_n(&variable##_cached, fn,               \
					 __ATOMIC_RELAXED);                    \
		}                                                              \
		return fn;                                                     \
	}                                                                      \
	_Static_assert(1, "")

/*
 * The same for int fn(argument *), where a nanosecond counts: to call it is to
 * load a pointer and jump.  At first that leads to a look-up.
 */
#define SHIM_REAL_HOT(variable, argument, name)                                \
	static int variable##_look_up(argument *);                             \
	static int (*variable##_fn)(argument *) = variable##_look_up;          \
	static COLD int variable##_look_up(argument *a)                        \
	{                                                                      \
		int (*fn)(argument *) =                                        \
			(int (*)(argument *))shim_real(name, NULL, NULL);      \
		__atomic_store_n(&variable##_fn, fn, __ATOMIC_RELAXED);        \
		return fn(a);                                                  \
	}                                                                      \
	HOT_INLINE int variable(argument *a)                                   \
	{                                                                      \
		return __atomic_load_n(&variable##_fn, __ATOMIC_RELAXED)(a);   \
	}                                                                      \
	_Static_assert(1, "")

#endif
