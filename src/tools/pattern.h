/*
 * pattern.h - regular expressions by PCRE2, with limits on what one may cost.
 */
#ifndef PROFLAB_TOOLS_PATTERN_H
#define PROFLAB_TOOLS_PATTERN_H

#include <stdbool.h>

struct err;
struct pattern;

enum pattern_kind {
	PATTERN_WHOLE, /* must match the whole text */
	PATTERN_PART,  /* may match anywhere in it */
};

/* Returns: 0; ERR_INVALID with the place of the mistake; ERR_NOMEM. */
int pattern_new(const char *text, enum pattern_kind kind,
		struct pattern **ret_pattern, struct err *e);
/* A match that passes the limits counts as none. */
bool pattern_matches(const struct pattern *p, const char *text);
/* May be NULL. */
void pattern_free(struct pattern *p);

#endif
