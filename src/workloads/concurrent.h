/*
 * concurrent.h - the workload of /concurrent: many small tasks, shared out
 * among workers.
 *
 * src/workloads/concurrent.c is the variant that the exercise gives the
 * learner; solutions/concurrent.c is its fixed twin (--with-fixed).
 *
 * A task waits up to a millisecond for something outside (a disk, another
 * server: here a sleep), computes for some microseconds, and adds its outcome
 * to its request's.  Which worker does which task, and in what order, makes no
 * difference to the answer.
 */
#ifndef PROFLAB_WORKLOADS_CONCURRENT_H
#define PROFLAB_WORKLOADS_CONCURRENT_H

#include <stddef.h>
#include <stdint.h>

enum {
	CONCURRENT_WORKERS_DEFAULT = 10,
	CONCURRENT_WORKERS_MAX = 100,
	CONCURRENT_TASKS_DEFAULT = 100,
	CONCURRENT_TASKS_MAX = 10000,
	/* Worker threads alive at once: the default of the server's flag. */
	CONCURRENT_CEILING_DEFAULT = 1024,
};

struct concurrent_result {
	int64_t results; /* tasks done: as many as were asked for */
	uint64_t digest; /* over the outcome of each: twins must agree */
};

/* What outlives a request.  Opaque: each variant has its own. */
struct concurrent;

/*
 * thread_ceiling: how many worker threads there may be (0: the default).  A
 * request whose workers would pass it is refused with ERR_LIMIT, which the
 * route answers as 503.
 *
 * Owns: the caller; concurrent_free.
 * Returns: 0, ERR_NOMEM, ERR_IO (a thread could not be started).
 */
int concurrent_create(size_t thread_ceiling, struct concurrent **ret_work);

/*
 * Ends every thread that is left, and waits until they have ended.  NULL is
 * allowed.  Thread: the last user; no request may be under way.
 */
void concurrent_free(struct concurrent *work);

/*
 * Do `tasks` tasks with at most `workers` of them at the same time.  workers
 * must be in [1, CONCURRENT_WORKERS_MAX], tasks in [0, CONCURRENT_TASKS_MAX].
 *
 * Thread: any number at once.
 * Blocks: until all tasks are done.
 * Returns: 0, ERR_INVALID, ERR_LIMIT (at the ceiling: nothing was begun),
 * ERR_NOMEM, ERR_IO (not one thread could be started).
 */
int perform_concurrent_work(struct concurrent *work, int64_t workers,
			    int64_t tasks,
			    struct concurrent_result *ret_result);

/*
 * Worker threads alive now, busy or not.  What stays above the idle level
 * after the last request has been answered is a leak.
 * Thread: any number at once.
 */
size_t concurrent_threads(struct concurrent *work);

#endif
