/* webjson.c - see webjson.h. */
#include "web/webjson.h"

#include "base/buf.h"
#include "report/out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void append_text(struct buf *b, const char *s)
{
	const size_t len = strlen(s);
	buf_append_char(b, '"');
	for (size_t i = 0; i < len;) {
		int valid;
		const unsigned char c = (unsigned char)s[i];
		const size_t n = text_rune_len(s + i, len - i, &valid);
		if (!valid)
			buf_append_str(b, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == '<' || c == 0x7f)
			buf_printf(b, "\\u%04x", c);
		else
			buf_append(b, s + i, n);
		i += n;
	}
	buf_append_char(b, '"');
}

/* A value is never the first byte: an answer begins with a bracket. */
static void begin(struct buf *b, const char *key)
{
	const char last = b->len ? b->data[b->len - 1] : '{';
	if (last != '{' && last != '[')
		buf_append_char(b, ',');
	if (key) {
		append_text(b, key);
		buf_append_char(b, ':');
	}
}

void webjson_open_object(struct buf *b, const char *key)
{
	begin(b, key);
	buf_append_char(b, '{');
}

void webjson_close_object(struct buf *b)
{
	buf_append_char(b, '}');
}

void webjson_open_array(struct buf *b, const char *key)
{
	begin(b, key);
	buf_append_char(b, '[');
}

void webjson_close_array(struct buf *b)
{
	buf_append_char(b, ']');
}

void webjson_text(struct buf *b, const char *key, const char *value)
{
	begin(b, key);
	append_text(b, value ? value : "");
}

void webjson_int(struct buf *b, const char *key, int64_t value)
{
	begin(b, key);
	buf_printf(b, "%" PRId64, value);
}

void webjson_bool(struct buf *b, const char *key, bool value)
{
	begin(b, key);
	buf_append_str(b, value ? "true" : "false");
}

void webjson_real(struct buf *b, const char *key, double value)
{
	begin(b, key);
	if (isfinite(value))
		buf_printf(b, "%.17g", value);
	else
		buf_append_str(b, "null");
}
