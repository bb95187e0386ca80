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
 * ret_base NULL: the base is subtracted.  Else *ret_base is the base, NULL
 * where there is none, and *ret_profile is scaled to it where asked for.
 * Returns: 0 and profiles that the caller owns, or an error code with text.
 * What went wrong with one source of several is only told.
 */
int fetch_profiles(const struct reader_source *s, struct profile **ret_profile,
		   struct profile **ret_base, struct err *e);

#endif
