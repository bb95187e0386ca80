/*
 * unwind_libunwind.c - libunwind's fast trace, for products that link it.
 */
#include "pprof/unwind_fast.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

static int backtrace_fast(void **pcs, int max)
{
	return unw_backtrace(pcs, max);
}

const struct unwind_fast unwind_fast = { .backtrace = backtrace_fast };
