/*
 * cpu.c - the workload of /cpu, as the exercise gives it.
 *
 * It is a numeric loop like many that grew over the years: each line is right,
 * the answer is right, and a request takes as long as it takes.  Before you
 * read on for the mistake, ask the running server: under load, collect a CPU
 * profile, and let it tell you which lines deserve your reading.
 *
 *   proflab-pprof -top  http://HOST/debug/pprof/profile?seconds=10
 *   proflab-pprof -list=perform_cpu http://HOST/debug/pprof/profile?seconds=10
 *
 * "flat" is time spent in a function's own instructions, "cum" also what it
 * called.  Where the two differ by little, the work is here and not below.
 */
#include "workloads/cpu.h"

#include "base/attr.h"

#include <math.h>

/*
 * The angles are whole numbers of half degrees, from a quarter turn below
 * zero up to a quarter turn above; after the last they start again.
 */
enum { ANGLES = 360 };
#define HALF_DEGREE (M_PI / 360.0)

/*
 * sin x = x - x^3/3! + x^5/5! - ...  Within a quarter turn, what follows the
 * eighth correction is below 1e-13.
 */
enum { TERMS = 8 };

/*
 * Each term of the series is the one before it, times -x*x, divided by the two
 * numbers by which the factorial grew: 2*3, then 4*5, then 6*7.
 *
 * A function for two multiplications reads well.  It is also called at every
 * step of the inner loop, and a call has a price: the arguments are put in
 * place, the registers that it may spoil are saved and loaded again.  Look for
 * it in the profile, and compare what it costs with what it does.
 */
static ON_STACK double trig_term(int k)
{
	/*
	 * No instruction, only a wall: seeing that nothing but k matters here,
	 * clang would call this eight times in all and keep the answers.
	 */
	__asm__ volatile("");
	return (2.0 * k) * (2.0 * k + 1.0);
}

/*
 * For every angle, the series; for every term of the series, a division.
 *
 * A division takes about four times as long as a multiplication, and here each
 * waits for the result of the one before it, so the processor cannot overlap
 * them as it does elsewhere.  `list` shows where the time passes; but mind that
 * a sample lands on the instruction that could not go on, which is often the
 * one after the culprit, so look one line up as well.  The question that no
 * profile answers, and that you should ask, is how often the same numbers come
 * by.
 */
ON_STACK double perform_cpu_intensive_task(int64_t iterations)
{
	double sum = 0.0;
	for (int64_t i = 0; i < iterations; i++) {
		const double x =
			(double)(i % ANGLES - ANGLES / 2) * HALF_DEGREE;
		double term = x;
		double sine = x;
		for (int k = 1; k <= TERMS; k++) {
			term = -term * x * x / trig_term(k);
			sine += term;
		}
		sum += sine * sine;
	}
	return sum;
}
