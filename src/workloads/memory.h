/*
 * memory.h - the workload of /memory: make `size` records, keep them all until
 * the answer is known, then let go of everything.
 *
 * src/workloads/memory.c is the variant that the exercise gives the learner;
 * solutions/memory.c is its fixed twin (--with-fixed).
 *
 * A record is a number, a ratio, a flag, and a text of 24 tags.  Records live
 * in memory of the request alone: nothing of them is left when it ends.  What
 * differs between the variants is how often, and how much, they ask malloc
 * for on the way.
 */
#ifndef PROFLAB_WORKLOADS_MEMORY_H
#define PROFLAB_WORKLOADS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum {
	MEMORY_SIZE_DEFAULT = 1000,
	MEMORY_SIZE_MAX = 100000,
};

struct memory_result {
	size_t allocated_objects; /* records made: the size asked for */
	uint64_t digest; /* over every byte of them: twins must agree */
};

/*
 * size must be in [0, MEMORY_SIZE_MAX].
 *
 * Thread: any number at once; there is no shared state.
 * Returns: 0, ERR_INVALID, ERR_NOMEM (everything was let go of again).
 */
int perform_memory_intensive_task(int64_t size,
				  struct memory_result *ret_result);

#endif
