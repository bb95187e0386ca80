/*
 * writer.h - a stack table's records into a symbolized profile.
 *
 * One writer works at a time in a process (it owns the process's symbolizer);
 * it runs with the heap profiler told to look away, and never in a handler.
 *
 *	writer_begin(&options, &w, e);
 *	writer_add(w, ...) for each stack; errors stick, so that
 *	writer_finish(w, &profile, e) may be the only one to be checked.
 */
#ifndef PROFLAB_PPROF_WRITER_H
#define PROFLAB_PPROF_WRITER_H

#include "pprof/lost.h"
#include "pprof/stack_table.h"
#include "profile/profile.h"

struct err;
struct writer;

enum { WRITER_VALUES_MAX = 8 }; /* sample types of one profile */

struct writer_sample_type {
	const char *type, *unit;
};

struct writer_options {
	const struct writer_sample_type *sample_types;
	size_t n_sample_types;
	struct writer_sample_type period_type;
	int64_t period;
	const char *default_sample_type; /* NULL = unset */
};

/*
 * Takes the process's symbolizer (refreshed) until writer_finish or
 * writer_abort.  Blocks: waits for another writer.
 */
int writer_begin(const struct writer_options *o, struct writer **ret_writer,
		 struct err *e);

/*
 * One sample: the stack's frames are symbolized, a truncated stack gets the
 * root frame "_StackTruncated", labels come from the set, and extra labels
 * (numbers: bytes, age) are added.  All-zero values are skipped; samples of the
 * same locations and labels become one.
 */
int writer_add(struct writer *w, const struct stack *stack, uint32_t labels,
	       const int64_t *values, const struct profile_label *extra,
	       size_t n_extra);
/* A sample of a function that is only a name, of static life: "_LostTableFull",
 * "_ThreadExit" on top of (leaf-ward of) the given stack, which may be empty
 * or NULL.
 */
int writer_add_named(struct writer *w, const char *leaf,
		     const struct stack *stack, uint32_t labels,
		     const int64_t *values);
/*
 * The losses between two snapshots (since may be NULL): a sample of the
 * cause's function each, value 0 the samples and value 1, if there is one,
 * their weight; and a comment.
 */
int writer_add_lost(struct writer *w, const struct stack_snapshot *since,
		    const struct stack_snapshot *until);
/*
 * All records of a table, as value v = counter v, between two snapshots
 * (since may be NULL), and its losses: what kinds without scaling need.
 */
int writer_add_table(struct writer *w, const struct stack_table *t,
		     const struct stack_snapshot *since,
		     const struct stack_snapshot *until);
int writer_comment(struct writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* For interning keys of extra labels. */
struct profile *writer_profile(struct writer *w);

/*
 * The profile, validated; samples sorted by the last value, descending.
 * Frees the writer in any case.
 * Returns: 0, the first error that any call on w returned, or ERR_FORMAT.
 */
int writer_finish(struct writer *w, struct profile **ret_profile,
		  struct err *e);
/* w may be NULL. */
void writer_abort(struct writer *w);

/*
 * Freeze: resolve every pc of every registered table that lies in
 * [start, limit), for the object there may be about to be unmapped.
 * Returns: 0, or why some pcs will stay without names.
 */
int writer_freeze_range(uintptr_t start, uintptr_t limit);
/*
 * The object there was not unmapped after all: undo the last freeze of the
 * range.  Callers let no other freeze come between the two.
 */
void writer_thaw_range(uintptr_t start, uintptr_t limit);
/* Tables whose frames writer_freeze_range must look through, and whose losses
 * pprof_stat_at adds up. */
void writer_register_table(struct stack_table *t);
void writer_unregister_table(struct stack_table *t);

#endif
