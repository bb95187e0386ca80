/*
 * profile.h - a profile in memory: the model of profile.proto, in columns.
 *
 * Everything refers to everything else by index into a table of its kind,
 * from 0; PROFILE_NONE means "none".  (The ids of profile.proto exist only on
 * the wire: the decoder maps them to indices, the encoder writes 1..n in
 * order, mapping and function and location alike.)  Strings are interned:
 * equal text has the equal index, and index 0 is "".
 *
 * Samples are columns: sample i has the locations
 * sample_locs[i].first .. +count of `locs`, leaf first; the values
 * values[i * n_sample_types + t]; the labels sample_labels[i].first .. +count
 * of `labels`.  No sample owns memory of its own.  A column without rows is
 * not NULL.
 *
 * A profile is a plain value with one owner: no function here locks, and none
 * may be called from a signal handler.  Readers use the fields directly;
 * writers use the functions, which keep the tables interned and the limits.
 */
#ifndef PROFLAB_PROFILE_PROFILE_H
#define PROFLAB_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PROFILE_NONE UINT32_MAX

struct profile_value_type {
	uint32_t type; /* string */
	uint32_t unit; /* string */
};

struct profile_mapping {
	uint64_t start, limit, offset;
	uint32_t filename; /* string */
	uint32_t build_id; /* string, lower-case hex */
	bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct profile_function {
	uint32_t name;	      /* string, for people */
	uint32_t system_name; /* string, mangled */
	uint32_t filename;    /* string */
	int64_t start_line;
};

/* The line table of one location: innermost inlined call first. */
struct profile_line {
	uint32_t function;
	int64_t line;
};

struct profile_location {
	uint64_t address;
	uint32_t mapping; /* index, or PROFILE_NONE */
	uint32_t line_first, line_count;
	bool is_folded;
};

/* Either str is a non-empty string, or num (with num_unit) is the value. */
struct profile_label {
	uint32_t key;
	uint32_t str;
	int64_t num;
	uint32_t num_unit;
};

struct profile_span {
	uint32_t first, count;
};

struct profile {
	struct profile_value_type *sample_types;
	size_t n_sample_types;
	struct profile_mapping *mappings;
	size_t n_mappings;
	struct profile_function *functions;
	size_t n_functions;
	struct profile_location *locations;
	size_t n_locations;
	struct profile_line *lines;
	size_t n_lines;

	size_t n_samples;
	struct profile_span *sample_locs;   /* n_samples */
	struct profile_span *sample_labels; /* n_samples */
	int64_t *values;		    /* n_samples * n_sample_types */
	uint32_t *locs;
	size_t n_locs;
	struct profile_label *labels;
	size_t n_labels;

	uint32_t *comments; /* strings */
	size_t n_comments;
	struct profile_value_type period_type;
	int64_t period;
	int64_t time_nanos;
	int64_t duration_nanos;
	uint32_t default_sample_type;	   /* string; 0 = unset */
	uint32_t drop_frames, keep_frames; /* strings; 0 = unset */
	uint32_t doc_url;		   /* string; 0 = unset */

	struct profile_private *priv; /* capacities, string table, indices */
};

/* Returns: an empty profile, or NULL without memory.  Owns: the caller. */
struct profile *profile_new(void);
/* p may be NULL. */
void profile_free(struct profile *p);
/* A deep copy, or NULL without memory. */
struct profile *profile_copy(const struct profile *p);

/* ---- strings ------------------------------------------------------------ */

/*
 * The text of a string index; "" for one out of range.  May hold any bytes
 * but is always followed by a NUL.  Valid until the profile is freed (it does
 * not move when strings are added).
 */
const char *profile_str(const struct profile *p, uint32_t string);
size_t profile_str_len(const struct profile *p, uint32_t string);
size_t profile_n_strings(const struct profile *p);
/* Intern.  Returns: the index, or PROFILE_NONE without memory. */
uint32_t profile_intern(struct profile *p, const char *s);
uint32_t profile_intern_len(struct profile *p, const char *s, size_t len);
/* The index of a string that is already there, or PROFILE_NONE. */
uint32_t profile_find_str(const struct profile *p, const char *s);

/*
 * NULs in texts, which end a C string too early: another byte stands for them,
 * one below 32 that no text of the n profiles has, while reports are made; who
 * writes a report, and the encoder, put the NUL back.  The profiles stay as
 * they are where none has a NUL, or all have no byte to spare.
 * Returns: that byte, or '\0'.
 */
char profile_hide_nuls(struct profile *const *ps, size_t n);
/* The byte that stands for NUL, or '\0' where none does. */
char profile_nul_byte(const struct profile *p);
/* The texts of this profile come from one that has such a byte, or '\0'. */
void profile_set_nul_byte(struct profile *p, char byte);

/* ---- building ------------------------------------------------------------
 *
 * Each returns the index of the new row, or PROFILE_NONE when memory ran out
 * or an argument refers to what does not exist; then nothing was added.
 */
uint32_t profile_add_sample_type(struct profile *p, const char *type,
				 const char *unit);
uint32_t profile_add_mapping(struct profile *p,
			     const struct profile_mapping *m);
/* Equal functions (all four fields) are added once. */
uint32_t profile_add_function(struct profile *p,
			      const struct profile_function *f);
/*
 * Adds always; lines are copied.  The one who builds keeps equal locations
 * apart or together.
 */
uint32_t profile_add_location(struct profile *p, uint32_t mapping,
			      uint64_t address,
			      const struct profile_line *lines, size_t n_lines);
/* values has n_sample_types entries.  Copies everything. */
uint32_t profile_add_sample(struct profile *p, const uint32_t *locs,
			    size_t n_locs, const int64_t *values,
			    const struct profile_label *labels,
			    size_t n_labels);
uint32_t profile_add_comment(struct profile *p, const char *text);

/* The sample type called name, or PROFILE_NONE. */
uint32_t profile_sample_type(const struct profile *p, const char *name);

/* ---- judging -------------------------------------------------------------
 *
 * All rules of profile.proto and of google/pprof's CheckValid that the model
 * can break: every index in range, sample types where there are samples, each
 * label either text or number, mapping start <= limit (0: not known).
 * Returns: 0 or ERR_FORMAT with the first rule broken, in words.
 */
int profile_validate(const struct profile *p, struct err *e);

/* ---- arithmetic (scale.c, merge.c) ----------------------------------------
 */

/*
 * Multiply every value of type t by ratios[t], rounding half away from 0, and
 * keep the samples of which a scaled value is not 0: google/pprof's ScaleN,
 * which does nothing when all ratios are 1, and does not look at the values
 * of a type whose ratio is 1.  What does not fit an int64 becomes INT64_MIN.
 */
void profile_scale(struct profile *p, const double *ratios);
/* Exact negation, for subtraction; samples stay as they are. */
void profile_negate(struct profile *p);
/* The sum of each value type, n_sample_types of them; wraps on overflow. */
void profile_sums(const struct profile *p, int64_t *ret_sums);
/*
 * Scale p so that each type's sum is base's: google/pprof's Normalize.
 * Returns: 0, ERR_INVALID (not compatible), ERR_NOMEM.
 */
int profile_normalize(struct profile *p, const struct profile *base,
		      struct err *e);

/*
 * May the two be merged, compared: the same sample types in the same order,
 * and the same period type?
 * Returns: 0, or ERR_INVALID with the types that differ.
 */
int profile_compatible(const struct profile *a, const struct profile *b,
		       struct err *e);

/*
 * One profile from n: samples with the same stack and labels are added up,
 * those that become all zero vanish, as google/pprof's Merge does (same keys,
 * same order of first appearance; time is the earliest, duration the sum,
 * period the largest; comments united).  What no sample refers to is left
 * out, the first mapping apart, so merging one profile compacts it.  Labels
 * stand in the order of their keys, strings before numbers.  Sums wrap.
 * Sample types and period type must be the same.
 * Returns: 0 and a profile that the caller owns; ERR_INVALID with the types
 * that differ, or when n is 0; ERR_NOMEM; ERR_LIMIT (2^32 rows).
 */
int profile_merge(const struct profile *const *ps, size_t n,
		  struct profile **ret_merged, struct err *e);

/*
 * What profile_merge of *p alone gives, made in the memory of *p where that is
 * possible: half the time and half the memory.  *p is replaced.
 * Returns: 0; ERR_NOMEM, ERR_LIMIT: *p was freed and is NULL.
 */
int profile_compact(struct profile **p, struct err *e);

/*
 * after - before, merged: what happened in between.  time_nanos is after's,
 * duration the difference of the two times, as net/http/pprof's delta.
 */
int profile_subtract(const struct profile *after, const struct profile *before,
		     struct profile **ret_delta, struct err *e);

#endif
