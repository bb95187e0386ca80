/*
 * err.h - the error codes that every library here returns, and the optional
 * text that explains one to a person.
 *
 * A function that can fail returns 0 or one of these negative codes, and
 * leaves its outputs untouched when it fails.  Where it also takes a
 * `struct err *`, that may be NULL; when given, it holds one line without a
 * final newline that names what is wrong and what is allowed.
 */
#ifndef PROFLAB_BASE_ERR_H
#define PROFLAB_BASE_ERR_H

#include <stdarg.h>

enum {
	ERR_NOMEM = -1,	      /* memory ran out; nothing was changed */
	ERR_INVALID = -2,     /* an argument is not allowed; nothing changed */
	ERR_FORMAT = -3,      /* input is not in its format; it was discarded */
	ERR_LIMIT = -4,	      /* a cap was reached; what fitted is kept */
	ERR_IO = -5,	      /* the system refused; errno says why */
	ERR_BUSY = -6,	      /* in use by another; try again later */
	ERR_UNSUPPORTED = -7, /* not possible on this system or build */
	ERR_NOTFOUND = -8,    /* no such thing */
	ERR_CANCELLED = -9,   /* the one who asked has gone */
};

struct err {
	char text[512];
};

/*
 * Write the text, cut at its size.  e may be NULL.
 * Signal: unsafe (formats).
 * Returns: code, so that `return err_set(e, ERR_FORMAT, ...)` reads well.
 */
int err_set(struct err *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Put "prefix: " in front of a text already there.
 * Returns: code.
 */
int err_prefix(struct err *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A few words for a code, for use where there is no text. Never NULL. */
const char *err_name(int code);

/* The text, or, where e is empty, the code's name.  Never NULL. */
const char *err_text(const struct err *e, int code);

#endif
