/* reader_url.c - see reader_url.h. */
#include "tools/reader_url.h"

#include "base/buf.h"
#include "tools/die.h"
#include "tools/reader_number.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char cpu_profile[] = "/debug/pprof/profile";

static size_t scheme_len(const char *s)
{
	if (!isalpha((unsigned char)*s))
		return 0;
	size_t n = 1;
	while (isalnum((unsigned char)s[n]) || s[n] == '+' || s[n] == '-' ||
	       s[n] == '.')
		n++;
	return s[n] == ':' ? n : 0;
}

/* The parts of a URL that has a host; pointers into the text. */
struct url_parts {
	const char *host, *path, *query; /* query behind the '?', or NULL */
	size_t scheme_len, host_len, path_len, query_len;
};

static bool port_is_valid(const char *host, size_t len)
{
	bool in_port = false, valid = true;
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)host[i];
		if (c == ':' || c == ']') {
			in_port = c == ':';
			valid = true;
		} else if (in_port && !isdigit(c)) {
			valid = false;
		}
	}
	return valid;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(const char *s, size_t left)
{
	return left > 2 && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0;
}

/* Is each % the beginning of %xx? */
static bool escapes_are_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == '%' && !is_escape(s + i, len - i))
			return false;
	return true;
}

static bool has_control(const char *s)
{
	for (; *s && *s != '#'; s++)
		if (iscntrl((unsigned char)*s))
			return true;
	return false;
}

static bool split(const char *url, struct url_parts *u)
{
	*u = (struct url_parts){ .scheme_len = scheme_len(url) };
	if (!u->scheme_len || strncmp(url + u->scheme_len, "://", 3) != 0)
		return false;
	u->host = url + u->scheme_len + 3;
	u->host_len = strcspn(u->host, "/?#");
	u->path = u->host + u->host_len;
	u->path_len = strcspn(u->path, "?#");
	if (u->path[u->path_len] == '?') {
		u->query = u->path + u->path_len + 1;
		u->query_len = strcspn(u->query, "#");
	}
	return u->host_len && port_is_valid(u->host, u->host_len) &&
	       !memchr(u->host, ' ', u->host_len) && !has_control(url) &&
	       escapes_are_valid(u->path, u->path_len);
}

/* ---- escapes ------------------------------------------------------------- */

/* Bytes that may hold any, a NUL too. */
struct text {
	char *s; /* owned */
	size_t len;
};

/* %xx undone, and + where it is a blank. */
static struct text unescape(const char *s, size_t len, bool plus_is_blank)
{
	struct text t = { .s = xcalloc(len + 1, 1) };
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		if (c == '%' && is_escape(s + i, len - i)) {
			c = (char)(hex_digit(s[i + 1]) << 4 |
				   hex_digit(s[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		t.s[t.len++] = c;
	}
	return t;
}

/* Letters, digits, -_.~ and what else is plain stay. */
static void escape(struct buf *b, const struct text *t, const char *plain,
		   const char *blank)
{
	for (size_t i = 0; i < t->len; i++) {
		const unsigned char c = (unsigned char)t->s[i];
		if (isalnum(c) ||
		    (c && (strchr("-_.~", c) || strchr(plain, c))))
			buf_append_char(b, t->s[i]);
		else if (c == ' ')
			buf_append_str(b, blank);
		else
			buf_printf(b, "%%%02X", c);
	}
}

/* As it is, where all of it may stand in a URL. */
static void path_write(struct buf *b, const char *path, size_t len)
{
	size_t i = 0;
	while (i < len && (isalnum((unsigned char)path[i]) ||
			   strchr("-_.~/%!$&'()*+,;=:@[]", path[i])))
		i++;
	if (i == len) {
		buf_append(b, path, len);
		return;
	}
	struct text t = unescape(path, len, false);
	escape(b, &t, "$&+,/:;=@", "%20");
	free(t.s);
}

/* ---- queries: taken apart and put together again, sorted by key ---------- */

struct pair {
	struct text key, value;
	size_t at; /* keeps the order of equal keys */
};

struct query {
	struct pair *pairs;
	size_t n;
};

static void query_add(struct query *q, struct text key, struct text value)
{
	q->pairs = xrealloc(q->pairs, (q->n + 1) * sizeof(*q->pairs));
	q->pairs[q->n] = (struct pair){ key, value, q->n };
	q->n++;
}

/* As Go: a pair with a bad escape, or with a semicolon, is left out. */
static void query_parse(struct query *q, const char *s, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *amp = memchr(s + at, '&', len - at);
		const size_t n = amp ? (size_t)(amp - s) - at : len - at;
		const char *pair = s + at;
		const char *equals = memchr(pair, '=', n);
		const size_t k = equals ? (size_t)(equals - pair) : n;
		const size_t v = equals ? k + 1 : n;
		if (n && !memchr(pair, ';', n) && escapes_are_valid(pair, k) &&
		    escapes_are_valid(pair + v, n - v))
			query_add(q, unescape(pair, k, true),
				  unescape(pair + v, n - v, true));
		at += n + 1;
	}
}

static bool has_key(const struct pair *p, const char *key)
{
	return p->key.len == strlen(key) && !memcmp(p->key.s, key, p->key.len);
}

static const char *query_get(const struct query *q, const char *key)
{
	for (size_t i = 0; i < q->n; i++)
		if (has_key(&q->pairs[i], key))
			return q->pairs[i].value.s;
	return "";
}

static void pair_free(struct pair *p)
{
	free(p->key.s);
	free(p->value.s);
}

/* Replace all values of key by one. */
static void query_set(struct query *q, const char *key, const char *value)
{
	size_t n = 0;
	for (size_t i = 0; i < q->n; i++) {
		if (has_key(&q->pairs[i], key))
			pair_free(&q->pairs[i]);
		else
			q->pairs[n++] = q->pairs[i];
	}
	q->n = n;
	query_add(q, unescape(key, strlen(key), false),
		  unescape(value, strlen(value), false));
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	const size_t m = x->key.len, n = y->key.len;
	const int c = memcmp(x->key.s, y->key.s, m < n ? m : n);
	if (c || m != n)
		return c ? c : m < n ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static void query_write(struct query *q, struct buf *b)
{
	if (q->n)
		qsort(q->pairs, q->n, sizeof(*q->pairs), compare_pairs);
	for (size_t i = 0; i < q->n; i++) {
		buf_append_char(b, i ? '&' : '?');
		escape(b, &q->pairs[i].key, "", "+");
		buf_append_char(b, '=');
		escape(b, &q->pairs[i].value, "", "+");
		pair_free(&q->pairs[i]);
	}
	free(q->pairs);
}

static int wait_for(int seconds, int timeout_s, const struct query *q)
{
	if (timeout_s > 0)
		return timeout_s;
	int64_t n = seconds;
	if (n <= 0 && (number_parse_int(query_get(q, "seconds"), 10, &n) ||
		       n > INT32_MAX / 2))
		n = 0;
	return n > 0 ? (int)(n + n / 2) : 60;
}

/* "unix:PATH:/NAME": the path, and the URL that is asked for there. */
static char *split_socket(const char *source, char **ret_path)
{
	const char *path = source + strlen("unix:");
	path += strncmp(path, "//", 2) == 0 ? 2 : 0;
	const char *name = strstr(path, ":/");
	const size_t len = name ? (size_t)(name - path) : strlen(path);
	if (!len)
		return NULL;
	*ret_path = xasprintf("%.*s", (int)len, path);
	return xasprintf("http://localhost%s", name ? name + 1 : "");
}

char *url_adjust(const char *source, int seconds, int timeout_s,
		 int *ret_timeout_s, char **ret_socket)
{
	struct url_parts u;
	char *with_scheme = NULL, *result = NULL;
	*ret_socket = NULL;
	if (strncmp(source, "unix:", 5) == 0) {
		with_scheme = split_socket(source, ret_socket);
		if (!with_scheme || !split(with_scheme, &u))
			goto out;
		source = with_scheme;
	} else if (!split(source, &u)) {
		/* HOST:PORT/PATH reads as a scheme, or as none. */
		const size_t colon = strcspn(source, ":/");
		if (source[colon] != ':' ||
		    strncmp(source + colon, "://", 3) == 0 ||
		    strncmp(source, "file:", 5) == 0)
			return NULL;
		with_scheme = xasprintf("http://%s", source);
		if (!split(with_scheme, &u))
			goto out;
		source = with_scheme;
	}
	char text[32];
	struct query q = { 0 };
	query_parse(&q, u.query, u.query_len);
	*ret_timeout_s = wait_for(seconds, timeout_s, &q);
	snprintf(text, sizeof(text), "%d", seconds);
	if (seconds > 0)
		query_set(&q, "seconds", text);
	struct buf b = { 0 };
	buf_append(&b, source, (size_t)(u.path - source));
	if (u.path_len == 0 || (u.path_len == 1 && *u.path == '/'))
		buf_append_str(&b, cpu_profile);
	else
		path_write(&b, u.path, u.path_len);
	/* A question mark alone stays. */
	if (!q.n && u.query && !u.query_len)
		buf_append_char(&b, '?');
	query_write(&q, &b);
	result = xstrdup(buf_str(&b));
	buf_free(&b);
out:
	free(with_scheme);
	return result;
}

char *url_of_symbols(const char *url)
{
	struct url_parts u;
	static const char *const gperftools[] = {
		"/pprof/heap", "/pprof/growth", "/pprof/profile",
		"/pprof/pmuprofile", "/pprof/contention"
	};
	if (!split(url, &u))
		return NULL;
	bool beside = memmem(u.path, u.path_len, "/debug/pprof/", 13) != NULL;
	for (size_t i = 0; i < sizeof(gperftools) / sizeof(*gperftools); i++) {
		const size_t n = strlen(gperftools[i]);
		if (u.path_len >= n &&
		    !memcmp(u.path + u.path_len - n, gperftools[i], n))
			beside = true;
	}
	if (!beside)
		return xasprintf("%.*s/symbolz", (int)(u.path - url), url);
	size_t n = u.path_len;
	while (n && u.path[n - 1] != '/')
		n--;
	return xasprintf("%.*ssymbol", (int)((size_t)(u.path - url) + n), url);
}
