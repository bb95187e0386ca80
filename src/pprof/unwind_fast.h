/*
 * unwind_fast.h - the table through which unwind.c reaches libunwind, or
 * finds that it was left out.  unwind_libunwind.c and unwind_none.c each
 * define unwind_fast; a product links one of them.
 */
#ifndef PROFLAB_PPROF_UNWIND_FAST_H
#define PROFLAB_PPROF_UNWIND_FAST_H

#include <stddef.h>

struct unwind_fast {
	/*
	 * The calling thread's return addresses, from the function that calls
	 * this outward, the signal frame passed through.  Not re-entrant.
	 * Signal: safe in a warmed thread.
	 * NULL: there is no such engine in this product.
	 */
	int (*backtrace)(void **pcs, int max);
};

extern const struct unwind_fast unwind_fast;

#endif
