/* webjson.c - see webjson.h. */
#include "web/webjson.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "report/out.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Takes the value, which is NULL without memory. */
static bool put(struct webjson *j, const char *key, json_t *value)
{
	int rc = -1;
	if (j->failed)
		json_decref(value);
	else if (!value)
		rc = -1;
	else if (!j->depth)
		rc = (j->root = value) ? 0 : -1;
	else if (key)
		rc = json_object_set_new_nocheck(j->open[j->depth - 1], key,
						 value);
	else
		rc = json_array_append_new(j->open[j->depth - 1], value);
	if (rc && !j->failed)
		j->failed = ERR_NOMEM;
	return !j->failed;
}

static void open_value(struct webjson *j, const char *key, json_t *value)
{
	if (j->depth == ARRAY_SIZE(j->open))
		j->failed = ERR_LIMIT;
	if (put(j, key, value))
		j->open[j->depth++] = value;
}

void webjson_open_object(struct webjson *j, const char *key)
{
	open_value(j, key, json_object());
}

void webjson_open_array(struct webjson *j, const char *key)
{
	open_value(j, key, json_array());
}

void webjson_close(struct webjson *j)
{
	if (!j->failed)
		j->depth--;
}

/* jansson refuses what is not UTF-8. */
static json_t *mended(const char *s, size_t len)
{
	struct buf b = { 0 };
	for (size_t i = 0; i < len;) {
		int valid;
		const size_t n = text_rune_len(s + i, len - i, &valid);
		if (valid)
			buf_append(&b, s + i, n);
		else
			buf_append_str(&b, "\xef\xbf\xbd");
		i += n;
	}
	json_t *text = b.failed ? NULL : json_stringn(buf_str(&b), b.len);
	buf_free(&b);
	return text;
}

void webjson_text(struct webjson *j, const char *key, const char *value)
{
	const size_t len = value ? strlen(value) : 0;
	json_t *text = json_stringn(value ? value : "", len);
	put(j, key, text ? text : mended(value, len));
}

void webjson_int(struct webjson *j, const char *key, int64_t value)
{
	put(j, key, json_integer(value));
}

void webjson_bool(struct webjson *j, const char *key, bool value)
{
	put(j, key, json_boolean(value));
}

void webjson_real(struct webjson *j, const char *key, double value)
{
	put(j, key, isfinite(value) ? json_real(value) : json_null());
}

/* Outside texts JSON has no `<`, and no DEL. */
static int append(const char *s, size_t len, void *arg)
{
	struct buf *b = arg;
	for (size_t i = 0, from = 0; i <= len; i++) {
		if (i < len && s[i] != '<' && s[i] != 0x7f)
			continue;
		buf_append(b, s + from, i - from);
		if (i < len)
			buf_printf(b, "\\u%04x", (unsigned)s[i]);
		from = i + 1;
	}
	return b->failed;
}

int webjson_finish(struct webjson *j, struct buf *b)
{
	if (!j->failed && json_dump_callback(j->root, append, b, JSON_COMPACT))
		j->failed = b->failed ? b->failed : ERR_NOMEM;
	const int rc = j->failed;
	if (rc && !b->failed)
		b->failed = rc;
	webjson_free(j);
	return rc;
}

void webjson_free(struct webjson *j)
{
	json_decref(j->root);
	*j = (struct webjson){ 0 };
}
