/*
 * schedule.h - when the next request is due, and its number.
 *
 * Without a rate, a request is due whenever a connection is free.  With a rate
 * of R a second, request i is due at start + i/R, whatever became of those
 * before it.  A load tester that waits for a slow answer, and only then sends
 * what it should have sent meanwhile, leaves out the very requests that would
 * have waited: this "coordinated omission" can make a stalling server look
 * ten times as fast as its users find it.  Here a late request is sent as soon
 * as it can be, and its latency counts from the time at which it was due.
 */
#ifndef PROFLAB_LOAD_SCHEDULE_H
#define PROFLAB_LOAD_SCHEDULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct schedule {
	int64_t start_ns; /* all on the monotonic clock */
	int64_t rps;	  /* 0: no rate */
	uint64_t limit;	  /* of requests; UINT64_MAX: none */
	/* Relaxed, both: one number each, that orders nothing else. */
	_Atomic int64_t end_ns;
	_Atomic uint64_t next;
};

enum schedule_answer {
	SCHEDULE_NOW,	/* ret_index is yours, due at ret_due_ns */
	SCHEDULE_LATER, /* nothing before ret_due_ns */
	SCHEDULE_OVER,	/* nothing any more */
};

/* requests 0: as many as the time holds. */
void schedule_init(struct schedule *s, int64_t start_ns, int64_t duration_ns,
		   int64_t rps, int64_t requests);

/* Thread: any number at once; no number is given out twice. */
enum schedule_answer schedule_take(struct schedule *s, int64_t now_ns,
				   uint64_t *ret_index, int64_t *ret_due_ns);

/* When request i is due; start_ns without a rate. */
int64_t schedule_due_ns(const struct schedule *s, uint64_t i);

/* No more requests from now on. */
void schedule_end(struct schedule *s, int64_t now_ns);

/*
 * The number of requests that were due before the end; without a rate, as many
 * as were taken.
 */
uint64_t schedule_due_count(struct schedule *s);

#endif
