/*
 * thread.h - the threads of this process, as far as they are known: those that
 * the pthread_create hook announced from birth to exit, and those that a scan
 * of /proc/self/task found.
 *
 * A slot never moves and its memory is never given back: a signal that comes
 * late may look at the slot of a thread that is long gone.  A slot is used
 * again for another thread.
 *
 * One lock, thread_registry_lock, guards the registry and every field that is
 * not atomic.  No handler takes it.  It is held across fork.
 */
#ifndef PROFLAB_PPROF_THREAD_H
#define PROFLAB_PPROF_THREAD_H

#include "base/attr.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { THREADS_MAX = 1 << 16 };

struct stack_record;

enum thread_state {
	THREAD_FREE,
	THREAD_UNBORN, /* announced by its creator; may not run yet */
	THREAD_ALIVE,
	THREAD_LEAVING, /* its exit was told; the kernel may still list it */
};

struct thread {
	enum thread_state state;
	_Atomic pid_t tid; /* written under the lock, read by handlers */
	/*
	 * It has no robust list, as glibc gives every pthread: a raw clone,
	 * which may share another thread's TLS.  Read by handlers.
	 */
	_Atomic bool raw;
	bool hooked;	 /* its exit will be told */
	uintptr_t start; /* the start routine; 0 = not known */
	uint32_t labels; /* those of its creator, for its birth alone */
	void *fn, *arg;	 /* for its birth alone */
	struct stack_record *created; /* for its birth alone */
	uint32_t seen;		      /* the last scan that found it */
	uint32_t listed;	      /* thread_scan's own */
	uint32_t left; /* the scan before which it said that it leaves */
	uint32_t next; /* in its hash chain, or in the list of free slots */
};

/* Slot 0 is never used.  Signal: safe. */
struct thread *thread_at(uint32_t slot);
uint32_t thread_slot(const struct thread *t);
/* One past the highest slot ever used. */
uint32_t thread_limit(void);

/*
 * May the thread tid use what is in TLS?  Not when it shares it with another
 * thread (raw clone without CLONE_SETTLS) that was here before: the first one
 * owns it.  Signal: safe.
 */
bool thread_owns_tls(pid_t tid);

/*
 * The holder's signals are all blocked.
 * Blocks: for as long as a capture takes to start or to stop.
 */
void thread_registry_lock(void);
void thread_registry_unlock(void);
/* What the holder blocked before it took the lock. */
const sigset_t *thread_registry_mask(void);

/* ---- under the lock ------------------------------------------------------ */

struct thread *thread_find(pid_t tid);
/* A new live thread.  Returns: NULL when all slots are taken. */
struct thread *thread_add(pid_t tid);
/* Its slot is free again. */
void thread_remove(struct thread *t);

/* What the CPU profiler is told, under the lock. */
struct thread_listener {
	/* In the new thread, before its start routine. */
	void (*born)(struct thread *t);
	/* After it, with no lock held. */
	void (*ready)(void);
	/* A scan was quicker: t, found by it, is the thread `to`, born now. */
	void (*adopted)(struct thread *t, struct thread *to);
	/* It has gone, and its exit was not told. */
	void (*died)(struct thread *t);
	/* In the thread itself, whose clock said so much when its exit hook
	 * began.  Returns: keep the slot as THREAD_LEAVING,
	 * because scans are made that may still find the thread. */
	bool (*leaving)(struct thread *t, int64_t clock_ns);
	/* In the only thread of a forked child, before the others' slots go. */
	void (*forked)(struct thread *self);
};

/* ---- not under the lock -------------------------------------------------- */

/* Once, before the first capture. */
void thread_listen(const struct thread_listener *listener);

/*
 * Read /proc/self/task, then call fn, under the lock, for each thread id that
 * was there, with its slot, or NULL when it is not known; and for those that
 * are known and alive, but were passed over, as happens where others end.
 * fn allocates nothing.  Blocks: for another scan.  Returns: how many ids there
 * were, or ERR_IO, ERR_NOMEM.
 */
int thread_scan(void (*fn)(pid_t tid, struct thread *t, void *arg), void *arg);

/* No robust list.  False as well when that cannot be known. */
bool thread_is_raw(pid_t tid);
/* When it started, on the clock CLOCK_BOOTTIME, to 10 ms; -1 when it is gone.
 */
int64_t thread_started_ns(pid_t tid);
/* What /proc says that it does: 'R', 'S', 'D', 'T', ...; '\0' = it is gone. */
char thread_kernel_state(pid_t tid);
/* The first line of a file in its folder of /proc ("comm", "wchan"); empty
 * when there is none. */
void thread_kernel_text(pid_t tid, const char *name, char *text, size_t size);
/* When it last ran, on the scheduler's clock, which is behind CLOCK_MONOTONIC by
 * what hosts and interrupts took; -1 where the kernel does not tell. */
int64_t thread_last_ran_ns(pid_t tid);
/* Does it block this signal, which was sent to it?  One that only handles it
 * does not.  Reads /proc. */
bool thread_blocks_signal(pid_t tid, int signo);

/* Idempotent: the pthread key, the fork handlers. */
int thread_init(void);

#endif
