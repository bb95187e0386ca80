/*
 * unwind_gcc.c - libgcc's unwinder, from the static archive libgcc_eh.a.
 *
 * <unwind.h> is not included on purpose.  It declares these functions with
 * default visibility, so that any shared library which exports them
 * (libgcc_s, libunwind) could satisfy us, by the order of a link line.
 * Declared hidden, they can only come from the archive; a link without it
 * fails.
 */
#include "pprof/unwind_gcc.h"

#include "base/attr.h"
#include "pprof/unwind_rules.h"

#define HIDDEN __attribute__((visibility("hidden")))

struct _Unwind_Context;
typedef int trace_fn(struct _Unwind_Context *context, void *arg);

HIDDEN int _Unwind_Backtrace(trace_fn *trace, void *arg);
HIDDEN uintptr_t _Unwind_GetIPInfo(struct _Unwind_Context *context,
				   int *ret_before);
HIDDEN uintptr_t _Unwind_GetCFA(struct _Unwind_Context *context);
HIDDEN uintptr_t _Unwind_GetGR(struct _Unwind_Context *context, int reg);

enum { GO_ON = 0, STOP = 4 /* _URC_NORMAL_STOP */ };

enum { REG_FP = 6 }; /* DWARF's number */

/* A start that is not among the innermost frames will not come at all. */
enum { SEARCH_MAX = 32 };

struct walk {
	uintptr_t start;
	uintptr_t *pcs;
	size_t max, depth, skip, searched;
	uintptr_t last_cfa;
	bool keep_start, found, more, after_signal;
};

/* cfa: of the frame inside, so this one's stack pointer. */
static int take_frame(struct walk *w, uintptr_t pc, uintptr_t cfa, bool before)
{
	/*
	 * Each call pushes a return address, so the stack must grow from frame
	 * to frame; only a signal may change stacks.  Wrong unwind information
	 * ends here instead of turning in a circle.
	 */
	const bool changed_stack = before || w->after_signal;
	w->after_signal = before;
	if (pc == 0 || (cfa <= w->last_cfa && !changed_stack))
		return STOP;
	w->last_cfa = cfa;

	if (!w->found) {
		w->found = pc == w->start;
		if (!w->found)
			return ++w->searched < SEARCH_MAX ? GO_ON : STOP;
		if (!w->keep_start)
			return GO_ON;
	}
	if (w->skip > 0) {
		w->skip--;
		return GO_ON;
	}
	if (w->depth == w->max) {
		w->more = true;
		return STOP;
	}
	w->pcs[w->depth++] = pc;
	return GO_ON;
}

static int on_frame(struct _Unwind_Context *context, void *arg)
{
	int before; /* the pc of an interrupted frame, not a return address */
	const uintptr_t pc = _Unwind_GetIPInfo(context, &before);
	const uintptr_t sp = _Unwind_GetCFA(context);
	const int code = take_frame(arg, pc, sp, before);
	/* Where the next frame is, libgcc reads whatever is there. */
	if (code == GO_ON &&
	    !unwind_rules_lead_on(before ? pc : pc - 1, sp,
				  _Unwind_GetGR(context, REG_FP)))
		return STOP;
	return code;
}

size_t unwind_gcc_walk(uintptr_t start, bool keep_start, size_t skip,
		       uintptr_t *pcs, size_t max, bool *ret_more)
{
	struct walk w = { .start = start,
			  .pcs = pcs,
			  .max = max,
			  .skip = skip,
			  .keep_start = keep_start };
	_Unwind_Backtrace(on_frame, &w);
	*ret_more = w.more;
	return w.depth;
}

uintptr_t unwind_gcc_address(void)
{
	return (uintptr_t)_Unwind_Backtrace;
}
