/* answers.c - see answers.h. */
#include "tools/answers.h"

#include "base/attr.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 65536 };

/* Cut blanks at both ends. */
static char *trim(char *s)
{
	s += strspn(s, " \t\r");
	for (size_t n = strlen(s); n && strchr(" \t\r", s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static int add_line(struct answers *a, char *line, const char *path, int number,
		    struct err *e)
{
	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	char *eq = strchr(line, '=');
	if (!eq || eq == line)
		return err_set(e, ERR_FORMAT,
			       "%s:%d: \"%.80s\" must be NAME = VALUE", path,
			       number, line);
	if (a->n == ARRAY_SIZE(a->rows))
		return err_set(e, ERR_FORMAT, "%s:%d: more than %zu answers",
			       path, number, a->n);
	*eq = '\0';
	const char *name = trim(line);
	if (answers_find(a, name))
		return err_set(e, ERR_FORMAT,
			       "%s:%d: \"%.80s\" is answered already", path,
			       number, name);
	a->rows[a->n++] = (struct answer){ .name = trim(line),
					   .value = trim(eq + 1),
					   .line = number };
	return 0;
}

int answers_read(const char *path, struct answers *ret, struct err *e)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	struct answers a = { .text = calloc(1, MAX_FILE + 1) };
	const size_t n = a.text ? fread(a.text, 1, MAX_FILE, file) : 0;
	fclose(file);
	if (!a.text)
		return ERR_NOMEM;
	int rc = memchr(a.text, '\0', n)
			 ? err_set(e, ERR_FORMAT, "%s: is not a text", path)
			 : 0;
	int number = 0;
	char *start = a.text;
	/* Some editors begin a text with a byte-order mark. */
	if (!strncmp(start, "\xef\xbb\xbf", 3))
		start += 3;
	for (char *line = start; line && !rc;) {
		char *next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		rc = add_line(&a, line, path, ++number, e);
		line = next;
	}
	if (rc)
		answers_free(&a);
	else
		*ret = a;
	return rc;
}

void answers_free(struct answers *a)
{
	free(a->text);
	*a = (struct answers){ .n = 0 };
}

const char *answers_find(const struct answers *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->rows[i].name, name))
			return a->rows[i].value;
	return NULL;
}
