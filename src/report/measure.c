/* measure.c - see measure.h. */
#include "report/measure.h"

#include "base/attr.h"
#include "report/arith.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ALIASES_MAX = 3, UNITS_MAX = 9 };

struct unit {
	const char *name;
	const char *aliases[ALIASES_MAX + 1];
	double factor;
};

struct unit_kind {
	struct unit units[UNITS_MAX + 1];
	const char *default_name;
	double default_factor;
};

static const struct unit_kind kinds[] = {
	{ .units = { { "B", { "b", "byte" }, 1 },
		     { "kB", { "kb", "kbyte", "kilobyte" }, 0x1p10 },
		     { "MB", { "mb", "mbyte", "megabyte" }, 0x1p20 },
		     { "GB", { "gb", "gbyte", "gigabyte" }, 0x1p30 },
		     { "TB", { "tb", "tbyte", "terabyte" }, 0x1p40 },
		     { "PB", { "pb", "pbyte", "petabyte" }, 0x1p50 } },
	  .default_name = "B",
	  .default_factor = 1 },
	{ .units = { { "ns", { "ns", "nanosecond" }, 1 },
		     { "us", { "\u03bcs", "us", "microsecond" }, 1e3 },
		     { "ms", { "ms", "millisecond" }, 1e6 },
		     { "s", { "s", "sec", "second" }, 1e9 },
		     { "hrs", { "hour", "hr" }, 3600e9 } },
	  .default_name = "s",
	  .default_factor = 1e9 },
	{ .units = { { "n*GCU", { "nanogcu" }, 1e-9 },
		     { "u*GCU", { "microgcu" }, 1e-6 },
		     { "m*GCU", { "milligcu" }, 1e-3 },
		     { "GCU", { "gcu" }, 1 },
		     { "k*GCU", { "kilogcu" }, 1e3 },
		     { "M*GCU", { "megagcu" }, 1e6 },
		     { "G*GCU", { "gigagcu" }, 1e9 },
		     { "T*GCU", { "teragcu" }, 1e12 },
		     { "P*GCU", { "petagcu" }, 1e15 } },
	  .default_name = "GCU",
	  .default_factor = 1 },
};

/* "Kilobytes" and "kb" are the same unit: lower case, no plural. */
static const struct unit *find_unit(const struct unit_kind *kind,
				    const char *name)
{
	char key[16];
	size_t len = strlen(name);
	if (len >= sizeof(key))
		return NULL;
	for (size_t i = 0; i <= len; i++)
		key[i] = name[i] >= 'A' && name[i] <= 'Z'
				 ? (char)(name[i] - 'A' + 'a')
				 : name[i];
	if (len > 2 && key[len - 1] == 's')
		key[len - 1] = '\0';
	for (const struct unit *u = kind->units; u->name; u++)
		for (const char *const *a = u->aliases; *a; a++)
			if (strcmp(*a, key) == 0)
				return u;
	return NULL;
}

static const struct unit *best_unit(const struct unit_kind *kind, double value)
{
	const struct unit *best = NULL;
	for (const struct unit *u = kind->units; u->name; u++)
		if ((!best || u->factor >= best->factor) &&
		    value / u->factor >= 1.0)
			best = u;
	return best;
}

static bool chooses(const char *to)
{
	return strcmp(to, "minimum") == 0 || strcmp(to, "auto") == 0;
}

double measure_scale(int64_t value, const char *from, const char *to,
		     const char **ret_unit)
{
	const char *unused;
	if (!ret_unit)
		ret_unit = &unused;
	if (value < 0 && i64_neg(value) > 0)
		return -measure_scale(i64_neg(value), from, to, ret_unit);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct unit_kind *kind = &kinds[i];
		const struct unit *u = find_unit(kind, from);
		if (!u)
			continue;
		const double base = (double)value * u->factor;
		const struct unit *target = chooses(to) ? best_unit(kind, base)
							: find_unit(kind, to);
		*ret_unit = target ? target->name : kind->default_name;
		return base / (target ? target->factor : kind->default_factor);
	}
	static const char *const dull[] = { "count", "sample", "unit",
					    "minimum", "auto" };
	*ret_unit = to;
	for (size_t i = 0; i < ARRAY_SIZE(dull); i++)
		if (strcmp(to, dull[i]) == 0)
			*ret_unit = "";
	return (double)value;
}

char *measure_label(int64_t value, const char *from, const char *to,
		    char buf[static MEASURE_LABEL_MAX])
{
	const char *unit;
	const double v = measure_scale(value, from, to, &unit);
	size_t n = (size_t)snprintf(buf, MEASURE_LABEL_MAX, "%.2f", v);
	if (n >= 3 && strcmp(buf + n - 3, ".00") == 0)
		buf[n -= 3] = '\0';
	if (strcmp(buf, "0") == 0 || strcmp(buf, "-0") == 0)
		snprintf(buf, MEASURE_LABEL_MAX, "0");
	else
		snprintf(buf + n, MEASURE_LABEL_MAX - n, "%s", unit);
	return buf;
}

char *measure_percent(int64_t value, int64_t total,
		      char buf[static MEASURE_PERCENT_MAX])
{
	double ratio = 0;
	if (total)
		ratio = fabs((double)value / (double)total) * 100;
	if (ratio >= 99.95 && ratio <= 100.05)
		snprintf(buf, MEASURE_PERCENT_MAX, "  100%%");
	else if (ratio >= 1.0)
		snprintf(buf, MEASURE_PERCENT_MAX, "%5.2f%%", ratio);
	else
		snprintf(buf, MEASURE_PERCENT_MAX, "%5.2g%%", ratio);
	return buf;
}

const char *measure_percent_trimmed(int64_t value, int64_t total,
				    char buf[static MEASURE_PERCENT_MAX])
{
	const char *s = measure_percent(value, total, buf);
	return s + strspn(s, " ");
}

bool measure_compatible(const char *unit1, const char *unit2)
{
	if (strcmp(unit1, unit2) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (find_unit(&kinds[i], unit1) && find_unit(&kinds[i], unit2))
			return true;
	return false;
}
