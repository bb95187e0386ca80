/*
 * memstats.h - the process's memory in figures, as Go's runtime.MemStats
 * stands at the end of a heap profile's text.
 */
#ifndef PROFLAB_PPROF_MEMSTATS_H
#define PROFLAB_PPROF_MEMSTATS_H

#include "base/sink.h"

/*
 * "\n# runtime.MemStats\n# Alloc = ...": Go's names where C has the thing.
 *
 * Alloc, TotalAlloc, Mallocs, Frees and HeapObjects are estimates from the
 * samples (their error is about sqrt(rate / bytes)); an exact count would cost
 * every malloc a shared counter.  Heap* are what glibc's allocator says of
 * itself, 0 where another allocator serves.  The rest is the kernel's.
 * Blocks: reads /proc, and locks glibc's arenas one after another.
 */
int memstats_write(const struct sink *sink);

#endif
