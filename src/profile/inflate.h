/*
 * inflate.h - gunzip into memory, of many members, up to a cap.
 */
#ifndef PROFLAB_PROFILE_INFLATE_H
#define PROFLAB_PROFILE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Does it begin as gzip does? */
static inline bool inflate_is_gzip(const uint8_t *data, size_t len)
{
	return len >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/*
 * Owns: the caller frees *ret_data.
 * Returns: 0; ERR_FORMAT with what is wrong and at which byte of the gzip
 * data; ERR_LIMIT when more than max bytes come out; ERR_NOMEM.
 */
int inflate_gzip(const uint8_t *data, size_t len, size_t max,
		 uint8_t **ret_data, size_t *ret_len, struct err *e);

#endif
