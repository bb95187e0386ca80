/* reader_http.c - see reader_http.h. */
#include "tools/reader_http.h"

#include "base/clock.h"
#include "tools/die.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const size_t body_max = (size_t)1 << 30;
/* On top of what was allowed, as the Go tool grants it. */
enum { GRACE_S = 5 };

struct transfer {
	struct http_request *request;
	CURL *easy;
	char *url; /* owned */
	char status[160];
	char why[CURL_ERROR_SIZE]; /* more than the code of an error says */
	bool is_pprof_text, has_text_type, answered;
	int64_t deadline_ns;
};

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	return buf_append(&t->request->body, data, size * n) ? 0 : size * n;
}

static bool has_prefix(const char *s, size_t len, const char *prefix)
{
	const size_t n = strlen(prefix);
	return len >= n && strncasecmp(s, prefix, n) == 0;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;
	const size_t all = len;
	while (len && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	t->answered = true;
	if (has_prefix(data, len, "HTTP/")) {
		/* A new answer, after a redirection for example. */
		const char *space = memchr(data, ' ', len);
		const size_t skip = space ? (size_t)(space + 1 - data) : len;
		snprintf(t->status, sizeof(t->status), "%.*s",
			 (int)(len - skip), data + skip);
		t->is_pprof_text = t->has_text_type = false;
		buf_clear(&t->request->body);
	} else if (has_prefix(data, len, "X-Go-Pprof:")) {
		t->is_pprof_text = true;
	} else if (has_prefix(data, len, "Content-Type:")) {
		t->has_text_type = memmem(data, len, "text/plain", 10) != NULL;
	}
	return all;
}

/* Only the time until the answer begins is limited: it may be long. */
static int watch(void *arg, curl_off_t a, curl_off_t b, curl_off_t c,
		 curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	const struct transfer *t = arg;
	return !t->answered && clock_monotonic_ns() > t->deadline_ns;
}

static struct http_tls tls;

void http_use_tls(const struct http_tls *t)
{
	tls = *t;
}

static void set_tls(CURL *easy)
{
	if (tls.cert && *tls.cert)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.cert);
	if (tls.key && *tls.key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key);
	if (tls.ca && *tls.ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca);
}

static void start(struct transfer *t, CURLM *multi)
{
	const char *insecure = "https+insecure:";
	const bool trusting =
		!strncmp(t->request->url, insecure, strlen(insecure));
	t->url = trusting ? xasprintf("https:%s",
				      t->request->url + strlen(insecure))
			  : xstrdup(t->request->url);
	t->request->body = (struct buf){ .cap = body_max };
	t->request->error.text[0] = '\0';
	t->deadline_ns =
		clock_monotonic_ns() +
		(t->request->timeout_s + GRACE_S) * INT64_C(1000000000);
	t->easy = curl_easy_init();
	if (!t->easy)
		die("out of memory");
	curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
	curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "proflab-pprof");
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(t->easy, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(t->easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->why);
	if (t->request->unix_socket)
		curl_easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH,
				 t->request->unix_socket);
	set_tls(t->easy);
	if (trusting) {
		curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (t->request->post)
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->request->post);
	curl_multi_add_handle(multi, t->easy);
}

/* As much of an answer as an error shows, without the ends of lines. */
static int text_len(const struct buf *body)
{
	const char *text = buf_str(body);
	size_t n = strnlen(text, 300);
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	return (int)n;
}

static void finish(struct transfer *t, CURLcode code)
{
	struct err *e = &t->request->error;
	long status = 0, system_error = 0;
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &system_error);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		err_set(e, ERR_IO, "Get \"%s\": no answer within %d s", t->url,
			t->request->timeout_s + GRACE_S);
	else if (t->request->body.failed == ERR_LIMIT)
		err_set(e, ERR_LIMIT, "Get \"%s\": more than %zu bytes", t->url,
			body_max);
	else if (code == CURLE_COULDNT_CONNECT && t->request->unix_socket)
		err_set(e, ERR_IO, "connect to socket %s: %s",
			t->request->unix_socket, strerror((int)system_error));
	else if (code != CURLE_OK)
		err_set(e, ERR_IO, "Get \"%s\": %s", t->url,
			*t->why ? t->why : curl_easy_strerror(code));
	else if (status == 200)
		return;
	else if (t->is_pprof_text && t->has_text_type)
		err_set(e, ERR_IO, "server response: %s - %.*s", t->status,
			text_len(&t->request->body),
			buf_str(&t->request->body));
	else
		err_set(e, ERR_IO, "server response: %s", t->status);
}

void http_run(struct http_request *requests, size_t n)
{
	static bool initialised;
	if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT))
		die("libcurl does not start");
	initialised = true;
	CURLM *multi = curl_multi_init();
	if (!multi)
		die("out of memory");
	struct transfer *transfers = xcalloc(n, sizeof(*transfers));
	for (size_t i = 0; i < n; i++) {
		transfers[i].request = &requests[i];
		start(&transfers[i], multi);
	}
	int running = 1;
	while (running) {
		if (curl_multi_perform(multi, &running))
			die("libcurl: a transfer failed");
		if (running)
			curl_multi_poll(multi, NULL, 0, 200, NULL);
	}
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));) {
		struct transfer *t;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		finish(t, m->data.result);
	}
	for (size_t i = 0; i < n; i++) {
		curl_multi_remove_handle(multi, transfers[i].easy);
		curl_easy_cleanup(transfers[i].easy);
		free(transfers[i].url);
	}
	free(transfers);
	curl_multi_cleanup(multi);
}
