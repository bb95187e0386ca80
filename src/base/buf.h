/*
 * buf.h - a byte buffer that grows up to a cap.
 *
 * Zero-initialised, `struct buf b = { .cap = N }`, it is ready for use; cap 0
 * means BUF_DEFAULT_CAP.  An append that would pass the cap, or that finds no
 * memory, changes nothing, sets `failed` and returns the error; every later
 * append fails in the same way, so a run of appends may be checked once at
 * its end.  The bytes are always followed by a NUL that len does not count.
 */
#ifndef PROFLAB_BASE_BUF_H
#define PROFLAB_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

enum { BUF_DEFAULT_CAP = 64 << 20 };

struct buf {
	char *data; /* owned; NULL while nothing was appended */
	size_t len;
	size_t size; /* allocated */
	size_t cap;
	int failed; /* 0, ERR_NOMEM or ERR_LIMIT */
};

/* Returns: 0, ERR_NOMEM, ERR_LIMIT.  Thread: one at a time. */
int buf_append(struct buf *b, const void *data, size_t len);
int buf_append_str(struct buf *b, const char *s);
int buf_append_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Make room for len more bytes, so that the next appends cannot fail. */
int buf_reserve(struct buf *b, size_t len);

/* The text, or "" while empty.  Owns: the buffer. */
const char *buf_str(const struct buf *b);

/* Empty it, keep the memory and the cap, forget a failure. */
void buf_clear(struct buf *b);

/* Free the memory; b is ready for use again with the same cap. */
void buf_free(struct buf *b);

#endif
