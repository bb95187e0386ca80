/* err.c - see err.h. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *format, ...)
{
	if (!e)
		return code;
	va_list ap;
	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	return code;
}

int err_prefix(struct err *e, int code, const char *format, ...)
{
	if (!e)
		return code;
	struct err old = *e;
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s",
			 old.text);
	return code;
}

const char *err_name(int code)
{
	switch (code) {
	case 0:
		return "no error";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_INVALID:
		return "invalid argument";
	case ERR_FORMAT:
		return "malformed input";
	case ERR_LIMIT:
		return "limit reached";
	case ERR_IO:
		return "input/output error";
	case ERR_BUSY:
		return "already in use";
	case ERR_UNSUPPORTED:
		return "not supported here";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_CANCELLED:
		return "cancelled";
	default:
		return "unknown error";
	}
}

const char *err_text(const struct err *e, int code)
{
	return e->text[0] ? e->text : err_name(code);
}
