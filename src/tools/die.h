/*
 * die.h - how the programs end when they cannot go on.
 */
#ifndef PROFLAB_TOOLS_DIE_H
#define PROFLAB_TOOLS_DIE_H

#include <stddef.h>

/* Print the text and a newline to standard error, and exit with status 2. */
_Noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Memory or the end of the program. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
