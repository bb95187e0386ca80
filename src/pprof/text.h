/*
 * text.h - Go's legacy texts (debug=1), from a collected profile.
 *
 * A row has the raw return addresses after "@", which readers take to be one
 * past the call; a profile's addresses are inside the call, so each is printed
 * plus one.  Below it stand the frames, aligned as Go's tabwriter does.
 * Functions that are only a name (losses) have no address, and appear among
 * the frames alone.
 *
 * All write in pieces.  Returns: 0, ERR_NOMEM, or what the sink returned.
 */
#ifndef PROFLAB_PPROF_TEXT_H
#define PROFLAB_PPROF_TEXT_H

#include "base/sink.h"
#include "profile/profile.h"

#include <stdint.h>

struct err;

/*
 * Where the function that holds an address begins, for "name+0x1f": the
 * process's symbolizer, unless a test says otherwise.
 */
extern uint64_t (*text_function_start)(uint64_t address);

/* "NAME profile: total N": value 0 of each sample. */
int text_count(const struct sink *sink, const char *name,
	       const struct profile *p, struct err *e);

/*
 * "--- NAME:" ("contention" for block, "mutex"): value 1 (delay, in cycles)
 * and value 0 (contentions).  sampling_period 0 leaves its line out.
 */
int text_contention(const struct sink *sink, const char *name,
		    int64_t cycles_per_second, int64_t sampling_period,
		    const struct profile *p, struct err *e);

/*
 * "heap profile: ... @ heap/2*rate".  The four values are alloc_objects,
 * alloc_space, inuse_objects, inuse_space, as they were sampled, unscaled:
 * readers of this text scale them by the rate.  The owner adds the memory
 * statistics after it.
 */
int text_heap(const struct sink *sink, int64_t rate, const struct profile *p,
	      struct err *e);

#endif
