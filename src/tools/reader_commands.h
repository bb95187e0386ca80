/*
 * reader_commands.h - the commands of proflab-pprof: -NAME as a flag, NAME at
 * the prompt.  One row each; adding one touches the table alone.
 */
#ifndef PROFLAB_TOOLS_READER_COMMANDS_H
#define PROFLAB_TOOLS_READER_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct profile;
struct reader_config;
struct report_warn;

enum command_usage {
	USAGE_NONE,
	USAGE_FILTERS = 1 << 0,	 /* [n] [focus_regex]* [-ignore_regex]* */
	USAGE_CUM = 1 << 1,	 /* [-cum] */
	USAGE_REDIRECT = 1 << 2, /* >f */
	USAGE_FUNCTION = 1 << 3, /* <func_regex|address> */
	USAGE_PEEK = 1 << 4,
	USAGE_TAGS = 1 << 5,
};

struct reader_command {
	const char *name;
	const char *kind; /* of report.h */
	const char *description;
	unsigned usage;
	bool has_parameter;
	const char *dot;    /* format that graphviz turns it into, or NULL */
	const char *suffix; /* not for a terminal's eyes: of the file made */
	const char *const *viewers; /* programs to show it, the first found */
	bool is_page;		    /* an SVG that can be dragged and zoomed */
};

extern const struct reader_command reader_commands[];
extern const size_t reader_n_commands;

/* Returns: the command or NULL. */
const struct reader_command *command_find(const char *name);

/*
 * Make the report and put it where the options say: standard output, a file,
 * a viewer.  parameter may be NULL.
 * Returns: 0; an error code with text.
 */
int command_run(const struct reader_command *c, const char *parameter,
		const struct reader_config *config, const struct profile *p,
		bool interactive, struct err *e);

/* Where objdump is: the value of -tools. */
extern const char *command_tools;

/* What is told to the user beside the report: standard error. */
extern const struct report_warn command_warn;

#endif
