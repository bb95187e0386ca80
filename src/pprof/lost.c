/*
 * lost.c - the names of the causes, and the counting.
 */
#include "pprof/lost.h"

#include "base/attr.h"

#include <stddef.h>

static const struct {
	const char *function, *name;
} causes[LOST_CAUSES] = {
	[LOST_TABLE_FULL] = { "_LostTableFull", "table_full" },
	[LOST_REENTRY] = { "_LostReentry", "reentry" },
	[LOST_NO_TIMER] = { "_LostNoTimer", "no_timer" },
	[LOST_BLOCKED] = { "_LostBlocked", "blocked" },
};

const char *lost_function(enum lost_cause cause)
{
	return (size_t)cause < ARRAY_SIZE(causes) ? causes[cause].function
						  : "_Lost";
}

const char *lost_name(enum lost_cause cause)
{
	return (size_t)cause < ARRAY_SIZE(causes) ? causes[cause].name
						  : "unknown";
}

void lost_add(struct lost *l, enum lost_cause cause, int64_t samples,
	      int64_t weight)
{
	__atomic_fetch_add((int64_t *)&l->samples[cause], samples,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add((int64_t *)&l->weight[cause], weight,
			   __ATOMIC_RELAXED);
}
