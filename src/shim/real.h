/*
 * real.h - the function that a shim stands in front of.
 */
#ifndef PROFLAB_SHIM_REAL_H
#define PROFLAB_SHIM_REAL_H

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

#endif
