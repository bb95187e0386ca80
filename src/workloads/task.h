/*
 * task.h - one task of /concurrent: the same in both variants, which differ in
 * what they do around it.
 */
#ifndef PROFLAB_WORKLOADS_TASK_H
#define PROFLAB_WORKLOADS_TASK_H

#include <stdint.h>

/*
 * Wait for something outside: 0 to 0.9 ms, by the number of the task, 0.45 ms
 * on average.
 * Blocks: that long.
 */
void wait_for_task_input(int64_t task);

/*
 * Some 10 to 20 microseconds of arithmetic.
 * Returns: the outcome, which depends on the number of the task alone.
 */
uint64_t compute_task(int64_t task);

#endif
