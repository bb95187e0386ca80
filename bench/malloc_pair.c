/*
 * malloc_pair.c - nanoseconds of one malloc and free pair of SIZE bytes, for
 * malloc.sh, which preloads allocators and the profiler below it.
 *
 *	malloc_pair SIZE [PAIRS]
 *
 * CPU time of the thread, so that it does not matter who else runs; the median
 * of 9 passes.  (Not the least: that would be the one with the fewest samples.)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { PASSES = 9 };

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	const long pairs = argc > 2 ? strtol(argv[2], NULL, 10) : 1000000;
	double ns[PASSES];
	for (int pass = -1; pass < PASSES; pass++) {
		const double start = now_ns();
		for (long i = 0; i < pairs; i++) {
			void *p = malloc(size);
			__asm__ __volatile__("" : "+r"(p) : : "memory");
			free(p);
		}
		/* The first warms up. */
		if (pass >= 0)
			ns[pass] = (now_ns() - start) / (double)pairs;
	}
	qsort(ns, PASSES, sizeof(ns[0]), by_size);
	printf("%.3f\n", ns[PASSES / 2]);
	return 0;
}
