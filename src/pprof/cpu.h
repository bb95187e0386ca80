/*
 * cpu.h - the CPU profile as a source (source.h): "profile", timed, its
 * windows sharing one sampler.
 */
#ifndef PROFLAB_PPROF_CPU_H
#define PROFLAB_PPROF_CPU_H

#include "pprof/source.h"

enum {
	CPU_HZ_DEFAULT = 100,
	CPU_HZ_MAX = 10000,
};

extern const struct source cpu_source;

/* In a forked child: no capture runs, whatever the parent was at. */
void cpu_forked(void);

#endif
