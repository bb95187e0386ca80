/*
 * raw_server.c - answers every request with the bytes of a file, as they are,
 * and hangs up: for answers that no proper server gives.
 *
 *	raw_server FILE		says its URL, then each request's first line
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void give_up(const char *what)
{
	perror(what);
	exit(99);
}

/* Up to the blank line: what follows no client of ours sends. */
static void read_request(int fd)
{
	char text[8192];
	size_t n = 0;
	while (n < sizeof(text) - 1) {
		const ssize_t got = read(fd, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
		if (strstr(text, "\r\n\r\n"))
			break;
	}
	text[n] = '\0';
	printf("%.*s\n", (int)strcspn(text, "\r\n"), text);
	fflush(stdout);
}

static void answer(int fd, const char *path)
{
	char chunk[4096];
	FILE *f = fopen(path, "re");
	if (!f)
		give_up(path);
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
		if (write(fd, chunk, n) != (ssize_t)n)
			break;
	fclose(f);
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	if (argc != 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(fd, 16) || getsockname(fd, (struct sockaddr *)&a, &len))
		give_up("listening");
	printf("http://127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	for (;;) {
		const int c = accept(fd, NULL, NULL);
		if (c < 0)
			give_up("accept");
		read_request(c);
		answer(c, argv[1]);
		close(c);
	}
}
