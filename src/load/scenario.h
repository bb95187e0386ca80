/*
 * scenario.h - what proflab-load can ask of a server: the table of scenarios.
 *
 * A scenario is a set of routes, each with a weight, and for each of a route's
 * parameters the values that are drawn from, all alike.  Adding one is adding
 * a row to the table in scenario.c.
 */
#ifndef PROFLAB_LOAD_SCENARIO_H
#define PROFLAB_LOAD_SCENARIO_H

#include <stddef.h>
#include <stdint.h>

enum { SCENARIO_ROUTES = 8, SCENARIO_PARAMS = 2, SCENARIO_VALUES = 8 };

struct scenario_param {
	const char *name;		     /* NULL ends the list */
	const char *values[SCENARIO_VALUES]; /* NULL ends the list; or */
	const char *prefix; /* prefix_1 .. prefix_N; "": 1 .. N */
	unsigned count;	    /* N */
};

struct scenario_route {
	const char *path; /* NULL ends the list */
	unsigned weight;
	struct scenario_param params[SCENARIO_PARAMS];
};

struct scenario {
	const char *name;
	const char *about;
	/* Used where the command line says nothing. */
	int64_t concurrency;
	int64_t duration_ns;
	int64_t rps; /* 0: as many as there may be */
	struct scenario_route routes[SCENARIO_ROUTES];
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Returns: the scenario of that name, or NULL. */
const struct scenario *scenario_find(const char *name);

#endif
