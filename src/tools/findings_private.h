/*
 * findings_private.h - between the files that read findings: stanzas
 * (findings.c), and what is said within one (findings_measure.c).
 */
#ifndef PROFLAB_TOOLS_FINDINGS_PRIVATE_H
#define PROFLAB_TOOLS_FINDINGS_PRIVATE_H

#include "tools/findings.h"

enum { FINDINGS_MAX_KEYS = 16 };

struct pair {
	const char *key;
	char *value;
	int line;
};

struct stanza {
	struct pair pairs[FINDINGS_MAX_KEYS];
	size_t n;
	int line;
};

struct parser {
	struct findings *f;
	const char *path;
	struct err *e;
};

/* err_set with file, line, what is wrong and what is allowed: ERR_FORMAT. */
int findings_bad(const struct parser *p, int line, const char *what,
		 const char *value, const char *allowed);
/* These cut their text into words, in place.  Returns: 0 or ERR_FORMAT. */
int findings_parse_measure(const struct parser *p, int line, char *text,
			   struct measure *ret);
int findings_parse_expect(const struct parser *p, const struct pair *pair,
			  enum measure_kind kind, struct expectation *ret);

#endif
