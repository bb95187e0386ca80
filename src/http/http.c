/* http.c - a pprof_http from its options, and a daemon of its own. */
#include "base/err.h"
#include "http/capture.h"
#include "http/listen.h"
#include "http/request.h"
#include "http/thread.h"
#include "http/ui.h"
#include "http/writer.h"
#include "pprof/pprof.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DEFAULT_MAX_SECONDS = 3600,
	DEFAULT_MAX_CAPTURES = 32,
	MAX_CAPTURES = 4096,
	CONNECTIONS = 512,
	IDLE_SECONDS = 120,
};

static int options_copy(struct pprof_http_options *to,
			const struct pprof_http_options *from)
{
	static const struct pprof_http_options none;
	if (!from)
		from = &none;
	if (from->max_seconds < 0 || from->max_captures < 0 ||
	    from->max_captures > MAX_CAPTURES)
		return PPROF_ERR_INVALID;
	to->max_seconds =
		from->max_seconds ? from->max_seconds : DEFAULT_MAX_SECONDS;
	to->max_captures =
		from->max_captures ? from->max_captures : DEFAULT_MAX_CAPTURES;
	to->title = strdup(from->title ? from->title : "/debug/pprof/");
	if (from->token_file) {
		to->token_file = strdup(from->token_file);
		if (!to->token_file)
			return PPROF_ERR_NOMEM;
	}
	return to->title ? 0 : PPROF_ERR_NOMEM;
}

int pprof_http_new(const struct pprof_http_options *options,
		   struct pprof_http **ret_http)
{
	struct pprof_http *h = calloc(1, sizeof(*h));
	if (!h)
		return PPROF_ERR_NOMEM;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->changed, &attr);
	pthread_condattr_destroy(&attr);
	int rc = options_copy(&h->options, options);
	if (!rc)
		rc = http_writer_start(&h->writer);
	if (!rc)
		rc = http_captures_start(h->options.max_captures, h->writer,
					 &h->captures);
	if (rc) {
		pprof_http_stop(h);
		return rc;
	}
	*ret_http = h;
	return 0;
}

bool http_lost(const struct pprof_http *h)
{
	return (h->listening.ino && !own_fd_is_ours(&h->listening)) ||
	       http_captures_lost(h->captures);
}

bool http_holds(const struct pprof_http *h, unsigned first, unsigned last)
{
	const unsigned listening = (unsigned)h->listening.fd;
	return !http_lost(h) &&
	       (last >= INT_MAX || (first <= listening && listening <= last) ||
		http_captures_hold(h->captures, first, last));
}

/*
 * The daemon would try its descriptors for ever, or end the process for what
 * became of them: its thread goes no further than to the next of our functions
 * that it calls.
 */
static void hold_if_lost(const struct pprof_http *h)
{
	while (http_lost(h))
		pause();
}

/* It has a word to say, which may be that. */
static void listen_to_daemon(void *arg, const char *format, va_list ap)
{
	(void)format, (void)ap;
	hold_if_lost(arg);
}

static void connection_changed(void *arg, struct MHD_Connection *connection,
			       void **state,
			       enum MHD_ConnectionNotificationCode what)
{
	(void)connection, (void)state, (void)what;
	hold_if_lost(arg);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *upload_data,
			      size_t *upload_data_size, void **state)
{
	(void)version;
	hold_if_lost(arg);
	if (pprof_http_wants(url))
		return (enum MHD_Result)pprof_http_handle(arg, connection, url,
							  method, upload_data,
							  upload_data_size,
							  state);
	static char not_found[] = "404 page not found\n";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		sizeof(not_found) - 1, not_found, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type",
				"text/plain; charset=utf-8");
	const enum MHD_Result rc =
		MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, response);
	MHD_destroy_response(response);
	return rc;
}

static void completed(void *arg, struct MHD_Connection *connection,
		      void **state, enum MHD_RequestTerminationCode how)
{
	(void)arg, (void)connection, (void)how;
	pprof_http_completed(*state);
	*state = NULL;
}

static int start_daemon(struct pprof_http *h)
{
	sigset_t saved;
	int fds[OWN_FD_FLOOR];
	h->listener->fd = own_fd_raise(h->listener->fd);
	h->listening = own_fd_of(h->listener->fd);
	http_signals_block(&saved);
	const int n = own_fd_occupy(fds);
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_ERROR_LOG,
		0, NULL, NULL, answer, h, MHD_OPTION_EXTERNAL_LOGGER,
		listen_to_daemon, h, MHD_OPTION_LISTEN_SOCKET, h->listener->fd,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, h,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_END);
	own_fd_release(fds, n);
	http_signals_restore(&saved);
	if (!h->daemon)
		return PPROF_ERR_IO;
	h->listener->fd = -1; /* the daemon's now */
	return asprintf(&h->url, "%s%s", h->listener->url,
			h->listener->path[0] ? "" : "/debug/pprof/") < 0
		       ? PPROF_ERR_NOMEM
		       : 0;
}

int pprof_http_start(const char *address,
		     const struct pprof_http_options *options,
		     struct pprof_http **ret_http)
{
	struct pprof_http *h;
	int rc = pprof_http_new(options, &h);
	if (rc)
		return rc;
	h->listener = calloc(1, sizeof(*h->listener));
	rc = PPROF_ERR_NOMEM;
	if (h->listener) {
		h->listener->fd = -1;
		rc = listener_open(address, h->listener, NULL);
	}
	if (!rc)
		rc = start_daemon(h);
	if (rc) {
		const int saved = errno;
		pprof_http_stop(h);
		errno = saved;
		return rc;
	}
	*ret_http = h;
	return 0;
}

const char *pprof_http_url(const struct pprof_http *h)
{
	return h->url;
}

void pprof_http_forked(struct pprof_http *h)
{
	if (!h || !h->daemon || http_lost(h))
		return;
	/* Looks into a struct that no thread here writes to. */
	static const enum MHD_DaemonInfoType fds[] = {
		MHD_DAEMON_INFO_LISTEN_FD,
		MHD_DAEMON_INFO_EPOLL_FD,
	};
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		const union MHD_DaemonInfo *info =
			MHD_get_daemon_info(h->daemon, fds[i]);
		if (info && info->listen_fd >= 0)
			close(info->listen_fd);
	}
}

void pprof_http_stop(struct pprof_http *h)
{
	if (!h)
		return;
	if (http_lost(h)) {
		if (h->listener)
			listener_close(h->listener); /* the socket's file */
		return;
	}
	if (h->daemon) {
		/* Nobody new, then everybody answered, then the rest. */
		const int fd = MHD_quiesce_daemon(h->daemon);
		if (h->listener)
			h->listener->fd = fd;
	}
	if (h->captures)
		pprof_http_drain(h);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	http_captures_stop(h->captures);
	http_writer_stop(h->writer);
	http_ui_free(h->ui);
	if (h->listener)
		listener_close(h->listener);
	free(h->listener);
	free(h->url);
	free((char *)h->options.title);
	free((char *)h->options.token_file);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
