/* http_client.c - see http_client.h. */
#include "tests/http_client.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int client_connect(const char *url)
{
	int fd, rc;
	if (strncmp(url, "unix:", 5) == 0) {
		struct sockaddr_un sa = { .sun_family = AF_UNIX };
		snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", url + 5);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	} else {
		struct sockaddr_in sa = { .sin_family = AF_INET };
		const char *port = strrchr(url + 5, ':');
		ck_assert_ptr_nonnull(port);
		sa.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
		sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	}
	if (rc)
		ck_abort_msg("connect to %s: %s", url, strerror(errno));
	const struct timeval limit = { .tv_sec = CLIENT_SECONDS };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

void client_send(int fd, const char *bytes, size_t len)
{
	while (len) {
		const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return; /* the server has heard enough */
		ck_assert_msg(n > 0, "send: %s", strerror(errno));
		bytes += n;
		len -= (size_t)n;
	}
}

void client_send_text(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

/* Returns: 0 at the end. */
static ssize_t receive(int fd, char *to, size_t max)
{
	ssize_t n;
	/* With a limit on its time no system restarts it after a signal: the
	 * profiler under test may have asked this thread for its stack. */
	while ((n = recv(fd, to, max, 0)) < 0 && errno == EINTR)
		;
	if (n < 0 && errno == ECONNRESET)
		return 0;
	ck_assert_msg(n >= 0, "no answer within %d s: %s", CLIENT_SECONDS,
		      strerror(errno));
	return n;
}

struct client_reply client_read(int fd, int head_only)
{
	struct client_reply r = { 0 };
	char head[16384];
	size_t used = 0;
	/* Byte by byte, so that nothing of the next answer is taken. */
	while (used < sizeof(head) - 1 && receive(fd, head + used, 1) == 1) {
		head[++used] = '\0';
		if (used >= 4 && memcmp(head + used - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	head[used] = '\0';
	r.head = strdup(head);
	if (sscanf(head, "HTTP/1.%*d %d", &r.status) != 1)
		r.status = 0;
	char value[256];
	size_t len = 0;
	if (!head_only && r.status &&
	    client_header(&r, "Content-Length", value))
		len = strtoul(value, NULL, 10);
	r.body = calloc(1, len + 1);
	while (r.len < len) {
		const ssize_t n = receive(fd, r.body + r.len, len - r.len);
		if (n == 0)
			break;
		r.len += (size_t)n;
	}
	return r;
}

struct client_reply client_ask(const char *url, const char *method,
			       const char *path, const char *headers,
			       const char *body)
{
	char *text;
	const int n =
		body ? asprintf(&text,
				"%s %s HTTP/1.1\r\nHost: test\r\n%s"
				"Content-Length: %zu\r\n\r\n%s",
				method, path, headers, strlen(body), body)
		     : asprintf(&text, "%s %s HTTP/1.1\r\nHost: test\r\n%s\r\n",
				method, path, headers);
	ck_assert_int_gt(n, 0);
	const int fd = client_connect(url);
	client_send(fd, text, (size_t)n);
	free(text);
	const struct client_reply r =
		client_read(fd, strcmp(method, "HEAD") == 0);
	close(fd);
	return r;
}

void client_reply_free(struct client_reply *r)
{
	free(r->head);
	free(r->body);
	*r = (struct client_reply){ 0 };
}

int client_header(const struct client_reply *r, const char *name,
		  char value[static 256])
{
	int n = 0;
	value[0] = '\0';
	for (const char *s = strstr(r->head, "\r\n"); s;
	     s = strstr(s, "\r\n")) {
		s += 2;
		const size_t len = strlen(name);
		if (strncasecmp(s, name, len) != 0 || s[len] != ':')
			continue;
		if (!n++)
			snprintf(value, 256, "%.*s",
				 (int)strcspn(s + len + 2, "\r"), s + len + 2);
	}
	return n;
}
