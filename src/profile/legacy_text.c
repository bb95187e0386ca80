/* legacy_text.c - lines, and the pieces of a line. */
#include "profile/legacy.h"

#include <ctype.h>
#include <string.h>

bool legacy_next_line(struct legacy *l)
{
	if (l->next == l->end) {
		l->line = (struct text){ l->end, 0 };
		return false;
	}
	const size_t left = (size_t)(l->end - l->next);
	const char *newline = memchr(l->next, '\n', left);
	const char *stop = newline ? newline : l->end;
	l->line = (struct text){ l->next, (size_t)(stop - l->next) };
	if (l->line.len && l->line.s[l->line.len - 1] == '\r')
		l->line.len--;
	l->next = newline ? newline + 1 : l->end;
	l->line_number++;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip(struct text *t, size_t n)
{
	t->s += n;
	t->len -= n;
}

bool text_starts(struct text t, const char *prefix)
{
	const size_t len = strlen(prefix);
	return t.len >= len && !memcmp(t.s, prefix, len);
}

const char *text_find(struct text t, const char *needle)
{
	return memmem(t.s, t.len, needle, strlen(needle));
}

struct text text_trim(struct text t)
{
	while (t.len && is_blank(t.s[0]))
		skip(&t, 1);
	while (t.len && is_blank(t.s[t.len - 1]))
		t.len--;
	return t;
}

bool text_is_blank(struct text t)
{
	t = text_trim(t);
	return !t.len || t.s[0] == '#';
}

bool text_skip(struct text *t, const char *literal)
{
	const bool there = text_starts(*t, literal);
	if (there)
		skip(t, strlen(literal));
	return there;
}

void text_skip_char(struct text *t, char c)
{
	while (t->len && t->s[0] == c)
		skip(t, 1);
}

bool text_skip_blanks(struct text *t)
{
	const size_t before = t->len;
	while (t->len && is_blank(t->s[0]))
		skip(t, 1);
	return t->len < before;
}

static bool take(struct text *t, int (*is_one)(int), struct text *ret)
{
	size_t n = 0;
	while (n < t->len && is_one((unsigned char)t->s[n]))
		n++;
	if (!n)
		return false;
	*ret = (struct text){ t->s, n };
	skip(t, n);
	return true;
}

bool text_digits(struct text *t, struct text *ret_digits)
{
	return take(t, isdigit, ret_digits);
}

bool text_hex_digits(struct text *t, struct text *ret_digits)
{
	return take(t, isxdigit, ret_digits);
}

bool text_to_int(struct text t, int64_t *ret_value)
{
	uint64_t v = 0;
	const bool negative = t.len && t.s[0] == '-';
	const uint64_t most = (uint64_t)INT64_MAX + negative;
	skip(&t, negative);
	if (!t.len)
		return false;
	for (; t.len; skip(&t, 1)) {
		const unsigned int digit = (unsigned char)t.s[0] - '0';
		if (digit > 9 || v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret_value = (int64_t)(negative ? -v : v);
	return true;
}

bool text_to_hex(struct text t, uint64_t *ret_value)
{
	uint64_t v = 0;
	if (!t.len)
		return false;
	for (; t.len; skip(&t, 1)) {
		const int c = tolower((unsigned char)t.s[0]);
		if (!isxdigit(c) || v >> 60)
			return false;
		v = v << 4 | (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret_value = v;
	return true;
}

struct text text_addresses(struct text t)
{
	size_t n = 0;
	while (n < t.len && (t.s[n] == ' ' || t.s[n] == 'x' ||
			     (t.s[n] >= '0' && t.s[n] <= '9') ||
			     (t.s[n] >= 'a' && t.s[n] <= 'f')))
		n++;
	return (struct text){ t.s, n };
}
