/* decode.c - see decode.h. */
#include "profile/decode.h"

#include "base/buf.h"
#include "base/err.h"
#include "profile/decode_proto.h"
#include "profile/inflate.h"
#include "profile/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t or_default(size_t value, size_t fallback)
{
	return value ? value : fallback;
}

static size_t max_inflated(const struct profile_decode_options *o)
{
	return or_default(o ? o->max_inflated : 0, (size_t)1 << 30);
}

static int decode_plain(struct profile *p, const uint8_t *data, size_t len,
			struct err *e)
{
	if (!len)
		return err_set(e, ERR_FORMAT,
			       "parsing profile: empty input file");
	bool is_proto;
	return decode_proto(p, data, len, &is_proto, e);
}

int profile_decode(const void *data, size_t len,
		   const struct profile_decode_options *options,
		   struct profile **ret_profile, struct err *e)
{
	uint8_t *inflated = NULL;
	struct profile *p = NULL;
	int rc = 0;
	if (inflate_is_gzip(data, len)) {
		rc = inflate_gzip(data, len, max_inflated(options), &inflated,
				  &len, e);
		if (rc)
			return rc;
		data = inflated;
	} else if (len > max_inflated(options)) {
		return err_set(e, ERR_LIMIT,
			       "the profile has %zu bytes, the limit is %zu",
			       len, max_inflated(options));
	}
	p = profile_new();
	if (!p) {
		rc = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	p->priv->max =
		or_default(options ? options->max_memory : 0, (size_t)4 << 30);
	rc = decode_plain(p, data, len, e);
	if (rc)
		goto out;
	p->priv->max = 0; /* the budget was the file's: not its owner's */
	*ret_profile = p;
	p = NULL;
out:
	profile_free(p);
	free(inflated);
	return rc;
}

/* Everything that fd gives, up to the buffer's cap. */
static int read_all(int fd, struct buf *b)
{
	struct stat st;
	size_t piece = 64 << 10;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (size_t)st.st_size < b->cap - 2)
		piece = (size_t)st.st_size + 1; /* and the end is seen */
	for (;;) {
		int rc = buf_reserve(b, piece);
		if (rc)
			return rc;
		const ssize_t n = read(fd, b->data + b->len, piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (!n)
			return 0;
		b->len += (size_t)n;
		if (piece > 64 << 10 && b->size - b->len - 1 >= 64 << 10)
			continue;
		piece = 64 << 10;
	}
}

int profile_decode_file(const char *path,
			const struct profile_decode_options *options,
			struct profile **ret_profile, struct err *e)
{
	const bool is_stdin = !strcmp(path, "-");
	struct buf b = { .cap = max_inflated(options) + (128 << 10) };
	const int fd =
		is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "open %s: %s", path, strerror(errno));
	int rc = read_all(fd, &b);
	const int why = errno;
	if (!is_stdin)
		close(fd);
	errno = why;
	if (rc == ERR_IO)
		err_set(e, rc, "read %s: %s", path, strerror(why));
	else if (rc)
		err_set(e, rc, "%s: %s", path,
			rc == ERR_LIMIT ? "too large" : "out of memory");
	else
		rc = profile_decode(b.data, b.len, options, ret_profile, e);
	buf_free(&b);
	return rc;
}
