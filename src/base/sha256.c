/* sha256.c - see sha256.h. */
#include "base/sha256.h"

#include <string.h>

/* The first 32 bits of the fractions of the cube roots of 64 primes. */
static const uint32_t rounds[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void expand(const uint8_t *block, uint32_t w[static 64])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 |
		       (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (size_t i = 16; i < 64; i++) {
		const uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

static void take_block(uint32_t h[static 8], const uint8_t *block)
{
	uint32_t w[64], s[8];
	expand(block, w);
	memcpy(s, h, sizeof(s));
	for (size_t i = 0; i < 64; i++) {
		const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		const uint32_t majority =
			(s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		const uint32_t t1 =
			s[7] + choice + rounds[i] + w[i] +
			(rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25));
		const uint32_t t2 =
			majority +
			(rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22));
		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (size_t i = 0; i < 8; i++)
		h[i] += s[i];
}

void sha256(const void *data, size_t len, uint8_t hash[static SHA256_BYTES])
{
	/* The same of the square roots of eight primes. */
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	const uint8_t *at = data;
	size_t left = len;
	for (; left >= 64; left -= 64, at += 64)
		take_block(h, at);
	/* The rest, a bit of 1, and the length in bits at the very end. */
	uint8_t last[128] = { 0 };
	if (left)
		memcpy(last, at, left);
	last[left] = 0x80;
	const size_t n = left < 56 ? 64 : 128;
	for (size_t i = 0; i < 8; i++)
		last[n - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
	for (size_t i = 0; i < n; i += 64)
		take_block(h, last + i);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		hash[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

char *sha256_csp(const void *data, size_t len, char buf[static SHA256_CSP_TEXT])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t hash[SHA256_BYTES + 1] = { 0 };
	sha256(data, len, hash);
	memcpy(buf, "'sha256-", 8);
	char *to = buf + 8;
	for (size_t i = 0; i < SHA256_BYTES + 1; i += 3) {
		const unsigned v = (unsigned)hash[i] << 16 |
				   (unsigned)hash[i + 1] << 8 | hash[i + 2];
		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = digits[v >> 6 & 63];
		*to++ = digits[v & 63];
	}
	/* 32 bytes are 43 digits and one to fill up. */
	memcpy(to - 1, "='", 3);
	return buf;
}
