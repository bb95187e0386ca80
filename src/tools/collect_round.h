/*
 * collect_round.h - one round of a collection: every capture asked for,
 * checked, kept or named as failed.
 */
#ifndef PROFLAB_TOOLS_COLLECT_ROUND_H
#define PROFLAB_TOOLS_COLLECT_ROUND_H

#include "tools/collect.h"
#include "tools/collect_options.h"
#include "tools/collect_store.h"

#include <stdbool.h>

/*
 * What was whole when stop_fd became readable is kept; then *ret_stopped.
 * Says on standard output what was collected, on standard error what failed.
 */
enum collect_status collect_one_round(const struct collect_options *o,
				      struct collect_store *s, int stop_fd,
				      bool *ret_stopped);

#endif
