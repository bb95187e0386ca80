/*
 * pool.c - see pool.h.
 *
 * Those that wait for work stand on a stack, each with a condition of its
 * own: the one that worked last is woken first, so that under light load the
 * others reach their time-out and leave.  One shared condition would wake them
 * in turn and keep them all.
 */
#include "server/pool.h"

#include "base/clock.h"
#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct worker {
	pthread_cond_t wake;
	struct pool_task *task; /* given by who woke it */
	struct worker *below;	/* on the stack of idle ones */
};

struct pool {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t left;  /* a thread has left */
	char name[16];
	size_t max_threads, max_queue;
	int64_t idle_ns;
	size_t threads, queued;
	struct pool_task *first, **last;
	struct worker *idle;
	bool stopping;
};

static struct pool_task *queue_pop(struct pool *p)
{
	struct pool_task *t = p->first;
	if (!t)
		return NULL;
	p->first = t->next;
	if (!p->first)
		p->last = &p->first;
	p->queued--;
	return t;
}

static void idle_remove(struct pool *p, struct worker *w)
{
	struct worker **at = &p->idle;
	while (*at != w)
		at = &(*at)->below;
	*at = w->below;
}

/* With the lock held.  Returns: NULL when it is time to leave. */
static struct pool_task *worker_wait(struct pool *p, struct worker *w)
{
	struct pool_task *task = queue_pop(p);
	if (task || p->stopping)
		return task;
	w->task = NULL;
	w->below = p->idle;
	p->idle = w;
	const struct timespec until =
		clock_to_timespec(clock_monotonic_ns() + p->idle_ns);
	int rc = 0;
	while (!w->task && !p->stopping && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&w->wake, &p->lock, &until);
	if (!w->task)
		idle_remove(p, w);
	return w->task;
}

static void *worker_run(void *arg)
{
	struct pool *p = arg;
	struct worker w = { 0 };
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w.wake, &attr);
	pthread_condattr_destroy(&attr);

	pthread_mutex_lock(&p->lock);
	struct pool_task *task;
	while ((task = worker_wait(p, &w))) {
		pthread_mutex_unlock(&p->lock);
		task->run(task);
		pthread_mutex_lock(&p->lock);
	}
	pthread_cond_destroy(&w.wake);
	p->threads--;
	pthread_cond_signal(&p->left);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With the lock held. */
static int thread_add(struct pool *p)
{
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	const int rc = pthread_create(&thread, &attr, worker_run, p);
	pthread_attr_destroy(&attr);
	if (rc)
		return ERR_NOMEM;
	/* It cannot leave before we release the lock, so it has a name. */
	pthread_setname_np(thread, p->name);
	p->threads++;
	return 0;
}

int pool_create(const char *name, size_t max_threads, size_t max_queue,
		int64_t idle_ns, struct pool **ret_pool)
{
	struct pool *p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->left, NULL);
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->max_threads = max_threads;
	p->max_queue = max_queue;
	p->idle_ns = idle_ns;
	p->last = &p->first;
	*ret_pool = p;
	return 0;
}

/* With the lock held. */
static int submit(struct pool *p, struct pool_task *task)
{
	struct worker *w = p->idle;
	if (w) {
		p->idle = w->below;
		w->task = task;
		pthread_cond_signal(&w->wake);
		return 0;
	}
	if (p->threads < p->max_threads) {
		const int rc = thread_add(p);
		if (rc && (p->threads == 0 || p->queued >= p->max_queue))
			return rc;
	} else if (p->queued >= p->max_queue) {
		return ERR_BUSY;
	}
	task->next = NULL;
	*p->last = task;
	p->last = &task->next;
	p->queued++;
	return 0;
}

int pool_submit(struct pool *p, struct pool_task *task)
{
	pthread_mutex_lock(&p->lock);
	const int rc = submit(p, task);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

size_t pool_threads(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	const size_t n = p->threads;
	pthread_mutex_unlock(&p->lock);
	return n;
}

size_t pool_queued(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	const size_t n = p->queued;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	for (struct worker *w = p->idle; w; w = w->below)
		pthread_cond_signal(&w->wake);
	while (p->threads)
		pthread_cond_wait(&p->left, &p->lock);
	pthread_mutex_unlock(&p->lock);
	pthread_cond_destroy(&p->left);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
