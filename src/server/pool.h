/*
 * pool.h - threads for work that may block: one for each task under way, up
 * to a limit, kept for a while after their last task so that the number of
 * threads follows the load.
 */
#ifndef PROFLAB_SERVER_POOL_H
#define PROFLAB_SERVER_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;

/* Embedded in what the task is about.  The pool never touches it again once
 * run has been called. */
struct pool_task {
	void (*run)(struct pool_task *task);
	struct pool_task *next; /* the pool's */
};

/*
 * At most max_threads, named name, which leave when they had nothing to do for
 * idle_ns; at most max_queue tasks that wait for one.
 * Owns: *ret_pool is the caller's until pool_free.
 * Returns: 0 or ERR_NOMEM.
 */
int pool_create(const char *name, size_t max_threads, size_t max_queue,
		int64_t idle_ns, struct pool **ret_pool);

/*
 * Returns: 0, and run will be called, once; ERR_BUSY (the queue is full),
 * ERR_NOMEM (there is no thread, and none could be started).
 */
int pool_submit(struct pool *pool, struct pool_task *task);

size_t pool_threads(struct pool *pool);
size_t pool_queued(struct pool *pool);

/* Blocks: until every task is done and every thread has left.  NULL is
 * allowed.  Thread: the last user. */
void pool_free(struct pool *pool);

#endif
