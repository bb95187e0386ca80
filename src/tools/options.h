/*
 * options.h - a program's command line as a table of rows, each of which says
 * where its value goes and what is allowed.
 *
 * As Go's flags: -name VALUE or -name=VALUE, one dash or two; a name may be
 * cut short while it is still the only one; options and operands may be mixed.
 */
#ifndef PROFLAB_TOOLS_OPTIONS_H
#define PROFLAB_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum option_kind {
	OPTION_FLAG,	 /* bool; takes no value */
	OPTION_TEXT,	 /* const char *, of argv */
	OPTION_NUMBER,	 /* int64_t, from min to max */
	OPTION_DURATION, /* int64_t, nanoseconds, from min to max */
	OPTION_OTHER,	 /* what `parse` makes of it */
};

/*
 * `what` is the name with its dash, for the text of an error.
 * Returns: 0 or a negative error, with text.
 */
typedef int option_parse(const char *value, const char *what, void *field,
			 struct err *e);

struct option_row {
	const char *name;
	enum option_kind kind;
	size_t offset; /* of the field, in what options_parse fills */
	int64_t min, max;
	option_parse *parse;
};

enum { OPTION_ROWS_MAX = 32 };

/*
 * Fields whose options are not given stay as they are.  Of a name that is not
 * known, or lacks its value, getopt tells standard error what is wrong.
 * Owns: texts are those of argv.
 * Returns: 0, then optind is the first operand; ERR_INVALID with text;
 * ERR_LIMIT for a table that is too long.
 */
int options_parse(int argc, char **argv, const struct option_row *rows,
		  size_t n_rows, void *fields, struct err *e);

/*
 * After options_parse: the one operand, named `what` for the error's text.
 * Returns: 0 or ERR_INVALID with text.
 */
int options_operand(int argc, char **argv, const char *what,
		    const char **ret_operand, struct err *e);

#endif
