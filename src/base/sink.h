/*
 * sink.h - where bytes go: one encoder serves a file, a socket, a test.
 */
#ifndef PROFLAB_BASE_SINK_H
#define PROFLAB_BASE_SINK_H

#include <stddef.h>

struct buf;

/*
 * write takes all len bytes, or returns a negative error code (err.h), after
 * which it is not called again.
 */
struct sink {
	int (*write)(void *arg, const void *data, size_t len);
	void *arg;
};

/* Returns: 0 or what the sink's write returned. */
int sink_write(const struct sink *s, const void *data, size_t len);

/* A sink that writes to *fd, whole, over EINTR.  *fd must outlive the sink. */
struct sink sink_fd(int *fd);

/* A sink that appends to b, within its cap. */
struct sink sink_buf(struct buf *b);

#endif
