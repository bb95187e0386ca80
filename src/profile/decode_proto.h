/*
 * decode_proto.h - profile.proto bytes, plain, into an empty profile.  Not for
 * other folders: profile_decode is.
 */
#ifndef PROFLAB_PROFILE_DECODE_PROTO_H
#define PROFLAB_PROFILE_DECODE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct profile;

/*
 * p is new; after a failure it is only good for profile_free.
 * Returns: 0 and *p is valid; ERR_FORMAT, ERR_LIMIT, ERR_NOMEM.
 * *ret_is_proto: the bytes are no doubt profile.proto, whatever is wrong with
 * them, so no other format need be tried.
 */
int decode_proto(struct profile *p, const uint8_t *data, size_t len,
		 bool *ret_is_proto, struct err *e);

#endif
