/*
 * web.h - the profile page: its HTML, and the answers that it asks for.
 *
 * Who serves it (proflab-pprof -http, libpprof-http) brings the profile and
 * the HTTP; everything in between is here.  All figures come from
 * src/report, so the page says what the terminal says.
 *
 *	GET /               web_page
 *	GET /api/VIEW?...   web_answer, view "VIEW"
 *
 * Parameters of every view, each as the flag of proflab-pprof of that name:
 *	si (sample_index), g (granularity), focus, ignore, hide, show,
 *	show_from, tagfocus, tagignore, noinlines=1
 * Views, with their own parameters:
 *	meta      what the profile is: types, labels, and, where there is
 *	          nothing in it, why
 *	top       functions (or what g says) with flat and cum
 *	flame     the tree of stacks.  at: node to begin at; invert=1;
 *	          search: a regular expression, and its share
 *	sandwich  two trees for function f: who called it, what it called
 *	peek      callers and callees of functions that match f
 *	source    lines of functions that match f
 *	graph     an SVG by graphviz
 *
 * What is sent is bounded whatever the profile is: of a huge one the small
 * parts are left out and counted.
 */
#ifndef PROFLAB_WEB_WEB_H
#define PROFLAB_WEB_WEB_H

#include "base/buf.h"
#include "report/report.h"

#include <stdbool.h>

struct err;
struct profile;

/* ---- the page ------------------------------------------------------------ */

struct web_page {
	struct buf html;
	struct buf policy; /* the value of Content-Security-Policy */
};

/*
 * live: the page can take profiles (libpprof-http), it is not of one.
 * Returns: 0 or ERR_NOMEM.  Owns: the caller, web_page_free.
 */
int web_page(bool live, struct web_page *ret_page);
void web_page_free(struct web_page *p);

/* Headers that every answer shall have beside the policy. */
struct web_header {
	const char *name, *value;
};
extern const struct web_header web_headers[];
extern const size_t web_n_headers;

/* ---- what is looked at --------------------------------------------------- */

struct web_subject;

struct web_options {
	struct report_options report; /* where a parameter is not given */
	const char *name, *base_name; /* for people; may be NULL */
	/*
	 * Draw a graph of graphviz's language as SVG, in place; ERR_IO with
	 * text where that cannot be.  NULL: graphs are not drawn here, and
	 * no_graph says what to do instead.
	 */
	int (*draw)(struct buf *b, struct err *e);
	const char *no_graph;
	/*
	 * Why a profile without samples is so, and what to do, where that is
	 * known better than from its types; NULL.
	 */
	const char *why_empty, *todo_empty;
};

/*
 * p, and what it is compared with (base, or NULL).
 * Owns: both profiles are the subject's, also after a failure; the texts of
 * options must outlive it.
 * Returns: 0 and a subject that the caller owns; ERR_INVALID where the two
 * cannot be compared; ERR_NOMEM.
 */
int web_subject_new(struct profile *p, struct profile *base,
		    const struct web_options *options,
		    struct web_subject **ret_subject, struct err *e);
/* s may be NULL. */
void web_subject_free(struct web_subject *s);

/* ---- answers ------------------------------------------------------------- */

struct web_request {
	const char *view;
	/* The value of a parameter, decoded; NULL where it is not given. */
	const char *(*parameter)(void *arg, const char *key);
	void *arg;
};

struct web_reply {
	unsigned status;
	const char *content_type;
	struct buf body; /* owned: buf_free */
};

/*
 * A mistake is a reply, too: status 400, 404 or 500, {"error": "..."}.
 * Thread: many at once for one subject.
 * Blocks: as long as the report takes.
 */
void web_answer(struct web_subject *s, const struct web_request *request,
		struct web_reply *ret_reply);
/* Such a reply. */
void web_refuse(struct web_reply *reply, unsigned status, const char *format,
		...) __attribute__((format(printf, 3, 4)));

#endif
