/*
 * server_process.h - a proflab-server of its own for a test: started on a free
 * loopback port, awaited, and ended with the test whatever happens.
 */
#ifndef PROFLAB_TESTS_SERVER_PROCESS_H
#define PROFLAB_TESTS_SERVER_PROCESS_H

#include <sys/types.h>

struct server_process {
	pid_t pid;
	char url[256];	/* http://127.0.0.1:PORT */
	char line[512]; /* what it printed */
	int out;	/* the rest of its standard output and error */
};

/* program: "proflab-server".  args: more of them, NULL at the end. */
struct server_process server_process_start(const char *program,
					   const char *const *args);
/* The same, without waiting for it to say anything, nor adding -listen. */
struct server_process server_process_run(const char *program,
					 const char *const *args);
/* Wait for its end, at most seconds.  Returns: the status of waitpid. */
int server_process_wait(struct server_process *p, int seconds);
/* SIGKILL if it is still there, and forget it. */
void server_process_end(struct server_process *p);
/* How many of its threads have that name now. */
int server_process_threads(const struct server_process *p, const char *name);

#endif
