/*
 * collect_fetch.h - one answer of a server, into a file, until it is whole or
 * the one who asks is told to stop.
 */
#ifndef PROFLAB_TOOLS_COLLECT_FETCH_H
#define PROFLAB_TOOLS_COLLECT_FETCH_H

#include "base/err.h"
#include "tools/collect_options.h"

#include <stdbool.h>
#include <stdint.h>

enum fetch_result {
	FETCH_OK,
	FETCH_REFUSED,	   /* the server answered, and not with 200 */
	FETCH_UNREACHABLE, /* no connection, or no answer at all */
	FETCH_BROKEN,	   /* the answer ended early, or took too long */
	FETCH_STORAGE,	   /* it could not be written */
	FETCH_STOPPED,	   /* stop_fd became readable */
};

struct fetch_request {
	const char *url;
	const char *unix_socket; /* or NULL */
	const char *token;	 /* or NULL */
	int64_t timeout_ns;
	int fd;	     /* what is answered goes here */
	int stop_fd; /* -1: none.  It is not read */
	long status; /* result: of HTTP, 0 without an answer */
};

/*
 * One GET; redirections are not followed.  Blocks: at most timeout_ns.
 * e says what went wrong.
 */
enum fetch_result collect_fetch(const struct collect_options *o,
				struct fetch_request *r, struct err *e);

/*
 * The token in a file: its first line, without blanks around it.
 * Returns: memory of the caller's, or NULL with text (not readable; empty;
 * control characters in it).
 */
char *collect_read_token(const char *path, struct err *e);

#endif
