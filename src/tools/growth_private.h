/*
 * growth_private.h - what was read of each profile, before it is made into
 * figures: growth_read.c fills it, growth.c reads it.
 */
#ifndef PROFLAB_TOOLS_GROWTH_PRIVATE_H
#define PROFLAB_TOOLS_GROWTH_PRIVATE_H

#include "base/map.h"
#include "tools/growth.h"

/* One function's figure in one profile. */
struct cell {
	uint32_t name;
	double value, events;
};

struct raw_step {
	struct growth_step step;
	struct cell *cells;
	size_t n_cells;
	double counter; /* a total that never falls while the process lives */
	double events;
	size_t given; /* place on the command line */
};

struct growth_raw {
	struct raw_step *steps;
	size_t n_steps;
	char **names;
	size_t n_names;
	struct map by_hash;
	char *types; /* of the first profile: "a/b c/d" */
	char *first_path;
};

#endif
