/* rng.c - see rng.h. */
#include "base/rng.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void rng_seed(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = seed;
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		r->s[i] = z ^ (z >> 31);
	}
}

void rng_seed_random(struct rng *r)
{
	const int saved = errno;
	uint64_t seed;
	/* Not getrandom: that is a cancellation point, and this may be called
	 * in functions that are none, such as malloc. */
	if (syscall(SYS_getrandom, &seed, sizeof(seed), GRND_NONBLOCK) !=
	    sizeof(seed))
		seed = (uint64_t)clock_monotonic_ns() ^
		       (uint64_t)clock_realtime_ns() << 20 ^
		       (uint64_t)(uintptr_t)r ^ (uint64_t)gettid() << 40;
	errno = saved;
	rng_seed(r, seed);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s;
	const uint64_t result = rotl(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	/* Lemire's method: multiply, and reject the few that would bias. */
	__uint128_t m = (__uint128_t)rng_u64(r) * n;
	if ((uint64_t)m < n) {
		const uint64_t floor = -n % n;
		while ((uint64_t)m < floor)
			m = (__uint128_t)rng_u64(r) * n;
	}
	return (uint64_t)(m >> 64);
}

double rng_double(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_exponential(struct rng *r, double mean)
{
	/* 1 - u is in (0, 1], so the logarithm is finite; + 2^-54 keeps the
	 * result off zero. */
	return -mean * log1p(-rng_double(r) - 0x1p-54);
}
