/*
 * browser_safety.c - what a profile holds stays text, the page reaches nobody,
 * nothing breaks where there is nothing or far too much.
 */
#include "tests/browser.h"
#include "tests/testing.h"
#include "tests/web_fixture.h"

#include <string.h>

#define IMG    "<img src=x onerror=\"window.pwned=1\">"
#define SCRIPT "</script><script>window.pwned=2</script>"
#define STYLE  "</style><svg onload='window.pwned=3'>"
#define QUOTE  "\" onmouseover=\"window.pwned=4"

/* Hostile in every text that a profile has. */
static struct profile *hostile(void)
{
	struct profile *p = fixture_empty("cpu", "nanoseconds");
	const char *const names[] = { IMG, SCRIPT, STYLE, QUOTE, "\xff\xfe" };
	uint32_t locs[5];
	p->mappings[0].filename = profile_intern(p, "/bin/" IMG);
	for (size_t i = 0; i < 5; i++) {
		locs[4 - i] = fixture_location(p, names[i], 1);
		p->functions[i].filename = profile_intern(p, SCRIPT ".c");
	}
	const struct profile_label label = { .key = profile_intern(p, IMG),
					     .str = profile_intern(p, SCRIPT) };
	const int64_t value = 50, other = 25;
	profile_add_sample(p, locs, 5, &value, &label, 1);
	profile_add_sample(p, locs + 2, 3, &other, NULL, 0);
	profile_add_comment(p, STYLE);
	return p;
}

static const char *const hostile_views[] = {
	"?v=flame",
	"?v=flame&invert=1&search=img",
	"?v=top",
	"?v=top&g=lines",
	"?v=graph",
	"?v=peek&f=img",
	"?v=source&f=img",
	"?v=sandwich&f=%3Cimg%20src%3Dx%20onerror%3D%22window.pwned%3D1%22%3E",
	"?v=top&focus=%3Cimg%20src%3Dx%20onerror%3D%22window.pwned%3D1%22%3E",
	"?v=%3Cimg%3E&search=%3C%2Fscript%3E",
};

START_TEST(names_are_text)
{
	browser_write("hostile.pb.gz", hostile());
	/* Names are to stay: "demangling" would cut at <. */
	const char *const with_base[] = { "-symbolize=none", "-diff_base",
					  browser_path("hostile.pb.gz"),
					  browser_path("hostile.pb.gz"), NULL };
	const char *const alone[] = { "-symbolize=none",
				      browser_path("hostile.pb.gz"), NULL };
	browser_serve(hostile_views[_i / 2], _i % 2 ? with_base : alone);
	webdriver_click(browser, "#filters-open");
	/* The text is there, as it is; and nothing was made of it. */
	if (strstr(hostile_views[_i / 2], "img"))
		browser_assert_text("#view", "<img src=x onerror=");
	ck_assert(webdriver_number(
			  browser,
			  "document.querySelectorAll('img, #view script, "
			  "[onerror], [onload], [onmouseover], iframe')"
			  ".length") == 0);
	ck_assert(webdriver_bool(browser, "window.pwned === undefined"));
	browser_assert_quiet();
}
END_TEST

/* Were there a hole in the page, the policy would stand behind it. */
START_TEST(policy_holds)
{
	browser_write("hostile.pb.gz", hostile());
	browser_show("hostile.pb.gz", "");
	webdriver_script(
		browser,
		"document.body.insertAdjacentHTML('beforeend', '<img src=x "
		"onerror=\"window.pwned=1\">'), (() => { const s = "
		"document.createElement('script'); s.textContent = "
		"'window.pwned=2'; document.body.append(s); })()");
	ck_assert(webdriver_bool(browser, "window.pwned === undefined"));
	ck_assert(webdriver_bool(
		browser,
		"fetch('http://127.0.0.1:9/').then(() => false, () => true)"));
	ck_assert(webdriver_bool(browser, "window.pwned === undefined"));
	char *log = webdriver_log(browser);
	ck_assert_ptr_nonnull(strstr(log, "Content Security Policy"));
	ck_assert_ptr_nonnull(strstr(log, "127.0.0.1:9"));
	free(log);
}
END_TEST

START_TEST(nobody_else_is_asked)
{
	browser_generate("cpu.pb.gz", "cpu");
	browser_show("cpu.pb.gz", "");
	ck_assert(webdriver_bool(
		browser, "performance.getEntriesByType('resource').length > 1 "
			 "&& performance.getEntriesByType('resource').every("
			 "(r) => r.name.startsWith(location.origin) || "
			 "r.name.startsWith('data:'))"));
	/* Another name for this host is refused: DNS may lie. */
	char *text = webdriver_string(
		browser,
		"(async () => { const r = await fetch(location.href); return "
		"r.headers.get('content-security-policy') + ' ' + "
		"r.headers.get('cross-origin-resource-policy'); })()");
	ck_assert_ptr_nonnull(strstr(text, "default-src 'none'"));
	ck_assert_ptr_nonnull(strstr(text, "same-origin"));
	free(text);
	browser_assert_quiet();
}
END_TEST

static const struct {
	const char *type, *unit, *says;
} empties[] = {
	{ "cpu", "nanoseconds", "idle" },
	{ "delay", "nanoseconds", "curl -d 'mutex=1&block=1'" },
	{ "inuse_space", "bytes", "malloc" },
};

START_TEST(empty_is_explained)
{
	browser_write("empty.pb.gz",
		      fixture_empty(empties[_i].type, empties[_i].unit));
	browser_show("empty.pb.gz", "");
	browser_assert_text("#empty", "This profile is empty");
	browser_assert_text("#empty", empties[_i].says);
	browser_assert_quiet();
}
END_TEST

/* 300 thousand stacks of depth 22, 4.7 million nodes. */
START_TEST(huge_stays_usable)
{
	browser_generate("huge.pb.gz", "300000 22");
	browser_show("huge.pb.gz", "?v=top");
	ck_assert(webdriver_number(browser, "document.querySelectorAll('#top "
					    "tr').length") <= 401);
	browser_assert_text("#notes", "lightest");
	webdriver_click(browser, "#tab-flame");
	browser_ready();
	browser_assert_text("#notes", "too narrow");
	const char *boxes = "document.querySelectorAll('.box').length";
	ck_assert(webdriver_number(browser, boxes) < 12400);
	/* From now on the tree is there: zooming is quick. */
	double ms = 0;
	for (int i = 0; i < 4; i++) {
		webdriver_script(
			browser,
			"window.began = performance.now(), [...document"
			".querySelectorAll('#flame .box')].filter((b) "
			"=> !b.classList.contains('ancestor'))[1]"
			".click()");
		webdriver_wait(browser, "document.body.dataset.ready === "
					"'flame'");
		ms += webdriver_number(browser,
				       "performance.now() - window.began");
		ck_assert(webdriver_number(browser, boxes) < 12400);
	}
	printf("# huge: a zoom takes %.0f ms\n", ms / 4);
	ck_assert(webdriver_number(browser, "document.querySelectorAll("
					    "'.box.ancestor').length") == 4);
	webdriver_keys(browser, "#search", "component_31");
	webdriver_wait(browser, "document.querySelector('#matched')"
				".textContent.includes('matched')");
	browser_assert_quiet();
}
END_TEST

TCase *browser_safety_tests(void)
{
	TCase *t = tcase_create("safety");
	tcase_add_checked_fixture(t, browser_setup, browser_teardown);
	tcase_add_loop_test(
		t, names_are_text, 0,
		2 * (int)(sizeof(hostile_views) / sizeof(*hostile_views)));
	tcase_add_test(t, policy_holds);
	tcase_add_test(t, nobody_else_is_asked);
	testing_add_table(t, empty_is_explained, empties);
	tcase_add_test(t, huge_stays_usable);
	return t;
}
