/*
 * evidence.h - the profiles that a judgement rests on, and the questions that
 * are put to them: how much, out of how much, from how many events.
 *
 * Profiles of one kind are a series in the order given: the last is the one
 * judged, the first is the base for growth.
 */
#ifndef PROFLAB_TOOLS_EVIDENCE_H
#define PROFLAB_TOOLS_EVIDENCE_H

#include "profile/profile.h"
#include "tools/findings.h"

enum { EVIDENCE_MAX = 200 };

/* A profile, or an answer of /stats. */
struct exhibit {
	char *kind; /* cpu, heap, heap.cleared, ...; owned */
	char *path; /* owned */
	struct profile *profile;
	struct json_t *stats;
};

struct evidence {
	struct exhibit exhibits[EVIDENCE_MAX];
	size_t n;
};

/*
 * Take in "KIND=FILE", or "FILE" whose kind is told by its sample types
 * (mutex and block have the same: those need the name).  FILE.json is an
 * answer of /stats, and of that kind.
 * Returns: 0, ERR_INVALID, or what profile_decode_file returns, with text.
 */
int evidence_add(struct evidence *v, const char *argument, struct err *e);
void evidence_free(struct evidence *v);

/* The last of that kind, or NULL. */
const struct exhibit *evidence_last(const struct evidence *v, const char *kind);
/* All of that kind, in order.  Returns: how many were written. */
size_t evidence_series(const struct evidence *v, const char *kind,
		       const struct exhibit *ret_series[EVIDENCE_MAX]);

/* A number in the JSON of /stats, by its path ("memory_stats.alloc_mb").
 * Returns: 0; ERR_INVALID with text: not stats, or no such number. */
int evidence_field(const struct exhibit *x, const char *path, double *ret,
		   struct err *e);

/*
 * Does the main mapping carry this build id (lower-case hex)?
 */
bool evidence_is_from(const struct exhibit *x, const char *build_id);

/* Value and events of what matches, in the selected samples. */
struct tally {
	double part, total; /* in the sample type's unit */
	double n_part, n_total;
	/* Squares of the standard errors: each event brings its own weight. */
	double var_part, var_total;
	const char *unit; /* of the profile */
	bool matched;	  /* some function's name matched */
	bool exact;	  /* counted, not sampled: no interval around it */
};

/*
 * of may be anything but a field.  An event is what the sampler really took: a
 * CPU sample, one sampled block (a heap value is unsampled: it is scaled back),
 * a contention. Returns: 0; ERR_INVALID (bad expression, no such sample type)
 * with text; ERR_NOMEM.
 */
int evidence_tally(const struct exhibit *x, const struct selection *s,
		   const struct subject *of, struct tally *ret, struct err *e);

/* The series of values of one subject, fields too, with standard errors. */
struct series {
	double values[EVIDENCE_MAX], errors[EVIDENCE_MAX];
	size_t n;
	const char *unit;
};

/*
 * All exhibits of the selection's kind; after the last of its base, where it
 * has one, which then comes first.
 * Returns: as evidence_tally.
 */
int evidence_values(const struct evidence *v, const struct selection *s,
		    const struct subject *of, struct series *ret,
		    struct err *e);

struct ranked {
	const char *name;
	double flat, cum, n_flat, n_cum;
	bool own; /* of the main program's mapping */
};

/*
 * All functions in the selected samples, by flat or cum, largest first.  Owns:
 * the caller frees *ret; names are the profile's.
 */
int evidence_rank(const struct exhibit *x, const struct selection *s, bool cum,
		  struct ranked **ret, size_t *ret_n, struct err *e);

struct source_line {
	int64_t line;
	double cum;
};

/*
 * The lines of the functions that match the pattern, with what each holds
 * cumulatively, largest first.  Owns: the caller frees *ret (NULL when *ret_n
 * is 0).
 */
int evidence_lines(const struct exhibit *x, const struct selection *s,
		   const char *pattern, struct source_line **ret, size_t *ret_n,
		   struct err *e);

#endif
