/*
 * hooks.h - what the shims (src/shim) tell the profiler.
 *
 * A shim defines someone else's symbol, calls the function here, and passes
 * on to the real one.  Each shim announces itself from a constructor, so that
 * the profiler knows what it can rely on: a program may link libpprof without
 * any shim, and still gets CPU profiles, by scanning for threads.
 *
 * While guard_inside() a shim calls nothing here: it passes straight through.
 */
#ifndef PROFLAB_PPROF_HOOKS_H
#define PROFLAB_PPROF_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dl_phdr_info;

enum hooks {
	HOOKS_THREAD = 1 << 0, /* pthread_create, thrd_create */
	HOOKS_DL = 1 << 1,     /* dlopen, dlclose, dl_iterate_phdr */
	HOOKS_EXEC = 1 << 2,   /* the exec family */
	HOOKS_MALLOC = 1 << 3,
	HOOKS_LOCK = 1 << 4,
};

/* Signal: safe. */
void hooks_announce(unsigned which);
bool hooks_present(unsigned which);

/* ---- threads ---------------------------------------------------------------
 *
 * The creator makes a ticket and passes it to the new thread through the real
 * pthread_create; the new thread redeems it before its start routine runs.
 */
struct hooks_thread;

/*
 * start is for profiles alone (the root of the thread's stacks).
 * Thread: the creator.  Returns: NULL when there is no room, and the thread
 * is then created without us, to be found by the scan.
 */
struct hooks_thread *hooks_thread_new(uintptr_t start, void *fn, void *arg);
/* The real call failed: nobody will redeem it. */
void hooks_thread_cancel(struct hooks_thread *t);
/*
 * Thread: the new one.  From here to its exit (found by a pthread key, so
 * that pthread_exit and cancellation are covered) the thread is registered.
 * Returns: by value, so that the shim can end in a jump to fn.
 */
struct hooks_start {
	void *fn, *arg;
};
struct hooks_start hooks_thread_begin(struct hooks_thread *t);

/* ---- loaded objects ------------------------------------------------------ */

/*
 * Once, from the shim's constructor: what is loaded now stays, and real is the
 * dl_iterate_phdr behind the shim's.  Announces HOOKS_DL.
 * Returns: 0 or ERR_NOMEM.
 */
int hooks_objects_begin(int (*real)(int (*callback)(struct dl_phdr_info *,
						    size_t, void *),
				    void *data));

/*
 * Before dlopen and dlmopen.  Before, not after: those look who calls them, so
 * the shim jumps to them and never comes back.  libunwind is not trusted until
 * the control thread, or the next dlclose, has looked what there is now.
 */
void hooks_objects_adding(void);

/*
 * Around dlclose: whatever has samples and might be unmapped is resolved and
 * frozen; afterwards, what is still there is thawed.
 * Returns: what hooks_objects_closed wants back; NULL when there is nothing.
 */
struct hooks_closing;
struct hooks_closing *hooks_objects_closing(void);
void hooks_objects_closed(struct hooks_closing *closing);

/* ---- exec ------------------------------------------------------------------
 *
 * POSIX timers die with exec, and the kernel discards their signals; a perf
 * event's pending signal would kill the new program.
 */
void hooks_exec_begin(void);
/* The exec failed. */
void hooks_exec_failed(void);

/* ---- daemons ----------------------------------------------------------------
 *
 * setsid or daemon succeeded: this process means to outlive its parent, so
 * what its parent ran for it (a server's thread) may be started here.
 */
void hooks_daemonized(void);
/* Who wants to be told.  One; at start. */
void hooks_on_daemon(void (*fn)(void));

#endif
