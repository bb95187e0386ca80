/*
 * cfi_entry.c - see cfi_entry.h.
 */
#include "pprof/cfi_entry.h"

#include <string.h>

uint64_t cfi_get_bytes(struct cfi_cursor *c, size_t n)
{
	uint64_t v = 0;
	if ((size_t)(c->end - c->at) < n) {
		c->at = c->end;
		return 0;
	}
	memcpy(&v, c->at, n);
	c->at += n;
	return v;
}

uint64_t cfi_get_uleb(struct cfi_cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; c->at < c->end; shift += 7) {
		const uint8_t b = *c->at++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			break;
	}
	return v;
}

int64_t cfi_get_sleb(struct cfi_cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b = 0;
	while (c->at < c->end) {
		b = *c->at++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (!(b & 0x80))
			break;
	}
	if (shift < 64 && (b & 0x40))
		v |= ~UINT64_C(0) << shift;
	return (int64_t)v;
}

void cfi_skip(struct cfi_cursor *c, uint64_t n)
{
	c->at +=
		n < (uint64_t)(c->end - c->at) ? n : (uint64_t)(c->end - c->at);
}

bool cfi_skip_pointer(struct cfi_cursor *c, uint8_t encoding)
{
	static const uint8_t sizes[16] = { 8, 0, 2, 4, 8, 0, 0, 0,
					   0, 0, 2, 4, 8, 0, 0, 0 };
	const uint8_t form = encoding & 0x0f;
	if ((encoding & 0x70) == 0x50)
		return false; /* aligned */
	if (form == 1 || form == 9)
		cfi_get_uleb(c);
	else if (sizes[form])
		cfi_skip(c, sizes[form]);
	else
		return false;
	return true;
}

bool cfi_open_entry(const uint8_t *entry, struct cfi_cursor *ret)
{
	struct cfi_cursor c = { entry, entry + 12 };
	uint64_t length = cfi_get_bytes(&c, 4);
	if (length == UINT32_MAX)
		length = cfi_get_bytes(&c, 8);
	*ret = (struct cfi_cursor){ c.at, c.at + length };
	return length > 4;
}

static bool read_augmentation(struct cfi_cursor *c, const char *letters,
			      struct cfi_cie *ret)
{
	if (letters[0] == '\0')
		return true;
	if (letters[0] != 'z')
		return false;
	ret->augmented = true;
	const uint64_t length = cfi_get_uleb(c);
	if (length > (uint64_t)(c->end - c->at))
		return false;
	struct cfi_cursor data = { c->at, c->at + length };
	cfi_skip(c, length);
	for (const char *l = letters + 1; *l; l++) {
		if (*l == 'R')
			ret->pointer = (uint8_t)cfi_get_bytes(&data, 1);
		else if (*l == 'L')
			cfi_skip(&data, 1);
		else if (*l == 'S')
			ret->is_signal = true;
		else if (*l == 'P') {
			const uint8_t how = (uint8_t)cfi_get_bytes(&data, 1);
			if (!cfi_skip_pointer(&data, how))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

bool cfi_read_cie(const uint8_t *entry, struct cfi_cie *ret)
{
	struct cfi_cursor c;
	*ret = (struct cfi_cie){ 0 };
	if (!cfi_open_entry(entry, &c) || cfi_get_bytes(&c, 4) != 0)
		return false;
	const uint8_t version = (uint8_t)cfi_get_bytes(&c, 1);
	const char *letters = (const char *)c.at;
	cfi_skip(&c, strnlen(letters, (size_t)(c.end - c.at)) + 1);
	if (version == 4)
		cfi_skip(&c, 2); /* sizes of an address and a segment */
	else if (version != 1 && version != 3)
		return false;
	ret->code_align = cfi_get_uleb(&c);
	ret->data_align = cfi_get_sleb(&c);
	ret->ra_column = version == 1 ? cfi_get_bytes(&c, 1) : cfi_get_uleb(&c);
	if (!read_augmentation(&c, letters, ret))
		return false;
	ret->program = c;
	return true;
}
