/*
 * decode.h - profile.proto bytes, plain or gzip, to a profile; and the formats
 * from before it that `go tool pprof` still reads (legacy.h).
 *
 * Samples are streamed off the wire, in one pass over the inflated bytes, into
 * the columns; fields that profile.proto does not know are skipped.  Input
 * may be hostile: every length is checked, and what it can make us allocate
 * is capped.
 */
#ifndef PROFLAB_PROFILE_DECODE_H
#define PROFLAB_PROFILE_DECODE_H

#include "profile/profile.h"

struct profile_decode_options {
	size_t max_inflated; /* bytes after gunzip; 0 = 1 GiB */
	size_t max_memory;   /* bytes of the model; 0 = 4 GiB */
	/* Another gunzip than inflate_gzip (inflate.h), with its contract. */
	int (*gunzip)(const uint8_t *data, size_t len, size_t max,
		      uint8_t **ret_data, size_t *ret_len, struct err *e);
};

/*
 * Returns: 0 and a valid profile that the caller owns; ERR_FORMAT with what
 * is wrong and at which byte; ERR_LIMIT with the limit; ERR_NOMEM.
 * options may be NULL.
 */
int profile_decode(const void *data, size_t len,
		   const struct profile_decode_options *options,
		   struct profile **ret_profile, struct err *e);

/* The same from a file ("-" is standard input).  Also: ERR_IO. */
int profile_decode_file(const char *path,
			const struct profile_decode_options *options,
			struct profile **ret_profile, struct err *e);

#endif
