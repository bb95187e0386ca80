/*
 * reader_flags.h - the command line of proflab-pprof, read as Go's flag
 * package reads one: -name, --name, -name=value, -name value; it ends at the
 * first word that is no flag, or at "--".
 */
#ifndef PROFLAB_TOOLS_READER_FLAGS_H
#define PROFLAB_TOOLS_READER_FLAGS_H

#include "tools/reader_config.h"
#include "tools/reader_http.h"

#include <stdbool.h>
#include <stddef.h>

struct reader_command;

/* Where the profile comes from, and what is done to it at once. */
struct reader_source {
	char **sources; /* of argv: not owned */
	size_t n_sources;
	const char *exec_name, *build_id; /* "" = unset */
	const char *base;		  /* "" = none */
	bool is_diff; /* base is compared with, not subtracted */
	bool normalize;
	int64_t seconds, timeout; /* -1 = unset */
	const char *symbolize, *comment, *tools;
	struct http_tls tls;
	const char *http; /* "" = no browser */
	bool no_browser;
};

struct reader_flags {
	struct reader_source source;
	struct reader_config config;	      /* owned: config_free */
	const struct reader_command *command; /* NULL = interactive */
	const char *parameter;
};

/*
 * Ends the program on a mistake (status 2), and on -h, -help, -version (0).
 */
void flags_parse(int argc, char **argv, struct reader_flags *ret_flags);

/* The whole usage text, to a stream. */
struct buf;
void flags_usage(struct buf *ret);
/* The part that lists commands and options; dash is "-" or "". */
void flags_list(struct buf *ret, const char *dash);

#endif
