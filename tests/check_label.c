/*
 * check_label.c - label sets: interning, caps, inheritance by pprof_do, reads
 * from handlers.
 */
#include "pprof/label.h"
#include "tests/testing.h"

#include "base/attr.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

static char text256[257], text257[258];

static void fill_texts(void)
{
	memset(text256, 'k', 256);
	memset(text257, 'k', 257);
}

static const struct {
	const char *name;
	struct pprof_label in[4];
	size_t n;
	struct pprof_label out[4];
	size_t n_out;
} sets[] = {
	{ "none", { { 0 } }, 0, { { 0 } }, 0 },
	{ "one", { { "a", "1" } }, 1, { { "a", "1" } }, 1 },
	{ "sorted",
	  { { "b", "2" }, { "c", "3" }, { "a", "1" } },
	  3,
	  { { "a", "1" }, { "b", "2" }, { "c", "3" } },
	  3 },
	{ "the last wins",
	  { { "a", "1" }, { "b", "2" }, { "a", "3" } },
	  3,
	  { { "a", "3" }, { "b", "2" } },
	  2 },
	{ "empty value", { { "a", "" } }, 1, { { "a", "" } }, 1 },
	{ "longest", { { text256, text256 } }, 1, { { text256, text256 } }, 1 },
};

START_TEST(sets_hold_what_was_given)
{
	const int64_t set = label_set_intern(sets[_i].in, sets[_i].n);
	ck_assert_int_ge(set, 0);
	ck_assert_int_eq(label_set_intern(sets[_i].in, sets[_i].n), set);
	ck_assert_int_eq(label_set_intern(sets[_i].out, sets[_i].n_out), set);
	const struct pprof_label *got;
	const size_t n = label_set_get((uint32_t)set, &got);
	ck_assert_msg(n == sets[_i].n_out, "%s: %zu", sets[_i].name, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_str_eq(got[i].key, sets[_i].out[i].key);
		ck_assert_str_eq(got[i].value, sets[_i].out[i].value);
		ck_assert_ptr_ne(got[i].key, sets[_i].in[i].key);
	}
}
END_TEST

static const struct {
	const char *name;
	struct pprof_label label;
	int code;
} refused[] = {
	{ "no key", { NULL, "v" }, PPROF_ERR_INVALID },
	{ "no value", { "k", NULL }, PPROF_ERR_INVALID },
	{ "empty key", { "", "v" }, PPROF_ERR_INVALID },
	{ "long key", { text257, "v" }, PPROF_ERR_LIMIT },
	{ "long value", { "k", text257 }, PPROF_ERR_LIMIT },
};

START_TEST(refusals_change_nothing)
{
	ck_assert_int_eq(pprof_set_labels(&(struct pprof_label){ "a", "1" }, 1),
			 0);
	const uint32_t before = label_set_current();
	const int code = pprof_set_labels(&refused[_i].label, 1);
	ck_assert_msg(code == refused[_i].code, "%s: %d", refused[_i].name,
		      code);
	ck_assert_uint_eq(label_set_current(), before);
	ck_assert_int_eq(pprof_set_labels(NULL, 1), PPROF_ERR_INVALID);
}
END_TEST

START_TEST(sixteen_are_allowed)
{
	char keys[17][8];
	struct pprof_label labels[17];
	for (int i = 0; i < 17; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%02d", i);
		labels[i] = (struct pprof_label){ keys[i], "v" };
	}
	ck_assert_int_eq(pprof_set_labels(labels, 17), PPROF_ERR_LIMIT);
	ck_assert_int_eq(pprof_set_labels(labels, 16), 0);
	/* One of the same key is no seventeenth. */
	labels[16].key = "k03";
	ck_assert_int_eq(pprof_set_labels(labels, 17), 0);
	const struct pprof_label *got;
	ck_assert_uint_eq(label_set_get(label_set_current(), &got), 16);
}
END_TEST

START_TEST(too_many_sets_overflow)
{
	int overflowed = 0;
	char value[16];
	const struct pprof_label label = { "n", value };
	int64_t first = -1;
	for (int i = 0; i < LABEL_SETS_MAX + 100; i++) {
		snprintf(value, sizeof(value), "%d", i);
		const int64_t set = label_set_intern(&label, 1);
		ck_assert_int_gt(set, 0);
		overflowed += set == LABEL_SET_OVERFLOW;
		first = i == 0 ? set : first;
	}
	ck_assert_int_eq(overflowed, 102);
	const struct pprof_label *got;
	ck_assert_uint_eq(label_set_get(LABEL_SET_OVERFLOW, &got), 1);
	ck_assert_str_eq(got->key, "pprof_labels");
	ck_assert_str_eq(got->value, "overflow");
	/* Those that are in are still found. */
	snprintf(value, sizeof(value), "0");
	ck_assert_int_eq(label_set_intern(&label, 1), first);
	ck_assert_uint_eq(label_set_get(LABEL_SETS_MAX + 7, &got), 0);
}
END_TEST

static void inner(void *arg)
{
	const struct pprof_label *got;
	const size_t n = label_set_get(label_set_current(), &got);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(got[0].key, "a");
	ck_assert_str_eq(got[0].value, "1");
	ck_assert_str_eq(got[1].key, "b");
	ck_assert_str_eq(got[1].value, "new");
	ck_assert_str_eq(got[2].key, "c");
	*(int *)arg += 1;
}

START_TEST(do_adds_for_a_while)
{
	const struct pprof_label outer[] = { { "a", "1" }, { "b", "old" } };
	const struct pprof_label more[] = { { "c", "3" }, { "b", "new" } };
	ck_assert_int_eq(pprof_set_labels(outer, 2), 0);
	const uint32_t before = label_set_current();
	int ran = 0;
	ck_assert_int_eq(pprof_do(more, 2, inner, &ran), 0);
	ck_assert_int_eq(ran, 1);
	ck_assert_uint_eq(label_set_current(), before);
}
END_TEST

static void count_runs(void *arg)
{
	*(int *)arg += 1;
}

START_TEST(do_runs_even_so)
{
	int ran = 0;
	ck_assert_int_eq(pprof_do(&refused[0].label, 1, count_runs, &ran),
			 refused[0].code);
	ck_assert_int_eq(ran, 1);
}
END_TEST

/*
 * The storm: threads intern and set, a handler reads the current set; what it
 * reads must be a whole set whose labels belong together.
 */
static _Atomic bool over;
static _Atomic long reads, torn;

static void on_signal(int sig)
{
	(void)sig;
	const struct pprof_label *l;
	const size_t n = label_set_get(label_set_current(), &l);
	if (n == 2 && strcmp(l[0].value, l[1].value) != 0)
		torn++;
	if (n != 0 && n != 2)
		torn++;
	reads++;
}

static void *set_and_set(void *arg)
{
	char value[16];
	const struct pprof_label labels[] = { { "x", value }, { "y", value } };
	for (unsigned i = (unsigned)(uintptr_t)arg; !over; i++) {
		snprintf(value, sizeof(value), "%u", i % 3000);
		if (pprof_set_labels(labels, 2) != 0)
			torn++;
	}
	return NULL;
}

START_TEST(a_storm_of_signals)
{
	const struct sigaction sa = { .sa_handler = on_signal,
				      .sa_flags = SA_RESTART };
	sigaction(SIGUSR1, &sa, NULL);
	pthread_t threads[3];
	for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, set_and_set,
			       (void *)(i * 1000));
	for (int i = 0; i < 3000 || reads < 300; i++) {
		pthread_kill(threads[i % 3], SIGUSR1);
		if (i % 64 == 0)
			sched_yield();
	}
	over = true;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(torn, 0);
	/* 3000 different sets, however many threads raced for each. */
	ck_assert_int_lt(
		label_set_intern(&(struct pprof_label){ "last", "one" }, 1),
		3000 + 3);
}
END_TEST

int main(void)
{
	fill_texts();
	Suite *suite = suite_create("label");
	TCase *tc = tcase_create("label");
	tcase_set_timeout(tc, 30);
	testing_add_table(tc, sets_hold_what_was_given, sets);
	testing_add_table(tc, refusals_change_nothing, refused);
	tcase_add_test(tc, sixteen_are_allowed);
	tcase_add_test(tc, too_many_sets_overflow);
	tcase_add_test(tc, do_adds_for_a_while);
	tcase_add_test(tc, do_runs_even_so);
	tcase_add_test(tc, a_storm_of_signals);
	suite_add_tcase(suite, tc);
	return testing_run(suite);
}
