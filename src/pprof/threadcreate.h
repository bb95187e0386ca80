/*
 * threadcreate.h - the stacks that created threads, since the process began.
 */
#ifndef PROFLAB_PPROF_THREADCREATE_H
#define PROFLAB_PPROF_THREADCREATE_H

#include "pprof/source.h"

struct stack_record;

extern const struct source threadcreate_source;

/*
 * The caller of the shim of pthread_create creates a thread.  Depth counts:
 * call it from the function that the shim calls, and nowhere else.
 * Returns: what threadcreate_undo takes; NULL when the stack was lost.
 */
struct stack_record *threadcreate_record(void);
/* It was not created after all. */
void threadcreate_undo(struct stack_record *r);

#endif
