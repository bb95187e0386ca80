/* shorten.c - see shorten.h. */
#include "report/shorten.h"

#include "base/buf.h"
#include "base/err.h"
#include "symbol/demangle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Cut all between open and close, nested ones included, out of name, in
 * place.  A close without an open ends it: the name is no C++.
 */
static void cut_brackets(char *name, char open, char close)
{
	size_t depth = 0, first = 0;
	for (size_t i = 0; name[i]; i++) {
		if (name[i] == open) {
			if (depth++ == 0)
				first = i;
		} else if (name[i] == close) {
			if (depth == 0)
				return;
			if (--depth == 0) {
				memmove(name + first, name + i + 1,
					strlen(name + i + 1) + 1);
				i = first - 1;
			}
		}
	}
}

static bool looks_demangled(const char *name)
{
	/* Java's class.<init>, Go's foo.(*Bar[...]).Method */
	if (strstr(name, ".<") || strstr(name, "])."))
		return false;
	return strpbrk(name, "<>[]") || strstr(name, "::");
}

/* "operator<", "operator()" and so on: the symbol is part of the name. */
static size_t operator_len(const char *s)
{
	static const char *const symbols[] = { "()", "<<=", ">>=", "<=>",
					       "<<", ">>",  "->*", "->",
					       "<=", ">=",  "<",   ">" };
	if (strncmp(s, "operator", 8) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (!strncmp(s + 8, symbols[i], strlen(symbols[i])))
			return 8 + strlen(symbols[i]);
	return 8;
}

/* The end of the bracket that opens at s, behind its close. */
static const char *skip_bracket(const char *s)
{
	size_t depth = 0;
	for (; *s; s++) {
		if (*s == '(' || *s == '<')
			depth++;
		else if ((*s == ')' || *s == '>') && s[-1] != '-' &&
			 --depth == 0)
			return s + 1;
	}
	return s;
}

/*
 * A name fresh from the demangler: without parameters, template arguments
 * unless they are wanted, what follows the parameters, and the return type.
 */
static int cut_demangled(const char *s, bool templates, struct buf *ret)
{
	static const char anonymous[] = "(anonymous namespace)";
	const size_t start = ret->len;
	while (*s && !ret->failed) {
		const bool at_word = ret->len == start ||
				     strchr(":( ", ret->data[ret->len - 1]);
		const size_t op = at_word ? operator_len(s) : 0;
		if (op) {
			buf_append(ret, s, op);
			s += op;
			/* operator new: the blank is part of the name */
			if (*s == ' ')
				while (*s && *s != '(')
					buf_append_char(ret, *s++);
		} else if (!strncmp(s, anonymous, sizeof(anonymous) - 1)) {
			buf_append_str(ret, anonymous);
			s += sizeof(anonymous) - 1;
		} else if (*s == '<') {
			const char *end = skip_bracket(s);
			if (templates)
				buf_append(ret, s, (size_t)(end - s));
			s = end;
		} else if (*s == '(') {
			s = skip_bracket(s);
			/* const, and the like, of a method */
			while (*s && strncmp(s, "::", 2) != 0)
				s++;
		} else if (*s == ' ') {
			/* What came before was the return type. */
			if (ret->len > start)
				ret->data[ret->len = start] = '\0';
			s++;
		} else {
			buf_append_char(ret, *s++);
		}
	}
	return ret->failed;
}

static int shorten_demangled(const char *name, enum symbolize_names how,
			     struct buf *ret)
{
	if (how == SYMBOLIZE_FULL)
		return buf_append_str(ret, name);
	return cut_demangled(name, how == SYMBOLIZE_TEMPLATES, ret);
}

int shorten_name(const char *name, enum symbolize_names how, struct buf *ret)
{
	if (how == SYMBOLIZE_MANGLED)
		return buf_append_str(ret, name);
	char *text = strncmp(name, "_Z", 2) ? NULL : demangle_name(name);
	int rc;
	if (text) {
		rc = shorten_demangled(text, how, ret);
		free(text);
		return rc;
	}
	if (how == SYMBOLIZE_FULL || !looks_demangled(name))
		return buf_append_str(ret, name);
	text = strdup(name);
	if (!text)
		return ERR_NOMEM;
	cut_brackets(text, '(', ')');
	if (how == SYMBOLIZE_SHORT)
		cut_brackets(text, '<', '>');
	rc = buf_append_str(ret, text);
	free(text);
	return rc;
}
