/*
 * legacy.h - the formats from before profile.proto that `go tool pprof` still
 * reads, into the model: heap text (heap/N, heap_v2, heapprofile, growthz,
 * fragmentationz), `NAME profile: total N` counts, contention, mutex and
 * contentionz, threadz, and gperftools' binary CPU profile.  Each may end in
 * a map of memory.  Java's variants are not read.
 *
 * This header is for the readers of the formats; the rest of the folder needs
 * legacy_decode alone.
 */
#ifndef PROFLAB_PROFILE_LEGACY_H
#define PROFLAB_PROFILE_LEGACY_H

#include "base/map.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* What a reader returns when the data is not in its format: try another. */
enum { LEGACY_OTHER = 1 };

/*
 * p is new; after a failure it is only good for profile_free.
 * Returns: 0; LEGACY_OTHER: none of the formats; ERR_FORMAT with what is wrong
 * and in which line or at which byte; ERR_LIMIT; ERR_NOMEM.
 */
int legacy_decode(struct profile *p, const uint8_t *data, size_t len,
		  struct err *e);

/* ---- for the readers ------------------------------------------------------
 */

/* Text that is not terminated: a line, or a piece of one. */
struct text {
	const char *s;
	size_t len;
};

struct legacy {
	struct profile *p;
	struct err *e;
	const char *data, *end;
	const char *next;     /* the first byte of the next line */
	struct text line;     /* the one at hand; empty at the end */
	size_t line_number;   /* from 1 */
	struct map locations; /* mixed address to location */
	size_t locations_bytes;
	uint32_t *stack; /* of the sample at hand; owned */
	size_t depth, stack_size;
};

/* The next line without its end.  False at the end of the data. */
bool legacy_next_line(struct legacy *l);

/* "parsing profile: WHAT in line N".  Returns: ERR_FORMAT. */
int legacy_fail(const struct legacy *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The texts of ERR_NOMEM and ERR_LIMIT.  Returns: rc. */
int legacy_no_room(const struct legacy *l, int rc);

/* One value type, the period's type too when period is set. */
int legacy_add_type(struct legacy *l, const char *type, const char *unit);
int legacy_set_period(struct legacy *l, const char *type, const char *unit,
		      int64_t period);

/* One more frame of the stack at hand. */
int legacy_push(struct legacy *l, uint64_t address);
/*
 * Each 0x... in t is a frame.  Return addresses point behind calls, so 1 is
 * taken off all of them, or with leaf_is_exact off all but the leaf.
 */
int legacy_push_hex(struct legacy *l, struct text t, bool leaf_is_exact);
/* A sample with the stack at hand, which is empty then. */
int legacy_add_sample(struct legacy *l, const int64_t *values,
		      const struct profile_label *labels, size_t n_labels);

/* Take the frame before the leaf off sample i. */
void legacy_drop_second(struct profile *p, size_t i);
/* Where the second frame is the leaf's return address, as handlers do. */
void legacy_drop_duplicates(struct profile *p);

/* Go's int64(x) on amd64: truncated, INT64_MIN for what does not fit. */
int64_t legacy_to_int(double x);

/* Skip to the map of memory, if there is one, and finish with it. */
int legacy_finish_sections(struct legacy *l);
/* The lines that follow are the map of memory: read it, then find for each
 * location its mapping. */
int legacy_finish_maps(struct legacy *l);
bool legacy_is_maps_sentinel(struct text line);

/* ---- pieces of text -------------------------------------------------------
 */

bool text_starts(struct text t, const char *prefix);
/* Where needle begins in t, or NULL. */
const char *text_find(struct text t, const char *needle);
struct text text_trim(struct text t);
/* Nothing but blanks, or a comment: # comes first. */
bool text_is_blank(struct text t);

/*
 * A cursor that goes through a text: each of these moves it past what it names
 * and says whether that was there; else it stays.
 */
bool text_skip(struct text *t, const char *literal);
void text_skip_char(struct text *t, char c); /* any number of them */
bool text_skip_blanks(struct text *t);	     /* one at least */
/* Decimal digits; *ret_digits is where they are. */
bool text_digits(struct text *t, struct text *ret_digits);
bool text_hex_digits(struct text *t, struct text *ret_digits);
/* As much of the beginning as can be a list of addresses. */
struct text text_addresses(struct text t);
/* All of t is the number, base 10, with an optional sign.  False when not, or
 * when it does not fit. */
bool text_to_int(struct text t, int64_t *ret_value);
bool text_to_hex(struct text t, uint64_t *ret_value);

/* ---- the readers -----------------------------------------------------------
 */

/* Each from the first byte.  Returns: as legacy_decode. */
int legacy_cpu(struct legacy *l);
int legacy_heap(struct legacy *l);
int legacy_count(struct legacy *l);
int legacy_thread(struct legacy *l);
int legacy_contention(struct legacy *l);

/* drop_frames and keep_frames, which these formats do not carry. */
int legacy_set_frames(struct legacy *l);

#endif
