/*
 * request.h - inside libpprof-http: one request, from its first line to its
 * answer, and who works on it.
 *
 * A request is handled in the daemon's thread.  What takes long leaves it:
 * the connection is suspended, and the request belongs to the capture thread
 * (capture.h: it waits for the end of a window or for a hang-up) or to the
 * writer thread (writer.h: it symbolizes and encodes), until http_resume
 * gives it back.  At every moment it has one owner, so it needs no lock.
 */
#ifndef PROFLAB_HTTP_REQUEST_H
#define PROFLAB_HTTP_REQUEST_H

#include "base/buf.h"
#include "http/own_fd.h"
#include "http/pprof_http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct http_request;
struct pprof_capture;
struct pprof_profile;

/* What the daemon's thread does when a route has run. */
enum http_next {
	HTTP_REPLY,   /* the reply is made */
	HTTP_WRITE,   /* request->work makes it, in the writer thread */
	HTTP_CAPTURE, /* request->window says what to wait for */
};

enum http_method {
	HTTP_GET = 1, /* and HEAD: the daemon leaves the body out */
	HTTP_POST = 2,
};

/* A path below /debug/pprof/. */
struct http_route {
	const char *path;	 /* "profile"; "" is the index */
	const char *description; /* for the index; NULL: not listed there */
	unsigned methods;	 /* of enum http_method */
	size_t body_cap;	 /* a POST body longer than this is a 413 */
	enum http_next (*run)(struct http_request *r);
};

struct http_header {
	const char *name, *value;
};

struct http_reply {
	unsigned status;
	const char *content_type;
	const char *header, *header_value; /* one more, or NULL */
	const struct http_header *headers; /* still more; they outlive it */
	size_t n_headers;
	char filename[96]; /* of Content-Disposition; "": none */
	bool nosniff;
	bool error; /* X-Go-Pprof: 1, which Go's client looks for */
	struct buf body;
};

enum { HTTP_REASON = 512 }; /* of a failure in libpprof, in words */

/* A window that somebody waits for. */
struct http_window {
	const char *name; /* "profile", "wall", "heap", ... */
	int hz;		  /* 0: the default */
	int64_t length_ns, deadline_ns;
	struct pprof_capture *capture; /* owned; NULL until it has started */
	int fd;			       /* of the connection, to see a hang-up */
};

struct http_request {
	struct pprof_http *http;
	struct MHD_Connection *connection;
	const struct http_route *route;
	char name[80]; /* the path below /debug/pprof/ */
	bool post;
	bool decided; /* the reply was made before the body came */
	bool ready;   /* back from a thread, with its reply made */
	bool gone;    /* the client hung up: close, answer nothing */
	struct buf body;

	struct pprof_profile *profile;
	int debug;
	int64_t min_age_ns;
	bool gc;
	struct http_window window;
	void (*work)(struct http_request *r);
	void (*then)(struct http_request *r); /* for ui.c: after work */

	struct http_request *next; /* in the list of its owner */
	struct http_reply reply;
};

struct http_captures;
struct http_writer;

struct pprof_http {
	struct pprof_http_options options; /* strings owned, defaults set */
	struct http_captures *captures;
	struct http_writer *writer;
	struct MHD_Daemon *daemon; /* NULL when embedded */
	struct listener *listener;
	struct own_fd listening; /* inode 0: embedded */
	char *url;
	struct http_ui *ui; /* the writer thread's; NULL until it is used */

	pthread_mutex_t lock; /* guards the next three */
	pthread_cond_t changed;
	unsigned suspended;
	unsigned open; /* requests begun and not completed */
	bool draining;

	/* Counters: relaxed, read by pprof_http_get_stats alone. */
	atomic_uint_fast64_t requests, errors, hangups;
};

/* ---- replies (reply.c) ---- */

/* Forget what was put into the reply so far; status and type are set. */
void http_reply_begin(struct http_reply *reply, unsigned status,
		      const char *content_type);
/* Go's serveError: text, X-Go-Pprof, one line. */
void http_reply_error(struct http_reply *reply, unsigned status,
		      const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Thread: the daemon's.  Returns: MHD_YES or MHD_NO. */
int http_reply_queue(struct http_request *r);

/* ---- parameters (param.c) ---- */

enum { HTTP_PARAM = 64 };
/*
 * Go's FormValue: from a POST form first, then from the query; cut at its
 * size.  Returns: whether it is there at all.
 */
bool http_param(struct http_request *r, const char *key,
		char value[static HTTP_PARAM]);
/*
 * Go's ParseInt(s, 10, 64): an optional sign, then digits.  *ret_value is 0
 * when it is not a number, and the nearest number when it is out of range.
 */
bool http_parse_int(const char *s, int64_t *ret_value);
/* Go's Atoi with its error ignored. */
int64_t http_param_int(struct http_request *r, const char *key);
/* Was it sent by a page that came from another host? */
bool http_from_another_origin(struct http_request *r);
/* Does the request carry the token that options.token_file holds? */
bool http_authorized(struct http_request *r);

/* ---- routes (route.c, index.c, symbol.c, rates.c) ---- */

/* The route of a path below /debug/pprof/; any other name is a profile's. */
const struct http_route *http_route_find(const char *path);
/* The i-th row of the table, or NULL past the last. */
const struct http_route *http_route_at(size_t i);
enum http_next http_index(struct http_request *r);
enum http_next http_symbol(struct http_request *r);
enum http_next http_rates(struct http_request *r);
/* malloc_trim, counted. */
void http_trim(void);

/* ---- descriptors (http.c) ---- */

/*
 * Has the program closed our descriptors, or some of them?  Then no request
 * comes any more, and the daemon must not be touched: it would wait on, write
 * to and close what is the program's by now.
 */
bool http_lost(const struct pprof_http *h);

/*
 * Is one of ours from first to last?  Where there is no end to the range,
 * probably: connections have any number.
 */
bool http_holds(const struct pprof_http *h, unsigned first, unsigned last);

/* ---- hand-over (request.c) ---- */

/*
 * The request is answered: back to the daemon's thread.  It may be freed
 * before this returns.  Thread: its owner's.
 */
void http_resume(struct http_request *r);

/* Write a profile into the reply's body. */
struct pprof_writer;
struct pprof_writer http_body_writer(struct http_request *r);

#endif
