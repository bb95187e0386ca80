/*
 * pprof_http.h - /debug/pprof/ over HTTP, what net/http/pprof is to Go: the
 * same paths, parameters, headers and error texts, so that `go tool pprof`,
 * proflab-pprof, promtool and scrapers work on a C program.
 *
 * A server of its own, with one call:
 *
 *	struct pprof_http *h;
 *	if (pprof_http_start("127.0.0.1:6060", NULL, &h))
 *		...
 *
 * or inside a libmicrohttpd daemon that the program has already: see
 * pprof_http_new.
 *
 * Functions that can fail return 0 or a negative PPROF_ERR_ code (pprof.h).
 * The library prints nothing, never ends the process, and its threads block
 * the signals that a program may want to handle.  Its descriptors are
 * close-on-exec, and, connections apart, numbered from 512, or from half of
 * RLIMIT_NOFILE where that is less.
 *
 *	GET  /debug/pprof/             the index: counts and descriptions
 *	     /debug/pprof/profile      CPU: seconds (30), hz
 *	     /debug/pprof/wall         all threads, running or not: seconds, hz
 *	     /debug/pprof/NAME         heap, allocs, threads, ...: debug, gc,
 *	                               min_age; seconds=N for what happened in
 *	                               the next N seconds
 *	     /debug/pprof/cmdline      the arguments, NUL between them
 *	     /debug/pprof/symbol       names for 0xPC+0xPC...; GET or POST
 *	     /debug/pprof/ui/          a page: take profiles, see them as
 *	                               flame graphs, compare them
 *	     /debug/pprof/rates        the rates in force, as JSON;
 *	                               POST block=NS mutex=N heap=BYTES sets
 *them
 *
 * One difference from Go, on purpose: a `seconds` of profile or wall that is
 * not a number, negative or over the limit is a 400 that says the range.  An
 * absent or zero one is 30, as in Go.  There is no execution trace: `trace`
 * is a 404, as any other name that stands for no profile.
 */
#ifndef PPROF_HTTP_H
#define PPROF_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct MHD_Connection;
struct pprof_http;

/* Zero-initialised, every field has its default. */
struct pprof_http_options {
	const char *title; /* of the index page; NULL: "/debug/pprof/" */
	/*
	 * A file with a token on its first line, read anew for each request
	 * so that it may be replaced at any time.  Without `Authorization:
	 * Bearer TOKEN`, or the token as the password of Basic authorization
	 * (http://any:TOKEN@host/...), a request is a 401.  NULL: none asked.
	 */
	const char *token_file;
	int max_seconds;  /* the longest capture; 0: 3600 */
	int max_captures; /* at the same time; 0: 32; beyond it a 503 */
};

/* ---- a server of its own ---- */

/*
 * Listen on address and answer in threads of the library's own:
 * "HOST:PORT", "[V6]:PORT", ":PORT" (every interface; think twice) or
 * "unix:PATH" (a socket that its owner alone may open; a dead one of that
 * name is replaced).  Port 0 picks a free one.  options may be NULL.
 * Owns: *ret_http is the caller's until pprof_http_stop.
 * Returns: 0; PPROF_ERR_INVALID for the address or an option, PPROF_ERR_IO
 * (errno says why: EADDRINUSE, ...), PPROF_ERR_NOMEM.
 */
int pprof_http_start(const char *address,
		     const struct pprof_http_options *options,
		     struct pprof_http **ret_http);

/* "http://127.0.0.1:6060/debug/pprof/" or "unix:PATH", with the real port. */
const char *pprof_http_url(const struct pprof_http *http);

/*
 * Take no more requests, end the captures that run (their clients get what
 * there is so far), answer them, close everything and free http.  NULL is
 * allowed.
 * Where the program has closed the library's descriptors with its own
 * (closefrom), what has their numbers now is left alone, and what http owns
 * stays allocated; there is no answer any more since then.
 * Blocks: until the last answer is made, and then at most 5 s for it to be
 * taken.
 */
void pprof_http_stop(struct pprof_http *http);

/*
 * In a forked child, where http's threads are not: close what would keep the
 * address taken when the parent has gone.  The handle is of no use any more,
 * and what it owns stays allocated.  NULL is allowed.
 */
void pprof_http_forked(struct pprof_http *http);

/* ---- inside an MHD daemon of the program's own ---- */

/*
 * The daemon needs MHD_ALLOW_SUSPEND_RESUME: a capture suspends its
 * connection and holds no thread.  In its access handler, for a url that
 * pprof_http_wants, return pprof_http_handle(...) with *state NULL in the
 * first call of a request; where the daemon says that the request is
 * completed, pprof_http_completed(state).  Before MHD_stop_daemon, call
 * pprof_http_drain; after it, pprof_http_stop.
 */
int pprof_http_new(const struct pprof_http_options *options,
		   struct pprof_http **ret_http);
/* Is it /debug/pprof or below? */
bool pprof_http_wants(const char *url);
/*
 * Thread: the daemon's.
 * Returns: MHD_YES or MHD_NO, for the access handler to return.
 */
int pprof_http_handle(struct pprof_http *http,
		      struct MHD_Connection *connection, const char *url,
		      const char *method, const char *upload_data,
		      size_t *upload_data_size, void **state);
/* Frees the request's state; NULL is allowed. */
void pprof_http_completed(void *state);
/*
 * Captures end now and are answered; from now on what would have to wait is
 * a 503.
 * Blocks: until no connection is suspended any more, and then at most 5 s for
 * clients to take their answers.
 */
void pprof_http_drain(struct pprof_http *http);

/* ---- rates ---- */

/*
 * The largest rates.  The route, the function, proflab-server's options and the
 * variables of the preload library all accept 0 to these.
 */
#define PPROF_HTTP_HEAP_RATE_MAX  (INT64_C(1) << 40)	 /* bytes */
#define PPROF_HTTP_BLOCK_RATE_MAX INT64_C(3600000000000) /* nanoseconds */
#define PPROF_HTTP_MUTEX_RATE_MAX INT64_C(2147483647)	 /* fraction */

/*
 * As POST /debug/pprof/rates: "heap" (bytes), "block" (nanoseconds) or "mutex"
 * (one in so many); 0 is off.
 * Returns: 0, PPROF_ERR_NOTFOUND, PPROF_ERR_INVALID, PPROF_ERR_UNSUPPORTED
 * where libpprof has no such profile.
 */
int pprof_http_set_rate(const char *name, int64_t value);

/* ---- figures for the program's own metrics ---- */

struct pprof_http_stats {
	uint64_t requests;     /* answered or being answered */
	uint64_t errors;       /* answered with a status of 400 or more */
	uint64_t captures;     /* running now */
	uint64_t hangups;      /* captures ended because the client had gone */
	uint64_t trims;	       /* malloc_trim calls for gc=1, in the process */
	uint64_t trim_ns;      /* time they took, all together */
	uint64_t trim_last_ns; /* time the last one took */
};
/* trims are those of the whole process; http may be NULL for them alone. */
void pprof_http_get_stats(const struct pprof_http *http,
			  struct pprof_http_stats *ret_stats);

#ifdef __cplusplus
}
#endif

#endif
