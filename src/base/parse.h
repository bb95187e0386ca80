/*
 * parse.h - numbers and durations as people type them, checked.
 *
 * Each takes the whole string or refuses it with a text that names `what`,
 * the value given and the range allowed: `size is "x": must be a whole number
 * from 1 to 100000`.
 */
#ifndef PROFLAB_BASE_PARSE_H
#define PROFLAB_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* Decimal, in [min, max].  Returns: 0 or ERR_INVALID. */
int parse_int(const char *s, const char *what, int64_t min, int64_t max,
	      int64_t *ret_value, struct err *e);

/*
 * Go's time.ParseDuration ("300ms", "1.5h", "2h45m"; units ns us ms s m h), or
 * a bare 0.  Returns: 0 or ERR_INVALID.
 */
int parse_duration(const char *s, const char *what, int64_t min_ns,
		   int64_t max_ns, int64_t *ret_ns, struct err *e);

/*
 * A percentage, "1%" or "0.5%", or a bare 0.  Returns: 0 with *ret_share 0.01
 * for 1%, in [0, 1]; or ERR_INVALID.
 */
int parse_percent(const char *s, const char *what, double *ret_share,
		  struct err *e);

enum { PARSE_DURATION_TEXT = 32 };
/* Go's Duration.String(): "1m30s", "4.85µs", "0s".  Returns: buf. */
char *format_duration(int64_t ns, char buf[static PARSE_DURATION_TEXT]);

#endif
