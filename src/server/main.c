/*
 * main.c - proflab-server: a server with planted performance faults, and a
 * live profiler in it.
 *
 * Exit status: 0 when it was stopped and finished what it served, 1 when it
 * could not start or finish, 2 for a command line that is not one.
 */
#include "config.h"

#include "base/err.h"
#include "server/options.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef SERVER_VARIANT
#error "the makefile says which variant of the workloads is compiled in"
#endif

static void block_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGTERM);
	sigaddset(ret_set, SIGINT);
	/* In every thread started from here on: sigwait alone takes them. */
	pthread_sigmask(SIG_BLOCK, ret_set, NULL);
	/* A client that has gone is an error of write, not our end. */
	signal(SIGPIPE, SIG_IGN);
}

/* From here on either signal ends the process at once. */
static void unblock_signals(const sigset_t *set)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static int stop(struct server *s, int sig)
{
	size_t left = 0;
	fprintf(stderr,
		"proflab-server: %s: finishing what is served (a second "
		"signal ends it at once)\n",
		sig == SIGINT ? "SIGINT" : "SIGTERM");
	if (server_stop(s, &left) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr,
		"proflab-server: %zu request%s cut off: not finished within "
		"-grace\n",
		left, left == 1 ? "" : "s");
	/* Threads are still at work on what exit handlers would free. */
	_exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct server_options options;
	struct err e = { "" };
	if (server_options_parse(argc, argv, &options, &e)) {
		fprintf(stderr,
			"proflab-server: %s\n"
			"Try \"proflab-server -help\".\n",
			e.text);
		return 2;
	}
	if (options.help) {
		server_options_usage(stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (options.version) {
		puts("proflab-server " PACKAGE_VERSION
		     " (variant " SERVER_VARIANT ")");
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	options.variant = SERVER_VARIANT;
	sigset_t set;
	block_signals(&set);
	struct server *s;
	if (server_start(&options, &s, &e)) {
		unblock_signals(&set);
		fprintf(stderr, "proflab-server: %s\n", e.text);
		return EXIT_FAILURE;
	}
	printf("proflab-server listening on %s (variant %s)\n", server_url(s),
	       SERVER_VARIANT);
	if (server_pprof_url(s))
		printf("proflab-server: profiles at %s\n", server_pprof_url(s));
	fflush(stdout);
	int sig = SIGTERM;
	sigwait(&set, &sig);
	unblock_signals(&set);
	return stop(s, sig);
}
