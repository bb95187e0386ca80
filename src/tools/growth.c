/* growth.c - see growth.h. */
#include "tools/growth_private.h"

#include "tools/die.h"
#include "tools/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Counted whole, not sampled: chance plays no part. */
static bool is_exact(const char *type)
{
	return !strcmp(type, "threads") || !strcmp(type, "goroutine");
}

static int by_time(const void *a, const void *b)
{
	const struct raw_step *x = a, *y = b;
	if (x->step.time_ns != y->step.time_ns)
		return x->step.time_ns < y->step.time_ns ? -1 : 1;
	return x->given < y->given ? -1 : 1;
}

static void order_steps(struct growth *g)
{
	struct growth_raw *raw = g->raw;
	for (size_t i = 0; i < raw->n_steps; i++)
		if (raw->steps[i].step.time_ns <= 0)
			return;
	qsort(raw->steps, raw->n_steps, sizeof(*raw->steps), by_time);
	for (size_t i = 0; i < raw->n_steps; i++)
		g->reordered |= raw->steps[i].given != i;
}

/* A value and its error from what was read at a step and at the one before. */
static void set_figure(const struct growth *g, const struct raw_step *s,
		       const struct raw_step *before, double v, double events,
		       double v0, double events0, double *ret_value,
		       double *ret_error)
{
	double per = 1;
	if (g->mode == GROWTH_COUNTER && !s->step.restarted) {
		v -= v0;
		events -= events0;
	}
	if (g->mode == GROWTH_RATE)
		per = (double)s->step.duration_ns / 1e9;
	else if (g->mode == GROWTH_COUNTER && g->per_second)
		per = (double)(s->step.time_ns - before->step.time_ns) / 1e9;
	*ret_value = v / per;
	*ret_error = events > 0 ? fabs(v) / sqrt(events) / per : 0;
	if (is_exact(g->type))
		*ret_error = 0.5;
}

static void find_restarts(struct growth *g)
{
	struct growth_raw *raw = g->raw;
	g->per_second = g->mode != GROWTH_LEVEL;
	for (size_t i = 1; i < raw->n_steps; i++) {
		struct raw_step *s = &raw->steps[i];
		/* Estimates of a counter may waver; a new process begins low.
		 */
		s->step.restarted = s->counter < 0.9 * s[-1].counter;
		if (g->mode == GROWTH_COUNTER &&
		    s->step.time_ns <= s[-1].step.time_ns)
			g->per_second = false;
	}
}

static enum growth_verdict judge(const struct growth *g,
				 const struct growth_row *r)
{
	const size_t n = g->n_steps - g->first;
	const double *v = r->values + g->first, *err = r->errors + g->first;
	if (n < 2)
		return GROWTH_UNKNOWN;
	switch (interval_trend(v, err, n)) {
	case TREND_FLAT:
		return GROWTH_FLAT;
	case TREND_STEADY:
		return GROWTH_STEADY;
	case TREND_SAWTOOTH:
		break;
	}
	/* What shrinks grows steadily when seen from its end. */
	double *back = xcalloc(2 * n, sizeof(*back));
	for (size_t i = 0; i < n; i++) {
		back[i] = v[n - 1 - i];
		back[n + i] = err[n - 1 - i];
	}
	const bool shrinks = interval_trend(back, back + n, n) == TREND_STEADY;
	free(back);
	return shrinks ? GROWTH_SHRINKS : GROWTH_SAWTOOTH;
}

static void finish_row(const struct growth *g, struct growth_row *r)
{
	r->verdict = judge(g, r);
	r->change = r->values[g->n_steps - 1] - r->values[g->first];
}

/* What moved up comes first, then what did not move, then what came down. */
static int rank_of(const struct growth_row *r)
{
	if (r->verdict == GROWTH_FLAT || r->verdict == GROWTH_UNKNOWN)
		return 1;
	return r->change > 0 ? 0 : 2;
}

static double size_of(const struct growth_row *r, int rank)
{
	return rank == 1 ? fabs(r->values[0]) + fabs(r->change) : r->change;
}

static int by_regression(const void *a, const void *b)
{
	const struct growth_row *x = a, *y = b;
	const int rx = rank_of(x), ry = rank_of(y);
	if (rx != ry)
		return rx < ry ? -1 : 1;
	const double sx = size_of(x, rx), sy = size_of(y, ry);
	if (sx != sy)
		return sx > sy ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void new_row(const struct growth *g, struct growth_row *r,
		    const char *name)
{
	*r = (struct growth_row){
		.name = name,
		.values = xcalloc(g->n_steps, sizeof(*r->values)),
		.errors = xcalloc(g->n_steps, sizeof(*r->errors)),
	};
}

/* From raw cells, functions of one name together, to figures. */
static void fill_rows(struct growth *g, size_t skip)
{
	struct growth_raw *raw = g->raw;
	const size_t n = raw->n_names;
	double *now = xcalloc(2 * n, sizeof(*now));
	double *before = xcalloc(2 * n, sizeof(*before));
	for (size_t i = 0; i < raw->n_steps; i++) {
		const struct raw_step *s = &raw->steps[i];
		const struct raw_step *s0 = i ? s - 1 : s;
		memset(now, 0, 2 * n * sizeof(*now));
		for (size_t k = 0; k < s->n_cells; k++) {
			now[2 * s->cells[k].name] += s->cells[k].value;
			now[2 * s->cells[k].name + 1] += s->cells[k].events;
		}
		for (size_t f = 0; i >= skip && f < n; f++)
			set_figure(g, s, s0, now[2 * f], now[2 * f + 1],
				   before[2 * f], before[2 * f + 1],
				   &g->rows[f].values[i - skip],
				   &g->rows[f].errors[i - skip]);
		if (i >= skip)
			set_figure(g, s, s0, s->step.total, s->events,
				   s0->step.total, s0->events,
				   &g->total.values[i - skip],
				   &g->total.errors[i - skip]);
		double *swap = before;
		before = now;
		now = swap;
	}
	free(now);
	free(before);
}

int growth_finish(struct growth *g, struct err *e)
{
	struct growth_raw *raw = g->raw;
	order_steps(g);
	find_restarts(g);
	const size_t skip = g->mode == GROWTH_COUNTER ? 1 : 0;
	if (raw->n_steps < 2 + skip)
		return err_set(
			e, ERR_NOTFOUND,
			"%zu %s of use: at least %zu %sare needed",
			raw->n_steps,
			raw->n_steps == 1 ? "profile is" : "profiles are",
			2 + skip,
			skip ? "of a figure that counts from the start " : "");
	g->n_steps = raw->n_steps - skip;
	g->steps = xcalloc(g->n_steps, sizeof(*g->steps));
	g->rows = xcalloc(raw->n_names, sizeof(*g->rows));
	g->n_rows = raw->n_names;
	for (size_t f = 0; f < g->n_rows; f++)
		new_row(g, &g->rows[f], raw->names[f]);
	new_row(g, &g->total, "(total)");
	fill_rows(g, skip);
	for (size_t i = 0; i < g->n_steps; i++) {
		g->steps[i] = raw->steps[i + skip].step;
		g->steps[i].total = g->total.values[i];
		g->steps[i].added =
			i ? g->total.values[i] - g->total.values[i - 1] : 0;
		if (g->steps[i].restarted)
			g->first = i;
	}
	for (size_t f = 0; f < g->n_rows; f++)
		finish_row(g, &g->rows[f]);
	finish_row(g, &g->total);
	qsort(g->rows, g->n_rows, sizeof(*g->rows), by_regression);
	return 0;
}
