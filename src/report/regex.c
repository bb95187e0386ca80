/* regex.c - see regex.h. */
#include "report/regex.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Enough for any sane pattern on a long C++ name, within about 10 ms. */
enum { STEPS_MAX = 1000000, HEAP_MAX_KIB = 20000, PATTERN_MAX = 64 << 10 };

struct regex {
	char *source;
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	bool gave_up;
};

/*
 * Rewrite what means something else in PCRE2.  Only \v does: there it is a
 * class of vertical spaces.  \C would match half of a character.
 */
static int translate(const char *pattern, struct buf *ret, struct err *e)
{
	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && p[1] == 'Q') {
			const char *end = strstr(p, "\\E");
			const size_t n =
				end ? (size_t)(end + 2 - p) : strlen(p);
			buf_append(ret, p, n);
			p += n - 1;
		} else if (*p == '\\' && p[1] == 'v') {
			buf_append_str(ret, "\\x0b");
			p++;
		} else if (*p == '\\' && p[1] == 'C') {
			return err_set(e, ERR_INVALID,
				       "error parsing regexp: invalid escape "
				       "sequence: `\\C`");
		} else if (*p == '\\' && p[1]) {
			buf_append(ret, p, 2);
			p++;
		} else {
			buf_append_char(ret, *p);
		}
	}
	return ret->failed;
}

/* The faults that people make most, in the words that the Go tool has. */
static int explain(const char *pattern, int code, size_t at, struct err *e)
{
	static const struct {
		int code;
		const char *words;
		enum { WHOLE, HERE, NOTHING } shown;
	} table[] = {
		{ PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, "missing closing )",
		  WHOLE },
		{ PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, "unexpected )",
		  WHOLE },
		{ PCRE2_ERROR_QUANTIFIER_INVALID,
		  "missing argument to repetition operator", HERE },
		{ PCRE2_ERROR_END_BACKSLASH,
		  "trailing backslash at end of expression", NOTHING },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].code != code)
			continue;
		const char *shown = pattern;
		int len = (int)strlen(pattern);
		if (table[i].shown == HERE && at > 0 && at <= (size_t)len)
			shown += at - 1, len = 1;
		else if (table[i].shown == NOTHING)
			len = 0;
		return err_set(e, ERR_INVALID,
			       "error parsing regexp: %s: `%.*s`",
			       table[i].words, len, shown);
	}
	if (code == PCRE2_ERROR_MISSING_SQUARE_BRACKET) {
		const char *open = strrchr(pattern, '[');
		return err_set(e, ERR_INVALID,
			       "error parsing regexp: missing closing ]: `%s`",
			       open ? open : pattern);
	}
	PCRE2_UCHAR text[160];
	pcre2_get_error_message(code, text, sizeof(text));
	return err_set(e, ERR_INVALID,
		       "error parsing regexp: %s at character %zu: `%s`",
		       (const char *)text, at, pattern);
}

static int compile(struct regex *r, const char *pattern, struct err *e)
{
	struct buf text = { .cap = 2 * PATTERN_MAX };
	pcre2_compile_context *context = NULL;
	int rc = translate(pattern, &text, e);
	if (rc)
		goto out;
	rc = ERR_NOMEM;
	context = pcre2_compile_context_create(NULL);
	if (!context)
		goto out;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	int code;
	PCRE2_SIZE at;
	r->code = pcre2_compile((PCRE2_SPTR)buf_str(&text), text.len,
				PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
					PCRE2_DOLLAR_ENDONLY,
				&code, &at, context);
	if (!r->code) {
		rc = explain(pattern, code, at, e);
		goto out;
	}
	/* Without a JIT compiler the interpreter serves: no error. */
	pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
	r->match = pcre2_match_data_create(3, NULL);
	r->context = pcre2_match_context_create(NULL);
	if (!r->match || !r->context)
		goto out;
	pcre2_set_match_limit(r->context, STEPS_MAX);
	pcre2_set_heap_limit(r->context, HEAP_MAX_KIB);
	rc = 0;
out:
	pcre2_compile_context_free(context);
	buf_free(&text);
	return rc;
}

int regex_compile(const char *pattern, struct regex **ret_regex, struct err *e)
{
	if (strlen(pattern) > PATTERN_MAX)
		return err_set(e, ERR_INVALID,
			       "error parsing regexp: longer than %d bytes",
			       PATTERN_MAX);
	struct regex *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_NOMEM;
	int rc = ERR_NOMEM;
	r->source = strdup(pattern);
	if (r->source)
		rc = compile(r, pattern, e);
	if (rc) {
		regex_free(r);
		return rc;
	}
	*ret_regex = r;
	return 0;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_match_context_free(r->context);
	pcre2_match_data_free(r->match);
	pcre2_code_free(r->code);
	free(r->source);
	free(r);
}

bool regex_match(struct regex *r, const char *s, size_t len)
{
	const int rc = pcre2_match(r->code, (PCRE2_SPTR)s, len, 0, 0, r->match,
				   r->context);
	if (rc >= 0)
		return true;
	if (rc != PCRE2_ERROR_NOMATCH)
		r->gave_up = true;
	return false;
}

bool regex_find(struct regex *r, const char *s, size_t len,
		size_t ret_span[static 6])
{
	if (!regex_match(r, s, len))
		return false;
	const PCRE2_SIZE *span = pcre2_get_ovector_pointer(r->match);
	for (int i = 0; i < 6; i++)
		ret_span[i] = span[i];
	return true;
}

const char *regex_source(const struct regex *r)
{
	return r->source;
}

bool regex_gave_up(const struct regex *r)
{
	return r->gave_up;
}
