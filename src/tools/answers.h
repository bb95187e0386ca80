/*
 * answers.h - what a learner wrote: lines of `name = value`, `#` for comments.
 */
#ifndef PROFLAB_TOOLS_ANSWERS_H
#define PROFLAB_TOOLS_ANSWERS_H

#include <stddef.h>

struct err;

struct answer {
	char *name, *value; /* into text */
	int line;
};

struct answers {
	struct answer rows[64];
	size_t n;
	char *text; /* owned */
};

/* Returns: 0, ERR_IO, ERR_FORMAT with the line, ERR_NOMEM. */
int answers_read(const char *path, struct answers *ret, struct err *e);
void answers_free(struct answers *a);
/* The value, or NULL. */
const char *answers_find(const struct answers *a, const char *name);

#endif
