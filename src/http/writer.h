/*
 * writer.h - the thread that makes the replies that take long: symbolizing
 * and encoding.  One, because libpprof has one symbolizer; in order, so that
 * nobody starves.
 */
#ifndef PROFLAB_HTTP_WRITER_H
#define PROFLAB_HTTP_WRITER_H

struct http_request;
struct http_writer;

int http_writer_start(struct http_writer **ret_writer);
/* Run r->work in the thread, then resume r. */
void http_writer_add(struct http_writer *w, struct http_request *r);
/* When its queue is empty.  NULL is allowed. */
void http_writer_stop(struct http_writer *w);

#endif
