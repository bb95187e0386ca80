/*
 * view.h - a profile as one report sees it: filtered, aggregated, its stacks
 * cut, while the profile itself stays as it was read.
 *
 * Tables that are small (functions, lines, locations, mappings) are copied;
 * of the samples only a span and a row number are.  The stacks are shared
 * with the profile until a filter changes one; then they are copied once.
 *
 * Indices of locations, functions and mappings are the profile's, and new
 * rows come behind them.  A string is an index too: below
 * profile_n_strings(p) it is the profile's, above it the view's own.  Equal
 * text has the equal index.
 */
#ifndef PROFLAB_REPORT_VIEW_H
#define PROFLAB_REPORT_VIEW_H

#include "profile/profile.h"
#include "report/arena.h"

#include "base/map.h"

struct view_sample {
	uint32_t first, count; /* span of view.locs, leaf first */
	uint32_t row;	       /* the sample in the profile */
};

struct view_text {
	const char *s;
	size_t len;
};

struct view {
	const struct profile *p;
	struct profile_mapping *mappings; /* p->n_mappings */
	struct profile_function *functions;
	size_t n_functions, cap_functions;
	struct profile_line *lines;
	size_t n_lines, cap_lines;
	struct profile_location *locations;
	size_t n_locations, cap_locations;
	struct view_sample *samples;
	size_t n_samples;
	const uint32_t *locs; /* the profile's or own_locs */
	uint32_t *own_locs;   /* owned; NULL while shared */
	bool *hidden_keys;    /* label keys taken out; NULL = none */

	struct arena arena;
	struct view_text *texts; /* strings that the profile has not */
	size_t n_texts, cap_texts;
	struct map text_index;
};

/*
 * The profile must outlive the view and not change meanwhile.
 * Returns: 0 or ERR_NOMEM.  Owns: the caller, view_free.
 * Thread: many views of one profile may live in many threads.
 */
int view_init(struct view *v, const struct profile *p);
void view_free(struct view *v);

const char *view_str(const struct view *v, uint32_t string);
size_t view_str_len(const struct view *v, uint32_t string);
/* Returns: the index, or PROFILE_NONE without memory. */
uint32_t view_intern(struct view *v, const char *s, size_t len);
static inline size_t view_n_strings(const struct view *v)
{
	return profile_n_strings(v->p) + v->n_texts;
}

/* Value of sample type t of a sample. */
static inline int64_t view_value(const struct view *v,
				 const struct view_sample *s, size_t t)
{
	return v->p->values[(size_t)s->row * v->p->n_sample_types + t];
}

/* Make the stacks the view's own, so that they may be changed in place. */
int view_own_stacks(struct view *v);

/* ---- labels -----------------------------------------------------------------
 *
 * The labels of a sample in the order in which reports know them: texts
 * before numbers, each sorted by key, values of one key in file order.
 */
struct view_labels {
	struct profile_label *rows; /* owned; grows and is reused */
	size_t cap;
	size_t n_texts, n; /* rows 0..n_texts-1 are texts, ..n-1 numbers */
};

/* Returns: 0 or ERR_NOMEM. */
int view_get_labels(const struct view *v, const struct view_sample *s,
		    struct view_labels *ret_labels);
void view_labels_free(struct view_labels *l);
/* The end of the run of rows with the key of row i. */
size_t view_labels_run(const struct view_labels *l, size_t i);
/* Has any number of this run a unit?  Without any, none is meant. */
bool view_labels_have_units(const struct view_labels *l, size_t i, size_t end);

/* The unit of each key with numbers, by string index of the key. */
struct view_units {
	uint32_t *unit; /* by key; PROFILE_NONE where the key has no numbers */
	size_t n;
};

/*
 * The first unit of each key; "bytes" for those known to be bytes, else the
 * key itself.  warn, which may be NULL, is told of keys with several units.
 * Returns: 0 or ERR_NOMEM.
 */
int view_find_units(struct view *v, void (*warn)(void *arg, const char *text),
		    void *arg, struct view_units *ret_units);
void view_units_free(struct view_units *u);
/* "" for a key without numbers. */
const char *view_unit(const struct view *v, const struct view_units *u,
		      uint32_t key);

/* ---- aggregation ------------------------------------------------------------
 *
 * Forget what the granularity does not ask for, so that locations that
 * differ in it alone become equal.
 */
struct view_detail {
	bool inlines, function, filename, line, address;
};
void view_aggregate(struct view *v, const struct view_detail *keep);

#endif
