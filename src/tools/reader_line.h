/*
 * reader_line.h - one line of input: with editing, history and completion by
 * libedit where a person types, else as it comes.
 */
#ifndef PROFLAB_TOOLS_READER_LINE_H
#define PROFLAB_TOOLS_READER_LINE_H

#include <stddef.h>

/* What completion chooses from; the texts must live on. */
struct line_words {
	const char *const *commands; /* first words */
	size_t n_commands;
	const char *const *functions; /* any further word of a command */
	size_t n_functions;
};

void line_init(const struct line_words *words);
/*
 * Returns: the line without its end, in memory that the caller frees, or NULL
 * at the end of input.
 */
char *line_read(const char *prompt);

/*
 * The word that `word` stands for at this place: the only command that begins
 * with it, or the only function that contains it.  *ret_n is how many there
 * are; *ret_all, where not NULL, gets up to max of them.
 * Returns: the word when there is one alone, else NULL.
 */
const char *line_complete(const char *line_before, const char *word,
			  const char **ret_all, size_t max, size_t *ret_n);

#endif
