/*
 * check_ui.c - /debug/pprof/ui/ over HTTP, on a real profiler: what is taken
 * is kept within bounds, shown, compared; and who may ask.
 */
#include "base/clock.h"
#include "base/err.h"
#include "http/pprof_http.h"
#include "http/ui_store.h"
#include "pprof/pprof.h"
#include "profile/decode.h"
#include "profile/profile.h"
#include "tests/http_client.h"
#include "tests/testing.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OWN "Host: localhost\r\n"

static struct pprof_http *http;
static struct pprof_profile *custom;

static void start(const struct pprof_http_options *options)
{
	ck_assert_int_eq(pprof_http_start("127.0.0.1:0", options, &http), 0);
}

static void setup(void)
{
	static int key;
	start(NULL);
	ck_assert_int_eq(pprof_new_profile("open.files", &custom), 0);
	ck_assert_int_eq(pprof_profile_add(custom, &key, 0), 0);
}

static void teardown(void)
{
	pprof_http_stop(http);
	http = NULL;
}

/* headers has the Host; a body makes it a POST. */
static struct client_reply ask(const char *path, const char *headers,
			       const char *body)
{
	char text[4096];
	snprintf(text, sizeof(text),
		 "%s /debug/pprof/ui%s HTTP/1.1\r\n%sConnection: close\r\n"
		 "Content-Type: application/x-www-form-urlencoded\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 body ? "POST" : "GET", path, headers, body ? strlen(body) : 0,
		 body ? body : "");
	const int fd = client_connect(pprof_http_url(http));
	client_send_text(fd, text);
	struct client_reply r = client_read(fd, 0);
	close(fd);
	return r;
}

static json_t *ask_json(const char *path, const char *body)
{
	struct client_reply r = ask(path, OWN, body);
	ck_assert_msg(r.status == 200, "%s %s: %d %s", path, body ? body : "",
		      r.status, r.body);
	json_t *answer = json_loads(r.body, 0, NULL);
	ck_assert_msg(answer != NULL, "%s: %.300s", path, r.body);
	client_reply_free(&r);
	return answer;
}

static int64_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	ck_assert_msg(json_is_integer(value), "no number \"%s\"", key);
	return json_integer_value(value);
}

static int64_t take(const char *body)
{
	json_t *answer = ask_json("/take", body);
	const int64_t id = number(answer, "id");
	json_decref(answer);
	return id;
}

static size_t n_kept(void)
{
	json_t *answer = ask_json("/api/kinds", NULL);
	const size_t n = json_array_size(json_object_get(answer, "kept"));
	json_decref(answer);
	return n;
}

/* ---- what it serves ------------------------------------------------------ */

START_TEST(page_has_its_policy)
{
	static const char *const paths[] = { "/", "/api/kinds", "/download?p=1",
					     "/api/top?p=1", "/api/nix?p=1" };
	char value[256];
	take("kind=open.files");
	for (size_t i = 0; i < 5; i++) {
		struct client_reply r = ask(paths[i], OWN, NULL);
		ck_assert_int_eq(r.status, i == 4 ? 404 : 200);
		ck_assert_ptr_nonnull(strstr(r.head, "default-src 'none'"));
		ck_assert_int_eq(
			client_header(&r, "X-Content-Type-Options", value), 1);
		ck_assert_str_eq(value, "nosniff");
		client_header(&r, "Cache-Control", value);
		ck_assert_str_eq(value, "no-store");
		client_reply_free(&r);
	}
	struct client_reply r = ask("", OWN, NULL);
	ck_assert_int_eq(r.status, 301);
	client_header(&r, "Location", value);
	ck_assert_str_eq(value, "/debug/pprof/ui/");
	client_reply_free(&r);
}
END_TEST

START_TEST(taken_is_shown_and_had)
{
	ck_assert_int_eq(take("kind=open.files"), 1);
	json_t *top = ask_json("/api/top?p=1", NULL);
	ck_assert_int_eq(number(top, "total"), 1);
	json_decref(top);
	/* Against itself nothing has changed. */
	top = ask_json("/api/top?p=1&base=1", NULL);
	ck_assert_int_eq(number(top, "total_before"), 1);
	json_decref(top);
	struct client_reply r = ask("/download?p=1", OWN, NULL);
	struct profile *p;
	struct err e = { "" };
	ck_assert_msg(!profile_decode(r.body, r.len, NULL, &p, &e), "%s",
		      e.text);
	ck_assert_uint_eq(p->n_samples, 1);
	profile_free(p);
	client_reply_free(&r);
	/* Two that measure different things are not compared. */
	ck_assert_int_eq(take("kind=threads"), 2);
	r = ask("/api/top?p=1&base=2", OWN, NULL);
	ck_assert_int_eq(r.status, 400);
	client_reply_free(&r);
}
END_TEST

START_TEST(cpu_has_its_seconds)
{
	const int64_t before = clock_monotonic_ns();
	ck_assert_int_eq(take("kind=profile&seconds=1"), 1);
	ck_assert_int_ge(clock_monotonic_ns() - before, 1000000000);
	json_t *meta = ask_json("/api/meta?p=1", NULL);
	ck_assert_int_ge(number(json_object_get(meta, "profile"),
				"duration_ns"),
			 1000000000);
	json_decref(meta);
	json_t *kinds = ask_json("/api/kinds", NULL);
	const json_t *kept = json_array_get(json_object_get(kinds, "kept"), 0);
	ck_assert_int_eq(number(kept, "seconds"), 1);
	json_decref(kinds);
}
END_TEST

START_TEST(oldest_go)
{
	for (int i = 1; i <= UI_KEPT_MAX + 3; i++)
		ck_assert_int_eq(take("kind=open.files"), i);
	ck_assert_uint_eq(n_kept(), UI_KEPT_MAX);
	struct client_reply r = ask("/api/top?p=3", OWN, NULL);
	ck_assert_int_eq(r.status, 404);
	ck_assert_ptr_nonnull(strstr(r.body, "the last 16"));
	client_reply_free(&r);
	json_decref(ask_json("/api/top?p=4", NULL));
	json_decref(ask_json("/forget", "p=4"));
	ck_assert_uint_eq(n_kept(), UI_KEPT_MAX - 1);
	/* A number is not given twice. */
	ck_assert_int_eq(take("kind=open.files"), UI_KEPT_MAX + 4);
}
END_TEST

/* ---- refusals ------------------------------------------------------------ */

static const struct {
	const char *path, *body;
	int status;
	const char *says;
} refusals[] = {
	{ "/take", "", 404, "Unknown profile" },
	{ "/take", "kind=nothing", 404, "Unknown profile" },
	{ "/take", "kind=cmdline", 404, "Unknown profile" },
	{ "/take", "kind=symbol", 404, "Unknown profile" },
	{ "/take", "kind=ui/take", 404, "Unknown profile" },
	{ "/take", "kind=threads&debug=1", 400, "as text" },
	{ "/take", "kind=profile&seconds=3601", 400, "0 to 3600" },
	{ "/take", "kind=profile&seconds=x", 400, "0 to 3600" },
	{ "/take", "kind=profile&hz=0", 400, "1 to 10000" },
	{ "/take", "kind=open.files&seconds=0", 400, "positive" },
	{ "/take", NULL, 404, "no such page" },
	{ "/forget", NULL, 404, "no such page" },
	{ "/api/kinds", "x", 404, "no such page" },
	{ "/nix", NULL, 404, "no such page" },
	{ "/api/top", NULL, 404, "not kept" },
	{ "/api/top?p=-1", NULL, 404, "not kept" },
	{ "/api/top?p=1x", NULL, 404, "not kept" },
	{ "/download", NULL, 404, "not kept" },
};

START_TEST(refusals_are_named)
{
	struct client_reply r = ask(refusals[_i].path, OWN, refusals[_i].body);
	ck_assert_msg(r.status == refusals[_i].status &&
			      strstr(r.body, refusals[_i].says),
		      "%s %s: %d %s", refusals[_i].path,
		      refusals[_i].body ? refusals[_i].body : "", r.status,
		      r.body);
	client_reply_free(&r);
	ck_assert_uint_eq(n_kept(), 0);
}
END_TEST

static const struct {
	const char *headers;
	bool is_allowed;
} callers[] = {
	{ "Host: localhost\r\n", true },
	{ "Host: LOCALHOST:6060\r\n", true },
	{ "Host: 127.0.0.1:6060\r\n", true },
	{ "Host: [::1]:6060\r\n", true },
	{ "Host: localhost:80\r\nOrigin: http://localhost:80\r\n", true },
	{ "Host: evil.example\r\n", false },
	{ "Host: localhost.evil.example\r\n", false },
	{ "Host: 127.0.0.1.evil.example\r\n", false },
	{ "Host: localhost:80\r\nOrigin: http://evil.example\r\n", false },
	{ "Host: localhost:80\r\nOrigin: http://localhost:81\r\n", false },
	{ "Host: localhost:80\r\nOrigin: null\r\n", false },
};

START_TEST(strangers_are_refused)
{
	static const char *const asked[][2] = { { "/", NULL },
						{ "/api/kinds", NULL },
						{ "/take",
						  "kind=open.files" } };
	for (size_t i = 0; i < 3; i++) {
		struct client_reply r =
			ask(asked[i][0], callers[_i].headers, asked[i][1]);
		ck_assert_msg(r.status == (callers[_i].is_allowed ? 200 : 403),
			      "%s %s: %d", callers[_i].headers, asked[i][0],
			      r.status);
		client_reply_free(&r);
	}
}
END_TEST

START_TEST(token_is_asked_for)
{
	char path[] = "/tmp/proflab-token-XXXXXX";
	const int fd = mkstemp(path);
	ck_assert_int_eq(write(fd, "s3cret\n", 7), 7);
	close(fd);
	teardown();
	const struct pprof_http_options options = { .token_file = path };
	start(&options);
	static const char *const asked[][2] = { { "/", NULL },
						{ "/api/kinds", NULL },
						{ "/take", "kind=threads" },
						{ "/api/top?p=1", NULL },
						{ "/download?p=1", NULL },
						{ "/forget", "p=1" } };
	for (size_t i = 0; i < 6; i++) {
		struct client_reply r = ask(asked[i][0], OWN, asked[i][1]);
		ck_assert_msg(r.status == 401, "%s: %d", asked[i][0], r.status);
		client_reply_free(&r);
		/* Who knows it may come under any name. */
		r = ask(asked[i][0],
			"Host: proxy.example\r\n"
			"Authorization: Bearer s3cret\r\n",
			asked[i][1]);
		ck_assert_msg(r.status == 200, "%s: %d %s", asked[i][0],
			      r.status, r.body);
		client_reply_free(&r);
	}
	unlink(path);
}
END_TEST

/* ---- captures ------------------------------------------------------------ */

static bool wait_for_captures(uint64_t n)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct pprof_http_stats s;
	for (int i = 0; i < 2000; i++) {
		pprof_http_get_stats(http, &s);
		if (s.captures == n)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

#define TAKE_LONG                                                              \
	"POST /debug/pprof/ui/take?kind=profile&seconds=600 HTTP/1.1\r\n" OWN  \
	"Content-Length: 0\r\n\r\n"

START_TEST(cancelling_ends_the_capture)
{
	const int fd = client_connect(pprof_http_url(http));
	client_send_text(fd, TAKE_LONG);
	ck_assert(wait_for_captures(1));
	/* Meanwhile the page is served. */
	ck_assert_uint_eq(n_kept(), 0);
	close(fd);
	ck_assert(wait_for_captures(0));
	struct pprof_http_stats s;
	pprof_http_get_stats(http, &s);
	ck_assert_uint_eq(s.hangups, 1);
	ck_assert_uint_eq(n_kept(), 0);
}
END_TEST

START_TEST(captures_are_limited)
{
	teardown();
	const struct pprof_http_options options = { .max_captures = 1,
						    .max_seconds = 700 };
	start(&options);
	const int fd = client_connect(pprof_http_url(http));
	client_send_text(fd, TAKE_LONG);
	ck_assert(wait_for_captures(1));
	struct client_reply r = ask("/take", OWN, "kind=profile&seconds=1");
	ck_assert_int_eq(r.status, 503);
	client_reply_free(&r);
	r = ask("/take", OWN, "kind=profile&seconds=701");
	ck_assert_int_eq(r.status, 400);
	client_reply_free(&r);
	/* A stop ends it, and its client gets an answer. */
	pprof_http_stop(http);
	r = client_read(fd, 0);
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	close(fd);
	start(NULL);
}
END_TEST

/* ---- the store ----------------------------------------------------------- */

static struct buf bytes(size_t n)
{
	struct buf b = { .cap = (size_t)64 << 20 };
	ck_assert_int_eq(buf_reserve(&b, n), 0);
	memset(b.data, 'x', n);
	b.len = n;
	return b;
}

START_TEST(store_is_bounded)
{
	enum { MIB = 1 << 20, BIG = 9 * MIB };
	struct ui_store s = { 0 };
	struct buf b = bytes(UI_KEPT_BYTES / 2 + 1);
	ck_assert_ptr_null(ui_store_add(&s, "heap", 0, 0, &b));
	ck_assert_ptr_null(b.data);
	/* Three fit, the fourth pushes the first out. */
	for (uint64_t id = 1; id <= 5; id++) {
		b = bytes(BIG);
		const struct ui_kept *k = ui_store_add(&s, "heap", 0, 0, &b);
		ck_assert_ptr_nonnull(k);
		ck_assert_uint_eq(k->id, id);
		ck_assert_uint_eq(k->data.size, BIG + 1);
		size_t sum = 0;
		for (size_t i = 0; i < UI_KEPT_MAX; i++)
			sum += s.rows[i].data.size;
		ck_assert_uint_le(sum, UI_KEPT_BYTES);
		ck_assert_int_eq(ui_store_find(&s, id - 3) == NULL, true);
		ck_assert_int_eq(id < 3 || ui_store_find(&s, id - 2) != NULL,
				 true);
	}
	ui_store_drop(&s, 4);
	ck_assert_ptr_null(ui_store_find(&s, 4));
	ck_assert_ptr_nonnull(ui_store_find(&s, 5));
	ck_assert_ptr_null(ui_store_find(&s, 0));
	ui_store_free(&s);
	ck_assert_uint_eq(s.rows[0].id, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ui");
	TCase *t = tcase_create("server");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, page_has_its_policy);
	tcase_add_test(t, taken_is_shown_and_had);
	tcase_add_test(t, cpu_has_its_seconds);
	tcase_add_test(t, oldest_go);
	testing_add_table(t, refusals_are_named, refusals);
	testing_add_table(t, strangers_are_refused, callers);
	tcase_add_test(t, token_is_asked_for);
	tcase_add_test(t, cancelling_ends_the_capture);
	tcase_add_test(t, captures_are_limited);
	suite_add_tcase(s, t);
	t = tcase_create("store");
	tcase_add_test(t, store_is_bounded);
	suite_add_tcase(s, t);
	return testing_run(s);
}
