/*
 * reader_web.h - -http: the profile as a page in the browser.
 */
#ifndef PROFLAB_TOOLS_READER_WEB_H
#define PROFLAB_TOOLS_READER_WEB_H

struct profile;
struct reader_flags;

/*
 * Serve the page until SIGINT or SIGTERM.  base may be NULL.
 * Owns: both profiles are taken.
 * Returns: the exit status; ends the program where it cannot listen.
 */
int web_run(const struct reader_flags *f, struct profile *p,
	    struct profile *base);

#endif
