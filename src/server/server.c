/* server.c - see server.h. */
#include "server/server.h"

#include "base/clock.h"
#include "base/err.h"
#include "http/pprof_http.h"
#include "pprof/pprof.h"
#include "server/exchange.h"
#include "server/pool.h"
#include "workloads/cache.h"
#include "workloads/concurrent.h"
#include "workloads/database.h"
#include "workloads/leaky.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	CONNECTIONS_MAX = 16384,
	DESCRIPTORS_KEPT = 128, /* for files, perf events, listeners */
	IDLE_SECONDS = 120,
	MONITOR_THREADS = 2,
	MONITOR_QUEUE = 256,
	MONITOR_IDLE_NS = 1000000000,
	TOKEN_MAX = 510, /* what libpprof-http reads of the file */
};

static int create_workloads(struct server *s, struct err *e)
{
	const struct server_options *o = &s->options;
	const struct cache_options cache = {
		.max_entries = (size_t)o->cache_entries,
	};
	int rc = cache_create(&cache, &s->cache);
	if (!rc)
		rc = concurrent_create((size_t)o->thread_ceiling,
				       &s->concurrent);
	if (!rc)
		rc = data_store_create((size_t)o->leak_ceiling, &s->data);
	if (rc)
		return err_set(e, rc, "workloads: %s", err_name(rc));
	return database_create(o->data_dir, 0, &s->database, e);
}

static int create_pools(struct server *s, struct err *e)
{
	int rc = pool_create("worker", (size_t)s->options.max_workers,
			     (size_t)s->options.max_queue,
			     s->options.worker_idle_ns, &s->workers);
	if (!rc)
		rc = pool_create("monitor", MONITOR_THREADS, MONITOR_QUEUE,
				 MONITOR_IDLE_NS, &s->monitors);
	return rc ? err_set(e, rc, "workers: %s", err_name(rc)) : 0;
}

/* It may be replaced while the server runs; but one that is not there now is
 * a mistake, and all that anybody would see is a 401. */
static int check_token_file(const char *path, struct err *e)
{
	char line[TOKEN_MAX + 2] = "";
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(e, ERR_IO, "-pprof-token-file %s: %s", path,
			       strerror(errno));
	const bool read = fgets(line, sizeof(line), f);
	fclose(f);
	const size_t len = strcspn(line, "\r\n");
	return read && len > 0 && len <= TOKEN_MAX
		       ? 0
		       : err_set(e, ERR_INVALID,
				 "-pprof-token-file %s: its first line must be "
				 "a token of 1 to %d characters",
				 path, TOKEN_MAX);
}

/* Why pprof_http_start failed, in the listener's words. */
static int listen_error(const char *address, int rc, struct err *e)
{
	const int error = errno;
	struct listener l;
	if (rc == PPROF_ERR_INVALID && listener_open(address, &l, e))
		return err_prefix(e, rc, "-pprof-listen");
	return err_set(e, rc, "-pprof-listen %s: %s", address,
		       rc == PPROF_ERR_IO ? strerror(error)
					  : pprof_strerror(rc));
}

static int create_pprof(struct server *s, struct err *e)
{
	const struct server_options *o = &s->options;
	if (o->pprof_token_file) {
		const int rc = check_token_file(o->pprof_token_file, e);
		if (rc)
			return rc;
	}
	const struct pprof_http_options options = {
		.token_file = o->pprof_token_file,
		.max_seconds = (int)o->pprof_max_seconds,
		.max_captures = (int)o->pprof_max_captures,
	};
	/* What is not there needs no rate. */
	pprof_http_set_rate("heap", o->mem_profile_rate);
	pprof_http_set_rate("block", o->block_profile_rate);
	pprof_http_set_rate("mutex", o->mutex_profile_fraction);
	pprof_set_cpu_profile_budget(o->profile_budget);
	s->pprof_apart = o->pprof_listen != NULL;
	const int rc = s->pprof_apart ? pprof_http_start(o->pprof_listen,
							 &options, &s->pprof)
				      : pprof_http_new(&options, &s->pprof);
	if (rc && s->pprof_apart)
		return listen_error(o->pprof_listen, rc, e);
	return rc ? err_set(e, rc, "/debug/pprof/: %s", pprof_strerror(rc)) : 0;
}

/* As many connections as descriptors allow, a few kept back: when accept
 * fails, so would everything else that opens a file. */
static unsigned connection_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r))
		return 256;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur < 2 * DESCRIPTORS_KEPT)
		return DESCRIPTORS_KEPT;
	return r.rlim_cur - DESCRIPTORS_KEPT < CONNECTIONS_MAX
		       ? (unsigned)(r.rlim_cur - DESCRIPTORS_KEPT)
		       : (unsigned)CONNECTIONS_MAX;
}

static int start_daemon(struct server *s, struct err *e)
{
	const int rc = listener_open(s->options.listen, &s->listener, e);
	if (rc)
		return err_prefix(e, rc, "-listen");
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, exchange_handle, s, MHD_OPTION_LISTEN_SOCKET,
		s->listener.fd, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed,
		s, MHD_OPTION_CONNECTION_LIMIT, connection_limit(),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_END);
	if (!s->daemon)
		return err_set(e, ERR_IO, "the HTTP daemon does not start: %s",
			       strerror(errno));
	s->listener.fd = -1; /* the daemon's now */
	return 0;
}

/* When no thread works for it any more. */
static void server_free(struct server *s)
{
	pool_free(s->workers);
	pool_free(s->monitors);
	pprof_http_stop(s->pprof);
	dashboard_clear(&s->dashboard);
	listener_close(&s->listener);
	database_free(s->database);
	data_store_free(s->data);
	concurrent_free(s->concurrent);
	cache_free(s->cache);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int server_start(const struct server_options *options,
		 struct server **ret_server, struct err *e)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->options = *options;
	s->started_ns = clock_realtime_ns();
	s->listener.fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);

	int rc = create_workloads(s, e);
	if (!rc)
		rc = create_pools(s, e);
	if (!rc)
		rc = create_pprof(s, e);
	if (!rc && dashboard_make(server_pprof_url(s), &s->dashboard))
		rc = err_set(e, ERR_NOMEM, "out of memory");
	if (!rc)
		rc = start_daemon(s, e);
	if (rc) {
		server_free(s);
		return rc;
	}
	*ret_server = s;
	return 0;
}

const char *server_url(const struct server *s)
{
	return s->listener.url;
}

const char *server_pprof_url(const struct server *s)
{
	return s->pprof_apart ? pprof_http_url(s->pprof) : NULL;
}

/* Wait until nothing is served.  Returns: what is, when the time is up. */
static size_t finish(struct server *s, int64_t deadline_ns)
{
	const struct timespec until = clock_to_timespec(deadline_ns);
	int rc = 0;
	pthread_mutex_lock(&s->lock);
	/* A worker may still be on its way out when its answer has left. */
	while ((s->exchanges || s->suspended) && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	/* From here on nothing more is suspended, so that what waits for its
	 * client alone cannot keep the daemon from being stopped. */
	s->draining = true;
	const size_t left = s->suspended;
	pthread_mutex_unlock(&s->lock);
	return left;
}

int server_stop(struct server *s, size_t *ret_left)
{
	const int64_t deadline = clock_monotonic_ns() + s->options.grace_ns;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_mutex_unlock(&s->lock);
	s->listener.fd = MHD_quiesce_daemon(s->daemon);
	listener_close(&s->listener);
	pprof_http_drain(s->pprof);
	const size_t left = finish(s, deadline);
	if (left) {
		*ret_left = left;
		return ERR_BUSY;
	}
	MHD_stop_daemon(s->daemon);
	server_free(s);
	return 0;
}
