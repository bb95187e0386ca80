/*
 * unwind_none.c - for products without libunwind: libunwind.so also exports
 * _Unwind_* and backtrace, which a program under LD_PRELOAD must not get in
 * place of its own.
 */
#include "pprof/unwind_fast.h"

const struct unwind_fast unwind_fast = { .backtrace = NULL };
