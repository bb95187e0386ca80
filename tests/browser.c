/* browser.c - see browser.h. */
#include "tests/browser.h"

#include "base/buf.h"
#include "base/err.h"
#include "profile/encode.h"
#include "profile/profile.h"
#include "tests/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct webdriver *browser;
static char url[256];
static struct server_process reader;

void browser_setup(void)
{
	browser = webdriver_start(1400, 900);
}

void browser_teardown(void)
{
	if (reader.pid)
		server_process_end(&reader);
	webdriver_stop(browser);
	browser = NULL;
}

const char *browser_path(const char *name)
{
	static char paths[4][512];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, 512, "%s/%.200s", webdriver_folder(browser), name);
	return path;
}

void browser_write(const char *name, struct profile *p)
{
	struct err e = { "" };
	int fd = open(browser_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	const struct sink sink = sink_fd(&fd);
	ck_assert_int_ge(fd, 0);
	ck_assert_msg(!profile_encode(p, PROFILE_GZIP, &sink, &e), "%s",
		      e.text);
	close(fd);
	profile_free(p);
}

void browser_generate(const char *name, const char *kind)
{
	const char *top = getenv("top_builddir");
	char command[4096];
	snprintf(command, sizeof(command), "'%s/tests/gen_profile' %s >'%s'",
		 top ? top : ".", kind, browser_path(name));
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* The line that tells the address, among others. */
static void read_address(void)
{
	char text[4096] = "";
	size_t n = 0;
	struct pollfd p = { .fd = reader.out, .events = POLLIN };
	const char *at = NULL;
	while (n < sizeof(text) - 1 && !at) {
		ck_assert_msg(poll(&p, 1, 1000 * WEBDRIVER_SECONDS) == 1 &&
				      read(reader.out, text + n, 1) == 1,
			      "proflab-pprof said: %s", text);
		text[++n] = '\0';
		if (text[n - 1] == '\n')
			at = strstr(text, "http://");
	}
	ck_assert_ptr_nonnull(at);
	snprintf(url, sizeof(url), "%.*s", (int)strcspn(at, "\n") - 1, at);
}

void browser_serve(const char *query, const char *const *args)
{
	const char *all[32] = { "-http=:0", "-no_browser" };
	for (int i = 0; args[i] && i < 28; i++)
		all[2 + i] = args[i];
	if (reader.pid)
		server_process_end(&reader);
	reader = server_process_run("proflab-pprof", all);
	read_address();
	browser_go(query);
}

void browser_show(const char *name, const char *query)
{
	const char *const args[] = { browser_path(name), NULL };
	browser_serve(query, args);
}

void browser_go(const char *query)
{
	char address[2048];
	snprintf(address, sizeof(address), "%s/%s", url, query);
	webdriver_open(browser, address);
	browser_ready();
}

void browser_ready(void)
{
	webdriver_wait(browser, "document.body.dataset.ready && "
				"document.body.dataset.ready !== 'no'");
}

const char *browser_url(void)
{
	return url;
}

void browser_assert_text(const char *selector, const char *text)
{
	char *have = webdriver_text(browser, selector);
	ck_assert_msg(strstr(have, text) != NULL, "%s: no \"%s\" in: %.2000s",
		      selector, text, have);
	free(have);
}

void browser_assert_url(const char *part, bool has)
{
	char *have = webdriver_url(browser);
	ck_assert_msg((strstr(have, part) != NULL) == has, "%s %s in %s", part,
		      has ? "is not" : "is", have);
	free(have);
}

void browser_assert_quiet(void)
{
	char *log = webdriver_log(browser);
	ck_assert_str_eq(log, "");
	free(log);
}
