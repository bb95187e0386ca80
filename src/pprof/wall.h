/*
 * wall.h - the profile "wall": where all threads are, running or not, over
 * time.
 */
#ifndef PROFLAB_PPROF_WALL_H
#define PROFLAB_PPROF_WALL_H

#include "pprof/source.h"

enum { WALL_HZ_DEFAULT = 50, WALL_HZ_MAX = 1000 };

extern const struct source wall_source;

#endif
