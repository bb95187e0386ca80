/*
 * freeze.h - what pcs meant before their object was unloaded.
 *
 * Each time an object is about to go, stack_table_unloads counts one up; the
 * records that hold its pcs are retired, so that what comes to lie there
 * later makes records of its own, and the pcs are resolved and kept under
 * (address, that count).  A retired record made after `birth` unloads reads,
 * for each address, the first entry later than its birth.
 *
 * Writers' side; what dlclose's hook calls is in writer.h.
 */
#ifndef PROFLAB_PPROF_FREEZE_H
#define PROFLAB_PPROF_FREEZE_H

#include "pprof/stack_table.h"
#include "symbol/symbolizer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What addr meant to a stale stack of this birth; *ret_entry tells one frozen
 * meaning from every other.  Thread: the holder of the symbolizer.
 * Returns: false when it was not frozen.
 */
bool freeze_find(uint64_t addr, uint32_t birth,
		 struct symbolizer_result *ret_result, uint32_t *ret_entry);

/*
 * Were meanings dropped, because there were too many?  Then an address of a
 * stale stack that freeze_find does not know must not be resolved.
 */
bool freeze_overflowed(void);

/* The address to look up for frame i: exact, or inside the call. */
static inline uint64_t freeze_address(const struct stack *s, uint32_t i)
{
	return i == 0 && s->exact_leaf ? s->pcs[0] : s->pcs[i] - 1;
}

/* Every table registered (writer.h).  fn must not register any. */
void freeze_each_table(void (*fn)(struct stack_table *t, void *arg), void *arg);

#endif
