/*
 * subject.h - what the views share: the profile under its filters; for
 * src/web alone.
 */
#ifndef PROFLAB_WEB_SUBJECT_H
#define PROFLAB_WEB_SUBJECT_H

#include "report/flame.h"
#include "web/web.h"

#include <pthread.h>

struct web_flame;
struct webjson;

struct web_subject {
	struct web_options options;
	struct profile *p;    /* owned */
	struct profile *base; /* owned; NULL = no difference */
	struct profile *both; /* owned; p and base in one, the base's marked */
	pthread_mutex_t lock; /* guards flame and what it points to */
	struct web_flame *flame; /* the last tree; owned or NULL */
};

/* One request under way. */
struct web_call {
	struct web_subject *s;
	const struct web_request *request;
	struct report_options o;
	struct webjson *j; /* the answer */
	struct err *e;
	/* Warnings of the report ("focus expression matched no samples"). */
	struct buf warnings;
};

/* NULL where it is not given or empty. */
const char *web_parameter(const struct web_call *c, const char *key);
/* "1" is true; "", "0" or nothing is false.  Anything else: ERR_INVALID. */
int web_flag(const struct web_call *c, const char *key, bool *ret_value);

/* Open a report of a profile under the call's options; warnings are kept. */
int web_open(struct web_call *c, const struct profile *p, const char *kind,
	     const char *parameter, struct report **ret_report);

/* Unit and type of the values, totals: at the head of an answer. */
void web_write_head(struct web_call *c, const struct report *r);

/* ---- the views: view_NAME.c ---------------------------------------------
 *
 * Each writes members of the answer's object; 0 or an error with text.
 */
int web_meta(struct web_call *c);
int web_top(struct web_call *c);
int web_flame(struct web_call *c);
int web_sandwich(struct web_call *c);
int web_peek(struct web_call *c);
int web_source(struct web_call *c);
int web_graph(struct web_call *c);

/*
 * Members of the answer for what can be seen of a tree from node `at` on,
 * heaviest first, in depth-first columns; the path to it; what search, a
 * regular expression or NULL, has a match in.
 */
int web_write_tree(struct web_call *c, const struct flame *f, uint32_t at,
		   const char *search);
void web_flame_free(struct web_flame *f);

#endif
