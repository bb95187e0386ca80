/* request.c - a request's way through the daemon: see request.h. */
#include "http/request.h"

#include "base/attr.h"
#include "base/clock.h"
#include "http/capture.h"
#include "http/writer.h"
#include "pprof/pprof.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

static const char root[] = "/debug/pprof";
enum { ROOT_LENGTH = sizeof(root) - 1 };
/* How long a stop waits for clients to take what was answered. */
#define SEND_NS INT64_C(5000000000)

bool pprof_http_wants(const char *url)
{
	return strncmp(url, root, ROOT_LENGTH) == 0 &&
	       (url[ROOT_LENGTH] == '\0' || url[ROOT_LENGTH] == '/');
}

/* ---- suspended and back ---- */

/* Returns: false when the end has begun: then nothing may be suspended. */
static bool suspend(struct http_request *r)
{
	struct pprof_http *h = r->http;
	pthread_mutex_lock(&h->lock);
	const bool draining = h->draining;
	if (!draining)
		h->suspended++;
	pthread_mutex_unlock(&h->lock);
	if (!draining)
		MHD_suspend_connection(r->connection);
	return !draining;
}

void http_resume(struct http_request *r)
{
	struct pprof_http *h = r->http;
	if (http_lost(h))
		return;
	r->ready = true;
	MHD_resume_connection(r->connection);
	/* r may be gone; only now may a drain find that nobody is suspended,
	 * since the daemon must not be stopped before the line above. */
	pthread_mutex_lock(&h->lock);
	if (--h->suspended == 0)
		pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

void pprof_http_drain(struct pprof_http *h)
{
	/* What is suspended then stays so. */
	if (http_lost(h))
		return;
	pthread_mutex_lock(&h->lock);
	h->draining = true;
	pthread_mutex_unlock(&h->lock);
	http_captures_end_all(h->captures);
	pthread_mutex_lock(&h->lock);
	while (h->suspended)
		pthread_cond_wait(&h->changed, &h->lock);
	/* What was answered is still on its way to the client. */
	const struct timespec until =
		clock_to_timespec(clock_monotonic_ns() + SEND_NS);
	int rc = 0;
	while (h->open && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	pthread_mutex_unlock(&h->lock);
}

/* ---- the three steps: first line, body, route ---- */

static struct http_request *request_new(struct pprof_http *h,
					struct MHD_Connection *connection)
{
	struct http_request *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->http = h;
	r->connection = connection;
	r->reply.body.cap = (size_t)512 << 20;
	atomic_fetch_add_explicit(&h->requests, 1, memory_order_relaxed);
	pthread_mutex_lock(&h->lock);
	h->open++;
	pthread_mutex_unlock(&h->lock);
	return r;
}

void pprof_http_completed(void *state)
{
	struct http_request *r = state;
	if (!r)
		return;
	struct pprof_http *h = r->http;
	pprof_capture_free(r->window.capture);
	buf_free(&r->body);
	buf_free(&r->reply.body);
	free(r);
	pthread_mutex_lock(&h->lock);
	if (--h->open == 0)
		pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void redirect_to_root(struct http_request *r)
{
	struct http_reply *reply = &r->reply;
	http_reply_begin(reply, 301, "text/html; charset=utf-8");
	reply->nosniff = false;
	reply->header = "Location";
	reply->header_value = "/debug/pprof/";
	buf_append_str(&reply->body, "<a href=\"/debug/pprof/\">Moved "
				     "Permanently</a>.\n\n");
}

static void refuse_method(struct http_request *r)
{
	http_reply_error(&r->reply, 405, "method not allowed");
	r->reply.header = "Allow";
	r->reply.header_value = "GET, HEAD, POST";
}

static void refuse_stranger(struct http_request *r)
{
	/* A line each: browsers do not look behind the first in a line. */
	static const struct http_header ways[] = {
		{ "WWW-Authenticate", "Bearer" },
		{ "WWW-Authenticate", "Basic realm=\"pprof\"" },
	};
	http_reply_error(&r->reply, 401,
			 MHD_lookup_connection_value(r->connection,
						     MHD_HEADER_KIND,
						     "Authorization")
				 ? "the token is wrong"
				 : "a token is required");
	r->reply.headers = ways;
	r->reply.n_headers = ARRAY_SIZE(ways);
}

/* What can be decided before the body has come.  Returns: whether it was. */
static bool decide_early(struct http_request *r, const char *url,
			 const char *method)
{
	r->post = strcmp(method, "POST") == 0;
	if (!r->post && strcmp(method, "GET") != 0 &&
	    strcmp(method, "HEAD") != 0) {
		refuse_method(r);
		return true;
	}
	if (!http_authorized(r)) {
		refuse_stranger(r);
		return true;
	}
	if (url[ROOT_LENGTH] == '\0') {
		redirect_to_root(r);
		return true;
	}
	const char *name = url + ROOT_LENGTH + 1;
	const size_t n = strnlen(name, sizeof(r->name));
	if (n == sizeof(r->name)) {
		http_reply_error(&r->reply, 404, "Unknown profile");
		return true;
	}
	memcpy(r->name, name, n);
	r->route = http_route_find(r->name);
	if (!(r->route->methods & (r->post ? HTTP_POST : HTTP_GET))) {
		refuse_method(r);
		return true;
	}
	r->body.cap = r->route->body_cap;
	return false;
}

static void take_body(struct http_request *r, const char *data, size_t *size)
{
	if (!r->decided && buf_append(&r->body, data, *size)) {
		http_reply_error(&r->reply, 413,
				 "the body is too long: must "
				 "be shorter than %zu bytes",
				 r->body.cap);
		r->decided = true;
	}
	*size = 0; /* what comes after a decision is read and dropped */
}

static int hand_over(struct http_request *r, enum http_next next)
{
	struct pprof_http *h = r->http;
	if (next != HTTP_REPLY && !suspend(r)) {
		if (next == HTTP_CAPTURE)
			http_captures_cancel(h->captures);
		http_reply_error(&r->reply, 503, "shutting down");
		next = HTTP_REPLY;
	}
	switch (next) {
	case HTTP_WRITE:
		http_writer_add(h->writer, r);
		return MHD_YES;
	case HTTP_CAPTURE:
		http_captures_add(h->captures, r);
		return MHD_YES;
	case HTTP_REPLY:
		break;
	}
	return http_reply_queue(r);
}

int pprof_http_handle(struct pprof_http *h, struct MHD_Connection *connection,
		      const char *url, const char *method,
		      const char *upload_data, size_t *upload_data_size,
		      void **state)
{
	struct http_request *r = *state;
	if (!r) {
		r = request_new(h, connection);
		if (!r)
			return MHD_NO;
		*state = r;
		r->decided = decide_early(r, url, method);
		/* A refusal now would close the connection on a client that
		 * still sends its body; let it finish, then answer. */
		return MHD_YES;
	}
	if (*upload_data_size) {
		take_body(r, upload_data, upload_data_size);
		return MHD_YES;
	}
	if (r->gone)
		return MHD_NO;
	if (r->ready || r->decided)
		return http_reply_queue(r);
	return hand_over(r, r->route->run(r));
}
