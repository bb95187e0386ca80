/*
 * unwind_rules.h - the walk by rules that are kept, private to unwind*.c: two
 * loads and an addition a frame, where libgcc executes the frame's .eh_frame
 * entry anew.
 *
 * A rule is what the entry says of one pc (unwind_cfi.h), kept in a table that
 * all threads share.  It holds as long as the same code lies at that pc, so
 * the table is emptied whenever objects come or go; where no shim tells of
 * that, it is not used.
 */
#ifndef PROFLAB_PPROF_UNWIND_RULES_H
#define PROFLAB_PPROF_UNWIND_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on unwind_rules_forget is called.  Signal: safe. */
void unwind_rules_enable(void);
bool unwind_rules_enabled(void);
/* Objects come or go.  Signal: safe. */
void unwind_rules_forget(void);
/*
 * While objects go no rule is kept or used: another object may already lie
 * where they were, before somebody forgets.  Signal: safe.
 */
void unwind_rules_pause(bool pause);

struct unwind_cut {
	uintptr_t start; /* leave out up to the first frame with this pc */
	bool keep_start; /* but keep that one */
	size_t skip;	 /* and leave out so many more */
	uintptr_t *pcs;
	size_t max;
};

/*
 * Walk outward from the caller, or from an interrupted pc and its two
 * registers; that pc is the first frame.
 * A walk that leads where neither code nor stack is, by an entry that is wrong,
 * ends there: libgcc would read on, and fault.
 * Returns: how many pcs were stored, with *ret_more as unwind_gcc_walk; or -1
 * where a frame has no simple rule: then pcs means nothing, and libgcc knows.
 * Signal: safe after unwind_init.
 */
int unwind_rules_walk_here(const struct unwind_cut *cut, bool *ret_more);
int unwind_rules_walk(uintptr_t pc, uintptr_t sp, uintptr_t fp,
		      const struct unwind_cut *cut, bool *ret_more);

/*
 * May another unwinder go on outward from such a frame, where it checks
 * nothing?  at: as for unwind_cfi_rule.  Signal: safe.
 */
bool unwind_rules_lead_on(uintptr_t at, uintptr_t sp, uintptr_t fp);

#endif
