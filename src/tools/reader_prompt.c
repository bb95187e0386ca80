/* reader_prompt.c - see reader_prompt.h. */
#include "tools/reader_prompt.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"
#include "profile/profile.h"
#include "report/report.h"
#include "tools/die.h"
#include "tools/reader_commands.h"
#include "tools/reader_config.h"
#include "tools/reader_flags.h"
#include "tools/reader_help.h"
#include "tools/reader_line.h"
#include "tools/reader_number.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct prompt {
	const struct profile *p;
	struct reader_config *config;
	bool is_over;
};

/* The bytes of a blank at s, as Unicode knows blanks; 0 where there is none. */
static size_t blank_len(const char *s)
{
	static const char *const wide[] = {
		"\xc2\x85", "\xc2\xa0", "\u1680", "\u2028",
		"\u2029",   "\u202f",	"\u205f", "\u3000",
	};
	if (isspace((unsigned char)*s))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (strncmp(s, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	/* U+2000 to U+200A */
	if (!strncmp(s, "\xe2\x80", 2) && (unsigned char)s[2] >= 0x80 &&
	    (unsigned char)s[2] <= 0x8a)
		return 3;
	return 0;
}

static char *trim(char *s)
{
	for (size_t n; (n = blank_len(s));)
		s += n;
	char *end = s;
	for (char *p = s; *p;) {
		const size_t n = blank_len(p);
		p += n ? n : 1;
		if (!n)
			end = p;
	}
	*end = '\0';
	return s;
}

static void complain(const struct err *e)
{
	fprintf(stderr, "%s\n", e->text);
}

static const char *type_name(const struct profile *p, size_t i)
{
	return profile_str(p, p->sample_types[i].type);
}

/* ---- options ------------------------------------------------------------- */

/* sample_index is kept by name, so that "options" shows one. */
static int set_sample_index(struct prompt *t, const char *value, struct err *e)
{
	size_t index;
	const int rc = report_find_value(t->p, value, &index, e);
	if (!rc)
		config_set_text(&t->config->sample_index,
				type_name(t->p, index));
	return rc;
}

static bool is_true(const char *value)
{
	static const char *const yes[] = {
		"1", "t", "T", "true", "TRUE", "True"
	};
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (strcmp(value, yes[i]) == 0)
			return true;
	return false;
}

/*
 * "name=value", or the name of a switch alone; "cum=true", but not "cum"
 * alone.  Returns: was it one?
 */
static bool take_assignment(struct prompt *t, const char *input)
{
	struct err e = { "" };
	int choice, rc;
	char *text = xstrdup(input);
	char *equals = strchr(text, '=');
	if (equals)
		*equals = '\0';
	const char *name = trim(text);
	const struct config_field *f = config_find(name, &choice);
	if (!f) {
		free(text);
		return false;
	}
	char empty[] = "";
	char *value = equals ? equals + 1 : empty;
	char *comment = NULL;
	for (char *c = value; (c = strstr(c, "//:")); c++)
		comment = c;
	if (comment)
		*comment = '\0';
	value = trim(value);
	if (!equals && f->kind != CONFIG_BOOL && choice < 0) {
		rc = err_set(&e, ERR_INVALID,
			     "please specify a value, e.g. %s=<val>", name);
	} else if (choice >= 0) {
		rc = is_true(value)
			     ? config_set(t->config, f, f->choices[choice].name,
					  &e)
			     : err_set(&e, ERR_INVALID,
				       "unknown config field \"%s\"", name);
	} else if (strcmp(name, "sample_index") == 0) {
		rc = set_sample_index(t, value, &e);
	} else {
		rc = config_set(t->config, f, value, &e);
	}
	if (rc)
		complain(&e);
	free(text);
	return true;
}

/* ---- commands ------------------------------------------------------------ */

struct words {
	char **items; /* owned, into text; with room for one more */
	char *text;   /* owned */
	char *digits; /* owned: of the first word; NULL = none */
	size_t n;
};

static struct words split_words(const char *input)
{
	struct words w = { .text = xstrdup(input) };
	w.items = xcalloc(strlen(input) / 2 + 2, sizeof(*w.items));
	bool is_inside = false;
	for (char *p = w.text; *p;) {
		const size_t n = blank_len(p);
		if (!n && !is_inside)
			w.items[w.n++] = p;
		is_inside = !n;
		if (n)
			*p = '\0';
		p += n ? n : 1;
	}
	return w;
}

static void free_words(struct words *w)
{
	free(w->items);
	free(w->text);
	free(w->digits);
}

/* One expression more: a|b. */
static void add_expression(char **field, const char *expression)
{
	char *joined = **field && *expression
			       ? xasprintf("%s|%s", *field, expression)
			       : xasprintf("%s%s", *field, expression);
	free(*field);
	*field = joined;
}

/* What follows a command: a number, >file, -cum, -ignore, focus. */
struct arguments {
	char *focus, *ignore; /* owned */
};

static int take_argument(struct reader_config *c, struct arguments *a,
			 const struct words *w, size_t *i, struct err *e)
{
	const char *word = w->items[*i];
	int64_t n;
	if (number_parse_int(word, 10, &n) == NUMBER_OK && n >= INT32_MIN &&
	    n <= INT32_MAX) {
		c->node_count = n;
	} else if (*word == '>') {
		const char *file = word + 1;
		if (!*file) {
			if (++*i >= w->n)
				return err_set(e, ERR_INVALID,
					       "unexpected end of line after "
					       ">");
			file = w->items[*i];
		}
		config_set_text(&c->output, file);
	} else if (!strcmp(word, "-cum") || !strcmp(word, "--cum")) {
		c->sort = 1;
	} else if (*word == '-') {
		add_expression(&a->ignore, word + 1);
	} else {
		add_expression(&a->focus, word);
	}
	return 0;
}

static void apply_filters(struct reader_config *c, const char *command,
			  const struct arguments *a)
{
	const bool tags = strcmp(command, "tags") == 0;
	if (*a->focus)
		config_set_text(tags ? &c->tagfocus : &c->focus, a->focus);
	if (*a->ignore)
		config_set_text(tags ? &c->tagignore : &c->ignore, a->ignore);
	if (c->node_count == -1 &&
	    (!strcmp(command, "text") || !strcmp(command, "top")))
		c->node_count = 10;
}

/* top20 is "top 20": the digits become a word.  Returns: were there any? */
static bool split_digits(struct words *w)
{
	char *name = w->items[0];
	size_t n = strlen(name);
	while (n && isdigit((unsigned char)name[n - 1]))
		n--;
	if (!n || !name[n])
		return false;
	w->digits = xstrdup(name + n);
	name[n] = '\0';
	memmove(w->items + 2, w->items + 1, (w->n - 1) * sizeof(*w->items));
	w->items[1] = w->digits;
	w->n++;
	return true;
}

/* Returns: the command, or NULL with why. */
static const struct reader_command *find(struct words *w, struct err *e)
{
	const char *name = w->items[0];
	const struct reader_command *c = command_find(name);
	if (!c && split_digits(w))
		c = command_find(name);
	if (c)
		return c;
	int choice;
	const struct config_field *f = config_find(name, &choice);
	if (f && (choice >= 0 || f->kind != CONFIG_CHOICE))
		err_set(e, ERR_INVALID, "did you mean: %s=%s", name,
			w->n > 1 ? w->items[1] : "<val>");
	else
		err_set(e, ERR_INVALID, "unrecognized command: \"%s\"", name);
	return NULL;
}

static int run_words(struct prompt *t, struct words *w, struct err *e)
{
	const struct reader_command *c = find(w, e);
	if (!c)
		return ERR_INVALID;
	/* What is set on this line holds for this line. */
	struct reader_config config;
	config_copy(&config, t->config);
	struct arguments a = { xstrdup(""), xstrdup("") };
	const char *parameter = NULL;
	size_t i = 1;
	int rc = 0;
	if (c->has_parameter) {
		if (w->n > 1)
			parameter = w->items[i++];
		else
			rc = err_set(e, ERR_INVALID,
				     "command %s requires an argument",
				     c->name);
	}
	for (; i < w->n && !rc; i++)
		rc = take_argument(&config, &a, w, &i, e);
	if (!rc) {
		apply_filters(&config, c->name, &a);
		rc = command_run(c, parameter, &config, t->p, true, e);
	}
	free(a.focus);
	free(a.ignore);
	config_free(&config);
	return rc;
}

static void run_line(struct prompt *t, const char *input)
{
	struct err e = { "" };
	if (take_assignment(t, input))
		return;
	struct words w = split_words(input);
	if (w.n == 0) {
		/* nothing */
	} else if (!strcmp(w.items[0], "o") || !strcmp(w.items[0], "options")) {
		help_show_options(t->p, t->config);
	} else if (!strcmp(w.items[0], "exit") || !strcmp(w.items[0], "quit") ||
		   !strcmp(w.items[0], "q")) {
		t->is_over = true;
	} else if (!strcmp(w.items[0], "help")) {
		help_show(w.n > 1 ? w.items[1] : "", t->p);
	} else if (run_words(t, &w, &e)) {
		complain(&e);
	}
	free_words(&w);
}

/* ---- words that stand for lines ------------------------------------------ */

/* The name of a sample type selects it. */
static bool take_shortcut(struct prompt *t, const char *input)
{
	static const char *const clear[] = { "focus=", "ignore=", "hide=",
					     "tagfocus=", "tagignore=" };
	if (strcmp(input, ":") == 0) {
		for (size_t i = 0; i < sizeof(clear) / sizeof(*clear); i++)
			run_line(t, clear[i]);
		return true;
	}
	for (size_t i = t->p->n_sample_types; i-- > 0;) {
		const char *name = type_name(t->p, i);
		const bool total = !strncmp(input, "total_", 6) &&
				   !strcmp(input + 6, name);
		const bool mean =
			!strncmp(input, "mean_", 5) && !strcmp(input + 5, name);
		if (!total && !mean && strcmp(input, name) != 0)
			continue;
		if (total || mean)
			t->config->mean = mean;
		char *line = xasprintf("sample_index=%s", name);
		run_line(t, line);
		free(line);
		return true;
	}
	return false;
}

/* ---- the loop ------------------------------------------------------------ */

static void greet(const struct prompt *t)
{
	struct report *r;
	int fd = STDERR_FILENO;
	const struct sink sink = sink_fd(&fd);
	const struct report_options o = config_options(t->config);
	if (report_open(t->p, report_find_kind("comments"), NULL, &o,
			&command_warn, &r, NULL) == 0) {
		report_describe(r, &sink);
		if (report_total(r) == 0 && t->p->n_sample_types > 1)
			fputs("No samples were found with the default sample "
			      "value type.\n"
			      "Try \"sample_index\" command to analyze "
			      "different sample values.\n",
			      stderr);
		report_close(r);
	}
	fputs("Entering interactive mode (type \"help\" for commands, \"o\" "
	      "for options)\n",
	      stderr);
}

struct word_list {
	const char **items;
	size_t n;
};

static void add_word(struct word_list *l, const char *word)
{
	l->items = xrealloc(l->items, (l->n + 1) * sizeof(*l->items));
	l->items[l->n++] = word;
}

static void init_completion(const struct profile *p, struct word_list *commands,
			    struct word_list *functions)
{
	for (size_t i = 0; i < reader_n_commands; i++)
		add_word(commands, reader_commands[i].name);
	for (size_t i = 0; i < config_n_fields; i++) {
		const struct config_field *f = &config_fields[i];
		add_word(commands, f->name);
		for (int k = 0; f->choices && f->choices[k].name; k++)
			add_word(commands, f->choices[k].name);
	}
	static const char *const others[] = { "help", "options", "quit",
					      "exit" };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		add_word(commands, others[i]);
	functions->items = xcalloc(p->n_functions, sizeof(char *));
	for (size_t i = 0; i < p->n_functions; i++)
		functions->items[functions->n++] =
			profile_str(p, p->functions[i].name);
	const struct line_words words = { commands->items, commands->n,
					  functions->items, functions->n };
	line_init(&words);
}

void prompt_run(const struct profile *p, struct reader_config *config)
{
	struct prompt t = { .p = p, .config = config };
	struct word_list commands = { 0 }, functions = { 0 };
	init_completion(p, &commands, &functions);
	greet(&t);
	config->compact_labels = true;
	while (!t.is_over) {
		char *line = line_read("(pprof) ");
		if (!line)
			break;
		const char *input = trim(line);
		if (!take_shortcut(&t, input))
			run_line(&t, input);
		free(line);
	}
	free(commands.items);
	free(functions.items);
}
