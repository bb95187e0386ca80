/*
 * routes.h - what the server answers, as a table: a path, its parameters and
 * the function that makes the answer.
 */
#ifndef PROFLAB_SERVER_ROUTES_H
#define PROFLAB_SERVER_ROUTES_H

#include "server/params.h"

#include <stddef.h>

struct server;
struct buf;

/* Who runs the answer. */
enum route_where {
	ROUTE_HERE,    /* the daemon's thread: it neither waits nor computes */
	ROUTE_MONITOR, /* a thread that workloads never take */
	ROUTE_WORKER,  /* a worker, under the label `route` */
};

/* What stands beside a text. */
struct route_text {
	const char *type;
	const char *policy; /* of a page: Content-Security-Policy; or NULL */
};

struct route {
	const char *path;
	const char *description; /* NULL: not listed */
	enum route_where where;
	struct param params[PARAMS_MAX + 1];
	/*
	 * Fill answer (an object), with the values of params in their order.
	 * Returns: the HTTP status; at 400 and above answer says in `error`
	 * what was wrong.
	 */
	unsigned (*answer)(struct server *s, const struct param_value *values,
			   json_t *answer);
	/* The answer to DELETE; NULL: there is nothing to delete here. */
	unsigned (*remove)(struct server *s, const struct param_value *values,
			   json_t *answer);
	/* Instead of answer, for what is not JSON. */
	unsigned (*text)(struct server *s, struct buf *body,
			 struct route_text *ret_text);
};

/* The i-th route, or NULL past the last. */
const struct route *route_at(size_t i);
/* By path; NULL when there is none. */
const struct route *route_find(const char *path);
size_t route_index(const struct route *route);
/* How many there are: the index that stands for all other paths. */
size_t route_count(void);
/* ["/", "/cpu", ...], with /debug/pprof/ where it is on the same port. */
json_t *route_endpoints(const struct server *s);

#endif
