/*
 * check_stack_table.c - the stack table: keys, caps, races of threads and
 * signals, snapshots.
 */
#include "pprof/lost.h"
#include "pprof/stack_table.h"
#include "tests/testing.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/rng.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static struct stack_table *table;

static void set_up(void)
{
	ck_assert_int_eq(stack_table_new(NULL, &table), 0);
}

static void tear_down(void)
{
	stack_table_free(table);
}

static const uintptr_t abc[] = { 1, 2, 3 }, abd[] = { 1, 2, 4 };

static const struct {
	const char *name;
	struct stack stack;
	uint32_t labels;
	uint64_t tag;
} distinct[] = {
	{ "plain", { .pcs = abc, .depth = 3 }, 0, 0 },
	{ "another pc", { .pcs = abd, .depth = 3 }, 0, 0 },
	{ "shorter", { .pcs = abc, .depth = 2 }, 0, 0 },
	{ "empty", { .pcs = abc, .depth = 0 }, 0, 0 },
	{ "truncated", { .pcs = abc, .depth = 3, .truncated = true }, 0, 0 },
	{ "exact", { .pcs = abc, .depth = 3, .exact_leaf = true }, 0, 0 },
	{ "labels", { .pcs = abc, .depth = 3 }, 1, 0 },
	{ "tag", { .pcs = abc, .depth = 3 }, 0, 1 },
};

START_TEST(keys_are_told_apart)
{
	struct stack_record *made[ARRAY_SIZE(distinct)];
	for (size_t i = 0; i < ARRAY_SIZE(distinct); i++) {
		made[i] = stack_table_find(table, &distinct[i].stack,
					   distinct[i].labels, distinct[i].tag);
		ck_assert_ptr_nonnull(made[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(made[i] != made[j], "%s is %s",
				      distinct[i].name, distinct[j].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(distinct); i++) {
		struct stack_record *again =
			stack_table_find(table, &distinct[i].stack,
					 distinct[i].labels, distinct[i].tag);
		ck_assert_msg(again == made[i], "%s", distinct[i].name);
		const struct stack s = stack_table_stack(table, again);
		ck_assert_uint_eq(s.depth, distinct[i].stack.depth);
		ck_assert_int_eq(s.truncated, distinct[i].stack.truncated);
		ck_assert_int_eq(s.exact_leaf, distinct[i].stack.exact_leaf);
		ck_assert(s.depth == 0 ||
			  memcmp(s.pcs, distinct[i].stack.pcs,
				 s.depth * sizeof(*s.pcs)) == 0);
		ck_assert_uint_eq(again->labels, distinct[i].labels);
		ck_assert_uint_eq(again->tag, distinct[i].tag);
	}
	ck_assert_uint_eq(stack_table_count(table), ARRAY_SIZE(distinct));
}
END_TEST

START_TEST(too_deep_is_cut_and_marked)
{
	uintptr_t pcs[STACK_DEPTH_MAX + 5];
	for (size_t i = 0; i < ARRAY_SIZE(pcs); i++)
		pcs[i] = i;
	struct stack_record *r = stack_table_find(
		table, &(struct stack){ .pcs = pcs, .depth = ARRAY_SIZE(pcs) },
		0, 0);
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->depth, STACK_DEPTH_MAX);
	ck_assert(r->truncated);
}
END_TEST

static const struct {
	const char *name;
	struct stack_table_options options;
	size_t expected; /* stacks of depth 4 that fit */
} caps[] = {
	{ "records run out", { .max_stacks = 100, .max_frames = 4000 }, 100 },
	{ "frames run out", { .max_stacks = 100, .max_frames = 41 }, 10 },
	{ "one", { .max_stacks = 1, .max_frames = 4 }, 1 },
};

START_TEST(a_full_table_says_so)
{
	struct stack_table *t;
	ck_assert_int_eq(stack_table_new(&caps[_i].options, &t), 0);
	size_t fitted = 0;
	for (uintptr_t i = 0; i < 1000; i++) {
		const uintptr_t pcs[] = { i, 7, 8, 9 };
		const struct stack s = { .pcs = pcs, .depth = 4 };
		if (stack_table_find(t, &s, 0, 0))
			fitted++;
		else
			lost_add(stack_table_lost(t), LOST_TABLE_FULL, 1, 10);
	}
	ck_assert_msg(fitted == caps[_i].expected, "%s: %zu", caps[_i].name,
		      fitted);
	ck_assert_uint_eq(stack_table_count(t), fitted);
	/* What is in is still found. */
	const uintptr_t first[] = { 0, 7, 8, 9 };
	ck_assert_ptr_nonnull(stack_table_find(
		t, &(struct stack){ .pcs = first, .depth = 4 }, 0, 0));
	struct stack_snapshot s;
	ck_assert_int_eq(stack_snapshot_take(t, &s), 0);
	ck_assert_int_eq(s.lost_samples[LOST_TABLE_FULL],
			 (int64_t)(1000 - fitted));
	ck_assert_int_eq(s.lost_weight[LOST_TABLE_FULL],
			 (int64_t)(1000 - fitted) * 10);
	stack_snapshot_free(&s);
	stack_table_free(t);
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	struct stack_table *t = NULL;
	ck_assert_int_eq(stack_table_new(
				 &(struct stack_table_options){
					 .max_stacks = 1000,
					 .max_frames = SIZE_MAX / 128 },
				 &t),
			 ERR_NOMEM);
	ck_assert_int_eq(stack_table_new(
				 &(struct stack_table_options){
					 .max_stacks = UINT32_MAX },
				 &t),
			 ERR_NOMEM);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(a_window_is_a_subtraction)
{
	const struct stack a = { .pcs = abc, .depth = 3 },
			   b = { .pcs = abd, .depth = 3 };
	stack_record_add(stack_table_find(table, &a, 0, 0), 1, 5);
	struct stack_snapshot before, after;
	ck_assert_int_eq(stack_snapshot_take(table, &before), 0);
	stack_record_add(stack_table_find(table, &a, 0, 0), 1, 2);
	stack_record_add(stack_table_find(table, &b, 0, 0), 3, 9);
	ck_assert_int_eq(stack_snapshot_take(table, &after), 0);
	ck_assert_int_eq(stack_snapshot_get(&after, 0, 1) -
				 stack_snapshot_get(&before, 0, 1),
			 2);
	ck_assert_int_eq(stack_snapshot_get(&after, 1, 3) -
				 stack_snapshot_get(&before, 1, 3),
			 9);
	ck_assert_int_eq(stack_snapshot_get(NULL, 0, 1), 0);
	ck_assert(after.monotonic_ns >= before.monotonic_ns);
	stack_snapshot_free(&before);
	stack_snapshot_free(&after);
	stack_snapshot_free(&after);

	lost_add(stack_table_lost(table), LOST_BLOCKED, 1, 1);
	stack_table_zero(table);
	ck_assert_int_eq(stack_snapshot_take(table, &after), 0);
	ck_assert_uint_eq(after.n, 2);
	ck_assert_int_eq(after.counters[0][1] + after.counters[1][3], 0);
	ck_assert_int_eq(after.lost_samples[LOST_BLOCKED], 0);
	stack_snapshot_free(&after);
}
END_TEST

/*
 * The storm: threads and a signal handler add to stacks drawn at random, each
 * counting what it did and what was refused; nothing may be missing, and no
 * stack may be there twice.
 */
enum { STACKS = 3000, THREADS = 4, ROUNDS = 30000, SIGNALS = 1000 };

static _Atomic int64_t added, refused;
static _Atomic bool signals_sent;

static void add_one(struct rng *rng)
{
	const uintptr_t n = rng_below(rng, STACKS);
	uintptr_t pcs[24];
	const uint32_t depth = 1 + n % ARRAY_SIZE(pcs);
	for (uint32_t i = 0; i < depth; i++)
		pcs[i] = n * 31 + i;
	struct stack_record *r =
		stack_table_find(table,
				 &(struct stack){ .pcs = pcs, .depth = depth },
				 (uint32_t)(n % 3), n);
	if (r) {
		stack_record_add(r, 0, 1);
		added++;
	} else {
		lost_add(stack_table_lost(table), LOST_TABLE_FULL, 1, 1);
		refused++;
	}
}

static _Thread_local struct rng handler_rng;
static _Atomic int handled;

static void on_signal(int sig)
{
	(void)sig;
	if (handler_rng.s[0] == 0)
		rng_seed(&handler_rng, (uint64_t)(uintptr_t)&handler_rng);
	for (int i = 0; i < 20; i++)
		add_one(&handler_rng);
	handled++;
}

static void *hammer(void *arg)
{
	struct rng rng;
	rng_seed(&rng, (uint64_t)(uintptr_t)arg);
	intptr_t rounds = 0;
	do {
		add_one(&rng);
		rounds++;
	} while (rounds < ROUNDS || !signals_sent);
	return (void *)rounds;
}

static void *watch(void *arg)
{
	const _Atomic bool *stop = arg;
	int64_t last = 0;
	while (!*stop) {
		struct stack_snapshot s;
		if (stack_snapshot_take(table, &s) != 0)
			return (void *)"no memory";
		int64_t sum = 0;
		for (size_t i = 0; i < s.n; i++)
			sum += s.counters[i][0];
		stack_snapshot_free(&s);
		if (sum < last)
			return (void *)"counters went back";
		last = sum;
	}
	return NULL;
}

static int64_t check_unique_and_sum(void)
{
	static bool seen[STACKS];
	int64_t sum = 0;
	for (size_t i = 0; i < stack_table_count(table); i++) {
		const struct stack_record *r = stack_table_at(table, i);
		if (!r)
			continue;
		ck_assert_uint_lt(r->tag, STACKS);
		ck_assert_msg(!seen[r->tag], "stack %d twice", (int)r->tag);
		seen[r->tag] = true;
		const struct stack s = stack_table_stack(table, r);
		ck_assert_uint_eq(s.depth, 1 + r->tag % 24);
		for (uint32_t f = 0; f < s.depth; f++)
			ck_assert_uint_eq(s.pcs[f], r->tag * 31 + f);
		sum += stack_record_get(r, 0);
	}
	return sum;
}

static const size_t storm_sizes[] = { 0, 1000 }; /* ample, and too small */

START_TEST(a_storm_of_threads_and_signals)
{
	stack_table_free(table);
	ck_assert_int_eq(stack_table_new(
				 &(struct stack_table_options){
					 .max_stacks = storm_sizes[_i] },
				 &table),
			 0);
	const struct sigaction sa = { .sa_handler = on_signal,
				      .sa_flags = SA_RESTART };
	ck_assert_int_eq(sigaction(SIGALRM, &sa, NULL), 0);
	const struct itimerval often = { .it_interval = { .tv_usec = 300 },
					 .it_value = { .tv_usec = 300 } };
	setitimer(ITIMER_REAL, &often, NULL);

	_Atomic bool stop = false;
	pthread_t threads[THREADS], watcher;
	ck_assert_int_eq(pthread_create(&watcher, NULL, watch, &stop), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer,
						(void *)(uintptr_t)(i + 1)),
				 0);
	/* Signals to the threads themselves: timers alone would mostly find
	 * the same one. */
	for (int round = 0; round < SIGNALS || handled < 200; round++) {
		pthread_kill(threads[round % THREADS], SIGALRM);
		if (round % 32 == 0)
			sched_yield();
	}
	signals_sent = true;
	int64_t rounds = 0;
	for (int i = 0; i < THREADS; i++) {
		void *done;
		pthread_join(threads[i], &done);
		rounds += (intptr_t)done;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	stop = true;
	void *complaint;
	pthread_join(watcher, &complaint);
	ck_assert_msg(!complaint, "%s", (const char *)complaint);

	ck_assert_int_gt(handled, 100);
	ck_assert_int_eq(added + refused, rounds + 20 * (int64_t)handled);
	ck_assert_int_eq(check_unique_and_sum(), added);
	ck_assert(storm_sizes[_i] == 0 ? refused == 0 : refused > 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack_table");
	TCase *tc = tcase_create("stack_table");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, keys_are_told_apart);
	tcase_add_test(tc, too_deep_is_cut_and_marked);
	testing_add_table(tc, a_full_table_says_so, caps);
	tcase_add_test(tc, no_memory_is_an_error);
	tcase_add_test(tc, a_window_is_a_subtraction);
	testing_add_table(tc, a_storm_of_threads_and_signals, storm_sizes);
	suite_add_tcase(suite, tc);
	return testing_run(suite);
}
