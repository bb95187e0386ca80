/* options.c - see options.h. */
#include "server/options.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/parse.h"
#include "http/pprof_http.h"
#include "workloads/cache.h"
#include "workloads/concurrent.h"
#include "workloads/leaky.h"

#include <stddef.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

enum kind { FLAG, TEXT, NUMBER, DURATION, SHARE };

static const struct option {
	const char *name, *argument, *help;
	enum kind kind;
	size_t offset;
	int64_t min, max, fallback;
	const char *text; /* TEXT: when it is not given */
} table[] = {
#define FIELD(f) offsetof(struct server_options, f)
	{ "listen", "ADDRESS", "where to serve: HOST:PORT or unix:PATH", TEXT,
	  FIELD(listen), .text = "127.0.0.1:8080" },
	{ "pprof-listen", "ADDRESS",
	  "serve /debug/pprof/ here, and no longer on -listen", TEXT,
	  FIELD(pprof_listen) },
	{ "pprof-token-file", "FILE",
	  "ask for the token in FILE before answering /debug/pprof/", TEXT,
	  FIELD(pprof_token_file) },
	{ "pprof-max-seconds", "N", "the longest capture", NUMBER,
	  FIELD(pprof_max_seconds), 1, 86400, 3600 },
	{ "pprof-max-captures", "N", "captures at the same time", NUMBER,
	  FIELD(pprof_max_captures), 1, 4096, 32 },
	{ "max-workers", "N", "requests worked on at the same time", NUMBER,
	  FIELD(max_workers), 1, 4096, 256 },
	{ "max-queue", "N", "requests that wait for their turn", NUMBER,
	  FIELD(max_queue), 0, 65536, 1024 },
	{ "worker-idle", "DURATION",
	  "how long a worker waits for its next request before it leaves",
	  DURATION, FIELD(worker_idle_ns), 0, 3600 * SECOND_NS, SECOND_NS },
	{ "leak-ceiling", "BYTES", "what /leaky may hold before it is a 503",
	  NUMBER, FIELD(leak_ceiling), LEAKY_BLOCK_BYTES, INT64_C(1) << 40,
	  LEAKY_CEILING_BYTES_DEFAULT },
	{ "thread-ceiling", "N",
	  "threads that /concurrent may have before it is a 503", NUMBER,
	  FIELD(thread_ceiling), 1, 16384, CONCURRENT_CEILING_DEFAULT },
	{ "cache-entries", "N", "entries that /cache may keep", NUMBER,
	  FIELD(cache_entries), 1, 10000000, CACHE_MAX_ENTRIES_DEFAULT },
	{ "data-dir", "DIR",
	  "where /database makes its database (default $TMPDIR or /tmp)", TEXT,
	  FIELD(data_dir) },
	{ "mem-profile-rate", "BYTES",
	  "one sampled allocation in BYTES; 1 all, 0 off", NUMBER,
	  FIELD(mem_profile_rate), 0, PPROF_HTTP_HEAP_RATE_MAX, 512 << 10 },
	{ "block-profile-rate", "NS",
	  "sample waiting that lasts NS; 1 all, 0 off", NUMBER,
	  FIELD(block_profile_rate), 0, PPROF_HTTP_BLOCK_RATE_MAX, 10000 },
	{ "mutex-profile-fraction", "N",
	  "sample one of N contended unlocks; 1 all, 0 off", NUMBER,
	  FIELD(mutex_profile_fraction), 0, PPROF_HTTP_MUTEX_RATE_MAX, 10 },
	{ "profile-budget", "PERCENT",
	  "share of the CPU time that CPU profiling may take; 0 no limit",
	  SHARE, FIELD(profile_budget) },
	{ "grace", "DURATION",
	  "how long to finish what is served after SIGTERM or SIGINT", DURATION,
	  FIELD(grace_ns), 0, 3600 * SECOND_NS, 10 * SECOND_NS },
	{ "version", NULL, "say the version and leave", FLAG, FIELD(version) },
	{ "help", NULL, "say this and leave", FLAG, FIELD(help) },
	{ "h", NULL, NULL, FLAG, FIELD(help) },
#undef FIELD
};

static void *field(struct server_options *o, const struct option *option)
{
	return (char *)o + option->offset;
}

static void set_fallbacks(struct server_options *o)
{
	*o = (struct server_options){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option *option = &table[i];
		if (option->kind == TEXT)
			*(const char **)field(o, option) = option->text;
		else if (option->kind == SHARE)
			*(double *)field(o, option) = 0;
		else if (option->kind != FLAG)
			*(int64_t *)field(o, option) = option->fallback;
	}
}

static const struct option *find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strlen(table[i].name) == n &&
		    memcmp(table[i].name, name, n) == 0)
			return &table[i];
	return NULL;
}

static int set_value(struct server_options *o, const struct option *option,
		     const char *value, struct err *e)
{
	char what[64];
	snprintf(what, sizeof(what), "-%s", option->name);
	switch (option->kind) {
	case NUMBER:
		return parse_int(value, what, option->min, option->max,
				 field(o, option), e);
	case DURATION:
		return parse_duration(value, what, option->min, option->max,
				      field(o, option), e);
	case SHARE:
		return parse_percent(value, what, field(o, option), e);
	default:
		if (!*value)
			return err_set(e, ERR_INVALID, "%s is empty", what);
		*(const char **)field(o, option) = value;
		return 0;
	}
}

int server_options_parse(int argc, char **argv,
			 struct server_options *ret_options, struct err *e)
{
	struct server_options o;
	set_fallbacks(&o);
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		const char *name = arg + (arg[0] == '-') +
				   (arg[0] == '-' && arg[1] == '-');
		const size_t n = strcspn(name, "=");
		const struct option *option = find(name, n);
		if (name == arg || !option)
			return err_set(e, ERR_INVALID,
				       "there is no option \"%.80s\"", arg);
		if (option->kind == FLAG) {
			if (name[n])
				return err_set(e, ERR_INVALID,
					       "-%s takes no value",
					       option->name);
			*(bool *)field(&o, option) = true;
			continue;
		}
		const char *value = name[n] ? name + n + 1 : argv[++i];
		if (!value)
			return err_set(e, ERR_INVALID, "-%s needs a value",
				       option->name);
		const int rc = set_value(&o, option, value, e);
		if (rc)
			return rc;
	}
	*ret_options = o;
	return 0;
}

void server_options_usage(FILE *to)
{
	fputs("usage: proflab-server [OPTION]...\n\n"
	      "A server with planted performance faults, and a profiler in "
	      "it.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option *o = &table[i];
		char left[64], duration[PARSE_DURATION_TEXT];
		if (!o->help)
			continue;
		snprintf(left, sizeof(left), "-%s %s", o->name,
			 o->argument ? o->argument : "");
		fprintf(to, "  %-28s %s", left, o->help);
		if (o->kind == NUMBER)
			fprintf(to, " (default %lld)", (long long)o->fallback);
		else if (o->kind == DURATION)
			fprintf(to, " (default %s)",
				format_duration(o->fallback, duration));
		else if (o->kind == SHARE)
			fputs(" (default 0)", to);
		else if (o->text)
			fprintf(to, " (default %s)", o->text);
		fputc('\n', to);
	}
}
