/*
 * client.h - one thread that keeps many requests under way, over libcurl's
 * multi interface.
 */
#ifndef PROFLAB_LOAD_CLIENT_H
#define PROFLAB_LOAD_CLIENT_H

#include "load/plan.h"
#include "load/results.h"
#include "load/schedule.h"

struct err;

struct client_config {
	const char *url; /* of the server, without a final slash */
	const struct plan *plan;
	struct schedule *schedule; /* shared with other clients */
	const char *const *headers;
	size_t header_count;
	int64_t timeout_ns; /* of one request */
	int64_t grace_ns;   /* after the schedule's end, for the last answers */
	size_t connections;
};

struct client;

/*
 * Everything that config points to must outlive the client.
 * Owns: the caller; client_free.
 * Returns: 0, ERR_NOMEM, ERR_INVALID (the URL), ERR_IO, with text.
 */
int client_create(const struct client_config *config,
		  struct client **ret_client, struct err *e);

/* NULL is allowed.  Thread: not while client_run runs. */
void client_free(struct client *client);

/*
 * Send what is due, until the schedule is over and every request is answered,
 * or the grace has passed.  A connection that finds nobody at the other end
 * pauses for 0.1 s, then for 0.2, up to 2 s, so that a server that died is not
 * counted as ten thousand failures.
 *
 * Thread: one, for as long as it runs.
 */
void client_run(struct client *client);

/*
 * Look at the schedule again: its end has changed.  With abort, do not wait
 * for answers any more.
 * Thread: any.
 */
void client_wake(struct client *client, bool abort);

/* Add what the client has counted so far.  Thread: any. */
void client_add_results(struct client *client, struct results *to);

/*
 * One GET, alone: for /health.
 * Returns: 0; ERR_NOMEM; ERR_IO with a text that says why.
 */
int client_get_once(const char *url, const char *path,
		    const char *const *headers, size_t header_count,
		    int64_t timeout_ns, struct err *e);

#endif
