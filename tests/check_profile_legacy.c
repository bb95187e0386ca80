/*
 * check_profile_legacy.c - the legacy formats: what the goldens of
 * profile-go.sh do not show.  Errors and their words, odd lines, the scaling
 * of samples, maps of memory, truncation.
 */
#include "tests/testing.h"

#include "base/err.h"
#include "profile/decode.h"
#include "tests/profile_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static int decode(const char *text, struct profile **ret, struct err *e)
{
	*ret = NULL;
	return profile_decode(text, strlen(text), NULL, ret, e);
}

/* ---- refused ------------------------------------------------------------- */

#define HEAP  "heap profile: 1: 2 [1: 2] @ heapprofile\n"
#define MUTEX "--- mutex:\n"

static const struct {
	const char *name, *data, *text;
} invalid[] = {
	{ "no format", "hello\n", "unrecognized profile format" },
	{ "a page of HTML", "<html>\n<body>404</body>",
	  "unrecognized profile format" },
	{ "heap of another sort", "heap profile: 1: 2 [1: 2] @ heapfoo/5\n",
	  "unrecognized profile format" },
	{ "heap with a large rate",
	  "heap profile: 1: 2 [1: 2] @ heap_v2/99999999999999999999\n",
	  "unrecognized profile format" },
	{ "heap, not a row", HEAP "1: 2 [1: 2]\n",
	  "parsing profile: unexpected number of sample values: not a row of "
	  "a heap profile in line 2" },
	{ "heap, bytes of nothing", HEAP "\n0: 2 [1: 2] @ 0x1\n",
	  "parsing profile: inuse count was 0 but inuse bytes was 2 in line "
	  "3" },
	{ "heap, allocations of nothing",
	  "heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [0: 4] @ 0x1\n",
	  "parsing profile: allocation count was 0 but allocation bytes was 4 "
	  "in line 2" },
	{ "heap, too large", HEAP "1: 9223372036854775808 [1: 2] @ 0x1\n",
	  "parsing profile: malformed sample: value out of range in line 2" },
	{ "heap, address too large", HEAP "1: 2 [1: 2] @ 0x10000000000000000\n",
	  "parsing profile: malformed sample: failed to parse as hex 64-bit "
	  "number: 0x10000000000000000 in line 2" },
	{ "count, not a row", "x profile: total 1\n1 at 0x1\n",
	  "parsing profile: malformed profile format: not COUNT @ ADDRESSES in "
	  "line 2" },
	{ "count, not an address", "x profile: total 1\n1 @ main\n",
	  "parsing profile: malformed profile format: not an address in line "
	  "2" },
	{ "count, too large", "x profile: total 1\n9223372036854775808 @ 0x1\n",
	  "parsing profile: malformed profile format: the count is too large "
	  "in line 2" },
	{ "contention, unknown key", MUTEX "colour = red\n",
	  "parsing profile: unknown attribute colour of a contention profile "
	  "in line 2" },
	{ "contention, not a number", MUTEX "sampling period = many\n",
	  "parsing profile: sampling period is not a number in line 2" },
	{ "contention, not a row", MUTEX "cycles/second=1\n\nhello\n",
	  "parsing profile: not a row of a contention profile in line 4" },
	{ "contention, too large", MUTEX "9223372036854775808 1 @ 0x1\n",
	  "parsing profile: malformed sample: value out of range in line 2" },
	{ "threads, not one", "--- threadz 1 ---\n\n--- hello ---\n",
	  "parsing profile: not the head of a thread in line 3" },
};

START_TEST(refused)
{
	struct profile *p;
	struct err e = { "" };
	ck_assert_msg(decode(invalid[_i].data, &p, &e) == ERR_FORMAT,
		      "%s: accepted", invalid[_i].name);
	ck_assert_msg(strstr(e.text, invalid[_i].text), "%s: %s",
		      invalid[_i].name, e.text);
	ck_assert_ptr_null(p);
}
END_TEST

/* The binary format's words, 32 bits, little endian. */
static const struct {
	const char *name;
	uint32_t words[12];
	size_t n;
	const char *text;
} binaries[] = {
	{ "java",
	  { 0, 3, 1, 1, 0 },
	  5,
	  "parsing profile: CPU profile: Java's format is not read at byte "
	  "20" },
	{ "a sample is cut",
	  { 0, 3, 0, 1, 0, 1 },
	  6,
	  "parsing profile: CPU profile: a sample is cut at byte 20" },
	{ "a stack is cut",
	  { 0, 3, 0, 1, 0, 1, 2, 5 },
	  8,
	  "parsing profile: CPU profile: a stack is cut at byte 28" },
	{ "a depth is huge",
	  { 0, 3, 0, 1, 0, 1, UINT32_MAX, 5 },
	  8,
	  "parsing profile: CPU profile: a stack is cut at byte 28" },
	{ "no period", { 0, 3, 0, 0, 0 }, 5, "unrecognized profile format" },
	{ "another version",
	  { 0, 4, 0, 1, 0 },
	  5,
	  "unrecognized profile format" },
};

START_TEST(refused_binary)
{
	struct profile *p = NULL;
	struct err e = { "" };
	ck_assert_int_eq(profile_decode(binaries[_i].words, binaries[_i].n * 4,
					NULL, &p, &e),
			 ERR_FORMAT);
	ck_assert_msg(strstr(e.text, binaries[_i].text), "%s: %s",
		      binaries[_i].name, e.text);
}
END_TEST

/* ---- accepted: what it comes to, as go tool pprof -raw would show it ------
 */

#define ANYWHERE "Mappings\n1: 0x0/0xffffffffffffffff/0x0   \n"

static const struct {
	const char *name, *data, *raw;
} valid[] = {
	{ "heap, sampled: 1 / (1 - exp(-100 / 100))",
	  "heap profile: 1: 100 [1: 100] @ heap/200\n1: 100 [1: 100] @ 0x11\n",
	  "PeriodType: space bytes\nPeriod: 100\nSamples:\n"
	  "objects/count space/bytes\n"
	  "          1        158: 1 \n                bytes:[100]\n"
	  "Locations\n     1: 0x10 M=1 \n" ANYWHERE },
	{ "heap, every byte: nothing to scale",
	  "heap profile: 1: 100 [1: 100] @ heap_v2/1\n"
	  "  3:  100 [ 3:  100 ] @\n"
	  "3: 100 [3: 100] @ 0x11 garbage 0x12\n",
	  "PeriodType: space bytes\nPeriod: 1\nSamples:\n"
	  "objects/count space/bytes\n"
	  "          3        100: \n                bytes:[33]\n"
	  "          3        100: 1 \n                bytes:[33]\n"
	  "Locations\n     1: 0x10 M=1 \n" ANYWHERE },
	{ "heap, frees alone", HEAP "-1: -9223372036854775808 [1: 2] @ 0x2\n",
	  "PeriodType: space bytes\nPeriod: 1\nSamples:\n"
	  "objects/count space/bytes\n"
	  "         -1 -9223372036854775808: 1 \n"
	  "                bytes:[-9223372036854775808]\n"
	  "Locations\n     1: 0x1 M=1 \n" ANYWHERE },
	{ "heap, a row anywhere in the line",
	  HEAP "  noise 7 1:2 [1:2] @ 0x2\n",
	  "PeriodType: space bytes\nPeriod: 1\nSamples:\n"
	  "objects/count space/bytes\n"
	  "          1          2: 1 \n                bytes:[2]\n"
	  "Locations\n     1: 0x1 M=1 \n" ANYWHERE },
	{ "count, without a stack", "\n# x\nx profile: total 6\r\n6 @\r\n",
	  "PeriodType: x count\nPeriod: 1\nSamples:\nx/count\n"
	  "          6: \nLocations\nMappings\n1: 0x0/0x0/0x0   \n" },
	{ "contention, without a blank", MUTEX "123 @ 0x2\n",
	  "PeriodType: contentions count\nPeriod: 1\nSamples:\n"
	  "contentions/count delay/nanoseconds\n"
	  "          3         12: 1 \n"
	  "Locations\n     1: 0x1 M=1 \n" ANYWHERE },
	{ "contention, scaled",
	  MUTEX "cycles/second = 2000000000\nsampling period=10\n"
		"200 3 @ 0x2\n",
	  "PeriodType: contentions count\nPeriod: 10\nSamples:\n"
	  "contentions/count delay/nanoseconds\n"
	  "         30       1000: 1 \n"
	  "Locations\n     1: 0x1 M=1 \n" ANYWHERE },
	{ "threads, to the end of the file",
	  "--- Thread 7f (name: a/b/1) stack: ---\n 0x10 f\n 0x20 g\n"
	  "--- Thread 80 (name: /2) stack: ---\n",
	  "PeriodType: thread count\nPeriod: 1\nSamples:\nthread/count\n"
	  "          2: 1 2 \n"
	  "Locations\n     1: 0x10 M=1 \n     2: 0x1f M=1 \n" ANYWHERE },
	{ "maps: the first part of a file is put back",
	  "x profile: total 1\n1 @ 0x1801 0x2801\n"
	  "--- Memory map: ---\n"
	  "2000-3000 r-xp 1000 8:1 5 /bin/x\n",
	  "PeriodType: x count\nPeriod: 1\nSamples:\nx/count\n"
	  "          1: 1 2 \n"
	  "Locations\n     1: 0x1800 M=1 \n     2: 0x2800 M=1 \n"
	  "Mappings\n1: 0x1000/0x3000/0x0 /bin/x  \n" },
	{ "maps: the program before its libraries",
	  "x profile: total 1\n1 @ 0x1801 0x2801 0x3801\n"
	  "--- Memory map: ---\n"
	  "1000-2000 r-xp 0 8:1 5 /lib/a.so.6\n"
	  "2000-3000 r-xp 0 8:1 5 [vdso]\n"
	  "3000-4000 r-xp 0 8:1 5 /bin/x (deleted)\n"
	  "nothing that is known\n"
	  "4000-5000 rw-p 0 8:1 5 /bin/x\n",
	  "PeriodType: x count\nPeriod: 1\nSamples:\nx/count\n"
	  "          1: 1 2 3 \n"
	  "Locations\n     1: 0x1800 M=2 \n     2: 0x2800 M=3 \n"
	  "     3: 0x3800 M=1 \n"
	  "Mappings\n1: 0x3000/0x4000/0x0 /bin/x  \n"
	  "2: 0x1000/0x2000/0x0 /lib/a.so.6  \n"
	  "3: 0x2000/0x3000/0x0 [vdso]  \n" },
	{ "maps: names and pieces",
	  "x profile: total 1\n1 @ 0x1801\n"
	  "--- Memory map: ---\n"
	  "id=cafe\nwhere=/bin\n"
	  "f.cc:7] 1000-2000: $where/x (@0) $id\n"
	  "2000-3000: $where/x (@1000) $id\n"
	  "3000-4000: $what$where (@0)\n",
	  NULL },
};

START_TEST(accepted)
{
	struct profile *p, *compact = NULL;
	struct err e = { "" };
	struct buf raw = { 0 };
	ck_assert_msg(!decode(valid[_i].data, &p, &e), "%s: %s", valid[_i].name,
		      e.text);
	ck_assert_msg(!profile_validate(p, &e), "%s: %s", valid[_i].name,
		      e.text);
	ck_assert_int_eq(profile_merge((const struct profile *const[]){ p }, 1,
				       &compact, NULL),
			 0);
	fixture_raw(&raw, valid[_i].raw && compact->n_samples ? compact : p);
	ck_assert_msg(!valid[_i].raw || !strcmp(buf_str(&raw), valid[_i].raw),
		      "%s:\n%s", valid[_i].name, buf_str(&raw));
	profile_free(compact);
	profile_free(p);
	buf_free(&raw);
}
END_TEST

START_TEST(maps_in_detail)
{
	struct profile *p;
	struct err e = { "" };
	/* The rows of the table whose listing would not show it. */
	ck_assert_int_eq(decode(valid[sizeof(valid) / sizeof(*valid) - 1].data,
				&p, &e),
			 0);
	ck_assert_uint_eq(p->n_mappings, 2);
	ck_assert_uint_eq(p->mappings[0].start, 0x1000);
	ck_assert_uint_eq(p->mappings[0].limit, 0x3000);
	ck_assert_str_eq(profile_str(p, p->mappings[0].filename), "/bin/x");
	ck_assert_str_eq(profile_str(p, p->mappings[0].build_id), "cafe");
	ck_assert_str_eq(profile_str(p, p->mappings[1].filename), "$what/bin");
	profile_free(p);
}
END_TEST

START_TEST(frames_to_drop)
{
	static const struct {
		const char *data, *drop, *keep;
	} kinds[] = {
		{ HEAP "1: 2 [1: 2] @ 0x1\n", "|malloc|", "runtime\\.panic" },
		{ MUTEX "1 1 @ 0x1\n", "RecordLockProfileData", "" },
		{ "x profile: total 1\n1 @ 0x1\n", "__restore", "" },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct profile *p;
		struct err e;
		ck_assert_int_eq(decode(kinds[i].data, &p, &e), 0);
		ck_assert_ptr_nonnull(
			strstr(profile_str(p, p->drop_frames), kinds[i].drop));
		ck_assert_ptr_nonnull(
			strstr(profile_str(p, p->keep_frames), kinds[i].keep));
		ck_assert_int_eq(!*kinds[i].keep,
				 !*profile_str(p, p->keep_frames));
		profile_free(p);
	}
}
END_TEST

/* ---- every golden file, cut at every byte ---------------------------------
 */

static void cut_everywhere(const char *path)
{
	struct buf b = { 0 };
	char piece[4096];
	FILE *f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f));)
		buf_append(&b, piece, n);
	fclose(f);
	for (size_t len = 0; len < b.len; len += len < 1024 ? 1 : 13) {
		struct profile *p = NULL;
		struct err e = { "" };
		char *cut = malloc(len ? len : 1);
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, b.data, len);
		const int rc = profile_decode(cut, len, NULL, &p, &e);
		const bool fine = rc ? rc == ERR_FORMAT && e.text[0]
				     : !profile_validate(p, &e);
		if (!fine)
			ck_abort_msg("%s cut at %zu: %s", path, len, e.text);
		profile_free(p);
		free(cut);
	}
	buf_free(&b);
}

START_TEST(truncation)
{
	char dir[4096], path[8192];
	const char *top = getenv("top_srcdir");
	snprintf(dir, sizeof(dir), "%s/tests/golden/legacy", top ? top : ".");
	DIR *d = opendir(dir);
	int files = 0;
	ck_assert_msg(d, "%s is not there: run it by make check", dir);
	for (struct dirent *entry; (entry = readdir(d));) {
		if (entry->d_name[0] == '.' || strstr(entry->d_name, ".raw"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		cut_everywhere(path);
		files++;
	}
	closedir(d);
	ck_assert_int_ge(files, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile_legacy");
	TCase *tcase = tcase_create("tables");
	testing_add_table(tcase, refused, invalid);
	testing_add_table(tcase, refused_binary, binaries);
	testing_add_table(tcase, accepted, valid);
	tcase_add_test(tcase, maps_in_detail);
	tcase_add_test(tcase, frames_to_drop);
	suite_add_tcase(suite, tcase);
	TCase *files = tcase_create("files");
	tcase_set_timeout(files, 120);
	tcase_add_test(files, truncation);
	suite_add_tcase(suite, files);
	return testing_run(suite);
}
