/*
 * symbolizer.h - pcs of a running process to frames: the mappings, an object
 * for each, and a cache by pc.
 *
 * A process keeps one for itself.  Objects that were unloaded stay known: what
 * was resolved before dlclose is frozen (symbolizer_freeze), and a later
 * answer for that address never comes from what is mapped there now unless a
 * refresh has seen it mapped.  Memory is bounded: beyond 262144 addresses, or
 * 256 MiB of answers, a result has its row and no frames.
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
 * Where separate debug files lie, instead of /usr/lib/debug; "" = use none (a
 * large one costs a tenth of a second and tens of MB to read).  For objects
 * that are asked for the first time from now on.  root must stay.
 */
void symbolizer_set_debug_root(struct symbolizer *s, const char *root);

/*
 * Read the mappings anew; what is cached for mappings that stayed is kept, and
 * the files of those that went are closed.  Call it before a batch of
 * look-ups.  Returns: 0, ERR_IO, ERR_NOMEM; on failure nothing changed.
 */
int symbolizer_refresh(struct symbolizer *s, struct err *e);

struct symbolizer_result {
	const struct maps_row *row; /* NULL: mapped nowhere that we know */
	const struct object_frame *frames; /* innermost first; may be NULL */
	size_t n_frames;
};

/*
 * addr is the address to look up (minus 1 already taken for return
 * addresses).  The result is valid until the symbolizer is freed, and the same
 * mapping always has the same row pointer.
 * A file that is not what was mapped (its build id differs from the one in
 * memory) is never asked: then there are no frames.
 * Thread: one at a time (callers lock).  Signal: unsafe.
 */
void symbolizer_lookup(struct symbolizer *s, uint64_t addr,
		       struct symbolizer_result *ret_result);

/*
 * Refresh, then resolve these addresses and keep the answers: their object is
 * about to go.  Later look-ups of the same address answer from here until
 * symbolizer_refresh finds another object mapped there; the writer keeps
 * frozen results by its own key (see src/pprof).
 * Returns: as symbolizer_refresh; the addresses are resolved in any case.
 */
int symbolizer_freeze(struct symbolizer *s, const uint64_t *addrs, size_t n);

/*
 * Give back the memory of files and of their indexes; the answers stay.  For
 * after a batch, where the next one is far off.
 */
void symbolizer_trim(struct symbolizer *s);

/* The mappings as last read.  Valid until the next refresh or freeze. */
const struct maps *symbolizer_maps(const struct symbolizer *s);

/*
 * Where the linked function that holds addr begins, for "name+0x1f"; 0 when it
 * is not known, or nothing is mapped there now.
 */
uint64_t symbolizer_function_start(struct symbolizer *s, uint64_t addr);

/* Has the row's file line information (for profile.proto's has_* flags)? */
bool symbolizer_has_lines(struct symbolizer *s, const struct maps_row *row);

#endif
