/* reader_gunzip.c - see reader_gunzip.h. */
#include "tools/reader_gunzip.h"

#include "profile/block.h"
#include "profile/inflate.h"

#include <libdeflate.h>
#include <stdlib.h>

/* Header, an empty block, checksum and length. */
enum { SHORTEST = 20, EXPANSION_MAX = 1032, FLAG_HEADER_SUM = 2 };

/* What the last member says of its own length, modulo 2^32. */
static size_t said_length(const uint8_t *data, size_t len)
{
	size_t said = 0;
	for (size_t i = 0; i < 4; i++)
		said |= (size_t)data[len - 4 + i] << (8 * i);
	return said;
}

bool gunzip_at_once(const uint8_t *data, size_t len, size_t max,
		    uint8_t **ret_data, size_t *ret_len)
{
	const size_t said = len < SHORTEST ? 0 : said_length(data, len);
	/* Deflate never packs more than 1032 bytes into one. */
	if (!said || said > max || said / EXPANSION_MAX > len)
		return false;
	/* libdeflate would not look at it. */
	if (data[3] & FLAG_HEADER_SUM)
		return false;
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	uint8_t *out = d ? block_resize(NULL, said) : NULL;
	size_t taken = 0, made = 0;
	const bool whole =
		out &&
		libdeflate_gzip_decompress_ex(d, data, len, out, said, &taken,
					      &made) == LIBDEFLATE_SUCCESS &&
		taken == len && made == said;
	if (d)
		libdeflate_free_decompressor(d);
	if (!whole) {
		free(out);
		return false;
	}
	*ret_data = out;
	*ret_len = made;
	return true;
}

int gunzip(const uint8_t *data, size_t len, size_t max, uint8_t **ret_data,
	   size_t *ret_len, struct err *e)
{
	if (gunzip_at_once(data, len, max, ret_data, ret_len))
		return 0;
	return inflate_gzip(data, len, max, ret_data, ret_len, e);
}
