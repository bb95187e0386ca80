/*
 * label.h - label sets, interned for the life of the process: immutable,
 * capped, named by a small number that fits a stack table's key.
 */
#ifndef PROFLAB_PPROF_LABEL_H
#define PROFLAB_PPROF_LABEL_H

#include "pprof/pprof.h"

#include <stdint.h>

enum {
	LABEL_SETS_MAX = 4096, /* beyond it sets become LABEL_SET_OVERFLOW */
	LABEL_COUNT_MAX = 16,  /* labels a set */
	LABEL_TEXT_MAX = 256,  /* bytes a key, bytes a value */
	LABEL_SET_NONE = 0,
	LABEL_SET_OVERFLOW = 1, /* one label: pprof_labels=overflow */
};

/*
 * The set's number.  Labels are sorted by key; of equal keys the last wins.
 * Returns: a number, or PPROF_ERR_INVALID / PPROF_ERR_LIMIT (per-set caps).
 */
int64_t label_set_intern(const struct pprof_label *labels, size_t n);
/* base with more added, same keys replaced. */
int64_t label_set_with(uint32_t base, const struct pprof_label *more, size_t n);
/* Its labels, sorted by key; they live for ever.  Signal: safe. */
size_t label_set_get(uint32_t set, const struct pprof_label **ret_labels);

/* The calling thread's set.  Signal: safe (TLS, initial-exec). */
uint32_t label_set_current(void);
void label_set_current_set(uint32_t set);

#endif
