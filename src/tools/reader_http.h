/*
 * reader_http.h - asking servers, several at once, with libcurl.
 */
#ifndef PROFLAB_TOOLS_READER_HTTP_H
#define PROFLAB_TOOLS_READER_HTTP_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct http_request {
	const char *url;	 /* also https+insecure:, which trusts anyone */
	const char *unix_socket; /* where the server listens, or NULL */
	int timeout_s;		 /* until the answer begins */
	const char *post;	 /* body, or NULL for a GET */
	/* answers */
	struct buf body;  /* owned: buf_free */
	struct err error; /* "" = it went well */
};

/* Files of PEM for https, "" or NULL = none: who we are, and whom we trust. */
struct http_tls {
	const char *cert, *key, *ca;
};
/* For all requests from now on; the texts must stay. */
void http_use_tls(const struct http_tls *tls);

/* Run all, until each has its answer or error. */
void http_run(struct http_request *requests, size_t n);

#endif
