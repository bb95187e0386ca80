/*
 * check_profile_decode.c - the decoder: what it accepts, what it refuses and
 * in which words, and that no input takes it further than its limits.
 */
#include "tests/testing.h"

#include "base/err.h"
#include "profile/decode.h"
#include "tests/profile_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static int decode(const struct buf *b, struct profile **ret, struct err *e)
{
	*ret = NULL;
	return profile_decode(buf_str(b), b->len, NULL, ret, e);
}

/* ---- refused ------------------------------------------------------------- */

#define TYPES "1{1:1 2:2} "
#define TABLE "6'' 6'samples' 6'count' "

static const struct {
	const char *name, *wire, *text;
} invalid[] = {
	{ "text", "~3c~21~44~4f~43",
	  "parsing profile: unrecognized profile format (as profile.proto: "
	  "unknown wire type in Profile at byte 0)" },
	{ "nothing", "", "parsing profile: empty input file" },
	{ "no strings", "9:5",
	  "malformed profile format: there is no "
	  "string_table" },
	{ "string 0", "6'x'", "string_table[0] must be '' at byte 0" },
	{ "string 0 later", "9:1 6'x'",
	  "string_table[0] must be '' at byte 2" },
	{ "string out of range", TABLE "7:3",
	  "parsing profile: malformed profile format: Profile.drop_frames is "
	  "string 3 of 3 at byte 18" },
	{ "string negative", TABLE "7:-1",
	  "parsing profile: malformed profile format: Profile.drop_frames is "
	  "string -1 of 3 at byte 18" },
	{ "concatenated", TABLE "9:5 9:5",
	  "parsing profile: concatenated profiles detected at byte 20" },
	{ "no types", TABLE "2{2:1}",
	  "malformed profile: missing sample type information at byte 18" },
	{ "too few values", TABLE TYPES "2{}",
	  "malformed profile: mismatch: sample has 0 values vs. 1 types at "
	  "byte 24" },
	{ "too many values", TABLE TYPES "2{2[1 2] 2:3}",
	  "malformed profile: mismatch: sample has 3 values vs. 1 types at "
	  "byte 24" },
	{ "one sample too few", TABLE TYPES TYPES "2{2[1 2]} 2{2[1]}",
	  "malformed profile: mismatch: sample has 1 values vs. 2 types at "
	  "byte 36" },
	{ "more types than bytes", TABLE TYPES TYPES TYPES TYPES "2{2[1 2]}",
	  "malformed profile: mismatch: sample has 2 values vs. 4 types at "
	  "byte 42" },
	{ "nil location", TABLE TYPES "2{1:1 2:1}",
	  "malformed profile: sample has nil location: there is no location 1 "
	  "at byte 26" },
	{ "nil location, packed", TABLE TYPES "4{1:1} 2{1[1 1 2] 2:1}",
	  "malformed profile: sample has nil location: there is no location 2 "
	  "at byte 34" },
	{ "location 0", TABLE TYPES "4{1:1} 2{1[0] 2:1}",
	  "malformed profile: sample has nil location: there is no location 0 "
	  "at byte 32" },
	{ "location 0, sparse", TABLE TYPES "4{1:900000} 2{1[0] 2:1}",
	  "malformed profile: sample has nil location: there is no location 0 "
	  "at byte 34" },
	{ "mapping id 0", TABLE "3{2:5}",
	  "malformed profile: found mapping with reserved ID=0 at byte 18" },
	{ "function id 0", TABLE "5{2:1}",
	  "malformed profile: found function with reserved ID=0 at byte 18" },
	{ "location id 0", TABLE "4{3:1}",
	  "malformed profile: found location with reserved id=0 at byte 18" },
	{ "mapping twice", TABLE "3{1:7} 3{1:7}",
	  "malformed profile: multiple mappings with same id: 7" },
	{ "function twice", TABLE "5{1:1} 5{1:1}",
	  "malformed profile: multiple functions with same id: 1" },
	{ "location twice", TABLE "4{1:1} 4{1:2} 4{1:2}",
	  "malformed profile: multiple locations with same id: 2" },
	{ "location twice, sparse", TABLE "4{1:1} 4{1:-1} 4{1:-1}",
	  "malformed profile: multiple locations with same id: "
	  "18446744073709551615" },
	{ "mapping backwards", TABLE "3{1:1 2:9 3:8}",
	  "malformed profile: mapping 1 starts at 0x9, after its limit 0x8 at "
	  "byte 18" },
	{ "function missing", TABLE "4{1:1 4{2:7}}",
	  "malformed profile: location has a line with nil function: there is "
	  "no function 0 at byte 22" },
	{ "label string", TABLE TYPES "2{2:1 3{1:9}}",
	  "parsing profile: malformed profile format: Label.key is string 9 "
	  "of 3 at byte 30" },
	{ "comment string", TABLE "13[1 9]",
	  "parsing profile: malformed profile format: Profile.comment is "
	  "string 9 of 3 at byte 21" },
	{ "sample is a number", TABLE "2:1",
	  "type mismatch: Profile.sample has wire type 0 at byte 18" },
	{ "string is a number", "6:1",
	  "type mismatch: Profile.string_table has wire type 0 at byte 0" },
	{ "id is bytes", TABLE "3{1'x'}",
	  "parsing profile: type mismatch: Mapping.id has wire type 2 at byte "
	  "20" },
	{ "value is fixed", TABLE TYPES "2{2!1}",
	  "parsing profile: type mismatch: Sample.value has wire type 1 at "
	  "byte 26" },
	{ "location is fixed", TABLE TYPES "2{1?1}",
	  "parsing profile: type mismatch: Sample.location_id has wire type 5 "
	  "at byte 26" },
	{ "label is a number", TABLE TYPES "2{3:1}",
	  "parsing profile: type mismatch: Sample.label has wire type 0 at "
	  "byte 26" },
	{ "line is a number", TABLE "4{4:1}",
	  "parsing profile: type mismatch: Location.line has wire type 0 at "
	  "byte 20" },
	{ "group", TABLE "~0b", "unknown wire type in Profile at byte 18" },
	{ "length too long", TABLE "~32~05~61~62",
	  "too much data: a length passes the end in Profile at byte 18" },
	{ "inner length too long", TABLE TYPES "2{~0a~09~01}",
	  "too much data: a length passes the end in Sample at byte 26" },
	{ "packed varint cut", TABLE TYPES "2{1'\xff'}",
	  "parsing profile: bad varint in Sample.location_id at byte 28" },
	{ "packed value cut", TABLE TYPES "2{2'\xff\xff'}",
	  "parsing profile: bad varint in Sample.value at byte 28" },
	{ "varint of eleven", TABLE "~48~ff~ff~ff~ff~ff~ff~ff~ff~ff~ff~01",
	  "bad varint in Profile at byte 18" },
	{ "fixed cut", TABLE "~a1~01~00~00~00",
	  "not enough data in Profile at byte 18" },
};

START_TEST(refused)
{
	/* The table's raw bytes stand for themselves in the notation. */
	struct buf b = { 0 };
	struct profile *p;
	struct err e = { "" };
	fixture_wire(&b, invalid[_i].wire);
	ck_assert_msg(decode(&b, &p, &e) == ERR_FORMAT, "%s: accepted",
		      invalid[_i].name);
	ck_assert_ptr_null(p);
	ck_assert_msg(strstr(e.text, invalid[_i].text), "%s: %s",
		      invalid[_i].name, e.text);
	ck_assert_int_eq(profile_decode(buf_str(&b), b.len, NULL, &p, NULL),
			 ERR_FORMAT);
	buf_free(&b);
}
END_TEST

/* ---- accepted: each row is the same profile ------------------------------ */

#define SAMPLE	  "2{1[1 2] 2:9} "
#define FUNCTION  "5{1:1 2:1} "
#define LOCATIONS "4{1:1 3:5 4{1:1 2:3}} 4{1:2 3:6} "
static const char plain[] = TYPES SAMPLE LOCATIONS FUNCTION TABLE "12:7 13:1";

static const struct {
	const char *name, *wire;
} accepted[] = {
	{ "strings first", TABLE FUNCTION LOCATIONS SAMPLE "12:7 13:1 " TYPES },
	{ "unpacked",
	  TYPES "2{1:1 2:9 1:2} " LOCATIONS FUNCTION TABLE "13:1 12:7" },
	{ "packed in pieces", TYPES
	  "2{1[1] 2[9] 1[2] 1[] 2[]} " LOCATIONS FUNCTION TABLE "12:7 13[1]" },
	{ "mixed up",
	  "6'' 2{2:9 1:1 1:2} 4{3:5 1:1 4{2:3 1:1}} 6'samples' " FUNCTION
	  "12:3 4{1:2 3:6} 1{2:2 1:1} 6'count' 12:7 13:1" },
	{ "sparse ids",
	  TYPES "2{1[-1 7000000000] 2:9} "
		"4{1:-1 3:5 4{1:90000000 2:3}} "
		"4{1:7000000000 3:6} 5{1:90000000 2:1} " TABLE "12:7 13:1" },
	{ "ids backwards",
	  TYPES "2{1[2 1] 2:9} 4{1:2 3:5 4{1:1 2:3}} 4{1:1 3:6} " FUNCTION TABLE
		"12:7 13:1" },
	{ "unknown fields", "99'later' 2047:1 " TYPES "2{1[1 2] 9'x' 2:9 15!8} "
			    "4{1:1 3:5 4{1:1 2:3 3:8} 77:1} 4{1:2 3:6 6?1} "
			    "5{1:1 2:1 6'new'} " TABLE "12:7 13:1 16:1" },
	{ "labels that say nothing", TYPES
	  "2{1[1 2] 2:9 3{1:1} 3{}} " LOCATIONS FUNCTION TABLE "12:7 13:1" },
	{ "overlong varints",
	  TYPES "2{~0a~04~81~00~82~00~10~89~80~80~00} " LOCATIONS FUNCTION TABLE
		"12:7 13:1" },
	{ "strings twice",
	  TYPES SAMPLE LOCATIONS "5{1:1 2:3} " TABLE "6'samples' 12:7 13:3" },
	{ "mapping missing", TYPES SAMPLE
	  "4{1:1 2:9 3:5 4{1:1 2:3}} 4{1:2 2:-1 3:6} " FUNCTION TABLE
	  "12:7 13:1" },
	{ "last of a scalar", plain },
};

START_TEST(all_the_same)
{
	struct buf a = { 0 }, b = { 0 };
	struct profile *p, *q;
	struct err e = { "" };
	char why[FIXTURE_TEXT];
	fixture_wire(&a, plain);
	fixture_wire(&b, accepted[_i].wire);
	ck_assert_msg(!decode(&a, &p, &e), "%s", e.text);
	ck_assert_msg(!decode(&b, &q, &e), "%s: %s", accepted[_i].name, e.text);
	const char *differs = fixture_difference(p, q, why);
	ck_assert_msg(!differs, "%s: %s", accepted[_i].name, differs);
	ck_assert_uint_eq(p->n_locs, 2);
	ck_assert_int_eq(p->values[0], 9);
	ck_assert_int_eq(p->period, 7);
	profile_free(p);
	profile_free(q);
	buf_free(&a);
	buf_free(&b);
}
END_TEST

START_TEST(details)
{
	struct buf b = { 0 };
	struct profile *p;
	struct err e = { "" };
	/* A label's text counts before its number; the last period_type does,
	 * whole; a mapping may have no limit. */
	fixture_wire(&b, TABLE TYPES "11{1:1 2:2} 11{1:2} 3{1:1 2:9 7:-1}"
				     "2{2:5 3{1:1 2:2 3:4 4:1} 3{3:-1}}");
	ck_assert_msg(!decode(&b, &p, &e), "%s", e.text);
	ck_assert_str_eq(profile_str(p, p->period_type.type), "count");
	ck_assert_uint_eq(p->period_type.unit, 0);
	ck_assert_uint_eq(p->n_labels, 2);
	ck_assert_str_eq(profile_str(p, p->labels[0].str), "count");
	ck_assert_int_eq(p->labels[0].num, 0);
	ck_assert_uint_eq(p->labels[0].num_unit, 0);
	ck_assert_int_eq(p->labels[1].num, -1);
	ck_assert_uint_eq(p->mappings[0].start, 9);
	ck_assert(p->mappings[0].has_functions);
	ck_assert_int_eq(profile_validate(p, NULL), 0);
	profile_free(p);
	buf_free(&b);
}
END_TEST

/* ---- gzip ---------------------------------------------------------------- */

/* One gzip member of `data`, behind what is in out. */
static void gzip(struct buf *out, const void *data, size_t len)
{
	z_stream z = { 0 };
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, 0), Z_OK);
	ck_assert_int_eq(buf_reserve(out, deflateBound(&z, len)), 0);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)deflateBound(&z, len);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

START_TEST(gzip_members)
{
	struct buf plain_bytes = { 0 }, b = { 0 };
	struct profile *rich = fixture_rich(), *p;
	struct err e = { "" };
	char why[FIXTURE_TEXT];
	fixture_encode(&plain_bytes, rich, PROFILE_PLAIN);
	/* In three members, one of them empty. */
	gzip(&b, plain_bytes.data, 100);
	gzip(&b, "", 0);
	gzip(&b, plain_bytes.data + 100, plain_bytes.len - 100);
	ck_assert_msg(!decode(&b, &p, &e), "%s", e.text);
	ck_assert_ptr_null(fixture_difference(rich, p, why));
	profile_free(p);
	/* Garbage behind the last member. */
	buf_append_str(&b, "garbage");
	ck_assert_int_eq(decode(&b, &p, &e), ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.text, "decompressing profile: gzip: "
					     "incorrect header check"));
	/* A byte of the middle changed: the checksum tells. */
	buf_clear(&b);
	gzip(&b, plain_bytes.data, plain_bytes.len);
	b.data[b.len - 8] ^= 1;
	ck_assert_int_eq(decode(&b, &p, &e), ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.text, "incorrect data check"));
	profile_free(rich);
	buf_free(&b);
	buf_free(&plain_bytes);
}
END_TEST

START_TEST(gzip_bomb)
{
	const size_t size = 64 << 20;
	struct buf b = { .cap = 2 * size };
	struct profile *p = NULL;
	struct err e = { "" };
	void *zeros = calloc(1, size);
	ck_assert_ptr_nonnull(zeros);
	gzip(&b, zeros, size);
	free(zeros);
	ck_assert_uint_lt(b.len, 100 << 10);
	const struct profile_decode_options o = { .max_inflated = 1 << 20 };
	ck_assert_int_eq(profile_decode(b.data, b.len, &o, &p, &e), ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(
		e.text, "decompressing profile: more than 1048576 bytes"));
	/* What just fits is not refused for its size. */
	const struct profile_decode_options fits = { .max_inflated = size };
	ck_assert_int_eq(profile_decode(b.data, b.len, &fits, &p, &e),
			 ERR_FORMAT);
	const struct profile_decode_options less = { .max_inflated = size - 1 };
	ck_assert_int_eq(profile_decode(b.data, b.len, &less, &p, &e),
			 ERR_LIMIT);
	buf_free(&b);
}
END_TEST

/* ---- limits and truncation ----------------------------------------------- */

START_TEST(memory_budget)
{
	struct profile *rich = fixture_rich(), *p = NULL;
	struct buf b = { 0 };
	struct err e = { "" };
	fixture_encode(&b, rich, PROFILE_PLAIN);
	size_t budget = 1;
	int rc;
	/* Every budget too small is refused; the first that is not, serves. */
	for (;; budget += 64) {
		const struct profile_decode_options o = { .max_memory =
								  budget };
		rc = profile_decode(b.data, b.len, &o, &p, &e);
		if (!rc)
			break;
		ck_assert_int_eq(rc, ERR_LIMIT);
		ck_assert_ptr_nonnull(strstr(e.text, "more memory than the "
						     "limit of "));
		ck_assert_uint_lt(budget, 1 << 20);
	}
	ck_assert_uint_gt(budget, b.len);
	/* The budget was the file's: its owner may add as he likes. */
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_ne(profile_add_comment(p, "more"), PROFILE_NONE);
	profile_free(p);
	const struct profile_decode_options small = { .max_inflated = 10 };
	ck_assert_int_eq(profile_decode(b.data, b.len, &small, &p, &e),
			 ERR_LIMIT);
	profile_free(rich);
	buf_free(&b);
}
END_TEST

/* Two bytes each, millions of them: memory must not run away with it. */
START_TEST(small_input_large_model)
{
	struct buf b = { .cap = 64 << 20 };
	struct profile *p = NULL;
	struct err e = { "" };
	fixture_wire(&b, "6''");
	for (int i = 0; i < 1 << 20; i++)
		buf_append(&b, "\x1a\x00", 2); /* mappings */
	const struct profile_decode_options o = { .max_memory = 8 << 20 };
	ck_assert_int_eq(profile_decode(b.data, b.len, &o, &p, &e), ERR_LIMIT);
	/* A million types, a million samples: not 10^12 values. */
	buf_clear(&b);
	fixture_wire(&b, "6''");
	for (int i = 0; i < 1 << 20; i++)
		buf_append(&b, "\x0a\x00\x12\x00", 4);
	ck_assert_int_eq(profile_decode(b.data, b.len, NULL, &p, &e),
			 ERR_FORMAT);
	ck_assert_ptr_nonnull(
		strstr(e.text, "sample has 0 values vs. 1048576 types"));
	buf_free(&b);
}
END_TEST

/*
 * Cut at every byte: an error that says so, or (where what is left happens to
 * be whole fields) a valid profile.  The copy has exactly its size, so that a
 * sanitizer sees every byte read past it.
 */
static size_t cut_everywhere(const struct buf *b)
{
	size_t refused_cuts = 0;
	for (size_t len = 0; len < b->len; len++) {
		struct profile *p = NULL;
		struct err e = { "" };
		char *cut = malloc(len ? len : 1);
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, b->data, len);
		const int rc = profile_decode(cut, len, NULL, &p, &e);
		if (rc) {
			ck_assert_int_eq(rc, ERR_FORMAT);
			ck_assert_int_ne(e.text[0], '\0');
			refused_cuts++;
		} else {
			ck_assert_int_eq(profile_validate(p, &e), 0);
		}
		profile_free(p);
		free(cut);
	}
	return refused_cuts;
}

START_TEST(truncation)
{
	struct profile *p = fixture_rich();
	struct buf b = { 0 };
	fixture_encode(&b, p, PROFILE_PLAIN);
	ck_assert_uint_gt(cut_everywhere(&b), b.len / 2);
	buf_clear(&b);
	fixture_encode(&b, p, PROFILE_GZIP);
	ck_assert_uint_eq(cut_everywhere(&b), b.len);
	profile_free(p);
	buf_free(&b);
}
END_TEST

/* Each byte in turn set to each of a few values that are unlikely to fit. */
START_TEST(corruption)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct profile *rich = fixture_rich();
	struct buf b = { 0 };
	fixture_encode(&b, rich, PROFILE_PLAIN);
	for (size_t at = 0; at < b.len; at++) {
		const char was = b.data[at];
		for (size_t i = 0; i < sizeof(values); i++) {
			struct profile *p = NULL;
			b.data[at] = (char)values[i];
			if (!profile_decode(b.data, b.len, NULL, &p, NULL))
				ck_assert_int_eq(profile_validate(p, NULL), 0);
			profile_free(p);
		}
		b.data[at] = was;
	}
	profile_free(rich);
	buf_free(&b);
}
END_TEST

/* ---- files --------------------------------------------------------------- */

START_TEST(files)
{
	char path[] = "/tmp/proflab-check-profile.XXXXXX";
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	struct profile *rich = fixture_rich(), *p = NULL;
	struct buf b = { 0 };
	struct err e = { "" };
	char why[FIXTURE_TEXT];
	for (int encoding = PROFILE_GZIP; encoding <= PROFILE_PLAIN;
	     encoding++) {
		buf_clear(&b);
		fixture_encode(&b, rich, encoding);
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq(pwrite(fd, b.data, b.len, 0), (int)b.len);
		ck_assert_msg(!profile_decode_file(path, NULL, &p, &e), "%s",
			      e.text);
		ck_assert_ptr_null(fixture_difference(rich, p, why));
		profile_free(p);
	}
	const struct profile_decode_options small = { .max_inflated = 10 };
	ck_assert_int_eq(profile_decode_file(path, &small, &p, &e), ERR_LIMIT);
	/* From standard input, through a pipe, whose size is not known. */
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], b.data, b.len), (int)b.len);
	close(ends[1]);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	ck_assert_msg(!profile_decode_file("-", NULL, &p, &e), "%s", e.text);
	ck_assert_ptr_null(fixture_difference(rich, p, why));
	profile_free(p);
	unlink(path);
	ck_assert_int_eq(profile_decode_file(path, NULL, &p, &e), ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.text, "No such file"));
	ck_assert_int_eq(profile_decode_file("/tmp", NULL, &p, &e), ERR_IO);
	close(fd);
	profile_free(rich);
	buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile_decode");
	TCase *tables = tcase_create("tables");
	testing_add_table(tables, refused, invalid);
	testing_add_table(tables, all_the_same, accepted);
	tcase_add_test(tables, details);
	suite_add_tcase(suite, tables);
	TCase *limits = tcase_create("limits");
	tcase_set_timeout(limits, 60);
	tcase_add_test(limits, gzip_members);
	tcase_add_test(limits, gzip_bomb);
	tcase_add_test(limits, memory_budget);
	tcase_add_test(limits, small_input_large_model);
	tcase_add_test(limits, truncation);
	tcase_add_test(limits, corruption);
	tcase_add_test(limits, files);
	suite_add_tcase(suite, limits);
	return testing_run(suite);
}
