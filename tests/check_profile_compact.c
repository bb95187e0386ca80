/*
 * check_profile_compact.c - profile_compact gives what profile_merge of one
 * profile gives, in place or not.
 */
#include "base/err.h"
#include "profile/profile.h"
#include "tests/profile_fixture.h"
#include "tests/testing.h"

#include <string.h>

enum { SEEDS = 400 };

/* Compact p and compare with the merge of it alone.  Frees p. */
static void check_compact(struct profile *p, int seed)
{
	struct profile *merged;
	struct err e = { "" };
	char why[FIXTURE_TEXT];
	const struct profile *one = p;
	ck_assert_int_eq(profile_merge(&one, 1, &merged, &e), 0);
	ck_assert_int_eq(profile_compact(&p, &e), 0);
	ck_assert_int_eq(profile_validate(p, &e), 0);
	const char *difference = fixture_difference(merged, p, why);
	ck_assert_msg(!difference, "seed %d: %s", seed, difference);
	profile_free(merged);
	profile_free(p);
}

START_TEST(random_profiles)
{
	for (int seed = 0; seed < SEEDS; seed++) {
		struct profile *p = fixture_random((uint64_t)seed);
		ck_assert_ptr_nonnull(p);
		check_compact(p, seed);
	}
}
END_TEST

/* Many samples with the same stack, so that rows move up. */
START_TEST(duplicates)
{
	struct profile *p = fixture_rich();
	ck_assert_ptr_nonnull(p);
	const size_t n = p->n_samples;
	for (int copies = 0; copies < 3; copies++)
		for (size_t i = 0; i < n; i++) {
			int64_t values[16];
			const struct profile_span l = p->sample_locs[i];
			uint32_t locs[64];
			ck_assert(l.count <= 64 && p->n_sample_types <= 16);
			memcpy(locs, p->locs + l.first,
			       l.count * sizeof(*locs));
			memcpy(values, p->values + i * p->n_sample_types,
			       p->n_sample_types * sizeof(*values));
			ck_assert(profile_add_sample(p, locs, l.count, values,
						     NULL, 0) != PROFILE_NONE);
		}
	check_compact(p, -1);
}
END_TEST

/* Spans that do not follow each other cannot be rewritten where they stand. */
START_TEST(out_of_order)
{
	for (int seed = 0; seed < SEEDS; seed++) {
		struct profile *p = fixture_random((uint64_t)seed);
		ck_assert_ptr_nonnull(p);
		for (size_t i = 0, k = p->n_samples; i + 1 < k; i++) {
			k--;
			const struct profile_span s = p->sample_locs[i];
			p->sample_locs[i] = p->sample_locs[k];
			p->sample_locs[k] = s;
		}
		check_compact(p, seed);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("profile_compact");
	TCase *t = tcase_create("compact");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, random_profiles);
	tcase_add_test(t, duplicates);
	tcase_add_test(t, out_of_order);
	suite_add_tcase(s, t);
	return testing_run(s);
}
