/*
 * unwind_phdr.h - the loaded objects, as an unwinder may ask for them inside
 * a handler: a snapshot instead of dl_iterate_phdr's lock, which the
 * interrupted thread may hold.
 *
 * The shim that defines dl_iterate_phdr for the program does this:
 *
 *	if (unwind_phdr_wanted())
 *		return unwind_phdr_iterate(callback, data);
 *	return real(callback, data);
 *
 * calls unwind_phdr_serve(real) once, early, unwind_phdr_distrust() before
 * dlopen, and unwind_phdr_refresh() after dlclose.
 */
#ifndef PROFLAB_PPROF_UNWIND_PHDR_H
#define PROFLAB_PPROF_UNWIND_PHDR_H

#include "base/attr.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

typedef int unwind_phdr_callback(struct dl_phdr_info *info, size_t size,
				 void *data);
typedef int unwind_phdr_iterator(unwind_phdr_callback *callback, void *data);

/*
 * The shim's dl_iterate_phdr is in place; real is the one behind it.  Takes
 * the first snapshot.  Signal: unsafe.
 * Returns: 0, ERR_NOMEM (then nothing is served, and libunwind stays off).
 */
int unwind_phdr_serve(unwind_phdr_iterator *real);
/* Was unwind_phdr_serve called with success, and is the snapshot to be
 * trusted?  Signal: safe. */
bool unwind_phdr_served(void);

/*
 * Is the calling thread inside libunwind on our behalf, so that it must be
 * given the snapshot?  Signal: safe.
 */
extern _Thread_local volatile bool unwind_phdr_inside TLS_INITIAL_EXEC;

/* Inline: a sanitizer asks for the objects before any function that it has
 * instrumented may be called (the shims are not). */
static inline bool unwind_phdr_wanted(void)
{
	return unwind_phdr_inside;
}

/*
 * As dl_iterate_phdr, on the snapshot: no lock, no allocation.  What the
 * callback sees is immutable and valid until it returns.  Signal: safe.
 */
int unwind_phdr_iterate(unwind_phdr_callback *callback, void *data);

/*
 * Take a new snapshot; the old one is unmapped once nobody reads it.  When an
 * object has gone since the last one, libunwind is turned off for good: each
 * thread's cache may hold frames of what was there, and they cannot be
 * reached.  libgcc, which keeps no cache, takes its place.
 * Call it after dlclose; where nothing serves it does nothing.
 * Signal: unsafe.  Returns: 0, ERR_NOMEM (the old one stays).
 */
int unwind_phdr_refresh(void);

/*
 * Before dlopen, which the shim cannot come back from: until somebody has
 * refreshed, libunwind is not used.  Signal: safe.
 */
void unwind_phdr_distrust(void);
/* A cheap look whether anything was loaded or unloaded since. */
int unwind_phdr_refresh_if_changed(void);

#endif
