/*
 * server.c - a small HTTP server that can be profiled while it runs: one call
 * for /debug/pprof/, a label that says which request a thread works on, and
 * rates for heap, mutex and block.
 *
 *	cc -g -O2 -fno-omit-frame-pointer server.c $(pkg-config --cflags --libs pprof-preload) -lpthread -o server
 *	./server 127.0.0.1:6060
 *	curl http://127.0.0.1:6060/debug/pprof/
 */
#include <pprof_http.h>
#include <pprof.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMED __attribute__((noinline))

enum { WORDS = 20000, WORKERS = 4 };

/* ---- what the server does -------------------------------------------------- */

static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static long total_words;

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each word in a block of its own. */
NAMED static char **make_words(void)
{
	char **words = calloc(WORDS, sizeof(*words));
	for (int i = 0; words && i < WORDS; i++) {
		words[i] = malloc(32);
		if (words[i])
			snprintf(words[i], 32, "word-%d", rand() % 1000000);
		else
			exit(1);
	}
	return words;
}

/* A fault: the lock is held for all of the sorting, not for the sum alone. */
NAMED static void sort_words(void *arg)
{
	char **words = make_words();
	(void)arg;
	if (!words)
		return;
	pthread_mutex_lock(&totals_lock);
	qsort(words, WORDS, sizeof(*words), compare);
	total_words += WORDS;
	pthread_mutex_unlock(&totals_lock);
	for (int i = 0; i < WORDS; i++)
		free(words[i]);
	free(words);
}

/* Another: what it makes is kept, and nobody ever looks at it again. */
NAMED static void keep_words(void *arg)
{
	static char **kept;
	(void)arg;
	char **words = make_words();
	if (!words)
		return;
	pthread_mutex_lock(&totals_lock);
	free(kept); /* the list, and none of the words */
	kept = words;
	pthread_mutex_unlock(&totals_lock);
}

static const struct {
	const char *path;
	void (*work)(void *);
} routes[] = { { "/sort", sort_words }, { "/keep", keep_words } };

/* ---- requests --------------------------------------------------------------- */

static void answer(int client)
{
	char request[1024] = "", path[64] = "";
	static const char done[] = "HTTP/1.0 200 OK\r\n\r\ndone\n",
			  none[] = "HTTP/1.0 404 Not Found\r\n\r\nnone\n";
	if (read(client, request, sizeof(request) - 1) <= 0)
		return;
	sscanf(request, "GET %63[^? ]", path);
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (strcmp(path, routes[i].path) != 0)
			continue;
		/* All that happens in here is this route's. */
		const struct pprof_label labels[] = { { "route", path } };
		pprof_do(labels, 1, routes[i].work, NULL);
		if (write(client, done, sizeof(done) - 1) < 0)
			perror("write");
		return;
	}
	if (write(client, none, sizeof(none) - 1) < 0)
		perror("write");
}

static void *serve(void *arg)
{
	const int *listener = arg;
	for (;;) {
		const int client = accept(*listener, NULL, NULL);
		if (client < 0)
			continue;
		answer(client);
		close(client);
	}
	return NULL;
}

static int listen_somewhere(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(fd, 16) || getsockname(fd, (struct sockaddr *)&at, &len)) {
		perror("listen");
		exit(1);
	}
	printf("serving  http://127.0.0.1:%d/\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	int listener = listen_somewhere();
	struct pprof_http *http;
	const int rc = pprof_http_start(argc > 1 ? argv[1] : "127.0.0.1:6060",
					NULL, &http);
	if (rc) {
		fprintf(stderr, "no profiles: %s\n", pprof_strerror(rc));
		return 1;
	}
	printf("profiles %s\n", pprof_http_url(http));
	fflush(stdout);
	pprof_set_mem_profile_rate(64 << 10);
	pprof_set_mutex_profile_fraction(1);
	pprof_set_block_profile_rate(1);
	if (pprof_mem_profile_rate() < 0)
		printf("heap, mutex and block will be empty: nothing is hooked\n");
	pthread_t workers[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i], NULL, serve, &listener))
			return 1;
	/* Until our input ends. */
	char line[64];
	while (fgets(line, sizeof(line), stdin))
		;
	pprof_http_stop(http);
	return 0;
}
