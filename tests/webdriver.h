/*
 * webdriver.h - a real browser for a test: headless Chromium, driven through
 * chromedriver by the WebDriver protocol.
 *
 * Whatever fails ends the test by ck_abort_msg, with what the browser said.
 * A guardian process of its own session owns chromedriver, Chromium and the
 * profile folder: however the test ends, even by SIGKILL, it ends them all
 * and removes the folder.
 *
 *	if (!webdriver_available())	(in main)
 *		testing_skip_all("there is no chromedriver");
 *	...
 *	struct webdriver *d = webdriver_start(1400, 900);
 *	webdriver_open(d, "http://127.0.0.1:8081/");
 *	webdriver_click(d, "#tab-top");
 *	webdriver_wait(d, "document.querySelector('#top tr')");
 *	webdriver_stop(d);
 *
 * Scripts are expressions of JavaScript, evaluated in the page.
 */
#ifndef PROFLAB_TESTS_WEBDRIVER_H
#define PROFLAB_TESTS_WEBDRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct webdriver;
struct json_t;

enum { WEBDRIVER_SECONDS = 30 }; /* the longest wait for anything */

/* Keys for webdriver_keys, as UTF-8. */
#define WEBDRIVER_ENTER	 "\xee\x80\x87"
#define WEBDRIVER_ESCAPE "\xee\x80\x8c"
#define WEBDRIVER_TAB	 "\xee\x80\x84"
#define WEBDRIVER_LEFT	 "\xee\x80\x92"
#define WEBDRIVER_UP	 "\xee\x80\x93"
#define WEBDRIVER_RIGHT	 "\xee\x80\x94"
#define WEBDRIVER_DOWN	 "\xee\x80\x95"

/* Is there a chromedriver: in $CHROMEDRIVER (configure's), or on PATH? */
bool webdriver_available(void);

/* A browser with an empty profile and one window, its page so wide and high. */
struct webdriver *webdriver_start(int width, int height);
/* NULL is allowed. */
void webdriver_stop(struct webdriver *d);

/* A folder for the test's own files, which goes with the browser. */
const char *webdriver_folder(const struct webdriver *d);

/* ---- the page ---- */

/* Load it, and wait until it has loaded. */
void webdriver_open(struct webdriver *d, const char *url);
void webdriver_back(struct webdriver *d);
void webdriver_reload(struct webdriver *d);
/* Of the page; owned by the caller, free(). */
char *webdriver_url(struct webdriver *d);
/* The size of the page's view, in CSS pixels; phones are 390 wide. */
void webdriver_resize(struct webdriver *d, int width, int height);
/* What prefers-color-scheme answers. */
void webdriver_dark(struct webdriver *d, bool dark);
/* A PNG of what is in view; of all of the page where whole is set. */
void webdriver_screenshot(struct webdriver *d, const char *path, bool whole);

/* ---- elements, by CSS selector; the first that matches ---- */

void webdriver_click(struct webdriver *d, const char *selector);
/* Type into it; "" as selector: into whatever has the focus. */
void webdriver_keys(struct webdriver *d, const char *selector,
		    const char *keys);
/* Empty an input. */
void webdriver_clear(struct webdriver *d, const char *selector);
/* The text as a reader sees it; owned by the caller, free(). */
char *webdriver_text(struct webdriver *d, const char *selector);

/* ---- scripts ---- */

/* The value of an expression, awaited where it is a promise; json_decref. */
struct json_t *webdriver_script(struct webdriver *d, const char *expression);
/* The same, as what is expected. */
bool webdriver_bool(struct webdriver *d, const char *expression);
double webdriver_number(struct webdriver *d, const char *expression);
/* Owned by the caller, free(). */
char *webdriver_string(struct webdriver *d, const char *expression);
/* Poll until the expression is true; a page that is just going is not. */
void webdriver_wait(struct webdriver *d, const char *expression);

/* ---- what went wrong ---- */

/*
 * The browser's log since the last call, one message a line: errors of
 * scripts, violations of the Content-Security-Policy, failed requests.
 * Owned by the caller, free(); "" where all is well.
 */
char *webdriver_log(struct webdriver *d);

/* Any command of the DevTools protocol; params as JSON text; json_decref. */
struct json_t *webdriver_devtools(struct webdriver *d, const char *command,
				  const char *params);

#endif
