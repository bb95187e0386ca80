/* browser_views.c - every view, and what a reader does in it. */
#include "tests/browser.h"
#include "tests/testing.h"
#include "tests/web_fixture.h"

#include <string.h>

static const char *const forest[] = {
	"main;parse;read 30",
	"main;parse;alloc 20",
	"main;run;alloc 5",
	"main;run;run;alloc 7",
	"main;run 8",
	"idle 30",
	NULL,
};

/* A box by its name: the first. */
#define BOX(name)                                                              \
	"[...document.querySelectorAll('#flame .box')].find((b) => "           \
	"b.node.name === '" name "' && !b.classList.contains('ancestor'))"

static void show_forest(const char *query)
{
	browser_write("forest.pb.gz", fixture_stacks(forest));
	browser_show("forest.pb.gz", query);
}

static void press(const char *keys)
{
	webdriver_keys(browser, "body", keys);
}

/* ---- the flame graph ----------------------------------------------------- */

START_TEST(flame_has_its_boxes)
{
	show_forest("");
	ck_assert(webdriver_number(
			  browser,
			  "document.querySelectorAll('#flame .box').length") ==
		  10);
	/* Widths are shares: main is 70 of 100, parse 50. */
	ck_assert(webdriver_bool(
		browser, "Math.abs(parseFloat(" BOX("main") ".style.width) - "
							    "70) < 0.01"));
	ck_assert(webdriver_bool(
		browser, BOX("parse") ".getBoundingClientRect().top > " BOX(
				 "main") ".getBoundingClientRect().top"));
	browser_assert_text("#title", "program \xc2\xb7 cpu");
	browser_assert_text("#detail", "100ns, 100%");
	browser_assert_quiet();
}
END_TEST

START_TEST(flame_zooms_and_comes_back)
{
	show_forest("");
	webdriver_script(browser, BOX("parse") ".click()");
	browser_ready();
	browser_assert_url("at=", true);
	ck_assert(webdriver_bool(browser,
				 "parseFloat(" BOX("parse") ".style.width) === "
							    "100"));
	browser_assert_text(".crumbs", "main");
	ck_assert(!webdriver_bool(browser, BOX("idle")));
	/* The address alone brings it back. */
	char *address = webdriver_url(browser);
	webdriver_reload(browser);
	browser_ready();
	ck_assert(!webdriver_bool(browser, BOX("idle")));
	webdriver_back(browser);
	webdriver_wait(browser, "!location.search.includes('at=')");
	browser_ready();
	ck_assert(webdriver_bool(browser, BOX("idle")));
	webdriver_open(browser, address);
	browser_ready();
	ck_assert(!webdriver_bool(browser, BOX("idle")));
	free(address);
	webdriver_click(browser, "#reset");
	browser_ready();
	ck_assert(webdriver_bool(browser, BOX("idle")));
	/* Through the breadcrumb one level up. */
	webdriver_script(browser, BOX("alloc") ".click()");
	browser_ready();
	webdriver_script(browser, "[...document.querySelectorAll('.crumbs "
				  "button')].find((b) => b.textContent === "
				  "'parse').click()");
	browser_ready();
	ck_assert(webdriver_bool(browser, BOX("read")));
	browser_assert_quiet();
}
END_TEST

START_TEST(flame_is_searched)
{
	show_forest("");
	webdriver_keys(browser, "#search", "all|id");
	webdriver_wait(browser, "document.querySelector('#matched')"
				".textContent.includes('62.00%')");
	browser_assert_text("#matched", "matched 62.00% (62ns)");
	browser_assert_url("search=all%7Cid", true);
	ck_assert(webdriver_number(browser,
				   "document.querySelectorAll('.box.match')"
				   ".length") == 4);
	/* The field keeps the focus and its text while results come. */
	ck_assert(webdriver_bool(browser,
				 "document.activeElement.id === 'search' && "
				 "document.activeElement.value === 'all|id'"));
	webdriver_keys(browser, "#search", "(");
	webdriver_wait(browser, "document.querySelector('#notes .error')");
	browser_assert_text("#notes", "missing closing )");
	browser_assert_text("#view", "main");
}
END_TEST

START_TEST(flame_is_inverted)
{
	show_forest("");
	webdriver_click(browser, "#invert");
	browser_ready();
	browser_assert_url("invert=1", true);
	/* The leaves stand in the first row, alloc with all of its 32. */
	ck_assert(webdriver_bool(
		browser,
		"Math.abs(parseFloat(" BOX(
			"alloc") ".style.width) - "
				 "32) < 0.01 && " BOX(
					 "alloc") ".node.depth === 1"));
	webdriver_back(browser);
	webdriver_wait(browser, "!location.search.includes('invert=')");
	browser_ready();
	ck_assert(webdriver_bool(browser, BOX("alloc") ".node.depth === 3"));
	browser_assert_quiet();
}
END_TEST

START_TEST(sandwich_shows_both_sides)
{
	show_forest("");
	webdriver_script(browser, BOX("run") ".focus()");
	webdriver_click(browser, "#sandwich");
	browser_ready();
	browser_assert_url("v=sandwich", true);
	browser_assert_url("f=run", true);
	browser_assert_text(".sandwich .name", "run");
	browser_assert_text("[data-side=callers]", "main");
	browser_assert_text("[data-side=callees]", "alloc");
	ck_assert(!webdriver_bool(
		browser, "document.querySelector('[data-side=callers]')"
			 ".textContent.includes('alloc')"));
	/* Callers stand above. */
	ck_assert(webdriver_bool(
		browser,
		"(() => { const b = [...document.querySelectorAll("
		"'[data-side=callers] .box')]; const top = (n) => b.find((x) "
		"=> x.node.name === n).getBoundingClientRect().top; return "
		"top('main') < top('run'); })()"));
	browser_assert_quiet();
}
END_TEST

START_TEST(keys_do_what_the_help_says)
{
	show_forest("");
	press("?");
	ck_assert(webdriver_bool(browser,
				 "document.querySelector('#help').open"));
	browser_assert_text("#help", "sandwich");
	webdriver_keys(browser, "", WEBDRIVER_ESCAPE);
	webdriver_wait(browser, "!document.querySelector('#help').open");
	/* Down from the root, to the widest child, in and out. */
	webdriver_script(browser, BOX("all") ".focus()");
	webdriver_keys(browser, "", WEBDRIVER_DOWN);
	browser_assert_text("#detail", "main");
	webdriver_keys(browser, "", WEBDRIVER_RIGHT);
	browser_assert_text("#detail", "idle");
	webdriver_keys(browser, "", WEBDRIVER_LEFT);
	webdriver_keys(browser, "", WEBDRIVER_DOWN WEBDRIVER_ENTER);
	webdriver_wait(browser, "location.search.includes('at=')");
	browser_ready();
	browser_assert_text(".crumbs", "parse");
	press(WEBDRIVER_ESCAPE);
	webdriver_wait(browser, "!location.search.includes('at=')");
	static const char *const keys[][2] = {
		{ "t", "top" },	   { "g", "graph" }, { "p", "peek" },
		{ "o", "source" }, { "f", "flame" },
	};
	for (size_t i = 0; i < 5; i++) {
		char script[128];
		press(keys[i][0]);
		snprintf(script, sizeof(script),
			 "document.body.dataset.ready === '%s'", keys[i][1]);
		webdriver_wait(browser, script);
	}
	press("i");
	webdriver_wait(browser, "location.search.includes('invert=1')");
	press("/");
	ck_assert(webdriver_bool(browser,
				 "document.activeElement.id === 'search'"));
	/* While typing, letters are letters. */
	webdriver_keys(browser, "", "t");
	browser_assert_url("v=top", false);
	browser_assert_quiet();
}
END_TEST

/* ---- the other views ----------------------------------------------------- */

/* The text of a row's cells, divided by |. */
#define ROW_TEXT(n)                                                            \
	"[...document.querySelectorAll('#top tbody tr:nth-child(" #n           \
	") td')].map((c) => c.querySelector('.link') ? "                       \
	"c.querySelector('.link').textContent : c.textContent).join('|')"

static void assert_row(const char *script, const char *want)
{
	char *have = webdriver_string(browser, script);
	ck_assert_str_eq(have, want);
	free(have);
}

START_TEST(top_is_sorted)
{
	show_forest("?v=top");
	assert_row(ROW_TEXT(1), "32ns|32.00%|32.00%|32ns|32.00%|alloc");
	webdriver_click(browser, "#top th[data-sort=cum] button");
	webdriver_wait(browser, "location.search.includes('sort=cum')");
	browser_ready();
	assert_row(ROW_TEXT(1), "0|0%|0%|70ns|70.00%|main");
	ck_assert(webdriver_bool(
		browser, "document.querySelector('th[data-sort=cum]')"
			 ".getAttribute('aria-sort') === 'descending'"));
	webdriver_click(browser, "#top th[data-sort=cum] button");
	browser_ready();
	assert_row(ROW_TEXT(1), "8ns|8.00%|8.00%|20ns|20.00%|run");
	webdriver_click(browser, "#top th[data-sort=name] button");
	browser_ready();
	assert_row(ROW_TEXT(1), "32ns|32.00%|32.00%|32ns|32.00%|alloc");
	webdriver_keys(browser, "#top-search", "^r");
	ck_assert(webdriver_number(browser,
				   "document.querySelectorAll('#top tbody "
				   "tr').length") == 2);
	/* A name leads to who calls it. */
	webdriver_click(browser, "#top tbody tr .link");
	browser_ready();
	browser_assert_url("v=sandwich", true);
	browser_assert_quiet();
}
END_TEST

START_TEST(peek_leads_on)
{
	show_forest("?v=peek&f=%5Ealloc%24");
	browser_assert_text(".peek .self", "32ns");
	browser_assert_text(".peek", "parse");
	webdriver_click(browser, ".peek .link");
	webdriver_wait(browser, "location.search.includes('parse')");
	browser_ready();
	browser_assert_text(".peek .self", "parse");
	browser_assert_text(".peek", "read");
	/* Without a function it begins with the heaviest. */
	browser_go("?v=peek");
	browser_assert_text(".peek .self", "alloc");
	browser_assert_quiet();
}
END_TEST

START_TEST(source_has_figures)
{
	const char *top = getenv("top_srcdir");
	char trim[4200];
	browser_write("forest.pb.gz", fixture_stacks(forest));
	/* dir/file.c is not there: the figures are. */
	browser_show("forest.pb.gz", "?v=source&f=alloc");
	browser_assert_text(".listing", "could not find file dir/file.c");
	browser_assert_text(".code", "32ns");
	/* A real one: this file is dir/file.c. */
	snprintf(trim, sizeof(trim), "-source_path=%s/tests/corpus/web",
		 top ? top : ".");
	const char *const args[] = { trim, browser_path("forest.pb.gz"), NULL };
	browser_serve("?v=source&f=alloc", args);
	browser_assert_text(".code", "the first line of dir/file.c");
	browser_assert_text(".code tr.hot", "32ns");
	browser_assert_quiet();
}
END_TEST

START_TEST(graph_is_drawn_or_explained)
{
	show_forest("?v=graph");
	if (system("command -v dot >/dev/null 2>&1") == 0) {
		ck_assert(webdriver_bool(browser,
					 "document.querySelector('.graph svg')"
					 ".textContent.includes('parse')"));
		ck_assert(webdriver_number(
				  browser,
				  "document.querySelectorAll('.graph svg "
				  "polygon').length") >= 6);
	} else {
		browser_assert_text(".empty", "Graphviz");
	}
	browser_assert_quiet();
}
END_TEST

/* ---- what is looked at --------------------------------------------------- */

START_TEST(filters_are_in_the_address)
{
	show_forest("?v=top");
	webdriver_click(browser, "#filters-open");
	webdriver_keys(browser, "#filter-focus", "alloc");
	webdriver_keys(browser, "#filter-hide", "run" WEBDRIVER_ENTER);
	webdriver_wait(browser, "location.search.includes('focus=alloc')");
	browser_ready();
	browser_assert_url("hide=run", true);
	assert_row(ROW_TEXT(1), "32ns|32.00%|32.00%|32ns|32.00%|alloc");
	ck_assert(!webdriver_bool(browser,
				  "document.querySelector('#top').textContent"
				  ".includes('read')"));
	webdriver_reload(browser);
	browser_ready();
	browser_assert_text("#chips", "focus alloc");
	webdriver_click(browser, "[data-filter=focus]");
	browser_ready();
	browser_assert_url("focus=", false);
	browser_assert_text("#top", "read");
	browser_go("?v=flame&focus=nowhere");
	browser_assert_text("#nothing-left", "focus=nowhere");
	browser_assert_text("#notes", "matched no samples");
	webdriver_click(browser, "#nothing-left button");
	browser_ready();
	ck_assert(webdriver_bool(browser, BOX("main")));
	browser_assert_quiet();
}
END_TEST

START_TEST(flags_are_where_it_begins)
{
	browser_write("forest.pb.gz", fixture_stacks(forest));
	const char *const args[] = { "-focus=alloc",
				     browser_path("forest.pb.gz"), NULL };
	browser_serve("?v=top", args);
	browser_assert_text("#chips", "focus alloc");
	ck_assert(!webdriver_bool(browser,
				  "document.querySelector('#top').textContent"
				  ".includes('read')"));
	/* And can be taken back. */
	webdriver_click(browser, "[data-filter=focus]");
	browser_ready();
	browser_assert_text("#top", "read");
	browser_assert_quiet();
}
END_TEST

START_TEST(types_and_labels_are_chosen)
{
	browser_generate("labels.pb.gz", "labels");
	browser_show("labels.pb.gz", "?v=top");
	char *first = webdriver_string(browser, "document.querySelector('#top')"
						".textContent");
	webdriver_script(browser,
			 "(() => { const s = document.querySelector('#value');"
			 " s.selectedIndex = s.selectedIndex ? 0 : 1; "
			 "s.dispatchEvent(new Event('change')); })()");
	webdriver_wait(browser, "location.search.includes('si=')");
	browser_ready();
	char *second = webdriver_string(
		browser, "document.querySelector('#top').textContent");
	ck_assert_str_ne(first, second);
	webdriver_click(browser, "#filters-open");
	webdriver_click(browser, ".label-key button");
	webdriver_wait(browser, "location.search.includes('tagfocus=')");
	browser_ready();
	char *third = webdriver_string(
		browser, "document.querySelector('#top').textContent");
	ck_assert_str_ne(second, third);
	ck_assert(webdriver_bool(browser, "document.querySelector('.label-key "
					  "button[aria-pressed=true]')"));
	free(first);
	free(second);
	free(third);
	browser_assert_quiet();
}
END_TEST

/* ---- a difference -------------------------------------------------------- */

static const char *const before_lines[] = { "main;old 40", "main;both 30",
					    "main;same 10", NULL };
static const char *const after_lines[] = { "main;new 25", "main;both 50",
					   "main;same 10", NULL };

START_TEST(difference_is_told_in_words)
{
	browser_write("before.pb.gz", fixture_stacks(before_lines));
	browser_write("after.pb.gz", fixture_stacks(after_lines));
	const char *const args[] = { "-diff_base", browser_path("before.pb.gz"),
				     browser_path("after.pb.gz"), NULL };
	browser_serve("?v=top", args);
	browser_assert_text("#legend", "orange = more than the base");
	browser_assert_text("[data-card='New functions']", "new");
	browser_assert_text("[data-card='New functions']", "25ns");
	browser_assert_text("[data-card='Gone functions']", "old");
	browser_assert_text("#top", "+20ns (+67%)");
	browser_assert_text("#top", "-40ns (gone)");
	browser_assert_text("#top", "no change");
	ck_assert(webdriver_number(browser, "document.querySelectorAll('.badge"
					    ".new').length") == 1);
	webdriver_click(browser, "#tab-flame");
	browser_ready();
	static const char *const classes[][2] = {
		{ BOX("new") ".classList.contains('u4')", "new" },
		{ BOX("old") ".classList.contains('d4')", "gone" },
		{ BOX("both") ".classList.contains('u3')", "more" },
		{ BOX("same") ".classList.contains('same')", "the same" },
	};
	for (size_t i = 0; i < 4; i++)
		ck_assert_msg(webdriver_bool(browser, classes[i][0]), "%s",
			      classes[i][1]);
	/* What is gone keeps its place. */
	ck_assert(webdriver_bool(browser,
				 "parseFloat(" BOX("old") ".style.width) > "
							  "25"));
	browser_assert_text("#detail", "80ns in the base, 85ns now");
	static const char *const others[] = { "?v=peek&f=old", "?v=source",
					      "?v=sandwich&f=both" };
	for (size_t i = 0; i < 3; i++) {
		browser_go(others[i]);
		ck_assert(!webdriver_bool(
			browser, "document.querySelector('#notes .error')"));
	}
	browser_assert_quiet();
}
END_TEST

/* ---- how it looks -------------------------------------------------------- */

START_TEST(dark_is_followed_and_chosen)
{
	show_forest("");
	const char *theme = "document.documentElement.dataset.theme";
	assert_row(theme, "light");
	webdriver_dark(browser, true);
	webdriver_wait(browser,
		       "document.documentElement.dataset.theme === 'dark'");
	press("d");
	assert_row(theme, "light");
	webdriver_reload(browser);
	browser_ready();
	assert_row(theme, "light");
	browser_assert_quiet();
}
END_TEST

static const char *const all_views[] = { "?v=flame",  "?v=top",
					 "?v=graph",  "?v=peek",
					 "?v=source", "?v=sandwich&f=run" };

START_TEST(narrow_screens_do_not_scroll_sideways)
{
	webdriver_resize(browser, 390, 844);
	show_forest(all_views[_i]);
	ck_assert(!webdriver_bool(browser,
				  "document.querySelector('#notes .error')"));
	const double width = webdriver_number(
		browser, "document.documentElement.scrollWidth");
	ck_assert_msg(width <= 390, "%s: %g", all_views[_i], width);
	webdriver_click(browser, "#filters-open");
	ck_assert(webdriver_number(browser, "document.documentElement"
					    ".scrollWidth") <= 390);
}
END_TEST

TCase *browser_views_tests(void)
{
	TCase *t = tcase_create("views");
	tcase_add_checked_fixture(t, browser_setup, browser_teardown);
	tcase_add_test(t, flame_has_its_boxes);
	tcase_add_test(t, flame_zooms_and_comes_back);
	tcase_add_test(t, flame_is_searched);
	tcase_add_test(t, flame_is_inverted);
	tcase_add_test(t, sandwich_shows_both_sides);
	tcase_add_test(t, keys_do_what_the_help_says);
	tcase_add_test(t, top_is_sorted);
	tcase_add_test(t, peek_leads_on);
	tcase_add_test(t, source_has_figures);
	tcase_add_test(t, graph_is_drawn_or_explained);
	tcase_add_test(t, filters_are_in_the_address);
	tcase_add_test(t, flags_are_where_it_begins);
	tcase_add_test(t, types_and_labels_are_chosen);
	tcase_add_test(t, difference_is_told_in_words);
	tcase_add_test(t, dark_is_followed_and_chosen);
	testing_add_table(t, narrow_screens_do_not_scroll_sideways, all_views);
	return t;
}
