/*
 * check_live.c - the table of live blocks, and the draws that decide what
 * enters it.
 */
#include "tests/testing.h"

#include "base/rng.h"
#include "pprof/guard.h"
#include "pprof/live.h"
#include "pprof/sample.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>

static struct live_block block_of(uintptr_t p)
{
	return (struct live_block){
		.record = (struct stack_record *)(p ^ 0x5555),
		.size = p / 3,
		.birth_ns = (int64_t)p * 2,
	};
}

/* Numbers of blocks that stay in the first level, fill it, fill two. */
static const struct fill {
	const char *name;
	size_t n;
	uintptr_t first, step;
} fills[] = {
	{ "one", 1, 0x7f0000001000, 16 },
	{ "few, side by side", 1000, 0x7f0000001010, 16 },
	{ "few, on pages", 1000, 0x7f0000001010, 4096 },
	{ "the first level and more", 40000, 0x550000000010, 4096 },
	{ "two levels and more", 600000, 0x550000000010, 32 },
	{ "a million", 1000000, 0x7f0000000010, 48 },
};

/* Counted, not asserted one by one: Check writes a record for each. */
static size_t wrong;

static void expect(bool ok)
{
	wrong += !ok;
}

static bool is_block(const struct live_block *b, uintptr_t p)
{
	const struct live_block want = block_of(p);
	return b->record == want.record && b->size == want.size &&
	       b->birth_ns == want.birth_ns;
}

static void count_walked(void *arg, const void *p,
			 const struct live_block *block)
{
	size_t *n = arg;
	expect(is_block(block, (uintptr_t)p));
	(*n)++;
}

static size_t walked(const struct live *l)
{
	size_t n = 0;
	live_walk(l, count_walked, &n);
	return n;
}

START_TEST(test_live_fill)
{
	const struct fill *f = &fills[_i];
	struct live *l = live_new(0);
	struct live_block b;
	ck_assert_ptr_nonnull(l);
	for (size_t i = 0; i < f->n; i++) {
		const uintptr_t p = f->first + i * f->step;
		b = block_of(p);
		expect(live_add(l, (void *)p, &b));
		expect(live_is_candidate((void *)p));
	}
	ck_assert_msg(wrong == 0, "%s: adding: %zu wrong", f->name, wrong);
	ck_assert_uint_eq(live_count(l), f->n);
	ck_assert_uint_eq(walked(l), f->n);

	/* Every other one goes; the others and the strangers do not. */
	for (size_t i = 0; i < f->n; i += 2) {
		const uintptr_t p = f->first + i * f->step;
		expect(live_take(l, (void *)p, &b) && is_block(&b, p));
		expect(!live_take(l, (void *)p, &b));
		expect(!live_find(l, (void *)(p + 8), &b));
	}
	ck_assert_msg(wrong == 0, "%s: taking: %zu wrong", f->name, wrong);
	for (size_t i = 1; i < f->n; i += 2) {
		const uintptr_t p = f->first + i * f->step;
		expect(live_find(l, (void *)p, &b) && is_block(&b, p));
		expect(live_take(l, (void *)p, &b) && is_block(&b, p));
	}
	for (size_t i = 0; i < f->n; i++)
		expect(!live_is_candidate((void *)(f->first + i * f->step)));
	ck_assert_msg(wrong == 0, "%s: the rest: %zu wrong", f->name, wrong);
	ck_assert_uint_eq(live_count(l), 0);
	ck_assert_uint_eq(walked(l), 0);
	live_free(l);
}
END_TEST

START_TEST(test_live_full)
{
	struct live *l = live_new(1);
	size_t added = 0, refused = 0;
	for (uintptr_t i = 0; i < 60000; i++) {
		const uintptr_t p = 0x10000 + i * 64;
		const struct live_block b = block_of(p);
		if (live_add(l, (void *)p, &b))
			added++;
		else
			refused++;
	}
	/* 4096 buckets of 7, and no second level. */
	ck_assert_uint_eq(added, live_count(l));
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_gt(added, 20000);
	ck_assert_uint_le(added, 4096 * 7);
	/* What was refused left no trace; what was added is all there. */
	struct live_block b;
	size_t found = 0;
	for (uintptr_t i = 0; i < 60000; i++)
		found += live_take(l, (void *)(0x10000 + i * 64), &b);
	ck_assert_uint_eq(found, added);
	live_free(l);
}
END_TEST

/* A page's counter that reached its top must not come back to zero while a
 * block is there. */
START_TEST(test_live_page_saturates)
{
	struct live *l = live_new(0);
	/* 256 blocks a page, 512 MiB apart: one counter. */
	const uintptr_t alias = (uintptr_t)LIVE_PAGES * 4096;
	const size_t n = 70000;
	for (size_t i = 0; i < n; i++) {
		const uintptr_t p = 0x100000 + i / 256 * alias + i % 256 * 16;
		const struct live_block b = block_of(p);
		expect(live_add(l, (void *)p, &b));
	}
	struct live_block b;
	for (size_t i = 0; i < n; i++) {
		const uintptr_t p = 0x100000 + i / 256 * alias + i % 256 * 16;
		expect(live_is_candidate((void *)p));
		expect(live_take(l, (void *)p, &b));
	}
	ck_assert_uint_eq(wrong, 0);
	live_free(l);
}
END_TEST

/* ---- threads: each adds its own, and takes the next one's --------------- */

enum { THREADS = 4, ROUNDS = 60, EACH = 4000 };

struct worker {
	struct live *l;
	pthread_barrier_t *barrier;
	unsigned id;
	unsigned long missing;
};

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	for (unsigned r = 0; r < ROUNDS; r++) {
		for (uintptr_t i = 0; i < EACH; i++) {
			const uintptr_t p =
				0x1000000 + (i * THREADS + w->id) * 16;
			const struct live_block b = block_of(p);
			w->missing += !live_add(w->l, (void *)p, &b);
		}
		pthread_barrier_wait(w->barrier);
		const unsigned other = (w->id + 1) % THREADS;
		for (uintptr_t i = 0; i < EACH; i++) {
			const uintptr_t p =
				0x1000000 + (i * THREADS + other) * 16;
			struct live_block b;
			w->missing += !live_is_candidate((void *)p) ||
				      !live_take(w->l, (void *)p, &b) ||
				      b.size != p / 3;
		}
		pthread_barrier_wait(w->barrier);
	}
	return NULL;
}

START_TEST(test_live_threads)
{
	struct live *l = live_new(0);
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, THREADS);
	pthread_t threads[THREADS];
	struct worker w[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ l, &barrier, i, 0 };
		pthread_create(&threads[i], NULL, worker_run, &w[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(w[i].missing, 0);
	}
	ck_assert_uint_eq(live_count(l), 0);
	live_free(l);
}
END_TEST

/* ---- draws --------------------------------------------------------------- */

static const struct draw {
	const char *name;
	size_t size;
	int64_t rate;
	long n;
} draws[] = {
	{ "8 B at 4 KiB", 8, 4096, 30000000 },
	{ "64 B at 4 KiB", 64, 4096, 8000000 },
	{ "4 KiB at 4 KiB", 4096, 4096, 400000 },
	{ "64 KiB at 4 KiB: nearly all", 65536, 4096, 100000 },
	{ "1 KiB at 512 KiB", 1024, 524288, 40000000 },
	{ "256 KiB at 512 KiB", 262144, 524288, 400000 },
	{ "nothing at 512 KiB", 0, 524288, 100000 },
	{ "3 B at 2 B", 3, 2, 400000 },
};

/* |z| < 6: a false alarm in 5e8 rows. */
static bool agrees(double samples, double n, double p)
{
	const double sd = sqrt(n * p * (1 - p));
	return fabs(samples - n * p) <= 6 * sd + 1e-9;
}

START_TEST(test_sample_probability)
{
	const struct draw *d = &draws[_i];
	sample_set_rate(d->rate);
	sample_seed(0x70726f66);
	long samples = 0;
	for (long i = 0; i < d->n; i++)
		if (sample_countdown(d->size))
			samples += sample_due(d->size) != 0;
	const double p = -expm1(-(double)d->size / (double)d->rate);
	ck_assert_msg(agrees((double)samples, (double)d->n, p),
		      "%s: %ld samples, expected %.1f", d->name, samples,
		      (double)d->n * p);
	/* The same figures with 5 % more or less are refused, wherever there
	 * are enough of them to tell. */
	if ((double)d->n * p / (1 - p) > 60000) {
		ck_assert(!agrees((double)samples * 1.05, (double)d->n, p));
		ck_assert(!agrees((double)samples * 0.95, (double)d->n, p));
	}
}
END_TEST

/* A mixture of sizes: the estimates of both totals are unbiased. */
START_TEST(test_sample_mixture)
{
	static const size_t sizes[] = { 24, 1000, 30000, 500000, 3000000 };
	const int64_t rate = 524288;
	sample_set_rate(rate);
	sample_seed(7);
	struct rng rng;
	rng_seed(&rng, 11);
	double count = 0, bytes = 0, count_var = 0, bytes_var = 0;
	double true_count = 0, true_bytes = 0;
	for (long i = 0; i < 4000000; i++) {
		const size_t size = sizes[rng_below(&rng, 5)];
		const double w = sample_weight((double)size, rate);
		true_count++;
		true_bytes += (double)size;
		count_var += w - 1;
		bytes_var += (w - 1) * (double)size * (double)size;
		if (sample_countdown(size) && sample_due(size)) {
			count += w;
			bytes += w * (double)size;
		}
	}
	ck_assert_msg(fabs(count - true_count) < 6 * sqrt(count_var),
		      "%g objects for %g", count, true_count);
	ck_assert_msg(fabs(bytes - true_bytes) < 6 * sqrt(bytes_var),
		      "%g bytes for %g", bytes, true_bytes);
	ck_assert(fabs(bytes * 1.05 - true_bytes) > 6 * sqrt(bytes_var));
}
END_TEST

START_TEST(test_sample_all_and_none)
{
	static const size_t sizes[] = { 0, 1, 16, 1u << 30, SIZE_MAX };
	sample_set_rate(1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert(sample_countdown(sizes[i]));
		ck_assert_int_eq(sample_due(sizes[i]), 1);
	}
	sample_set_rate(0);
	for (size_t i = 0; i < 4; i++)
		if (sample_countdown(sizes[i]))
			ck_assert_int_eq(sample_due(sizes[i]), 0);
	/* A size that no allocator serves does not wind the countdown back. */
	sample_set_rate(524288);
	sample_seed(3);
	long samples = 0;
	for (long i = 0; i < 100000; i++) {
		if (sample_countdown(SIZE_MAX - 8))
			sample_due(SIZE_MAX - 8);
		if (sample_countdown(65536))
			samples += sample_due(65536) != 0;
	}
	const double p = -expm1(-65536.0 / 524288);
	ck_assert(agrees((double)samples, 100000, p));
}
END_TEST

START_TEST(test_sample_guard)
{
	sample_set_rate(1);
	guard_enter();
	ck_assert(sample_countdown(16));
	ck_assert_int_eq(sample_due(16), 0);
	guard_leave();
	ck_assert(sample_countdown(16));
	ck_assert_int_eq(sample_due(16), 1);
}
END_TEST

/* Each new thread's first allocation is sampled as any other is. */
enum { NEW_THREADS = 4000 };

static void *first_allocation(void *arg)
{
	long *samples = arg;
	if (sample_countdown(262144) && sample_due(262144))
		++*samples;
	return NULL;
}

START_TEST(test_sample_first_of_thread)
{
	sample_set_rate(524288);
	long samples = 0;
	for (int i = 0; i < NEW_THREADS; i++) {
		pthread_t t;
		ck_assert_int_eq(pthread_create(&t, NULL, first_allocation,
						&samples),
				 0);
		pthread_join(t, NULL);
	}
	const double p = -expm1(-262144.0 / 524288);
	ck_assert_msg(agrees((double)samples, NEW_THREADS, p),
		      "%ld of %d, expected %.0f", samples, NEW_THREADS,
		      NEW_THREADS * p);
}
END_TEST

/* A change of the rate reaches a thread that is counting down. */
static int changes;

static void count_change(void)
{
	changes++;
}

static void *count_down(void *arg)
{
	pthread_barrier_t *b = arg;
	if (sample_countdown(1))
		sample_due(1);
	pthread_barrier_wait(b);
	pthread_barrier_wait(b);
	ck_assert(sample_is_stale());
	ck_assert_int_eq(sample_due(1), 1);
	return NULL;
}

START_TEST(test_sample_change)
{
	sample_set_on_change(count_change);
	sample_set_rate(524288);
	if (sample_countdown(1))
		sample_due(1);
	ck_assert_int_eq(sample_set_rate(4096), 524288);
	/* Nobody but us has drawn a gap: nothing else to tell. */
	ck_assert_int_eq(changes, 0);
	pthread_barrier_t b;
	pthread_t t;
	pthread_barrier_init(&b, NULL, 2);
	pthread_create(&t, NULL, count_down, &b);
	pthread_barrier_wait(&b);
	ck_assert_int_eq(sample_set_rate(1), 4096);
	ck_assert_int_eq(changes, 1);
	pthread_barrier_wait(&b);
	pthread_join(t, NULL);
	ck_assert(sample_countdown(0));
}
END_TEST

static const struct class_row {
	size_t size, class;
} classes[] = {
	{ 0, 0 },
	{ 1, 1 },
	{ 31, 31 },
	{ 32, 32 },
	{ 33, 34 },
	{ 34, 34 },
	{ 63, 64 },
	{ 64, 64 },
	{ 65, 68 },
	{ 100, 100 },
	{ 1000, 1024 },
	{ 1024, 1024 },
	{ 1025, 1088 },
	{ 10240, 10240 },
	{ 1u << 20, 1u << 20 },
	{ (1u << 20) + 1, (1u << 20) + (1u << 16) },
};

START_TEST(test_sample_class)
{
	ck_assert_uint_eq(sample_class_size(classes[_i].size),
			  classes[_i].class);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("live");
	TCase *t = tcase_create("live");
	tcase_set_timeout(t, 60);
	testing_add_table(t, test_live_fill, fills);
	tcase_add_test(t, test_live_full);
	tcase_add_test(t, test_live_page_saturates);
	tcase_add_test(t, test_live_threads);
	suite_add_tcase(s, t);
	t = tcase_create("sample");
	tcase_set_timeout(t, 60);
	testing_add_table(t, test_sample_probability, draws);
	tcase_add_test(t, test_sample_mixture);
	tcase_add_test(t, test_sample_all_and_none);
	tcase_add_test(t, test_sample_guard);
	tcase_add_test(t, test_sample_first_of_thread);
	tcase_add_test(t, test_sample_change);
	testing_add_table(t, test_sample_class, classes);
	suite_add_tcase(s, t);
	return testing_run(s);
}
