/*
 * listen.h - listening sockets by address: "HOST:PORT", "[V6]:PORT", ":PORT",
 * "unix:PATH".  Close-on-exec and non-blocking.
 */
#ifndef PROFLAB_HTTP_LISTEN_H
#define PROFLAB_HTTP_LISTEN_H

struct err;

enum { LISTEN_URL = 320 };

struct listener {
	int fd;		      /* -1: none */
	char url[LISTEN_URL]; /* "http://127.0.0.1:8080" or "unix:PATH" */
	char path[108];	      /* of a unix socket, else "" */
};

/*
 * Blocks: for a host name that is not an address, as long as its look-up.
 * Owns: the socket is the caller's until listener_close.
 * Returns: 0, ERR_INVALID (not an address), ERR_IO (errno).
 */
int listener_open(const char *address, struct listener *ret_listener,
		  struct err *e);

/* Close it, and remove a unix socket's file.  fd may be -1: only remove. */
void listener_close(struct listener *l);

#endif
