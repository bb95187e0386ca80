/*
 * browser.h - what the browser tests share: a page that is served, a browser
 * that looks at it, and the clean-up of both.
 */
#ifndef PROFLAB_TESTS_BROWSER_H
#define PROFLAB_TESTS_BROWSER_H

#include "tests/webdriver.h"

#include <check.h>
#include <stdbool.h>

struct profile;

/*
 * A folder for the profiles of one test, and the page of proflab-pprof on one
 * of them; checked fixtures.
 */
void browser_setup(void);
void browser_teardown(void);

/* The browser of this test, started by browser_setup. */
extern struct webdriver *browser;

/* The path of NAME in the test's folder; a static text. */
const char *browser_path(const char *name);
/* Write a profile there.  Owns: p is freed. */
void browser_write(const char *name, struct profile *p);
/* One of tests/gen_profile's: "cpu", "300000 22", ... */
void browser_generate(const char *name, const char *kind);
/*
 * Serve it with proflab-pprof -http=:0 and these arguments (NULL at the end;
 * files by browser_path), and open its page with that query ("?v=top").
 */
void browser_serve(const char *query, const char *const *args);
/* The same, in the simple case. */
void browser_show(const char *name, const char *query);
/* Open another query of what is served. */
void browser_go(const char *query);
/* Wait until what was asked for is drawn. */
void browser_ready(void);
/* The base URL of what is served, without its last slash. */
const char *browser_url(void);

/* Is there this text in what a reader sees of the element? */
void browser_assert_text(const char *selector, const char *text);
/* The address has this part. */
void browser_assert_url(const char *part, bool has);
/* The browser has nothing to say: no error, no violation of the policy. */
void browser_assert_quiet(void);

struct TCase *browser_driver_tests(void);
struct TCase *browser_views_tests(void);
struct TCase *browser_safety_tests(void);
struct TCase *browser_live_tests(void);

#endif
