/*
 * stall_server.h - an HTTP server inside a test, that can be told to be slow,
 * to refuse, to stall, or to die.  Include it in one file.
 */
#ifndef PROFLAB_TESTS_STALL_SERVER_H
#define PROFLAB_TESTS_STALL_SERVER_H

#include "base/clock.h"

#include <arpa/inet.h>
#include <check.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STALL_TARGETS = 4096, STALL_TARGET = 128 };

struct stall_server {
	struct MHD_Daemon *daemon;
	char url[64];

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t changed;
	unsigned status;
	int64_t delay_ns;    /* before each answer */
	bool stalled;	     /* no answer until this is false again */
	int64_t stall_at;    /* the request that begins a stall; 0: none */
	int64_t stall_ns;    /* and how long it is */
	int64_t stall_until; /* on the monotonic clock */
	size_t requests;
	size_t with_header; /* that had X-Test: 7 */
	char targets[STALL_TARGETS][STALL_TARGET];
};

struct stall_text {
	char *to;
	size_t size;
	bool first;
};

static enum MHD_Result stall_add_argument(void *arg, enum MHD_ValueKind kind,
					  const char *key, const char *value)
{
	struct stall_text *t = arg;
	(void)kind;
	const size_t length = strlen(t->to);
	snprintf(t->to + length, t->size - length, "%c%s=%s",
		 t->first ? '?' : '&', key, value ? value : "");
	t->first = false;
	return MHD_YES;
}

static void stall_note(struct stall_server *s, struct MHD_Connection *c,
		       const char *url)
{
	if (s->requests < STALL_TARGETS) {
		struct stall_text t = { s->targets[s->requests], STALL_TARGET,
					true };
		snprintf(t.to, t.size, "%s", url);
		MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND,
					  stall_add_argument, &t);
	}
	s->requests++;
	const char *header =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Test");
	s->with_header += header && !strcmp(header, "7");
}

static enum MHD_Result stall_answer(void *arg, struct MHD_Connection *c,
				    const char *url, const char *method,
				    const char *version, const char *data,
				    size_t *size, void **state)
{
	struct stall_server *s = arg;
	(void)method;
	(void)version;
	(void)data;
	(void)size;
	(void)state;
	pthread_mutex_lock(&s->lock);
	stall_note(s, c, url);
	if (s->stall_at && (int64_t)s->requests == s->stall_at)
		s->stall_until = clock_monotonic_ns() + s->stall_ns;
	int64_t until = clock_monotonic_ns() + s->delay_ns;
	if (s->stall_until > until)
		until = s->stall_until;
	while (s->stalled)
		pthread_cond_wait(&s->changed, &s->lock);
	const unsigned status = s->status;
	pthread_mutex_unlock(&s->lock);
	/* Being slow is what this server is for. */
	const struct timespec when = clock_to_timespec(until);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL))
		;
	static char body[] = "12345";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		5, body, MHD_RESPMEM_PERSISTENT);
	const enum MHD_Result rc = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return rc;
}

static void stall_start(struct stall_server *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->status = 200;
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	s->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD,
		0, NULL, NULL, stall_answer, s, MHD_OPTION_SOCK_ADDR, &address,
		MHD_OPTION_END);
	ck_assert_ptr_nonnull(s->daemon);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u",
		 MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)
			 ->port);
}

static void stall_release(struct stall_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stalled = false;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void stall_stop(struct stall_server *s)
{
	stall_release(s);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
}

#endif
