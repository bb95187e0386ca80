/*
 * unwind.c - nanoseconds to take a stack, by engine and depth, warm; and by
 * libgcc, which finds everything out anew each time.
 *
 * The least of 9 passes: what disturbs a pass only makes it longer.
 */
#include "base/attr.h"
#include "base/clock.h"
#include "pprof/unwind.h"
#include "pprof/unwind_rules.h"

#include <stdio.h>

static const enum unwind_engine engines[] = { UNWIND_LIBGCC, UNWIND_RULES };
static double result[2];
static size_t depth;

ON_STACK static void measure(void)
{
	enum { PASSES = 9, ROUNDS = 2000 };
	uintptr_t pcs[UNWIND_DEPTH_MAX];
	for (size_t e = 0; e < ARRAY_SIZE(engines); e++) {
		double best = 1e18;
		for (int pass = 0; pass < PASSES; pass++) {
			const int64_t start = clock_monotonic_ns();
			for (int i = 0; i < ROUNDS; i++)
				depth = unwind_from_here(engines[e], 0, pcs,
							 UNWIND_DEPTH_MAX)
						.depth;
			const double ns =
				(double)(clock_monotonic_ns() - start) / ROUNDS;
			best = ns < best ? ns : best;
		}
		result[e] = best;
	}
}

ON_STACK static void recurse(int n)
{
	if (n > 0)
		recurse(n - 1);
	else
		measure();
	__asm__ __volatile__("");
}

int main(void)
{
	static const int depths[] = { 0, 10, 43, 100 };
	unwind_init();
	unwind_rules_enable();
	printf("%8s %12s %12s\n", "frames", "libgcc ns", "rules ns");
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		recurse(depths[i]);
		printf("%8zu %12.0f %12.0f\n", depth, result[0], result[1]);
	}
	return 0;
}
