/*
 * symbol_lookup.c - addresses on standard input, frames on standard output:
 * what `addr2line -i -f -a` prints, from src/symbol, for comparison.
 *
 *	symbol_lookup [-t] FILE <addresses
 *
 * -t prints the cold cost instead: microseconds an address, the building of
 * the indexes included, and then the warm one.
 */
#include "base/clock.h"
#include "base/err.h"
#include "symbol/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 128, ADDRS_MAX = 1 << 20 };

static void print_frames(struct object *o, uint64_t addr)
{
	struct object_frame f[FRAMES_MAX];
	const size_t n = object_lookup(o, addr, f, FRAMES_MAX);
	printf("0x%" PRIx64 "\n", addr);
	for (size_t i = 0; i < n; i++)
		printf("%s\n%s:%d\n", f[i].system_name,
		       *f[i].file ? f[i].file : "??", f[i].line);
	if (!n)
		printf("??\n??:0\n");
}

static size_t read_addrs(uint64_t *addrs)
{
	char line[64];
	size_t n = 0;
	while (n < ADDRS_MAX && fgets(line, sizeof(line), stdin))
		addrs[n++] = strtoull(line, NULL, 16);
	return n;
}

static double pass(struct object *o, const uint64_t *addrs, size_t n)
{
	struct object_frame f[FRAMES_MAX];
	const int64_t start = clock_thread_cpu_ns();
	for (size_t i = 0; i < n; i++)
		object_lookup(o, addrs[i], f, FRAMES_MAX);
	return (double)(clock_thread_cpu_ns() - start) / 1e3 /
	       (double)(n ? n : 1);
}

int main(int argc, char **argv)
{
	const bool timing = argc == 3 && !strcmp(argv[1], "-t");
	if (argc != 2 && !timing) {
		fprintf(stderr, "usage: symbol_lookup [-t] FILE <addresses\n");
		return 2;
	}
	uint64_t *addrs = malloc(ADDRS_MAX * sizeof(*addrs));
	if (!addrs)
		return 1;
	const size_t n = read_addrs(addrs);
	struct err e = { "" };
	struct object *o;
	const int64_t start = clock_thread_cpu_ns();
	if (object_open(argv[argc - 1], NULL, 0, &o, &e)) {
		fprintf(stderr, "symbol_lookup: %s\n", e.text);
		return 1;
	}
	if (timing) {
		const double open_us =
			(double)(clock_thread_cpu_ns() - start) / 1e3;
		const double cold =
			open_us / (double)(n ? n : 1) + pass(o, addrs, n);
		printf("cold %.3f warm %.3f n %zu\n", cold, pass(o, addrs, n),
		       n);
	} else {
		for (size_t i = 0; i < n; i++)
			print_frames(o, addrs[i]);
	}
	object_close(o);
	free(addrs);
	return 0;
}
