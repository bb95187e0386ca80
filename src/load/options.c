/* options.c - see options.h. */
#include "load/options.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS   INT64_C(1000000000)
#define DEFAULT_URL "http://localhost:8080"

enum kind { FLAG, TEXT, NUMBER, DURATION, SCENARIO, HEADER };

static const struct option {
	const char *name, *argument, *help;
	enum kind kind;
	size_t offset;
	int64_t min, max;
} table[] = {
#define FIELD(f) offsetof(struct load_options, f)
	{ "scenario", "NAME", "what to ask for (default mixed)", SCENARIO, 0 },
	{ "concurrency", "N",
	  "requests under way at the same time (0: as the scenario)", NUMBER,
	  FIELD(concurrency), 0, 10000 },
	{ "duration", "DURATION", "how long (0: as the scenario)", DURATION,
	  FIELD(duration_ns), 0, 366 * 24 * 3600 * SECOND_NS },
	{ "rps", "N",
	  "requests a second; 0: as many as there may be (-1: as the scenario)",
	  NUMBER, FIELD(rps), -1, 1000000 },
	{ "requests", "N",
	  "end after N requests, or with the time (0: with the time)", NUMBER,
	  FIELD(requests), 0, INT64_C(1000000000000) },
	{ "url", "URL", "the server (default " DEFAULT_URL ")", TEXT,
	  FIELD(url) },
	{ "header", "'NAME: VALUE'", "send this too; may be given repeatedly",
	  HEADER, 0 },
	{ "seed", "N", "draws the requests; same seed, same requests (1)",
	  NUMBER, FIELD(seed), 0, INT64_MAX },
	{ "timeout", "DURATION", "for an answer, then it is a failure (30s)",
	  DURATION, FIELD(timeout_ns), 1000000, 3600 * SECOND_NS },
	{ "grace", "DURATION", "to wait for the last answers at the end (30s)",
	  DURATION, FIELD(grace_ns), 0, 3600 * SECOND_NS },
	{ "json", NULL, "the summary as JSON", FLAG, FIELD(json) },
	{ "quiet", NULL, "no progress, no advice", FLAG, FIELD(quiet) },
	{ "version", NULL, "say the version and leave", FLAG, FIELD(version) },
	{ "help", NULL, "say this and leave", FLAG, FIELD(help) },
	{ "h", NULL, NULL, FLAG, FIELD(help) },
#undef FIELD
};

static const struct option *find(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strlen(table[i].name) == length &&
		    !memcmp(table[i].name, name, length))
			return &table[i];
	return NULL;
}

static int set_scenario(struct load_options *o, const char *name, struct err *e)
{
	const struct scenario *s = scenario_find(name);
	if (s) {
		o->scenario = s;
		return 0;
	}
	char names[256] = "";
	size_t n = 0;
	for (size_t i = 0; i < scenario_count && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
				      i ? ", " : "", scenarios[i].name);
	return err_set(e, ERR_INVALID, "-scenario is \"%.80s\": there are %s",
		       name, names);
}

static int add_header(struct load_options *o, const char *value, struct err *e)
{
	const char *colon = strchr(value, ':');
	if (!colon || colon == value || strpbrk(value, "\r\n"))
		return err_set(e, ERR_INVALID,
			       "-header is \"%.80s\": must be NAME: VALUE",
			       value);
	if (o->header_count == LOAD_HEADERS_MAX)
		return err_set(e, ERR_INVALID, "-header: more than %d",
			       LOAD_HEADERS_MAX);
	o->headers[o->header_count++] = value;
	return 0;
}

static int set_flag(bool *flag, const char *name, const char *value,
		    struct err *e)
{
	if (!strcmp(value, "true") || !strcmp(value, "1"))
		*flag = true;
	else if (!strcmp(value, "false") || !strcmp(value, "0"))
		*flag = false;
	else
		return err_set(e, ERR_INVALID,
			       "-%s is \"%.80s\": must be true or false", name,
			       value);
	return 0;
}

static int set_value(struct load_options *o, const struct option *option,
		     const char *value, struct err *e)
{
	void *field = (char *)o + option->offset;
	char what[32];
	snprintf(what, sizeof(what), "-%s", option->name);
	switch (option->kind) {
	case FLAG:
		return set_flag(field, option->name, value, e);
	case NUMBER:
		return parse_int(value, what, option->min, option->max, field,
				 e);
	case DURATION:
		return parse_duration(value, what, option->min, option->max,
				      field, e);
	case SCENARIO:
		return set_scenario(o, value, e);
	case HEADER:
		return add_header(o, value, e);
	case TEXT:
		break;
	}
	if (strncmp(value, "http://", 7) && strncmp(value, "https://", 8))
		return err_set(e, ERR_INVALID,
			       "%s is \"%.80s\": must begin with http:// or "
			       "https://",
			       what, value);
	*(const char **)field = value;
	return 0;
}

/* What the command line left open is as the scenario says. */
static void fill_in(struct load_options *o)
{
	if (!o->concurrency)
		o->concurrency = o->scenario->concurrency;
	if (!o->duration_ns)
		o->duration_ns = o->scenario->duration_ns;
	if (o->rps < 0)
		o->rps = o->scenario->rps;
}

int load_options_parse(int argc, char **argv, struct load_options *ret_options,
		       struct err *e)
{
	struct load_options o = { .scenario = scenario_find("mixed"),
				  .rps = -1,
				  .url = DEFAULT_URL,
				  .seed = 1,
				  .timeout_ns = 30 * SECOND_NS,
				  .grace_ns = 30 * SECOND_NS };
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i];
		if (*name != '-')
			return err_set(e, ERR_INVALID,
				       "\"%.80s\" is not an option", name);
		name += name[1] == '-' ? 2 : 1;
		const char *equals = strchr(name, '=');
		const size_t length =
			equals ? (size_t)(equals - name) : strlen(name);
		const struct option *option = find(name, length);
		if (!option)
			return err_set(e, ERR_INVALID,
				       "no option is called %.80s", argv[i]);
		const char *value = equals ? equals + 1 : "true";
		if (!equals && option->kind != FLAG) {
			if (++i == argc)
				return err_set(e, ERR_INVALID,
					       "-%s needs a value",
					       option->name);
			value = argv[i];
		}
		const int rc = set_value(&o, option, value, e);
		if (rc)
			return rc;
	}
	fill_in(&o);
	*ret_options = o;
	return 0;
}

int load_options_print_help(struct buf *to)
{
	buf_append_str(to, "usage: proflab-load [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].help)
			buf_printf(to, "  -%s%s%s\n        %s\n", table[i].name,
				   table[i].argument ? " " : "",
				   table[i].argument ? table[i].argument : "",
				   table[i].help);
	buf_append_str(to, "\nscenarios:\n");
	for (size_t i = 0; i < scenario_count; i++) {
		char duration[PARSE_DURATION_TEXT], rps[32] = "no limit";
		const struct scenario *s = &scenarios[i];
		if (s->rps)
			snprintf(rps, sizeof(rps), "%" PRId64 " a second",
				 s->rps);
		buf_printf(to, "  %-12s %-24s %2" PRId64 " at a time, %s, %s\n",
			   s->name, s->about, s->concurrency,
			   format_duration(s->duration_ns, duration), rps);
	}
	return to->failed;
}
