/* wire.c - see wire.h. */
#include "profile/wire.h"

#include <string.h>

static const uint8_t *fixed(const uint8_t *p, const uint8_t *end, size_t size,
			    struct wire_field *f)
{
	if ((size_t)(end - p) < size)
		return NULL;
	f->value = 0;
	for (size_t i = size; i--;)
		f->value = f->value << 8 | p[i];
	return p + size;
}

const uint8_t *wire_field(const uint8_t *p, const uint8_t *end,
			  struct wire_field *f, const char **ret_wrong)
{
	uint64_t key;
	f->at = p;
	*ret_wrong = "bad varint";
	p = wire_varint(p, end, &key);
	if (!p)
		return NULL;
	f->number = key >> 3;
	f->type = key & 7;
	switch (key & 7) {
	case WIRE_VARINT:
		return wire_varint(p, end, &f->value);
	case WIRE_FIXED64:
	case WIRE_FIXED32:
		*ret_wrong = "not enough data";
		return fixed(p, end, f->type == WIRE_FIXED64 ? 8 : 4, f);
	case WIRE_BYTES: {
		uint64_t len;
		p = wire_varint(p, end, &len);
		if (!p)
			return NULL;
		*ret_wrong = "too much data: a length passes the end";
		if (len > (uint64_t)(end - p))
			return NULL;
		f->data = p;
		f->end = p + len;
		return f->end;
	}
	default:
		*ret_wrong = "unknown wire type";
		return NULL;
	}
}
