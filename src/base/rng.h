/*
 * rng.h - random draws: xoshiro256** seeded through splitmix64 (Blackman and
 * Vigna, prng.di.unimi.it), and the distributions that sampling needs.
 *
 * A zeroed state is not seeded: call rng_seed first.  One state belongs to
 * one thread.  Signal: safe, all of it, on a state of the handler's own.
 */
#ifndef PROFLAB_BASE_RNG_H
#define PROFLAB_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
/* From getrandom(2), or from the clocks where that fails. */
void rng_seed_random(struct rng *r);

uint64_t rng_u64(struct rng *r);
/* Uniform in [0, n), without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Uniform in [0, 1), 53 bits. */
double rng_double(struct rng *r);
/* Exponential with this mean: the gaps of a Poisson process.  Never 0. */
double rng_exponential(struct rng *r, double mean);

#endif
