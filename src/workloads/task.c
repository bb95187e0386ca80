/* task.c - see task.h. */
#include "workloads/task.h"

#include "base/attr.h"
#include "base/map.h"
#include "workloads/pause.h"

enum { WAIT_STEP_NS = 100 * 1000, COMPUTE_ROUNDS = 5000 };

ON_STACK void wait_for_task_input(int64_t task)
{
	const int64_t steps = task * 7 % 10;
	if (steps)
		pause_ns(steps * WAIT_STEP_NS);
}

ON_STACK uint64_t compute_task(int64_t task)
{
	uint64_t outcome = (uint64_t)task;
	for (int i = 0; i < COMPUTE_ROUNDS; i++)
		outcome = map_mix(outcome + 1);
	return outcome;
}
