/*
 * monitor_scrape.h - the figures of one answer of /metrics, and what two of
 * them say about the time between.
 */
#ifndef PROFLAB_TOOLS_MONITOR_SCRAPE_H
#define PROFLAB_TOOLS_MONITOR_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { SCRAPE_BUCKETS_MAX = 64 };

struct scrape_bucket {
	double le, count;
};

/* Sums over the routes; NAN where the server does not say. */
struct scrape {
	int64_t at_ns;	/* monotonic; the caller's */
	double started; /* seconds since 1970 */
	double memory, threads, requests, errors, lock_wait, cpu;
	struct scrape_bucket buckets[SCRAPE_BUCKETS_MAX]; /* by le */
	size_t n_buckets;
};

/*
 * Read Prometheus's text format.  route NULL: all but those that watch
 * (/metrics, /health, /stats, /dashboard), which are not the server's work.
 * Returns: 0; ERR_FORMAT with the line (text is not of that format);
 * ERR_NOTFOUND (none of our figures is in it, or no such route).
 */
int scrape_parse(const char *text, const char *route, struct scrape *ret,
		 struct err *e);

enum figure {
	FIGURE_MEMORY, /* bytes */
	FIGURE_THREADS,
	FIGURE_REQUESTS,  /* a second */
	FIGURE_ERRORS,	  /* share of the requests */
	FIGURE_P99,	  /* seconds */
	FIGURE_LOCK_WAIT, /* seconds a second, over all threads */
	FIGURE_CPU,	  /* seconds a second */
	FIGURES,
};

/*
 * From two scrapes of one process, or one (before NULL: levels alone).
 * Unknown is NAN: no request, no latency.
 */
void scrape_figures(const struct scrape *before, const struct scrape *now,
		    double ret_figures[FIGURES]);

/* Is now another process than before was?  Its counters began anew. */
bool scrape_is_restart(const struct scrape *before, const struct scrape *now);

/*
 * As histogram_quantile: linear within a bucket; what lies above the last
 * finite bound is that bound.  NAN for no observation.
 */
double scrape_quantile(double q, const struct scrape_bucket *buckets, size_t n);

/* "memory", and a value of it for people: "12.5MB", "3%", "-". */
const char *figure_name(enum figure f);
enum { FIGURE_TEXT = 32 };
char *figure_text(enum figure f, double v, char buf[static FIGURE_TEXT]);
/* The other way, for thresholds: "500MB", "5%", "1.5s", "20". */
int figure_parse(enum figure f, const char *text, double *ret, struct err *e);

#endif
