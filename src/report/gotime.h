/*
 * gotime.h - a moment, in the local time zone, in the two forms that the Go
 * tool prints.
 */
#ifndef PROFLAB_REPORT_GOTIME_H
#define PROFLAB_REPORT_GOTIME_H

#include <stdint.h>

enum { GOTIME_MAX = 96 };

/* "Jan 2, 2006 at 3:04pm (MST)"  Returns: buf. */
char *gotime_kitchen(int64_t ns, char buf[static GOTIME_MAX]);
/* "2006-01-02 15:04:05.123 -0700 MST"  Returns: buf. */
char *gotime_full(int64_t ns, char buf[static GOTIME_MAX]);

#endif
