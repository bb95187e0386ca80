/*
 * profile_fixture.h - what the tests of src/profile share: profiles to try
 * things on, a notation for wire bytes, and a comparison that says what
 * differs.  Nothing here is tested by itself.
 */
#ifndef PROFLAB_TESTS_PROFILE_FIXTURE_H
#define PROFLAB_TESTS_PROFILE_FIXTURE_H

#include "base/buf.h"
#include "profile/encode.h"
#include "profile/profile.h"

#include <stdint.h>

/*
 * Protocol buffers by hand, into out:
 *	5:300		field 5, varint (decimal, may be negative)
 *	5'text'		field 5, bytes
 *	5{1:2 2:3}	field 5, a message
 *	5[1 2 3]	field 5, packed varints
 *	5!7 5?7		field 5, fixed 64, fixed 32
 *	~0a		the byte 0x0a as it is
 * Aborts on a notation it does not know.
 */
void fixture_wire(struct buf *out, const char *notation);

/* A profile in which no field has its default; NULL without memory. */
struct profile *fixture_rich(void);

/* One of many shapes, valid, drawn from the seed; NULL without memory. */
struct profile *fixture_random(uint64_t seed);

/* p's bytes; aborts when it cannot be encoded. */
void fixture_encode(struct buf *out, const struct profile *p,
		    enum profile_encoding encoding);

/* What `go tool pprof -raw` shows of p, times and comments left out. */
void fixture_raw(struct buf *out, const struct profile *p);

enum { FIXTURE_TEXT = 256 };
/*
 * Compare every field, strings by text.
 * Returns: NULL, or why, in words, the first difference.
 */
const char *fixture_difference(const struct profile *a, const struct profile *b,
			       char why[static FIXTURE_TEXT]);

#endif
