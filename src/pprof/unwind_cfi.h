/*
 * unwind_cfi.h - how the frame at one pc is left, by its .eh_frame entry, when
 * that is simple; private to unwind*.c.
 */
#ifndef PROFLAB_PPROF_UNWIND_CFI_H
#define PROFLAB_PPROF_UNWIND_CFI_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The caller's stack pointer (the CFA) is the stack or the frame pointer plus
 * `cfa`; the return address lies below it; the caller's frame pointer is
 * either as it was, or saved at CFA - `fp`.  Nearly all frames are so.
 */
struct unwind_rule {
	bool from_fp; /* CFA = frame pointer + cfa, not stack pointer + cfa */
	bool last;    /* there is no caller: the other fields mean nothing */
	uint32_t cfa;
	uint32_t fp; /* 0 = as it was */
};

/*
 * The rule in force at pc (of a call: one byte before its return address).
 * Returns: false where there is no entry, or one that is not simple: signal
 * frames, changes of stack, realigned stacks, the linker's stubs.  Signal:
 * safe.
 */
bool unwind_cfi_rule(uintptr_t pc, struct unwind_rule *ret);

/* Is there an entry at all?  Signal: safe. */
bool unwind_cfi_known(uintptr_t pc);

/*
 * Does the code at pc go only by dlclose?  Not what some compiler has made
 * while the program runs, and not iconv's modules, which the C library loads
 * and unloads without telling.  Signal: safe.
 */
bool unwind_cfi_stays(uintptr_t pc);

#endif
