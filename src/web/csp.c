/* csp.c - see csp.h; nettle has the hash. */
#include "web/csp.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdio.h>

char *csp_hash(const void *data, size_t len, char buf[static CSP_HASH_TEXT])
{
	struct sha256_ctx context;
	uint8_t hash[SHA256_DIGEST_SIZE];
	char text[BASE64_ENCODE_RAW_LENGTH(sizeof(hash)) + 1];
	sha256_init(&context);
	sha256_update(&context, len, data);
	sha256_digest(&context, sizeof(hash), hash);
	base64_encode_raw(text, sizeof(hash), hash);
	text[sizeof(text) - 1] = '\0';
	snprintf(buf, CSP_HASH_TEXT, "'sha256-%s'", text);
	return buf;
}
