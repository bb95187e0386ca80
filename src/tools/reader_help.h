/*
 * reader_help.h - what "help" and "options" show at the prompt.
 */
#ifndef PROFLAB_TOOLS_READER_HELP_H
#define PROFLAB_TOOLS_READER_HELP_H

struct profile;
struct reader_config;

/* All options with their values, to standard error. */
void help_show_options(const struct profile *p,
		       const struct reader_config *config);
/* About a command or option; "" lists them all. */
void help_show(const char *topic, const struct profile *p);

#endif
