/*
 * out.h - formatted output to a sink, buffered; and columns as Go pads them.
 *
 * The first error sticks: everything after it is dropped, and out_finish
 * returns it.  So a report writes without looking, and checks once.
 */
#ifndef PROFLAB_REPORT_OUT_H
#define PROFLAB_REPORT_OUT_H

#include "base/sink.h"

#include <stddef.h>
#include <stdint.h>

struct out {
	const struct sink *sink;
	int failed;    /* 0 or an error code */
	char nul_byte; /* written as NUL (profile_hide_nuls); '\0' = none */
	size_t len;
	char buf[16 << 10];
};

void out_init(struct out *o, const struct sink *sink);
void out_bytes(struct out *o, const char *s, size_t len);
void out_str(struct out *o, const char *s);
void out_char(struct out *o, char c);
void out_printf(struct out *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * At least width characters, filled up with spaces on the left (on the right
 * where width is negative).  Counts UTF-8 characters, a byte that is not
 * UTF-8 as one, as Go's fmt does.
 */
void out_pad(struct out *o, int width, const char *s);
/* Flush.  Returns: 0 or the first error. */
int out_finish(struct out *o);

/* How many characters Go counts in s. */
size_t text_count_runes(const char *s, size_t len);
/*
 * The length in bytes of the character at s (1 for a byte that is not
 * UTF-8); *ret_valid tells which it was.  left > 0.
 */
size_t text_rune_len(const char *s, size_t left, int *ret_valid);

#endif
