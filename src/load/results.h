/*
 * results.h - what has happened so far: counts, failures by type, latencies.
 */
#ifndef PROFLAB_LOAD_RESULTS_H
#define PROFLAB_LOAD_RESULTS_H

#include "load/histogram.h"

/*
 * A failure is known by a number: an HTTP status, which is positive, or one of
 * these.
 */
enum {
	FAILURE_CONNECT = -1,  /* nobody there */
	FAILURE_TIMEOUT = -2,  /* no answer in time */
	FAILURE_NETWORK = -3,  /* the connection broke */
	FAILURE_RESPONSE = -4, /* the answer is not HTTP, or cut short */
	FAILURE_REQUEST = -5,  /* the request could not be made */
	RESULTS_FAILURE_TYPES =
		32, /* kinds kept apart; further ones: the last */
	RESULTS_FAILURE_NAME = 24,
};

/* The latencies' table, as the exercise's load tester prints it. */
enum { RESULTS_CLASSES = 6 };
struct results_class {
	const char *label;
	int64_t below_ns;
};
extern const struct results_class results_classes[RESULTS_CLASSES];

struct results_failure {
	int type; /* 0: not used */
	uint64_t count;
};

/* Zeroed, it is empty.  Thread: one at a time. */
struct results {
	uint64_t successes, failures;
	uint64_t bytes; /* of answers' bodies */
	/*
	 * With a fixed rate: requests whose time had come and which were never
	 * sent, since the server kept all connections busy.  They have waited
	 * at least from then to the end, and are in the latencies with that.
	 */
	uint64_t not_sent;
	/* Sent, and unanswered when the time to wait for the rest was over. */
	uint64_t abandoned;
	struct results_failure by_type[RESULTS_FAILURE_TYPES];
	/* Of the successes, and of what was not sent. */
	struct histogram latencies;
	uint64_t classes[RESULTS_CLASSES];
};

void results_add_success(struct results *r, int64_t latency_ns, uint64_t bytes);
void results_add_failure(struct results *r, int type);
void results_add_not_sent(struct results *r, int64_t waited_ns);
void results_merge(struct results *r, const struct results *more);

/* "network", "http_503".  Returns: name. */
const char *results_failure_name(int type,
				 char name[static RESULTS_FAILURE_NAME]);

#endif
