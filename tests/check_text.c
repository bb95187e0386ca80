/*
 * check_text.c - Go's legacy texts, byte for byte: what a Go server answered
 * (tests/golden/go-text) is read into a profile, and must come out again.
 *
 * Go hides its own goexit at the root of a stack: such an address has no "#"
 * line, and is left out on both sides.
 */
#include "pprof/text.h"
#include "tests/testing.h"

#include "base/attr.h"
#include "base/buf.h"

#include <inttypes.h>
#include <string.h>

enum { ADDRESSES_MAX = 256, LINE_MAX_LEN = 1024 };

static struct {
	uint64_t address, start;
} functions[ADDRESSES_MAX];
static size_t n_functions;

static uint64_t function_start(uint64_t address)
{
	for (size_t i = 0; i < n_functions; i++)
		if (functions[i].address == address)
			return functions[i].start;
	return 0;
}

/* "#\t0x1\tname+0x2\t\tfile:3" */
static uint32_t read_frame(struct profile *p, char *line)
{
	char *save, *address = strtok_r(line + 2, "\t", &save);
	char *name = strtok_r(NULL, "\t", &save);
	char *file = strtok_r(NULL, "\t", &save);
	ck_assert(address && name && file);
	char *plus = strrchr(name, '+'), *colon = strrchr(file, ':');
	ck_assert(plus && colon);
	const uint64_t pc = strtoull(address, NULL, 16);
	ck_assert_uint_lt(n_functions, ADDRESSES_MAX);
	functions[n_functions].address = pc;
	functions[n_functions++].start = pc - strtoull(plus + 1, NULL, 16);
	*plus = *colon = '\0';
	const struct profile_function f = {
		.name = profile_intern(p, name),
		.filename = profile_intern(p, file),
	};
	const struct profile_line l = {
		.function = profile_add_function(p, &f),
		.line = strtoll(colon + 1, NULL, 10),
	};
	return profile_add_location(p, PROFILE_NONE, pc, &l, 1);
}

/* The numbers before "@", in the order of the row, to the order of values. */
static size_t read_values(const char *row, const int *order, int64_t *values)
{
	size_t n = 0;
	while (*row && *row != '@') {
		char *end;
		const int64_t v = strtoll(row, &end, 10);
		if (end == row) {
			row++;
			continue;
		}
		ck_assert_uint_lt(n, 4);
		values[order[n++]] = v;
		row = end;
	}
	return n;
}

struct reading {
	struct profile *p;
	struct buf expected; /* the text, hidden addresses left out */
	const int *order;
	char row[LINE_MAX_LEN];
	struct buf frames;
	uint32_t locs[64];
	size_t n_locs;
};

static void end_stack(struct reading *r)
{
	if (!*r->row)
		return;
	if (r->frames.len == 0) /* nothing but goexit: empty, to us */
		buf_append_str(&r->frames, "#\t0x0\n");
	int64_t values[4] = { 0 };
	read_values(r->row, r->order, values);
	profile_add_sample(r->p, r->locs, r->n_locs, values, NULL, 0);
	buf_printf(&r->expected, "%.*s",
		   (int)(strchr(r->row, '@') - r->row + 1), r->row);
	for (size_t i = 0; i < r->n_locs; i++)
		buf_printf(&r->expected, " 0x%" PRIx64,
			   r->p->locations[r->locs[i]].address + 1);
	buf_printf(&r->expected, "\n%s\n", buf_str(&r->frames));
	*r->row = '\0';
	r->n_locs = 0;
	buf_clear(&r->frames);
}

static void read_line(struct reading *r, char *line)
{
	if (*line == '#') {
		buf_append_str(&r->frames, line);
		line[strlen(line) - 1] = '\0';
		/* "#\t0x0" stands for an empty stack. */
		if (strchr(line + 2, '\t'))
			r->locs[r->n_locs++] = read_frame(r->p, line);
	} else if (strchr(line, '@') && !strstr(line, "profile:")) {
		snprintf(r->row, LINE_MAX_LEN, "%s", line);
	} else if (*line == '\n') {
		end_stack(r);
	} else {
		buf_append_str(&r->expected, line);
	}
}

static const struct {
	const char *name;
	size_t n_types;
	int order[4]; /* where each number of a row belongs */
} texts[] = {
	{ "goroutine", 1, { 0 } },     { "threadcreate", 1, { 0 } },
	{ "block", 2, { 1, 0 } },      { "mutex", 2, { 1, 0 } },
	{ "heap", 4, { 2, 3, 0, 1 } },
};

static struct reading read_golden(int which)
{
	struct reading r = { .p = profile_new(), .order = texts[which].order };
	for (size_t i = 0; i < texts[which].n_types; i++)
		profile_add_sample_type(r.p, "x", "count");
	char path[512], line[LINE_MAX_LEN];
	const char *top = getenv("top_srcdir");
	snprintf(path, sizeof(path), "%s/tests/golden/go-text/%s.txt",
		 top ? top : ".", texts[which].name);
	FILE *f = fopen(path, "r");
	ck_assert_msg(f, "%s", path);
	/* The heap's memory statistics are its owner's. */
	while (fgets(line, sizeof(line), f) &&
	       strncmp(line, "# runtime.MemStats", 18) != 0)
		read_line(&r, line);
	end_stack(&r);
	fclose(f);
	return r;
}

START_TEST(as_go_prints_it)
{
	text_function_start = function_start;
	struct reading r = read_golden(_i);
	ck_assert_uint_gt(r.p->n_samples, 0);
	struct buf out = { 0 };
	const struct sink sink = sink_buf(&out);
	int code = -1;
	switch (_i) {
	case 0:
	case 1:
		code = text_count(&sink, texts[_i].name, r.p, NULL);
		break;
	case 2:
		code = text_contention(&sink, "contention", 2096021935, 0, r.p,
				       NULL);
		break;
	case 3:
		code = text_contention(&sink, "mutex", 2096021935, 1, r.p,
				       NULL);
		break;
	case 4:
		code = text_heap(&sink, 524288, r.p, NULL);
		break;
	}
	ck_assert_int_eq(code, 0);
	const char *got = buf_str(&out), *want = buf_str(&r.expected);
	size_t same = 0;
	while (got[same] && got[same] == want[same])
		same++;
	ck_assert_msg(got[same] == want[same],
		      "%s, byte %zu: got [%.80s], not [%.80s]", texts[_i].name,
		      same, got + same, want + same);
	buf_free(&out);
	buf_free(&r.expected);
	buf_free(&r.frames);
	profile_free(r.p);
}
END_TEST

/* ---- what Go's examples do not have
 * ---------------------------------------------- */

static void print_sample(struct profile *p, const uint32_t *locs, size_t n,
			 const struct profile_label *labels, size_t n_labels,
			 struct buf *out)
{
	text_function_start = function_start;
	profile_add_sample(p, locs, n, (int64_t[]){ 3 }, labels, n_labels);
	const struct sink sink = sink_buf(out);
	ck_assert_int_eq(text_count(&sink, "t", p, NULL), 0);
	profile_free(p);
}

static struct profile *one_type(void)
{
	struct profile *p = profile_new();
	profile_add_sample_type(p, "t", "count");
	return p;
}

START_TEST(names_without_addresses)
{
	struct profile *p = one_type();
	const uint32_t name = profile_intern(p, "_LostTableFull");
	const struct profile_function f = { .name = name };
	const struct profile_line l = { profile_add_function(p, &f), 0 };
	const uint32_t locs[] = {
		profile_add_location(p, PROFILE_NONE, 0, &l, 1),
		profile_add_location(p, PROFILE_NONE, 0x1000, NULL, 0),
	};
	struct buf out = { 0 };
	print_sample(p, locs, 2, NULL, 0, &out);
	ck_assert_str_eq(buf_str(&out), "t profile: total 3\n"
					"3 @ 0x1001\n"
					"#\t0x0\t_LostTableFull+0x0\t?:0\n"
					"#\t0x1000\n\n");
	buf_free(&out);
}
END_TEST

START_TEST(labels_are_quoted)
{
	struct profile *p = one_type();
	const struct profile_label labels[] = {
		{ .key = profile_intern(p, "a"),
		  .str = profile_intern(p, "x\"y\\\n\x01") },
		{ .key = profile_intern(p, "bytes"), .num = 4 },
		{ .key = profile_intern(p, "b"),
		  .str = profile_intern(p, "\xc3\xa9") },
	};
	struct buf out = { 0 };
	print_sample(p, NULL, 0, labels, 3, &out);
	ck_assert_str_eq(buf_str(&out),
			 "t profile: total 3\n3 @\n"
			 "# labels: {\"a\":\"x\\\"y\\\\\\n\\x01\", "
			 "\"b\":\"\xc3\xa9\"}\n#\t0x0\n\n");
	buf_free(&out);
}
END_TEST

START_TEST(nothing_is_a_header)
{
	struct profile *p = profile_new();
	for (int i = 0; i < 4; i++)
		profile_add_sample_type(p, "x", "count");
	struct buf out = { 0 };
	const struct sink sink = sink_buf(&out);
	ck_assert_int_eq(text_heap(&sink, 1, p, NULL), 0);
	ck_assert_str_eq(buf_str(&out), "heap profile: 0: 0 [0: 0] @ heap/2\n");
	buf_clear(&out);
	ck_assert_int_eq(text_contention(&sink, "mutex", 9, 5, p, NULL), 0);
	ck_assert_str_eq(buf_str(&out), "--- mutex:\ncycles/second=9\n"
					"sampling period=5\n");
	buf_free(&out);
	profile_free(p);
	p = one_type();
	ck_assert_int_lt(text_heap(&sink, 1, p, NULL), 0);
	profile_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("text");
	testing_add_table(tc, as_go_prints_it, texts);
	tcase_add_test(tc, names_without_addresses);
	tcase_add_test(tc, labels_are_quoted);
	tcase_add_test(tc, nothing_is_a_header);
	suite_add_tcase(suite, tc);
	return testing_run(suite);
}
