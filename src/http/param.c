/* param.c - parameters and the token, read as Go reads them. */
#include "http/request.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct lookup {
	const char *key;
	char *value;
	bool found;
};

static void lookup_set(struct lookup *l, const char *value)
{
	const size_t n = strnlen(value, HTTP_PARAM - 1);
	memcpy(l->value, value, n);
	l->value[n] = '\0';
	l->found = true;
}

/* By hand: the daemon's own look-up does not tell `Seconds` from `seconds`. */
static enum MHD_Result lookup_one(void *arg, enum MHD_ValueKind kind,
				  const char *key, const char *value)
{
	(void)kind;
	struct lookup *l = arg;
	if (strcmp(key, l->key) != 0)
		return MHD_YES;
	lookup_set(l, value ? value : "");
	return MHD_NO;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "a+b%20c" of n bytes into out, cut at its size. */
static void form_decode(const char *s, size_t n, char out[static HTTP_PARAM])
{
	size_t used = 0;
	for (size_t i = 0; i < n && used < HTTP_PARAM - 1; i++) {
		char c = s[i] == '+' ? ' ' : s[i];
		if (c == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 &&
		    hex_digit(s[i + 2]) >= 0) {
			c = (char)(hex_digit(s[i + 1]) * 16 +
				   hex_digit(s[i + 2]));
			i += 2;
		}
		out[used++] = c;
	}
	out[used] = '\0';
}

static void lookup_in_form(struct lookup *l, const struct buf *body)
{
	const char *s = buf_str(body), *end = s + body->len;
	while (s < end && !l->found) {
		const char *stop = memchr(s, '&', (size_t)(end - s));
		if (!stop)
			stop = end;
		const char *eq = memchr(s, '=', (size_t)(stop - s));
		char text[HTTP_PARAM];
		form_decode(s, (size_t)((eq ? eq : stop) - s), text);
		if (strcmp(text, l->key) == 0) {
			form_decode(eq ? eq + 1 : stop,
				    eq ? (size_t)(stop - eq - 1) : 0, text);
			lookup_set(l, text);
		}
		s = stop + 1;
	}
}

static bool body_is_form(struct http_request *r)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = MHD_lookup_connection_value(
		r->connection, MHD_HEADER_KIND, "Content-Type");
	return r->post && type &&
	       strncasecmp(type, form, sizeof(form) - 1) == 0;
}

bool http_param(struct http_request *r, const char *key,
		char value[static HTTP_PARAM])
{
	struct lookup l = { .key = key, .value = value };
	value[0] = '\0';
	if (body_is_form(r))
		lookup_in_form(&l, &r->body);
	if (!l.found)
		MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
					  lookup_one, &l);
	return l.found;
}

bool http_parse_int(const char *s, int64_t *ret_value)
{
	const char *digits = s + (*s == '-' || *s == '+');
	const size_t n = strspn(digits, "0123456789");
	*ret_value = 0;
	if (n == 0 || digits[n])
		return false;
	const int saved = errno;
	errno = 0;
	*ret_value = strtoll(s, NULL, 10);
	const bool fits = errno == 0;
	errno = saved;
	return fits;
}

int64_t http_param_int(struct http_request *r, const char *key)
{
	char value[HTTP_PARAM];
	int64_t n;
	http_param(r, key, value);
	http_parse_int(value, &n);
	return n;
}

/*
 * A page of another origin that the user looks at may send a POST to a
 * loopback server, and the browser says so.
 */
bool http_from_another_origin(struct http_request *r)
{
	const char *origin = MHD_lookup_connection_value(
		r->connection, MHD_HEADER_KIND, "Origin");
	const char *host = MHD_lookup_connection_value(r->connection,
						       MHD_HEADER_KIND, "Host");
	if (!origin)
		return false;
	const char *at = strstr(origin, "://");
	return !host || !at || strcmp(at + 3, host) != 0;
}

enum { TOKEN = 512 };

/* The file's first line.  Returns: its length, 0 when there is none, or one
 * that does not fit. */
static size_t read_token(const char *path, char token[static TOKEN])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, token, TOKEN - 1);
	close(fd);
	if (n <= 0)
		return 0;
	token[n] = '\0';
	const size_t len = strcspn(token, "\r\n");
	return len < TOKEN - 1 ? len : 0;
}

/* In a time that does not tell how much of it was right. */
static bool same_token(const char *given, const char *token, size_t len)
{
	const size_t n = strlen(given);
	unsigned char differ = n != len;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(token[i] ^ given[i < n ? i : n]);
	return differ == 0;
}

bool http_authorized(struct http_request *r)
{
	const char *file = r->http->options.token_file;
	if (!file)
		return true;
	char token[TOKEN];
	const size_t len = read_token(file, token);
	if (len == 0)
		return false; /* an empty file lets nobody in */
	const char *header = MHD_lookup_connection_value(
		r->connection, MHD_HEADER_KIND, "Authorization");
	if (header && strncasecmp(header, "Bearer ", 7) == 0)
		return same_token(header + 7 + strspn(header + 7, " "), token,
				  len);
	char *password = NULL;
	char *user =
		MHD_basic_auth_get_username_password(r->connection, &password);
	const bool right = user && password && same_token(password, token, len);
	MHD_free(user);
	MHD_free(password);
	return right;
}
