/*
 * recognize.c - three ways to know a sampled block when it is freed, measured
 * against each other: doc/sampling.md draws the conclusion.
 *
 *	pages    blocks where the allocator puts them; free loads a count of
 *	         sampled blocks by page (live.h): what libpprof does
 *	aligned  blocks at the start of a page (memalign); free tests 12 bits of
 *	         the address, and asks the table when they are zero
 *	range    blocks from a range of addresses of our own; free compares
 *	none     no sampling: the same calls, handed on
 *
 *	recognize [ROUNDS]
 *
 * No stacks are taken: the difference is all in placing and recognizing.
 */
#include "base/attr.h"
#include "pprof/live.h"
#include "pprof/sample.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void *(*volatile next_malloc)(size_t) = malloc;
static void (*volatile next_free)(void *) = free;
static struct live *live;

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void record(void *p, size_t size)
{
	const struct live_block b = { (void *)p, size, 1 };
	if (!live_add(live, p, &b))
		abort();
}

static void forget(void *p)
{
	struct live_block b;
	live_take(live, p, &b);
}

/* ---- none ---------------------------------------------------------------- */

static void *none_malloc(size_t size)
{
	return next_malloc(size);
}

static void none_free(void *p)
{
	next_free(p);
}

/* ---- pages --------------------------------------------------------------- */

static COLD void *pages_slow(size_t size)
{
	void *p = next_malloc(size);
	if (sample_due(size))
		record(p, size);
	return p;
}

static void *pages_malloc(size_t size)
{
	return sample_countdown(size) ? pages_slow(size) : next_malloc(size);
}

static COLD void pages_free_slow(void *p)
{
	forget(p);
	next_free(p);
}

static void pages_free(void *p)
{
	if (live_is_candidate(p))
		pages_free_slow(p);
	else
		next_free(p);
}

/* ---- aligned ------------------------------------------------------------- */

static COLD void *aligned_slow(size_t size)
{
	if (!sample_due(size))
		return next_malloc(size);
	void *p = memalign(4096, size);
	record(p, size);
	return p;
}

static void *aligned_malloc(size_t size)
{
	return sample_countdown(size) ? aligned_slow(size) : next_malloc(size);
}

static void aligned_free(void *p)
{
	if (UNLIKELY(((uintptr_t)p & 4095) == 0))
		pages_free_slow(p);
	else
		next_free(p);
}

/* ---- range ---------------------------------------------------------------
 *
 * As simple as it can be: powers of two, a list of free blocks for each; what
 * is larger than a page goes back to the system at once.
 */

#define RANGE_SIZE ((size_t)1 << 36)
static char *range, *range_top;
static void *range_lists[48];

static int range_class(size_t size)
{
	int k = 4;
	while (((size_t)1 << k) < size)
		k++;
	return k;
}

static COLD void *range_slow(size_t size)
{
	if (!sample_due(size))
		return next_malloc(size);
	const int k = range_class(size);
	char *p = range_lists[k];
	if (p) {
		memcpy(&range_lists[k], p, sizeof(void *));
	} else {
		p = range_top;
		range_top += (size_t)1 << k;
	}
	record(p, size);
	return p;
}

static void *range_malloc(size_t size)
{
	return sample_countdown(size) ? range_slow(size) : next_malloc(size);
}

static COLD void range_free_slow(void *p)
{
	struct live_block b;
	live_take(live, p, &b);
	const int k = range_class(b.size);
	if (k > 12)
		madvise(p, (size_t)1 << k, MADV_DONTNEED);
	memcpy(p, &range_lists[k], sizeof(void *));
	range_lists[k] = p;
}

static void range_free(void *p)
{
	if (UNLIKELY((uintptr_t)p - (uintptr_t)range < RANGE_SIZE))
		range_free_slow(p);
	else
		next_free(p);
}

/* ---- the measurements ---------------------------------------------------- */

static const struct way {
	const char *name;
	void *(*malloc)(size_t);
	void (*free)(void *);
} ways[] = {
	{ "none", none_malloc, none_free },
	{ "pages", pages_malloc, pages_free },
	{ "aligned", aligned_malloc, aligned_free },
	{ "range", range_malloc, range_free },
};

static double pair_ns(const struct way *w, size_t size)
{
	double best = 1e18;
	const long n = size > 100000 ? 20000 : 300000;
	for (int pass = 0; pass < 7; pass++) {
		const double start = now_ns();
		for (long i = 0; i < n; i++) {
			void *p = w->malloc(size);
			__asm__ __volatile__("" : "+r"(p) : : "memory");
			w->free(p);
		}
		const double ns = (now_ns() - start) / (double)n;
		if (ns < best)
			best = ns;
	}
	return best;
}

/* Frees in another order than they were allocated in, over 64 MiB. */
static double churn_ns(const struct way *w)
{
	enum { N = 1 << 19 };
	static void *blocks[N];
	double best = 1e18;
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < N; i++)
			blocks[i] = w->malloc(128);
		const double start = now_ns();
		for (size_t i = 0; i < 2 * N; i++) {
			const size_t at = i * 40503 % N;
			w->free(blocks[at]);
			blocks[at] = w->malloc(128);
		}
		const double ns = (now_ns() - start) / (2 * N);
		if (ns < best)
			best = ns;
		for (size_t i = 0; i < N; i++)
			w->free(blocks[i]);
	}
	return best;
}

static long resident_kib(void)
{
	long total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (getpagesize() / 1024);
}

/* A million live blocks of 16 B, every one of them sampled. */
static void million(const struct way *w, int n)
{
	static void *blocks[1000000];
	sample_set_rate(1);
	const long before = resident_kib();
	const double start = now_ns();
	for (int i = 0; i < n; i++)
		blocks[i] = w->malloc(16);
	const double allocated = (now_ns() - start) / n;
	const long after = resident_kib();
	const double middle = now_ns();
	for (int i = 0; i < n; i++)
		w->free(blocks[i]);
	printf("%-8s %8d live 16 B blocks at rate 1: %8.0f ns to allocate, "
	       "%6.0f ns to free, %8.0f bytes resident each\n",
	       w->name, n, allocated, (now_ns() - middle) / n,
	       (double)(after - before) * 1024 / n);
	sample_set_rate(524288);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 16, 64, 1024, 4096, 65536, 200000 };
	const int which = argc > 1 ? atoi(argv[1]) : 0; /* NOLINT */
	const struct way *w = &ways[(size_t)which % ARRAY_SIZE(ways)];
	range = mmap(NULL, RANGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	range_top = range;
	live = live_new(0);
	if (range == MAP_FAILED || !live)
		return 1;
	if (argc > 2) {
		million(w, 1000000);
		return 0;
	}
	printf("%-8s", w->name);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		printf(" %9.2f", pair_ns(w, sizes[i]));
	printf(" %9.2f\n", churn_ns(w));
	return 0;
}
