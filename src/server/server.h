/*
 * server.h - the running server: one thread that speaks HTTP, workers for the
 * workloads, threads of libpprof-http for the profiles.
 */
#ifndef PROFLAB_SERVER_SERVER_H
#define PROFLAB_SERVER_SERVER_H

#include "http/listen.h"
#include "server/dashboard.h"
#include "server/options.h"
#include "server/stats.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct cache;
struct concurrent;
struct data_store;
struct database;
struct err;
struct pool;
struct pprof_http;

struct server {
	struct server_options options;
	int64_t started_ns; /* since 1970 */
	struct listener listener;
	struct MHD_Daemon *daemon;
	struct pprof_http *pprof;
	bool pprof_apart; /* it listens by itself */
	struct pool *workers, *monitors;
	struct stats stats;
	struct dashboard dashboard;

	struct cache *cache;
	struct concurrent *concurrent;
	struct data_store *data;
	struct database *database;

	pthread_mutex_t lock; /* guards the next four */
	pthread_cond_t changed;
	size_t exchanges; /* requests begun and not completed */
	size_t suspended; /* of those, in the hands of another thread */
	bool stopping;	  /* each connection is closed after its answer */
	bool draining;	  /* nothing is handed over any more */
};

/*
 * Make everything and listen.  options' strings must outlive the server.
 * Owns: *ret_server is the caller's; it ends with server_stop.
 * Returns: 0 or a code with text.
 */
int server_start(const struct server_options *options,
		 struct server **ret_server, struct err *e);

/* "http://127.0.0.1:8080" */
const char *server_url(const struct server *s);
/* Where -pprof-listen has the profiles, "http://127.0.0.1:6060/debug/pprof/" or
 * "unix:PATH"; NULL when they are on the server's own port. */
const char *server_pprof_url(const struct server *s);

/*
 * Take no new connections, finish what is served, free everything.  Captures
 * end now: their clients get what there is.
 * Blocks: at most grace_ns, about.
 * Returns: 0; ERR_BUSY when the time was not enough: then *ret_left requests
 * are still worked on, nothing is freed, and nothing is left to do but exit.
 */
int server_stop(struct server *s, size_t *ret_left);

#endif
