/* reader_number.c - see reader_number.h. */
#include "tools/reader_number.h"

#include "base/buf.h"
#include "tools/die.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_sign(char c)
{
	return c == '+' || c == '-';
}

/* 0x, 0b, 0o: the base, else 0. */
static int prefix_base(const char *s)
{
	if (s[0] != '0')
		return 0;
	switch (s[1]) {
	case 'x':
	case 'X':
		return 16;
	case 'b':
	case 'B':
		return 2;
	case 'o':
	case 'O':
		return 8;
	}
	return 0;
}

/*
 * An underscore stands between digits, or between the prefix and a digit.
 * Letters a to f are digits behind any prefix; the caller judges those.
 */
static bool underscores_are_right(const char *s)
{
	s += is_sign(*s);
	const bool is_hex = prefix_base(s);
	char last = is_hex ? '0' : '^';
	for (s += is_hex ? 2 : 0; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		if (isdigit(c) || (is_hex && isxdigit(c))) {
			last = '0';
		} else if (c == '_') {
			if (last != '0')
				return false;
			last = '_';
		} else {
			if (last == '_')
				return false;
			last = '!';
		}
	}
	return last != '_';
}

static int digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : 99;
}

enum number_result number_parse_int(const char *s, int base, int64_t *ret_value)
{
	const char *p = s + is_sign(*s);
	const bool is_literal = base == 0;
	const uint64_t max =
		*s == '-' ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t n = 0;
	if (is_literal) {
		base = prefix_base(p);
		if (base)
			p += 2;
		else
			base = *p == '0' ? 8 : 10;
	}
	if (!*p)
		return NUMBER_SYNTAX;
	for (; *p; p++) {
		if (*p == '_' && is_literal)
			continue;
		const int digit = digit_value(*p);
		if (digit >= base)
			return NUMBER_SYNTAX;
		if (__builtin_mul_overflow(n, (uint64_t)base, &n) ||
		    __builtin_add_overflow(n, (uint64_t)digit, &n))
			return NUMBER_RANGE;
	}
	if (is_literal && strchr(s, '_') && !underscores_are_right(s))
		return NUMBER_SYNTAX;
	if (n > max)
		return NUMBER_RANGE;
	*ret_value = *s == '-' ? (int64_t)(0 - n) : (int64_t)n;
	return NUMBER_OK;
}

/* ---- with a fraction ----------------------------------------------------- */

static bool is_special(const char *s, double *ret_value)
{
	if (strcasecmp(s, "nan") == 0) {
		*ret_value = NAN;
		return true;
	}
	const char *p = s + is_sign(*s);
	if (strcasecmp(p, "inf") != 0 && strcasecmp(p, "infinity") != 0)
		return false;
	*ret_value = *s == '-' ? -INFINITY : INFINITY;
	return true;
}

/* Digits with at most one point; some of each may lack, not all. */
static const char *skip_mantissa(const char *p, bool is_hex)
{
	bool any = false, point = false;
	for (;; p++) {
		const unsigned char c = (unsigned char)*p;
		if (is_hex ? isxdigit(c) : isdigit(c))
			any = true;
		else if (c == '.' && !point)
			point = true;
		else if (c != '_')
			return any ? p : NULL;
	}
}

/* Go asks for an exponent behind 0x, strtod does not. */
static bool is_float(const char *s)
{
	s += is_sign(*s);
	const bool is_hex = prefix_base(s) == 16;
	const char *p = skip_mantissa(s + (is_hex ? 2 : 0), is_hex);
	if (!p)
		return false;
	if ((*p | 0x20) != (is_hex ? 'p' : 'e'))
		return !*p && !is_hex;
	p++;
	p += is_sign(*p);
	return isdigit((unsigned char)*p) && !p[strspn(p, "0123456789_")];
}

enum number_result number_parse_float(const char *s, double *ret_value)
{
	if (is_special(s, ret_value))
		return NUMBER_OK;
	if (!is_float(s) || (strchr(s, '_') && !underscores_are_right(s)))
		return NUMBER_SYNTAX;
	char *digits = xstrdup(s), *to = digits;
	for (const char *p = s; *p; p++)
		if (*p != '_')
			*to++ = *p;
	*to = '\0';
	const double d = strtod(digits, NULL);
	free(digits);
	if (isinf(d))
		return NUMBER_RANGE;
	*ret_value = d;
	return NUMBER_OK;
}

void number_format_float(struct buf *b, double d)
{
	char text[64];
	int precision = 0;
	if (isnan(d) || isinf(d)) {
		buf_append_str(b, isnan(d) ? "NaN" : d < 0 ? "-Inf" : "+Inf");
		return;
	}
	for (; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, d);
		if (strtod(text, NULL) == d)
			break;
	}
	const char *exp = strchr(text, 'e');
	const long exponent = exp ? strtol(exp + 1, NULL, 10) : 0;
	if (exponent < -4 || exponent >= 6) {
		buf_append_str(b, text);
		return;
	}
	const long decimals = precision - exponent;
	buf_printf(b, "%.*f", decimals > 0 ? (int)decimals : 0, d);
}
