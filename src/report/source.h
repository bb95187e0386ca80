/*
 * source.h - lines of source files, found as the Go tool finds them.
 */
#ifndef PROFLAB_REPORT_SOURCE_H
#define PROFLAB_REPORT_SOURCE_H

#include <stddef.h>

struct source_reader;

/*
 * search_path is a list of folders divided by ":" (NULL: the working
 * directory); trim_path, which may be NULL, of prefixes to cut; nul_byte what
 * profile_nul_byte says: no file has it in its name.
 * Returns: a reader that the caller owns, or NULL without memory.
 */
struct source_reader *source_new(const char *search_path, const char *trim_path,
				 char nul_byte);
void source_free(struct source_reader *r);

/*
 * Line number of a file, from 1, without its end of line; NULL where there is
 * none.  Valid until the reader is freed.
 */
const char *source_line(struct source_reader *r, const char *path, long line);
/* Why the file could not be read, or NULL; after source_line. */
const char *source_error(struct source_reader *r, const char *path);

#endif
