/*
 * options.h - the command line of proflab-load.
 */
#ifndef PROFLAB_LOAD_OPTIONS_H
#define PROFLAB_LOAD_OPTIONS_H

#include "load/scenario.h"

#include <stdbool.h>

struct buf;
struct err;

enum { LOAD_HEADERS_MAX = 32 };

struct load_options {
	const struct scenario *scenario;
	int64_t concurrency; /* after parsing: the scenario's where not given */
	int64_t duration_ns;
	int64_t rps; /* 0: no limit */
	int64_t requests; /* 0: as many as the time holds */
	const char *url;
	int64_t seed;
	int64_t timeout_ns; /* of one request */
	int64_t grace_ns;   /* to wait for answers after the end */
	const char *headers[LOAD_HEADERS_MAX];
	size_t header_count;
	bool json, quiet, help, version;
};

/*
 * One or two dashes, "-name=value" or "-name value", as Go's flag package.
 * The texts in ret_options are those of argv.
 * Returns: 0, ERR_INVALID with the text.
 */
int load_options_parse(int argc, char **argv, struct load_options *ret_options,
		       struct err *e);

/* What -help prints. */
int load_options_print_help(struct buf *to);

#endif
