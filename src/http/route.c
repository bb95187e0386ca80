/* route.c - the paths below /debug/pprof/, and those that name a profile. */
#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "http/capture.h"
#include "http/request.h"
#include "http/ui.h"
#include "pprof/pprof.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#define NS_PER_SECOND INT64_C(1000000000)

static const char octets[] = "application/octet-stream";
static const char text[] = "text/plain; charset=utf-8";

enum {
	FORM_BODY = 16 << 10,
	SYMBOL_BODY = 16 << 20, /* one 0xADDRESS+ for each pc of a profile */
	DEFAULT_SECONDS = 30,
	HZ_MAX = 10000,
	MIN_AGE_DAYS = 36500,
};

/* ---- captures ---- */

static void write_capture(struct http_request *r)
{
	struct http_window *w = &r->window;
	const bool delta = r->profile;
	http_reply_begin(&r->reply, 200, octets);
	snprintf(r->reply.filename, sizeof(r->reply.filename), "%s%s", w->name,
		 delta ? "-delta" : "");
	const struct pprof_writer writer = http_body_writer(r);
	const int rc = pprof_capture_write(w->capture, &writer);
	pprof_capture_free(w->capture);
	w->capture = NULL;
	if (rc && delta)
		http_reply_error(&r->reply, 500, "failed to compute delta");
	else if (rc)
		http_reply_error(&r->reply, 500,
				 "failed to collect profile: "
				 "%s",
				 pprof_strerror(rc));
}

static enum http_next start_capture(struct http_request *r, int64_t seconds)
{
	if (!http_captures_reserve(r->http->captures)) {
		http_reply_error(&r->reply, 503,
				 "too many captures: at most %d at the same "
				 "time",
				 r->http->options.max_captures);
		r->reply.header = "Retry-After";
		r->reply.header_value = "10";
		return HTTP_REPLY;
	}
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	r->window.fd = info ? info->connect_fd : -1;
	r->window.length_ns = seconds * NS_PER_SECOND;
	r->work = write_capture;
	return HTTP_CAPTURE;
}

/* hz, of those that have one.  Returns: false when the reply says why not. */
static bool read_hz(struct http_request *r)
{
	char value[HTTP_PARAM];
	int64_t hz;
	if (!http_param(r, "hz", value) || !*value)
		return true;
	if (!http_parse_int(value, &hz) || hz < 1 || hz > HZ_MAX) {
		http_reply_error(&r->reply, 400,
				 "invalid value for \"hz\" - must be an "
				 "integer from 1 to %d",
				 HZ_MAX);
		return false;
	}
	r->window.hz = (int)hz;
	return true;
}

/* "profile" and "wall": a window on what runs, from now on. */
static enum http_next route_timed(struct http_request *r)
{
	const int max = r->http->options.max_seconds;
	char value[HTTP_PARAM];
	int64_t seconds = 0;
	http_param(r, "seconds", value);
	if (*value && (!http_parse_int(value, &seconds) || seconds < 0 ||
		       seconds > max)) {
		http_reply_error(&r->reply, 400,
				 "invalid value for \"seconds\" - must be an "
				 "integer from 0 to %d",
				 max);
		return HTTP_REPLY;
	}
	if (seconds == 0)
		seconds = max < DEFAULT_SECONDS ? max : DEFAULT_SECONDS;
	if (!read_hz(r))
		return HTTP_REPLY;
	r->window.name = r->route->path;
	return start_capture(r, seconds);
}

/* NAME?seconds=N.  The order of the checks is Go's. */
static enum http_next start_delta(struct http_request *r, const char *value)
{
	const int max = r->http->options.max_seconds;
	int64_t seconds;
	if (!http_parse_int(value, &seconds) || seconds <= 0)
		http_reply_error(&r->reply, 400,
				 "invalid value for \"seconds\" - must be a "
				 "positive integer");
	else if (!pprof_profile_has_delta(r->profile))
		http_reply_error(&r->reply, 400,
				 "\"seconds\" parameter is not supported for "
				 "this profile type");
	else if (seconds > max)
		http_reply_error(&r->reply, 400,
				 "invalid value for \"seconds\" - must be an "
				 "integer from 1 to %d",
				 max);
	else if (http_param_int(r, "debug") != 0)
		http_reply_error(&r->reply, 400,
				 "seconds and debug params are incompatible");
	else {
		r->window.name = r->name;
		return start_capture(r, seconds);
	}
	return HTTP_REPLY;
}

/* ---- what a profile holds now ---- */

static atomic_uint_fast64_t trims, trim_ns, trim_last_ns;

void http_trim(void)
{
	const int64_t start = clock_monotonic_ns();
	malloc_trim(0);
	const uint64_t took = (uint64_t)(clock_monotonic_ns() - start);
	atomic_fetch_add_explicit(&trims, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&trim_ns, took, memory_order_relaxed);
	atomic_store_explicit(&trim_last_ns, took, memory_order_relaxed);
}

static void write_profile(struct http_request *r)
{
	if (r->gc)
		http_trim();
	http_reply_begin(&r->reply, 200, r->debug ? text : octets);
	if (!r->debug)
		snprintf(r->reply.filename, sizeof(r->reply.filename), "%s",
			 r->name);
	char reason[HTTP_REASON] = "";
	const struct pprof_write_options options = {
		.debug = r->debug,
		.min_age_ns = r->min_age_ns,
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	const struct pprof_writer writer = http_body_writer(r);
	const int rc = pprof_write_to(r->profile, &options, &writer);
	if (rc)
		http_reply_error(&r->reply, 500,
				 "failed to collect profile: %s",
				 *reason ? reason : pprof_strerror(rc));
}

static bool read_min_age(struct http_request *r)
{
	char value[HTTP_PARAM];
	struct err e;
	if (!http_param(r, "min_age", value) || !*value)
		return true;
	if (parse_duration(value, "min_age", 0,
			   NS_PER_SECOND * 86400 * MIN_AGE_DAYS, &r->min_age_ns,
			   &e)) {
		http_reply_error(&r->reply, 400, "%s", e.text);
		return false;
	}
	return true;
}

static enum http_next route_profile(struct http_request *r)
{
	char value[HTTP_PARAM];
	r->profile = pprof_lookup(r->name);
	if (!r->profile) {
		http_reply_error(&r->reply, 404, "Unknown profile");
		return HTTP_REPLY;
	}
	if (http_param(r, "seconds", value) && *value)
		return start_delta(r, value);
	const bool heap = strcmp(r->name, "heap") == 0;
	if (heap && !read_min_age(r))
		return HTTP_REPLY;
	r->gc = heap && http_param_int(r, "gc") > 0;
	const int64_t debug = http_param_int(r, "debug");
	r->debug = debug >= 2 ? 2 : debug != 0;
	r->work = write_profile;
	return HTTP_WRITE;
}

static enum http_next route_cmdline(struct http_request *r)
{
	struct buf *body = &r->reply.body;
	http_reply_begin(&r->reply, 200, text);
	const int fd = open("/proc/thread-self/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		http_reply_error(&r->reply, 500, "cmdline: %s",
				 strerror(errno));
		return HTTP_REPLY;
	}
	char block[4096];
	ssize_t n;
	while ((n = read(fd, block, sizeof(block))) > 0)
		if (buf_append(body, block, (size_t)n))
			break;
	close(fd);
	/* Go joins the arguments; the kernel ends each. */
	if (body->len && body->data[body->len - 1] == '\0')
		body->len--;
	return HTTP_REPLY;
}

static const struct http_route routes[] = {
	{ "", NULL, HTTP_GET | HTTP_POST, FORM_BODY, http_index },
	{ "cmdline", "The command line invocation of the current program",
	  HTTP_GET | HTTP_POST, FORM_BODY, route_cmdline },
	{ "profile",
	  "CPU profile. You can specify the duration in the seconds GET "
	  "parameter. After you get the profile file, use the go tool pprof "
	  "command to investigate the profile.",
	  HTTP_GET | HTTP_POST, FORM_BODY, route_timed },
	{ "rates", NULL, HTTP_GET | HTTP_POST, FORM_BODY, http_rates },
	{ "symbol", NULL, HTTP_GET | HTTP_POST, SYMBOL_BODY, http_symbol },
	{ "wall",
	  "Stack traces of all threads, running or not, over time. You can "
	  "specify the duration in the seconds GET parameter, and the rate in "
	  "hz.",
	  HTTP_GET | HTTP_POST, FORM_BODY, route_timed },
};

static const struct http_route page = { "ui", NULL, HTTP_GET | HTTP_POST,
					FORM_BODY, http_ui };
static const struct http_route named = { NULL, NULL, HTTP_GET | HTTP_POST,
					 FORM_BODY, route_profile };

const struct http_route *http_route_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return http_ui_wants(path) ? &page : &named;
}

const struct http_route *http_route_at(size_t i)
{
	return i < ARRAY_SIZE(routes) ? &routes[i] : NULL;
}

void pprof_http_get_stats(const struct pprof_http *h,
			  struct pprof_http_stats *ret_stats)
{
	struct pprof_http_stats s = {
		.trims = atomic_load(&trims),
		.trim_ns = atomic_load(&trim_ns),
		.trim_last_ns = atomic_load(&trim_last_ns),
	};
	if (h) {
		s.requests = atomic_load(&h->requests);
		s.errors = atomic_load(&h->errors);
		s.hangups = atomic_load(&h->hangups);
		s.captures = (uint64_t)http_captures_count(h->captures);
	}
	*ret_stats = s;
}
