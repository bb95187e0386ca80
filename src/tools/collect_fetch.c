/* collect_fetch.c - see collect_fetch.h. */
#include "tools/collect_fetch.h"

#include "base/buf.h"
#include "base/sink.h"
#include "tools/die.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 5000, WORDS_MAX = 300 };
static const curl_off_t body_max = (curl_off_t)1 << 30;

struct transfer {
	struct fetch_request *request;
	CURL *easy;
	struct buf words; /* of an answer other than 200 */
	curl_off_t bytes;
	int write_errno;
	bool too_long, stopped;
};

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		const size_t room = WORDS_MAX - t->words.len;
		buf_append(&t->words, data, n < room ? n : room);
		return size * n;
	}
	t->bytes += (curl_off_t)n;
	t->too_long = t->bytes > body_max;
	const struct sink sink = sink_fd(&t->request->fd);
	if (t->too_long)
		return 0;
	if (!sink_write(&sink, data, n))
		return size * n;
	t->write_errno = errno ? errno : EIO;
	return 0;
}

static void set_up(struct transfer *t, const struct collect_options *o)
{
	const struct fetch_request *r = t->request;
	CURL *c = t->easy;
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* Loopback and sockets are not reached through a proxy. */
	if (r->unix_socket) {
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	}
	curl_easy_setopt(c, CURLOPT_USERAGENT, "proflab-collect");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
			 (long)(r->timeout_ns / 1000000));
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	if (r->token) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, r->token);
	}
	if (o->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
	if (o->insecure) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* Returns: what libcurl says of the transfer. */
static CURLcode perform(struct transfer *t, CURLM *multi)
{
	struct curl_waitfd stop = { .fd = t->request->stop_fd,
				    .events = CURL_WAIT_POLLIN };
	int running = 1, left;
	while (running && !t->stopped) {
		if (curl_multi_perform(multi, &running))
			die("libcurl: a transfer failed");
		if (!running)
			break;
		stop.revents = 0;
		curl_multi_poll(multi, &stop, stop.fd >= 0, 60000, NULL);
		t->stopped = stop.revents != 0;
	}
	const CURLMsg *m = curl_multi_info_read(multi, &left);
	return m && m->msg == CURLMSG_DONE ? m->data.result : CURLE_OK;
}

static enum fetch_result judge(struct transfer *t, CURLcode code, struct err *e)
{
	struct fetch_request *r = t->request;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &r->status);
	if (t->stopped) {
		err_set(e, ERR_CANCELLED, "stopped");
		return FETCH_STOPPED;
	}
	if (t->write_errno) {
		err_set(e, ERR_IO, "it cannot be written: %s",
			strerror(t->write_errno));
		return FETCH_STORAGE;
	}
	if (t->too_long) {
		err_set(e, ERR_LIMIT, "more than 1 GiB");
		return FETCH_BROKEN;
	}
	if (code != CURLE_OK) {
		err_set(e, ERR_IO, "%s: %s", r->url, curl_easy_strerror(code));
		return r->status ? FETCH_BROKEN : FETCH_UNREACHABLE;
	}
	if (r->status == 200)
		return FETCH_OK;
	const char *words = buf_str(&t->words);
	err_set(e, ERR_IO, "%s: status %ld%s%.*s", r->url, r->status,
		*words ? ", " : "", (int)strcspn(words, "\r\n"), words);
	return FETCH_REFUSED;
}

enum fetch_result collect_fetch(const struct collect_options *o,
				struct fetch_request *r, struct err *e)
{
	struct transfer t = { .request = r, .words = { .cap = WORDS_MAX + 1 } };
	CURLM *multi = curl_multi_init();
	t.easy = curl_easy_init();
	if (!multi || !t.easy)
		die("out of memory");
	set_up(&t, o);
	curl_multi_add_handle(multi, t.easy);
	const CURLcode code = perform(&t, multi);
	const enum fetch_result result = judge(&t, code, e);
	curl_multi_remove_handle(multi, t.easy);
	curl_easy_cleanup(t.easy);
	curl_multi_cleanup(multi);
	buf_free(&t.words);
	return result;
}

char *collect_read_token(const char *path, struct err *e)
{
	char line[4096] = "";
	FILE *f = fopen(path, "re");
	if (!f || (!fgets(line, sizeof(line), f) && ferror(f))) {
		err_set(e, ERR_IO, "-token-file %s: %s", path, strerror(errno));
		if (f)
			fclose(f);
		return NULL;
	}
	fclose(f);
	char *start = line + strspn(line, " \t");
	start[strcspn(start, " \t\r\n")] = '\0';
	for (const char *s = start; *s; s++)
		if (*s < 0x21 || *s > 0x7e)
			*start = '\0';
	if (*start)
		return xstrdup(start);
	err_set(e, ERR_INVALID,
		"-token-file %s: its first line must be a token", path);
	return NULL;
}
