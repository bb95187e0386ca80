/*
 * monitor_view.h - what the monitor shows: a line, or a screen of them.
 */
#ifndef PROFLAB_TOOLS_MONITOR_VIEW_H
#define PROFLAB_TOOLS_MONITOR_VIEW_H

#include "base/buf.h"
#include "tools/monitor_scrape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTORY = 512 };

struct monitor {
	const char *url;
	double max[FIGURES];		 /* thresholds; NAN: none */
	double values[FIGURES][HISTORY]; /* the last n, oldest first */
	size_t n;
	bool crossed[FIGURES]; /* ever */
	int64_t down_since_ns; /* realtime; 0: it answers */
	int64_t down_for_ns;   /* how long it was, just after it came back */
	char trouble[256];     /* why it does not answer */
	bool restarted;	       /* just now */
	bool ever_answered;
};

/* Take in a round's figures (NULL: no answer). */
void monitor_add(struct monitor *m, const double *figures);

/* One line, without colours: time, figures, what is over its threshold. */
void monitor_write_line(const struct monitor *m, int64_t realtime_ns,
			struct buf *to);

/* A whole screen of columns by rows, by ANSI sequences, never wider. */
void monitor_write_screen(const struct monitor *m, int64_t realtime_ns,
			  int columns, int rows, bool utf8, bool colour,
			  struct buf *to);

#endif
