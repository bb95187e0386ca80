/* explain.c - see explain.h. */
#include "web/explain.h"

#include "base/attr.h"
#include "profile/profile.h"

#include <string.h>

static const struct {
	const char *type; /* of any sample type */
	struct explanation text;
} rows[] = {
	{ "cpu",
	  { "No thread used the processor while this was measured: the "
	    "process was idle, or waited.",
	    "Put it under load and measure again, for longer. What a process "
	    "waits for shows in the wall and block profiles.",
	    "proflab-pprof -http=: 'http://HOST:PORT/debug/pprof/"
	    "profile?seconds=30'" } },
	{ "wall",
	  { "No thread of the process could be asked for its stack.",
	    "Measure again, for longer; threads that block the profiler's "
	    "signal are counted in the comments.",
	    "" } },
	{ "inuse_space",
	  { "No allocation was sampled: one in about 512 KiB is, so a process "
	    "that allocates little has none; or the heap's rate is 0, or the "
	    "program runs without the malloc shim.",
	    "Sample more often (a rate of 1 records every allocation), then "
	    "let the program work and take it again.",
	    "curl -d heap=4096 http://HOST:PORT/debug/pprof/rates" } },
	{ "delay",
	  { "No thread waited for another: there was no contention, or the "
	    "profile is off. Mutex profiles record one contention in `mutex`, "
	    "block profiles waits of `block` nanoseconds and more; 0 is off.",
	    "Turn it on, put the program under load, and take it again.",
	    "curl -d 'mutex=1&block=1' http://HOST:PORT/debug/pprof/rates" } },
	{ "threadcreate",
	  { "No thread was created since the profiler began.",
	    "Threads that were there before it are in the threads profile.",
	    "" } },
	{ "threads",
	  { "No thread answered when it was asked for its stack.",
	    "Take it again.", "" } },
};

static const struct explanation unknown = {
	"The profile has no samples.",
	"Nothing of what it measures happened, or it was off: see the "
	"documentation of the profiler that wrote it.",
	"",
};

const struct explanation *explain_empty(const struct profile *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (profile_sample_type(p, rows[i].type) != PROFILE_NONE)
			return &rows[i].text;
	return &unknown;
}
