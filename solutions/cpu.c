/*
 * cpu.c - the workload of /cpu, mended.  solutions/cpu.md tells the story and
 * has the figures; `diff src/workloads/cpu.c solutions/cpu.c` is the answer.
 *
 * The profile of the faulty variant says where the time goes: into the inner
 * loop, half of it into a division that waits for the division before it.
 * Making that line faster is the first idea, and worth some percent.  The
 * second idea is to ask how often the line must run at all.  There are 360
 * angles.  A million iterations ask for the same 360 sines, 2,777 times over.
 */
#include "workloads/cpu.h"

#include "base/attr.h"

#include <math.h>

enum { ANGLES = 360 };
#define HALF_DEGREE (M_PI / 360.0)

enum { TERMS = 8 };

/*
 * The series as before, but the compiler now sees the divisors: with no call
 * in between it unrolls the loop and works them out while compiling.  (That
 * alone, with everything else left as it was, saves nearly half.)
 */
static double sine_of(double x)
{
	double term = x;
	double sine = x;
	for (int k = 1; k <= TERMS; k++) {
		term = -term * x * x / ((2.0 * k) * (2.0 * k + 1.0));
		sine += term;
	}
	return sine;
}

/* The sum over the first `count` angles of the square of the sine. */
static double sum_of_squares(int64_t count)
{
	double sum = 0.0;
	for (int64_t i = 0; i < count; i++) {
		const double sine =
			sine_of((double)(i - ANGLES / 2) * HALF_DEGREE);
		sum += sine * sine;
	}
	return sum;
}

/*
 * Every whole round of the angles adds the same amount, so one round is walked
 * and then counted; what is left over is walked as well.  The work no longer
 * depends on the number of iterations: at most 719 sines, whatever is asked.
 *
 * The additions happen in another order than before, and floating-point
 * addition is not associative: the answers differ, in about the thirteenth
 * digit.  A caller that needs the old bits would need the old loop with a
 * table of 360 squares, which is 50 times as fast and not some thousands.
 */
ON_STACK double perform_cpu_intensive_task(int64_t iterations)
{
	if (iterations <= 0)
		return 0.0;
	const int64_t rounds = iterations / ANGLES;
	const double whole = rounds ? sum_of_squares(ANGLES) : 0.0;
	return (double)rounds * whole + sum_of_squares(iterations % ANGLES);
}
