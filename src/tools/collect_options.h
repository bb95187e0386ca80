/*
 * collect_options.h - the command line of proflab-collect.
 */
#ifndef PROFLAB_TOOLS_COLLECT_OPTIONS_H
#define PROFLAB_TOOLS_COLLECT_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COLLECT_TYPES_MAX = 32 };

struct collect_type {
	char *name; /* of the file, without its ending; owned */
	char *path; /* of the profile, with its query; owned */
	bool timed; /* the server measures for -seconds first */
};

struct collect_options {
	char *base; /* "http://HOST:PORT[/PREFIX]", no final slash; owned */
	char *unix_socket; /* or NULL; owned */
	char *stats;	   /* whole URL, or NULL: not wanted; owned */
	bool stats_apart;  /* on another server than the profiles */
	const char *folder;
	struct collect_type types[COLLECT_TYPES_MAX];
	size_t n_types;
	int64_t seconds;
	int64_t interval_ns, jitter_ns, backoff_ns;
	int64_t rounds; /* 0: without end */
	int64_t timeout_ns;
	int64_t keep_age_ns, keep_bytes; /* 0: for ever, no limit */
	const char *token_file, *ca_file;
	bool once, insecure, quiet;
	bool help, version;
};

/*
 * Returns: 0, or ERR_INVALID with a text that names what is allowed.  Then,
 * too, collect_options_free.
 */
int collect_options_parse(int argc, char **argv, struct collect_options *o,
			  struct err *e);
/* The address alone: base and unix_socket. */
int collect_options_set_url(struct collect_options *o, const char *url,
			    struct err *e);
void collect_options_free(struct collect_options *o);
extern const char collect_usage_text[];

#endif
