/*
 * sha256.h - SHA-256 (FIPS 180-4) of bytes in memory; for a page's
 * Content-Security-Policy, which names the scripts and styles it allows by
 * their hash.
 */
#ifndef PROFLAB_BASE_SHA256_H
#define PROFLAB_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_CSP_TEXT = 56 };

void sha256(const void *data, size_t len,
	    uint8_t ret_hash[static SHA256_BYTES]);

/* As a policy names it: 'sha256-BASE64', quotes and all.  Returns: buf. */
char *sha256_csp(const void *data, size_t len,
		 char buf[static SHA256_CSP_TEXT]);

#endif
