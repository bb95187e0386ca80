/*
 * run.h - a whole run: some clients in threads of their own, one schedule.
 */
#ifndef PROFLAB_LOAD_RUN_H
#define PROFLAB_LOAD_RUN_H

#include "load/options.h"
#include "load/results.h"

struct err;
struct run;

/*
 * Is the server there?  GET /health.
 * Returns: 0, ERR_IO with a text, ERR_INVALID, ERR_NOMEM.
 */
int run_check_health(const struct load_options *options, struct err *e);

/*
 * Begin; the clients end by themselves when the time is up.  options must
 * outlive the run.  Call curl_global_init before the first.
 *
 * Owns: the caller; run_finish.
 * Returns: 0, ERR_NOMEM, ERR_INVALID, ERR_IO, with text.
 */
int run_start(const struct load_options *options, struct run **ret_run,
	      struct err *e);

/* A descriptor that becomes readable when all clients have ended. */
int run_fd(const struct run *run);

/* What has been counted so far.  *ret_elapsed_ns: since the start. */
void run_snapshot(struct run *run, struct results *ret_results,
		  int64_t *ret_elapsed_ns);

/* Send no more; wait for the answers.  Thread: any. */
void run_stop(struct run *run);

/* Send no more, and do not wait either. */
void run_abort(struct run *run);

/*
 * Wait for the clients to end, and free the run.  *ret_elapsed_ns is the time
 * in which requests were sent: from the start to the end of the schedule.
 */
void run_finish(struct run *run, struct results *ret_results,
		int64_t *ret_elapsed_ns);

#endif
