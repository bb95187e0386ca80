/*
 * concurrent.c - the workload of /concurrent, mended.  solutions/concurrent.md
 * tells the story and has the figures.
 *
 *   threads for every request  a pool, started once, joined at the end
 *   a lock around the work     the work happens without a lock; one is taken
 *                              to hand out a task and to hand in its outcome
 *   a wait without a question  every wait stands in a loop that asks, under
 *                              the lock, whether there is reason to wait
 */
#include "workloads/concurrent.h"

#include "base/attr.h"
#include "base/err.h"
#include "workloads/task.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/*
 * The tasks wait more than they compute, so there may be many more threads
 * than processors.  What matters is that it is a number that somebody chose,
 * not one that the traffic chooses.
 */
enum { POOL_THREADS = 32 };

/* One request's tasks.  It lives on the stack of the thread that asked. */
struct job {
	struct job *next; /* in the pool's ring */
	int64_t tasks;
	int64_t taken;
	int64_t done;
	int64_t workers; /* at most that many tasks at a time */
	int64_t running;
	uint64_t digest;
	pthread_cond_t finished;
};

/*
 * The pool.  One lock for the queue and for all jobs in it, and it is never
 * held for longer than it takes to move a pointer or add a number: with tasks
 * of half a millisecond, 32 threads ask for it some 130,000 times a second at
 * most, for less than a tenth of a microsecond each.
 */
struct concurrent {
	pthread_mutex_t lock; /* guards all that follows, and the jobs */
	pthread_cond_t more;
	struct job *first, *last; /* jobs with tasks that nobody has taken */
	bool stopping;

	/* Set before the threads start, never changed after. */
	pthread_t threads[POOL_THREADS];
	size_t thread_count;
};

/*
 * ---- the queue; all under the lock ----
 *
 * A list of jobs, not of tasks: a request for ten thousand tasks is one entry
 * with a number in it, and costs no memory but its own struct.
 */

static void put_last(struct concurrent *work, struct job *job)
{
	job->next = NULL;
	if (work->last)
		work->last->next = job;
	else
		work->first = job;
	work->last = job;
}

static struct job *take_first(struct concurrent *work)
{
	struct job *job = work->first;
	work->first = job->next;
	if (!work->first)
		work->last = NULL;
	return job;
}

/*
 * A task of the job that has waited longest for its turn; the job goes to the
 * end of the queue if it has more tasks and may have more of them running.  So
 * a request with ten thousand tasks does not keep out one with ten.
 */
static struct job *take_task(struct concurrent *work, int64_t *ret_task)
{
	struct job *job = take_first(work);
	*ret_task = job->taken++;
	job->running++;
	if (job->taken < job->tasks && job->running < job->workers)
		put_last(work, job);
	return job;
}

/*
 * The outcome comes in.  A job that had as many tasks running as it may was
 * not in the queue; now it may have one more.
 */
static void finish_task(struct concurrent *work, struct job *job,
			uint64_t outcome)
{
	job->digest += outcome;
	if (job->running-- == job->workers && job->taken < job->tasks) {
		put_last(work, job);
		pthread_cond_signal(&work->more);
	}
	if (++job->done == job->tasks)
		pthread_cond_signal(&job->finished);
}

/*
 * A thread of the pool: it outlives requests.
 *
 * The wait is the part to compare.  The question (is there a job? are we
 * stopping?) is asked under the lock, and pthread_cond_wait gives the lock up
 * only when the thread is already among the sleepers.  Between asking and
 * sleeping there is no moment at which a signal could find nobody; and who is
 * woken asks again, because a wake-up is a hint and not an answer.
 */
static ON_STACK void *run_worker(void *arg)
{
	struct concurrent *work = arg;
	pthread_mutex_lock(&work->lock);
	for (;;) {
		while (!work->first && !work->stopping)
			pthread_cond_wait(&work->more, &work->lock);
		if (!work->first)
			break;
		int64_t task;
		struct job *job = take_task(work, &task);
		pthread_mutex_unlock(&work->lock);
		wait_for_task_input(task);
		const uint64_t outcome = compute_task(task);
		pthread_mutex_lock(&work->lock);
		finish_task(work, job, outcome);
	}
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

/* ---- the request ---- */

/*
 * Hand the job in, wake as many as it can use, wait for its last outcome.
 *
 * The job may live on this stack, since nobody touches it after its last task
 * was finished under the lock, and we go on only once we have the lock.  That
 * is what the counting of users was for in the faulty variant: there, workers
 * outlived the request.
 */
ON_STACK int perform_concurrent_work(struct concurrent *work, int64_t workers,
				     int64_t tasks,
				     struct concurrent_result *ret_result)
{
	if (workers < 1 || workers > CONCURRENT_WORKERS_MAX || tasks < 0 ||
	    tasks > CONCURRENT_TASKS_MAX)
		return ERR_INVALID;
	struct job job = { .tasks = tasks, .workers = workers };
	pthread_cond_init(&job.finished, NULL);
	pthread_mutex_lock(&work->lock);
	if (tasks) {
		put_last(work, &job);
		for (int64_t i = 0; i < workers && i < tasks; i++)
			pthread_cond_signal(&work->more);
	}
	while (job.done < job.tasks)
		pthread_cond_wait(&job.finished, &work->lock);
	pthread_mutex_unlock(&work->lock);
	pthread_cond_destroy(&job.finished);
	ret_result->results = job.done;
	ret_result->digest = job.digest;
	return 0;
}

/* ---- the pool ---- */

/*
 * Started when the server starts, not at the first request: what a server
 * needs it should find out before anybody waits for it.  Fewer threads than
 * wanted are enough to do the work; none are not.
 */
int concurrent_create(size_t thread_ceiling, struct concurrent **ret_work)
{
	size_t wanted = POOL_THREADS;
	if (thread_ceiling && thread_ceiling < wanted)
		wanted = thread_ceiling;
	struct concurrent *work = calloc(1, sizeof(*work));
	if (!work)
		return ERR_NOMEM;
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->more, NULL);
	while (work->thread_count < wanted &&
	       !pthread_create(&work->threads[work->thread_count], NULL,
			       run_worker, work))
		work->thread_count++;
	if (!work->thread_count) {
		concurrent_free(work);
		return ERR_IO;
	}
	*ret_work = work;
	return 0;
}

/* Tell them, wake them, and wait for each: joined, none is left behind. */
void concurrent_free(struct concurrent *work)
{
	if (!work)
		return;
	pthread_mutex_lock(&work->lock);
	work->stopping = true;
	pthread_cond_broadcast(&work->more);
	pthread_mutex_unlock(&work->lock);
	for (size_t i = 0; i < work->thread_count; i++)
		pthread_join(work->threads[i], NULL);
	pthread_cond_destroy(&work->more);
	pthread_mutex_destroy(&work->lock);
	free(work);
}

/* Constant: whatever is asked, in /stats the line is flat. */
size_t concurrent_threads(struct concurrent *work)
{
	return work->thread_count;
}
