/* reader_line.c - see reader_line.h. */
#include "tools/reader_line.h"

#include "tools/die.h"
#include "tools/reader_commands.h"

#include <editline/readline.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static struct line_words known;
static bool is_edited;

/* ---- completion ---------------------------------------------------------- */

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t")] == '\0';
}

/* Commands and options come first, and after "help". */
static bool wants_command(const char *before)
{
	const char *word = before + strspn(before, " \t");
	const size_t n = strcspn(word, " \t");
	return !n ||
	       (n == 4 && !strncmp(word, "help", 4) && is_blank(word + n));
}

static bool wants_function(const char *before)
{
	char name[32];
	const char *word = before + strspn(before, " \t");
	size_t n = strcspn(word, " \t");
	if (n >= sizeof(name))
		return false;
	memcpy(name, word, n);
	/* top10 is top. */
	while (n > 1 && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	name[n] = '\0';
	return command_find(name) && strcmp(name, "tags") != 0;
}

const char *line_complete(const char *before, const char *word,
			  const char **ret_all, size_t max, size_t *ret_n)
{
	const bool command = wants_command(before);
	const char *const *from = command ? known.commands : known.functions;
	const size_t n = command		  ? known.n_commands
			 : wants_function(before) ? known.n_functions
						  : 0;
	const char *found = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const bool fits =
			command ? !strncasecmp(from[i], word, strlen(word))
				: strstr(from[i], word) != NULL;
		if (!fits || (found && strcmp(found, from[i]) == 0))
			continue;
		if (ret_all && *ret_n < max)
			ret_all[*ret_n] = from[i];
		++*ret_n;
		found = from[i];
	}
	return *ret_n == 1 ? found : NULL;
}

/* libedit frees what it gets: the replacement, then what it lists. */
static char **offer(const char *word, int start, int end)
{
	(void)end;
	enum { SHOWN_MAX = 200 };
	const char *all[SHOWN_MAX];
	size_t n;
	rl_attempted_completion_over = 1;
	char *before = xasprintf("%.*s", start, rl_line_buffer);
	const bool minus = *word == '-' && !wants_command(before);
	const char *one =
		line_complete(before, word + minus, all, SHOWN_MAX, &n);
	free(before);
	if (!n)
		return NULL;
	if (n > SHOWN_MAX)
		n = SHOWN_MAX;
	char **matches = xcalloc(n + 2, sizeof(*matches));
	matches[0] =
		one ? xasprintf("%s%s", minus ? "-" : "", one) : xstrdup(word);
	for (size_t i = 0; !one && i < n; i++)
		matches[i + 1] = xstrdup(all[i]);
	return matches;
}

/* ---- reading ------------------------------------------------------------- */

void line_init(const struct line_words *words)
{
	const char *term = getenv("TERM");
	known = *words;
	is_edited = isatty(STDIN_FILENO) && term && *term &&
		    strcasecmp(term, "dumb") != 0;
	if (!is_edited)
		return;
	rl_readline_name = "proflab-pprof";
	rl_attempted_completion_function = offer;
	static char breaks[] = " \t";
	rl_completer_word_break_characters = breaks;
	rl_basic_word_break_characters = breaks;
	using_history();
}

char *line_read(const char *prompt)
{
	if (is_edited) {
		char *line = readline(prompt);
		if (line && !is_blank(line))
			add_history(line);
		return line;
	}
	fputs(prompt, stdout);
	fflush(stdout);
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, stdin);
	if (n < 0) {
		free(line);
		return NULL;
	}
	while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		line[--n] = '\0';
	return line;
}
