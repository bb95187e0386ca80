/*
 * merger.h - one profile being made of several: its state, and the tables'
 * rows in it.  Not for other folders: profile_merge is.
 */
#ifndef PROFLAB_PROFILE_MERGER_H
#define PROFLAB_PROFILE_MERGER_H

#include "profile/index.h"
#include "profile/profile.h"

struct merger {
	struct profile *out;
	struct index mappings, locations, samples, comments;
	/* Of the source at hand: its rows to ours, PROFILE_NONE while unseen.
	 */
	const struct profile *src;
	uint32_t *strings_of, *mappings_of, *functions_of, *locations_of;
	int64_t *values; /* of its sample at hand */
};

/*
 * The row of the merged profile for one of the source at hand, made when there
 * is none yet.  Returns: 0, ERR_NOMEM, ERR_LIMIT.
 */
int merge_string(struct merger *m, uint32_t string, uint32_t *ret_ours);
int merge_mapping(struct merger *m, uint32_t mapping, uint32_t *ret_ours);
int merge_location(struct merger *m, uint32_t location, uint32_t *ret_ours);

#endif
