/*
 * lock_semantics.h - a program that calls every lock function in every way
 * that has an answer of its own, and prints the answers.  It knows nothing of
 * the profiler: lock-semantics.sh runs it with and without, and compares.
 */
#ifndef PROFLAB_TESTS_LOCK_SEMANTICS_H
#define PROFLAB_TESTS_LOCK_SEMANTICS_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { UNTOUCHED = 77 }; /* errno before each call */

/* The line's beginning, for what follows. */
void section(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One answer, and what became of errno. */
void answer(const char *what, int rc);
void answer_c11(const char *what, int rc);

#define SAY(call)                                                              \
	do {                                                                   \
		errno = UNTOUCHED;                                             \
		const int rc_ = (call);                                        \
		answer(#call, rc_);                                            \
	} while (0)
#define SAY_C11(call)                                                          \
	do {                                                                   \
		errno = UNTOUCHED;                                             \
		const int rc_ = (call);                                        \
		answer_c11(#call, rc_);                                        \
	} while (0)

/* Deadlines: by clock, ms from now; two that are refused; one long ago. */
struct timespec in_ms(clockid_t clock, int ms);
extern const struct timespec past, negative, too_many;

/* fn(arg) in a thread of its own; its answer. */
int elsewhere(int (*fn)(void *), void *arg);
/* The same, begun and ended apart.  helper_asleep returns once the thread
 * sleeps in the kernel. */
struct helper {
	pthread_t thread;
	int (*fn)(void *);
	void *arg;
	_Atomic int tid;
	int rc;
};
void helper_start(struct helper *h, int (*fn)(void *), void *arg);
void helper_asleep(struct helper *h);
int helper_end(struct helper *h);

void mutexes(void);
void rwlocks(void);
void conditions(void);
void semaphores(void);
void joins(void);
void barriers_and_spins(void);
void c11(void);
void cancellation(void);
void hard_places(void);

#endif
