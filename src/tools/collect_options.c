/* collect_options.c - see collect_options.h. */
#include "tools/collect_options.h"

#include "base/attr.h"
#include "base/parse.h"
#include "tools/die.h"
#include "tools/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS	  (86400 * SECOND_NS)
#define LONG_NS	  (3650 * DAY_NS)

const char collect_usage_text[] =
	"Usage: proflab-collect [OPTION]... URL\n"
	"       proflab-collect report [OPTION]... DIR|FILE...\n"
	"\n"
	"Collect profiles of a running process, round by round, into\n"
	"profiles/YYYYmmdd_HHMMSS/ (UTC).  URL is http://HOST:PORT, HOST:PORT "
	"or\n"
	"unix:PATH.  A round appears when it is whole: captures are checked,\n"
	"written to a temporary name, synced and renamed.\n"
	"\n"
	"  -dir DIR          where to (default profiles)\n"
	"  -types LIST       cpu heap allocs threads goroutine threadcreate "
	"mutex\n"
	"                    block wall, or NAME=PATH, separated by commas\n"
	"                    (default heap,allocs,threads,mutex,block,cpu)\n"
	"  -seconds N        length of cpu and wall (default 10)\n"
	"  -stats URL|none   JSON that is kept beside them (default /stats)\n"
	"  -once             one round (for cron)\n"
	"  -rounds N         so many rounds (default 0: until SIGTERM)\n"
	"  -interval D       from one round's start to the next's (default "
	"5m)\n"
	"  -jitter D         each start is later by a random part of this\n"
	"                    (default a tenth of the interval, 0 with -once)\n"
	"  -max-backoff D    a server that is down is tried again after 1s, "
	"2s,\n"
	"                    4s, ... up to this (default the interval)\n"
	"  -timeout D        for an answer, beyond -seconds (default 30s)\n"
	"  -keep-age D       remove rounds older than this: 12h, 7d; 0 none\n"
	"                    (default 7d)\n"
	"  -keep-size SIZE   remove the oldest above this: 500MB, 2GiB; 0 "
	"none\n"
	"                    (default 1GB).  The newest round is never "
	"removed\n"
	"  -token-file FILE  send the bearer token that stands in FILE\n"
	"  -cacert FILE      trust these authorities\n"
	"  -insecure         trust anyone\n"
	"  -quiet            say only what went wrong\n"
	"  -version          say the version and leave\n"
	"  -help             say this and leave\n"
	"\n"
	"DIR/index.jsonl has a line of JSON for each round.  One collector "
	"works\n"
	"in a folder at a time.\n"
	"\n"
	"Exit status: 0 all collected; 1 some captures failed, the others are\n"
	"kept; 2 wrong usage; 3 another collector works in DIR; 4 nobody "
	"answers\n"
	"at URL; 5 DIR cannot be written or the disk is full (nothing that "
	"was\n"
	"there is lost).  Without -once and -rounds: of the last round, and 0\n"
	"after SIGTERM.\n"
	"\n"
	"proflab-collect report -help tells about reports.\n";

/* What the names of -types mean. */
static const struct {
	const char *name, *path;
	bool timed;
} known[] = {
	{ "cpu", "/debug/pprof/profile", true },
	{ "wall", "/debug/pprof/wall", true },
	{ "heap", "/debug/pprof/heap", false },
	{ "allocs", "/debug/pprof/allocs", false },
	{ "threads", "/debug/pprof/threads", false },
	{ "goroutine", "/debug/pprof/goroutine", false },
	{ "threadcreate", "/debug/pprof/threadcreate", false },
	{ "mutex", "/debug/pprof/mutex", false },
	{ "block", "/debug/pprof/block", false },
};

void collect_options_free(struct collect_options *o)
{
	for (size_t i = 0; i < o->n_types; i++) {
		free(o->types[i].name);
		free(o->types[i].path);
	}
	free(o->base);
	free(o->unix_socket);
	free(o->stats);
}

/* ---- values ---- */

static int parse_age(const char *s, const char *what, void *field,
		     struct err *e)
{
	const size_t n = strlen(s);
	int64_t days, age;
	char *number = xasprintf("%.*s", n ? (int)n - 1 : 0, s);
	int rc;
	if (n && s[n - 1] == 'd') {
		rc = parse_int(number, what, 0, 3650, &days, e);
		age = rc ? 0 : days * DAY_NS;
	} else {
		rc = parse_duration(s, what, 0, LONG_NS, &age, e);
	}
	free(number);
	if (rc)
		return err_set(e, ERR_INVALID,
			       "%s is \"%.80s\": must be an age up to 3650d, "
			       "such as 7d, 12h or 1h30m; 0 is none",
			       what, s);
	*(int64_t *)field = age;
	return 0;
}

static int parse_size(const char *s, const char *what, void *field,
		      struct err *e)
{
	static const struct {
		const char *unit;
		double bytes;
	} units[] = { { "", 1 },	 { "B", 1 },	    { "kB", 1e3 },
		      { "MB", 1e6 },	 { "GB", 1e9 },	    { "TB", 1e12 },
		      { "KiB", 0x1p10 }, { "MiB", 0x1p20 }, { "GiB", 0x1p30 },
		      { "TiB", 0x1p40 } };
	char *end;
	errno = 0;
	const double v = strtod(s, &end);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (isdigit((unsigned char)*s) && end > s && !errno &&
		    !strcmp(end, units[i].unit) && v * units[i].bytes < 1e18) {
			*(int64_t *)field = (int64_t)(v * units[i].bytes);
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "%s is \"%.80s\": must be a size like 500MB, 1GB, "
		       "2GiB, or 0",
		       what, s);
}

static bool is_file_name(const char *s)
{
	if (!*s || *s == '.' || strlen(s) > 64)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_.", *s))
			return false;
	return true;
}

/* One word of -types: a known name, or NAME=PATH. */
static int add_type(struct collect_options *o, char *word, struct err *e)
{
	char *eq = strchr(word, '=');
	struct collect_type t = { 0 };
	if (o->n_types == COLLECT_TYPES_MAX)
		return err_set(e, ERR_INVALID, "-types: more than %d",
			       COLLECT_TYPES_MAX);
	if (eq)
		*eq = '\0';
	for (size_t i = 0; i < o->n_types; i++)
		if (!strcmp(o->types[i].name, word))
			return err_set(e, ERR_INVALID,
				       "-types has \"%.80s\" twice", word);
	for (size_t i = 0; !eq && i < ARRAY_SIZE(known); i++)
		if (!strcmp(word, known[i].name))
			t = (struct collect_type){ .path = xstrdup(
							   known[i].path),
						   .timed = known[i].timed };
	if (eq && eq[1] == '/' && is_file_name(word))
		t.path = xstrdup(eq + 1);
	if (!t.path)
		return err_set(e, ERR_INVALID,
			       "-types has \"%.80s\": there are cpu, heap, "
			       "allocs, threads, goroutine, threadcreate, "
			       "mutex, block, wall, or NAME=/PATH",
			       word);
	t.name = xstrdup(word);
	o->types[o->n_types++] = t;
	return 0;
}

static int set_types(struct collect_options *o, const char *list, struct err *e)
{
	char *copy = xstrdup(list), *save = NULL;
	int rc = 0;
	for (char *w = strtok_r(copy, ",", &save); w && !rc;
	     w = strtok_r(NULL, ",", &save))
		rc = add_type(o, w, e);
	free(copy);
	if (!rc && !o->n_types)
		rc = err_set(e, ERR_INVALID, "-types is empty");
	return rc;
}

/* ---- addresses ---- */

int collect_options_set_url(struct collect_options *o, const char *url,
			    struct err *e)
{
	static const char pprof[] = "/debug/pprof";
	if (!strncmp(url, "unix:", 5)) {
		const char *path = url + 5;
		path += !strncmp(path, "//", 2) ? 2 : 0;
		if (!*path)
			return err_set(e, ERR_INVALID,
				       "URL is \"unix:\": a path is missing");
		o->unix_socket = xstrdup(path);
		o->base = xstrdup("http://localhost");
		return 0;
	}
	const char *colons = strstr(url, "://");
	if (colons && strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
		return err_set(e, ERR_INVALID,
			       "URL is \"%.200s\": must be http://, https://, "
			       "unix:PATH or HOST:PORT",
			       url);
	if (!*url || *url == '/' || strpbrk(url, " ?#") ||
	    (colons && !colons[3]))
		return err_set(e, ERR_INVALID,
			       "URL is \"%.200s\": must be like "
			       "http://127.0.0.1:8080",
			       url);
	o->base = xasprintf("%s%s", colons ? "" : "http://", url);
	size_t n = strlen(o->base);
	while (n && o->base[n - 1] == '/')
		o->base[--n] = '\0';
	if (n > strlen(pprof) && !strcmp(o->base + n - strlen(pprof), pprof))
		o->base[n - strlen(pprof)] = '\0';
	return 0;
}

static void set_stats(struct collect_options *o, const char *stats)
{
	o->stats_apart = strstr(stats, "://") != NULL;
	if (o->stats_apart)
		o->stats = xstrdup(stats);
	else if (strcmp(stats, "none") != 0)
		o->stats = xasprintf("%s%s%s", o->base,
				     *stats == '/' ? "" : "/", stats);
}

/* -seconds goes into the query of what is measured for a while. */
static void finish_types(struct collect_options *o)
{
	for (size_t i = 0; i < o->n_types; i++) {
		struct collect_type *t = &o->types[i];
		if (!t->timed)
			continue;
		char *path =
			xasprintf("%s?seconds=%" PRId64, t->path, o->seconds);
		free(t->path);
		t->path = path;
	}
}

/* ---- the command line ---- */

/* What the options say, before the words are made into types and addresses. */
struct line {
	struct collect_options o;
	const char *types, *stats;
};

static const struct option_row rows[] = {
#define FIELD(f) offsetof(struct line, f)
	{ "dir", OPTION_TEXT, FIELD(o.folder) },
	{ "types", OPTION_TEXT, FIELD(types) },
	{ "seconds", OPTION_NUMBER, FIELD(o.seconds), 1, 3600 },
	{ "stats", OPTION_TEXT, FIELD(stats) },
	{ "once", OPTION_FLAG, FIELD(o.once) },
	{ "rounds", OPTION_NUMBER, FIELD(o.rounds), 0, INT64_C(1) << 40 },
	{ "interval", OPTION_DURATION, FIELD(o.interval_ns), SECOND_NS,
	  LONG_NS },
	{ "jitter", OPTION_DURATION, FIELD(o.jitter_ns), 0, LONG_NS },
	{ "max-backoff", OPTION_DURATION, FIELD(o.backoff_ns), SECOND_NS,
	  LONG_NS },
	{ "timeout", OPTION_DURATION, FIELD(o.timeout_ns), SECOND_NS,
	  3600 * SECOND_NS },
	{ "keep-age", OPTION_OTHER, FIELD(o.keep_age_ns), .parse = parse_age },
	{ "keep-size", OPTION_OTHER, FIELD(o.keep_bytes), .parse = parse_size },
	{ "token-file", OPTION_TEXT, FIELD(o.token_file) },
	{ "cacert", OPTION_TEXT, FIELD(o.ca_file) },
	{ "insecure", OPTION_FLAG, FIELD(o.insecure) },
	{ "quiet", OPTION_FLAG, FIELD(o.quiet) },
	{ "version", OPTION_FLAG, FIELD(o.version) },
	{ "help", OPTION_FLAG, FIELD(o.help) },
#undef FIELD
};

/* What follows from other options where it was not given. */
static int finish(struct collect_options *o, struct err *e)
{
	finish_types(o);
	if (o->once)
		o->rounds = 1;
	if (o->jitter_ns < 0)
		o->jitter_ns = o->once ? 0 : o->interval_ns / 10;
	if (o->jitter_ns > o->interval_ns)
		return err_set(e, ERR_INVALID,
			       "-jitter must not be longer than -interval");
	if (!o->backoff_ns)
		o->backoff_ns = o->interval_ns;
	return 0;
}

int collect_options_parse(int argc, char **argv, struct collect_options *o,
			  struct err *e)
{
	struct line line = {
		.o = { .folder = "profiles",
		       .seconds = 10,
		       .interval_ns = 300 * SECOND_NS,
		       .jitter_ns = -1,
		       .timeout_ns = 30 * SECOND_NS,
		       .keep_age_ns = 7 * DAY_NS,
		       .keep_bytes = 1000000000 },
		.types = "heap,allocs,threads,mutex,block,cpu",
		.stats = "/stats",
	};
	const char *url;
	int rc = options_parse(argc, argv, rows, ARRAY_SIZE(rows), &line, e);
	*o = line.o;
	if (rc || o->help || o->version)
		return rc;
	rc = options_operand(argc, argv, "URL", &url, e);
	if (!rc)
		rc = collect_options_set_url(o, url, e);
	if (!rc)
		rc = set_types(o, line.types, e);
	if (rc)
		return rc;
	set_stats(o, line.stats);
	return finish(o, e);
}
