/*
 * capture.h - the thread that waits for the windows of all captures: it
 * starts each, ends it at its deadline or as soon as its client hangs up, and
 * passes it on to be written.  One thread for any number of them.
 */
#ifndef PROFLAB_HTTP_CAPTURE_H
#define PROFLAB_HTTP_CAPTURE_H

#include <stdbool.h>

struct http_captures;
struct http_request;
struct http_writer;

int http_captures_start(int max, struct http_writer *writer,
			struct http_captures **ret_captures);
/* Count one more in.  Returns: false when there are `max` already. */
bool http_captures_reserve(struct http_captures *c);
/* Count it out again: it is not added after all. */
void http_captures_cancel(struct http_captures *c);
/* Take over a suspended request that was counted in, r->window filled in. */
void http_captures_add(struct http_captures *c, struct http_request *r);
/* How many run now. */
int http_captures_count(struct http_captures *c);
/* End every window now, and each that comes later at once. */
void http_captures_end_all(struct http_captures *c);
/* Has the program closed what the thread waits on?  NULL: no. */
bool http_captures_lost(const struct http_captures *c);
/* Is what it waits on from first to last? */
bool http_captures_hold(const struct http_captures *c, unsigned first,
			unsigned last);
/* No request may be left, and nothing lost.  NULL is allowed. */
void http_captures_stop(struct http_captures *c);

#endif
