/*
 * options.h - the command line of proflab-server.
 */
#ifndef PROFLAB_SERVER_OPTIONS_H
#define PROFLAB_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct err;

struct server_options {
	const char *listen;
	const char *pprof_listen; /* NULL: on the same port */
	const char *pprof_token_file;
	const char *data_dir; /* NULL: $TMPDIR or /tmp */
	int64_t pprof_max_seconds, pprof_max_captures;
	int64_t max_workers, max_queue, worker_idle_ns;
	int64_t leak_ceiling; /* bytes */
	int64_t thread_ceiling;
	int64_t cache_entries;
	int64_t mem_profile_rate, block_profile_rate, mutex_profile_fraction;
	int64_t grace_ns;
	double profile_budget; /* share of CPU time; 0: no limit */
	bool help, version;
	const char *variant; /* of the workloads; the program sets it */
};

/*
 * One dash or two; "-name=value" or "-name value".  The strings are those of
 * argv.  Returns: 0, ERR_INVALID with text.
 */
int server_options_parse(int argc, char **argv,
			 struct server_options *ret_options, struct err *e);
void server_options_usage(FILE *to);

#endif
