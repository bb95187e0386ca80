/* sink.c - see sink.h. */
#include "base/sink.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <unistd.h>

int sink_write(const struct sink *s, const void *data, size_t len)
{
	return len ? s->write(s->arg, data, len) : 0;
}

static int write_fd(void *arg, const void *data, size_t len)
{
	const int fd = *(const int *)arg;
	const char *p = data;
	while (len) {
		const ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

struct sink sink_fd(int *fd)
{
	return (struct sink){ .write = write_fd, .arg = fd };
}

static int write_buf(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

struct sink sink_buf(struct buf *b)
{
	return (struct sink){ .write = write_buf, .arg = b };
}
