/*
 * malloc_pair.c - nanoseconds of one malloc and free pair of SIZE bytes, for
 * malloc.sh, which preloads allocators and the profiler below it.
 *
 *	malloc_pair SIZE [PAIRS]
 *
 * The least of 9 passes: what disturbs a pass only makes it longer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	const size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	const long pairs = argc > 2 ? strtol(argv[2], NULL, 10) : 1000000;
	double best = 1e9;
	for (int pass = 0; pass < 10; pass++) {
		const double start = now_ns();
		for (long i = 0; i < pairs; i++) {
			void *p = malloc(size);
			__asm__ __volatile__("" : "+r"(p) : : "memory");
			free(p);
		}
		const double ns = (now_ns() - start) / (double)pairs;
		/* The first warms up. */
		if (pass > 0 && ns < best)
			best = ns;
	}
	printf("%.3f\n", best);
	return 0;
}
