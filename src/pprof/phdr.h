/*
 * phdr.h - the loaded objects, served from a snapshot.
 *
 * libunwind asks dl_iterate_phdr, whose lock the interrupted thread may hold.
 * So the shim defines dl_iterate_phdr, and answers from here while, and only
 * while, the calling thread is between phdr_enter and phdr_leave.  A snapshot
 * is immutable (program headers are copied); refreshing publishes another.
 */
#ifndef PROFLAB_PPROF_PHDR_H
#define PROFLAB_PPROF_PHDR_H

#include "base/attr.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern _Thread_local unsigned phdr_depth TLS_INITIAL_EXEC;

/* Around libunwind, in unwind.c alone.  Signal: safe. */
static inline void phdr_enter(void)
{
	phdr_depth++;
	__asm__ __volatile__("" ::: "memory");
}

static inline void phdr_leave(void)
{
	__asm__ __volatile__("" ::: "memory");
	phdr_depth--;
}

static inline bool phdr_inside(void)
{
	return phdr_depth != 0;
}

/*
 * May libunwind run in a handler?  Only where the shim's dl_iterate_phdr is
 * the one that is called, a snapshot was taken, and no object was ever
 * unloaded: unw_backtrace keeps, for each thread, what it learnt of a pc, and
 * has no way to forget it when another object comes to lie there.
 * Signal: safe.
 */
bool phdr_libunwind_safe(void);

/* dl_iterate_phdr over the snapshot.  Signal: safe. */
int phdr_serve(int (*callback)(struct dl_phdr_info *, size_t, void *),
	       void *data);

/*
 * Take a snapshot.  Once at start, after every dlopen and dlclose.
 * Signal: unsafe.  Returns: 0 or ERR_NOMEM (the old one stays).
 */
int phdr_refresh(void);

/* From the shim: the real dl_iterate_phdr, and that ours is in its place. */
typedef int phdr_iterate(int (*)(struct dl_phdr_info *, size_t, void *),
			 void *);
void phdr_set_real(phdr_iterate *real);

/* An object may be unmapped: phdr_libunwind_safe is false from now on. */
void phdr_unloading(void);

/*
 * The address ranges of all objects that were not there when the program
 * started, those that dlclose may take away.
 */
void phdr_each_dynamic(void (*fn)(uintptr_t start, uintptr_t limit, void *arg),
		       void *arg);

#endif
