/*
 * monitor_options.h - the command line of proflab-monitor.
 */
#ifndef PROFLAB_TOOLS_MONITOR_OPTIONS_H
#define PROFLAB_TOOLS_MONITOR_OPTIONS_H

#include "tools/collect_options.h"
#include "tools/monitor_scrape.h"

struct monitor_options {
	struct collect_options source; /* address, token, time-out, TLS */
	char *metrics;		       /* the URL asked; owned */
	const char *route;
	int64_t interval_ns, rounds;
	bool lines, fail, help, version;
};

/*
 * max holds the thresholds' defaults and gets those given (NAN: none).
 * Returns: 0 or ERR_INVALID with text.  Then, too, monitor_options_free.
 */
int monitor_options_parse(int argc, char **argv, struct monitor_options *o,
			  double max[FIGURES], struct err *e);
void monitor_options_free(struct monitor_options *o);
extern const char monitor_usage_text[];

#endif
