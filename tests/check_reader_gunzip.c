/*
 * check_reader_gunzip.c - the reader's gunzip beside zlib's: the same bytes, or
 * the same error in the same words, whatever is done to the data.
 */
#include "base/attr.h"
#include "base/err.h"
#include "profile/inflate.h"
#include "testing.h"
#include "tools/reader_gunzip.h"

#include <string.h>
#include <zlib.h>

enum { PLAIN = 20000, CAP = 1 << 16 };

struct packed {
	uint8_t data[2 * CAP];
	size_t len;
};

/* Neither all alike nor all different. */
static void fill(uint8_t *plain, size_t len)
{
	uint32_t x = 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		plain[i] = x >> 28 ? plain[i / 2] : (uint8_t)(x >> 8);
	}
}

/* Append a member of len bytes. */
static void pack(struct packed *p, size_t len, int level, bool header_crc)
{
	uint8_t plain[PLAIN] = { 7 };
	z_stream z = { 0 };
	gz_header header = { .hcrc = header_crc };
	ck_assert_uint_le(len, PLAIN);
	fill(plain, len);
	ck_assert_int_eq(deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 8,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	if (header_crc)
		ck_assert_int_eq(deflateSetHeader(&z, &header), Z_OK);
	z.next_in = plain;
	z.avail_in = (uInt)len;
	z.next_out = p->data + p->len;
	z.avail_out = (uInt)(sizeof(p->data) - p->len);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	p->len = sizeof(p->data) - z.avail_out;
	deflateEnd(&z);
}

/* Returns: did libdeflate do it? */
static bool compare(const uint8_t *data, size_t len, size_t max,
		    const char *what, size_t at)
{
	uint8_t *ours = NULL, *theirs = NULL, *at_once = NULL;
	size_t n_ours = 0, n_theirs = 0, n = 0;
	struct err e_ours = { "" }, e_theirs = { "" };
	const int rc = gunzip(data, len, max, &ours, &n_ours, &e_ours);
	const int wanted =
		inflate_gzip(data, len, max, &theirs, &n_theirs, &e_theirs);
	ck_assert_msg(rc == wanted, "%s %zu: %d, not %d: %s", what, at, rc,
		      wanted, e_theirs.text);
	ck_assert_str_eq(e_ours.text, e_theirs.text);
	if (!rc) {
		ck_assert_uint_eq(n_ours, n_theirs);
		ck_assert(!memcmp(ours, theirs, n_ours));
		free(ours);
		free(theirs);
	}
	const bool whole = gunzip_at_once(data, len, max, &at_once, &n);
	if (whole)
		free(at_once);
	return whole;
}

START_TEST(what_is_simple_goes_at_once)
{
	for (int level = 0; level <= 9; level++)
		for (size_t len = 1; len <= PLAIN; len = len * 3 + 1) {
			struct packed p = { .len = 0 };
			pack(&p, len, level, false);
			ck_assert(compare(p.data, p.len, CAP, "level",
					  (size_t)level));
			ck_assert(compare(p.data, p.len, len, "the cap", len));
			ck_assert(!compare(p.data, p.len, len - 1,
					   "above the cap", len));
		}
}
END_TEST

START_TEST(what_is_not_goes_as_before)
{
	struct packed p = { .len = 0 };
	pack(&p, 0, 9, false);
	ck_assert(!compare(p.data, p.len, CAP, "nothing", 0));
	p.len = 0;
	pack(&p, 1000, 9, true);
	ck_assert(!compare(p.data, p.len, CAP, "a header with its sum", 0));
	p.data[p.len] = 0;
	ck_assert(!compare(p.data, p.len + 1, CAP, "a byte more", 0));
	p.len = 0;
	pack(&p, 1000, 9, false);
	pack(&p, 1000, 1, false);
	ck_assert(!compare(p.data, p.len, CAP, "two members", 0));
}
END_TEST

START_TEST(what_is_broken_is_told_alike)
{
	struct packed p = { .len = 0 };
	pack(&p, 3000, 6, false);
	for (size_t len = 0; len < p.len; len++)
		ck_assert(!compare(p.data, len, CAP, "cut at", len));
	for (size_t bit = 0; bit < 8 * p.len; bit++) {
		p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		compare(p.data, p.len, CAP, "bit", bit);
		p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* One that says it is longer than it can be. */
	memset(p.data + p.len - 4, 0xff, 4);
	ck_assert(!compare(p.data, p.len, SIZE_MAX, "length", 0));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gunzip");
	TCase *t = tcase_create("beside zlib");
	tcase_add_test(t, what_is_simple_goes_at_once);
	tcase_add_test(t, what_is_not_goes_as_before);
	tcase_add_test(t, what_is_broken_is_told_alike);
	suite_add_tcase(s, t);
	return testing_run(s);
}
