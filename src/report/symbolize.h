/*
 * symbolize.h - names for what a profile knows by address alone, and shorter
 * names for what it knows by long ones.
 */
#ifndef PROFLAB_REPORT_SYMBOLIZE_H
#define PROFLAB_REPORT_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct profile;
struct report_warn;

enum symbolize_names {
	SYMBOLIZE_SHORT,     /* no parameters, no template arguments */
	SYMBOLIZE_TEMPLATES, /* no parameters */
	SYMBOLIZE_FULL,
	SYMBOLIZE_MANGLED,
};

struct symbolize_options {
	bool local;	/* ask the binaries */
	bool is_fast;	/* functions alone, no files and lines */
	bool is_forced; /* even where the profile has names */
	bool is_remote; /* of a server: a nameless binary is no surprise */
	enum symbolize_names names;
	/*
	 * Ask the server that the profile came from; NULL: there is none.
	 * query is addresses joined by '+'; the answer has a line "0xADDR
	 * NAME" for each.  Returns: 0 or an error code with text.
	 */
	int (*ask)(void *arg, const char *query, struct buf *ret_answer,
		   struct err *e);
	void *arg;
};

/*
 * Read the value of -symbolize into options (local is then set, remote says
 * whether the server may be asked).  *ret_nothing: leave the profile as it is.
 */
void symbolize_parse(const char *mode, const struct report_warn *warn,
		     struct symbolize_options *ret_options, bool *ret_remote,
		     bool *ret_nothing);

/*
 * Name what can be named.  *profile may be replaced by another (the old one
 * is freed).  What cannot be found is only told.
 * Returns: 0, ERR_NOMEM, or what ask returned.
 */
int symbolize_profile(struct profile **profile,
		      const struct symbolize_options *o,
		      const struct report_warn *warn, struct err *e);

#endif
