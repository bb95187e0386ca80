/*
 * web_fixture.h - small profiles for the tests of the page, written as text.
 */
#ifndef PROFLAB_TESTS_WEB_FIXTURE_H
#define PROFLAB_TESTS_WEB_FIXTURE_H

#include "profile/profile.h"

/* One of one function, made once for each name and line. */
uint32_t fixture_location(struct profile *p, const char *name, int64_t line);
/* A profile of one type, one mapping, and no samples. */
struct profile *fixture_empty(const char *type, const char *unit);
/*
 * Of cpu/nanoseconds, one sample for each text up to a NULL:
 * "root;middle:7;leaf 10", the line of a frame behind a colon, all in
 * dir/file.c.
 */
struct profile *fixture_stacks(const char *const *lines);

#endif
