/*
 * webdriver_guard.h - chromedriver and all that it starts, in the care of a
 * process that outlives the test by as long as it takes to end them.
 */
#ifndef PROFLAB_TESTS_WEBDRIVER_GUARD_H
#define PROFLAB_TESTS_WEBDRIVER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct guard {
	pid_t pid;
	int tie;	  /* a pipe: when it closes, all ends */
	int port;	  /* of chromedriver, on 127.0.0.1 */
	char folder[256]; /* scratch, removed at the end */
};

/* The program.  Returns: whether there is one. */
bool guard_find_driver(char *ret_path, size_t size);
/* Start chromedriver and wait until it listens; ends the test if it fails. */
void guard_start(struct guard *g);
/* End everything and wait until it is gone. */
void guard_stop(struct guard *g);

#endif
