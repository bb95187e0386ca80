/*
 * unwind_gcc.h - the walk by libgcc's unwinder, private to unwind*.c.
 */
#ifndef PROFLAB_PPROF_UNWIND_GCC_H
#define PROFLAB_PPROF_UNWIND_GCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Walk outward from the caller.  Frames up to and including the first whose
 * pc is `start` are left out, then skip more; with keep_start, that first one
 * is kept.  Returns: how many were stored; *ret_more says that there were
 * more.  0 when `start` was not met.  Signal: safe after unwind_init.
 */
size_t unwind_gcc_walk(uintptr_t start, bool keep_start, size_t skip,
		       uintptr_t *pcs, size_t max, bool *ret_more);

/* The address of the unwinder that is really called, for the test that it is
 * the static one. */
uintptr_t unwind_gcc_address(void);

#endif
