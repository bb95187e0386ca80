/*
 * browser_live.c - /debug/pprof/ui/ of a real proflab-server: taking,
 * cancelling, comparing, turning on.
 */
#include "tests/browser.h"
#include "tests/server_process.h"

#include <stdio.h>
#include <string.h>

static struct server_process server;

static void live_setup(void)
{
	browser_setup();
	server = server_process_start("proflab-server", NULL);
	char address[300];
	snprintf(address, sizeof(address), "%s/debug/pprof/ui/", server.url);
	webdriver_open(browser, address);
	browser_ready();
}

static void live_teardown(void)
{
	server_process_end(&server);
	browser_teardown();
}

/* The page asks the server itself for work, until told otherwise. */
static void load(bool on)
{
	webdriver_script(browser,
			 on ? "(window.loading = true, setTimeout(async () => "
			      "{ while (window.loading) await fetch('/cpu?"
			      "iterations=300000'); }), 1)"
			    : "(window.loading = false)");
}

static void take(const char *kind, const char *seconds)
{
	char script[256];
	webdriver_wait(browser, "document.querySelector('#take')");
	snprintf(script, sizeof(script),
		 "(() => { const k = document.querySelector('#kind'); k.value "
		 "= '%s'; k.dispatchEvent(new Event('change')); const s = "
		 "document.querySelector('#seconds'); s.value = '%s'; })()",
		 kind, seconds);
	webdriver_script(browser, script);
	webdriver_click(browser, "#take");
}

static void wait_for_profile(void)
{
	webdriver_wait(browser, "location.search.includes('p=') && "
				"document.body.dataset.ready === 'flame'");
}

START_TEST(cpu_is_taken_and_compared)
{
	load(true);
	/* Two seconds may be over before we look: the page itself does. */
	webdriver_script(
		browser,
		"(window.told = '', new MutationObserver(() => { "
		"const left = document.querySelector('#left'); "
		"if (left) window.told += left.textContent; }).observe("
		"document.body, {childList: true, subtree: true}))");
	take("profile", "2");
	wait_for_profile();
	ck_assert(webdriver_bool(browser, "window.told.includes('s to go')"));
	webdriver_wait(browser, "[...document.querySelectorAll('.box')].some("
				"(b) => b.node.name === "
				"'perform_cpu_intensive_task')");
	webdriver_click(browser, "#tab-live");
	browser_ready();
	load(false);
	take("profile", "1");
	webdriver_wait(browser, "location.search.includes('p=2')");
	webdriver_wait(browser, "document.body.dataset.ready === 'flame'");
	webdriver_click(browser, "#tab-live");
	browser_ready();
	ck_assert(webdriver_number(browser, "document.querySelectorAll('#kept "
					    "tr').length") == 2);
	webdriver_click(browser, ".compare");
	webdriver_wait(browser, "document.querySelector('#top')");
	browser_ready();
	browser_assert_url("base=1", true);
	browser_assert_text("#legend", "less");
	browser_assert_text("#top", "perform_cpu_intensive_task");
	/* Idle now, it has gone. */
	ck_assert(webdriver_bool(
		browser, "[...document.querySelectorAll('#top tr')].some((r) "
			 "=> r.textContent.includes('perform_cpu_intensive_"
			 "task') && r.querySelector('.less'))"));
	/* The exact profile can be had. */
	ck_assert(webdriver_number(
			  browser,
			  "fetch(document.querySelector('#download').href)"
			  ".then((r) => r.arrayBuffer()).then((b) => new "
			  "Uint8Array(b)[0])") == 0x1f);
	browser_assert_quiet();
}
END_TEST

START_TEST(capture_is_cancelled)
{
	take("profile", "600");
	webdriver_wait(browser, "document.querySelector('#cancel')");
	webdriver_click(browser, "#cancel");
	webdriver_wait(browser, "document.querySelector('#notes')"
				".textContent.includes('Cancelled')");
	/* The server noticed: no capture runs, and none is kept. */
	webdriver_wait(browser,
		       "fetch('/metrics').then((r) => r.text()).then((t) => "
		       "/pprof_http_captures 0\\n/.test(t))");
	ck_assert(webdriver_number(browser, "document.querySelectorAll('#kept "
					    "tr').length") == 0);
}
END_TEST

START_TEST(what_is_off_is_turned_on)
{
	webdriver_script(browser, "fetch('../rates', {method: 'POST', body: "
				  "new URLSearchParams({mutex: 0, block: 0})})"
				  ".then((r) => r.status)");
	take("mutex", "");
	webdriver_wait(browser, "document.querySelector('#empty')");
	browser_ready();
	browser_assert_text("#empty", "off in this process");
	webdriver_click(browser, "#turn-on");
	webdriver_wait(browser, "location.search.includes('v=live')");
	ck_assert(webdriver_number(browser,
				   "fetch('../rates').then((r) => r.json())"
				   ".then((r) => r.mutex)") == 1);
	browser_assert_quiet();
}
END_TEST

START_TEST(every_kind_is_taken)
{
	static const char *const kinds[] = { "heap", "allocs", "threads",
					     "block", "threadcreate" };
	for (size_t i = 0; i < 5; i++) {
		char script[128];
		webdriver_wait(browser, "document.querySelector('#kind')");
		take(kinds[i], "");
		snprintf(script, sizeof(script),
			 "location.search.includes('p=%zu') && "
			 "document.body.dataset.ready === 'flame'",
			 i + 1);
		webdriver_wait(browser, script);
		ck_assert_msg(
			!webdriver_bool(
				browser,
				"document.querySelector('#notes .error')"),
			"%s", kinds[i]);
		webdriver_click(browser, "#tab-live");
		browser_ready();
	}
	browser_assert_quiet();
}
END_TEST

/* The page's own requests carry what the browser was given. */
START_TEST(token_in_the_address)
{
	char token[300], address[400];
	snprintf(token, sizeof(token), "%s", browser_path("token"));
	FILE *f = fopen(token, "w");
	ck_assert_ptr_nonnull(f);
	fputs("s3cret\n", f);
	fclose(f);
	server_process_end(&server);
	const char *const args[] = { "-pprof-token-file", token, NULL };
	server = server_process_start("proflab-server", args);
	snprintf(address, sizeof(address),
		 "http://any:s3cret@%s/debug/pprof/ui/",
		 server.url + strlen("http://"));
	webdriver_open(browser, address);
	browser_ready();
	take("threads", "");
	wait_for_profile();
	ck_assert(!webdriver_bool(browser,
				  "document.querySelector('#notes .error')"));
	browser_assert_quiet();
}
END_TEST

TCase *browser_live_tests(void)
{
	TCase *t = tcase_create("live");
	tcase_add_checked_fixture(t, live_setup, live_teardown);
	tcase_add_test(t, cpu_is_taken_and_compared);
	tcase_add_test(t, capture_is_cancelled);
	tcase_add_test(t, what_is_off_is_turned_on);
	tcase_add_test(t, every_kind_is_taken);
	tcase_add_test(t, token_in_the_address);
	return t;
}
