/* spark.c - see spark.h. */
#include "tools/spark.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <string.h>

enum { LEVELS = 8 };

static const char *const blocks[LEVELS] = { "\u2581", "\u2582", "\u2583",
					    "\u2584", "\u2585", "\u2586",
					    "\u2587", "\u2588" };
static const char *const letters[LEVELS] = { "_", ".", ":", "-",
					     "=", "+", "*", "#" };

bool spark_utf8(void)
{
	return setlocale(LC_CTYPE, "") &&
	       !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void spark_append(struct buf *to, const double *values, size_t n, double low,
		  double high, bool utf8)
{
	const char *const *marks = utf8 ? blocks : letters;
	for (size_t i = 0; i < n; i++) {
		if (isnan(values[i])) {
			buf_append_char(to, ' ');
			continue;
		}
		double at = high > low ? (values[i] - low) / (high - low) : 0;
		at = fmin(fmax(at, 0), 1);
		buf_append_str(to, marks[(int)(at * (LEVELS - 1) + 0.5)]);
	}
}
