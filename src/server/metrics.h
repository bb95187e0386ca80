/*
 * metrics.h - /metrics: the server's figures in Prometheus's text format
 * 0.0.4.
 */
#ifndef PROFLAB_SERVER_METRICS_H
#define PROFLAB_SERVER_METRICS_H

struct buf;
struct route_text;
struct server;

/*
 * Append everything to body.
 * Blocks: on the workloads' locks, for the sizes of their stores.
 * Returns: the HTTP status, with the text's type in *ret_text.
 */
unsigned metrics_write(struct server *s, struct buf *body,
		       struct route_text *ret_text);

#endif
