/*
 * webjson.h - JSON written into a buffer, for the page's answers.
 *
 * Texts come from profiles and may hold any bytes: what is not UTF-8 becomes
 * U+FFFD, and `<` is escaped, so that an answer is inert wherever it ends up.
 * key is NULL inside arrays.  Errors stay in the buffer (buf.h): check once.
 * (The prefix json_ is that of jansson, which a program may link as well.)
 */
#ifndef PROFLAB_WEB_WEBJSON_H
#define PROFLAB_WEB_WEBJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

void webjson_open_object(struct buf *b, const char *key);
void webjson_close_object(struct buf *b);
void webjson_open_array(struct buf *b, const char *key);
void webjson_close_array(struct buf *b);
void webjson_text(struct buf *b, const char *key, const char *value);
void webjson_int(struct buf *b, const char *key, int64_t value);
void webjson_bool(struct buf *b, const char *key, bool value);
/* The number where it is finite, else null. */
void webjson_real(struct buf *b, const char *key, double value);

#endif
