/*
 * webjson.h - the page's answers as JSON, built with jansson from front to
 * back: what is opened takes what comes until it is closed.
 *
 * Texts come from profiles and may hold any bytes: what is not UTF-8 becomes
 * U+FFFD, and `<` is escaped, so that an answer is inert wherever it ends up.
 * key is NULL inside arrays.  Errors stay in the answer: check once, at the
 * end.  A zeroed struct is an empty answer.
 */
#ifndef PROFLAB_WEB_WEBJSON_H
#define PROFLAB_WEB_WEBJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json_t;

struct webjson {
	struct json_t *root;	/* owned */
	struct json_t *open[8]; /* within it, the innermost last */
	size_t depth;
	int failed; /* 0 or an error code */
};

void webjson_open_object(struct webjson *j, const char *key);
void webjson_open_array(struct webjson *j, const char *key);
void webjson_close(struct webjson *j);
void webjson_text(struct webjson *j, const char *key, const char *value);
void webjson_int(struct webjson *j, const char *key, int64_t value);
void webjson_bool(struct webjson *j, const char *key, bool value);
/* The number where it is finite, else null. */
void webjson_real(struct webjson *j, const char *key, double value);

/*
 * Append the answer to b and free it.  Returns: 0 or the first error, which
 * is b's as well.
 */
int webjson_finish(struct webjson *j, struct buf *b);
void webjson_free(struct webjson *j);

#endif
