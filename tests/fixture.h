/*
 * fixture.h - small shared libraries made at run time with the compiler that
 * made the tests, in a folder that goes with the program.
 */
#ifndef PROFLAB_TESTS_FIXTURE_H
#define PROFLAB_TESTS_FIXTURE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fixture_dir[256];

/* The folder's name and "/name", in one of a few buffers that take turns. */
static inline char *fixture_path(const char *name)
{
	static char text[8][512];
	static unsigned turn;
	char *p = text[turn++ % 8];
	snprintf(p, sizeof(text[0]), "%s/%s", fixture_dir, name);
	return p;
}

/* Call first, from main.  Exits when there can be none. */
static inline void fixture_begin(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(fixture_dir, sizeof(fixture_dir), "%s/proflab-check.XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(fixture_dir)) {
		perror("mkdtemp");
		exit(99);
	}
}

/* Remove the folder and all that is in it. */
static inline void fixture_end(void)
{
	char command[300];
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture_dir);
	if (system(command) != 0)
		perror(command);
}

static inline void fixture_write(const char *name, const char *text)
{
	FILE *f = fopen(fixture_path(name), "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(name);
		exit(99);
	}
}

/* Run a command of the shell in the folder; it must succeed. */
__attribute__((format(printf, 1, 2))) static inline void
fixture_run(const char *format, ...)
{
	char command[2048];
	int n = snprintf(command, sizeof(command), "cd '%s' && ", fixture_dir);
	va_list ap;
	va_start(ap, format);
	vsnprintf(command + n, sizeof(command) - (size_t)n, format, ap);
	va_end(ap);
	if (system(command) != 0) {
		printf("Bail out! failed: %s\n", command);
		fixture_end();
		exit(99);
	}
}

static inline const char *fixture_cc(void)
{
	const char *cc = getenv("CC");
	return cc && *cc ? cc : "cc";
}

#endif
