/*
 * inefficient.h - the workload of /inefficient: three small jobs that look
 * innocent in the source and do not in an allocation profile.
 *
 * src/workloads/inefficient.c is the variant that the exercise gives the
 * learner; solutions/inefficient.c is its fixed twin (--with-fixed).
 *
 *   a string   of the 1,000 pieces "item_0_" ... "item_999_"
 *   a slice    of the numbers 0 .. 9,999
 *   a map      from 1,000 keys to a map each, which holds one short text
 *
 * A request says where they start: at 7, the string begins with "item_7_" and
 * ends with "item_6_", the slice is 7 .. 9,999, 0 .. 6, and key_0 has value_7.
 * It is as much work from each start, and another answer: one that was made
 * before will not do.
 *
 * All three are dropped when the request ends.
 */
#ifndef PROFLAB_WORKLOADS_INEFFICIENT_H
#define PROFLAB_WORKLOADS_INEFFICIENT_H

#include <stddef.h>
#include <stdint.h>

enum {
	INEFFICIENT_PIECES = 1000,
	INEFFICIENT_NUMBERS = 10000,
	INEFFICIENT_MAPS = 1000,
	INEFFICIENT_START_MAX = INEFFICIENT_NUMBERS - 1,
};

struct inefficient_result {
	size_t string_length; /* 8,890 */
	size_t slice_length;  /* INEFFICIENT_NUMBERS */
	size_t map_size;      /* INEFFICIENT_MAPS */
	uint64_t digest;      /* over all three: twins must agree */
};

/*
 * start must be in [0, INEFFICIENT_START_MAX].
 *
 * Thread: any number at once; there is no shared state.
 * Returns: 0, ERR_INVALID, ERR_NOMEM (everything was let go of again).
 */
int perform_inefficient_operations(int64_t start,
				   struct inefficient_result *ret_result);

#endif
