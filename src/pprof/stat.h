/*
 * stat.h - counters about the profiler itself, for pprof_stat_at and the
 * /metrics page: each part that has some registers a function.
 */
#ifndef PROFLAB_PPROF_STAT_H
#define PROFLAB_PPROF_STAT_H

#include "pprof/pprof.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The i-th of this part's counters; false past its last. */
typedef bool stat_fn(size_t i, struct pprof_stat *ret_stat);

/* At start, from a constructor.  Returns: 0, ERR_LIMIT (32 parts). */
int stat_register(stat_fn *fn);

/* CPU time that writing profiles took.  Relaxed. */
void stat_add_cpu_ns(int64_t ns);

#endif
