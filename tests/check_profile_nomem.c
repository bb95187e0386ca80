/*
 * check_profile_nomem.c - every allocation of src/profile fails once.  The
 * linker puts __wrap_malloc and its kin between the program and libc; zlib's
 * allocations are not ours to fail, its first one is.
 */
#include "tests/testing.h"

#include "base/err.h"
#include "profile/decode.h"
#include "tests/profile_fixture.h"

#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

/* Allocations until one fails, and all after it; negative: none does. */
static long allowed = -1;
static long failures;

static bool may_allocate(void)
{
	if (allowed < 0)
		return true;
	if (allowed > 0) {
		allowed--;
		return true;
	}
	failures++;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return may_allocate() ? __real_realloc(p, size) : NULL;
}

static struct profile *rich, *other;
static struct buf plain, packed;

static int take_bytes(void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return 0;
}

/*
 * Each returns 0, or ERR_NOMEM having freed all and changed nothing.  No
 * ck_assert in here: Check allocates, too.
 */

static int try_build(struct err *e)
{
	struct profile *p = fixture_rich();
	(void)e;
	profile_free(p);
	return p ? 0 : ERR_NOMEM;
}

static int try_copy(struct err *e)
{
	struct profile *p = profile_copy(rich);
	(void)e;
	profile_free(p);
	return p ? 0 : ERR_NOMEM;
}

static int try_decode(const struct buf *b, struct err *e)
{
	struct profile *p = NULL;
	const int rc = profile_decode(b->data, b->len, NULL, &p, e);
	const bool half = !p != (rc != 0);
	profile_free(p);
	return half ? ERR_INVALID : rc;
}

static int try_decode_plain(struct err *e)
{
	return try_decode(&plain, e);
}

static int try_decode_packed(struct err *e)
{
	return try_decode(&packed, e);
}

static int try_encode(struct err *e)
{
	const struct sink sink = { take_bytes, NULL };
	return profile_encode(rich, PROFILE_GZIP, &sink, e);
}

static int try_merge(struct err *e)
{
	const struct profile *ps[] = { rich, other, rich };
	struct profile *p = NULL;
	const int rc = profile_merge(ps, 3, &p, e);
	const bool half = !p != (rc != 0);
	profile_free(p);
	return half ? ERR_INVALID : rc;
}

static int try_subtract(struct err *e)
{
	struct profile *p = NULL;
	const int rc = profile_subtract(rich, other, &p, e);
	profile_free(p);
	return rc;
}

static int try_normalize(struct err *e)
{
	return profile_normalize(other, rich, e);
}

static const struct {
	const char *name;
	int (*run)(struct err *);
} tries[] = {
	{ "build", try_build },
	{ "copy", try_copy },
	{ "decode, plain", try_decode_plain },
	{ "decode, gzip", try_decode_packed },
	{ "encode", try_encode },
	{ "merge", try_merge },
	{ "subtract", try_subtract },
	{ "normalize", try_normalize },
};

START_TEST(each_allocation_fails)
{
	rich = fixture_rich();
	other = fixture_rich();
	other->values[0] += 5;
	fixture_encode(&plain, rich, PROFILE_PLAIN);
	fixture_encode(&packed, rich, PROFILE_GZIP);
	long n = 0;
	for (;; n++) {
		struct err e = { "" };
		failures = 0;
		allowed = n;
		const int rc = tries[_i].run(&e);
		allowed = -1;
		if (!failures) {
			ck_assert_msg(!rc, "%s: %s", tries[_i].name, e.text);
			break;
		}
		/* A failed trim costs room, not the result. */
		if (rc)
			ck_assert_msg(rc == ERR_NOMEM, "%s, allocation %ld: %s",
				      tries[_i].name, n, e.text);
	}
	ck_assert_msg(n > 0, "%s allocates %ld times", tries[_i].name, n);
	char why[FIXTURE_TEXT];
	struct profile *same = fixture_rich();
	const char *differs = fixture_difference(rich, same, why);
	ck_assert_msg(!differs, "%s: %s", tries[_i].name, differs);
	profile_free(same);
	profile_free(rich);
	profile_free(other);
	buf_free(&plain);
	buf_free(&packed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile_nomem");
	TCase *tcase = tcase_create("nomem");
	tcase_set_timeout(tcase, 30);
	testing_add_table(tcase, each_allocation_fails, tries);
	suite_add_tcase(suite, tcase);
	return testing_run(suite);
}
