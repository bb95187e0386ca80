/*
 * memory_stats.h - the process's memory and threads, under the names that Go
 * gives them in runtime.MemStats.
 */
#ifndef PROFLAB_SERVER_MEMORY_STATS_H
#define PROFLAB_SERVER_MEMORY_STATS_H

#include <jansson.h>
#include <stdint.h>

struct memory_stats {
	uint64_t alloc_bytes;	    /* in use now */
	uint64_t total_alloc_bytes; /* ever allocated; an estimate */
	uint64_t sys_bytes;	    /* the allocator's, from the system */
	uint64_t heap_objects;	    /* in use now; an estimate */
	uint64_t num_gc;	    /* forced trims: there is no collector */
	uint64_t gc_pause_ns;	    /* what the last of them took */
	uint64_t threads;
};

void memory_stats_read(struct memory_stats *ret_stats);

/*
 * {alloc_mb, total_alloc_mb, sys_mb, num_gc, gc_pause_ns, heap_objects,
 * goroutines, threads}.  Owns: the caller.  Returns: NULL without memory.
 */
json_t *memory_stats_json(void);

/* Threads of the process now. */
uint64_t memory_stats_threads(void);

#endif
