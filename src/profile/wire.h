/*
 * wire.h - the protocol buffers' wire format: varints and fields.
 *
 * A varint is 7 bits a byte, lowest first, the top bit says that more follow;
 * at most 10 bytes, and bits past the 64th are lost, as in every reader.
 */
#ifndef PROFLAB_PROFILE_WIRE_H
#define PROFLAB_PROFILE_WIRE_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5,
};

enum { WIRE_VARINT_MAX = 10 };

struct wire_field {
	const uint8_t *at; /* its first byte, for error texts */
	uint64_t number;
	enum wire_type type;
	uint64_t value;		   /* of a varint or fixed field */
	const uint8_t *data, *end; /* of a bytes field */
};

/* The byte after the varint at p, or NULL when it is not whole before end. */
HOT_INLINE const uint8_t *wire_varint(const uint8_t *p, const uint8_t *end,
				      uint64_t *ret_value)
{
	/* Ids and values are mostly 1 to 3 bytes long. */
	if (LIKELY(end - p >= 3)) {
		if (p[0] < 0x80) {
			*ret_value = p[0];
			return p + 1;
		}
		if (p[1] < 0x80) {
			*ret_value = (p[0] & 0x7fu) | (uint64_t)p[1] << 7;
			return p + 2;
		}
		if (p[2] < 0x80) {
			*ret_value = (p[0] & 0x7fu) | (p[1] & 0x7fu) << 7 |
				     (uint64_t)p[2] << 14;
			return p + 3;
		}
	}
	uint64_t v = 0;
	for (unsigned int i = 0; i < WIRE_VARINT_MAX && p < end; i++, p++) {
		v |= (uint64_t)(*p & 0x7f) << (7 * i);
		if (*p < 0x80) {
			*ret_value = v;
			return p + 1;
		}
	}
	return NULL;
}

/*
 * The field at p; p < end.
 * Returns: the byte after it, or NULL with what is wrong in words.
 */
const uint8_t *wire_field(const uint8_t *p, const uint8_t *end,
			  struct wire_field *ret_field, const char **ret_wrong);

/* How many bytes the varint of v takes: 1 to 10. */
static inline size_t wire_varint_size(uint64_t v)
{
	const unsigned int bits = 64u - (unsigned int)__builtin_clzll(v | 1);
	return (bits * 9 + 64) / 64;
}

/* Write it; room for it is there.  Returns: the byte after it. */
static inline uint8_t *wire_put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

#endif
