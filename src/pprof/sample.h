/*
 * sample.h - should this allocation be sampled?
 *
 * Sample points lie on the stream of allocated bytes as a Poisson process of
 * one point in `rate` bytes: the gap to the next is geometric (an exponential
 * draw rounded up), so an allocation of n bytes holds a point with probability
 * 1 - exp(-n / rate) exactly, wherever the stream stands.  Each thread counts
 * down its own gap; the law has no memory, so threads, drawing again, and
 * points that are thrown away change nothing for the others.
 *
 * The hot path is sample_countdown: one subtraction in TLS, one branch.  All
 * else is off it.
 */
#ifndef PROFLAB_PPROF_SAMPLE_H
#define PROFLAB_PPROF_SAMPLE_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not exported, so reached without a detour through the GOT or a PLT. */
#pragma GCC visibility push(hidden)

#define SAMPLE_RATE_DEFAULT 524288
/* A larger rate is taken for this one: it must fit a stack record's tag. */
#define SAMPLE_RATE_MAX (INT64_C(1) << 40)

/*
 * Bytes to the thread's next sample point.  0 in a new thread (its first
 * allocation comes to sample_due, which draws a gap and asks again) and
 * always at rate 1.  Owner: the thread.
 */
extern _Thread_local uint64_t sample_left TLS_INITIAL_EXEC;
/* The epoch (below) in which sample_left was drawn; 0 = never. */
extern _Thread_local uint32_t sample_epoch_seen TLS_INITIAL_EXEC;
/* Grows with each change of the rate.  Release; pairs with acquire. */
extern _Atomic uint32_t sample_epoch;

/*
 * Count n bytes down.  Returns: ask sample_due.  Unsigned on purpose: a size
 * that no allocator will serve reaches the point, rather than moving it away.
 * Signal: safe.
 */
HOT_INLINE bool sample_countdown(size_t n)
{
	/* Left alone when it is reached: a handler that allocates before
	 * sample_due has drawn again must not find it wrapped round. */
	if (UNLIKELY(sample_left <= n))
		return true;
	sample_left -= n;
	return false;
}

/* Was the rate changed since this thread drew its gap?  Signal: safe. */
HOT_INLINE bool sample_is_stale(void)
{
	return UNLIKELY(
		sample_epoch_seen !=
		__atomic_load_n((uint32_t *)&sample_epoch, __ATOMIC_ACQUIRE));
}

/*
 * After sample_countdown(n) said so, or when sample_is_stale: draws the next
 * gap, and decides.
 * Signal: safe.  Returns: the rate to record this allocation with; 0 = leave
 * it.
 */
int64_t sample_due(size_t n);

/*
 * The rate.  0 = off, 1 = everything.  A change holds for every allocation
 * that happens after it, in all threads: see sample_set_on_change.
 * Returns: the rate before.
 */
int64_t sample_set_rate(int64_t rate);
int64_t sample_rate(void);

/*
 * Called once, when the rate first changes while other threads may be
 * counting down a gap of the old rate: from then on the shim must ask
 * sample_is_stale too.  (Before, not a load more than the countdown.)
 */
void sample_set_on_change(void (*fn)(void));

/* The factor by which n sampled bytes stand for all: 1 / P(sampled). */
double sample_weight(double size, int64_t rate);

/*
 * In a forked child: draw anew, or all the children of one parent would sample
 * the same allocations.
 */
void sample_forked(void);

/* For tests: the calling thread's draws follow from this seed. */
void sample_seed(uint64_t seed);

/*
 * Size classes for a stack record's tag: 16 to a doubling, named by their
 * largest size; up to 32 bytes each size is its own.  Estimates take the mean
 * size of a record, so what is left of the width is its variance: a bias of at
 * most (1/16)^2 / 12 = 0.03 %.
 */
size_t sample_class_size(size_t size);

#pragma GCC visibility pop

#endif
