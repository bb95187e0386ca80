/*
 * pprof.c - what pprof.h promises that is no profile's own affair.
 */
#include "pprof/pprof.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/symbols.h"

#include <stdio.h>

/* One code, one meaning, inside and outside. */
_Static_assert((int)PPROF_ERR_NOMEM == (int)ERR_NOMEM, "NOMEM");
_Static_assert((int)PPROF_ERR_INVALID == (int)ERR_INVALID, "INVALID");
_Static_assert((int)PPROF_ERR_LIMIT == (int)ERR_LIMIT, "LIMIT");
_Static_assert((int)PPROF_ERR_IO == (int)ERR_IO, "IO");
_Static_assert((int)PPROF_ERR_BUSY == (int)ERR_BUSY, "BUSY");
_Static_assert((int)PPROF_ERR_UNSUPPORTED == (int)ERR_UNSUPPORTED,
	       "UNSUPPORTED");
_Static_assert((int)PPROF_ERR_NOTFOUND == (int)ERR_NOTFOUND, "NOTFOUND");

/* pprof_symbol trusts the mappings for this long, so that a client that asks
 * for thousands of pcs does not make us read them thousands of times. */
enum { MAPPINGS_AGE_NS = 1000000000 };

const char *pprof_strerror(int code)
{
	return err_name(code);
}

int pprof_symbol(uintptr_t pc, char *buf, size_t size)
{
	static int64_t refreshed_ns; /* guard: the symbolizer's lock */
	if (!buf || size == 0)
		return PPROF_ERR_INVALID;
	struct symbolizer *s;
	int code = symbols_lock(&s, NULL);
	if (code)
		return code;
	struct symbolizer_result r = { 0 };
	const int64_t now = clock_monotonic_ns();
	const bool fresh =
		refreshed_ns != 0 && now - refreshed_ns < MAPPINGS_AGE_NS;
	if (fresh)
		symbolizer_lookup(s, pc, &r);
	if (r.n_frames == 0) {
		code = fresh && r.row ? 0 : symbolizer_refresh(s, NULL);
		refreshed_ns = now;
		if (!code)
			symbolizer_lookup(s, pc, &r);
	}
	if (!code && r.n_frames == 0)
		code = PPROF_ERR_NOTFOUND;
	/* The function that holds the pc, not a call inlined there. */
	if (!code)
		snprintf(buf, size, "%s", r.frames[r.n_frames - 1].function);
	symbols_unlock();
	return code;
}
