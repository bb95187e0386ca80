/*
 * primes.c - a CPU profile around a computation, and a label for each of its
 * two halves.
 *
 *	cc -g -O2 -fno-omit-frame-pointer primes.c $(pkg-config --cflags --libs pprof) -o primes
 *	./primes 3000000 cpu.pb.gz
 */
#include <pprof.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* noinline, so that the profile has the names that the source has. */
#define NAMED __attribute__((noinline))

struct work {
	long limit;
	long found;
};

NAMED static bool is_prime(long n)
{
	for (long d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n > 1;
}

/* The obvious way: every number is divided by every smaller one. */
NAMED static void count_by_division(void *arg)
{
	struct work *w = arg;
	w->found = 0;
	for (long n = 2; n < w->limit; n++)
		w->found += is_prime(n);
}

/* Eratosthenes' way: strike out multiples. */
NAMED static void count_by_sieve(void *arg)
{
	struct work *w = arg;
	char *struck = calloc((size_t)w->limit, 1);
	w->found = 0;
	for (long n = 2; struck && n < w->limit; n++) {
		if (struck[n])
			continue;
		w->found++;
		for (long m = n * n; m < w->limit; m += n)
			struck[m] = 1;
	}
	free(struck);
}

static void count_labelled(const char *way, void (*count)(void *),
			   struct work *w)
{
	const struct pprof_label labels[] = { { "way", way } };
	pprof_do(labels, 1, count, w);
	printf("%s: %ld primes below %ld\n", way, w->found, w->limit);
}

int main(int argc, char **argv)
{
	struct work w = { .limit = argc > 1 ? strtol(argv[1], NULL, 10)
					    : 3000000 };
	const char *path = argc > 2 ? argv[2] : "cpu.pb.gz";
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	int rc = pprof_start_cpu_profile(fd);
	if (rc) {
		fprintf(stderr, "no profile: %s\n", pprof_strerror(rc));
		return 1;
	}
	count_labelled("division", count_by_division, &w);
	count_labelled("sieve", count_by_sieve, &w);
	/* Here the profile is written: before it fd must not be closed. */
	rc = pprof_stop_cpu_profile();
	if (rc || close(fd)) {
		fprintf(stderr, "%s: %s\n", path, pprof_strerror(rc));
		return 1;
	}
	return 0;
}
