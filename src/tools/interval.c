/* interval.c - see interval.h. */
#include "tools/interval.h"

#include <math.h>

static const double z = 1.959963984540054;

struct interval interval_share(double k, double n)
{
	if (n <= 0)
		return (struct interval){ 0, 1 };
	if (k > n)
		k = n;
	const double p = k / n;
	const double middle = p + z * z / (2 * n);
	const double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	const double scale = 1 + z * z / n;
	return (struct interval){ (middle - half) / scale,
				  (middle + half) / scale };
}

struct interval interval_amount(double value, double n)
{
	const double half = n > 0 ? z * fabs(value) / sqrt(n) : 0;
	return (struct interval){ value - half, value + half };
}

double interval_events_needed(double share, double threshold)
{
	const double gap = share - threshold;
	const double spread =
		sqrt(share * (1 - share)) + sqrt(threshold * (1 - threshold));
	if (gap == 0)
		return INFINITY;
	const double root = z * spread / gap;
	return ceil(root * root);
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

enum trend interval_trend(const double *values, const double *errors, size_t n)
{
	double top = 0, fall = 0, apart = 0;
	for (size_t i = 0; i < n; i++)
		top = larger(top, fabs(values[i]));
	for (size_t i = 1; i < n; i++) {
		const double e0 = hypot(errors[i], errors[0]);
		const double e1 = hypot(errors[i], errors[i - 1]);
		const double away = fabs(values[i] - values[0]);
		if (away > larger(4 * e0, top / 10))
			apart = larger(apart, away);
		const double down = values[i - 1] - values[i];
		if (down > 4 * e1)
			fall = larger(fall, down);
	}
	if (apart == 0)
		return TREND_FLAT;
	const double rise = values[n - 1] - values[0];
	if (rise >= apart * 0.75 && fall <= rise / 10)
		return TREND_STEADY;
	return TREND_SAWTOOTH;
}
