/* capture.c - see capture.h. */
#include "http/capture.h"

#include "base/clock.h"
#include "base/err.h"
#include "http/own_fd.h"
#include "http/request.h"
#include "http/thread.h"
#include "http/writer.h"
#include "pprof/pprof.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_captures {
	pthread_t thread;
	struct http_writer *writer;
	int max;
	/* A pair of sockets: something below changed.  No eventfd, for those
	 * share an inode, and ours could not be told from the program's. */
	struct own_fd wake, waker;
	pthread_mutex_t lock; /* guards the next four */
	struct http_request *arrived;
	int count; /* counted in, not passed on yet */
	bool ending;
	bool stopping;

	/* The thread's alone. */
	struct http_request *running;
	struct pollfd *polls; /* [0] is wake, then running in order */
};

static void captures_wake(struct http_captures *c)
{
	/* Fails only when there is no more room: then it is awake already. */
	if (own_fd_is_ours(&c->waker)) {
		const ssize_t n = send(c->waker.fd, "", 1, MSG_NOSIGNAL);
		(void)n;
	}
}

static void captures_count_out(struct http_captures *c)
{
	pthread_mutex_lock(&c->lock);
	c->count--;
	pthread_mutex_unlock(&c->lock);
}

static bool is_timed_kind(const char *name)
{
	return strcmp(name, "profile") == 0 || strcmp(name, "wall") == 0;
}

/* In Go's words, where Go has words for it. */
static void reply_not_started(struct http_request *r, int rc,
			      const char *reason)
{
	const char *name = r->window.name;
	if (!is_timed_kind(name))
		http_reply_error(&r->reply, 500, "failed to collect profile");
	else if (rc == PPROF_ERR_BUSY)
		http_reply_error(&r->reply, 500,
				 "Could not enable %s profiling: %s profiling "
				 "already in use",
				 *name == 'p' ? "CPU" : name,
				 *name == 'p' ? "cpu" : name);
	else
		http_reply_error(&r->reply, rc == PPROF_ERR_INVALID ? 400 : 500,
				 "Could not enable %s profiling: %s",
				 *name == 'p' ? "CPU" : name, reason);
}

static void window_start(struct http_captures *c, struct http_request *r)
{
	struct http_window *w = &r->window;
	char reason[HTTP_REASON] = "";
	const struct pprof_capture_options options = {
		.hz = w->hz,
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	const int rc = pprof_capture_start(w->name, &options, &w->capture);
	if (rc) {
		w->capture = NULL;
		captures_count_out(c);
		reply_not_started(r, rc, reason);
		http_resume(r);
		return;
	}
	w->deadline_ns = clock_monotonic_ns() + w->length_ns;
	r->next = c->running;
	c->running = r;
}

/* The new ones, once; they are started outside the lock. */
static void take_arrived(struct http_captures *c, bool *ret_ending,
			 bool *ret_stopping)
{
	pthread_mutex_lock(&c->lock);
	struct http_request *r = c->arrived;
	c->arrived = NULL;
	*ret_ending = c->ending;
	*ret_stopping = c->stopping;
	pthread_mutex_unlock(&c->lock);
	while (r) {
		struct http_request *next = r->next;
		window_start(c, r);
		r = next;
	}
}

static void window_end(struct http_captures *c, struct http_request *r,
		       bool gone)
{
	struct http_window *w = &r->window;
	captures_count_out(c);
	if (gone) {
		atomic_fetch_add_explicit(&r->http->hangups, 1,
					  memory_order_relaxed);
		pprof_capture_free(w->capture);
		w->capture = NULL;
		r->gone = true;
		http_resume(r);
		return;
	}
	const int rc = pprof_capture_stop(w->capture);
	if (rc) {
		pprof_capture_free(w->capture);
		w->capture = NULL;
		http_reply_error(&r->reply, 500, "failed to collect profile");
		http_resume(r);
		return;
	}
	http_writer_add(c->writer, r);
}

/*
 * Only what says that the peer is gone is asked for: a request pipelined
 * behind this one is not our business.
 */
static int captures_poll(struct http_captures *c)
{
	int n = 0;
	int64_t first = INT64_MAX;
	c->polls[n++] = (struct pollfd){ .fd = c->wake.fd, .events = POLLIN };
	for (struct http_request *r = c->running; r; r = r->next) {
		c->polls[n++] = (struct pollfd){ .fd = r->window.fd,
						 .events = POLLRDHUP };
		if (r->window.deadline_ns < first)
			first = r->window.deadline_ns;
	}
	struct timespec wait, *timeout = NULL;
	if (first != INT64_MAX) {
		const int64_t left = first - clock_monotonic_ns();
		wait = clock_to_timespec(left > 0 ? left : 0);
		timeout = &wait;
	}
	return ppoll(c->polls, (nfds_t)n, timeout, NULL);
}

static void end_what_is_over(struct http_captures *c, bool polled, bool all)
{
	const int64_t now = clock_monotonic_ns();
	struct http_request **at = &c->running;
	for (int i = 1; *at; i++) {
		struct http_request *r = *at;
		const bool gone = polled && c->polls[i].revents;
		if (gone || all || r->window.deadline_ns <= now) {
			*at = r->next;
			r->next = NULL;
			window_end(c, r, gone);
		} else {
			at = &r->next;
		}
	}
}

/* The connections have gone with the rest: nobody is answered. */
static void abandon(struct http_captures *c)
{
	for (struct http_request *r = c->running; r; r = r->next) {
		captures_count_out(c);
		pprof_capture_free(r->window.capture);
		r->window.capture = NULL;
	}
	c->running = NULL;
}

static void *captures_run(void *arg)
{
	struct http_captures *c = arg;
	bool ending = false, stopping = false;
	while (!stopping) {
		/* On EINTR and the like revents mean nothing. */
		const bool polled = captures_poll(c) >= 0;
		if (!own_fd_is_ours(&c->wake)) {
			abandon(c);
			break;
		}
		end_what_is_over(c, polled, false);
		if (polled && c->polls[0].revents) {
			char wakes[64];
			if (read(c->wake.fd, wakes, sizeof(wakes)) < 0)
				continue;
			take_arrived(c, &ending, &stopping);
		}
		if (ending)
			end_what_is_over(c, false, true);
	}
	return NULL;
}

int http_captures_start(int max, struct http_writer *writer,
			struct http_captures **ret_captures)
{
	struct http_captures *c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_NOMEM;
	c->max = max;
	c->writer = writer;
	pthread_mutex_init(&c->lock, NULL);
	int fds[2] = { -1, -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       fds) == 0) {
		for (int i = 0; i < 2; i++)
			fds[i] = own_fd_raise(fds[i]);
		c->wake = own_fd_of(fds[0]);
		c->waker = own_fd_of(fds[1]);
	}
	c->polls = calloc((size_t)max + 1, sizeof(*c->polls));
	if (fds[0] < 0 || !c->polls ||
	    http_thread_start(&c->thread, "pprof-http", captures_run, c)) {
		for (int i = 0; fds[0] >= 0 && i < 2; i++)
			close(fds[i]);
		free(c->polls);
		free(c);
		return ERR_NOMEM;
	}
	*ret_captures = c;
	return 0;
}

bool http_captures_lost(const struct http_captures *c)
{
	return c && !(own_fd_is_ours(&c->wake) && own_fd_is_ours(&c->waker));
}

bool http_captures_hold(const struct http_captures *c, unsigned first,
			unsigned last)
{
	const unsigned a = (unsigned)c->wake.fd, b = (unsigned)c->waker.fd;
	return (a >= first && a <= last) || (b >= first && b <= last);
}

bool http_captures_reserve(struct http_captures *c)
{
	pthread_mutex_lock(&c->lock);
	const bool room = c->count < c->max;
	if (room)
		c->count++;
	pthread_mutex_unlock(&c->lock);
	return room;
}

void http_captures_cancel(struct http_captures *c)
{
	captures_count_out(c);
}

void http_captures_add(struct http_captures *c, struct http_request *r)
{
	pthread_mutex_lock(&c->lock);
	r->next = c->arrived;
	c->arrived = r;
	pthread_mutex_unlock(&c->lock);
	captures_wake(c);
}

int http_captures_count(struct http_captures *c)
{
	pthread_mutex_lock(&c->lock);
	const int n = c->count;
	pthread_mutex_unlock(&c->lock);
	return n;
}

void http_captures_end_all(struct http_captures *c)
{
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_mutex_unlock(&c->lock);
	captures_wake(c);
}

void http_captures_stop(struct http_captures *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_mutex_unlock(&c->lock);
	captures_wake(c);
	pthread_join(c->thread, NULL);
	pthread_mutex_destroy(&c->lock);
	close(c->wake.fd);
	close(c->waker.fd);
	free(c->polls);
	free(c);
}
