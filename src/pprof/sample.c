/*
 * sample.c - the draws behind sample.h.
 */
#include "pprof/sample.h"

#include "base/rng.h"
#include "pprof/guard.h"

#include <math.h>
#include <stdatomic.h>

/* Off: no allocation is as large, and no process lives to count it down. */
#define SAMPLE_NEVER (UINT64_C(1) << 63)

_Thread_local uint64_t sample_left TLS_INITIAL_EXEC;
_Thread_local uint32_t sample_epoch_seen TLS_INITIAL_EXEC;
_Atomic uint32_t sample_epoch = 1;

static _Thread_local struct rng thread_rng TLS_INITIAL_EXEC;
static _Thread_local int64_t thread_rate TLS_INITIAL_EXEC;

/* Release by sample_set_rate, before the epoch; acquire by the readers. */
static _Atomic int64_t rate_now = SAMPLE_RATE_DEFAULT;
/*
 * Threads that ever drew a gap.  A new thread counts itself, then reads the
 * rate; the setter writes the rate, then reads the count.  Both sequentially
 * consistent: either the setter sees the thread, or the thread the new rate.
 */
static _Atomic uint32_t threads_ever;
static _Atomic(void (*)(void)) on_change;

static void draw_gap(void)
{
	if (thread_rate == 0)
		sample_left = SAMPLE_NEVER;
	else if (thread_rate == 1)
		sample_left = 0;
	else
		sample_left = (uint64_t)ceil(
			rng_exponential(&thread_rng, (double)thread_rate));
}

/* A new thread, or a new rate: whatever was left of the gap is void. */
static COLD void begin_epoch(void)
{
	if (sample_epoch_seen == 0) {
		rng_seed_random(&thread_rng);
		atomic_fetch_add(&threads_ever, 1);
	}
	/* The epoch first: if the rate changes in between, we come again. */
	sample_epoch_seen = atomic_load(&sample_epoch);
	thread_rate = atomic_load(&rate_now);
	draw_gap();
}

int64_t sample_due(size_t n)
{
	if (sample_is_stale()) {
		begin_epoch();
		if (!sample_countdown(n))
			return 0;
	}
	draw_gap();
	/* A point on the profiler's own bytes is thrown away. */
	return guard_inside() ? 0 : thread_rate;
}

int64_t sample_set_rate(int64_t rate)
{
	if (rate < 0)
		rate = 0;
	if (rate > SAMPLE_RATE_MAX)
		rate = SAMPLE_RATE_MAX;
	const int64_t before = atomic_exchange(&rate_now, rate);
	if (before == rate)
		return before;
	const uint32_t others =
		atomic_load(&threads_ever) - (sample_epoch_seen != 0);
	/* The hook is in place before the epoch tells anyone. */
	void (*fn)(void) = atomic_load(&on_change);
	if (others && fn)
		fn();
	atomic_fetch_add(&sample_epoch, 1);
	if (sample_epoch_seen != 0)
		begin_epoch();
	return before;
}

int64_t sample_rate(void)
{
	return atomic_load(&rate_now);
}

void sample_set_on_change(void (*fn)(void))
{
	atomic_store(&on_change, fn);
}

void sample_forked(void)
{
	if (sample_epoch_seen != 0) {
		rng_seed_random(&thread_rng);
		draw_gap();
	}
}

double sample_weight(double size, int64_t rate)
{
	if (rate <= 1)
		return 1;
	return -1 / expm1(-size / (double)rate);
}

void sample_seed(uint64_t seed)
{
	if (sample_is_stale())
		begin_epoch();
	rng_seed(&thread_rng, seed);
	draw_gap();
}

size_t sample_class_size(size_t size)
{
	if (size <= 32)
		return size;
	/* (2^k, 2^(k+1)] in 16 steps. */
	const int k = 63 - __builtin_clzl(size - 1);
	const size_t step = (size_t)1 << (k - 4);
	if (size > SIZE_MAX - step)
		return SIZE_MAX;
	return (size + step - 1) / step * step;
}
