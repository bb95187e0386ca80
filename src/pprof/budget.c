/* budget.c - see budget.h. */
#include "pprof/budget.h"

#include <string.h>

/* What is left of a budget when a part may be doubled again. */
#define KEPT_BACK 0.25

static void push(struct budget *b, const struct budget_reading *reading)
{
	if (b->n == BUDGET_WINDOW + 1) {
		memmove(b->window, b->window + 1,
			BUDGET_WINDOW * sizeof(*b->window));
		b->n--;
	}
	b->window[b->n++] = *reading;
}

/* From the newest reading on. */
static void begin_anew(struct budget *b)
{
	b->window[0] = b->window[b->n - 1];
	b->n = 1;
}

/* Returns: whether anything could be halved. */
static int slow_down(struct budget *b, double limit, double signals,
		     double control)
{
	int slower = 0;
	while (signals + control > limit) {
		const int rate = b->rate_halvings < b->rate_halvings_max;
		const int scan = b->scan_halvings < b->scan_halvings_max;
		if (rate && (signals >= control || !scan)) {
			b->rate_halvings++;
			signals /= 2;
		} else if (scan) {
			b->scan_halvings++;
			control /= 2;
		} else {
			break;
		}
		slower = 1;
	}
	return slower;
}

static int speed_up(struct budget *b, double limit, double signals,
		    double control)
{
	limit *= 1 - KEPT_BACK;
	if (b->rate_halvings && 2 * signals + control <= limit)
		b->rate_halvings--;
	else if (b->scan_halvings && signals + 2 * control <= limit)
		b->scan_halvings--;
	else
		return 0;
	return 1;
}

int budget_check(struct budget *b, double share,
		 const struct budget_reading *reading)
{
	push(b, reading);
	if (share <= 0) {
		const int faster = b->rate_halvings || b->scan_halvings;
		b->rate_halvings = b->scan_halvings = 0;
		begin_anew(b);
		return faster ? -1 : 0;
	}
	const struct budget_reading *first = &b->window[0];
	const int64_t process = reading->process_ns - first->process_ns;
	if (b->n < 2 || (b->n < 3 && process < BUDGET_ENOUGH_NS))
		return 0;
	const double limit = share * (double)process;
	const double signals =
		(double)(reading->signals_ns - first->signals_ns);
	const double control =
		(double)(reading->control_ns - first->control_ns);
	int change = 0;
	const int young = b->n <= BUDGET_WINDOW / 2;
	if (signals + control > (young ? 2 * limit : limit))
		change = slow_down(b, limit, signals, control);
	else if (b->n == BUDGET_WINDOW + 1 &&
		 speed_up(b, limit, signals, control))
		change = -1;
	if (change)
		begin_anew(b);
	return change;
}
