/* reader_help.c - see reader_help.h. */
#include "tools/reader_help.h"

#include "base/buf.h"
#include "profile/profile.h"
#include "tools/die.h"
#include "tools/reader_commands.h"
#include "tools/reader_config.h"
#include "tools/reader_flags.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "[a | b | c]" */
static void append_list(struct buf *b, const char **items, size_t n)
{
	buf_append_char(b, '[');
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? " | " : "", items[i]);
	buf_append_char(b, ']');
}

static void append_choices(struct buf *b, const struct config_field *f)
{
	const char *names[16];
	size_t n = 0;
	while (n < 16 && f->choices[n].name) {
		names[n] = f->choices[n].name;
		n++;
	}
	qsort(names, n, sizeof(*names), compare_texts);
	append_list(b, names, n);
}

static void append_types(struct buf *b, const struct profile *p)
{
	const char **names = xcalloc(p->n_sample_types, sizeof(*names));
	for (size_t i = 0; i < p->n_sample_types; i++)
		names[i] = profile_str(p, p->sample_types[i].type);
	append_list(b, names, p->n_sample_types);
	free(names);
}

static char *format_option(const struct profile *p,
			   const struct reader_config *config,
			   const struct config_field *f)
{
	struct buf value = { 0 }, comment = { 0 };
	const size_t n = p->n_sample_types;
	config_get(config, f, &value);
	buf_append_str(&comment, "//: ");
	if (f->choices) {
		append_choices(&comment, f);
	} else if (strcmp(f->name, "sample_index") == 0) {
		if (!value.len && n)
			buf_append_str(
				&value,
				profile_str(p, p->sample_types[n - 1].type));
		append_types(&comment, p);
	} else if (strcmp(f->name, "nodecount") == 0 &&
		   strcmp(buf_str(&value), "-1") == 0) {
		buf_append_str(&comment, "default");
	} else {
		buf_clear(&comment);
		if (!value.len)
			buf_append_str(&value, "\"\"");
	}
	char *line = xasprintf("  %-25s = %-20s %s", f->name, buf_str(&value),
			       buf_str(&comment));
	buf_free(&value);
	buf_free(&comment);
	return line;
}

void help_show_options(const struct profile *p,
		       const struct reader_config *config)
{
	char **lines = xcalloc(config_n_fields, sizeof(*lines));
	size_t n = 0;
	for (size_t i = 0; i < config_n_fields; i++)
		if (strcmp(config_fields[i].name, "source_path") != 0)
			lines[n++] =
				format_option(p, config, &config_fields[i]);
	qsort(lines, n, sizeof(*lines), compare_texts);
	for (size_t i = 0; i < n; i++) {
		fprintf(stderr, "%s\n", lines[i]);
		free(lines[i]);
	}
	free(lines);
}

/* ---- help ---------------------------------------------------------------- */

static void show_command(const struct reader_command *c)
{
	const char *filters = " [focus_regex]* [-ignore_regex]*";
	struct buf b = { 0 };
	buf_printf(&b, "%s\n", c->description);
	if (c->usage != USAGE_NONE)
		buf_printf(&b, "  Usage:\n    %s", c->name);
	if (c->usage & USAGE_FUNCTION)
		buf_printf(&b, " <func_regex|address>%s", filters);
	if (c->usage & USAGE_FILTERS)
		buf_printf(&b, " [n]%s", filters);
	if (c->usage & USAGE_PEEK)
		buf_append_str(&b, " func_regex");
	if (c->usage & USAGE_TAGS)
		buf_append_str(&b, " [tag_regex]* [-ignore_regex]* [>file]");
	if (c->usage & USAGE_CUM)
		buf_append_str(&b, " [-cum]");
	if (c->usage & USAGE_REDIRECT)
		buf_append_str(&b, " [>file]");
	if (c->usage != USAGE_NONE)
		buf_append_char(&b, '\n');
	const struct {
		unsigned usage;
		const char *text;
	} lines[] = {
		{ USAGE_FUNCTION, "func_regex: the functions to show, by name "
				  "or by an address in them" },
		{ USAGE_PEEK, "func_regex: the functions to show, by name" },
		{ USAGE_FILTERS, "n: show at most so many entries" },
		{ USAGE_FILTERS | USAGE_FUNCTION,
		  "focus_regex: samples through these functions alone" },
		{ USAGE_FILTERS | USAGE_FUNCTION,
		  "-ignore_regex: no samples through these functions" },
		{ USAGE_TAGS, "tag_regex: key:value pairs that match" },
		{ USAGE_CUM, "-cum: sort by the cumulative value" },
		{ USAGE_REDIRECT | USAGE_TAGS,
		  ">file: write the report there" },
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (c->usage & lines[i].usage)
			buf_printf(&b, "    %s\n", lines[i].text);
	fprintf(stderr, "%s\n", buf_str(&b));
	buf_free(&b);
}

static void show_field(const struct config_field *f, int choice,
		       const struct profile *p)
{
	struct buf b = { 0 };
	buf_printf(&b, "%s\n", choice >= 0 ? f->choices[choice].help : f->help);
	if (strcmp(f->name, "sample_index") == 0) {
		buf_append_str(&b, "This profile has ");
		append_types(&b, p);
		buf_append_char(&b, '\n');
	}
	fprintf(stderr, "%s\n", buf_str(&b));
	buf_free(&b);
}

void help_show(const char *topic, const struct profile *p)
{
	int choice;
	const struct reader_command *c = command_find(topic);
	const struct config_field *f = config_find(topic, &choice);
	if (!*topic) {
		struct buf b = { 0 };
		flags_list(&b, "");
		fprintf(stderr,
			"%s\n"
			"  :   Clear focus, ignore, hide, tagfocus, tagignore\n"
			"  The name of a sample type selects it.\n"
			"\n"
			"  help NAME tells more about a command or an "
			"option.\n",
			buf_str(&b));
		buf_free(&b);
	} else if (c) {
		show_command(c);
	} else if (f && (choice >= 0 || !f->choices)) {
		show_field(f, choice, p);
	} else {
		fprintf(stderr, "Unknown command: %s\n", topic);
	}
}
