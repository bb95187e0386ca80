/*
 * path.h - file names made absolute and normal, without asking the system.
 * Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_PATH_H
#define PROFLAB_SYMBOL_PATH_H

#include <stddef.h>

enum { PATH_TEXT_MAX = 4096 };

/*
 * name, below dir unless it is absolute (dir may be NULL or relative), with
 * "//", "/./" and "/../" taken out by the text alone: the source tree need not
 * exist here.  A name that stays relative keeps its leading "..".
 * Returns: out; "" for a name that is empty or does not fit.
 */
char *path_normalise(const char *dir, const char *name,
		     char out[static PATH_TEXT_MAX]);

#endif
