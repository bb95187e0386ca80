/*
 * symbols.h - the process's own symbolizer, and the lock that it stands
 * behind.
 */
#ifndef PROFLAB_PPROF_SYMBOLS_H
#define PROFLAB_PPROF_SYMBOLS_H

#include "symbol/symbolizer.h"

#include <stdint.h>

struct err;

/*
 * Take the symbolizer, made on first need.  Until symbols_unlock the calling
 * thread is inside the guard (guard.h) and cannot be cancelled.  Blocks: waits
 * for whoever has it.  Not recursive.
 * Returns: 0, ERR_IO, ERR_NOMEM; then nothing is held.
 */
int symbols_lock(struct symbolizer **ret_symbolizer, struct err *e);
void symbols_unlock(void);

/* Where the function that holds address begins; 0 = not known.  Thread: not
 * the holder of the symbolizer. */
uint64_t symbols_function_start(uint64_t address);

#endif
