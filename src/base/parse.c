/* parse.c - see parse.h. */
#include "base/parse.h"

#include "base/attr.h"
#include "base/err.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int parse_int(const char *s, const char *what, int64_t min, int64_t max,
	      int64_t *ret_value, struct err *e)
{
	char *end;
	const int saved = errno;
	errno = 0;
	/* strtoll would skip leading blanks and take a plus sign. */
	const int plain = *s == '-' || (*s >= '0' && *s <= '9');
	const long long v = plain ? strtoll(s, &end, 10) : 0;
	const int bad = !plain || errno || *end || v < min || v > max;
	errno = saved;
	if (bad)
		return err_set(e, ERR_INVALID,
			       "%s is \"%.80s\": must be a whole number from "
			       "%" PRId64 " to %" PRId64,
			       what, s, min, max);
	*ret_value = v;
	return 0;
}

int parse_percent(const char *s, const char *what, double *ret_share,
		  struct err *e)
{
	/* Digits and one point: strtod would take blanks, signs and words. */
	const size_t n = strspn(s, "0123456789.");
	char *end = NULL;
	const double v = n ? strtod(s, &end) : -1;
	const int whole = end == s + n && strcmp(s + n, "%") == 0;
	if (strcmp(s, "0") != 0 && (!whole || v < 0 || v > 100))
		return err_set(e, ERR_INVALID,
			       "%s is \"%.80s\": must be a percentage from 0%% "
			       "to 100%%, such as 1%% or 0.5%%",
			       what, s);
	*ret_share = v / 100;
	return 0;
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "µs", 1000 },
	{ "ms", 1000000 },
	{ "s", INT64_C(1000000000) },
	{ "m", INT64_C(60000000000) },
	{ "h", INT64_C(3600000000000) },
};

/* One "1.5h" at *s, added to *sum.  Returns: false when it is not one. */
static int parse_term(const char **s, double *sum)
{
	char *end;
	if (**s != '.' && (**s < '0' || **s > '9'))
		return 0;
	size_t n = strspn(*s, "0123456789.");
	char number[40];
	if (n >= sizeof(number))
		return 0;
	memcpy(number, *s, n);
	number[n] = '\0';
	const double v = strtod(number, &end);
	if (*end)
		return 0;
	*s += n;
	n = strcspn(*s, "0123456789.");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == n &&
		    !memcmp(*s, units[i].name, n)) {
			*s += n;
			*sum += v * (double)units[i].ns;
			return 1;
		}
	}
	return 0;
}

int parse_duration(const char *s, const char *what, int64_t min_ns,
		   int64_t max_ns, int64_t *ret_ns, struct err *e)
{
	const char *p = s;
	double sum = 0;
	const int negative = *p == '-';
	p += negative;
	int ok = *p != '\0';
	if (!strcmp(p, "0"))
		p++;
	while (ok && *p)
		ok = parse_term(&p, &sum);
	if (negative)
		sum = -sum;
	if (ok && sum >= (double)min_ns && sum <= (double)max_ns) {
		*ret_ns = (int64_t)(sum + (sum < 0 ? -0.5 : 0.5));
		return 0;
	}
	char lo[PARSE_DURATION_TEXT], hi[PARSE_DURATION_TEXT];
	return err_set(e, ERR_INVALID,
		       "%s is \"%.80s\": must be a duration from %s to %s, "
		       "such as 300ms, 10s or 1m30s",
		       what, s, format_duration(min_ns, lo),
		       format_duration(max_ns, hi));
}

char *format_duration(int64_t ns, char buf[static PARSE_DURATION_TEXT])
{
	const char *sign = ns < 0 ? "-" : "";
	const uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	static const struct {
		uint64_t ns;
		int digits;
		const char *name;
	} small[] = { { 1000000000, 9, "s" },
		      { 1000000, 6, "ms" },
		      { 1000, 3, "µs" },
		      { 1, 0, "ns" } };
	if (!u)
		return memcpy(buf, "0s", sizeof("0s"));
	size_t i = 0;
	while (u < small[i].ns)
		i++;
	const uint64_t minutes = i ? 0 : u / 60000000000;
	const uint64_t part = u - minutes * 60000000000;
	char frac[24] = "";
	if (part % small[i].ns) {
		snprintf(frac, sizeof(frac), ".%0*" PRIu64, small[i].digits,
			 part % small[i].ns);
		for (size_t n = strlen(frac); frac[n - 1] == '0'; n--)
			frac[n - 1] = '\0';
	}
	char hm[24] = "";
	if (minutes >= 60)
		snprintf(hm, sizeof(hm), "%" PRIu64 "h%" PRIu64 "m",
			 minutes / 60, minutes % 60);
	else if (minutes)
		snprintf(hm, sizeof(hm), "%" PRIu64 "m", minutes);
	snprintf(buf, PARSE_DURATION_TEXT, "%s%s%" PRIu64 "%s%s", sign, hm,
		 part / small[i].ns, frac, small[i].name);
	return buf;
}
