/*
 * symbolizer.h - pcs of a running process to frames: the mappings, an object
 * for each, and a cache by pc.
 *
 * A process keeps one for itself.  Objects that were unloaded stay known: what
 * was resolved before dlclose is frozen (symbolizer_freeze) and later answers
 * for the (pc, generation) come from there, never from what is mapped at that
 * address now.
 */
#ifndef PROFLAB_SYMBOL_SYMBOLIZER_H
#define PROFLAB_SYMBOL_SYMBOLIZER_H

#include "symbol/maps.h"
#include "symbol/object.h"

struct symbolizer;

/* Of this process.  Returns: 0, ERR_IO, ERR_NOMEM. */
int symbolizer_new(struct symbolizer **ret_symbolizer, struct err *e);
void symbolizer_free(struct symbolizer *s);

/*
 * Read the mappings anew; what is cached for mappings that stayed is kept.
 * Call it before a batch of look-ups.  Returns: 0, ERR_IO, ERR_NOMEM.
 */
int symbolizer_refresh(struct symbolizer *s, struct err *e);

struct symbolizer_result {
	const struct maps_row *row; /* NULL: mapped nowhere that we know */
	const struct object_frame *frames; /* innermost first; may be NULL */
	size_t n_frames;
};

/*
 * addr is the address to look up (minus 1 already taken for return
 * addresses).  The result is valid until the symbolizer is freed.
 * Thread: one at a time (callers lock).  Signal: unsafe.
 */
void symbolizer_lookup(struct symbolizer *s, uint64_t addr,
		       struct symbolizer_result *ret_result);

/*
 * Resolve these addresses now and keep the answers: their object is about to
 * go.  Later look-ups of the same address answer from here until
 * symbolizer_refresh finds another object mapped there; the writer keeps
 * frozen results by its own key (see src/pprof).
 */
int symbolizer_freeze(struct symbolizer *s, const uint64_t *addrs, size_t n);

/* The mappings as last read.  Valid until the next refresh. */
const struct maps *symbolizer_maps(const struct symbolizer *s);

#endif
