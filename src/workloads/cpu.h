/*
 * cpu.h - the workload of /cpu: a sum of squared sines, from the sine's series.
 *
 * src/workloads/cpu.c is the variant that the exercise gives the learner;
 * solutions/cpu.c is its fixed twin.  Both define what is declared here, and
 * the build decides which of them a server gets (--with-fixed).
 *
 * The answer is the sum, over i = 0 .. iterations-1, of the square of the sine
 * of i half degrees, folded into a quarter turn either way.  Two variants may
 * add in a different order, so they agree to 1e-9 of the value, not to the
 * last bit.
 */
#ifndef PROFLAB_WORKLOADS_CPU_H
#define PROFLAB_WORKLOADS_CPU_H

#include <stdint.h>

/* What the route takes when not told, and the most that it accepts. */
enum {
	CPU_ITERATIONS_DEFAULT = 1000000,
	CPU_ITERATIONS_MAX = 100000000,
};

/*
 * iterations below 1 give 0.  Never fails, allocates nothing, never waits.
 *
 * Thread: any number at once; there is no shared state.
 * Returns: the sum.
 */
double perform_cpu_intensive_task(int64_t iterations);

#endif
