/*
 * check_heap.c - the heap profile against the truth: programs that allocate
 * known amounts at known places.
 *
 * The estimate of a place is a sum over its samples, each with the weight
 * 1 / p of its size, so how many were sampled is known, and by what law: the
 * binomial one.  A row agrees when that number is no less likely than six
 * standard deviations are (a false alarm in 5e8 rows, less than 1e-6 a run);
 * where there are samples enough, the same row is held against a truth that is
 * 5 % off, and must not agree.
 */
#include "tests/testing.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/sink.h"
#include "pprof/guard.h"
#include "pprof/heap.h"
#include "pprof/pprof.h"
#include "pprof/sample.h"
#include "profile/profile.h"

#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE };

/* ---- what a profile says of a place -------------------------------------- */

struct figures {
	double v[4];
};

static bool leaf_is(const struct profile *p, size_t sample, const char *name)
{
	const struct profile_span locs = p->sample_locs[sample];
	if (locs.count == 0)
		return false;
	const struct profile_location *l = &p->locations[p->locs[locs.first]];
	if (l->line_count == 0)
		return false;
	const struct profile_function *f =
		&p->functions[p->lines[l->line_first].function];
	return strcmp(profile_str(p, f->name), name) == 0;
}

static struct figures figures_of(const struct profile *p, const char *place)
{
	struct figures f = { { 0 } };
	for (size_t i = 0; i < p->n_samples; i++)
		for (int v = 0; v < 4 && leaf_is(p, i, place); v++)
			f.v[v] += (double)p->values[i * 4 + (size_t)v];
	return f;
}

/* What warm_up did does not count. */
static struct source_mark *baseline;

static struct profile *collect(int64_t min_age_ns)
{
	const struct source_options o = { .min_age_ns = min_age_ns };
	struct profile *p = NULL;
	guard_enter();
	const int rc =
		heap_source.collect(&heap_source, &o, baseline, NULL, &p, NULL);
	guard_leave();
	ck_assert_int_eq(rc, 0);
	return p;
}

/* ---- places -------------------------------------------------------------- */

static void touch(void *p)
{
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

ON_STACK static void *place_malloc(size_t size)
{
	void *p = malloc(size);
	touch(p);
	return p;
}

ON_STACK static void *place_calloc(size_t size)
{
	void *p = calloc(1, size);
	touch(p);
	return p;
}

ON_STACK static void *place_memalign(size_t size)
{
	void *p = memalign(64, size);
	touch(p);
	return p;
}

ON_STACK static void *place_posix_memalign(size_t size)
{
	void *p = NULL;
	if (posix_memalign(&p, 32, size) != 0)
		p = NULL;
	touch(p);
	return p;
}

ON_STACK static void *place_aligned_alloc(size_t size)
{
	void *p = aligned_alloc(16, size);
	touch(p);
	return p;
}

ON_STACK static void *place_valloc(size_t size)
{
	void *p = valloc(size);
	touch(p);
	return p;
}

ON_STACK static void *place_pvalloc(size_t size)
{
	void *p = pvalloc(size);
	touch(p);
	return p;
}

ON_STACK static void *place_realloc(void *old, size_t size)
{
	void *p = realloc(old, size);
	touch(p);
	return p;
}

ON_STACK static void *place_reallocarray(void *old, size_t size)
{
	void *p = reallocarray(old, size, 1);
	touch(p);
	return p;
}

void *_Znwm(size_t size);
void *_ZnwmSt11align_val_t(size_t size, size_t alignment);
void _ZdlPvm(void *p, size_t size);

ON_STACK static void *place_new(size_t size)
{
	void *p = _Znwm(size);
	touch(p);
	return p;
}

ON_STACK static void *place_new_aligned(size_t size)
{
	void *p = _ZnwmSt11align_val_t(size, 128);
	touch(p);
	return p;
}

ON_STACK static void *place_realloc_null(size_t size)
{
	return place_realloc(NULL, size);
}

/* ---- one place, n times -------------------------------------------------- */

struct place {
	const char *name;
	void *(*allocate)(size_t size);
	size_t size;
	long n;	       /* allocations at 512 KiB */
	long keep_one; /* every so many are kept to the end */
};

#define PLACE(f) #f, f
static const struct place places[] = {
	{ PLACE(place_malloc), 8, 20000000, 200000 },
	{ PLACE(place_malloc), 64, 6000000, 16 },
	{ PLACE(place_malloc), 1000, 4000000, 50 },
	{ PLACE(place_malloc), 16384, 1900000, 500 },
	{ PLACE(place_malloc), 65536, 460000, 500 },
	{ PLACE(place_malloc), 300000, 90000, 500 },
	{ PLACE(place_malloc), 4 << 20, 4000, 40 },
	{ PLACE(place_malloc), 64 << 20, 400, 4 },
	{ PLACE(place_calloc), 4096, 500000, 100 },
	{ PLACE(place_memalign), 5000, 200000, 100 },
	{ PLACE(place_posix_memalign), 5000, 200000, 100 },
	{ PLACE(place_aligned_alloc), 8000, 200000, 100 },
	{ PLACE(place_valloc), 9000, 100000, 100 },
	{ PLACE(place_pvalloc), 12288, 100000, 100 },
	{ PLACE(place_new), 3000, 300000, 100 },
	{ PLACE(place_new_aligned), 6000, 200000, 100 },
	{ PLACE(place_realloc_null), 7000, 200000, 100 },
};

struct truth {
	double n, bytes, kept, kept_bytes;
	double var; /* of one object's weight: (1 - p) / p */
};

static const char *leaf_of(const struct place *p)
{
	return p->allocate == place_realloc_null ? "place_realloc" : p->name;
}

static struct truth run_place(const struct place *p, long n)
{
	const int64_t rate = sample_rate();
	const double size = (double)p->size;
	const double chance = rate == 1 ? 1 : -expm1(-size / (double)rate);
	long kept = 0;
	for (long i = 0; i < n; i++) {
		void *q = p->allocate(p->size);
		if (i % p->keep_one == 0)
			kept++;
		else
			free(q);
	}
	return (struct truth){
		.n = (double)n,
		.bytes = (double)n * size,
		.kept = (double)kept,
		.kept_bytes = (double)kept * size,
		.var = (1 - chance) / chance,
	};
}

/*
 * For heap-long.sh: HEAP_SCALE makes every place so many times smaller, and
 * each row then says by how many standard deviations it is off, and by how
 * many it would be off with a bias of 5 %.
 */
static long scale(void)
{
	const char *text = getenv("HEAP_SCALE");
	const long n = text ? strtol(text, NULL, 10) : 1;
	return n > 0 ? n : 1;
}

static void tell(const struct place *p, const struct figures *f,
		 const struct truth *t)
{
	const double sd = sqrt(t->n * t->var);
	/* Below that, the rounding to whole objects is what is seen. */
	if (scale() > 1 && sd > 5)
		printf("# z %s %zu/%ld %.4f %.4f\n", p->name, p->size,
		       (long)sample_rate(), (f->v[ALLOC_OBJECTS] - t->n) / sd,
		       0.05 * t->n / sd);
}

/*
 * Chernoff's bound: that of n objects, each sampled with this chance, so few or
 * so many are sampled happens less often than once in exp of this.  Near the
 * mean it is half the square of the deviation in standard ones; but of 4 MiB
 * blocks one in 3000 is missed, and four of 666 are not so rare as the normal
 * law has it.
 */
static double unlikelihood(double sampled, double n, double chance)
{
	const double q = sampled / n;
	if (q < 0 || q > 1)
		return INFINITY;
	const double some = q > 0 ? q * log(q / chance) : 0;
	const double others = q < 1 ? (1 - q) * log((1 - q) / (1 - chance)) : 0;
	return n * (some + others);
}

/* Six standard deviations; seven for heap-long.sh, which runs this 200 times.
 */
static double limit(void)
{
	return scale() > 1 ? 24.5 : 18;
}

/* With what writing may add, which rounds each record's figures to whole
 * numbers. */
static bool agrees(double estimate, double truth, double var, double unit)
{
	const double rounding = 2, n = truth / unit, chance = 1 / (1 + var);
	const double off = estimate - truth;
	const double least = fmax(fabs(off) - rounding, 0) / unit;
	return least == 0 || unlikelihood((n + copysign(least, off)) * chance,
					  n, chance) <= limit();
}

static void check_figures(const char *name, const struct figures *f,
			  const struct truth *t, size_t size)
{
	const double unit = (double)size;
	ck_assert_msg(agrees(f->v[ALLOC_OBJECTS], t->n, t->var, 1),
		      "%s, %zu B: %.0f objects allocated, truly %.0f", name,
		      size, f->v[ALLOC_OBJECTS], t->n);
	ck_assert_msg(agrees(f->v[ALLOC_SPACE], t->bytes, t->var, unit),
		      "%s, %zu B: %.0f bytes allocated, truly %.0f", name, size,
		      f->v[ALLOC_SPACE], t->bytes);
	ck_assert_msg(agrees(f->v[INUSE_OBJECTS], t->kept, t->var, 1),
		      "%s, %zu B: %.0f objects in use, truly %.0f", name, size,
		      f->v[INUSE_OBJECTS], t->kept);
	ck_assert_msg(agrees(f->v[INUSE_SPACE], t->kept_bytes, t->var, unit),
		      "%s, %zu B: %.0f bytes in use, truly %.0f", name, size,
		      f->v[INUSE_SPACE], t->kept_bytes);
}

/* Are there samples enough to tell 5 %?  Then it must be told. */
static bool check_planted_bias(const struct figures *f, const struct truth *t)
{
	if (sqrt(2 * limit()) * sqrt(t->n * t->var) * 2 > 0.05 * t->n)
		return false;
	ck_assert(!agrees(f->v[ALLOC_OBJECTS], t->n * 1.05, t->var, 1));
	ck_assert(!agrees(f->v[ALLOC_OBJECTS], t->n * 0.95, t->var, 1));
	return true;
}

START_TEST(test_truth_sampled)
{
	const struct place *p = &places[_i];
	pprof_set_mem_profile_rate(524288);
	const struct truth t = run_place(p, p->n / scale());
	struct profile *profile = collect(0);
	const struct figures f = figures_of(profile, leaf_of(p));
	check_figures(p->name, &f, &t, p->size);
	tell(p, &f, &t);
	const bool planted = check_planted_bias(&f, &t);
	/* From 16 KiB on there are. */
	ck_assert(p->size < 16384 || p->n < 90000 || planted || scale() > 1);
	profile_free(profile);
}
END_TEST

START_TEST(test_truth_at_rate_1)
{
	const struct place *p = &places[_i];
	pprof_set_mem_profile_rate(1);
	struct place few = *p;
	few.keep_one = 3;
	const struct truth t = run_place(&few, p->size > 1 << 20 ? 300 : 20000);
	struct profile *profile = collect(0);
	const struct figures f = figures_of(profile, leaf_of(p));
	ck_assert_msg(
		f.v[ALLOC_OBJECTS] == t.n && f.v[ALLOC_SPACE] == t.bytes,
		"%s: %.0f objects, %.0f bytes allocated, truly %.0f, %.0f",
		p->name, f.v[ALLOC_OBJECTS], f.v[ALLOC_SPACE], t.n, t.bytes);
	ck_assert_msg(f.v[INUSE_OBJECTS] == t.kept &&
			      f.v[INUSE_SPACE] == t.kept_bytes,
		      "%s: %.0f objects, %.0f bytes in use, truly %.0f, %.0f",
		      p->name, f.v[INUSE_OBJECTS], f.v[INUSE_SPACE], t.kept,
		      t.kept_bytes);
	profile_free(profile);
}
END_TEST

/* Small sizes at 512 KiB have too few samples to tell 5 % in a second; a
 * smaller rate is the same code with more of them. */
static const struct place small_places[] = {
	{ PLACE(place_malloc), 8, 30000000, 1000000 },
	{ PLACE(place_malloc), 24, 10000000, 1000000 },
	{ PLACE(place_new), 100, 3000000, 1000000 },
	{ PLACE(place_calloc), 600, 600000, 1000000 },
};

START_TEST(test_truth_small)
{
	const struct place *p = &small_places[_i];
	pprof_set_mem_profile_rate(1024);
	const struct truth t = run_place(p, p->n / scale());
	struct profile *profile = collect(0);
	const struct figures f = figures_of(profile, leaf_of(p));
	check_figures(p->name, &f, &t, p->size);
	tell(p, &f, &t);
	ck_assert(check_planted_bias(&f, &t) || scale() > 1);
	profile_free(profile);
}
END_TEST

/* ---- realloc ------------------------------------------------------------- */

/*
 * A chain of reallocs: each is the end of one block and the beginning of
 * another, of the whole new size.
 */
struct chain {
	const char *name;
	size_t first, step, last;
	long n;
	int64_t rate;
};

static const struct chain chains[] = {
	{ "growing by 1 KiB, exact", 1024, 1024, 65536, 200, 1 },
	{ "shrinking, exact", 65536, (size_t)-1024, 1024, 200, 1 },
	{ "growing over the mapping threshold, exact", 65536, 65536, 1 << 20,
	  40, 1 },
	{ "growing by 1 KiB", 1024, 1024, 65536, 8000, 524288 },
	{ "growing over the mapping threshold", 65536, 65536, 1 << 20, 3000,
	  524288 },
	{ "shrinking", 1 << 20, (size_t)-65536, 65536, 3000, 524288 },
};

START_TEST(test_truth_realloc)
{
	const struct chain *c = &chains[_i];
	pprof_set_mem_profile_rate(c->rate);
	double n = 0, bytes = 0, n_var = 0, bytes_var = 0, kept_var = 0;
	long kept = 0;
	for (long i = 0; i < c->n; i++) {
		char *p = NULL;
		for (size_t size = c->first;; size += c->step) {
			p = i % 2 ? place_realloc(p, size)
				  : place_reallocarray(p, size);
			/* What was written moves along. */
			if (size != c->first)
				ck_assert_int_eq(p[0], 'a' + (int)(i % 23));
			p[0] = (char)('a' + i % 23);
			const double w = sample_weight((double)size, c->rate);
			n++;
			bytes += (double)size;
			n_var += w - 1;
			bytes_var += (w - 1) * (double)size * (double)size;
			if (size == c->last)
				break;
		}
		if (i % 4 == 0) {
			kept++;
			kept_var += sample_weight((double)c->last, c->rate) - 1;
		} else {
			free(p);
		}
	}
	struct profile *profile = collect(0);
	const struct figures a = figures_of(profile, "place_realloc");
	const struct figures b = figures_of(profile, "place_reallocarray");
	ck_assert_msg(fabs(a.v[0] + b.v[0] - n) <= 6 * sqrt(n_var) + 80,
		      "%s: %.0f allocations, truly %.0f", c->name,
		      a.v[0] + b.v[0], n);
	ck_assert_msg(fabs(a.v[1] + b.v[1] - bytes) <= 6 * sqrt(bytes_var) + 80,
		      "%s: %.0f bytes, truly %.0f", c->name, a.v[1] + b.v[1],
		      bytes);
	ck_assert_msg(
		fabs(a.v[2] + b.v[2] - (double)kept) <= 6 * sqrt(kept_var) + 2,
		"%s: %.0f in use, truly %ld", c->name, a.v[2] + b.v[2], kept);
	if (c->rate == 1) {
		ck_assert(a.v[0] + b.v[0] == n && a.v[1] + b.v[1] == bytes);
		ck_assert(a.v[2] + b.v[2] == (double)kept);
		ck_assert(a.v[3] + b.v[3] == (double)kept * (double)c->last);
	}
	profile_free(profile);
}
END_TEST

START_TEST(test_realloc_edges)
{
	pprof_set_mem_profile_rate(1);
	/* One that fails leaves the block where it is, and in the profile. */
	char *p = place_realloc(NULL, 100);
	memcpy(p, "still here", 11);
	ck_assert_ptr_null(place_realloc(p, SIZE_MAX / 4));
	ck_assert_str_eq(p, "still here");
	volatile size_t three = 3;
	ck_assert_ptr_null(reallocarray(p, SIZE_MAX / 2, three));
	struct profile *profile = collect(0);
	struct figures f = figures_of(profile, "place_realloc");
	ck_assert(f.v[INUSE_OBJECTS] == 1 && f.v[INUSE_SPACE] == 100);
	profile_free(profile);
	/* From sampled to not, and back. */
	pprof_set_mem_profile_rate(0);
	p = place_realloc(p, 200);
	profile = collect(0);
	f = figures_of(profile, "place_realloc");
	ck_assert(f.v[INUSE_OBJECTS] == 0 && f.v[ALLOC_OBJECTS] == 1);
	profile_free(profile);
	pprof_set_mem_profile_rate(1);
	p = place_realloc(p, 300);
	profile = collect(0);
	f = figures_of(profile, "place_realloc");
	ck_assert(f.v[INUSE_OBJECTS] == 1 && f.v[INUSE_SPACE] == 300);
	profile_free(profile);
	ck_assert_str_eq(p, "still here");
	/* glibc's realloc to 0 frees. */
	ck_assert_ptr_null(place_realloc(p, 0));
	profile = collect(0);
	f = figures_of(profile, "place_realloc");
	ck_assert(f.v[INUSE_OBJECTS] == 0);
	profile_free(profile);
}
END_TEST

/* ---- threads: blocks freed by others ------------------------------------- */

enum { THREADS = 6, BATCH = 64 };

struct exchange {
	pthread_mutex_t lock;
	void *blocks[4096];
	size_t n;
	long each;
	size_t size;
};

static void *exchange_run(void *arg)
{
	struct exchange *x = arg;
	for (long i = 0; i < x->each; i += BATCH) {
		void *mine[BATCH], *theirs[BATCH];
		size_t n = 0;
		for (int j = 0; j < BATCH; j++)
			mine[j] = place_malloc(x->size);
		pthread_mutex_lock(&x->lock);
		while (n < BATCH && x->n > 0)
			theirs[n++] = x->blocks[--x->n];
		for (int j = 0; j < BATCH; j++)
			x->blocks[x->n++] = mine[j];
		pthread_mutex_unlock(&x->lock);
		while (n > 0)
			free(theirs[--n]);
	}
	return NULL;
}

static const struct crowd {
	const char *name;
	size_t size;
	long each;
	int64_t rate;
} crowds[] = {
	{ "exact", 48, 6400, 1 },
	{ "at 512 KiB", 60000, 102400, 524288 },
	{ "at 4 KiB", 200, 256000, 4096 },
};

START_TEST(test_truth_threads)
{
	const struct crowd *c = &crowds[_i];
	static struct exchange x;
	pthread_mutex_init(&x.lock, NULL);
	x.each = c->each;
	x.size = c->size;
	pprof_set_mem_profile_rate(c->rate);
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, exchange_run, &x);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	const struct truth t = {
		.n = (double)(THREADS * c->each),
		.bytes = (double)(THREADS * c->each) * (double)c->size,
		.kept = (double)x.n,
		.kept_bytes = (double)x.n * (double)c->size,
		.var = sample_weight((double)c->size, c->rate) - 1,
	};
	struct profile *profile = collect(0);
	const struct figures f = figures_of(profile, "place_malloc");
	check_figures(c->name, &f, &t, c->size);
	ck_assert(c->rate != 524288 || check_planted_bias(&f, &t));
	profile_free(profile);
}
END_TEST

/* ---- a million live blocks, all sampled ---------------------------------- */

START_TEST(test_million_live)
{
	enum { N = 1000000 };
	pprof_set_mem_profile_rate(1);
	static void *blocks[N];
	const int64_t start = clock_monotonic_ns();
	for (int i = 0; i < N; i++)
		blocks[i] = place_malloc(16);
	const double allocated_s = (double)(clock_monotonic_ns() - start) / 1e9;
	struct profile *profile = collect(0);
	struct figures f = figures_of(profile, "place_malloc");
	profile_free(profile);
	ck_assert_msg(f.v[INUSE_OBJECTS] == N, "%.0f in use",
		      f.v[INUSE_OBJECTS]);
	ck_assert(f.v[INUSE_SPACE] == 16.0 * N);
	for (int i = 0; i < N; i++)
		free(blocks[i]);
	profile = collect(0);
	f = figures_of(profile, "place_malloc");
	profile_free(profile);
	ck_assert(f.v[INUSE_OBJECTS] == 0 && f.v[ALLOC_OBJECTS] == N);
	printf("# a million live blocks: %.2f us each\n", allocated_s);
}
END_TEST

/* ---- a full table -------------------------------------------------------- */

ON_STACK static void *path_one(unsigned path, int steps);

/* Which of the two calls: a bit of the path, and a stack of its own. */
ON_STACK static void *path_zero(unsigned path, int steps)
{
	void *p = steps == 0 ? place_malloc(32)
		  : path & 1 ? path_one(path >> 1, steps - 1)
			     : path_zero(path >> 1, steps - 1);
	touch(p);
	return p;
}

ON_STACK static void *path_one(unsigned path, int steps)
{
	void *p = steps == 0 ? place_malloc(32)
		  : path & 1 ? path_one(path >> 1, steps - 1)
			     : path_zero(path >> 1, steps - 1);
	touch(p);
	return p;
}

ON_STACK static void walk(unsigned path, int steps)
{
	free(path_zero(path, steps));
	__asm__ __volatile__("");
}

/* More stacks than there is room for: each is in the profile, or lost. */
START_TEST(test_full_table)
{
	enum { STEPS = 18, N = 1 << STEPS };
	pprof_set_mem_profile_rate(1);
	double recorded = 0;
	/*
	 * What has a record already goes on: the second round has one more, by
	 * the same stack, so the loop must be one (hence volatile).
	 */
	for (volatile int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < (round ? 1 : N); i++)
			walk(i, STEPS);
		struct profile *p = collect(0);
		const struct figures f = figures_of(p, "place_malloc");
		const struct figures lost = figures_of(p, "_LostTableFull");
		profile_free(p);
		ck_assert_msg(f.v[ALLOC_OBJECTS] > N / 8 &&
				      lost.v[ALLOC_OBJECTS] > N / 8,
			      "%.0f recorded, %.0f lost, of %d",
			      f.v[ALLOC_OBJECTS], lost.v[ALLOC_OBJECTS], N);
		ck_assert(f.v[INUSE_OBJECTS] == 0 &&
			  lost.v[INUSE_OBJECTS] == 0);
		if (round == 1) {
			ck_assert(f.v[ALLOC_OBJECTS] == recorded + 1);
			break;
		}
		recorded = f.v[ALLOC_OBJECTS];
		ck_assert(recorded + lost.v[ALLOC_OBJECTS] == N);
		ck_assert(f.v[ALLOC_SPACE] + lost.v[ALLOC_SPACE] == 32.0 * N);
		/* And whatever else was new since. */
		ck_assert(heap_totals_now().lost >=
			  (int64_t)lost.v[ALLOC_OBJECTS]);
	}
}
END_TEST

/* ---- interrupted --------------------------------------------------------- */

static void *churn(void *arg)
{
	void *kept = NULL;
	for (long i = 0; i < (long)(intptr_t)arg; i++) {
		void *p = place_malloc(48);
		p = place_realloc(p, 100);
		if (i % 100 == 0) {
			free(kept);
			kept = p;
		} else {
			free(p);
		}
	}
	return kept;
}

static double stat_of(const char *name)
{
	struct pprof_stat stat;
	for (size_t i = 0; pprof_stat_at(i, &stat); i++)
		if (strcmp(stat.name, name) == 0)
			return stat.value;
	return -1;
}

/* The CPU profiler's signal comes in the midst of malloc, free, and of what
 * they do here: nothing is miscounted. */
START_TEST(test_interrupted)
{
	enum { EACH = 300000, CROWD = 3 };
	pprof_set_mem_profile_rate(1);
	struct pprof_capture *capture;
	const struct pprof_capture_options o = { .hz = 2000 };
	ck_assert_int_eq(pprof_capture_start("profile", &o, &capture), 0);
	pthread_t threads[CROWD];
	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, churn,
			       (void *)(intptr_t)EACH);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(pprof_capture_stop(capture), 0);
	pprof_capture_free(capture);
	ck_assert(stat_of("cpu_signals_total") >= 20);
	struct profile *p = collect(0);
	const struct figures m = figures_of(p, "place_malloc");
	const struct figures r = figures_of(p, "place_realloc");
	ck_assert_msg(m.v[ALLOC_OBJECTS] == EACH * CROWD,
		      "%.0f allocated, truly %d", m.v[ALLOC_OBJECTS],
		      EACH * CROWD);
	ck_assert(r.v[ALLOC_SPACE] == 100.0 * EACH * CROWD);
	ck_assert(m.v[INUSE_OBJECTS] == 0 && r.v[INUSE_OBJECTS] == CROWD);
	profile_free(p);
}
END_TEST

/* ---- ages ---------------------------------------------------------------- */

START_TEST(test_min_age)
{
	pprof_set_mem_profile_rate(1);
	void *old[10], *young[7];
	for (int i = 0; i < 10; i++)
		old[i] = place_malloc(1000);
	/* An age is counted from the clock's own reading. */
	const int64_t between = clock_monotonic_ns();
	while (clock_monotonic_ns() - between < 50000000)
		;
	for (int i = 0; i < 7; i++)
		young[i] = place_calloc(1000);
	free(old[0]);
	const int64_t age = clock_monotonic_ns() - between;
	struct profile *profile = collect(age);
	struct figures f = figures_of(profile, "place_malloc");
	ck_assert(f.v[INUSE_OBJECTS] == 9 && f.v[INUSE_SPACE] == 9000);
	f = figures_of(profile, "place_calloc");
	ck_assert(f.v[INUSE_OBJECTS] == 0);
	profile_free(profile);
	profile = collect(0);
	f = figures_of(profile, "place_calloc");
	ck_assert(f.v[INUSE_OBJECTS] == 7);
	profile_free(profile);
	touch(young);
}
END_TEST

/* ---- windows ------------------------------------------------------------- */

START_TEST(test_window)
{
	pprof_set_mem_profile_rate(1);
	void *a = place_malloc(100), *b = place_malloc(100);
	struct source_mark *since, *until;
	ck_assert_int_eq(heap_source.mark(&heap_source, &since), 0);
	free(a);
	void *c = place_calloc(70);
	ck_assert_int_eq(heap_source.mark(&heap_source, &until), 0);
	void *d = place_calloc(70);
	struct profile *p = NULL;
	ck_assert_int_eq(heap_source.collect(&heap_source, NULL, since, until,
					     &p, NULL),
			 0);
	struct figures f = figures_of(p, "place_malloc");
	ck_assert(f.v[ALLOC_OBJECTS] == 0 && f.v[INUSE_SPACE] == -100);
	f = figures_of(p, "place_calloc");
	ck_assert(f.v[ALLOC_OBJECTS] == 1 && f.v[INUSE_SPACE] == 70);
	profile_free(p);
	heap_source.mark_free(since);
	heap_source.mark_free(until);
	touch(b);
	touch(c);
	touch(d);
}
END_TEST

/* ---- labels, types, text ------------------------------------------------- */

START_TEST(test_profile_shape)
{
	pprof_set_mem_profile_rate(1);
	const struct pprof_label label = { "route", "/leaky" };
	pprof_set_labels(&label, 1);
	touch(place_malloc(10240));
	pprof_set_labels(NULL, 0);
	for (int allocs = 0; allocs < 2; allocs++) {
		const struct source *s = allocs ? &allocs_source : &heap_source;
		struct profile *p = NULL;
		ck_assert_int_eq(s->collect(s, NULL, NULL, NULL, &p, NULL), 0);
		ck_assert_uint_eq(p->n_sample_types, 4);
		ck_assert_str_eq(profile_str(p, p->sample_types[3].type),
				 "inuse_space");
		ck_assert_str_eq(profile_str(p, p->period_type.type), "space");
		ck_assert_str_eq(profile_str(p, p->period_type.unit), "bytes");
		ck_assert_int_eq(p->period, 1);
		ck_assert_str_eq(profile_str(p, p->default_sample_type),
				 allocs ? "alloc_space" : "");
		bool bytes = false, route = false;
		for (size_t i = 0; i < p->n_samples; i++) {
			if (!leaf_is(p, i, "place_malloc"))
				continue;
			const struct profile_span l = p->sample_labels[i];
			for (uint32_t k = 0; k < l.count; k++) {
				const struct profile_label *x =
					&p->labels[l.first + k];
				const char *key = profile_str(p, x->key);
				bytes |= !strcmp(key, "bytes") &&
					 x->num == 10240;
				route |= !strcmp(key, "route") &&
					 !strcmp(profile_str(p, x->str),
						 "/leaky");
			}
		}
		ck_assert(bytes && route);
		profile_free(p);
	}
}
END_TEST

START_TEST(test_text)
{
	pprof_set_mem_profile_rate(524288);
	for (int i = 0; i < 5; i++)
		touch(place_malloc(64 << 20));
	struct buf out = { 0 };
	const struct sink sink = sink_buf(&out);
	const struct source_options o = { .debug = 1 };
	ck_assert_int_eq(heap_source.write_text(&heap_source, &o, &sink, NULL),
			 0);
	const char *text = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(text, "] @ heap/1048576\n"));
	ck_assert_int_eq(strncmp(text, "heap profile: ", 14), 0);
	/* As it was sampled: 128 times the rate is missed never. */
	ck_assert_ptr_nonnull(strstr(text, "\n5: 335544320 [5: 335544320] @ "));
	ck_assert_ptr_nonnull(strstr(text, "\tplace_malloc+0x"));
	ck_assert_ptr_nonnull(strstr(text, "\n# runtime.MemStats\n# Alloc = "));
	ck_assert_ptr_nonnull(strstr(text, "\n# MaxRSS = "));
	buf_free(&out);
}
END_TEST

/* ---- fork ---------------------------------------------------------------- */

static _Atomic bool stop_storm;

static void *storm(void *arg)
{
	(void)arg;
	while (!stop_storm)
		free(place_calloc(100));
	return NULL;
}

START_TEST(test_fork)
{
	pprof_set_mem_profile_rate(1);
	void *blocks[100];
	for (int i = 0; i < 100; i++)
		blocks[i] = place_malloc(50);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, storm, NULL);
	for (int round = 0; round < 10; round++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			/* The child keeps its parent's heap, and goes on. */
			alarm(20);
			for (int i = 0; i < 60; i++)
				free(blocks[i]);
			touch(place_malloc(50));
			struct profile *p = NULL;
			if (heap_source.collect(&heap_source, NULL, baseline,
						NULL, &p, NULL))
				_exit(2);
			const struct figures f = figures_of(p, "place_malloc");
			_exit(f.v[INUSE_OBJECTS] == 41 &&
					      f.v[ALLOC_OBJECTS] == 101
				      ? 0
				      : 3);
		}
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
			      "the child's status is %#x", status);
	}
	stop_storm = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/*
 * Name every place once before the tests fork: what the symbolizer learns is
 * then learnt for all.
 */
static void warm_up(void)
{
	pprof_set_mem_profile_rate(1);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		free(places[i].allocate(1));
	free(place_reallocarray(NULL, 1));
	struct profile *p = NULL;
	heap_source.collect(&heap_source, NULL, NULL, NULL, &p, NULL);
	profile_free(p);
	heap_source.mark(&heap_source, &baseline);
	pprof_set_mem_profile_rate(524288);
}

int main(void)
{
	warm_up();
	Suite *s = suite_create("heap");
	/* tests/heap-long.sh repeats this case. */
	TCase *t = tcase_create("sampled");
	tcase_set_timeout(t, 120);
	testing_add_table(t, test_truth_sampled, places);
	testing_add_table(t, test_truth_small, small_places);
	suite_add_tcase(s, t);
	t = tcase_create("truth");
	tcase_set_timeout(t, 120);
	testing_add_table(t, test_truth_at_rate_1, places);
	testing_add_table(t, test_truth_realloc, chains);
	testing_add_table(t, test_truth_threads, crowds);
	tcase_add_test(t, test_realloc_edges);
	tcase_add_test(t, test_million_live);
	tcase_add_test(t, test_full_table);
	tcase_add_test(t, test_interrupted);
	suite_add_tcase(s, t);
	t = tcase_create("profile");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_min_age);
	tcase_add_test(t, test_window);
	tcase_add_test(t, test_profile_shape);
	tcase_add_test(t, test_text);
	tcase_add_test(t, test_fork);
	suite_add_tcase(s, t);
	return testing_run(s);
}
