/*
 * guard.c - the one variable of guard.h.
 */
#include "pprof/guard.h"

_Thread_local unsigned guard_depth TLS_INITIAL_EXEC;
