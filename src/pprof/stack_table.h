/*
 * stack_table.h - the one idea behind every profile: counters keyed by (call
 * stack, label set, tag).
 *
 * Append-only and lock-free, in memory mapped by the table itself, so that
 * stack_table_find may run in a signal handler and inside malloc.  Records
 * never move and are never removed; a reader walks 0 .. stack_table_count - 1
 * while writers go on.  A window in time is a snapshot of the counters at its
 * start, subtracted at its end.
 *
 * Memory: an index of buckets (atomic 32-bit record numbers), an array of
 * records, and a pool of frames; all reserved at creation (MAP_NORESERVE) and
 * touched as they fill.  Publication: a record is written whole, then its
 * number is released into its bucket by compare-and-swap; readers acquire.
 * Two writers that race for one new stack: the loser finds the winner's record
 * (its own slot stays unused and is skipped by readers).
 */
#ifndef PROFLAB_PPROF_STACK_TABLE_H
#define PROFLAB_PPROF_STACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STACK_DEPTH_MAX = 128, /* frames kept; deeper stacks are marked */
	STACK_COUNTERS = 4,
	STACK_LOST_MAX = 8, /* at least LOST_CAUSES */
};

/* Leaf first.  pcs[0] may be exact (a signal's pc); the others are return
 * addresses.  The writer subtracts 1 from all but an exact leaf. */
struct stack {
	const uintptr_t *pcs;
	uint32_t depth;
	bool truncated;	 /* cut at STACK_DEPTH_MAX: the writer adds a frame */
	bool exact_leaf; /* pcs[0] is an interrupted pc, not a return address */
	/*
	 * Of a stack taken from a record (stack_table_stack): some of its
	 * objects were unloaded since, and it was made after this many unloads
	 * (freeze.h).  Not part of the key.
	 */
	bool stale;
	uint32_t birth;
};

struct stack_record {
	uint64_t hash;
	uint64_t tag;	 /* the table's owner defines it (size class, state) */
	uint32_t labels; /* label set (label.h); 0 = none */
	uint32_t depth;
	uint64_t first; /* of the frames in the pool */
	bool truncated;
	bool exact_leaf;
	_Atomic bool ready;
	_Atomic bool stale; /* a pc's object is gone: found no more */
	uint32_t birth;	    /* unloads before it was made (freeze.h) */
	_Atomic int64_t counters[STACK_COUNTERS];
};

struct stack_table;

struct stack_table_options {
	size_t max_stacks; /* 0 = 65536 */
	size_t max_frames; /* 0 = 32 a stack */
};

/* Returns: 0 or ERR_NOMEM.  Signal: unsafe. */
int stack_table_new(const struct stack_table_options *options,
		    struct stack_table **ret_table);
/* Only for tests and for tables that no handler can still see. */
void stack_table_free(struct stack_table *t);

/*
 * The record of this key, made if it is new.  NULL when the table is full: the
 * caller counts the loss (stack_table_lost).  Signal: safe.  Never blocks; a
 * writer that loses too many races gives up as if the table were full.
 */
struct stack_record *stack_table_find(struct stack_table *t,
				      const struct stack *stack,
				      uint32_t labels, uint64_t tag);

/*
 * Add to a counter.  Release, so that a reader which sees this addition (in
 * stack_record_get) sees those that happened before it.  Signal: safe.
 */
static inline void stack_record_add(struct stack_record *r, int counter,
				    int64_t delta)
{
	__atomic_fetch_add((int64_t *)&r->counters[counter], delta,
			   __ATOMIC_RELEASE);
}

/* A counter now, with acquire.  Signal: safe. */
int64_t stack_record_get(const struct stack_record *r, int counter);

/* Records claimed so far; some may not be ready.  Signal: safe. */
size_t stack_table_count(const struct stack_table *t);
/* The i-th record, or NULL when it is not ready.  Signal: safe. */
struct stack_record *stack_table_at(const struct stack_table *t, size_t i);
/* Its frames, leaf first. */
const uintptr_t *stack_table_frames(const struct stack_table *t,
				    const struct stack_record *r);
/* The same as the writer takes it.  The frames stay the table's. */
struct stack stack_table_stack(const struct stack_table *t,
			       const struct stack_record *r);
/*
 * A pc of this record is about to mean something else: stack_table_find will
 * not find it again, but make another (or, false: it does not, after all).
 * Signal: safe.
 */
void stack_record_retire(struct stack_record *r, bool retired);
/* How many times freeze.c has looked at an object about to go.  Atomic. */
extern uint32_t stack_table_unloads;
/* Its loss counters.  Signal: safe. */
struct lost *stack_table_lost(struct stack_table *t);

/*
 * Set every counter to 0, losses too; the records stay.  For a child after
 * fork: nothing may be adding at the time.
 */
void stack_table_zero(struct stack_table *t);

/*
 * The counters of all records at one time: row i is record i's.  Counters are
 * read from the highest index to the lowest: an owner whose counter 3 undoes
 * counter 1 (frees, allocations) never reads more undone than done.
 */
struct stack_snapshot {
	size_t n;
	int64_t (*counters)[STACK_COUNTERS]; /* owned */
	int64_t lost_samples[STACK_LOST_MAX], lost_weight[STACK_LOST_MAX];
	int64_t monotonic_ns, realtime_ns; /* when it was taken */
};

/* Returns: 0 or ERR_NOMEM. */
int stack_snapshot_take(struct stack_table *t, struct stack_snapshot *ret);
void stack_snapshot_free(struct stack_snapshot *s);

/* Record i's counter in it; 0 for a record that is younger, and for s NULL. */
static inline int64_t stack_snapshot_get(const struct stack_snapshot *s,
					 size_t i, int counter)
{
	return s && i < s->n ? s->counters[i][counter] : 0;
}

#endif
