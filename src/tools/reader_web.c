/*
 * reader_web.c - see reader_web.h.
 *
 * Whoever can reach the port sees the profile and, of the files that it names,
 * the source.  So it is loopback unless another host is given; and a request
 * must name the host that we listen on, or a page elsewhere whose name was
 * made to mean 127.0.0.1 could read it (DNS rebinding).
 */
#include "tools/reader_web.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"
#include "profile/encode.h"
#include "profile/profile.h"
#include "tools/die.h"
#include "tools/reader_commands.h"
#include "tools/reader_dot.h"
#include "tools/reader_flags.h"
#include "tools/reader_viewer.h"
#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, IDLE_SECONDS = 120, CONNECTIONS = 128, BACKLOG = 64 };

struct server {
	const char *host; /* as given; "" is loopback */
	bool is_loopback;
	char url[512];
	struct web_page page;
	struct web_subject *subject;
	struct buf download; /* the profile as a file */
};

/* ---- answers ------------------------------------------------------------- */

static enum MHD_Result send_reply(struct MHD_Connection *c, unsigned status,
				  const char *type, const char *data,
				  size_t len, const char *policy,
				  const char *filename)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		len, (void *)data, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Content-Security-Policy", policy);
	for (size_t i = 0; i < web_n_headers; i++)
		MHD_add_response_header(r, web_headers[i].name,
					web_headers[i].value);
	if (filename)
		MHD_add_response_header(r, "Content-Disposition", filename);
	const enum MHD_Result rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static const char nothing_allowed[] = "default-src 'none'";

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned status,
				 const char *text)
{
	return send_reply(c, status, "text/plain; charset=utf-8", text,
			  strlen(text), nothing_allowed, NULL);
}

static const char *parameter(void *arg, const char *key)
{
	return MHD_lookup_connection_value(arg, MHD_GET_ARGUMENT_KIND, key);
}

static enum MHD_Result send_view(struct server *s, struct MHD_Connection *c,
				 const char *view)
{
	const struct web_request request = { view, parameter, c };
	struct web_reply reply;
	web_answer(s->subject, &request, &reply);
	const enum MHD_Result rc =
		send_reply(c, reply.status, reply.content_type,
			   buf_str(&reply.body), reply.body.len,
			   nothing_allowed, NULL);
	buf_free(&reply.body);
	return rc;
}

/* ---- who may ask --------------------------------------------------------- */

/* The host of "host:port", "[v6]:port" or "host". */
static size_t host_length(const char *host)
{
	if (*host == '[') {
		const char *end = strchr(host, ']');
		return end ? (size_t)(end + 1 - host) : strlen(host);
	}
	return strcspn(host, ":");
}

static bool is_host(const char *given, const char *allowed)
{
	const size_t n = host_length(given);
	return strlen(allowed) == n && strncasecmp(given, allowed, n) == 0;
}

/* An address is safe: only a name can be made to mean another host. */
static bool is_address(const char *given)
{
	char text[64];
	unsigned char address[16];
	size_t n = host_length(given);
	if (*given == '[' && n > 2) {
		given++;
		n -= 2;
	}
	snprintf(text, sizeof(text), "%.*s", (int)n, given);
	return inet_pton(AF_INET, text, address) == 1 ||
	       inet_pton(AF_INET6, text, address) == 1;
}

static bool is_allowed(const struct server *s, struct MHD_Connection *c)
{
	const char *host =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	const char *origin =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin");
	if (!host)
		return false;
	/* A page of another origin has no business here. */
	if (origin && (strncmp(origin, "http://", 7) != 0 ||
		       strcasecmp(origin + 7, host) != 0))
		return false;
	if (s->is_loopback)
		return is_host(host, "localhost") ||
		       is_host(host, "127.0.0.1") || is_host(host, "[::1]") ||
		       (*s->host && is_host(host, s->host));
	return is_address(host) || is_host(host, "localhost") ||
	       is_host(host, s->host);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *data_size, void **state)
{
	static const char api[] = "/api/";
	struct server *s = arg;
	(void)version, (void)data, (void)state;
	if (*data_size) {
		*data_size = 0;
		return MHD_YES;
	}
	if (!is_allowed(s, c))
		return send_text(c, 403,
				 "This host name is not one that proflab-pprof "
				 "listens on.\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(c, 405, "Only GET and HEAD are allowed.\n");
	if (strcmp(url, "/") == 0)
		return send_reply(c, 200, "text/html; charset=utf-8",
				  buf_str(&s->page.html), s->page.html.len,
				  buf_str(&s->page.policy), NULL);
	if (strcmp(url, "/download") == 0)
		return send_reply(c, 200, "application/octet-stream",
				  buf_str(&s->download), s->download.len,
				  nothing_allowed,
				  "attachment; filename=\"profile.pb.gz\"");
	if (strncmp(url, api, sizeof(api) - 1) == 0)
		return send_view(s, c, url + sizeof(api) - 1);
	return send_text(c, 404, "There is no such page.\n");
}

/* ---- listening ----------------------------------------------------------- */

/* "HOST:PORT", either part may be empty. */
static void split_address(const char *text, char **ret_host, char **ret_port)
{
	const char *colon = strrchr(text, ':');
	if (!colon)
		die("-http=%s: must be [HOST]:[PORT], as in localhost:8081, "
		    ":8081 or :0",
		    text);
	size_t n = (size_t)(colon - text);
	if (n > 2 && *text == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	*ret_host = xasprintf("%.*s", (int)n, text);
	*ret_port = xstrdup(colon + 1);
	const char *digits = *ret_port;
	if (digits[strspn(digits, "0123456789")] || strlen(digits) > 5 ||
	    strtol(digits, NULL, 10) > 65535)
		die("-http: the port is \"%s\": must be a number from 0 (any "
		    "free one) to 65535",
		    *ret_port);
}

static int bind_one(const struct addrinfo *a)
{
	const int on = 1;
	const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	const int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)a)
				     ->sin_addr.s_addr) >>
			       24 ==
		       127;
	return IN6_IS_ADDR_LOOPBACK(
		&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static int open_socket(struct server *s, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE };
	struct addrinfo *all;
	const char *host = *s->host ? s->host : "localhost";
	if (!*port)
		port = "0";
	int rc = getaddrinfo(host, port, &hints, &all);
	/* A system without /etc/hosts has a loopback all the same. */
	if (rc && !strcmp(host, "localhost"))
		rc = getaddrinfo("127.0.0.1", port, &hints, &all);
	if (rc)
		die("-http: %s: %s", host, gai_strerror(rc));
	int fd = -1;
	for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next)
		/* "localhost" is the old address first: browsers try both. */
		if (*s->host || a->ai_family == AF_INET)
			fd = bind_one(a);
	for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next)
		fd = bind_one(a);
	freeaddrinfo(all);
	if (fd < 0)
		die("-http: %s:%s: %s", host, port, strerror(errno));
	return fd;
}

static void describe_socket(struct server *s, int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char host[256], port[16];
	if (getsockname(fd, (struct sockaddr *)&a, &len) ||
	    getnameinfo((struct sockaddr *)&a, len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		die("-http: %s", strerror(errno));
	s->is_loopback = is_loopback((struct sockaddr *)&a);
	const char *name = *s->host ? s->host : "localhost";
	const bool is_v6 = strchr(name, ':');
	snprintf(s->url, sizeof(s->url), "http://%s%s%s:%s/", is_v6 ? "[" : "",
		 name, is_v6 ? "]" : "", port);
}

/* ---- running ------------------------------------------------------------- */

/* A page waits for it: a graph that takes longer is too large to read. */
enum { DRAW_SECONDS = 30 };

static int draw(struct buf *b, struct err *e)
{
	return dot_draw(b, "svg", DRAW_SECONDS, e);
}

static void open_browser(const char *url)
{
	struct err e = { "" };
	if (viewer_open(viewer_browsers, url, true, &e))
		fprintf(stderr, "%s\n", e.text);
}

static void prepare(struct server *s, const struct reader_flags *f,
		    struct profile *p, struct profile *base)
{
	struct err e = { "" };
	struct web_options o = { .report = config_options(&f->config),
				 .name = f->source.n_sources == 1
						 ? f->source.sources[0]
						 : "several profiles",
				 .base_name = f->source.base,
				 .draw = draw };
	o.report.tools = command_tools;
	const struct sink sink = sink_buf(&s->download);
	s->download.cap = (size_t)1 << 30;
	if (profile_encode(p, PROFILE_GZIP, &sink, &e) ||
	    web_subject_new(p, base, &o, &s->subject, &e))
		die("%s", e.text);
	if (web_page(false, &s->page))
		die("out of memory");
}

int web_run(const struct reader_flags *f, struct profile *p,
	    struct profile *base)
{
	struct server s = { 0 };
	char *host, *port;
	sigset_t ends;
	int signal_number;
	split_address(f->source.http, &host, &port);
	s.host = host;
	prepare(&s, f, p, base);
	const int fd = open_socket(&s, port);
	describe_socket(&s, fd);
	/* Before the daemon's threads, which inherit it. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, &s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_SECONDS, MHD_OPTION_END);
	if (!d)
		die("-http: the server does not start: %s", strerror(errno));
	printf("Serving web UI on %s\n", s.url);
	fflush(stdout);
	if (!f->source.no_browser)
		open_browser(s.url);
	sigwait(&ends, &signal_number);
	MHD_stop_daemon(d);
	web_subject_free(s.subject);
	web_page_free(&s.page);
	buf_free(&s.download);
	free(host);
	free(port);
	return 0;
}
