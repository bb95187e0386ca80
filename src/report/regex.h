/*
 * regex.h - regular expressions as the Go tool reads them, by PCRE2.
 *
 * The syntax is RE2's wherever the two differ in meaning ($ is the very end,
 * \v one character); what PCRE2 has beyond it is allowed.  A pattern that
 * would run for very long on some text is stopped by a limit, and says so:
 * regex_gave_up.
 */
#ifndef PROFLAB_REPORT_REGEX_H
#define PROFLAB_REPORT_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct regex;

/*
 * Returns: 0; ERR_INVALID with Go's words where it has some; ERR_NOMEM.
 * Owns: the caller, regex_free.
 */
int regex_compile(const char *pattern, struct regex **ret_regex, struct err *e);
/* r may be NULL. */
void regex_free(struct regex *r);

/*
 * Does it match anywhere in s?  Bytes that are not UTF-8 match nothing but
 * do no harm.  Thread: one at a time for one regex.
 */
bool regex_match(struct regex *r, const char *s, size_t len);

/*
 * The first match and its first two groups, as pairs of offsets (SIZE_MAX for
 * a group that took no part); for our own patterns.
 */
bool regex_find(struct regex *r, const char *s, size_t len,
		size_t ret_span[static 6]);

/* The pattern as given. */
const char *regex_source(const struct regex *r);
/* Did any match reach the limit?  Its answer was then "no". */
bool regex_gave_up(const struct regex *r);

#endif
