/*
 * plan.h - which request comes next.
 *
 * Request number i is drawn from the seed and i alone.  So the sequence is the
 * same in every run with the same scenario and seed, whichever thread sends
 * which request, and however fast the server answers.
 */
#ifndef PROFLAB_LOAD_PLAN_H
#define PROFLAB_LOAD_PLAN_H

#include "load/scenario.h"

enum { PLAN_TARGET = 256 };

struct plan {
	const struct scenario *scenario;
	uint64_t seed;
};

/*
 * Path and query of request number i, "/cpu?iterations=500000".
 * Thread: any number at once.
 * Returns: target.
 */
char *plan_target(const struct plan *plan, uint64_t i,
		  char target[static PLAN_TARGET]);

#endif
