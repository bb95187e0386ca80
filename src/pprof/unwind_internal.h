/*
 * unwind_internal.h - what the files of the unwinder share among themselves.
 */
#ifndef PROFLAB_PPROF_UNWIND_INTERNAL_H
#define PROFLAB_PPROF_UNWIND_INTERNAL_H

#include <stdbool.h>

/* Has an object gone since the first snapshot?  Signal: safe. */
bool unwind_phdr_unloaded(void);

#endif
