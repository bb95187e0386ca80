/*
 * capture.h - what a capture tells beyond pprof.h, for the HTTP side.
 */
#ifndef PROFLAB_PPROF_CAPTURE_H
#define PROFLAB_PPROF_CAPTURE_H

#include "pprof/pprof.h"
#include "profile/profile.h"

struct err;

/* As pprof_capture_start, with the reason in words. */
int capture_start(const char *name, const struct pprof_capture_options *options,
		  struct pprof_capture **ret_capture, struct err *e);

/*
 * The profile of a stopped window, with its time and duration set.
 * Owns: the caller, profile_free.
 */
int capture_collect(struct pprof_capture *capture, struct profile **ret_profile,
		    struct err *e);

#endif
