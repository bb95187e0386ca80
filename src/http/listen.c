/* listen.c - see listen.h. */
#include "http/listen.h"

#include "base/err.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static void close_keeping_errno(int fd)
{
	const int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* Does nobody answer there any more? */
static bool unix_socket_is_dead(const struct sockaddr_un *sa)
{
	struct stat st;
	if (lstat(sa->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	const bool dead =
		connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) &&
		errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static int open_unix(const char *path, struct listener *l, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(sa.sun_path))
		return err_set(e, ERR_INVALID,
			       "\"unix:%.120s\": the path must have 1 to %zu "
			       "characters",
			       path, sizeof(sa.sun_path) - 1);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	if (unix_socket_is_dead(&sa))
		unlink(path);
	/* Linux gives the file the mode of the socket that is bound. */
	if (fchmod(l->fd, 0600) ||
	    bind(l->fd, (const struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(l->fd, BACKLOG)) {
		const int saved = errno;
		err_set(e, ERR_IO, "unix:%s: %s", path, strerror(saved));
		errno = saved;
		return ERR_IO;
	}
	memcpy(l->path, sa.sun_path, sizeof(l->path));
	snprintf(l->url, sizeof(l->url), "unix:%s", path);
	return 0;
}

/* "HOST:PORT" cut at its last colon, brackets taken off. */
static int split_address(const char *address, char host[static 256],
			 const char **ret_port, struct err *e)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;
	const char *start = address;
	const bool bracketed = n >= 2 && *address == '[' && colon[-1] == ']';
	if (bracketed) {
		start++;
		n -= 2;
	}
	const size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	if (!colon || n >= 256 || digits == 0 || digits > 5 ||
	    colon[1 + digits] || strtol(colon + 1, NULL, 10) > 65535 ||
	    (!bracketed && memchr(start, ':', n)))
		return err_set(e, ERR_INVALID,
			       "\"%.120s\" is not an address: must be "
			       "HOST:PORT, [V6]:PORT, :PORT or unix:PATH",
			       address);
	memcpy(host, start, n);
	host[n] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int bind_one(const struct addrinfo *ai, int *ret_fd)
{
	const int on = 1;
	const int fd = socket(ai->ai_family,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ERR_IO;
	/* Else a restart fails for a minute after the last connection. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG)) {
		close_keeping_errno(fd);
		return ERR_IO;
	}
	*ret_fd = fd;
	return 0;
}

static int name_url(struct listener *l, const char *host)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char number[64], port[8];
	if (getsockname(l->fd, (struct sockaddr *)&sa, &len) ||
	    getnameinfo((struct sockaddr *)&sa, len, number, sizeof(number),
			port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return ERR_IO;
	const bool v6 = sa.ss_family == AF_INET6;
	/* Every interface: one that a client can use as it stands. */
	const char *name = !*host ? "127.0.0.1" : number;
	snprintf(l->url, sizeof(l->url),
		 v6 && *host ? "http://[%s]:%s" : "http://%s:%s", name, port);
	return 0;
}

static int open_tcp(const char *address, struct listener *l, struct err *e)
{
	char host[256];
	const char *port = NULL;
	int rc = split_address(address, host, &port, e);
	if (rc)
		return rc;
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_family = *host ? AF_UNSPEC : AF_INET,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list = NULL;
	const int gai = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (gai)
		return err_set(e, ERR_INVALID, "%s: %s", address,
			       gai_strerror(gai));
	rc = ERR_IO;
	for (const struct addrinfo *ai = list; ai && rc; ai = ai->ai_next)
		rc = bind_one(ai, &l->fd);
	const int saved = errno;
	freeaddrinfo(list);
	errno = saved;
	if (!rc)
		rc = name_url(l, host);
	if (rc) {
		err_set(e, rc, "%s: %s%s", address, strerror(saved),
			saved == EADDRINUSE ? " (port 0 picks a free one)"
					    : "");
		errno = saved;
	}
	return rc;
}

int listener_open(const char *address, struct listener *ret_listener,
		  struct err *e)
{
	struct listener l = { .fd = -1 };
	const int rc = strncmp(address, "unix:", 5) == 0
			       ? open_unix(address + 5, &l, e)
			       : open_tcp(address, &l, e);
	if (rc) {
		close_keeping_errno(l.fd);
		return rc;
	}
	*ret_listener = l;
	return 0;
}

void listener_close(struct listener *l)
{
	if (l->path[0])
		unlink(l->path);
	l->path[0] = '\0';
	close_keeping_errno(l->fd);
	l->fd = -1;
}
