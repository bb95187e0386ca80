/* gotime.c - see gotime.h. */
#include "report/gotime.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static long split(int64_t ns, struct tm *ret_tm)
{
	const int64_t second = 1000000000;
	int64_t s = ns / second, rest = ns % second;
	if (rest < 0) {
		rest += second;
		s--;
	}
	const time_t t = (time_t)s;
	tzset();
	localtime_r(&t, ret_tm);
	return (long)rest;
}

static const char *month_name(int month)
{
	static const char names[12][4] = { "Jan", "Feb", "Mar", "Apr",
					   "May", "Jun", "Jul", "Aug",
					   "Sep", "Oct", "Nov", "Dec" };
	return names[month];
}

char *gotime_kitchen(int64_t ns, char buf[static GOTIME_MAX])
{
	struct tm tm;
	split(ns, &tm);
	const int hour = tm.tm_hour % 12 ? tm.tm_hour % 12 : 12;
	snprintf(buf, GOTIME_MAX, "%s %d, %d at %d:%02d%s (%s)",
		 month_name(tm.tm_mon), tm.tm_mday, tm.tm_year + 1900, hour,
		 tm.tm_min, tm.tm_hour < 12 ? "am" : "pm", tm.tm_zone);
	return buf;
}

char *gotime_full(int64_t ns, char buf[static GOTIME_MAX])
{
	struct tm tm;
	char fraction[16] = "";
	const long rest = split(ns, &tm);
	if (rest) {
		snprintf(fraction, sizeof(fraction), ".%09ld", rest);
		for (size_t n = strlen(fraction); fraction[n - 1] == '0'; n--)
			fraction[n - 1] = '\0';
	}
	const long offset = tm.tm_gmtoff < 0 ? -tm.tm_gmtoff : tm.tm_gmtoff;
	snprintf(buf, GOTIME_MAX,
		 "%04d-%02d-%02d %02d:%02d:%02d%s %c%02ld%02ld %s",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, fraction, tm.tm_gmtoff < 0 ? '-' : '+',
		 offset / 3600, offset / 60 % 60, tm.tm_zone);
	return buf;
}
