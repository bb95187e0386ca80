/* monitor_options.c - see monitor_options.h. */
#include "tools/monitor_options.h"

#include "base/attr.h"
#include "tools/die.h"
#include "tools/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

const char monitor_usage_text[] =
	"Usage: proflab-monitor [OPTION]... URL\n"
	"\n"
	"Watch a proflab-server: memory, threads, requests, errors, latency,\n"
	"waiting for locks, CPU time, from URL/metrics.  On a terminal a "
	"screen\n"
	"with the last minutes as pictures, else a line each interval.  URL "
	"is\n"
	"http://HOST:PORT, HOST:PORT or unix:PATH.\n"
	"\n"
	"  -interval D       between two looks (default 2s)\n"
	"  -n N              so many looks, then leave (default 0: until q or "
	"a\n"
	"                    signal)\n"
	"  -max NAME=VALUE   a threshold; what is above is marked.  NAME is\n"
	"                    memory (500MB), threads (200), requests (1000, a\n"
	"                    second), errors (5%), p99 (250ms), lockwait (2,\n"
	"                    seconds a second over all threads), cpu (1.5);\n"
	"                    VALUE none takes one away.\n"
	"                    Default: errors=5% p99=1s\n"
	"  -fail             exit 1 when a threshold was crossed, or the "
	"server\n"
	"                    did not answer at some time\n"
	"  -route PATH       requests, errors and latency of one route alone\n"
	"  -lines            lines, also on a terminal\n"
	"  -timeout D        for an answer (default 5s)\n"
	"  -token-file FILE  send the bearer token that stands in FILE\n"
	"  -cacert FILE      trust these authorities\n"
	"  -insecure         trust anyone\n"
	"  -version          say the version and leave\n"
	"  -help             say this and leave\n"
	"\n"
	"Exit status: 0; 1 with -fail; 2 wrong usage; 4 the server never\n"
	"answered.\n";

static int set_max(const char *text, const char *what, void *field,
		   struct err *e)
{
	double *max = *(double **)field;
	const char *eq = strchr(text, '=');
	for (size_t f = 0; eq && f < FIGURES; f++) {
		const char *name = figure_name((enum figure)f);
		if (strlen(name) != (size_t)(eq - text) ||
		    strncmp(name, text, strlen(name)) != 0)
			continue;
		if (!strcmp(eq + 1, "none")) {
			max[f] = NAN;
			return 0;
		}
		return figure_parse((enum figure)f, eq + 1, &max[f], e);
	}
	return err_set(e, ERR_INVALID,
		       "%s is \"%.80s\": must be NAME=VALUE, with memory, "
		       "threads, requests, errors, p99, lockwait or cpu",
		       what, text);
}

struct line {
	struct monitor_options o;
	double *max;
};

static const struct option_row rows[] = {
#define FIELD(f) offsetof(struct line, f)
	{ "interval", OPTION_DURATION, FIELD(o.interval_ns), SECOND_NS / 10,
	  3600 * SECOND_NS },
	{ "n", OPTION_NUMBER, FIELD(o.rounds), 0, INT64_C(1) << 40 },
	{ "max", OPTION_OTHER, FIELD(max), .parse = set_max },
	{ "fail", OPTION_FLAG, FIELD(o.fail) },
	{ "route", OPTION_TEXT, FIELD(o.route) },
	{ "lines", OPTION_FLAG, FIELD(o.lines) },
	{ "timeout", OPTION_DURATION, FIELD(o.source.timeout_ns),
	  SECOND_NS / 10, 600 * SECOND_NS },
	{ "token-file", OPTION_TEXT, FIELD(o.source.token_file) },
	{ "cacert", OPTION_TEXT, FIELD(o.source.ca_file) },
	{ "insecure", OPTION_FLAG, FIELD(o.source.insecure) },
	{ "version", OPTION_FLAG, FIELD(o.version) },
	{ "help", OPTION_FLAG, FIELD(o.help) },
#undef FIELD
};

int monitor_options_parse(int argc, char **argv, struct monitor_options *o,
			  double max[FIGURES], struct err *e)
{
	struct line line = { .o = { .interval_ns = 2 * SECOND_NS,
				    .source.timeout_ns = 5 * SECOND_NS },
			     .max = max };
	const char *url;
	int rc = options_parse(argc, argv, rows, ARRAY_SIZE(rows), &line, e);
	*o = line.o;
	if (rc || o->help || o->version)
		return rc;
	rc = options_operand(argc, argv, "URL", &url, e);
	if (!rc)
		rc = collect_options_set_url(&o->source, url, e);
	if (rc)
		return rc;
	/* URL/metrics itself may be given, too. */
	const size_t n = strlen(o->source.base);
	const bool whole = n > 8 && !strcmp(o->source.base + n - 8, "/metrics");
	o->metrics = xasprintf("%s%s", o->source.base, whole ? "" : "/metrics");
	return 0;
}

void monitor_options_free(struct monitor_options *o)
{
	free(o->metrics);
	collect_options_free(&o->source);
}
