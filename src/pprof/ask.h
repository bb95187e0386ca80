/*
 * ask.h - ask threads where they are, now: each is sent a real-time signal,
 * and its handler writes down its stack, by libgcc's unwinder, which has no
 * cold start.
 *
 * Standard signals coalesce: with a timer's SIGPROF pending, a request by
 * SIGPROF would vanish.  Real-time ones queue, so every request arrives, or
 * fails where it is made.
 */
#ifndef PROFLAB_PPROF_ASK_H
#define PROFLAB_PPROF_ASK_H

#include "base/attr.h"
#include "pprof/stack_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/*
 * Is the calling thread waiting for a lock?  The lock shims say so; a request
 * finds it.  Written by its own thread, read in its handler.
 */
extern _Thread_local bool ask_waiting_for_lock TLS_INITIAL_EXEC;

enum ask_result {
	ASK_ANSWERED,
	ASK_GONE,    /* it has ended */
	ASK_BLOCKED, /* it blocks the signal */
	ASK_STOPPED, /* by a debugger or SIGSTOP */
	ASK_SILENT,  /* no answer within the limit: in the kernel, or starved */
	ASK_RESULTS,
};

/* "blocks signal", for people. */
const char *ask_result_text(enum ask_result result);

struct ask_answer {
	pid_t tid;
	enum ask_result result;
	bool waiting_for_lock;
	uint32_t labels;
	/* Its CPU clock when it answered; what it then spends on its way back
	 * is a few microseconds more. */
	int64_t clock_ns;
	struct stack stack; /* depth 0 unless ASK_ANSWERED */
};

/*
 * Ask n threads of this process at once, and call fn for each, in order, with
 * an answer that is valid in the call alone.  The calling thread may be among
 * them; its signals are blocked meanwhile, so it answers without one.
 * Thread: one at a time; others wait.  Blocks: at most about ASK_LIMIT_MS.
 * Returns: 0; ERR_NOMEM; ERR_UNSUPPORTED when every signal is taken.
 */
enum { ASK_LIMIT_MS = 500 };
int ask_threads(const pid_t *tids, size_t n,
		void (*fn)(const struct ask_answer *answer, void *arg),
		void *arg, struct err *e);

/* Requests made since the process began, for tests. */
int64_t ask_requests(void);
/* The signal, once there was a request; 0 before. */
int ask_signal(void);

#endif
