/* webdriver.c - see webdriver.h: the protocol; processes: webdriver_guard.c. */
#include "tests/webdriver.h"

#include "base/buf.h"
#include "base/clock.h"
#include "tests/webdriver_guard.h"

#include <check.h>
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct webdriver {
	struct guard guard;
	CURL *curl;
	char session[256]; /* http://127.0.0.1:PORT/session/ID */
};

bool webdriver_available(void)
{
	char path[4096];
	return guard_find_driver(path, sizeof(path));
}

/* ---- commands ------------------------------------------------------------ */

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	return buf_append(arg, data, size * n) ? 0 : size * n;
}

/* The "value" of the answer; *ret_status is HTTP's.  NULL: no answer. */
static json_t *ask(struct webdriver *d, const char *method, const char *url,
		   json_t *body, long *ret_status)
{
	struct buf answer = { .cap = 256 << 20 };
	char *text = json_dumps(body, 0);
	json_decref(body);
	struct curl_slist *headers = curl_slist_append(
		NULL, "Content-Type: application/json; charset=utf-8");
	curl_easy_reset(d->curl);
	curl_easy_setopt(d->curl, CURLOPT_URL, url);
	curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(d->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(d->curl, CURLOPT_TIMEOUT, 2L * WEBDRIVER_SECONDS);
	curl_easy_setopt(d->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, headers);
	if (strcmp(method, "POST") == 0)
		curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS, text);
	curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, &answer);
	const CURLcode rc = curl_easy_perform(d->curl);
	*ret_status = 0;
	curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, ret_status);
	curl_slist_free_all(headers);
	free(text);
	json_t *all = rc ? NULL : json_loads(buf_str(&answer), 0, NULL);
	json_t *value = json_incref(json_object_get(all, "value"));
	json_decref(all);
	buf_free(&answer);
	return value;
}

enum { REASON = 1600 };

/*
 * A command of the session.  Owns: body is taken.
 * Returns: NULL, with the reason, when it was refused.
 */
static json_t *try_command(struct webdriver *d, const char *method,
			   const char *path, json_t *body,
			   char ret_why[static REASON])
{
	char url[1024];
	long status;
	snprintf(url, sizeof(url), "%s%s", d->session, path);
	json_t *value =
		ask(d, method, url, body ? body : json_object(), &status);
	if (status == 200 && value)
		return value;
	const char *message =
		json_string_value(json_object_get(value, "message"));
	snprintf(ret_why, REASON, "%s %s: %ld %.1500s", method, path, status,
		 message ? message : "no answer");
	json_decref(value);
	return NULL;
}

/* One that must succeed. */
static json_t *command(struct webdriver *d, const char *method,
		       const char *path, json_t *body)
{
	char why[REASON];
	json_t *value = try_command(d, method, path, body, why);
	ck_assert_msg(value != NULL, "%s", why);
	return value;
}

static void order(struct webdriver *d, const char *path, json_t *body)
{
	json_decref(command(d, "POST", path, body));
}

static char *order_text(struct webdriver *d, const char *path)
{
	json_t *value = command(d, "GET", path, NULL);
	const char *text = json_string_value(value);
	ck_assert_msg(text != NULL, "%s: not a text", path);
	char *copy = strdup(text);
	json_decref(value);
	return copy;
}

json_t *webdriver_devtools(struct webdriver *d, const char *name,
			   const char *params)
{
	json_t *p = json_loads(params, 0, NULL);
	ck_assert_msg(p != NULL, "%s: these are no parameters: %s", name,
		      params);
	return command(d, "POST", "/goog/cdp/execute",
		       json_pack("{s:s,s:o}", "cmd", name, "params", p));
}

/* ---- start and stop ------------------------------------------------------ */

static json_t *capabilities(const struct guard *g)
{
	static const char *const args[] = {
		"--headless",
		"--no-sandbox",
		"--disable-gpu",
		"--disable-quic",
		"--no-first-run",
		"--no-default-browser-check",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-default-apps",
		"--disable-dev-shm-usage",
		"--disable-extensions",
		"--disable-sync",
		"--disable-breakpad",
		"--metrics-recording-only",
		"--password-store=basic",
		"--force-device-scale-factor=1",
		("--host-resolver-rules=MAP * ~NOTFOUND, "
		 "EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	};
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof(args) / sizeof(*args); i++)
		json_array_append_new(list, json_string(args[i]));
	char text[4200];
	snprintf(text, sizeof(text), "--user-data-dir=%s/data", g->folder);
	json_array_append_new(list, json_string(text));
	json_t *options = json_pack("{s:o}", "args", list);
	const char *binary = getenv("CHROMIUM");
	if (binary && *binary)
		json_object_set_new(options, "binary", json_string(binary));
	return json_pack("{s:{s:{s:s,s:{s:s},s:o}}}", "capabilities",
			 "alwaysMatch", "unhandledPromptBehavior", "accept",
			 "goog:loggingPrefs", "browser", "ALL",
			 "goog:chromeOptions", options);
}

struct webdriver *webdriver_start(int width, int height)
{
	struct webdriver *d = calloc(1, sizeof(*d));
	char url[64];
	long status;
	ck_assert_ptr_nonnull(d);
	guard_start(&d->guard);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	d->curl = curl_easy_init();
	ck_assert_ptr_nonnull(d->curl);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/session",
		 d->guard.port);
	json_t *value = ask(d, "POST", url, capabilities(&d->guard), &status);
	const char *id = json_string_value(json_object_get(value, "sessionId"));
	const char *why = json_string_value(json_object_get(value, "message"));
	ck_assert_msg(id != NULL, "no browser: %ld %.1500s", status,
		      why ? why : "no answer");
	snprintf(d->session, sizeof(d->session), "%s/%.100s", url, id);
	json_decref(value);
	order(d, "/timeouts",
	      json_pack("{s:i,s:i}", "script", WEBDRIVER_SECONDS * 1000,
			"pageLoad", WEBDRIVER_SECONDS * 1000));
	webdriver_resize(d, width, height);
	return d;
}

void webdriver_stop(struct webdriver *d)
{
	if (!d)
		return;
	curl_easy_cleanup(d->curl);
	guard_stop(&d->guard);
	free(d);
}

const char *webdriver_folder(const struct webdriver *d)
{
	return d->guard.folder;
}

/* ---- the page ------------------------------------------------------------ */

void webdriver_open(struct webdriver *d, const char *url)
{
	order(d, "/url", json_pack("{s:s}", "url", url));
}

void webdriver_back(struct webdriver *d)
{
	order(d, "/back", NULL);
}

void webdriver_reload(struct webdriver *d)
{
	order(d, "/refresh", NULL);
}

char *webdriver_url(struct webdriver *d)
{
	return order_text(d, "/url");
}

void webdriver_resize(struct webdriver *d, int width, int height)
{
	char params[160];
	snprintf(params, sizeof(params),
		 "{\"width\":%d,\"height\":%d,\"deviceScaleFactor\":1,"
		 "\"mobile\":false}",
		 width, height);
	json_decref(webdriver_devtools(d, "Emulation.setDeviceMetricsOverride",
				       params));
}

void webdriver_dark(struct webdriver *d, bool dark)
{
	char params[160];
	snprintf(params, sizeof(params),
		 "{\"features\":[{\"name\":\"prefers-color-scheme\","
		 "\"value\":\"%s\"}]}",
		 dark ? "dark" : "light");
	json_decref(
		webdriver_devtools(d, "Emulation.setEmulatedMedia", params));
}

static int base64_digit(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'	      ? 62
	       : c == '/'	      ? 63
				      : -1;
}

static void write_base64(const char *text, const char *path)
{
	FILE *f = fopen(path, "w");
	ck_assert_msg(f != NULL, "%s cannot be written", path);
	unsigned bits = 0;
	int n = 0;
	for (; base64_digit(*text) >= 0; text++) {
		bits = bits << 6 | (unsigned)base64_digit(*text);
		n += 6;
		if (n >= 8) {
			n -= 8;
			fputc((int)(bits >> n & 255), f);
		}
	}
	ck_assert_int_eq(fclose(f), 0);
}

void webdriver_screenshot(struct webdriver *d, const char *path, bool whole)
{
	json_t *value = webdriver_devtools(
		d, "Page.captureScreenshot",
		whole ? "{\"format\":\"png\",\"captureBeyondViewport\":true}"
		      : "{\"format\":\"png\"}");
	const char *data = json_string_value(json_object_get(value, "data"));
	ck_assert_ptr_nonnull(data);
	write_base64(data, path);
	json_decref(value);
}

/* ---- elements ------------------------------------------------------------ */

/* A command on the element; body is taken. */
static json_t *on_element(struct webdriver *d, const char *selector,
			  const char *method, const char *what, json_t *body)
{
	json_t *found =
		*selector
			? command(d, "POST", "/element",
				  json_pack("{s:s,s:s}", "using",
					    "css selector", "value", selector))
			: command(d, "GET", "/element/active", NULL);
	char path[512] = "";
	const char *key;
	json_t *id;
	json_object_foreach(found, key, id)
		snprintf(path, sizeof(path), "/element/%.200s/%s",
			 json_string_value(id), what);
	json_decref(found);
	return command(d, method, path, body);
}

void webdriver_click(struct webdriver *d, const char *selector)
{
	json_decref(on_element(d, selector, "POST", "click", NULL));
}

void webdriver_keys(struct webdriver *d, const char *selector, const char *keys)
{
	json_decref(on_element(d, selector, "POST", "value",
			       json_pack("{s:s}", "text", keys)));
}

void webdriver_clear(struct webdriver *d, const char *selector)
{
	json_decref(on_element(d, selector, "POST", "clear", NULL));
}

char *webdriver_text(struct webdriver *d, const char *selector)
{
	json_t *value = on_element(d, selector, "GET", "text", NULL);
	char *text = strdup(json_string_value(value));
	json_decref(value);
	return text;
}

/* ---- scripts ------------------------------------------------------------- */

static json_t *script_body(const char *expression)
{
	struct buf b = { 0 };
	buf_printf(&b, "return (%s);", expression);
	json_t *body = json_pack("{s:s,s:[]}", "script", buf_str(&b), "args");
	buf_free(&b);
	return body;
}

json_t *webdriver_script(struct webdriver *d, const char *expression)
{
	return command(d, "POST", "/execute/sync", script_body(expression));
}

bool webdriver_bool(struct webdriver *d, const char *expression)
{
	struct buf b = { 0 };
	buf_printf(&b, "!!(%s)", expression);
	json_t *value = webdriver_script(d, buf_str(&b));
	const bool is = json_is_true(value);
	json_decref(value);
	buf_free(&b);
	return is;
}

double webdriver_number(struct webdriver *d, const char *expression)
{
	json_t *value = webdriver_script(d, expression);
	ck_assert_msg(json_is_number(value), "not a number: %s", expression);
	const double number = json_number_value(value);
	json_decref(value);
	return number;
}

char *webdriver_string(struct webdriver *d, const char *expression)
{
	json_t *value = webdriver_script(d, expression);
	ck_assert_msg(json_is_string(value), "not a text: %s", expression);
	char *text = strdup(json_string_value(value));
	json_decref(value);
	return text;
}

/* A page that goes while it is asked, or has just begun, says nothing yet. */
static bool is_true(struct webdriver *d, const char *expression,
		    char ret_why[static REASON])
{
	struct buf b = { 0 };
	buf_printf(&b, "!!(%s)", expression);
	*ret_why = '\0';
	json_t *value = try_command(d, "POST", "/execute/sync",
				    script_body(buf_str(&b)), ret_why);
	const bool is = json_is_true(value);
	json_decref(value);
	buf_free(&b);
	return is;
}

void webdriver_wait(struct webdriver *d, const char *expression)
{
	const int64_t until =
		clock_monotonic_ns() + WEBDRIVER_SECONDS * INT64_C(1000000000);
	const struct timespec pause = { .tv_nsec = 20000000 };
	char why[REASON];
	while (!is_true(d, expression, why)) {
		if (clock_monotonic_ns() > until) {
			char *log = webdriver_log(d);
			ck_abort_msg("never true: %s\n%s\n%s", expression, why,
				     log);
		}
		nanosleep(&pause, NULL);
	}
}

/* ---- what went wrong ----------------------------------------------------- */

char *webdriver_log(struct webdriver *d)
{
	json_t *value = command(d, "POST", "/se/log",
				json_pack("{s:s}", "type", "browser"));
	struct buf b = { 0 };
	size_t i;
	json_t *entry;
	json_array_foreach(value, i, entry) buf_printf(
		&b, "%s %s\n",
		json_string_value(json_object_get(entry, "level")),
		json_string_value(json_object_get(entry, "message")));
	json_decref(value);
	char *text = strdup(buf_str(&b));
	buf_free(&b);
	return text;
}
