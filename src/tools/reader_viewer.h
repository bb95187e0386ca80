/*
 * reader_viewer.h - showing a file with another program.
 */
#ifndef PROFLAB_TOOLS_READER_VIEWER_H
#define PROFLAB_TOOLS_READER_VIEWER_H

#include <stdbool.h>

struct err;

/*
 * Start the first of these programs (ended by NULL) that there is, with the
 * file as its argument; for browsers $BROWSER comes before all.  Waits for its
 * end unless in_background.
 * Returns: 0; ERR_NOTFOUND where none starts; ERR_IO where it failed.
 */
int viewer_open(const char *const *programs, const char *path,
		bool in_background, struct err *e);

/* The programs that show pages. */
extern const char *const viewer_browsers[];

#endif
