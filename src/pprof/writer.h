/*
 * writer.h - a stack table's records into a symbolized profile.
 *
 * One writer works at a time in a process (it owns the process's symbolizer);
 * it runs with the heap profiler told to look away, and never in a handler.
 */
#ifndef PROFLAB_PPROF_WRITER_H
#define PROFLAB_PPROF_WRITER_H

#include "pprof/stack_table.h"
#include "profile/profile.h"

struct err;
struct writer;

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
 * (numbers: bytes, age) are added.  All-zero values are skipped.
 */
int writer_add(struct writer *w, const struct stack *stack, uint32_t labels,
	       const int64_t *values, const struct profile_label *extra,
	       size_t n_extra);
/* A sample of a function that is only a name: "_LostTableFull",
 * "_ThreadExit" on top of (leaf-ward of) the given stack, which may be empty.
 */
int writer_add_named(struct writer *w, const char *leaf,
		     const struct stack *stack, uint32_t labels,
		     const int64_t *values);
int writer_comment(struct writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* For interning keys of extra labels. */
struct profile *writer_profile(struct writer *w);

/* The profile, validated; samples sorted by the last value, descending. */
int writer_finish(struct writer *w, struct profile **ret_profile,
		  struct err *e);
void writer_abort(struct writer *w);

/*
 * Freeze: resolve every pc of every registered table that lies in
 * [start, limit), for the object there is about to be unmapped.
 */
int writer_freeze_range(uintptr_t start, uintptr_t limit);
/* Tables whose frames writer_freeze_range must look through. */
void writer_register_table(struct stack_table *t);

#endif
