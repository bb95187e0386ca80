/*
 * reader_number.h - numbers as Go's strconv reads and writes them: the options
 * of proflab-pprof take what those of `go tool pprof` take, and no more.
 */
#ifndef PROFLAB_TOOLS_READER_NUMBER_H
#define PROFLAB_TOOLS_READER_NUMBER_H

#include <stdint.h>

struct buf;

enum number_result {
	NUMBER_OK,
	NUMBER_SYNTAX,
	NUMBER_RANGE,
};

/*
 * All of s as a whole number.  base 10: digits behind an optional sign.
 * base 0: as Go's literals, "0x1f", "0b101", "0o17", "017", "1_000".
 */
enum number_result number_parse_int(const char *s, int base,
				    int64_t *ret_value);
/*
 * All of s as a number: decimal, "0x1p-2", "inf", "nan", "1_000.5".  One that
 * is too small is 0.
 */
enum number_result number_parse_float(const char *s, double *ret_value);
/* As Go's %v: the fewest digits that read back as d; "1e+06", "+Inf". */
void number_format_float(struct buf *b, double d);

#endif
