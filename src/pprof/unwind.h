/*
 * unwind.h - call stacks of the calling thread, by the engine that suits.
 *
 *   libgcc     no cold start worth the name, no dl_iterate_phdr, re-entrant,
 *              about 7 us for 48 frames, 25 us where no rules are kept: each
 *              of its steps is looked at before.  Always there
 *   rules      libgcc's, but what it finds out about a pc is kept: 0.4 us for
 *              48 frames; libgcc itself for stacks with a frame that is not
 *              simple.  Where a shim tells of objects that come and go
 *   libunwind  0.5 us warm, but 0.7 ms on a thread's first use, not
 *              re-entrant, and it calls dl_iterate_phdr: only for threads
 *              that were warmed, and only where our dl_iterate_phdr serves it
 *   fp         frame pointers, bounded by the thread's stack: tests only
 *
 * A product chooses whether libunwind is in it by what it links beside
 * libpprof-core.la: libpprof-unwind.la, or libpprof-nounwind.la.
 */
#ifndef PROFLAB_PPROF_UNWIND_H
#define PROFLAB_PPROF_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unwind_engine {
	UNWIND_AUTO, /* the fastest that is safe for this thread now */
	UNWIND_LIBGCC,
	UNWIND_LIBUNWIND,
	UNWIND_FP,
	UNWIND_RULES,
	UNWIND_ENGINES,
};

enum { UNWIND_DEPTH_MAX = 128 }; /* no engine gives more frames */

const char *unwind_engine_name(enum unwind_engine engine);
/*
 * Is it built in, and allowed in this process?  libunwind is not before
 * unwind_phdr_serve, nor after an object was unloaded (unwind_phdr_refresh);
 * rules are not before unwind_phdr_serve (asked for by name, libgcc serves).
 * Signal: safe.
 */
bool unwind_engine_available(enum unwind_engine engine);

/*
 * Once a process, before the first handler: primes libgcc.  Idempotent.
 * Returns: 0.
 */
int unwind_init(void);
/*
 * Warm libunwind for the calling thread (0.7 ms, 256 KiB), and note the
 * bounds of its stack for fp; idempotent.  Signal: unsafe.
 */
void unwind_warm_thread(void);
/* Has the calling thread been warmed for libunwind?  Signal: safe. */
bool unwind_thread_is_warm(void);

struct unwound {
	size_t depth;	/* 0 = nothing found */
	bool truncated; /* more frames than max */
	bool reentered; /* this thread was unwinding already: depth is 0.
			 * Only with UNWIND_LIBUNWIND: AUTO takes libgcc */
};

/*
 * From inside a handler: the stack that the signal interrupted, pcs[0] being
 * the interrupted pc itself, always.  ucontext is the handler's third
 * argument.  errno is kept.
 * Signal: safe.
 */
struct unwound unwind_from_signal(enum unwind_engine engine,
				  const void *ucontext, uintptr_t *pcs,
				  size_t max);

/*
 * In a handler: is there room to unwind?  Not always, where the interrupted
 * code runs on an alternate stack.  Signal: safe.
 */
bool unwind_has_room(const void *ucontext);

/*
 * From a hook or a plain function: the stack of the caller of the caller,
 * with skip more frames left out; all pcs are return addresses.  The function
 * that calls this must not be inlined into its own caller.  errno is kept.
 * Signal: safe.
 */
struct unwound unwind_from_here(enum unwind_engine engine, size_t skip,
				uintptr_t *pcs, size_t max);

#endif
