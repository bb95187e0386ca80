/*
 * reader_gunzip.h - gunzip for the reader, where half of the time of a large
 * profile's report was zlib's.
 */
#ifndef PROFLAB_TOOLS_READER_GUNZIP_H
#define PROFLAB_TOOLS_READER_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * By libdeflate, in one go: one member, as long as its last bytes say.
 * Owns: the caller frees *ret_data.
 * Returns: false for anything else, broken data too; nothing was kept.
 */
bool gunzip_at_once(const uint8_t *data, size_t len, size_t max,
		    uint8_t **ret_data, size_t *ret_len);

/* As inflate_gzip, which has the last word on whatever is not so simple. */
int gunzip(const uint8_t *data, size_t len, size_t max, uint8_t **ret_data,
	   size_t *ret_len, struct err *e);

#endif
