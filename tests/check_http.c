/*
 * check_http.c - libpprof-http against Go's answers (golden/http: a live Go
 * 1.19 server's), over a profiler that is played (fake_pprof.h).
 */
#include "base/clock.h"
#include "http/own_fd.h"
#include "http/pprof_http.h"
#include "pprof/pprof.h"
#include "tests/fake_pprof.h"
#include "tests/http_client.h"
#include "tests/testing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static struct pprof_http *http;

static void start(const struct pprof_http_options *options)
{
	ck_assert_int_eq(pprof_http_start("127.0.0.1:0", options, &http), 0);
}

static void setup(void)
{
	start(NULL);
}

static void teardown(void)
{
	pprof_http_stop(http);
	http = NULL;
	/* Whatever happened, no capture was left open or forgotten. */
	ck_assert_int_eq(fake_running(), 0);
	ck_assert_int_eq(fake_unfreed(), 0);
}

static struct client_reply ask(const char *method, const char *path,
			       const char *headers, const char *body)
{
	return client_ask(pprof_http_url(http), method, path, headers, body);
}

/* ---- paths and parameters ---- */

#define TEXT   "text/plain; charset=utf-8"
#define HTML   "text/html; charset=utf-8"
#define OCTETS "application/octet-stream"
#define FORM   "Content-Type: application/x-www-form-urlencoded\r\n"
#define SECONDS_RANGE                                                          \
	"invalid value for \"seconds\" - must be an integer from 0 to 3600\n"
#define SECONDS_POSITIVE                                                       \
	"invalid value for \"seconds\" - must be a positive integer\n"
#define HZ_RANGE                                                               \
	"invalid value for \"hz\" - must be an integer from 1 to 10000\n"
#define INCOMPATIBLE "seconds and debug params are incompatible\n"
#define UNKNOWN	     "Unknown profile\n"

/* Those of Go's TestHandlers first. */
static const struct {
	const char *path; /* below /debug/pprof; the row's name */
	int status;
	const char *type, *file; /* of Content-Disposition, or "" */
	const char *body;	 /* NULL: any */
} paths[] = {
	{ "/<script>scripty<script>", 404, TEXT, "", UNKNOWN },
	{ "/heap", 200, OCTETS, "heap", "heap debug=0 min_age=0" },
	{ "/heap?debug=1", 200, TEXT, "", "heap debug=1 min_age=0" },
	{ "/cmdline", 200, TEXT, "", NULL },
	{ "/symbol", 200, TEXT, "", "num_symbols: 1\n" },
	{ "/trace", 404, TEXT, "", UNKNOWN },
	{ "/mutex", 200, OCTETS, "mutex", NULL },
	{ "/", 200, HTML, "", NULL },

	{ "", 301, HTML, "",
	  "<a href=\"/debug/pprof/\">Moved Permanently</a>.\n\n" },
	{ "/nix", 404, TEXT, "", UNKNOWN },
	{ "/heap/", 404, TEXT, "", UNKNOWN },
	{ "//heap", 404, TEXT, "", UNKNOWN },
	{ "/Heap", 404, TEXT, "", UNKNOWN },
	{ "/../heap", 404, TEXT, "", UNKNOWN },
	{ "/%68eap", 200, OCTETS, "heap", NULL },
	{ "/nix?seconds=x", 404, TEXT, "", UNKNOWN },
	{ "/0123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789",
	  404, TEXT, "", UNKNOWN },

	{ "/heap?debug=2", 200, TEXT, "", "heap debug=2 min_age=0" },
	{ "/heap?debug=9", 200, TEXT, "", "heap debug=2 min_age=0" },
	{ "/heap?debug=-1", 200, TEXT, "", "heap debug=1 min_age=0" },
	{ "/heap?debug=0", 200, OCTETS, "heap", NULL },
	{ "/heap?debug=", 200, OCTETS, "heap", NULL },
	{ "/heap?debug=x", 200, OCTETS, "heap", NULL },
	{ "/heap?debug=1x", 200, OCTETS, "heap", NULL },
	{ "/heap?debug=%2b1", 200, TEXT, "", NULL },
	{ "/heap?debug=99999999999999999999", 200, TEXT, "", NULL },
	{ "/heap?Debug=1", 200, OCTETS, "heap", NULL },
	{ "/heap?debug=0&debug=1", 200, OCTETS, "heap", NULL },
	{ "/heap?gc=1", 200, OCTETS, "heap", NULL },
	{ "/heap?seconds=", 200, OCTETS, "heap", NULL },

	{ "/heap?min_age=60s", 200, OCTETS, "heap",
	  "heap debug=0 min_age=60000000000" },
	{ "/heap?min_age=60", 400, TEXT, "", NULL },
	{ "/heap?min_age=-1s", 400, TEXT, "", NULL },
	{ "/mutex?min_age=60", 200, OCTETS, "mutex", NULL },

	{ "/heap?seconds=0", 400, TEXT, "", SECONDS_POSITIVE },
	{ "/heap?seconds=-1", 400, TEXT, "", SECONDS_POSITIVE },
	{ "/heap?seconds=x", 400, TEXT, "", SECONDS_POSITIVE },
	{ "/heap?seconds=1.5", 400, TEXT, "", SECONDS_POSITIVE },
	{ "/heap?seconds=99999999999999999999", 400, TEXT, "",
	  SECONDS_POSITIVE },
	{ "/heap?seconds=x&debug=1", 400, TEXT, "", SECONDS_POSITIVE },
	{ "/heap?seconds=3601", 400, TEXT, "",
	  "invalid value for \"seconds\" - must be an integer from 1 to "
	  "3600\n" },
	{ "/heap?seconds=1&debug=1", 400, TEXT, "", INCOMPATIBLE },
	{ "/my.files%2f%3copen%3e%26?seconds=1", 400, TEXT, "",
	  "\"seconds\" parameter is not supported for this profile type\n" },
	{ "/my.files%2f%3copen%3e%26?seconds=1&debug=1", 400, TEXT, "",
	  "\"seconds\" parameter is not supported for this profile type\n" },

	{ "/profile?seconds=x", 400, TEXT, "", SECONDS_RANGE },
	{ "/profile?seconds=-1", 400, TEXT, "", SECONDS_RANGE },
	{ "/profile?seconds=3601", 400, TEXT, "", SECONDS_RANGE },
	{ "/profile?seconds=1e1", 400, TEXT, "", SECONDS_RANGE },
	{ "/profile?seconds=99999999999999999999", 400, TEXT, "",
	  SECONDS_RANGE },
	{ "/wall?seconds=-5", 400, TEXT, "", SECONDS_RANGE },
	{ "/profile?seconds=1&hz=0", 400, TEXT, "", HZ_RANGE },
	{ "/profile?seconds=1&hz=10001", 400, TEXT, "", HZ_RANGE },
	{ "/profile?seconds=1&hz=x", 400, TEXT, "", HZ_RANGE },
	{ "/wall?seconds=1&hz=-100", 400, TEXT, "", HZ_RANGE },

	{ "/symbol?0x670a45", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?6752837+", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?0X670A45+0+x+0x670a45&a", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?0o31605105", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?031605105", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?0b11001110000101001000101", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?0x_67_0a45+0x67__0a45+0x670a45_+_670a45", 200, TEXT, "",
	  "num_symbols: 1\n0x670a45 sync.(*Mutex).Unlock\n" },
	{ "/symbol?0x10000000000670a45+18446744073709551616+-1+ +0x", 200, TEXT,
	  "", "num_symbols: 1\n" },
	{ "/symbol?0x1=2+0x670a45=", 200, TEXT, "", "num_symbols: 1\n" },
};

START_TEST(path_table)
{
	char path[256], type[256], value[256], want[256] = "";
	snprintf(path, sizeof(path), "/debug/pprof%s", paths[_i].path);
	struct client_reply r = ask("GET", path, "", NULL);
	const char *name = paths[_i].path;
	ck_assert_msg(r.status == paths[_i].status, "%s: status %d, not %d",
		      name, r.status, paths[_i].status);
	ck_assert_msg(client_header(&r, "Content-Type", type) == 1 &&
			      strcmp(type, paths[_i].type) == 0,
		      "%s: type \"%s\"", name, type);
	if (*paths[_i].file)
		snprintf(want, sizeof(want), "attachment; filename=\"%s\"",
			 paths[_i].file);
	client_header(&r, "Content-Disposition", value);
	ck_assert_msg(strcmp(value, want) == 0, "%s: disposition \"%s\"", name,
		      value);
	client_header(&r, "X-Go-Pprof", value);
	ck_assert_msg((*value == '1') == (r.status >= 400),
		      "%s: X-Go-Pprof \"%s\"", name, value);
	client_header(&r, "X-Content-Type-Options", value);
	ck_assert_msg(r.status == 301 || strcmp(value, "nosniff") == 0,
		      "%s: not nosniff", name);
	if (paths[_i].body)
		ck_assert_msg(strcmp(r.body, paths[_i].body) == 0,
			      "%s: body \"%s\"", name, r.body);
	client_reply_free(&r);
}
END_TEST

/* ---- what Go answered ---- */

static char *golden(const char *name, const char *kind)
{
	char path[1024];
	const char *top = getenv("top_srcdir");
	snprintf(path, sizeof(path), "%s/tests/golden/http/%s.%s",
		 top ? top : ".", name, kind);
	FILE *f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	char *text = calloc(1, 65536);
	ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
	fclose(f);
	return text;
}

static const struct {
	const char *name, *method, *path, *body;
	bool same_body; /* else only its headers are Go's */
} goldens[] = {
	{ "allocs", "GET", "/allocs" },
	{ "allocs_debug1", "GET", "/allocs?debug=1" },
	{ "cmdline", "GET", "/cmdline" },
	{ "e404", "GET", "/nix", NULL, true },
	{ "e_both", "GET", "/heap?seconds=1&debug=1", NULL, true },
	{ "e_concurrent", "GET", "/profile?seconds=1&hz=50", NULL, true },
	{ "e_seconds", "GET", "/heap?seconds=x", NULL, true },
	{ "e_seconds0", "GET", "/heap?seconds=0", NULL, true },
	{ "goroutine_debug2", "GET", "/goroutine?debug=2" },
	{ "heap", "GET", "/heap" },
	{ "heap", "HEAD", "/heap" },
	{ "heap", "POST", "/heap", "x" },
	{ "index", "GET", "/" },
	{ "mutex", "GET", "/mutex" },
	{ "mutex_debug1", "GET", "/mutex?debug=1" },
	{ "symbol_get", "GET", "/symbol?0x670a45+0x401000", NULL, true },
	{ "symbol_post", "POST", "/symbol", "0x670a45+0x5f2ecb", true },
	{ "threadcreate", "GET", "/threadcreate" },
};

/* The lines of a header that say something about the answer, sorted. */
static void header_lines(const char *head, char *out, size_t size)
{
	static const char *const incidental[] = { "Date:", "Content-Length:",
						  "Transfer-Encoding:" };
	const char *lines[32];
	size_t n = 0;
	for (const char *s = head; *s && *s != '\r' && n < 32;) {
		bool skip = false;
		for (size_t i = 0; i < 3; i++)
			skip = skip || strncasecmp(s, incidental[i],
						   strlen(incidental[i])) == 0;
		if (!skip) {
			size_t at = n++;
			for (; at > 1 && strcmp(lines[at - 1], s) > 0; at--)
				lines[at] = lines[at - 1];
			lines[at] = s;
		}
		s += strcspn(s, "\n") + 1;
	}
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const size_t used = strlen(out);
		snprintf(out + used, size - used, "%.*s\n",
			 (int)strcspn(lines[i], "\r\n"), lines[i]);
	}
}

static void assert_golden_header(const struct client_reply *r, const char *name)
{
	char want[4096], got[4096];
	char *head = golden(name, "headers");
	header_lines(head, want, sizeof(want));
	header_lines(r->head, got, sizeof(got));
	ck_assert_msg(strcmp(want, got) == 0, "%s: header\n%snot\n%s", name,
		      got, want);
	free(head);
}

START_TEST(golden_table)
{
	char path[256];
	const char *name = goldens[_i].name;
	snprintf(path, sizeof(path), "/debug/pprof%s", goldens[_i].path);
	int held = -1;
	if (strcmp(name, "e_concurrent") == 0) {
		held = client_connect(pprof_http_url(http));
		client_send_text(held, "GET /debug/pprof/profile HTTP/1.1\r\n"
				       "Host: x\r\n\r\n");
		ck_assert(fake_wait_running(1));
	}
	struct client_reply r =
		ask(goldens[_i].method, path, "", goldens[_i].body);
	if (held >= 0)
		close(held);
	assert_golden_header(&r, name);
	if (goldens[_i].same_body) {
		char *body = golden(name, "body");
		ck_assert_msg(strcmp(body, r.body) == 0, "%s: body \"%s\"",
			      name, r.body);
		free(body);
	}
	client_reply_free(&r);
}
END_TEST

/* text without the lines that contain any of words. */
static void drop_lines(char *text, const char *const *words, size_t n)
{
	char *to = text;
	for (char *s = text; *s;) {
		const size_t len = strcspn(s, "\n") + 1;
		const size_t have = strnlen(s, len);
		bool drop = false;
		for (size_t i = 0; i < n; i++)
			drop = drop ||
			       memmem(s, have, words[i], strlen(words[i]));
		if (!drop) {
			memmove(to, s, have);
			to += have;
		}
		s += have;
	}
	*to = '\0';
}

START_TEST(index_is_gos)
{
	/* We have what Go has not, and no execution trace. */
	static const char *const ours[] = { ">wall", ">my.files",
					    "proflab-pprof -http" };
	static const char *const gos[] = { ">trace" };
	struct client_reply r = ask("GET", "/debug/pprof/", "", NULL);
	char *want = golden("index", "body");
	ck_assert_ptr_nonnull(strstr(
		r.body, "<tr><td>2</td><td><a href='my.files/&lt;open&gt;&amp;"
			"?debug=1'>my.files/&lt;open&gt;&amp;</a></td></tr>"));
	ck_assert_ptr_nonnull(strstr(r.body, "Custom &#34;one&#34;"));
	drop_lines(r.body, ours, 3);
	drop_lines(want, gos, 1);
	ck_assert_str_eq(r.body, want);
	free(want);
	client_reply_free(&r);
}
END_TEST

START_TEST(cmdline_is_ours)
{
	struct client_reply r = ask("GET", "/debug/pprof/cmdline", "", NULL);
	ck_assert_uint_gt(r.len, 0);
	ck_assert_int_ne(r.body[r.len - 1], '\0');
	ck_assert_ptr_nonnull(strstr(r.body, "check_http"));
	client_reply_free(&r);
}
END_TEST

START_TEST(other_methods)
{
	static const char *const methods[] = { "PUT", "DELETE", "PATCH",
					       "OPTIONS", "FOO" };
	char value[256];
	for (size_t i = 0; i < 5; i++) {
		struct client_reply r =
			ask(methods[i], "/debug/pprof/heap", "", NULL);
		ck_assert_msg(r.status == 405, "%s: %d", methods[i], r.status);
		client_header(&r, "Allow", value);
		ck_assert_str_eq(value, "GET, HEAD, POST");
		client_reply_free(&r);
	}
}
END_TEST

/* ---- a form in the body ---- */

START_TEST(form_before_query)
{
	struct client_reply r = ask("POST", "/debug/pprof/heap?debug=0", FORM,
				    "a&x=%zz&d%65bug=1");
	ck_assert_str_eq(r.body, "heap debug=1 min_age=0");
	client_reply_free(&r);
	/* The body of another type is not looked at. */
	r = ask("POST", "/debug/pprof/heap", "", "debug=1");
	ck_assert_str_eq(r.body, "heap debug=0 min_age=0");
	client_reply_free(&r);
}
END_TEST

static const struct {
	const char *name, *headers, *body;
	int status;
	const char *answer; /* NULL: any */
} rate_rows[] = {
	{ "set two", FORM, "mutex=7&block=100", 200,
	  "{\"block\":100,\"heap\":524288,\"mutex\":7}\n" },
	{ "off", FORM, "heap=0", 200,
	  "{\"block\":0,\"heap\":0,\"mutex\":0}\n" },
	{ "nothing", FORM, "", 400,
	  "one of block, heap, mutex must be given\n" },
	{ "not a number", FORM, "mutex=x", 400, NULL },
	{ "negative", FORM, "heap=-1", 400, NULL },
	{ "a sign", FORM, "heap=%2B5", 400, NULL },
	{ "a sign before nothing", FORM, "heap=-0", 400, NULL },
	{ "a blank", FORM, "heap=+5", 400, NULL },
	{ "all or nothing", FORM, "mutex=9&heap=-1", 400, NULL },
	{ "too large", FORM, "mutex=99999999999", 400, NULL },
	{ "same origin", FORM "Origin: http://test\r\n", "mutex=1", 200, NULL },
	{ "another origin", FORM "Origin: http://evil\r\n", "mutex=1", 403,
	  NULL },
	{ "no origin at all", FORM "Origin: null\r\n", "mutex=1", 403, NULL },
};

START_TEST(rates_table)
{
	struct client_reply r = ask("POST", "/debug/pprof/rates",
				    rate_rows[_i].headers, rate_rows[_i].body);
	ck_assert_msg(r.status == rate_rows[_i].status, "%s: %d %s",
		      rate_rows[_i].name, r.status, r.body);
	if (rate_rows[_i].answer)
		ck_assert_msg(strcmp(r.body, rate_rows[_i].answer) == 0,
			      "%s: %s", rate_rows[_i].name, r.body);
	client_reply_free(&r);
	if (rate_rows[_i].status == 200)
		return;
	r = ask("GET", "/debug/pprof/rates", "", NULL);
	ck_assert_msg(strcmp(r.body, "{\"block\":0,\"heap\":524288,"
				     "\"mutex\":0}\n") == 0,
		      "%s changed something: %s", rate_rows[_i].name, r.body);
	client_reply_free(&r);
}
END_TEST

/* ---- captures ---- */

static int begin_capture(const char *target)
{
	char text[256];
	snprintf(text, sizeof(text),
		 "GET /debug/pprof/%s HTTP/1.1\r\nHost: x\r\n\r\n", target);
	const int fd = client_connect(pprof_http_url(http));
	client_send_text(fd, text);
	return fd;
}

/* All at once: each takes a second or two by itself. */
static const struct {
	const char *target;
	int seconds;
	const char *golden; /* whose header it has, or NULL */
	const char *file, *body;
} captures[] = {
	{ "profile?seconds=1", 1, "cpu", "profile", "profile at 100 Hz" },
	{ "profile?seconds=1&hz=100&debug=1", 1, "cpu", "profile",
	  "profile at 100 Hz" },
	{ "profile?seconds=2", 2, "cpu", "profile", "profile at 100 Hz" },
	{ "wall?seconds=1&hz=10000", 1, NULL, "wall", "wall at 10000 Hz" },
	{ "heap?seconds=1&debug=x&gc=1&hz=0", 1, "heap_delta", "heap-delta",
	  "heap at 100 Hz" },
	{ "block?seconds=1", 1, "block_delta", "block-delta",
	  "block at 100 Hz" },
	{ "goroutine?seconds=1&debug=0", 1, NULL, "goroutine-delta",
	  "goroutine at 100 Hz" },
};
enum { CAPTURES = sizeof(captures) / sizeof(captures[0]) };

static void assert_capture(size_t i, struct client_reply *r, int64_t took)
{
	const char *name = captures[i].target;
	char value[256], want[256];
	ck_assert_msg(r->status == 200, "%s: %d %s", name, r->status, r->body);
	ck_assert_msg(strcmp(r->body, captures[i].body) == 0, "%s: %s", name,
		      r->body);
	ck_assert_msg(took >= captures[i].seconds * SECOND,
		      "%s was answered too early", name);
	client_header(r, "Content-Disposition", value);
	snprintf(want, sizeof(want), "attachment; filename=\"%s\"",
		 captures[i].file);
	ck_assert_str_eq(value, want);
	if (captures[i].golden)
		assert_golden_header(r, captures[i].golden);
}

/* Where there was no processor for a second, the first of them is over before
 * the last one has begun: then once more. */
START_TEST(captures_in_parallel)
{
	bool parallel = false;
	for (int round = 1; !parallel; round++) {
		int fds[CAPTURES];
		const int64_t start_ns = clock_monotonic_ns();
		for (size_t i = 0; i < CAPTURES; i++)
			fds[i] = begin_capture(captures[i].target);
		ck_assert(fake_wait_started(round * CAPTURES));
		parallel = fake_running() == CAPTURES;
		const int64_t took = clock_monotonic_ns() - start_ns;
		ck_assert_msg(parallel || (took >= SECOND && round < 5),
			      "%d captures at once", fake_running());
		for (size_t i = 0; i < CAPTURES; i++) {
			struct client_reply r = client_read(fds[i], 0);
			assert_capture(i, &r, clock_monotonic_ns() - start_ns);
			client_reply_free(&r);
			close(fds[i]);
		}
		ck_assert_int_eq(fake_written(), round * CAPTURES);
	}
}
END_TEST

enum hangup { HANGUP_CLOSE, HANGUP_RESET, HANGUP_HALF };

static const struct {
	const char *name;
	enum hangup how;
	const char *target;
} hangups[] = {
	{ "close", HANGUP_CLOSE, "profile?seconds=3600" },
	{ "reset", HANGUP_RESET, "wall?seconds=3600" },
	{ "half", HANGUP_HALF, "heap?seconds=3600" },
};

START_TEST(hangup_ends_the_capture)
{
	const int fd = begin_capture(hangups[_i].target);
	ck_assert(fake_wait_running(1));
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	if (hangups[_i].how == HANGUP_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (hangups[_i].how == HANGUP_HALF)
		shutdown(fd, SHUT_WR);
	else
		close(fd);
	ck_assert_msg(fake_wait_running(0), "%s: the capture goes on",
		      hangups[_i].name);
	if (hangups[_i].how == HANGUP_HALF)
		close(fd);
	ck_assert_int_eq(fake_written(), 0);
	struct pprof_http_stats stats;
	pprof_http_get_stats(http, &stats);
	ck_assert_uint_eq(stats.hangups, 1);
	ck_assert_uint_eq(stats.captures, 0);
}
END_TEST

START_TEST(pipelined_behind_a_capture)
{
	const int fd = client_connect(pprof_http_url(http));
	client_send_text(fd, "GET /debug/pprof/profile?seconds=1 HTTP/1.1\r\n"
			     "Host: x\r\n\r\n"
			     "GET /debug/pprof/nix HTTP/1.1\r\n"
			     "Host: x\r\n\r\n");
	struct client_reply r = client_read(fd, 0);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(r.body, "profile at 100 Hz");
	client_reply_free(&r);
	r = client_read(fd, 0);
	ck_assert_int_eq(r.status, 404);
	client_reply_free(&r);
	close(fd);
}
END_TEST

START_TEST(limits_are_the_options)
{
	const struct pprof_http_options options = { .max_seconds = 5,
						    .max_captures = 2 };
	char value[256];
	start(&options);
	const int one = begin_capture("profile?seconds=5");
	const int two = begin_capture("profile?seconds=0");
	ck_assert(fake_wait_running(2));
	struct client_reply r =
		ask("GET", "/debug/pprof/heap?seconds=1", "", NULL);
	ck_assert_int_eq(r.status, 503);
	ck_assert_str_eq(r.body,
			 "too many captures: at most 2 at the same time\n");
	ck_assert_int_eq(client_header(&r, "Retry-After", value), 1);
	client_reply_free(&r);
	r = ask("GET", "/debug/pprof/profile?seconds=6", "", NULL);
	ck_assert_int_eq(r.status, 400);
	ck_assert_ptr_nonnull(strstr(r.body, "from 0 to 5"));
	client_reply_free(&r);
	/* A place that becomes free can be taken. */
	close(one);
	ck_assert(fake_wait_running(1));
	const int three = begin_capture("profile?seconds=5");
	ck_assert(fake_wait_running(2));
	close(two);
	close(three);
	ck_assert(fake_wait_running(0));
	teardown();
}
END_TEST

static void *stop_thread(void *arg)
{
	(void)arg;
	pprof_http_stop(http);
	return NULL;
}

START_TEST(stop_answers_who_waits)
{
	pthread_t thread;
	start(NULL);
	const int fd = begin_capture("profile?seconds=3600");
	const int other = begin_capture("heap?seconds=3600");
	ck_assert(fake_wait_running(2));
	pthread_create(&thread, NULL, stop_thread, NULL);
	struct client_reply r = client_read(fd, 0);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(r.body, "profile at 100 Hz");
	client_reply_free(&r);
	r = client_read(other, 0);
	ck_assert_int_eq(r.status, 200);
	client_reply_free(&r);
	pthread_join(thread, NULL);
	close(fd);
	close(other);
	ck_assert_int_eq(fake_unfreed(), 0);
}
END_TEST

static const struct {
	const char *path;
	int *failure;
	int code, status;
	const char *body;
} failures[] = {
	{ "/profile?seconds=1", &fake_fail_start, PPROF_ERR_BUSY, 500,
	  "Could not enable CPU profiling: cpu profiling already in use\n" },
	{ "/profile?seconds=1", &fake_fail_start, PPROF_ERR_NOMEM, 500,
	  "Could not enable CPU profiling: profile is refused with -1\n" },
	{ "/wall?seconds=1", &fake_fail_start, PPROF_ERR_INVALID, 400,
	  "Could not enable wall profiling: wall is refused with -2\n" },
	{ "/wall?seconds=1", &fake_fail_start, PPROF_ERR_BUSY, 500,
	  "Could not enable wall profiling: wall profiling already in use\n" },
	{ "/heap?seconds=1", &fake_fail_start, PPROF_ERR_NOMEM, 500,
	  "failed to collect profile\n" },
	{ "/heap?seconds=1", &fake_fail_stop, PPROF_ERR_NOMEM, 500,
	  "failed to collect profile\n" },
	{ "/heap?seconds=1", &fake_fail_write, PPROF_ERR_NOMEM, 500,
	  "failed to compute delta\n" },
	{ "/profile?seconds=1", &fake_fail_write, PPROF_ERR_NOMEM, 500,
	  "failed to collect profile: out of memory\n" },
	{ "/heap", &fake_fail_write, PPROF_ERR_NOMEM, 500,
	  "failed to collect profile: heap is refused with -1\n" },
};

START_TEST(failure_table)
{
	char path[256], value[256];
	snprintf(path, sizeof(path), "/debug/pprof%s", failures[_i].path);
	*failures[_i].failure = failures[_i].code;
	struct client_reply r = ask("GET", path, "", NULL);
	ck_assert_int_eq(r.status, failures[_i].status);
	ck_assert_str_eq(r.body, failures[_i].body);
	ck_assert_int_eq(client_header(&r, "X-Go-Pprof", value), 1);
	ck_assert_int_eq(client_header(&r, "Content-Disposition", value), 0);
	client_reply_free(&r);
}
END_TEST

/* ---- the token ---- */

static const struct {
	const char *name, *file, *headers;
	int status;
} tokens[] = {
	{ "none given", "s3cret\n", "", 401 },
	{ "right", "s3cret\n", "Authorization: Bearer s3cret\r\n", 200 },
	{ "right, CRLF", "s3cret\r\nx", "Authorization: Bearer s3cret\r\n",
	  200 },
	{ "any case", "s3cret", "authorization: bEARER  s3cret\r\n", 200 },
	{ "wrong", "s3cret\n", "Authorization: Bearer s3creT\r\n", 401 },
	{ "prefix", "s3cret\n", "Authorization: Bearer s3cre\r\n", 401 },
	{ "longer", "s3cret\n", "Authorization: Bearer s3cretx\r\n", 401 },
	{ "empty", "s3cret\n", "Authorization: Bearer \r\n", 401 },
	/* "x:s3cret", "x:s3cre", "s3cret:" */
	{ "basic", "s3cret\n", "Authorization: Basic eDpzM2NyZXQ=\r\n", 200 },
	{ "basic wrong", "s3cret\n", "Authorization: Basic eDpzM2NyZQ==\r\n",
	  401 },
	{ "basic user", "s3cret\n", "Authorization: Basic czNjcmV0Og==\r\n",
	  401 },
	{ "basic rubbish", "s3cret\n", "Authorization: Basic !!!\r\n", 401 },
	{ "another scheme", "s3cret\n", "Authorization: Digest s3cret\r\n",
	  401 },
	{ "empty file", "", "Authorization: Bearer \r\n", 401 },
	{ "empty line", "\n", "Authorization: Bearer \r\n", 401 },
	{ "no file", NULL, "Authorization: Bearer s3cret\r\n", 401 },
};

START_TEST(token_table)
{
	char path[] = "/tmp/proflab-token-XXXXXX", value[256];
	const int fd = mkstemp(path);
	const struct pprof_http_options options = { .token_file = path };
	start(&options);
	/* Written after the start: it is read for every request. */
	if (tokens[_i].file)
		ck_assert_int_eq(write(fd, tokens[_i].file,
				       strlen(tokens[_i].file)),
				 (ssize_t)strlen(tokens[_i].file));
	else
		unlink(path);
	static const char *const targets[] = { "/debug/pprof/",
					       "/debug/pprof/heap",
					       "/debug/pprof/rates" };
	for (size_t i = 0; i < 3; i++) {
		struct client_reply r =
			ask("GET", targets[i], tokens[_i].headers, NULL);
		ck_assert_msg(r.status == tokens[_i].status, "%s: %s: %d",
			      tokens[_i].name, targets[i], r.status);
		if (r.status == 401)
			ck_assert_int_eq(client_header(&r, "WWW-Authenticate",
						       value),
					 2);
		client_reply_free(&r);
	}
	close(fd);
	unlink(path);
	teardown();
}
END_TEST

/* ---- what is not HTTP ---- */

static const struct {
	const char *name, *bytes;
	size_t len; /* 0: strlen */
	bool cut;   /* more would have to come: hang up, expect nothing */
} malformed[] = {
	{ "nothing", "", 0, true },
	{ "a line", "\r\n\r\n\r\n", 0, true },
	{ "rubbish", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, true },
	{ "no version", "GET /debug/pprof/\r\n\r\n" },
	{ "version 9", "GET /debug/pprof/ HTTP/9.9\r\nHost: x\r\n\r\n" },
	{ "a NUL in the path",
	  "GET /debug/pprof/he\0ap HTTP/1.1\r\nHost: x\r\n\r\n", 48 },
	{ "an escaped NUL",
	  "GET /debug/pprof/heap%00x?debug=%00 HTTP/1.1\r\nHost: x\r\n\r\n" },
	{ "bad escapes",
	  "GET /debug/pprof/%zz%?%=%&%f HTTP/1.1\r\nHost: x\r\n\r\n" },
	{ "no Host", "GET /debug/pprof/heap HTTP/1.1\r\n\r\n" },
	{ "half a header", "GET /debug/pprof/heap HTTP/1.1\r\nHost", 0, true },
	{ "a header without colon",
	  "GET /debug/pprof/heap HTTP/1.1\r\nHost: x\r\nrubbish\r\n\r\n" },
	{ "a folded header",
	  "GET /debug/pprof/heap HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n" },
	{ "a negative length",
	  "POST /debug/pprof/symbol HTTP/1.1\r\nHost: x\r\n"
	  "Content-Length: -1\r\n\r\n0x1" },
	{ "a huge length",
	  "POST /debug/pprof/symbol HTTP/1.1\r\nHost: x\r\n"
	  "Content-Length: 99999999999999999999999\r\n\r\n0x1" },
	{ "a body cut short",
	  "POST /debug/pprof/symbol HTTP/1.1\r\nHost: x\r\n"
	  "Content-Length: 100\r\n\r\n0x1",
	  0, true },
	{ "a bad chunk", "POST /debug/pprof/symbol HTTP/1.1\r\nHost: x\r\n"
			 "Transfer-Encoding: chunked\r\n\r\nzz\r\n" },
	{ "an absolute URL",
	  "GET http://x/debug/pprof/heap HTTP/1.1\r\nHost: x\r\n\r\n" },
	{ "only a question mark", "GET ? HTTP/1.1\r\nHost: x\r\n\r\n" },
	{ "many ampersands",
	  "GET /debug/pprof/heap?&&&=&==&&=& HTTP/1.1\r\nHost: x\r\n\r\n" },
};

static void assert_alive(const char *name)
{
	struct client_reply r = ask("GET", "/debug/pprof/heap", "", NULL);
	ck_assert_msg(r.status == 200, "after %s: %d", name, r.status);
	client_reply_free(&r);
}

START_TEST(malformed_table)
{
	const char *bytes = malformed[_i].bytes;
	const size_t len =
		malformed[_i].len ? malformed[_i].len : strlen(bytes);
	const int fd = client_connect(pprof_http_url(http));
	client_send(fd, bytes, len);
	if (!malformed[_i].cut) {
		struct client_reply r = client_read(fd, 0);
		ck_assert_msg(r.status == 0 ||
				      (r.status >= 200 && r.status < 600),
			      "%s: %d", malformed[_i].name, r.status);
		client_reply_free(&r);
	}
	close(fd);
	assert_alive(malformed[_i].name);
}
END_TEST

START_TEST(absurd_sizes)
{
	enum { HUGE_LINE = 200000, HUGE_BODY = 17 << 20 };
	char *text = malloc(HUGE_BODY + 1);
	/* A path, a header, a word of symbol and a body that are too long. */
	memset(text, 'a', HUGE_LINE);
	int fd = client_connect(pprof_http_url(http));
	client_send_text(fd, "GET /debug/pprof/");
	client_send(fd, text, HUGE_LINE);
	client_send_text(fd, " HTTP/1.1\r\nHost: x\r\n\r\n");
	struct client_reply r = client_read(fd, 0);
	ck_assert(r.status == 0 || r.status == 414 || r.status == 431);
	client_reply_free(&r);
	close(fd);
	fd = client_connect(pprof_http_url(http));
	client_send_text(fd, "GET /debug/pprof/heap HTTP/1.1\r\nX: ");
	client_send(fd, text, HUGE_LINE);
	client_send_text(fd, "\r\n\r\n");
	r = client_read(fd, 0);
	ck_assert(r.status == 0 || r.status == 431);
	client_reply_free(&r);
	close(fd);
	text[5000] = '\0';
	r = ask("POST", "/debug/pprof/symbol", "", text);
	ck_assert_str_eq(r.body, "num_symbols: 1\n"
				 "reading request: bufio: buffer full\n");
	client_reply_free(&r);
	memset(text, '+', HUGE_BODY);
	text[HUGE_BODY] = '\0';
	r = ask("POST", "/debug/pprof/symbol", "", text);
	ck_assert_msg(r.status == 413, "%d", r.status);
	client_reply_free(&r);
	free(text);
	assert_alive("absurd sizes");
}
END_TEST

/* ---- sockets ---- */

static const struct {
	const char *address;
	int code, error;
} addresses[] = {
	{ "", PPROF_ERR_INVALID },
	{ "127.0.0.1", PPROF_ERR_INVALID },
	{ "127.0.0.1:", PPROF_ERR_INVALID },
	{ "127.0.0.1:x", PPROF_ERR_INVALID },
	{ "127.0.0.1:-1", PPROF_ERR_INVALID },
	{ "127.0.0.1:99999", PPROF_ERR_INVALID },
	{ "127.0.0.1:1 ", PPROF_ERR_INVALID },
	{ "1:2:3", PPROF_ERR_INVALID },
	{ "unix:", PPROF_ERR_INVALID },
	{ "unix:/nix/nix/nix", PPROF_ERR_IO, ENOENT },
	{ "unix:/0123456789012345678901234567890123456789"
	  "01234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890",
	  PPROF_ERR_INVALID },
	/* TEST-NET-1: nobody's address, so not ours. */
	{ "192.0.2.1:0", PPROF_ERR_IO, EADDRNOTAVAIL },
};

START_TEST(address_table)
{
	struct pprof_http *h = NULL;
	const int rc = pprof_http_start(addresses[_i].address, NULL, &h);
	const int error = errno;
	ck_assert_msg(rc == addresses[_i].code, "\"%s\": %d",
		      addresses[_i].address, rc);
	if (addresses[_i].error)
		ck_assert_int_eq(error, addresses[_i].error);
	ck_assert_ptr_null(h);
}
END_TEST

START_TEST(address_in_use)
{
	struct pprof_http *other = NULL;
	char address[64];
	snprintf(address, sizeof(address), "%.*s",
		 (int)strcspn(pprof_http_url(http) + 7, "/"),
		 pprof_http_url(http) + 7);
	ck_assert_int_eq(pprof_http_start(address, NULL, &other), PPROF_ERR_IO);
	ck_assert_int_eq(errno, EADDRINUSE);
}
END_TEST

START_TEST(options_out_of_range)
{
	static const struct pprof_http_options bad[] = {
		{ .max_seconds = -1 },
		{ .max_captures = -1 },
		{ .max_captures = 1000000 },
	};
	struct pprof_http *h;
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(pprof_http_start("127.0.0.1:0", &bad[i], &h),
				 PPROF_ERR_INVALID);
}
END_TEST

START_TEST(unix_socket)
{
	char folder[] = "/tmp/proflab-http-XXXXXX", path[64], url[80];
	struct stat st;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(url, sizeof(url), "unix:%s", path);

	/* A file that is no socket is nobody's to remove. */
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(pprof_http_start(url, NULL, &http), PPROF_ERR_IO);
	ck_assert_int_eq(unlink(path), 0);

	/* A socket that a dead process left behind is. */
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	memcpy(sa.sun_path, path, strlen(path) + 1);
	const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(dead, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(dead);
	ck_assert_int_eq(pprof_http_start(url, NULL, &http), 0);
	ck_assert_str_eq(pprof_http_url(http), url);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	assert_alive("the start");

	/* One that is served is not. */
	struct pprof_http *other = NULL;
	ck_assert_int_eq(pprof_http_start(url, NULL, &other), PPROF_ERR_IO);
	ck_assert_int_eq(errno, EADDRINUSE);

	/* Hang-ups are seen here too. */
	const int fd = begin_capture("profile?seconds=3600");
	ck_assert(fake_wait_running(1));
	close(fd);
	ck_assert(fake_wait_running(0));
	teardown();
	ck_assert_int_ne(stat(path, &st), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(descriptors_close_on_exec)
{
	const int fd = begin_capture("profile?seconds=3600");
	ck_assert(fake_wait_running(1));
	DIR *dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	const struct dirent *d;
	int seen = 0;
	while ((d = readdir(dir))) {
		const int n = (int)strtol(d->d_name, NULL, 10);
		char path[300], target[256] = "";
		snprintf(path, sizeof(path), "/proc/self/fd/%s", d->d_name);
		if (n <= 2 || readlink(path, target, sizeof(target) - 1) < 0)
			continue;
		if (strncmp(target, "socket:", 7) != 0 &&
		    strncmp(target, "anon_inode:", 11) != 0)
			continue;
		seen++;
		ck_assert_msg(fcntl(n, F_GETFD) & FD_CLOEXEC, "%s is inherited",
			      target);
	}
	closedir(dir);
	/* Listener, connection (both ends), epoll, an eventfd and the pair
	 * that wakes the captures. */
	ck_assert_int_ge(seen, 7);
	close(fd);
	ck_assert(fake_wait_running(0));
}
END_TEST

/* ---- a program that closes all that is open ---- */

enum {
	HIGH = 300, /* above it are the descriptors that are kept */
	FILES = 64,
	PAUSE_NS = 50000000,
};

/* As a forked child that lives on keeps them: what was connected still is. */
static int keep_all(int client)
{
	int kept = -1;
	for (int fd = 3; fd < HIGH; fd++) {
		const int copy = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
		if (fd == client)
			kept = copy;
	}
	return kept;
}

/* Does the process come to rest?  One that spins never does. */
static bool comes_to_rest(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	const int64_t end = clock_monotonic_ns() + INT64_C(10000000000);
	int still = 0;
	for (int64_t before = clock_process_cpu_ns();
	     still < 5 && clock_monotonic_ns() < end;) {
		nanosleep(&pause, NULL);
		const int64_t now = clock_process_cpu_ns();
		still = now - before < PAUSE_NS / 10 ? still + 1 : 0;
		before = now;
	}
	return still == 5;
}

static const char *const lost_when[] = { "idle", "connected", "capturing",
					 "in a daemon of the program's" };

/* Returns: what went wrong, or NULL.  Process: one of its own. */
static const char *close_all_and_go_on(int when)
{
	/* So that ours are below HIGH. */
	struct rlimit before, few;
	if (getrlimit(RLIMIT_NOFILE, &before))
		return "no limit";
	few = before;
	few.rlim_cur = HIGH / 2;
	setrlimit(RLIMIT_NOFILE, &few);
	const int rc = when == 3 ? pprof_http_new(NULL, &http)
				 : pprof_http_start("127.0.0.1:0", NULL, &http);
	setrlimit(RLIMIT_NOFILE, &before);
	int client = -1;
	if (rc)
		return "it does not start";
	if (when != 3)
		client = when == 2 ? begin_capture("profile?seconds=1")
				   : client_connect(pprof_http_url(http));
	if (when == 2 && !fake_wait_running(1))
		return "no capture runs";
	if (when == 1) {
		client_send_text(client, "GET /debug/pprof/cmdline HTTP/1.1\r\n"
					 "Host: x\r\n\r\n");
		struct client_reply r = client_read(client, 0);
		client_reply_free(&r);
	}
	const int kept = when ? keep_all(client) : -1;
	close_range(3, HIGH - 1, 0);
	int files[FILES];
	for (int i = 0; i < FILES; i++) {
		files[i] = fileno(tmpfile());
		if (write(files[i], "mine", 4) != 4)
			return "a file cannot be written";
	}
	/* Not by client_send: from here on Check has no descriptor either. */
	if (when == 1 && write(kept, "GET / HTTP/1.1\r\n\r\n", 18) != 18)
		return "the connection is gone";
	if (when == 2 && !fake_wait_running(0))
		return "the capture goes on";
	if (!comes_to_rest())
		return "a thread spins";
	pprof_http_forked(http);
	pprof_http_drain(http);
	pprof_http_stop(http);
	for (int i = 0; i < FILES; i++) {
		struct stat st;
		if (fstat(files[i], &st) || st.st_size != 4 ||
		    lseek(files[i], 0, SEEK_CUR) != 4)
			return "a file of the program's was touched";
	}
	return NULL;
}

START_TEST(low_numbers_are_the_programs)
{
	bool open_before[OWN_FD_FLOOR];
	for (int fd = 0; fd < OWN_FD_FLOOR; fd++)
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	start(NULL);
	ck_assert_int_ge(own_fd_floor(), 128);
	for (int fd = 0; fd < own_fd_floor(); fd++)
		ck_assert_msg((fcntl(fd, F_GETFD) >= 0) == open_before[fd],
			      "descriptor %d", fd);
	teardown();
}
END_TEST

START_TEST(the_program_closes_all)
{
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const char *wrong = close_all_and_go_on(_i);
		if (wrong)
			dprintf(STDERR_FILENO, "%s: %s\n", lost_when[_i],
				wrong);
		_exit(wrong != NULL);
	}
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "%s: status %#x", lost_when[_i], status);
}
END_TEST

START_TEST(trims_are_counted)
{
	struct pprof_http_stats before, after;
	pprof_http_get_stats(http, &before);
	static const char *const targets[] = { "heap?gc=1", "heap?gc=0",
					       "heap?gc=x", "allocs?gc=1",
					       "heap?gc=2&debug=1" };
	for (size_t i = 0; i < 5; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/debug/pprof/%s", targets[i]);
		struct client_reply r = ask("GET", path, "", NULL);
		ck_assert_int_eq(r.status, 200);
		client_reply_free(&r);
	}
	pprof_http_get_stats(http, &after);
	ck_assert_uint_eq(after.trims - before.trims, 2);
	ck_assert_uint_eq(after.requests - before.requests, 5);
	ck_assert_uint_gt(after.trim_ns, before.trim_ns);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("with a server");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	testing_add_table(t, path_table, paths);
	testing_add_table(t, golden_table, goldens);
	testing_add_table(t, rates_table, rate_rows);
	testing_add_table(t, hangup_ends_the_capture, hangups);
	testing_add_table(t, failure_table, failures);
	testing_add_table(t, malformed_table, malformed);
	tcase_add_test(t, index_is_gos);
	tcase_add_test(t, cmdline_is_ours);
	tcase_add_test(t, other_methods);
	tcase_add_test(t, form_before_query);
	tcase_add_test(t, captures_in_parallel);
	tcase_add_test(t, pipelined_behind_a_capture);
	tcase_add_test(t, absurd_sizes);
	tcase_add_test(t, address_in_use);
	tcase_add_test(t, descriptors_close_on_exec);
	tcase_add_test(t, trims_are_counted);
	suite_add_tcase(s, t);
	t = tcase_create("starts by itself");
	tcase_set_timeout(t, 60);
	testing_add_table(t, token_table, tokens);
	testing_add_table(t, address_table, addresses);
	testing_add_table(t, the_program_closes_all, lost_when);
	tcase_add_test(t, low_numbers_are_the_programs);
	tcase_add_test(t, limits_are_the_options);
	tcase_add_test(t, stop_answers_who_waits);
	tcase_add_test(t, options_out_of_range);
	tcase_add_test(t, unix_socket);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return testing_run(suite());
}
