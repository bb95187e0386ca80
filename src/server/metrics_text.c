/* metrics_text.c - see metrics_text.h. */
#include "server/metrics_text.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void metrics_family(struct buf *b, const char *name, const char *type,
		    const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			buf_append_char(b, '\\');
		if (*s == '\n')
			buf_append_str(b, "\\n");
		else
			buf_append_char(b, *s);
	}
}

void metrics_number(struct buf *b, double value)
{
	char text[32];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_append_str(b, text);
}

void metrics_single(struct buf *b, const char *name, const char *type,
		    const char *help, double value)
{
	metrics_family(b, name, type, help);
	buf_printf(b, "%s ", name);
	metrics_number(b, value);
	buf_append_char(b, '\n');
}
