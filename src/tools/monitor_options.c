/* monitor_options.c - see monitor_options.h. */
#include "tools/monitor_options.h"

#include "base/parse.h"
#include "tools/die.h"

#include <getopt.h>
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

static const struct option longs[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "n", required_argument, NULL, 'n' },
	{ "max", required_argument, NULL, 'm' },
	{ "fail", no_argument, NULL, 'f' },
	{ "route", required_argument, NULL, 'r' },
	{ "lines", no_argument, NULL, 'l' },
	{ "timeout", required_argument, NULL, 'T' },
	{ "token-file", required_argument, NULL, 'k' },
	{ "cacert", required_argument, NULL, 'c' },
	{ "insecure", no_argument, NULL, 'I' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int set_max(double max[FIGURES], const char *text, struct err *e)
{
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
		       "-max is \"%.80s\": must be NAME=VALUE, with memory, "
		       "threads, requests, errors, p99, lockwait or cpu",
		       text);
}

static int set_option(struct monitor_options *o, double max[FIGURES], int c,
		      struct err *e)
{
	switch (c) {
	case 'i':
		return parse_duration(optarg, "-interval", SECOND_NS / 10,
				      3600 * SECOND_NS, &o->interval_ns, e);
	case 'n':
		return parse_int(optarg, "-n", 0, INT64_C(1) << 40, &o->rounds,
				 e);
	case 'm':
		return set_max(max, optarg, e);
	case 'f':
		o->fail = true;
		return 0;
	case 'r':
		o->route = optarg;
		return 0;
	case 'l':
		o->lines = true;
		return 0;
	case 'T':
		return parse_duration(optarg, "-timeout", SECOND_NS / 10,
				      600 * SECOND_NS, &o->source.timeout_ns,
				      e);
	case 'k':
		o->source.token_file = optarg;
		return 0;
	case 'c':
		o->source.ca_file = optarg;
		return 0;
	case 'I':
		o->source.insecure = true;
		return 0;
	case 'v':
		o->version = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default:
		return err_set(e, ERR_INVALID, "-help lists the options");
	}
}

int monitor_options_parse(int argc, char **argv, struct monitor_options *o,
			  double max[FIGURES], struct err *e)
{
	*o = (struct monitor_options){ .interval_ns = 2 * SECOND_NS,
				       .source.timeout_ns = 5 * SECOND_NS };
	int c, rc = 0;
	while (!rc && (c = getopt_long_only(argc, argv, "", longs, NULL)) != -1)
		rc = set_option(o, max, c, e);
	if (rc || o->help || o->version)
		return rc;
	if (argc - optind != 1)
		return err_set(e, ERR_INVALID,
			       "one URL is needed (-help lists the options)");
	rc = collect_options_set_url(&o->source, argv[optind], e);
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
