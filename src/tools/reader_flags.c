/* reader_flags.c - see reader_flags.h. */
#include "tools/reader_flags.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "tools/die.h"
#include "tools/reader_commands.h"
#include "tools/reader_number.h"

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE(member) offsetof(struct reader_source, member)

/* Flags that are neither options nor commands. */
static const struct source_flag {
	const char *name;
	enum config_kind kind;
	size_t offset;
} source_flags[] = {
	{ "symbolize", CONFIG_TEXT, SOURCE(symbolize) },
	{ "buildid", CONFIG_TEXT, SOURCE(build_id) },
	{ "timeout", CONFIG_INT, SOURCE(timeout) },
	{ "add_comment", CONFIG_TEXT, SOURCE(comment) },
	{ "seconds", CONFIG_INT, SOURCE(seconds) },
	{ "tools", CONFIG_TEXT, SOURCE(tools) },
	{ "tls_cert", CONFIG_TEXT, SOURCE(tls.cert) },
	{ "tls_key", CONFIG_TEXT, SOURCE(tls.key) },
	{ "tls_ca", CONFIG_TEXT, SOURCE(tls.ca) },
	{ "http", CONFIG_TEXT, SOURCE(http) },
	{ "no_browser", CONFIG_BOOL, SOURCE(no_browser) },
};

/* -inuse_space and so on: short for -sample_index=inuse_space. */
static const struct value_flag {
	const char *name, *value, *help;
} value_flags[] = {
	{ "total_delay", "delay", "Same as -sample_index=delay" },
	{ "mean_delay", "delay", "Same as -mean -sample_index=delay" },
	{ "contentions", "contentions", "Same as -sample_index=contentions" },
	{ "inuse_space", "inuse_space", "Same as -sample_index=inuse_space" },
	{ "inuse_objects", "inuse_objects",
	  "Same as -sample_index=inuse_objects" },
	{ "alloc_space", "alloc_space", "Same as -sample_index=alloc_space" },
	{ "alloc_objects", "alloc_objects",
	  "Same as -sample_index=alloc_objects" },
};

/* What was set while reading, and is judged at the end. */
struct parse {
	struct reader_flags *f;
	const char *base, *diff_base;
	bool values[ARRAY_SIZE(value_flags)];
	bool *commands;		 /* by command, those without parameter */
	const char **parameters; /* by command, those with */
	bool sorts[8], granularities[8];
};

_Noreturn static void usage_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
_Noreturn static void usage_error(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	struct buf b = { 0 };
	flags_usage(&b);
	fputs(buf_str(&b), stderr);
	buf_free(&b);
	exit(2);
}

/* ---- values -------------------------------------------------------------- */

static bool parse_bool(const char *name, const char *value)
{
	static const char *const yes[] = {
		"1", "t", "T", "true", "TRUE", "True"
	};
	static const char *const no[] = { "0",	   "f",	    "F",
					  "false", "FALSE", "False" };
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(value, yes[i]) == 0)
			return true;
		if (strcmp(value, no[i]) == 0)
			return false;
	}
	usage_error("invalid boolean value \"%s\" for -%s: parse error", value,
		    name);
}

static void judge_number(enum number_result result, const char *name,
			 const char *value)
{
	if (result != NUMBER_OK)
		usage_error("invalid value \"%s\" for flag -%s: %s", value,
			    name,
			    result == NUMBER_RANGE ? "value out of range"
						   : "parse error");
}

static void set_field(void *field, enum config_kind kind, const char *name,
		      const char *value, bool is_owned)
{
	switch (kind) {
	case CONFIG_BOOL:
		*(bool *)field = parse_bool(name, value);
		break;
	case CONFIG_INT:
		judge_number(number_parse_int(value, 0, field), name, value);
		break;
	case CONFIG_FLOAT:
		judge_number(number_parse_float(value, field), name, value);
		break;
	case CONFIG_TEXT:
		if (is_owned)
			config_set_text(field, value);
		else
			*(const char **)field = value;
		break;
	case CONFIG_CHOICE:
		break;
	}
}

/* ---- one flag ------------------------------------------------------------ */

/*
 * Find the flag and set it.  value is NULL when none was attached.
 * Returns: how many words were used beside the flag's own.
 */
struct flag_word {
	const char *name, *value;
	char *const *rest; /* words after it */
};

static const char *need_value(const struct flag_word *w, int *used)
{
	if (w->value)
		return w->value;
	if (!w->rest[0])
		usage_error("flag needs an argument: -%s", w->name);
	*used = 1;
	return w->rest[0];
}

static const char *bool_value(const struct flag_word *w)
{
	return w->value ? w->value : "true";
}

static bool set_config_flag(struct parse *p, const struct flag_word *w,
			    int *used)
{
	int choice;
	const struct config_field *f = config_find(w->name, &choice);
	if (!f || (f->kind == CONFIG_CHOICE && choice < 0))
		return false;
	if (choice >= 0) {
		bool *set = strcmp(f->name, "sort") == 0 ? p->sorts
							 : p->granularities;
		set[choice] = parse_bool(w->name, bool_value(w));
		return true;
	}
	set_field(config_value(&p->f->config, f), f->kind, w->name,
		  f->kind == CONFIG_BOOL ? bool_value(w) : need_value(w, used),
		  true);
	return true;
}

static bool set_command_flag(struct parse *p, const struct flag_word *w,
			     int *used)
{
	const struct reader_command *c = command_find(w->name);
	if (!c)
		return false;
	const size_t i = (size_t)(c - reader_commands);
	if (c->has_parameter)
		p->parameters[i] = need_value(w, used);
	else
		p->commands[i] = parse_bool(w->name, bool_value(w));
	return true;
}

static bool set_source_flag(struct parse *p, const struct flag_word *w,
			    int *used)
{
	for (size_t i = 0; i < ARRAY_SIZE(source_flags); i++) {
		const struct source_flag *f = &source_flags[i];
		if (strcmp(f->name, w->name) != 0)
			continue;
		set_field((char *)&p->f->source + f->offset, f->kind, w->name,
			  f->kind == CONFIG_BOOL ? bool_value(w)
						 : need_value(w, used),
			  false);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(value_flags); i++)
		if (strcmp(value_flags[i].name, w->name) == 0) {
			p->values[i] = parse_bool(w->name, bool_value(w));
			return true;
		}
	if (strcmp(w->name, "base") == 0)
		p->base = need_value(w, used);
	else if (strcmp(w->name, "diff_base") == 0)
		p->diff_base = need_value(w, used);
	else
		return false;
	return true;
}

_Noreturn static void print_and_exit(bool version)
{
	struct buf b = { 0 };
	if (version)
		buf_printf(&b, "proflab-pprof (%s) %s\n", PACKAGE_NAME,
			   PACKAGE_VERSION);
	else
		flags_usage(&b);
	fputs(buf_str(&b), stdout);
	buf_free(&b);
	exit(fflush(stdout) ? 2 : 0);
}

/* Returns: how many words the flag at argv[0] took. */
static int take_flag(struct parse *p, char **argv)
{
	const char *word = argv[0] + 1;
	if (*word == '-')
		word++;
	if (!*word || *word == '-' || *word == '=')
		usage_error("bad flag syntax: %s", argv[0]);
	const size_t len = strcspn(word, "=");
	char *name = xasprintf("%.*s", (int)len, word);
	const struct flag_word w = { name, word[len] ? word + len + 1 : NULL,
				     argv + 1 };
	int used = 0;
	if (!set_config_flag(p, &w, &used) && !set_command_flag(p, &w, &used) &&
	    !set_source_flag(p, &w, &used)) {
		if (!strcmp(name, "h") || !strcmp(name, "help"))
			print_and_exit(false);
		if (!strcmp(name, "version"))
			print_and_exit(true);
		usage_error("flag provided but not defined: -%s", name);
	}
	free(name);
	return 1 + used;
}

/* ---- what they mean together --------------------------------------------- */

static int choose(const struct config_choice *choices, const bool *set,
		  int value)
{
	int n = 0;
	for (int i = 0; choices[i].name; i++)
		if (set[i]) {
			value = i;
			n++;
		}
	if (n < 2)
		return value;
	struct buf b = { 0 };
	for (int i = 0; choices[i].name; i++)
		if (set[i])
			buf_printf(&b, "%s%s", b.len ? " " : "",
				   choices[i].name);
	die("conflicting options set: [%s]", buf_str(&b));
}

static void choose_groups(struct parse *p)
{
	int unused;
	struct reader_config *c = &p->f->config;
	c->sort = choose(config_find("sort", &unused)->choices, p->sorts,
			 c->sort);
	c->granularity = choose(config_find("granularity", &unused)->choices,
				p->granularities, c->granularity);
}

static void choose_command(struct parse *p)
{
	for (size_t i = 0; i < reader_n_commands; i++) {
		const char *parameter = p->parameters[i];
		if (!p->commands[i] && !(parameter && *parameter))
			continue;
		if (p->f->command)
			die("must set at most one output format");
		p->f->command = &reader_commands[i];
		p->f->parameter = parameter;
	}
}

static void choose_value(struct parse *p)
{
	struct reader_config *c = &p->f->config;
	for (size_t i = 0; i < ARRAY_SIZE(value_flags); i++) {
		if (!p->values[i])
			continue;
		if (!*c->sample_index)
			config_set_text(&c->sample_index, value_flags[i].value);
		else
			fprintf(stderr,
				"Multiple value selections, ignoring -%s\n",
				value_flags[i].name);
		if (strcmp(value_flags[i].name, "mean_delay") == 0)
			c->mean = true;
	}
}

static bool is_program(const char *path)
{
	char magic[4] = "";
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, magic, sizeof(magic));
	close(fd);
	return n == 4 && memcmp(magic, "\177ELF", 4) == 0;
}

/* The first of several sources may be the binary, or its build id. */
static void take_binary(struct reader_source *s)
{
	if (s->n_sources < 2)
		return;
	const char *first = s->sources[0];
	if (is_program(first))
		s->exec_name = first;
	else if (!*s->build_id &&
		 !first[strspn(first, "0123456789abcdefABCDEF")])
		s->build_id = first;
	else
		return;
	s->sources++;
	s->n_sources--;
}

static void judge(struct parse *p)
{
	struct reader_source *s = &p->f->source;
	take_binary(s);
	choose_groups(p);
	choose_command(p);
	if (p->f->command && *s->http)
		die("-http is not compatible with an output format on the "
		    "command line");
	if (s->no_browser && !*s->http)
		die("-no_browser only makes sense with -http");
	choose_value(p);
	if (*p->base && *p->diff_base)
		die("-base and -diff_base flags cannot both be specified");
	s->is_diff = *p->diff_base;
	s->base = s->is_diff ? p->diff_base : p->base;
	s->normalize = p->f->config.normalize;
	if (s->normalize && !*s->base)
		die("must have base profile to normalize by");
}

void flags_parse(int argc, char **argv, struct reader_flags *f)
{
	const char *tools = getenv("PPROF_TOOLS");
	*f = (struct reader_flags){
		.source = { .exec_name = "",
			    .build_id = "",
			    .base = "",
			    .seconds = -1,
			    .timeout = -1,
			    .symbolize = "",
			    .comment = "",
			    .tools = tools ? tools : "",
			    .tls = { "", "", "" },
			    .http = "" },
	};
	config_init(&f->config);
	struct parse p = { .f = f, .base = "", .diff_base = "" };
	p.commands = xcalloc(reader_n_commands, sizeof(*p.commands));
	p.parameters = xcalloc(reader_n_commands, sizeof(*p.parameters));
	int i = 1;
	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		i += take_flag(&p, argv + i);
	}
	f->source.sources = argv + i;
	f->source.n_sources = (size_t)(argc - i);
	if (i >= argc)
		usage_error("no profile source specified");
	judge(&p);
	free(p.commands);
	free(p.parameters);
}

/* ---- the usage text ------------------------------------------------------ */

static void list_row(struct buf *b, const char *dash, const char *name,
		     const char *help)
{
	char word[64];
	snprintf(word, sizeof(word), "%s%s", dash, name);
	buf_printf(b, "    %-22s %.*s\n", word, (int)strcspn(help, "\n"), help);
}

static int compare_fields(const void *a, const void *b)
{
	return strcmp((*(const struct config_field *const *)a)->name,
		      (*(const struct config_field *const *)b)->name);
}

void flags_list(struct buf *b, const char *dash)
{
	buf_printf(b, "%s\n",
		   *dash ? "  Reports (at most one):" : "  Commands:");
	for (size_t i = 0; i < reader_n_commands; i++) {
		const struct reader_command *c = &reader_commands[i];
		char *name = xasprintf("%s%s", c->name,
				       !c->has_parameter ? ""
				       : *dash		 ? "=RE"
							 : " RE");
		list_row(b, dash, name, c->description);
		free(name);
	}
	if (!*dash) {
		list_row(b, dash, "o, options", "Show all options");
		list_row(b, dash, "q, quit, exit, ^D", "End");
	}
	buf_append_str(b, "\n  Options:\n");
	const struct config_field **sorted =
		xcalloc(config_n_fields, sizeof(*sorted));
	for (size_t i = 0; i < config_n_fields; i++)
		sorted[i] = &config_fields[i];
	qsort(sorted, config_n_fields, sizeof(*sorted), compare_fields);
	for (size_t i = 0; i < config_n_fields; i++)
		if (!sorted[i]->choices)
			list_row(b, dash, sorted[i]->name, sorted[i]->help);
	for (size_t i = 0; i < config_n_fields; i++) {
		if (!sorted[i]->choices)
			continue;
		buf_printf(b, "\n  %s (at most one):\n",
			   sorted[i]->name[0] == 's' ? "Order" : "Detail");
		for (int k = 0; sorted[i]->choices[k].name; k++)
			list_row(b, dash, sorted[i]->choices[k].name,
				 sorted[i]->choices[k].help);
	}
	free(sorted);
}

void flags_usage(struct buf *b)
{
	buf_append_str(
		b,
		"Usage: proflab-pprof REPORT [OPTION]... [BINARY] SOURCE...\n"
		"       proflab-pprof [OPTION]... [BINARY] SOURCE...\n"
		"       proflab-pprof -http=[HOST]:[PORT] [OPTION]... "
		"[BINARY] SOURCE...\n"
		"\n"
		"Read a profile and print a report of it; without REPORT, ask "
		"for commands; with\n"
		"-http, show it in a browser.  Flags, reports and numbers are "
		"those of\n"
		"`go tool pprof`.\n"
		"\n");
	flags_list(b, "-");
	buf_append_str(
		b,
		"\n  Sources:\n"
		"    FILE                   profile.proto, plain or gzip, or a "
		"text format of old;\n"
		"                           - is standard input\n"
		"    http://HOST:PORT/PATH  asked for a profile; HOST:PORT "
		"alone "
		"means its CPU\n"
		"                           profile\n"
		"    unix:PATH              a server on that socket: its CPU "
		"profile;\n"
		"                           unix:PATH:/debug/pprof/heap: "
		"another one\n"
		"    several                are added up\n"
		"    BINARY                 the program (or its build id), for "
		"functions and lines\n"
		"    -base FILE-or-URL      subtract this profile\n"
		"    -diff_base FILE-or-URL compare with this one: percentages "
		"refer to it\n"
		"    -seconds N             for how long a server shall "
		"measure\n"
		"    -timeout N             how many seconds to wait for it\n"
		"    -buildid ID            of the main binary\n"
		"    -add_comment TEXT      add it to the comments of the "
		"profile\n"
		"    -symbolize HOW         none, local, fastlocal, remote; "
		"force; demangle=none,\n"
		"                           full, templates, default (divided "
		"by :)\n"
		"    -tools PATH            where objdump is\n"
		"    -tls_cert FILE         certificate to show to an https "
		"server, PEM\n"
		"    -tls_key FILE          its private key\n"
		"    -tls_ca FILE           certificates of those who may "
		"vouch "
		"for the server\n"
		"\n  Browser:\n"
		"    -http [HOST]:[PORT]    serve the profile as a page; HOST "
		"is "
		"localhost, PORT any\n"
		"                           free one unless given\n"
		"    -no_browser            do not open it\n"
		"\n  Values:\n");
	for (size_t i = 0; i < ARRAY_SIZE(value_flags); i++)
		list_row(b, "-", value_flags[i].name, value_flags[i].help);
	buf_append_str(
		b, "\n  Others:\n"
		   "    -help                  this text\n"
		   "    -version               the version\n"
		   "\n  Environment:\n"
		   "    PPROF_TMPDIR           where fetched profiles are kept "
		   "(default ~/pprof)\n"
		   "    PPROF_TOOLS            where objdump is\n"
		   "    PPROF_BINARY_PATH      where binaries are (default "
		   "~/pprof/binaries): name,\n"
		   "                           path, build-id/name, "
		   "path/build-id\n"
		   "    TZ                     time zone of the times shown\n");
}
