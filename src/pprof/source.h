/*
 * source.h - what stands behind a named profile: one table row a kind.
 *
 * A kind of profile is a `struct source` and one line in source.c's list; the
 * rest (HTTP, windows, deltas, text, gzip) follows from it.
 */
#ifndef PROFLAB_PPROF_SOURCE_H
#define PROFLAB_PPROF_SOURCE_H

#include "base/sink.h"
#include "pprof/pprof.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

/* An opaque "where it stood", made and freed by the source itself. */
struct source_mark;

struct source_options {
	int debug;
	int64_t min_age_ns;
	int hz; /* 0 = the kind's own default */
};

struct source {
	const char *name;	 /* in the URL */
	const char *description; /* one line, in Go's words where it has them */
	/* Entries now (Go's Count); may be NULL: 0. */
	int64_t (*count)(const struct source *s);
	/*
	 * The profile from `since` (NULL: from the beginning) to `until` (NULL:
	 * now), symbolized, unsampled.  Sets sample types, period, comments,
	 * lost samples; not time and duration (the caller does).
	 */
	int (*collect)(const struct source *s, const struct source_options *o,
		       const struct source_mark *since,
		       const struct source_mark *until,
		       struct profile **ret_profile, struct err *e);
	/*
	 * debug=1 and 2; may be NULL: then it is source_write_count (text.h
	 * has this and the other texts of Go).
	 */
	int (*write_text)(const struct source *s,
			  const struct source_options *o,
			  const struct sink *sink, struct err *e);
	/* Windows.  NULL: no delta for this kind. */
	int (*mark)(const struct source *s, struct source_mark **ret_mark);
	void (*mark_free)(struct source_mark *mark);
	/*
	 * Timed kinds (cpu, wall): a window must be started and stopped.
	 * `started` stays valid, as `since`, until it is freed by mark_free.
	 * stop is called once for each start, also when it failed to stop.
	 */
	int (*start)(const struct source *s, const struct source_options *o,
		     struct source_mark **ret_mark, struct err *e);
	int (*stop)(const struct source *s, struct source_mark *started,
		    struct source_mark **ret_mark, struct err *e);
	bool hidden; /* not in the index (an alias, or a timed kind) */
	void *data;
};

/* NULL when there is none.  Timed kinds ("profile", "wall") are found too. */
const struct source *source_find(const char *name);
/* In no order that means anything; NULL past the last. */
const struct source *source_at(size_t i);
/* One more profile of it was taken, a window or a snapshot: for the counters
 * of pprof_stat_at. */
void source_count_taken(const struct source *s);
/* "NAME profile: total N" and the stacks, of what collect gives now. */
int source_write_count(const struct source *s, const struct source_options *o,
		       const struct sink *sink, struct err *e);
/* For kinds made at run time (pprof_new_profile); s stays for ever.
 * Returns: 0, ERR_BUSY (the name is taken), ERR_LIMIT. */
int source_register(const struct source *s);

#endif
