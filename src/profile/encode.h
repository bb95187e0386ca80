/*
 * encode.h - a profile as profile.proto bytes, plain or gzip.
 *
 * Ids are 1..n in order, string_table[0] is "", mapping 1 is the first
 * mapping: what Go, Parca and Pyroscope's Alloy require.
 */
#ifndef PROFLAB_PROFILE_ENCODE_H
#define PROFLAB_PROFILE_ENCODE_H

#include "base/sink.h"
#include "profile/profile.h"

enum profile_encoding {
	PROFILE_GZIP, /* level 1, as Go writes */
	PROFILE_PLAIN,
};

/*
 * Validate, encode, write to the sink in pieces.
 * Returns: 0; ERR_FORMAT (not valid: nothing was written); ERR_NOMEM; or the
 * sink's own error.
 */
int profile_encode(const struct profile *p, enum profile_encoding encoding,
		   const struct sink *sink, struct err *e);

#endif
