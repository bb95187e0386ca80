/*
 * check_dashboard.c - /dashboard in a real browser, beside a real server: the
 * charts draw, what is shown is what /stats says, thresholds are to be seen,
 * a profile is taken, and a server that has gone is said.
 */
#include "tests/testing.h"

#include "base/attr.h"
#include "base/clock.h"
#include "tests/http_client.h"
#include "tests/server_process.h"
#include "tests/webdriver.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const charts[] = { "memory", "threads", "requests",
				      "errors", "p99",	   "lockwait" };

static struct server_process server, load;
static struct webdriver *d;

static void setup(void)
{
	server = server_process_start("proflab-server", NULL);
	d = webdriver_start(1400, 900);
}

static void start_load(void)
{
	const char *const args[] = { "-url",	  server.url, "-rps",	"40",
				     "-duration", "300s",     "-quiet", NULL };
	load = server_process_run("proflab-load", args);
}

static void teardown(void)
{
	webdriver_stop(d);
	d = NULL;
	if (load.pid)
		server_process_end(&load);
	server_process_end(&server);
}

static void open_dashboard(const char *hash)
{
	char url[512];
	snprintf(url, sizeof(url), "%s/dashboard%s", server.url, hash);
	webdriver_open(d, url);
}

static void wait_for(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void wait_for(const char *format, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	webdriver_wait(d, text);
}

/* Violations of the policy, errors of scripts, failed requests.  Warnings are
 * of what the test itself does: it reads canvases. */
static void assert_log_is_empty(void)
{
	char *log = webdriver_log(d);
	for (const char *at = log; *at;) {
		const size_t n = strcspn(at, "\n");
		ck_assert_msg(strncmp(at, "WARNING rendering", 17) == 0,
			      "the browser's log: %.2000s", at);
		at += n + (at[n] == '\n');
	}
	free(log);
}

/* How many pixels of a chart have the colour of that variable, about. */
static double pixels(const char *chart, const char *variable)
{
	char text[1024];
	snprintf(
		text, sizeof(text),
		"(() => { const probe = document.createElement('i');"
		"probe.style.color = colour('%s'); document.body.append(probe);"
		"const want = getComputedStyle(probe).color.match(/\\d+/g)"
		".map(Number); probe.remove(); let n = 0;"
		"for (const c of document.querySelectorAll('#%s canvas')) {"
		"const p = c.getContext('2d').getImageData(0, 0, c.width, "
		"c.height).data; for (let i = 0; i < p.length; i += 4)"
		"n += p[i + 3] > 200 && Math.abs(p[i] - want[0]) < 24 && "
		"Math.abs(p[i + 1] - want[1]) < 24 && "
		"Math.abs(p[i + 2] - want[2]) < 24; } return n; })()",
		variable, chart);
	return webdriver_number(d, text);
}

/* ---- it draws ------------------------------------------------------------ */

START_TEST(charts_draw)
{
	start_load();
	const int64_t began = clock_monotonic_ns();
	open_dashboard("#every=1&last=60");
	for (size_t i = 0; i < ARRAY_SIZE(charts); i++) {
		/* Of the chart of errors there are points only where there
		 * are requests, which the load sees to. */
		wait_for("Number(document.querySelector('#%s').dataset.points)"
			 " >= 4",
			 charts[i]);
		ck_assert_msg(pixels(charts[i], "--series-1") > 20,
			      "%s: nothing is drawn", charts[i]);
		char *value, selector[64];
		snprintf(selector, sizeof(selector), "#%s-value", charts[i]);
		value = webdriver_text(d, selector);
		ck_assert_msg(strpbrk(value, "0123456789"), "%s: \"%s\"",
			      charts[i], value);
		free(value);
	}
	printf("# four points in every chart after %.1f s\n",
	       (double)(clock_monotonic_ns() - began) / 1e9);
	assert_log_is_empty();
}
END_TEST

START_TEST(nothing_comes_from_elsewhere)
{
	open_dashboard("#every=1");
	wait_for("document.querySelector('#memory').dataset.points > 0");
	char *other = webdriver_string(
		d, "performance.getEntriesByType('resource').map(e => e.name)"
		   ".filter(n => !n.endsWith('/metrics')).join(' ')");
	ck_assert_str_eq(other, "");
	free(other);
	/* The policy is in force: what it does not name does not run. */
	ck_assert(webdriver_bool(
		d, "(() => { const s = document.createElement('script');"
		   "s.textContent = 'window.ran = 1'; document.body.append(s);"
		   "return window.ran === undefined; })()"));
	char *log = webdriver_log(d);
	ck_assert_ptr_nonnull(strstr(log, "Content Security Policy"));
	free(log);
}
END_TEST

/* ---- it is true ---------------------------------------------------------- */

static double shown(const char *total)
{
	char text[128];
	snprintf(text, sizeof(text),
		 "Number(document.querySelector('#total-%s').dataset.value)",
		 total);
	return webdriver_number(d, text);
}

static double latest(const char *figure)
{
	char text[128];
	snprintf(text, sizeof(text), "last.values.%s", figure);
	return webdriver_number(d, text);
}

static double number_of(json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static json_t *stats_of_server(void)
{
	struct client_reply r =
		client_ask(server.url, "GET", "/stats", "", NULL);
	json_t *stats = json_loads(r.body, 0, NULL);
	client_reply_free(&r);
	ck_assert_ptr_nonnull(stats);
	return stats;
}

START_TEST(it_says_what_stats_says)
{
	static const char *const asked[] = {
		"/cpu?iterations=1000", "/leaky?size=7",     "/cache?key=a",
		"/cache?key=b",		"/cpu?iterations=x", "/nix"
	};
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct client_reply r =
			client_ask(server.url, "GET", asked[i], "", NULL);
		client_reply_free(&r);
	}
	open_dashboard("#every=1");
	wait_for("document.querySelector('#memory').dataset.points >= 2");
	/* Held, so that nothing is asked between what is shown and /stats: but
	 * for the answer that was on its way, which is then not shown. */
	webdriver_click(d, "#pause");
	wait_for("paused && document.querySelector('#pause').textContent "
		 "=== 'Go on'");
	/* Idle threads leave after a second: between two looks at which they
	 * are as many, none has. */
	json_t *before = stats_of_server(), *stats;
	for (int looks = 0;; looks++) {
		webdriver_script(d, "scrape().then(took)");
		stats = stats_of_server();
		if (number_of(before, "threads") == number_of(stats, "threads"))
			break;
		ck_assert_int_lt(looks, 20);
		json_decref(before);
		before = stats;
	}
	json_decref(before);
	json_t *memory = json_object_get(stats, "memory_stats");
	/* The page's own question was not answered yet when it was counted. */
	ck_assert(shown("requests") + 1 == number_of(stats, "requests"));
	ck_assert(shown("failed") == number_of(stats, "errors"));
	ck_assert(shown("failed") == 2);
	ck_assert(shown("cache") == number_of(stats, "cache_size"));
	ck_assert(shown("cache") == 2);
	ck_assert(shown("data") == number_of(stats, "data_size"));
	ck_assert(shown("data") == 7);
	ck_assert(latest("proflab_threads") == number_of(stats, "threads"));
	/* An answer's own buffers lie between the two. */
	ck_assert(fabs(latest("proflab_memory_allocated_bytes") / 1048576 -
		       number_of(memory, "alloc_mb")) < 0.5);
	json_decref(stats);
	/* What stands in the heading is the last point of the chart. */
	ck_assert(webdriver_bool(
		d, "charts.every(c => c.value.textContent === "
		   "format(c.row.unit, c.points[c.points.length - 1][1]))"));
	ck_assert(webdriver_bool(d, "charts[1].points.at(-1)[1] === "
				    "last.values.proflab_threads"));
	assert_log_is_empty();
}
END_TEST

/* The arithmetic, on answers made up for it. */
static const struct {
	const char *name, *expression;
} arithmetic[] = {
	{ "p99 within a bucket",
	  "Math.abs(quantile(0.99, new Map([[0.1, 98], [0.5, 100], "
	  "[Infinity, 100]])) - 0.3) < 1e-9" },
	{ "above the last bound",
	  "quantile(0.99, new Map([[0.1, 1], [Infinity, 100]])) === 0.1" },
	{ "of nothing", "quantile(0.99, new Map([[0.1, 0], [Infinity, 0]]))"
			" === null" },
	{ "the first bucket",
	  "quantile(0.5, new Map([[0.1, 10], [Infinity, 10]])) === 0.05" },
	{ "labels with quotes",
	  "parseLine('a{b=\"x\\\\\"y\",c=\"d\\\\\\\\e\"} 5')[1].b === 'x\"y'" },
	{ "no answer of ours",
	  "(() => { try { readScrape('up 1\\n', 0); return false; } "
	  "catch (e) { return true; } })()" },
	{ "watchers are left out",
	  "(() => { const s = readScrape('proflab_threads 1\\n' + "
	  "'proflab_http_requests_total{route=\"/cpu\"} 3\\n' + "
	  "'proflab_http_requests_total{route=\"/metrics\"} 4\\n', 0);"
	  "return s.requests === 3 && s.all.requests === 7; })()" },
	{ "a restart has no rates",
	  "figuresOf({values: {process_start_time_seconds: 1}, requests: 9}, "
	  "{values: {process_start_time_seconds: 2}, requests: 1})"
	  ".requests === null" },
	{ "thresholds", "parseThreshold('bytes', '500MB') === 5e8 && "
			"parseThreshold('share', '5%') === 0.05 && "
			"parseThreshold('seconds', '250ms') === 0.25 && "
			"parseThreshold('seconds', '-1') === null && "
			"parseThreshold('bytes', '5 days') === null" },
	{ "numbers for people",
	  "format('bytes', 12345678) === '12.3 MB' && "
	  "format('seconds', 0.0123) === '12.3 ms' && "
	  "format('share', 0.05) === '5%' && format('count', null) === "
	  "'\\u2013'" },
};

START_TEST(arithmetic_is_right)
{
	open_dashboard("");
	for (size_t i = 0; i < ARRAY_SIZE(arithmetic); i++)
		ck_assert_msg(webdriver_bool(d, arithmetic[i].expression),
			      "%s: %s", arithmetic[i].name,
			      arithmetic[i].expression);
}
END_TEST

/* ---- thresholds ---------------------------------------------------------- */

/* As somebody types it over what is there. */
static void type_threshold(const char *text)
{
	webdriver_script(
		d, "document.querySelector('#threads-threshold').select()");
	webdriver_keys(d, "#threads-threshold", text);
}

START_TEST(thresholds_are_seen)
{
	/* 5 of about 7 threads: a line, and above it. */
	open_dashboard("#every=1&threads=3&memory=1GB");
	wait_for("document.querySelector('#threads').dataset.points >= 2");
	ck_assert_msg(pixels("threads", "--limit") > 100, "no line");
	wait_for("document.querySelector('#threads.over') !== null");
	char *text = webdriver_text(d, "#threads-detail");
	ck_assert_ptr_nonnull(strstr(text, "above the threshold"));
	free(text);
	/* Far above what there is: an arrow that says where, and no line. */
	ck_assert(!webdriver_bool(d, "charts[0].limitShown"));
	const double arrow = pixels("memory", "--limit");
	ck_assert_msg(arrow > 20, "%g pixels", arrow);
	ck_assert(webdriver_bool(
		d, "document.querySelector('#memory.over') === null"));
	/* Another one, typed; it becomes part of the address. */
	type_threshold("1000" WEBDRIVER_ENTER);
	wait_for("document.querySelector('#threads.over') === null");
	text = webdriver_url(d);
	ck_assert_ptr_nonnull(strstr(text, "threads=1000"));
	free(text);
	/* What is none is marked, and changes nothing. */
	type_threshold("many" WEBDRIVER_ENTER);
	wait_for("document.querySelector('#threads-threshold.bad')");
	ck_assert(webdriver_number(d, "charts[1].limit") == 1000);
	/* None at all. */
	webdriver_clear(d, "#threads-threshold");
	wait_for("charts[1].limit === null");
	webdriver_reload(d);
	wait_for("document.querySelector('#threads').dataset.points >= 1");
	ck_assert(webdriver_bool(d, "charts[1].limit === null"));
	ck_assert(pixels("threads", "--limit") == 0);
	assert_log_is_empty();
}
END_TEST

/* ---- profiles ------------------------------------------------------------ */

START_TEST(a_profile_is_taken)
{
	start_load();
	open_dashboard("#every=1");
	webdriver_clear(d, "#seconds");
	webdriver_keys(d, "#seconds", "1");
	/* In one go: a second later the page has gone. */
	ck_assert(webdriver_bool(
		d, "(() => { const b = document.querySelector('#take-button');"
		   "b.click(); return b.disabled; })()"));
	/* On the profile page, with a flame graph of functions that ran. */
	wait_for("location.pathname === '/debug/pprof/ui/'");
	wait_for("document.querySelectorAll('.flame .box').length > 3");
	char *url = webdriver_url(d);
	ck_assert_ptr_nonnull(strstr(url, "v=flame"));
	free(url);
	assert_log_is_empty();
	/* A kind without seconds. */
	webdriver_back(d);
	wait_for("document.querySelector('#memory').dataset.points > 0");
	webdriver_script(d,
			 "(() => { const k = document.querySelector('#kind');"
			 "k.value = 'heap';"
			 "k.dispatchEvent(new Event('change')); })()");
	ck_assert(webdriver_bool(
		d, "document.querySelector('#seconds-label').hidden"));
	webdriver_click(d, "#take-button");
	wait_for("location.pathname === '/debug/pprof/ui/'");
	wait_for("document.querySelectorAll('.flame .box').length > 1");
	assert_log_is_empty();
}
END_TEST

START_TEST(a_refusal_is_said)
{
	static const char *const args[] = { "-pprof-max-seconds=2", NULL };
	server_process_end(&server);
	server = server_process_start("proflab-server", args);
	open_dashboard("");
	webdriver_clear(d, "#seconds");
	webdriver_keys(d, "#seconds", "60");
	webdriver_click(d, "#take-button");
	wait_for("document.querySelector('#take-failed') && !document"
		 ".querySelector('#take-button').disabled");
	char *text = webdriver_text(d, "#take-failed");
	ck_assert_msg(strstr(text, "The profile was not taken") &&
			      strstr(text, "2"),
		      "%s", text);
	free(text);
}
END_TEST

static void ask_for_a_token(void)
{
	char path[512]; /* read with each request */
	snprintf(path, sizeof(path), "%s/token", webdriver_folder(d));
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("s3cret\n", f);
	fclose(f);
	const char *const args[] = { "-pprof-token-file", path, NULL };
	server_process_end(&server);
	server = server_process_start("proflab-server", args);
}

static void open_with_token(const char *path)
{
	char url[512];
	snprintf(url, sizeof(url), "http://any:s3cret@%s%s",
		 server.url + strlen("http://"), path);
	webdriver_open(d, url);
}

/* The figures ask for none; and a password in the page's own address, from
 * somebody who gave it to the profile page, is no hindrance. */
START_TEST(a_token_is_no_hindrance)
{
	ask_for_a_token();
	open_with_token("/dashboard#every=1");
	wait_for("document.querySelector('#memory').dataset.points >= 2");
	assert_log_is_empty();
}
END_TEST

/* The button says what to do about it, and that is what helps. */
START_TEST(a_profile_is_taken_with_a_token)
{
	ask_for_a_token();
	start_load();
	open_dashboard("");
	/* Nobody is there to cancel the browser's dialogue; it ends so. */
	webdriver_script(d, "window.fetch = async () => new Response('', "
			    "{ status: 401 })");
	webdriver_script(d, "document.querySelector('#kind').value = 'heap'");
	webdriver_click(d, "#take-button");
	wait_for("document.querySelector('#take-failed') && !document"
		 ".querySelector('#take-button').disabled");
	char *text = webdriver_text(d, "#take-failed");
	ck_assert_msg(strstr(text, "a token is required"), "%s", text);
	free(text);
	/* Nor to fill it in: the address leaves what that would. */
	text = webdriver_string(d, "document.querySelector('#all').pathname");
	open_with_token(text);
	free(text);
	wait_for("document.querySelector('a[href*=heap]')");
	/* That page has no icon; the one after it is not to hear of it. */
	webdriver_open(d, "about:blank");
	free(webdriver_log(d));
	open_dashboard("");
	webdriver_script(d, "document.querySelector('#kind').value = 'heap'");
	webdriver_click(d, "#take-button");
	wait_for("location.pathname === '/debug/pprof/ui/'");
	wait_for("document.querySelectorAll('.flame .box').length > 1");
	assert_log_is_empty();
}
END_TEST

static void open_with_profiles_at(const char *address)
{
	const char *const args[] = { "-pprof-listen", address, NULL };
	/* The page of the one before asks it as long as it is open. */
	webdriver_open(d, "about:blank");
	server_process_end(&server);
	server = server_process_start("proflab-server", args);
	open_dashboard("");
}

START_TEST(profiles_elsewhere)
{
	char address[300];
	snprintf(address, sizeof(address), "unix:%s/pprof",
		 webdriver_folder(d));
	open_with_profiles_at(address);
	wait_for("document.querySelector('#no-profiles').textContent.includes("
		 "'curl --unix-socket %s ')",
		 address + strlen("unix:"));
	open_with_profiles_at("127.0.0.1:0");
	wait_for("/^http:\\/\\/127.0.0.1:\\d+\\/debug\\/pprof\\/$/.test("
		 "document.querySelector('#all').href) && !document"
		 ".querySelector('#all').href.startsWith(location.origin)");
	/* There one goes, with the kind and the seconds chosen. */
	webdriver_script(d,
			 "(() => { const k = document.querySelector('#kind');"
			 "k.value = 'wall';"
			 "k.dispatchEvent(new Event('change')); "
			 "document.querySelector('#seconds').value = '3'; "
			 "})()");
	webdriver_click(d, "#take-button");
	wait_for("location.pathname === '/debug/pprof/ui/' && "
		 "document.querySelector('#kind')?.value === 'wall' && "
		 "document.querySelector('#seconds').value === '3'");
	assert_log_is_empty();
	kill(server.pid, SIGTERM);
	server_process_wait(&server, 20);
}
END_TEST

/* ---- the server goes, and comes back ------------------------------------- */

START_TEST(a_server_that_goes_is_said)
{
	open_dashboard("#every=1");
	wait_for("document.querySelector('#memory').dataset.points >= 2");
	char address[64];
	snprintf(address, sizeof(address), "%s",
		 server.url + strlen("http://"));
	kill(server.pid, SIGTERM);
	server_process_wait(&server, 20);
	server_process_end(&server);
	wait_for("document.querySelector('#gone')");
	char *text = webdriver_text(d, "#gone");
	ck_assert_msg(strstr(text, "The server does not answer: no "
				   "connection, since "),
		      "%s", text);
	free(text);
	ck_assert(
		webdriver_bool(d, "document.body.classList.contains('gone')"));
	free(webdriver_log(d)); /* failed requests, on purpose */

	const char *const args[] = { "-listen", address, NULL };
	server = server_process_run("proflab-server", args);
	wait_for("!document.querySelector('#gone')");
	wait_for("document.querySelector('#restarted')");
	/* Rates begin anew: none is negative, and the line has a gap. */
	wait_for("charts[2].points.length > 4 && charts[2].points.at(-1)[1] "
		 "!== null");
	ck_assert(webdriver_bool(
		d, "charts.every(c => c.points.every(p => p.slice(1).every("
		   "v => v === null || v >= 0)))"));
	ck_assert(
		webdriver_bool(d, "charts[0].points.some(p => p[1] === null)"));
}
END_TEST

/* ---- how it looks -------------------------------------------------------- */

/* For those who want to see it: SCREENSHOTS=DIR. */
static void take_screenshot(const char *name)
{
	const char *folder = getenv("SCREENSHOTS");
	char path[512];
	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/dashboard-%s.png", folder, name);
	webdriver_screenshot(d, path, true);
}

static const struct {
	const char *name;
	int width, height;
	bool dark;
} looks[] = {
	{ "wide", 1400, 900, false },	   { "wide-dark", 1400, 900, true },
	{ "tablet", 820, 1100, false },	   { "narrow", 390, 844, false },
	{ "narrow-dark", 390, 844, true },
};

START_TEST(it_fits)
{
	start_load();
	open_dashboard("#every=1&threads=8&last=60");
	wait_for("document.querySelector('#memory').dataset.points >= %d",
		 getenv("SCREENSHOTS") ? 25 : 3);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		webdriver_dark(d, looks[i].dark);
		webdriver_resize(d, looks[i].width, looks[i].height);
		wait_for("innerWidth === %d && document.documentElement"
			 ".dataset.theme === '%s'",
			 looks[i].width, looks[i].dark ? "dark" : "light");
		/* The charts have followed. */
		wait_for("charts.every(c => Math.abs(c.graph.width_ - "
			 "c.plot.clientWidth) < 2)");
		ck_assert_msg(
			webdriver_bool(
				d, "document.documentElement.scrollWidth "
				   "<= document.documentElement.clientWidth"),
			"%s: wider than the window", looks[i].name);
		ck_assert_msg(pixels("memory", "--series-1") > 20,
			      "%s: nothing is drawn", looks[i].name);
		take_screenshot(looks[i].name);
	}
	/* The other theme by hand stays over a reload. */
	webdriver_click(d, "#theme");
	wait_for("document.documentElement.dataset.theme === 'light'");
	webdriver_reload(d);
	wait_for("document.documentElement.dataset.theme === 'light'");
	/* A chosen span and interval, too. */
	webdriver_script(d,
			 "(() => { const s = document.querySelector('#span');"
			 "s.value = '1800';"
			 "s.dispatchEvent(new Event('change')); })()");
	webdriver_reload(d);
	wait_for("document.querySelector('#span').value === '1800'");
	assert_log_is_empty();
}
END_TEST

START_TEST(pointing_shows_the_figures)
{
	open_dashboard("#every=1&last=60");
	wait_for("document.querySelector('#memory').dataset.points >= 4");
	webdriver_click(d, "#pause");
	wait_for("paused");
	/* The first point of a chart: all charts show what was then. */
	webdriver_script(d, "hover(0)");
	ck_assert(webdriver_bool(d,
				 "document.querySelector('#charts.hovered') && "
				 "charts.every(c => c.value.textContent === "
				 "format(c.row.unit, c.points[0][1]))"));
	webdriver_script(d, "hover(null)");
	ck_assert(webdriver_bool(
		d, "!document.querySelector('#charts.hovered') && "
		   "charts[1].value.textContent === format('count', "
		   "charts[1].points.at(-1)[1])"));
	assert_log_is_empty();
}
END_TEST

int main(void)
{
	if (!webdriver_available())
		testing_skip_all("there is no chromedriver");
	Suite *s = suite_create("dashboard");
	TCase *t = tcase_create("browser");
	tcase_set_timeout(t, 180);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, charts_draw);
	tcase_add_test(t, nothing_comes_from_elsewhere);
	tcase_add_test(t, it_says_what_stats_says);
	tcase_add_test(t, arithmetic_is_right);
	tcase_add_test(t, thresholds_are_seen);
	tcase_add_test(t, a_profile_is_taken);
	tcase_add_test(t, a_refusal_is_said);
	tcase_add_test(t, a_token_is_no_hindrance);
	tcase_add_test(t, a_profile_is_taken_with_a_token);
	tcase_add_test(t, profiles_elsewhere);
	tcase_add_test(t, a_server_that_goes_is_said);
	tcase_add_test(t, pointing_shows_the_figures);
	tcase_add_test(t, it_fits);
	suite_add_tcase(s, t);
	return testing_run(s);
}
