/*
 * check_web.c - the profile page's answers: their figures are those of
 * src/report, their size is bounded, and whatever a profile holds, they are
 * JSON that means nothing to a browser.
 */
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "profile/decode.h"
#include "profile/profile.h"
#include "report/report.h"
#include "tests/profile_fixture.h"
#include "tests/testing.h"
#include "tests/web_fixture.h"
#include "web/csp.h"
#include "web/web.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- profiles ------------------------------------------------------------ */

/* One of tests/gen_profile's. */
static struct profile *generated(const char *kind)
{
	const char *top = getenv("top_builddir");
	char command[4096];
	struct profile *p;
	struct err e = { "" };
	struct buf b = { 0 };
	snprintf(command, sizeof(command), "'%s/tests/gen_profile' %s",
		 top ? top : ".", kind);
	FILE *f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	char piece[4096];
	size_t n;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_append(&b, piece, n);
	ck_assert_msg(pclose(f) == 0, "%s", command);
	ck_assert_msg(!profile_decode(b.data, b.len, NULL, &p, &e), "%s: %s",
		      kind, e.text);
	buf_free(&b);
	return p;
}

/* ---- questions ----------------------------------------------------------- */

static struct web_options plain_options(void)
{
	struct web_options o = { .report = REPORT_OPTIONS_DEFAULT,
				 .name = "now.pb.gz",
				 .base_name = "base.pb.gz" };
	return o;
}

static struct web_subject *subject(struct profile *p, struct profile *base)
{
	struct web_subject *s;
	struct err e = { "" };
	const struct web_options o = plain_options();
	ck_assert_msg(!web_subject_new(p, base, &o, &s, &e), "%s", e.text);
	return s;
}

/* "si=cpu&focus=x" as it is: nothing is decoded. */
struct query {
	const char *text;
	char value[1024];
};

static const char *look_up(void *arg, const char *key)
{
	struct query *q = arg;
	const size_t n = strlen(key);
	for (const char *at = q->text; at && *at;) {
		const size_t len = strcspn(at, "&");
		if (strncmp(at, key, n) == 0 && at[n] == '=') {
			/* Each key has room of its own: options keep them. */
			static _Thread_local char values[16][1024];
			static _Thread_local int next;
			char *value = values[next++ % 16];
			snprintf(value, 1024, "%.*s", (int)(len - n - 1),
				 at + n + 1);
			return value;
		}
		at += len + (at[len] == '&');
	}
	return NULL;
}

static struct web_reply reply_to(struct web_subject *s, const char *view,
				 const char *query)
{
	struct query q = { .text = query };
	const struct web_request request = { view, look_up, &q };
	struct web_reply reply;
	web_answer(s, &request, &reply);
	ck_assert_int_eq(reply.body.failed, 0);
	ck_assert_ptr_null(strchr(buf_str(&reply.body), '<'));
	return reply;
}

static json_t *ask_status(struct web_subject *s, const char *view,
			  const char *query, unsigned status)
{
	struct web_reply reply = reply_to(s, view, query);
	json_error_t error;
	json_t *answer = json_loads(buf_str(&reply.body), 0, &error);
	ck_assert_msg(answer != NULL, "%s?%s: %s in %.300s", view, query,
		      error.text, buf_str(&reply.body));
	ck_assert_msg(reply.status == status, "%s?%s: %u %.300s", view, query,
		      reply.status, buf_str(&reply.body));
	buf_free(&reply.body);
	return answer;
}

static json_t *ask(struct web_subject *s, const char *view, const char *query)
{
	return ask_status(s, view, query, 200);
}

static int64_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	ck_assert_msg(json_is_integer(value), "no number \"%s\"", key);
	return json_integer_value(value);
}

static int64_t item(const json_t *array, size_t i)
{
	const json_t *value = json_array_get(array, i);
	ck_assert_msg(json_is_integer(value), "no number at %zu", i);
	return json_integer_value(value);
}

static int64_t column(const json_t *answer, const char *key, size_t i)
{
	return item(json_object_get(answer, key), i);
}

static const char *text_at(const json_t *array, size_t i)
{
	const char *text = json_string_value(json_array_get(array, i));
	ck_assert_msg(text != NULL, "no text at %zu", i);
	return text;
}

/* The frame's name at row i of a flame answer. */
static const char *frame_at(const json_t *answer, size_t i)
{
	const int64_t frame = column(answer, "frame", i);
	return frame < 0 ? "all"
			 : text_at(json_object_get(answer, "names"),
				   (size_t)frame);
}

static size_t n_nodes(const json_t *answer)
{
	return json_array_size(json_object_get(answer, "node"));
}

/* ---- the page ------------------------------------------------------------ */

static int count(const char *text, const char *part)
{
	int n = 0;
	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* Every element of this kind has its hash in the policy. */
static int check_hashes(const struct web_page *p, const char *tag)
{
	char open[32], close[32], hash[CSP_HASH_TEXT];
	int n = 0;
	snprintf(open, sizeof(open), "<%s>", tag);
	snprintf(close, sizeof(close), "</%s>", tag);
	for (const char *at = buf_str(&p->html); (at = strstr(at, open));) {
		at += strlen(open);
		const char *end = strstr(at, close);
		ck_assert_ptr_nonnull(end);
		csp_hash(at, (size_t)(end - at), hash);
		ck_assert_msg(strstr(buf_str(&p->policy), hash) != NULL,
			      "%s number %d: %s is not in %s", tag, n, hash,
			      buf_str(&p->policy));
		n++;
	}
	return n;
}

/* Lengths around the ends of blocks; as sha256sum and base64 say. */
static const struct {
	size_t len; /* of 'a' */
	const char *hash;
} hashes[] = {
	{ 0, "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='" },
	{ 3, "'sha256-mDSHbc+wXLFnpcJJU+uljErImxrfV/KPL50JrxB+6PA='" },
	{ 55, "'sha256-n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg='" },
	{ 56, "'sha256-s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o='" },
	{ 63, "'sha256-fT50oF19sVvOStnsBljqmOPwbu7PFrTG//LaRX3cLzQ='" },
	{ 64, "'sha256-/+BU/nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs='" },
	{ 65, "'sha256-Y1NhxIu56rFBmOduqKt/GkFoXWrWKqkUbTAdTxfrCuA='" },
	{ 119, "'sha256-MeulHDE6XAgiat8Y1KNZz9/Y0ugWsT9K+VL36mWE3Ps='" },
	{ 120, "'sha256-Lz0zVDLHC1gK8Ojhs2dKfAINaDql9zqq7f3FWvkEwhw='" },
	{ 1000, "'sha256-Qe3s5C1j6Nm/UVqbppMuHCDLyfWl0TRkWttdsblzfqM='" },
};

START_TEST(hashes_are_the_standard)
{
	static char text[1000];
	char hash[CSP_HASH_TEXT];
	memset(text, 'a', sizeof(text));
	ck_assert_str_eq(csp_hash(text, hashes[_i].len, hash),
			 hashes[_i].hash);
}
END_TEST

START_TEST(page_is_self_contained)
{
	struct web_page p;
	ck_assert_int_eq(web_page(_i, &p), 0);
	const char *html = buf_str(&p.html);
	ck_assert_int_eq(check_hashes(&p, "style"), 1);
	ck_assert_int_ge(check_hashes(&p, "script"), 5);
	ck_assert_int_eq(count(html, "<script"), count(html, "<script>"));
	ck_assert_int_eq(strncmp(buf_str(&p.policy), "default-src 'none';", 19),
			 0);
	ck_assert_ptr_null(strstr(buf_str(&p.policy), "unsafe"));
	/* Ways by which a text could become markup, or leave the page. */
	static const char *const never[] = {
		"innerHTML", "outerHTML",      "insertAdjacentHTML",
		"eval(",     "document.write", "javascript:",
		" style=\"", "onclick=\"",     "https://",
	};
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		ck_assert_msg(!strstr(html, never[i]), "the page has %s",
			      never[i]);
	ck_assert_int_eq(strstr(html, "<template id=\"live\">") != NULL, _i);
	ck_assert_uint_lt(p.html.len, 150 << 10);
	web_page_free(&p);
}
END_TEST

/* ---- top ----------------------------------------------------------------- */

static const struct {
	const char *kind, *query;
	struct report_options o;
} tops[] = {
	{ "cpu", "", REPORT_OPTIONS_DEFAULT },
	{ "cpu", "si=samples", { .sample_index = "samples" } },
	{ "cpu", "g=lines", { .granularity = REPORT_LINES } },
	{ "cpu", "g=files", { .granularity = REPORT_FILES } },
	{ "cpu", "g=addresses", { .granularity = REPORT_ADDRESSES } },
	{ "cpu",
	  "focus=main&ignore=alloc",
	  { .focus = "main", .ignore = "alloc" } },
	{ "heap", "", REPORT_OPTIONS_DEFAULT },
	{ "heap",
	  "si=alloc_space&hide=a",
	  { .sample_index = "alloc_space", .hide = "a" } },
	{ "inlines", "noinlines=1", { .noinlines = true } },
	{ "inlines", "show=b", { .show = "b" } },
	{ "labels", "tagfocus=a", { .tagfocus = "a" } },
	{ "recursion", "", REPORT_OPTIONS_DEFAULT },
	{ "mappings",
	  "g=filefunctions",
	  { .granularity = REPORT_FILEFUNCTIONS } },
	{ "unsymbolized", "", REPORT_OPTIONS_DEFAULT },
	{ "negative", "", REPORT_OPTIONS_DEFAULT },
	{ "names", "", REPORT_OPTIONS_DEFAULT },
	{ "empty", "", REPORT_OPTIONS_DEFAULT },
};

/* Is there a row with these figures?  It is taken out. */
static bool take_row(json_t *rows, const struct report_row *want)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) if (item(row, 4) == want->flat &&
					     item(row, 5) == want->cum &&
					     item(row, 3) == want->line)
	{
		json_array_remove(rows, i);
		return true;
	}
	return false;
}

START_TEST(top_is_the_report)
{
	struct profile *p = generated(tops[_i].kind);
	struct report_options o = tops[_i].o;
	struct report_table t;
	struct err e = { "" };
	o.unit = "minimum";
	o.divide_by = 1;
	ck_assert_msg(!report_functions(p, &o, &t, &e), "%s", e.text);
	struct web_subject *s = subject(p, NULL);
	json_t *answer = ask(s, "top", tops[_i].query);
	json_t *rows = json_object_get(answer, "rows");
	ck_assert_int_eq(number(answer, "total"), t.total);
	ck_assert_uint_eq(json_array_size(rows), t.n);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "unit")),
			 t.unit);
	for (size_t i = 0; i < t.n; i++)
		ck_assert_msg(take_row(rows, &t.rows[i]), "%s?%s: no row of %s",
			      tops[_i].kind, tops[_i].query, t.rows[i].name);
	report_table_free(&t);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

/* ---- trees --------------------------------------------------------------- */

/* Values of a node are its own and those of its children. */
static void check_sums(const json_t *answer)
{
	const size_t n = n_nodes(answer);
	for (size_t i = 0; i < n; i++) {
		int64_t sum = column(answer, "own", i);
		const int64_t depth = column(answer, "depth", i);
		for (size_t k = i + 1;
		     k < n && column(answer, "depth", k) > depth; k++)
			if (column(answer, "depth", k) == depth + 1)
				sum += column(answer, "after", k);
		ck_assert_msg(sum == column(answer, "after", i),
			      "node %zu: %" JSON_INTEGER_FORMAT " is not its "
			      "parts",
			      i, (json_int_t)column(answer, "after", i));
	}
}

/* A function's cumulative value: its nodes below no node of its own. */
static int64_t cum_in_tree(const json_t *answer, const char *name)
{
	int64_t sum = 0;
	const size_t n = n_nodes(answer);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(frame_at(answer, i), name) != 0)
			continue;
		const int64_t depth = column(answer, "depth", i);
		sum += column(answer, "after", i);
		while (i + 1 < n && column(answer, "depth", i + 1) > depth)
			i++;
	}
	return sum;
}

static const char *const tree_kinds[] = { "cpu", "heap", "inlines", "labels",
					  "recursion" };

START_TEST(flame_is_the_report)
{
	struct profile *p = generated(tree_kinds[_i]);
	const struct report_options o = REPORT_OPTIONS_DEFAULT;
	struct report_table t;
	struct err e;
	ck_assert_int_eq(report_functions(p, &o, &t, &e), 0);
	struct web_subject *s = subject(p, NULL);
	json_t *down = ask(s, "flame", ""), *up = ask(s, "flame", "invert=1");
	ck_assert_int_eq(number(down, "total"), t.total);
	ck_assert_int_eq(number(up, "total"), t.total);
	ck_assert_int_eq(number(down, "narrow") + number(up, "narrow"), 0);
	check_sums(down);
	check_sums(up);
	for (size_t i = 0; i < t.n; i++) {
		if (!*t.rows[i].name)
			continue;
		ck_assert_int_eq(cum_in_tree(down, t.rows[i].name),
				 t.rows[i].cum);
		ck_assert_int_eq(cum_in_tree(up, t.rows[i].name),
				 t.rows[i].cum);
	}
	report_table_free(&t);
	json_decref(down);
	json_decref(up);
	web_subject_free(s);
}
END_TEST

/* In an inverted tree the first row is what each function costs itself. */
START_TEST(inverted_begins_with_leaves)
{
	struct profile *p = generated("cpu");
	const struct report_options o = REPORT_OPTIONS_DEFAULT;
	struct report_table t;
	struct err e;
	ck_assert_int_eq(report_functions(p, &o, &t, &e), 0);
	struct web_subject *s = subject(p, NULL);
	json_t *up = ask(s, "flame", "invert=1");
	size_t seen = 0, leaves = 0;
	for (size_t i = 0; i < n_nodes(up); i++) {
		if (column(up, "depth", i) != 1)
			continue;
		seen++;
		size_t k = 0;
		while (k < t.n && strcmp(t.rows[k].name, frame_at(up, i)))
			k++;
		ck_assert_uint_lt(k, t.n);
		ck_assert_int_eq(column(up, "after", i), t.rows[k].flat);
	}
	for (size_t i = 0; i < t.n; i++)
		leaves += t.rows[i].flat != 0;
	ck_assert_uint_gt(leaves, 5);
	ck_assert_uint_eq(seen, leaves);
	report_table_free(&t);
	json_decref(up);
	web_subject_free(s);
}
END_TEST

/* From any node on, the tree is the same as it is from the root. */
START_TEST(flame_from_a_node)
{
	struct web_subject *s = subject(generated("cpu"), NULL);
	json_t *all = ask(s, "flame", "");
	const size_t n = n_nodes(all);
	ck_assert_uint_gt(n, 100);
	for (size_t i = 1; i < n; i += 37) {
		char query[64];
		snprintf(query, sizeof(query), "at=%d",
			 (int)column(all, "node", i));
		json_t *part = ask(s, "flame", query);
		for (size_t k = 0; k < n_nodes(part); k++) {
			ck_assert_str_eq(frame_at(part, k),
					 frame_at(all, i + k));
			ck_assert_int_eq(column(part, "after", k),
					 column(all, "after", i + k));
		}
		const json_t *path = json_object_get(part, "path");
		ck_assert_int_eq((int64_t)n_nodes(path),
				 column(all, "depth", i));
		ck_assert_int_eq(column(path, "after", 0),
				 number(all, "total"));
		json_decref(part);
	}
	json_decref(all);
	web_subject_free(s);
}
END_TEST

static const char *const forest[] = {
	"main;parse;read 30",
	"main;parse;alloc 20",
	"main;run;alloc 5",
	"main;run;run;alloc 7",
	"main;run 8",
	"idle 30",
	NULL,
};

static const struct {
	const char *pattern;
	int64_t matched;
} searches[] = {
	{ "alloc", 32 },     { "^run$", 20 }, { "a", 70 },
	{ "idle|read", 60 }, { "none", 0 },   { "parse|alloc", 62 },
	{ "", -1 },
};

START_TEST(search_finds_its_share)
{
	for (int invert = 0; invert < 2; invert++) {
		struct web_subject *s = subject(fixture_stacks(forest), NULL);
		char query[128];
		snprintf(query, sizeof(query), "search=%s&invert=%d",
			 searches[_i].pattern, invert);
		json_t *answer = ask(s, "flame", query);
		const json_t *search = json_object_get(answer, "search");
		if (searches[_i].matched < 0)
			ck_assert_ptr_null(search);
		else
			ck_assert_int_eq(number(search, "after"),
					 searches[_i].matched);
		json_decref(answer);
		web_subject_free(s);
	}
}
END_TEST

START_TEST(sandwich_is_cut_at_the_outermost)
{
	struct web_subject *s = subject(fixture_stacks(forest), NULL);
	json_t *answer = ask(s, "sandwich", "f=run");
	const json_t *up = json_object_get(answer, "callers");
	const json_t *down = json_object_get(answer, "callees");
	/* all, run, main */
	ck_assert_uint_eq(n_nodes(up), 3);
	ck_assert_str_eq(frame_at(up, 1), "run");
	ck_assert_str_eq(frame_at(up, 2), "main");
	ck_assert_int_eq(column(up, "after", 2), 20);
	/* all, run, run and alloc below it, alloc */
	ck_assert_uint_eq(n_nodes(down), 5);
	ck_assert_int_eq(number(down, "total"), 20);
	ck_assert_int_eq(column(down, "own", 1), 8);
	ck_assert_str_eq(frame_at(down, 2), "run");
	ck_assert_int_eq(column(down, "after", 2), 7);
	check_sums(up);
	check_sums(down);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

/* ---- peek and source ----------------------------------------------------- */

START_TEST(peek_shows_callers_and_callees)
{
	struct web_subject *s = subject(fixture_stacks(forest), NULL);
	json_t *answer = ask(s, "peek", "f=^alloc$");
	const json_t *list = json_object_get(answer, "functions");
	ck_assert_uint_eq(json_array_size(list), 1);
	const json_t *f = json_array_get(list, 0);
	ck_assert_int_eq(number(f, "flat"), 32);
	ck_assert_int_eq(number(f, "cum"), 32);
	const json_t *callers = json_object_get(f, "callers");
	ck_assert_uint_eq(json_array_size(callers), 2);
	ck_assert_str_eq(text_at(json_array_get(callers, 0), 0), "parse");
	ck_assert_int_eq(item(json_array_get(callers, 0), 1), 20);
	ck_assert_str_eq(text_at(json_array_get(callers, 1), 0), "run");
	ck_assert_int_eq(item(json_array_get(callers, 1), 1), 12);
	ck_assert_uint_eq(json_array_size(json_object_get(f, "callees")), 0);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

static const char *const lines[] = { "main:3;work:7 10", "main:3;work:8 20",
				     "main:4 5", NULL };

static void write_source(const char *folder)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/dir", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/dir/file.c", folder);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 1; i <= 20; i++)
		fprintf(f, "line <%d>\n", i);
	fclose(f);
}

static void remove_source(const char *folder)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/dir/file.c", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/dir", folder);
	rmdir(path);
	rmdir(folder);
}

START_TEST(source_has_its_lines)
{
	char folder[] = "/tmp/proflab-web.XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_source(folder);
	struct web_options o = plain_options();
	struct web_subject *s;
	struct err e;
	o.report.source_path = folder;
	ck_assert_int_eq(
		web_subject_new(fixture_stacks(lines), NULL, &o, &s, &e), 0);
	json_t *answer = ask(s, "source", "f=work");
	remove_source(folder);
	const json_t *list = json_object_get(answer, "listings");
	ck_assert_uint_eq(json_array_size(list), 1);
	const json_t *l = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(l, "missing")), "");
	const json_t *rows = json_object_get(l, "lines");
	/* 1 (the start) to 8 and six more */
	ck_assert_uint_eq(json_array_size(rows), 14);
	const json_t *row = json_array_get(rows, 6);
	ck_assert_int_eq(item(row, 0), 7);
	ck_assert_str_eq(text_at(row, 1), "line <7>");
	ck_assert_int_eq(item(row, 2), 10);
	ck_assert_int_eq(item(row, 3), 10);
	ck_assert_int_eq(item(json_array_get(rows, 7), 2), 20);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

START_TEST(source_without_its_file)
{
	struct web_subject *s = subject(fixture_stacks(lines), NULL);
	json_t *answer = ask(s, "source", "f=work");
	const json_t *l =
		json_array_get(json_object_get(answer, "listings"), 0);
	ck_assert_ptr_nonnull(
		strstr(json_string_value(json_object_get(l, "missing")),
		       "dir/file.c"));
	/* The figures are there all the same. */
	const json_t *rows = json_object_get(l, "lines");
	ck_assert_uint_eq(json_array_size(rows), 2);
	ck_assert_int_eq(item(json_array_get(rows, 1), 0), 8);
	ck_assert_int_eq(item(json_array_get(rows, 1), 3), 20);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

/* ---- a difference -------------------------------------------------------- */

static const char *const before_lines[] = { "main;old 40", "main;both 30",
					    "main;same 10", NULL };
static const char *const after_lines[] = { "main;new 25", "main;both 50",
					   "main;same 10", NULL };

static const struct {
	const char *name;
	int64_t after, before;
} changes[] = {
	{ "main", 85, 80 }, { "new", 25, 0 },	{ "old", 0, 40 },
	{ "both", 50, 30 }, { "same", 10, 10 },
};

START_TEST(difference_has_both_sides)
{
	struct web_subject *s = subject(fixture_stacks(after_lines),
					fixture_stacks(before_lines));
	json_t *top = ask(s, "top", ""), *flame = ask(s, "flame", "");
	ck_assert_int_eq(number(top, "total"), 85);
	ck_assert_int_eq(number(top, "total_before"), 80);
	ck_assert_int_eq(number(flame, "total"), 85);
	ck_assert_int_eq(number(flame, "total_before"), 80);
	const json_t *rows = json_object_get(top, "rows");
	ck_assert_uint_eq(json_array_size(rows), ARRAY_SIZE(changes));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		size_t k = 0, node = 0;
		while (strcmp(text_at(json_array_get(rows, k), 0),
			      changes[i].name) != 0)
			k++;
		ck_assert_int_eq(item(json_array_get(rows, k), 5),
				 changes[i].after);
		ck_assert_int_eq(item(json_array_get(rows, k), 7),
				 changes[i].before);
		while (strcmp(frame_at(flame, node), changes[i].name) != 0)
			node++;
		ck_assert_int_eq(column(flame, "after", node),
				 changes[i].after);
		ck_assert_int_eq(column(flame, "before", node),
				 changes[i].before);
	}
	json_decref(top);
	json_decref(flame);
	web_subject_free(s);
}
END_TEST

START_TEST(difference_in_peek_and_source)
{
	struct web_subject *s = subject(fixture_stacks(after_lines),
					fixture_stacks(before_lines));
	/* "old" is in the base alone. */
	json_t *answer = ask(s, "peek", "f=^(old|both)$");
	const json_t *list = json_object_get(answer, "functions");
	ck_assert_uint_eq(json_array_size(list), 2);
	const json_t *old = json_array_get(list, 1);
	ck_assert_str_eq(json_string_value(json_object_get(old, "name")),
			 "old");
	ck_assert_int_eq(number(old, "cum"), 0);
	ck_assert_int_eq(number(old, "cum_before"), 40);
	const json_t *caller =
		json_array_get(json_object_get(old, "callers"), 0);
	ck_assert_str_eq(text_at(caller, 0), "main");
	ck_assert_int_eq(item(caller, 1), 0);
	ck_assert_int_eq(item(caller, 2), 40);
	json_decref(answer);
	answer = ask(s, "source", "f=^both$");
	const json_t *values = json_object_get(
		json_array_get(json_object_get(answer, "listings"), 0),
		"values");
	ck_assert_int_eq(item(values, 1), 50);
	ck_assert_int_eq(item(values, 3), 30);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

START_TEST(difference_of_what_differs)
{
	struct web_subject *s;
	struct err e = { "" };
	const struct web_options o = plain_options();
	ck_assert_int_eq(web_subject_new(fixture_stacks(after_lines),
					 fixture_empty("space", "bytes"), &o,
					 &s, &e),
			 ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, "cpu"));
}
END_TEST

/* ---- nothing in it ------------------------------------------------------- */

static const struct {
	const char *type, *unit, *says;
} empties[] = {
	{ "cpu", "nanoseconds", "idle" },
	{ "delay", "nanoseconds", "contention" },
	{ "inuse_space", "bytes", "malloc" },
	{ "wall", "nanoseconds", "stack" },
	{ "threads", "count", "answered" },
	{ "threadcreate", "count", "created" },
	{ "gadgets", "count", "no samples" },
};

START_TEST(empty_says_why)
{
	struct profile *p = fixture_empty(empties[_i].type, empties[_i].unit);
	struct web_subject *s = subject(p, NULL);
	json_t *answer = ask(s, "meta", "");
	const json_t *empty = json_object_get(answer, "empty");
	ck_assert_ptr_nonnull(empty);
	ck_assert_ptr_nonnull(
		strstr(json_string_value(json_object_get(empty, "why")),
		       empties[_i].says));
	ck_assert_str_ne(json_string_value(json_object_get(empty, "todo")), "");
	json_decref(answer);
	/* Every view of it is an answer. */
	json_decref(ask(s, "top", ""));
	json_decref(ask(s, "flame", "search=x"));
	json_decref(ask_status(s, "peek", "f=x", 404));
	web_subject_free(s);
	/* And one that is not empty does not say so. */
	s = subject(fixture_stacks(forest), NULL);
	answer = ask(s, "meta", "");
	ck_assert_ptr_null(json_object_get(answer, "empty"));
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

START_TEST(filters_that_match_nothing_say_so)
{
	struct web_subject *s = subject(fixture_stacks(forest), NULL);
	static const char *const names[] = { "top", "flame" };
	for (int i = 0; i < 4; i++) {
		json_t *answer = ask(s, names[i % 2], "focus=nowhere");
		ck_assert_ptr_nonnull(strstr(
			json_string_value(json_object_get(answer, "warnings")),
			"ocus expression matched no samples"));
		json_decref(answer);
	}
	web_subject_free(s);
}
END_TEST

/* ---- bad questions ------------------------------------------------------- */

static const struct {
	const char *view, *query;
	unsigned status;
	const char *says;
} mistakes[] = {
	{ "nothing", "", 404, "no view \"nothing\"" },
	{ "", "", 404, "no view" },
	{ "top", "focus=(", 400, "missing closing )" },
	{ "flame", "search=[", 400, "missing closing ]" },
	{ "top", "si=gold", 400, "must be one of: [cpu]" },
	{ "top", "g=galaxies", 400, "functions, filefunctions" },
	{ "top", "noinlines=maybe", 400, "must be 0 or 1" },
	{ "flame", "invert=2", 400, "must be 0 or 1" },
	{ "flame", "at=-1", 400, "a node's number" },
	{ "flame", "at=99999999999999999999", 400, "a node's number" },
	{ "flame", "at=1x", 400, "a node's number" },
	{ "sandwich", "", 400, "f is missing" },
	{ "sandwich", "f=nobody", 404, "nobody" },
	{ "peek", "", 400, "f is missing" },
	{ "peek", "f=nobody", 404, "nobody" },
	{ "source", "f=*", 400, "missing argument to repetition" },
	{ "source", "f=nobody", 404, "nobody" },
	{ "graph", "", 501, "not drawn here" },
};

START_TEST(mistakes_are_named)
{
	struct web_subject *s = subject(fixture_stacks(forest), NULL);
	json_t *answer = ask_status(s, mistakes[_i].view, mistakes[_i].query,
				    mistakes[_i].status);
	const char *text = json_string_value(json_object_get(answer, "error"));
	ck_assert_msg(text && strstr(text, mistakes[_i].says), "%s?%s: %s",
		      mistakes[_i].view, mistakes[_i].query, text);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

/* ---- hostile profiles ---------------------------------------------------- */

static const char *const all_views[] = {
	"meta",
	"top",
	"top g=addresses",
	"flame",
	"flame invert=1",
	"flame search=.&g=lines",
	"peek f=.",
	"source f=.",
	"sandwich f=main",
	"top hide=.",
	"flame show_from=.",
};

/* Whatever it is, each view answers with JSON. */
static void try_views(struct profile *p, struct profile *base)
{
	const struct web_options o = plain_options();
	struct web_subject *s;
	struct err e;
	if (web_subject_new(p, base, &o, &s, &e))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(all_views); i++) {
		char view[64];
		snprintf(view, sizeof(view), "%s", all_views[i]);
		char *query = strchr(view, ' ');
		if (query)
			*query++ = '\0';
		struct web_reply reply = reply_to(s, view, query);
		json_t *answer = json_loads(buf_str(&reply.body), 0, NULL);
		ck_assert_msg(answer != NULL, "%s: no JSON", all_views[i]);
		json_decref(answer);
		buf_free(&reply.body);
	}
	web_subject_free(s);
}

START_TEST(corpus_is_answered)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	snprintf(path, sizeof(path), "%s/tests/corpus/profile",
		 top ? top : ".");
	DIR *dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	int tried = 0;
	const struct dirent *d;
	while ((d = readdir(dir))) {
		struct profile *p = NULL;
		char file[4096 + 300];
		struct err e;
		snprintf(file, sizeof(file), "%s/%s", path, d->d_name);
		if (*d->d_name == '.' ||
		    profile_decode_file(file, NULL, &p, &e))
			continue;
		tried++;
		try_views(p, tried % 3 ? NULL : profile_copy(p));
	}
	closedir(dir);
	ck_assert_int_gt(tried, 20);
}
END_TEST

START_TEST(random_ones_are_answered)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		try_views(fixture_random(seed),
			  seed % 2 ? fixture_random(seed + 1000) : NULL);
}
END_TEST

/* Sums that pass 2^63 are wrong, and harmless. */
START_TEST(huge_counts_are_answered)
{
	static const char *const most[] = {
		"main;a 9223372036854775807",  "main;b 9223372036854775807",
		"main;c 9223372036854775807",  "main;d -9223372036854775808",
		"main;e -9223372036854775807", NULL,
	};
	try_views(fixture_stacks(most), NULL);
	try_views(fixture_stacks(most), fixture_stacks(most));
	try_views(fixture_stacks(forest), fixture_stacks(most));
}
END_TEST

static const struct {
	const char *name, *shown;
} names[] = {
	{ "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>" },
	{ "</script><script>x()</script>", "</script><script>x()</script>" },
	{ "a\"b\\c", "a\"b\\c" },
	{ "tab\tnew\nline\x01\x7f", "tab\tnew\nline\x01\x7f" },
	{ "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd" },
	{ "over \xc0\xaf", "over \xef\xbf\xbd\xef\xbf\xbd" },
	{ "half \xed\xa0\x80", "half \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe4\xb8\x96\xe7\x95\x8c", "\xe4\xb8\x96\xe7\x95\x8c" },
};

START_TEST(names_are_inert)
{
	const int64_t value = 7;
	struct profile *p = fixture_empty("cpu", "nanoseconds");
	const uint32_t loc = fixture_location(p, names[_i].name, 1);
	profile_add_sample(p, &loc, 1, &value, NULL, 0);
	struct web_subject *s = subject(p, NULL);
	json_t *answer = ask(s, "flame", "");
	ck_assert_str_eq(frame_at(answer, 1), names[_i].shown);
	json_decref(answer);
	answer = ask(s, "top", "");
	ck_assert_str_eq(
		text_at(json_array_get(json_object_get(answer, "rows"), 0), 0),
		names[_i].shown);
	json_decref(answer);
	web_subject_free(s);
}
END_TEST

/* ---- size ---------------------------------------------------------------- */

/* n stacks that share nothing but their root, or one that is very deep. */
static struct profile *wide(size_t n)
{
	struct profile *p = fixture_empty("cpu", "nanoseconds");
	const uint32_t root = fixture_location(p, "root", 1);
	for (size_t i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "f%zu", i);
		const struct profile_function f = { .name = profile_intern(
							    p, name) };
		const struct profile_line l = { profile_add_function(p, &f),
						1 };
		const uint32_t locs[2] = {
			profile_add_location(p, 0, 8192 + i, &l, 1), root
		};
		const int64_t value = 1 + (int64_t)(i % 1000);
		profile_add_sample(p, locs, 2, &value, NULL, 0);
	}
	return p;
}

START_TEST(huge_ones_are_cut)
{
	enum { N = 100000 };
	struct web_subject *s = subject(wide(N), NULL);
	static const char *const asked[][2] = { { "top", "" },
						{ "flame", "search=f1" },
						{ "flame", "invert=1" },
						{ "peek", "f=." },
						{ "source", "f=." } };
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct web_reply r = reply_to(s, asked[i][0], asked[i][1]);
		ck_assert_uint_eq(r.status, 200);
		ck_assert_msg(r.body.len < 2 << 20, "%s: %zu bytes",
			      asked[i][0], r.body.len);
		json_t *a = json_loads(buf_str(&r.body), 0, NULL);
		ck_assert_ptr_nonnull(a);
		if (i == 0)
			ck_assert_int_eq(
				number(a, "left_out") +
					(int64_t)json_array_size(
						json_object_get(a, "rows")),
				N + 1);
		if (i == 1)
			ck_assert_int_eq(number(a, "narrow") +
						 (int64_t)n_nodes(a),
					 N + 2);
		json_decref(a);
		buf_free(&r.body);
	}
	web_subject_free(s);
}
END_TEST

START_TEST(deep_ones_are_cut)
{
	enum { DEPTH = 5000 };
	static uint32_t locs[DEPTH];
	const int64_t value = 3;
	struct profile *p = fixture_empty("cpu", "nanoseconds");
	for (int i = 0; i < DEPTH; i++)
		locs[i] = i < 2 ? fixture_location(p, i ? "odd" : "even", 1)
				: locs[i % 2];
	profile_add_sample(p, locs, DEPTH, &value, NULL, 0);
	struct web_subject *s = subject(p, NULL);
	json_t *a = ask(s, "flame", "");
	ck_assert_int_eq(number(a, "nodes"), DEPTH + 1);
	ck_assert_int_eq(number(a, "deep"), 1);
	ck_assert_uint_eq(n_nodes(a), 301);
	json_decref(a);
	/* The rest is there for who goes down. */
	a = ask(s, "flame", "at=4990");
	ck_assert_uint_eq(n_nodes(a), 11);
	ck_assert_int_eq(number(a, "deep"), 0);
	json_decref(a);
	web_subject_free(s);
}
END_TEST

/* ---- many at once -------------------------------------------------------- */

static void *ask_often(void *arg)
{
	struct web_subject *s = arg;
	static const char *const asked[] = { "", "invert=1", "focus=main",
					     "search=a" };
	for (int i = 0; i < 40; i++) {
		struct web_reply r = reply_to(s, "flame", asked[i % 4]);
		if (r.status != 200)
			return (void *)"a flame graph was refused";
		buf_free(&r.body);
		r = reply_to(s, "top", asked[i % 3]);
		if (r.status != 200)
			return (void *)"a table was refused";
		buf_free(&r.body);
	}
	return NULL;
}

START_TEST(many_ask_at_once)
{
	struct web_subject *s = subject(generated("cpu"), generated("cpu"));
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, ask_often, s), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		ck_assert_msg(!wrong, "%s", (const char *)wrong);
	}
	web_subject_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("web");
	TCase *t = tcase_create("answers");
	suite_add_tcase(s, t);
	testing_add_table(t, hashes_are_the_standard, hashes);
	tcase_add_loop_test(t, page_is_self_contained, 0, 2);
	testing_add_table(t, top_is_the_report, tops);
	testing_add_table(t, flame_is_the_report, tree_kinds);
	tcase_add_test(t, inverted_begins_with_leaves);
	tcase_add_test(t, flame_from_a_node);
	testing_add_table(t, search_finds_its_share, searches);
	tcase_add_test(t, sandwich_is_cut_at_the_outermost);
	tcase_add_test(t, peek_shows_callers_and_callees);
	tcase_add_test(t, source_has_its_lines);
	tcase_add_test(t, source_without_its_file);
	tcase_add_test(t, difference_has_both_sides);
	tcase_add_test(t, difference_in_peek_and_source);
	tcase_add_test(t, difference_of_what_differs);
	testing_add_table(t, empty_says_why, empties);
	tcase_add_test(t, filters_that_match_nothing_say_so);
	testing_add_table(t, mistakes_are_named, mistakes);
	tcase_add_test(t, corpus_is_answered);
	tcase_add_test(t, random_ones_are_answered);
	tcase_add_test(t, huge_counts_are_answered);
	testing_add_table(t, names_are_inert, names);
	tcase_add_test(t, huge_ones_are_cut);
	tcase_add_test(t, deep_ones_are_cut);
	tcase_add_test(t, many_ask_at_once);
	return testing_run(s);
}
