/* eh_ranges.c - see eh_ranges.h.  The formats: LSB Core, chapter 10.6. */
#include "symbol/eh_ranges.h"

#include "base/err.h"
#include "symbol/elf_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
	ENC_UDATA4 = 0x03,
	ENC_SDATA4 = 0x0b,
	ENC_PCREL_SDATA4 = 0x1b,
	ENC_DATAREL_SDATA4 = 0x3b,
	HDR_BYTES = 12, /* version, three encodings, .eh_frame, count */
};

/* A run of bytes that is read from the front; failing, it stays empty. */
struct reader {
	const uint8_t *p, *end;
	bool failed;
};

static uint64_t take(struct reader *r, size_t n)
{
	uint64_t v = 0;
	if ((size_t)(r->end - r->p) < n) {
		r->failed = true;
		r->p = r->end;
		return 0;
	}
	memcpy(&v, r->p, n); /* little-endian, as is the host */
	r->p += n;
	return v;
}

static uint64_t take_leb(struct reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint64_t b = take(r, 1);
		v |= (b & 0x7f) << shift;
		if (!(b & 0x80))
			break;
	}
	return v;
}

static int64_t signed32(uint64_t v)
{
	return (int32_t)(uint32_t)v;
}

/* The encoding of an FDE's addresses, from its CIE; -1 = not understood. */
static int fde_encoding(struct reader cie)
{
	take(&cie, 4); /* length */
	if (take(&cie, 4) != 0)
		return -1; /* not a CIE */
	const uint64_t version = take(&cie, 1);
	const char *aug = (const char *)cie.p;
	const size_t n = strnlen(aug, (size_t)(cie.end - cie.p));
	take(&cie, n + 1);
	if (cie.failed || aug[0] != 'z')
		return -1;
	take_leb(&cie); /* code alignment */
	take_leb(&cie); /* data alignment */
	if (version == 1)
		take(&cie, 1);
	else
		take_leb(&cie);
	take_leb(&cie); /* length of what follows */
	for (size_t i = 1; i < n && !cie.failed; i++) {
		switch (aug[i]) {
		case 'R':
			return (int)take(&cie, 1);
		case 'L':
			take(&cie, 1);
			break;
		case 'P': {
			const uint64_t low = take(&cie, 1) & 0x0f;
			if (low != ENC_UDATA4 && low != ENC_SDATA4)
				return -1;
			take(&cie, 4);
			break;
		}
		case 'S':
		case 'B':
			break;
		default:
			return -1;
		}
	}
	return -1;
}

/* How long is the function whose FDE is at `at` in .eh_frame? */
static bool read_fde(const uint8_t *frame, size_t len, uint64_t at,
		     uint64_t *ret_size)
{
	if (at >= len)
		return false;
	struct reader r = { .p = frame + at, .end = frame + len };
	const uint64_t length = take(&r, 4);
	const uint64_t back = take(&r, 4);
	/* The CIE lies that far before the field. */
	if (r.failed || length == 0 || length == UINT32_MAX || back == 0 ||
	    back > at + 4)
		return false;
	const struct reader cie = { .p = frame + (at + 4 - back),
				    .end = frame + len };
	if (fde_encoding(cie) != ENC_PCREL_SDATA4)
		return false;
	take(&r, 4); /* the address, which the table gave */
	*ret_size = take(&r, 4);
	return !r.failed;
}

int eh_ranges_find(const struct elf_file *f, uint64_t addr, uint64_t *ret_start,
		   uint64_t *ret_limit)
{
	GElf_Shdr hs, fs;
	size_t hdr_len, frame_len;
	const uint8_t *hdr = elf_file_bytes(
		elf_file_section(f, ".eh_frame_hdr", &hs), &hdr_len);
	const uint8_t *frame = elf_file_bytes(
		elf_file_section(f, ".eh_frame", &fs), &frame_len);
	if (!hdr || !frame || hdr_len < HDR_BYTES || hdr[0] != 1 ||
	    hdr[1] != ENC_PCREL_SDATA4 || hdr[2] != ENC_UDATA4 ||
	    hdr[3] != ENC_DATAREL_SDATA4)
		return ERR_NOTFOUND;
	struct reader r = { .p = hdr + 8, .end = hdr + hdr_len };
	const uint64_t count = take(&r, 4);
	const uint8_t *table = r.p;
	if (count > (size_t)(r.end - r.p) / 8)
		return ERR_NOTFOUND;
	uint64_t low = 0, high = count;
	while (low < high) {
		const uint64_t mid = low + (high - low) / 2;
		struct reader e = { .p = table + 8 * mid, .end = r.end };
		if (hs.sh_addr + (uint64_t)signed32(take(&e, 4)) <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return ERR_NOTFOUND;
	struct reader e = { .p = table + 8 * (low - 1), .end = r.end };
	const uint64_t start = hs.sh_addr + (uint64_t)signed32(take(&e, 4));
	const uint64_t fde = hs.sh_addr + (uint64_t)signed32(take(&e, 4));
	uint64_t size;
	if (!read_fde(frame, frame_len, fde - fs.sh_addr, &size) ||
	    addr - start >= size)
		return ERR_NOTFOUND;
	*ret_start = start;
	*ret_limit = start + size;
	return 0;
}
