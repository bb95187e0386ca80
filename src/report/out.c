/* out.c - see out.h. */
#include "report/out.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void out_init(struct out *o, const struct sink *sink)
{
	o->sink = sink;
	o->failed = 0;
	o->nul_byte = '\0';
	o->len = 0;
}

static void flush(struct out *o)
{
	if (!o->failed && o->len)
		o->failed = sink_write(o->sink, o->buf, o->len);
	o->len = 0;
}

/* In the n bytes behind those that are there. */
static void put_nuls_back(struct out *o, size_t n)
{
	for (char *at = o->buf + o->len, *end = at + n;
	     (at = memchr(at, o->nul_byte, (size_t)(end - at)));)
		*at++ = '\0';
}

void out_bytes(struct out *o, const char *s, size_t len)
{
	while (len) {
		if (o->len == sizeof(o->buf))
			flush(o);
		size_t n = sizeof(o->buf) - o->len;
		if (n > len)
			n = len;
		memcpy(o->buf + o->len, s, n);
		if (o->nul_byte)
			put_nuls_back(o, n);
		o->len += n;
		s += n;
		len -= n;
	}
}

void out_str(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void out_char(struct out *o, char c)
{
	if (o->len == sizeof(o->buf))
		flush(o);
	o->buf[o->len++] = c == o->nul_byte ? '\0' : c;
}

void out_printf(struct out *o, const char *format, ...)
{
	char small[256];
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	const int n = vsnprintf(small, sizeof(small), format, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		out_bytes(o, small, (size_t)n);
	} else {
		char *large = NULL;
		const int m = vasprintf(&large, format, again);
		if (m >= 0)
			out_bytes(o, large, (size_t)m);
		else if (!o->failed)
			o->failed = ERR_NOMEM;
		if (m >= 0)
			free(large);
	}
	va_end(again);
	va_end(ap);
}

void out_pad(struct out *o, int width, const char *s)
{
	const size_t len = strlen(s);
	const size_t have = text_count_runes(s, len);
	const size_t want = (size_t)(width < 0 ? -width : width);
	if (width < 0)
		out_bytes(o, s, len);
	for (size_t i = have; i < want; i++)
		out_char(o, ' ');
	if (width >= 0)
		out_bytes(o, s, len);
}

int out_finish(struct out *o)
{
	flush(o);
	return o->failed;
}

size_t text_rune_len(const char *s, size_t left, int *ret_valid)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n;
	unsigned min;
	*ret_valid = 1;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2, min = 0x80;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		n = 3, min = u[0] == 0xe0 ? 0xa0 : 0x80;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4, min = u[0] == 0xf0 ? 0x90 : 0x80;
	else
		n = 0, min = 0;
	const unsigned max = u[0] == 0xed ? 0x9f : u[0] == 0xf4 ? 0x8f : 0xbf;
	if (!n || left < n || u[1] < min || u[1] > max)
		goto invalid;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			goto invalid;
	return n;
invalid:
	*ret_valid = 0;
	return 1;
}

size_t text_count_runes(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; n++) {
		int valid;
		i += text_rune_len(s + i, len - i, &valid);
	}
	return n;
}
