/* decode.c - see decode.h. */
#include "profile/decode.h"

#include "base/err.h"
#include "profile/block.h"
#include "profile/decode_proto.h"
#include "profile/inflate.h"
#include "profile/legacy.h"
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

static __typeof__(&inflate_gzip)
gunzip_by(const struct profile_decode_options *o)
{
	return o && o->gunzip ? o->gunzip : inflate_gzip;
}

/* An empty model with the file's budget. */
static struct profile *
new_budgeted(const struct profile_decode_options *options, struct err *e)
{
	struct profile *p = profile_new();
	if (p)
		p->priv->max = or_default(options ? options->max_memory : 0,
					  (size_t)4 << 30);
	else
		err_set(e, ERR_NOMEM, "out of memory");
	return p;
}

/* What is not profile.proto may be one of its forerunners. */
static int decode_legacy(const uint8_t *data, size_t len, const char *not_proto,
			 const struct profile_decode_options *options,
			 struct profile **ret_profile, struct err *e)
{
	struct profile *p = new_budgeted(options, e);
	if (!p)
		return ERR_NOMEM;
	const int rc = legacy_decode(p, data, len, e);
	if (!rc)
		*ret_profile = p;
	else
		profile_free(p);
	if (rc != LEGACY_OTHER)
		return rc;
	static const char prefix[] = "parsing profile: ";
	if (!strncmp(not_proto, prefix, sizeof(prefix) - 1))
		not_proto += sizeof(prefix) - 1;
	return err_set(e, ERR_FORMAT,
		       "parsing profile: unrecognized profile format (as "
		       "profile.proto: %s)",
		       not_proto);
}

/* The plain bytes into a profile; the budget is the file's, not its owner's. */
static int decode_budgeted(const uint8_t *data, size_t len,
			   const struct profile_decode_options *options,
			   struct profile **ret_profile, struct err *e)
{
	struct profile *p;
	bool is_proto;
	if (!len)
		return err_set(e, ERR_FORMAT,
			       "parsing profile: empty input file");
	p = new_budgeted(options, e);
	if (!p)
		return ERR_NOMEM;
	struct err wrong;
	int rc = decode_proto(p, data, len, &is_proto, &wrong);
	if (rc) {
		profile_free(p);
		p = NULL;
		rc = is_proto ? err_set(e, rc, "%s", wrong.text)
			      : decode_legacy(data, len, wrong.text, options,
					      &p, e);
	}
	if (rc)
		return rc;
	p->priv->max = 0;
	*ret_profile = p;
	return 0;
}

static int check_size(size_t len, const struct profile_decode_options *options,
		      struct err *e)
{
	const size_t max = max_inflated(options);
	if (len <= max)
		return 0;
	return err_set(e, ERR_LIMIT,
		       "the profile has %zu bytes, the limit is "
		       "%zu",
		       len, max);
}

int profile_decode(const void *data, size_t len,
		   const struct profile_decode_options *options,
		   struct profile **ret_profile, struct err *e)
{
	uint8_t *inflated = NULL;
	int rc;
	if (inflate_is_gzip(data, len)) {
		rc = gunzip_by(options)(data, len, max_inflated(options),
					&inflated, &len, e);
		data = inflated;
	} else {
		rc = check_size(len, options, e);
	}
	if (!rc)
		rc = decode_budgeted(data, len, options, ret_profile, e);
	free(inflated);
	return rc;
}

struct bytes {
	uint8_t *data;
	size_t len, size;
};

static int bytes_grow(struct bytes *b, size_t size)
{
	uint8_t *grown = block_resize(b->data, size);
	if (!grown)
		return ERR_NOMEM;
	b->data = grown;
	b->size = size;
	return 0;
}

/* Everything that fd gives, up to max bytes and one more. */
static int read_all(int fd, size_t max, struct bytes *b)
{
	struct stat st;
	size_t first = 64 << 10;
	/* One byte more than there is, so that the end is seen. */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		first = (size_t)st.st_size + 1;
	if (first > max)
		first = max < SIZE_MAX ? max + 1 : max;
	int rc = bytes_grow(b, first);
	while (!rc && b->len <= max) {
		if (b->len == b->size)
			rc = bytes_grow(b, b->size * 2);
		const ssize_t n =
			rc ? 0 : read(fd, b->data + b->len, b->size - b->len);
		if (!n)
			return rc;
		if (n > 0)
			b->len += (size_t)n;
		else if (errno != EINTR)
			rc = ERR_IO;
	}
	return rc;
}

static int read_file(const char *path, size_t max, struct bytes *b,
		     struct err *e)
{
	const bool is_stdin = !strcmp(path, "-");
	const int fd =
		is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "open %s: %s", path, strerror(errno));
	const int rc = read_all(fd, max, b);
	const int why = errno;
	if (!is_stdin)
		close(fd);
	errno = why;
	if (rc == ERR_IO)
		return err_set(e, rc, "read %s: %s", path, strerror(why));
	return rc ? err_set(e, rc, "out of memory") : 0;
}

int profile_decode_file(const char *path,
			const struct profile_decode_options *options,
			struct profile **ret_profile, struct err *e)
{
	const size_t max = max_inflated(options);
	struct bytes b = { 0 };
	int rc = read_file(path, max, &b, e);
	if (!rc && inflate_is_gzip(b.data, b.len)) {
		/* The packed bytes need not wait for the columns. */
		const struct bytes packed = b;
		b = (struct bytes){ 0 };
		rc = gunzip_by(options)(packed.data, packed.len, max, &b.data,
					&b.len, e);
		free(packed.data);
	}
	if (!rc)
		rc = check_size(b.len, options, e);
	if (!rc)
		rc = decode_budgeted(b.data, b.len, options, ret_profile, e);
	free(b.data);
	return rc;
}
