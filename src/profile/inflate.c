/* inflate.c - see inflate.h. */
#include "profile/inflate.h"

#include "base/err.h"
#include "profile/block.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct output {
	uint8_t *data;
	size_t len, size, max;
};

static int grow(struct output *o, size_t first_guess)
{
	/* One byte past the cap tells a bomb from what just fits. */
	const size_t most = o->max < SIZE_MAX ? o->max + 1 : o->max;
	size_t size = o->size ? o->size * 2 : first_guess;
	if (size > most || size < o->size)
		size = most;
	uint8_t *grown = block_resize(o->data, size);
	if (!grown)
		return ERR_NOMEM;
	o->data = grown;
	o->size = size;
	return 0;
}

/*
 * The last four bytes say how long the last member is, modulo 2^32: good as a
 * first guess where it is believable, for deflate never packs more than 1032
 * bytes into one.
 */
static size_t guess(const uint8_t *data, size_t len)
{
	size_t said = 0;
	for (size_t i = 0; i < 4 && len >= 18; i++)
		said |= (size_t)data[len - 4 + i] << (8 * i);
	return said / 1032 <= len ? said + 64 : len * 4 + 64;
}

static int inflate_error(const z_stream *z, int code, size_t at, struct err *e)
{
	switch (code) {
	case Z_MEM_ERROR:
		return err_set(e, ERR_NOMEM, "out of memory");
	case Z_BUF_ERROR:
		return err_set(e, ERR_FORMAT,
			       "decompressing profile: unexpected EOF at byte "
			       "%zu",
			       at);
	default:
		return err_set(e, ERR_FORMAT,
			       "decompressing profile: gzip: %s at byte %zu",
			       z->msg ? z->msg : "invalid header", at);
	}
}

/* z reads at most UINT_MAX bytes at once, so both ends are fed in pieces. */
static int run(z_stream *z, const uint8_t *data, size_t len, struct output *o,
	       struct err *e)
{
	const size_t piece = 1u << 30;
	size_t fed = 0;
	z->next_in = (Bytef *)(uintptr_t)data;
	for (;;) {
		if (!z->avail_in) {
			const size_t n = len - fed < piece ? len - fed : piece;
			z->avail_in = (uInt)n;
			fed += n;
		}
		if (o->len == o->size && grow(o, guess(data, len)))
			return err_set(e, ERR_NOMEM, "out of memory");
		const size_t room = o->size - o->len;
		const uInt avail = (uInt)(room < piece ? room : piece);
		z->next_out = o->data + o->len;
		z->avail_out = avail;
		int rc = inflate(z, Z_NO_FLUSH);
		o->len += avail - z->avail_out;
		if (o->len > o->max)
			return err_set(e, ERR_LIMIT,
				       "decompressing profile: more than %zu "
				       "bytes come out of %zu, the limit",
				       o->max, len);
		const size_t at = fed - z->avail_in;
		if (rc == Z_STREAM_END) {
			if (at == len)
				return 0;
			rc = inflateReset(z);
		}
		/* No progress is an error only when there is no more input. */
		if (rc == Z_BUF_ERROR && at < len)
			rc = Z_OK;
		if (rc == Z_OK && at == len && z->avail_out)
			rc = Z_BUF_ERROR;
		if (rc != Z_OK)
			return inflate_error(z, rc, at, e);
	}
}

int inflate_gzip(const uint8_t *data, size_t len, size_t max,
		 uint8_t **ret_data, size_t *ret_len, struct err *e)
{
	z_stream z = { 0 };
	struct output o = { .max = max };
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return err_set(e, ERR_NOMEM, "out of memory");
	const int rc = run(&z, data, len, &o, e);
	inflateEnd(&z);
	if (rc) {
		free(o.data);
		return rc;
	}
	*ret_data = o.data;
	*ret_len = o.len;
	return 0;
}
