/*
 * concurrent.c - the workload of /concurrent, as the exercise gives it.
 *
 * Ten workers share a hundred tasks.  A task mostly waits, so ten at a time
 * ought to take a tenth of the time.  Measure whether they do:
 *
 *   curl 'http://HOST/concurrent?workers=1&tasks=100'
 *   curl 'http://HOST/concurrent?workers=10&tasks=100'
 *
 * Then put the route under load for a while, stop the load, and ask /stats for
 * the number of threads, before and after.  The answers were all complete and
 * all correct.  Yet something has stayed behind, and
 *
 *   curl http://HOST/debug/pprof/threads?debug=1
 *
 * knows the name of the function where it stands.
 */
#include "workloads/concurrent.h"

#include "base/attr.h"
#include "base/err.h"
#include "workloads/pause.h"
#include "workloads/task.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* See nap_before_waiting. */
enum { NAP_NS = 500 * 1000 };

/*
 * One request's tasks, shared by its workers and the thread that asked.
 *
 * Two conditions, for two questions that are asked by different threads: is
 * there another task (the workers), and have all been done (the one who
 * asked).  With one condition for both, a signal could wake the wrong one.
 */
struct job {
	struct concurrent *work;
	struct job *previous, *next; /* in work->jobs, under threads_lock */

	pthread_mutex_t lock;	 /* guards all that follows */
	pthread_cond_t more;	 /* to the workers: look again */
	pthread_cond_t finished; /* to the one who asked */
	int64_t tasks;
	int64_t taken;
	int64_t done;
	bool closed; /* there will be no more tasks */
	uint64_t digest;
	size_t users; /* workers, and the one who asked: the last one frees */
};

/*
 * What the server keeps between requests.  The count of threads is what /stats
 * adds to its own, and what the ceiling is held against; the list of jobs is
 * there so that nobody who waits is forgotten when the server stops.
 */
struct concurrent {
	pthread_mutex_t work_lock; /* held by whoever does a task */

	pthread_mutex_t threads_lock; /* guards all that follows */
	pthread_cond_t thread_ended;
	size_t threads;
	size_t ceiling;
	struct job *jobs; /* those that somebody still uses */
};

int concurrent_create(size_t thread_ceiling, struct concurrent **ret_work)
{
	struct concurrent *work = calloc(1, sizeof(*work));
	if (!work)
		return ERR_NOMEM;
	pthread_mutex_init(&work->work_lock, NULL);
	pthread_mutex_init(&work->threads_lock, NULL);
	pthread_cond_init(&work->thread_ended, NULL);
	work->ceiling =
		thread_ceiling ? thread_ceiling : CONCURRENT_CEILING_DEFAULT;
	*ret_work = work;
	return 0;
}

/* Watch this one: /stats, before the load, during it, and well after it. */
size_t concurrent_threads(struct concurrent *work)
{
	pthread_mutex_lock(&work->threads_lock);
	const size_t threads = work->threads;
	pthread_mutex_unlock(&work->threads_lock);
	return threads;
}

/* ---- a job, and who still uses it ---- */

/*
 * The one who asked may be done with the job before the last worker has seen
 * that it is over, so neither of them can simply free it: the users are
 * counted, and whoever goes last turns out the light.
 */

static struct job *job_create(struct concurrent *work, int64_t tasks)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->work = work;
	job->tasks = tasks;
	job->closed = tasks == 0;
	job->users = 1;
	pthread_mutex_init(&job->lock, NULL);
	pthread_cond_init(&job->more, NULL);
	pthread_cond_init(&job->finished, NULL);
	pthread_mutex_lock(&work->threads_lock);
	job->next = work->jobs;
	if (job->next)
		job->next->previous = job;
	work->jobs = job;
	pthread_mutex_unlock(&work->threads_lock);
	return job;
}

/* The last user frees it.  A worker that never ends keeps its job, too. */
static void job_release(struct job *job)
{
	struct concurrent *work = job->work;
	pthread_mutex_lock(&job->lock);
	const bool last = --job->users == 0;
	pthread_mutex_unlock(&job->lock);
	if (!last)
		return;
	pthread_mutex_lock(&work->threads_lock);
	if (job->previous)
		job->previous->next = job->next;
	else
		work->jobs = job->next;
	if (job->next)
		job->next->previous = job->previous;
	pthread_mutex_unlock(&work->threads_lock);
	pthread_cond_destroy(&job->finished);
	pthread_cond_destroy(&job->more);
	pthread_mutex_destroy(&job->lock);
	free(job);
}

/* ---- what a worker does ---- */

/*
 * A task's outcome goes into its job's digest, which several workers write, so
 * there is a lock.  It belongs to the server, not to the job; and it is held
 * from before the task until after it.  Follow in the mutex profile who makes
 * whom wait, and for what.
 */
static ON_STACK void do_task(struct job *job, int64_t task)
{
	pthread_mutex_lock(&job->work->work_lock);
	wait_for_task_input(task);
	const uint64_t outcome = compute_task(task);
	pthread_mutex_lock(&job->lock);
	job->digest += outcome;
	if (++job->done == job->tasks) {
		job->closed = true;
		pthread_cond_broadcast(&job->more);
		pthread_cond_signal(&job->finished);
	}
	pthread_mutex_unlock(&job->lock);
	pthread_mutex_unlock(&job->work->work_lock);
}

enum { TASK_NONE = -1, TASK_CLOSED = -2 };

/*
 * The next task; or that there is none now; or that there never will be.
 *
 * Note that this looks, answers, and lets go of the lock.  The answer was true
 * when it was given.
 */
static int64_t take_task(struct job *job)
{
	int64_t task = TASK_NONE;
	pthread_mutex_lock(&job->lock);
	if (job->closed)
		task = TASK_CLOSED;
	else if (job->taken < job->tasks)
		task = job->taken++;
	pthread_mutex_unlock(&job->lock);
	return task;
}

/*
 * Going to sleep on a condition and being woken again costs two system calls
 * and a journey through the scheduler.  Often more work is there in a moment;
 * so an idle worker first takes a short nap, and only then lies down.
 */
static ON_STACK void nap_before_waiting(void)
{
	pause_ns(NAP_NS);
}

/*
 * Wait until somebody says that it is worth looking again.
 *
 * pthread_cond_wait needs the lock, gives it up while it waits, and has it
 * again when it returns.  Its manual page has one more thing to say about how
 * it is to be called; so has every book on threads.
 */
static ON_STACK void wait_for_more_tasks(struct job *job)
{
	nap_before_waiting();
	pthread_mutex_lock(&job->lock);
	pthread_cond_wait(&job->more, &job->lock);
	pthread_mutex_unlock(&job->lock);
}

/*
 * A worker's whole life: created for one request, and gone with it.
 *
 * To create a thread takes some 20 to 50 microseconds, its stack is mapped and
 * unmapped, and the scheduler meets a stranger.  For a hundred tasks that may
 * be little.  In the profile of this route it can be compared with the work.
 */
static ON_STACK void *run_worker(void *arg)
{
	struct job *job = arg;
	struct concurrent *work = job->work;
	int64_t task;
	while ((task = take_task(job)) != TASK_CLOSED) {
		if (task == TASK_NONE)
			wait_for_more_tasks(job);
		else
			do_task(job, task);
	}
	job_release(job);
	pthread_mutex_lock(&work->threads_lock);
	work->threads--;
	pthread_cond_signal(&work->thread_ended);
	pthread_mutex_unlock(&work->threads_lock);
	return NULL;
}

/* ---- the request ---- */

/*
 * Room for that many threads more?  Then they count from now on.
 *
 * The ceiling is there for the exercise: without it, threads that stay behind
 * would add up until pthread_create fails, somewhere else in the server and
 * for a request that has done nothing wrong.  At the ceiling this route says
 * 503, and the others live on.
 */
static int reserve_threads(struct concurrent *work, size_t workers)
{
	int rc = 0;
	pthread_mutex_lock(&work->threads_lock);
	if (work->threads + workers > work->ceiling)
		rc = ERR_LIMIT;
	else
		work->threads += workers;
	pthread_mutex_unlock(&work->threads_lock);
	return rc;
}

static void return_threads(struct concurrent *work, size_t workers)
{
	pthread_mutex_lock(&work->threads_lock);
	work->threads -= workers;
	pthread_cond_signal(&work->thread_ended);
	pthread_mutex_unlock(&work->threads_lock);
}

/*
 * Detached: nobody will ask how they ended, so nobody has to join them.  That
 * also means that nobody will notice if one does not end.
 *
 * Returns: how many were started.
 */
static size_t start_workers(struct job *job, size_t workers)
{
	size_t started = 0;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&job->lock);
	job->users += workers;
	pthread_mutex_unlock(&job->lock);
	for (; started < workers; started++) {
		pthread_t thread;
		if (pthread_create(&thread, &attr, run_worker, job))
			break;
	}
	pthread_mutex_lock(&job->lock);
	job->users -= workers - started;
	pthread_mutex_unlock(&job->lock);
	pthread_attr_destroy(&attr);
	return started;
}

/*
 * The request: threads are created for it, and work; it waits for the last
 * result.  threadcreate in the list of profiles shows this function.
 */
ON_STACK int perform_concurrent_work(struct concurrent *work, int64_t workers,
				     int64_t tasks,
				     struct concurrent_result *ret_result)
{
	if (workers < 1 || workers > CONCURRENT_WORKERS_MAX || tasks < 0 ||
	    tasks > CONCURRENT_TASKS_MAX)
		return ERR_INVALID;
	const size_t wanted = (size_t)workers;
	int rc = reserve_threads(work, wanted);
	if (rc)
		return rc;
	struct job *job = job_create(work, tasks);
	if (!job) {
		return_threads(work, wanted);
		return ERR_NOMEM;
	}
	const size_t started = start_workers(job, wanted);
	if (started < wanted)
		return_threads(work, wanted - started);
	if (started) {
		pthread_mutex_lock(&job->lock);
		while (job->done < job->tasks)
			pthread_cond_wait(&job->finished, &job->lock);
		ret_result->results = job->done;
		ret_result->digest = job->digest;
		pthread_mutex_unlock(&job->lock);
	} else {
		rc = ERR_IO;
	}
	job_release(job);
	return rc;
}

/*
 * When the server stops, whoever still stands somewhere and waits is called
 * once more; until all have ended.
 */
void concurrent_free(struct concurrent *work)
{
	if (!work)
		return;
	pthread_mutex_lock(&work->threads_lock);
	while (work->threads) {
		for (struct job *job = work->jobs; job; job = job->next)
			pthread_cond_broadcast(&job->more);
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&work->thread_ended, &work->threads_lock,
				       &until);
	}
	pthread_mutex_unlock(&work->threads_lock);
	pthread_cond_destroy(&work->thread_ended);
	pthread_mutex_destroy(&work->threads_lock);
	pthread_mutex_destroy(&work->work_lock);
	free(work);
}
