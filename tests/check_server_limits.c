/*
 * check_server_limits.c - what keeps profiling safe in production, on the real
 * server: limits of captures, a port or socket of their own, a token.
 */
#include "base/attr.h"
#include "base/clock.h"
#include "tests/http_client.h"
#include "tests/server_process.h"
#include "tests/testing.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/proflab-limits-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
	/* A test that left something behind fails here. */
	ck_assert_int_eq(rmdir(folder), 0);
}

static const char *file_path(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *socket_url(char url[static 128])
{
	snprintf(url, 128, "unix:%s/pprof", folder);
	return url;
}

/* Whole or not there, as one replaces a secret. */
static void write_token(const char *text)
{
	char new_path[128];
	snprintf(new_path, sizeof(new_path), "%s/token.new", folder);
	const int fd = open(new_path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	ck_assert_int_eq(rename(new_path, file_path("token")), 0);
}

static void assert_status(const char *url, const char *path,
			  const char *headers, int status, const char *body)
{
	struct client_reply r = client_ask(url, "GET", path, headers, NULL);
	ck_assert_msg(r.status == status, "%s %s: %d", path, headers, r.status);
	if (body)
		ck_assert_msg(strcmp(r.body, body) == 0, "%s: %s", path,
			      r.body);
	client_reply_free(&r);
}

static void stop(struct server_process *p)
{
	kill(p->pid, SIGTERM);
	ck_assert_int_eq(server_process_wait(p, 20), 0);
	server_process_end(p);
}

/* ---- captures ---- */

static const struct {
	const char *path;
	int status;
	const char *body;
} limit_rows[] = {
	{ "/debug/pprof/profile?seconds=3", 400,
	  "invalid value for \"seconds\" - must be an integer from 0 to 1\n" },
	{ "/debug/pprof/wall?seconds=3", 400,
	  "invalid value for \"seconds\" - must be an integer from 0 to 1\n" },
	{ "/debug/pprof/heap?seconds=3", 400,
	  "invalid value for \"seconds\" - must be an integer from 1 to 1\n" },
	{ "/debug/pprof/profile?seconds=-1", 400,
	  "invalid value for \"seconds\" - must be an integer from 0 to 1\n" },
	{ "/debug/pprof/profile?seconds=soon", 400,
	  "invalid value for \"seconds\" - must be an integer from 0 to 1\n" },
	{ "/debug/pprof/profile?seconds=99999999999999999999", 400,
	  "invalid value for \"seconds\" - must be an integer from 0 to 1\n" },
	{ "/debug/pprof/profile?hz=10001", 400,
	  "invalid value for \"hz\" - must be an integer from 1 to 10000\n" },
	{ "/debug/pprof/block?seconds=1", 200, NULL },
};

START_TEST(captures_are_limited)
{
	static const char *const args[] = { "-pprof-max-seconds=1", NULL };
	struct server_process server =
		server_process_start("proflab-server", args);
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++)
		assert_status(server.url, limit_rows[i].path, "",
			      limit_rows[i].status, limit_rows[i].body);
	/* Without seconds it is Go's 30, or what is allowed. */
	const int64_t began = clock_monotonic_ns();
	assert_status(server.url, "/debug/pprof/profile", "", 200, NULL);
	const int64_t took = clock_monotonic_ns() - began;
	ck_assert_int_ge(took, INT64_C(1000000000));
	ck_assert_int_lt(took, INT64_C(30000000000));
	stop(&server);
}
END_TEST

/* Until the server says that so many captures are under way. */
static void await_captures(const char *url, int n)
{
	char line[64];
	bool reached = false;
	snprintf(line, sizeof(line), "\npprof_http_captures %d\n", n);
	while (!reached) { /* Check's limit ends it */
		struct client_reply r =
			client_ask(url, "GET", "/metrics", "", NULL);
		reached = strstr(r.body, line) != NULL;
		client_reply_free(&r);
	}
}

/* One that goes on until its client leaves, so that it is there for certain
 * when the next one is asked for. */
START_TEST(captures_at_once_are_limited)
{
	static const char *const args[] = { "-pprof-max-captures=1", NULL };
	struct server_process server =
		server_process_start("proflab-server", args);
	const int fd = client_connect(server.url);
	client_send_text(fd,
			 "GET /debug/pprof/profile?seconds=3600 HTTP/1.1\r\n"
			 "Host: x\r\n\r\n");
	await_captures(server.url, 1);
	struct client_reply r = client_ask(
		server.url, "GET", "/debug/pprof/heap?seconds=1", "", NULL);
	char value[256];
	ck_assert_int_eq(r.status, 503);
	ck_assert_str_eq(r.body,
			 "too many captures: at most 1 at the same time\n");
	ck_assert_int_eq(client_header(&r, "Retry-After", value), 1);
	client_reply_free(&r);
	/* What is no capture is not refused. */
	assert_status(server.url, "/debug/pprof/heap", "", 200, NULL);
	close(fd);
	await_captures(server.url, 0);
	assert_status(server.url, "/debug/pprof/heap?seconds=1", "", 200, NULL);
	stop(&server);
}
END_TEST

/* ---- a port of their own ---- */

/* "... profiles at URL", the second line. */
static void read_pprof_url(struct server_process *p, char url[static 128])
{
	char text[256] = "";
	ck_assert_int_gt(read(p->out, text, sizeof(text) - 1), 0);
	const char *at = strstr(text, "profiles at ");
	ck_assert_msg(at != NULL, "the server said: %s", text);
	at += strlen("profiles at ");
	size_t n = strcspn(at, "\n");
	if (strncmp(at, "http://", 7) == 0)
		n = 7 + strcspn(at + 7, "/\n");
	snprintf(url, 128, "%.*s", (int)n, at);
}

START_TEST(a_port_of_their_own)
{
	static const char *const args[] = { "-pprof-listen", "127.0.0.1:0",
					    NULL };
	struct server_process server =
		server_process_start("proflab-server", args);
	char url[128];
	read_pprof_url(&server, url);
	ck_assert_str_ne(url, server.url);
	/* Not on the main port, nor in its list. */
	static const char *const gone[] = { "/debug/pprof/", "/debug/pprof",
					    "/debug/pprof/heap",
					    "/debug/pprof/profile?seconds=1",
					    "/debug/pprof/rates" };
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_status(server.url, gone[i], "", 404, NULL);
	struct client_reply r = client_ask(server.url, "GET", "/", "", NULL);
	ck_assert_ptr_null(strstr(r.body, "/debug/pprof/"));
	client_reply_free(&r);
	/* And nothing else on theirs. */
	assert_status(url, "/debug/pprof/", "", 200, NULL);
	assert_status(url, "/debug/pprof/heap", "", 200, NULL);
	static const char *const mains[] = { "/", "/cpu", "/metrics", "/stats",
					     "/dashboard" };
	for (size_t i = 0; i < ARRAY_SIZE(mains); i++)
		assert_status(url, mains[i], "", 404, "404 page not found\n");
	/* The figures are the server's all the same. */
	r = client_ask(server.url, "GET", "/metrics", "", NULL);
	ck_assert_ptr_nonnull(
		strstr(r.body, "\npprof_captures_total{profile=\"heap\"} 1\n"));
	client_reply_free(&r);
	stop(&server);
}
END_TEST

START_TEST(a_socket_of_their_own)
{
	char url[128], said[128];
	const char *const args[] = { "-pprof-listen", socket_url(url), NULL };
	struct stat st;
	struct server_process server =
		server_process_start("proflab-server", args);
	read_pprof_url(&server, said);
	ck_assert_str_eq(said, url);
	ck_assert_int_eq(stat(file_path("pprof"), &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	assert_status(url, "/debug/pprof/heap", "", 200, NULL);
	/* Killed, it leaves its socket behind; the next one takes its place. */
	kill(server.pid, SIGKILL);
	server_process_wait(&server, 20);
	server_process_end(&server);
	ck_assert_int_eq(stat(file_path("pprof"), &st), 0);
	server = server_process_start("proflab-server", args);
	ck_assert_int_eq(stat(file_path("pprof"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	assert_status(url, "/debug/pprof/heap", "", 200, NULL);
	stop(&server);
	ck_assert_int_ne(stat(file_path("pprof"), &st), 0);
}
END_TEST

/* ---- what is no way to start ---- */

static void assert_fails(const char *const *args, const char *text)
{
	char said[1024] = "";
	struct server_process p = server_process_run("proflab-server", args);
	const int status = server_process_wait(&p, 20);
	ck_assert_int_gt(read(p.out, said, sizeof(said) - 1), 0);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
			      strstr(said, text),
		      "status %x, \"%s\", not \"%s\"", status, said, text);
	server_process_end(&p);
}

START_TEST(in_use_is_said)
{
	char url[128], port[128], text[256];
	const char *const args[] = { "-pprof-listen", socket_url(url), NULL };
	struct server_process server =
		server_process_start("proflab-server", args);
	const char *const same_socket[] = { "-listen", "127.0.0.1:0",
					    "-pprof-listen", url, NULL };
	snprintf(text, sizeof(text),
		 "proflab-server: -pprof-listen %s: Address already in use\n",
		 url);
	assert_fails(same_socket, text);
	/* Nor did the refused one take the socket away. */
	assert_status(url, "/debug/pprof/heap", "", 200, NULL);
	snprintf(port, sizeof(port), "%s", server.url + strlen("http://"));
	const char *const same_port[] = { "-listen", "127.0.0.1:0",
					  "-pprof-listen", port, NULL };
	snprintf(text, sizeof(text),
		 "proflab-server: -pprof-listen %s: Address already in use\n",
		 port);
	assert_fails(same_port, text);
	stop(&server);
}
END_TEST

static const struct {
	const char *option, *value, *text;
} bad_starts[] = {
	{ "-pprof-listen", "nowhere",
	  "-pprof-listen: \"nowhere\" is not an address: must be HOST:PORT, "
	  "[V6]:PORT, :PORT or unix:PATH\n" },
	{ "-pprof-listen", "unix:",
	  "-pprof-listen: \"unix:\": the path must have 1 to 107 "
	  "characters\n" },
	{ "-pprof-listen", "unix:/nix/nix/socket",
	  "-pprof-listen unix:/nix/nix/socket: No such file or directory\n" },
	{ "-pprof-token-file", "/nix/nix",
	  "-pprof-token-file /nix/nix: No such file or directory\n" },
	{ "-pprof-token-file", "/dev/null",
	  "-pprof-token-file /dev/null: its first line must be a token of 1 "
	  "to 510 characters\n" },
	{ "-pprof-token-file", "/dev/zero",
	  "-pprof-token-file /dev/zero: its first line must be a token of 1 "
	  "to 510 characters\n" },
};

START_TEST(bad_start_table)
{
	const char *const args[] = { "-listen", "127.0.0.1:0",
				     bad_starts[_i].option,
				     bad_starts[_i].value, NULL };
	assert_fails(args, bad_starts[_i].text);
}
END_TEST

/* ---- the token ---- */

static void bearer(char header[static 700], const char *token)
{
	snprintf(header, 700, "Authorization: Bearer %s\r\n", token);
}

START_TEST(a_token_is_asked_for)
{
	static const char heap[] = "/debug/pprof/heap";
	static const char profile[] = "/debug/pprof/profile?seconds=1";
	write_token("old-secret\n");
	const char *const args[] = { "-pprof-token-file", file_path("token"),
				     NULL };
	struct server_process server =
		server_process_start("proflab-server", args);
	char right[700], wrong[700];
	bearer(right, "old-secret");
	bearer(wrong, "new-secret");
	assert_status(server.url, heap, "", 401, "a token is required\n");
	assert_status(server.url, heap, wrong, 401, "the token is wrong\n");
	assert_status(server.url, profile, wrong, 401, "the token is wrong\n");
	assert_status(server.url, heap, right, 200, NULL);
	assert_status(server.url, profile, right, 200, NULL);
	/* What is no profile asks for none: scrapers of figures have none. */
	static const char *const open[] = { "/metrics", "/stats", "/health",
					    "/dashboard", "/" };
	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		assert_status(server.url, open[i], "", 200, NULL);

	/* Replaced: from the next request on. */
	write_token("new-secret\n");
	assert_status(server.url, heap, right, 401, "the token is wrong\n");
	assert_status(server.url, heap, wrong, 200, NULL);
	/* Gone, empty, too long: nobody, rather than everybody. */
	ck_assert_int_eq(unlink(file_path("token")), 0);
	assert_status(server.url, heap, wrong, 401, NULL);
	write_token("");
	assert_status(server.url, heap, "Authorization: Bearer \r\n", 401,
		      NULL);
	char longest[612];
	memset(longest, 'x', sizeof(longest));
	longest[611] = '\0';
	write_token(longest);
	bearer(wrong, longest);
	assert_status(server.url, heap, wrong, 401, NULL);
	longest[510] = '\0';
	write_token(longest);
	bearer(wrong, longest);
	assert_status(server.url, heap, wrong, 200, NULL);
	stop(&server);
	ck_assert_int_eq(unlink(file_path("token")), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server-limits");
	TCase *t = tcase_create("limits");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, captures_are_limited);
	tcase_add_test(t, captures_at_once_are_limited);
	tcase_add_test(t, a_port_of_their_own);
	tcase_add_test(t, a_socket_of_their_own);
	tcase_add_test(t, in_use_is_said);
	testing_add_table(t, bad_start_table, bad_starts);
	tcase_add_test(t, a_token_is_asked_for);
	suite_add_tcase(s, t);
	return testing_run(s);
}
