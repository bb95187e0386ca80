/*
 * budget.h - how far the CPU sampler must slow down to stay within its share
 * of the process's CPU time.  Arithmetic alone: readings go in, two halvings
 * come out.
 *
 * What the sampler costs is in two parts that slow down in two ways: signals
 * (their rate) and the control thread (how often it scans).  The share is
 * taken over a sliding window of the last readings; when it is passed, the
 * dearer part is halved as often as brings the whole below it, and the window
 * begins anew, since what it held was another rate's.  A few readings swing, so
 * in the first half of a window only twice the share is too much.  When twice
 * the cost would still leave a quarter of the budget, a full window long, a
 * part is doubled again, one step at a time.
 */
#ifndef PROFLAB_PPROF_BUDGET_H
#define PROFLAB_PPROF_BUDGET_H

#include <stdint.h>

enum {
	BUDGET_WINDOW = 10, /* intervals between readings */
	/* With less of the process's CPU time a verdict needs two intervals. */
	BUDGET_ENOUGH_NS = 10000000,
};

/* CPU time since any beginning, which stays the same. */
struct budget_reading {
	int64_t process_ns;
	int64_t signals_ns, control_ns; /* of it, the sampler's */
};

struct budget {
	/* The rate, and the scans, are halved so often. */
	unsigned rate_halvings, scan_halvings;
	unsigned rate_halvings_max, scan_halvings_max;
	unsigned n; /* readings in the window */
	struct budget_reading window[BUDGET_WINDOW + 1];
};

/*
 * One more reading.  share: 0 < share <= 1; 0 is no limit.
 * Returns: 1 when something is slower from now on, -1 when faster, else 0.
 */
int budget_check(struct budget *b, double share,
		 const struct budget_reading *reading);

#endif
