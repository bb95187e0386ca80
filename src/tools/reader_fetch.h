/*
 * reader_fetch.h - from the sources on the command line to one profile:
 * fetched, read, added up, the base subtracted, functions named.
 */
#ifndef PROFLAB_TOOLS_READER_FETCH_H
#define PROFLAB_TOOLS_READER_FETCH_H

struct err;
struct profile;
struct reader_source;

/*
 * Returns: 0 and a profile that the caller owns, or an error code with text.
 * What went wrong with one source of several is only told.
 */
int fetch_profiles(const struct reader_source *s, struct profile **ret_profile,
		   struct err *e);

#endif
