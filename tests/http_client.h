/*
 * http_client.h - a plain HTTP client for tests: it sends exactly the bytes it
 * is given and bounds every wait.  Failures end the test by ck_abort.
 */
#ifndef PROFLAB_TESTS_HTTP_CLIENT_H
#define PROFLAB_TESTS_HTTP_CLIENT_H

#include <stddef.h>

enum { CLIENT_SECONDS = 20 };

struct client_reply {
	int status; /* 0: the connection was closed without an answer */
	char *head; /* owned; the lines of the header, CRLF and all */
	char *body; /* owned, NUL after it */
	size_t len;
};

/* Of "http://127.0.0.1:PORT/..." or "unix:PATH". */
int client_connect(const char *url);
void client_send(int fd, const char *bytes, size_t len);
void client_send_text(int fd, const char *text);
/* One answer, by its Content-Length; none after a HEAD. */
struct client_reply client_read(int fd, int head_only);
/* Connect, "METHOD path HTTP/1.1" with more header lines ("A: b\r\n" or ""),
 * a body or NULL; read; close. */
struct client_reply client_ask(const char *url, const char *method,
			       const char *path, const char *headers,
			       const char *body);
void client_reply_free(struct client_reply *r);
/* The value of a header in value, or "" when there is none; and how often. */
int client_header(const struct client_reply *r, const char *name,
		  char value[static 256]);

#endif
