/*
 * reader_prompt.h - the interactive prompt "(pprof) ": the same commands and
 * options as on the command line, one line each.
 */
#ifndef PROFLAB_TOOLS_READER_PROMPT_H
#define PROFLAB_TOOLS_READER_PROMPT_H

struct profile;
struct reader_config;

/* Serve until the end of input or "quit".  config is changed. */
void prompt_run(const struct profile *p, struct reader_config *config);

#endif
