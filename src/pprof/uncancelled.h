/*
 * uncancelled.h - a function during which its thread is not cancelled.
 *
 * Opening and reading files, writing and closing are cancellation points: a
 * thread that is cancelled amid them would leave its locks to nobody and stay
 * inside the guard.  The request is kept, and answered at the program's next
 * point.
 */
#ifndef PROFLAB_PPROF_UNCANCELLED_H
#define PROFLAB_PPROF_UNCANCELLED_H

#include <pthread.h>

static inline int uncancelled_begin(void)
{
	int before;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void uncancelled_end(const int *before)
{
	pthread_setcancelstate(*before, NULL);
}

/* From this line to the end of the block, whichever way it is left. */
#define UNCANCELLED                                                            \
	__attribute__((cleanup(uncancelled_end))) const int cancel_before =    \
		uncancelled_begin()

#endif
