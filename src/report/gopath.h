/*
 * gopath.h - file names, cut and cleaned as the Go tool does it.
 */
#ifndef PROFLAB_REPORT_GOPATH_H
#define PROFLAB_REPORT_GOPATH_H

#include <stddef.h>

struct buf;

/* The shortest equal path: no ".", "..", "//" inside; "" becomes ".". */
int gopath_clean(const char *path, struct buf *ret);
/* The last element of a path, appended; "/" and "." as Go has them. */
int gopath_base(const char *path, struct buf *ret);

/*
 * How many bytes to cut from the front of a source file's name: a prefix of
 * trim_path (a list divided by ":"), or, where that is not set, all up to a
 * folder named like the last one of an element of source_path.
 */
size_t gopath_trim(const char *path, const char *trim_path,
		   const char *source_path);

/* The element of a ":" list at *list, moved behind it; len 0 at its end. */
size_t gopath_next(const char **list, const char **ret_element);

#endif
