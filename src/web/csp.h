/*
 * csp.h - a text as a Content-Security-Policy names it, so that a page may
 * allow its own scripts and styles and no others.
 */
#ifndef PROFLAB_WEB_CSP_H
#define PROFLAB_WEB_CSP_H

#include <stddef.h>

enum { CSP_HASH_TEXT = 56 };

/* 'sha256-BASE64', quotes and all (CSP level 3, "hash-source").
 * Returns: buf. */
char *csp_hash(const void *data, size_t len, char buf[static CSP_HASH_TEXT]);

#endif
