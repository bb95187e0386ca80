/* growth_tell.c - growth in words, for those who write it out (growth.h). */
#include "tools/growth.h"

#include "base/parse.h"
#include "report/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text, *name;
} verdicts[GROWTH_VERDICTS] = {
	[GROWTH_STEADY] = { "grows steadily", "steady" },
	[GROWTH_SAWTOOTH] = { "saw-tooth", "sawtooth" },
	[GROWTH_FLAT] = { "flat", "flat" },
	[GROWTH_SHRINKS] = { "shrinks", "shrinks" },
	[GROWTH_UNKNOWN] = { "too few", "unknown" },
};

const char *growth_verdict_text(enum growth_verdict v)
{
	return verdicts[v].text;
}

const char *growth_verdict_name(enum growth_verdict v)
{
	return verdicts[v].name;
}

char *growth_amount(const struct growth *g, double v, bool sign,
		    char buf[static GROWTH_AMOUNT_TEXT])
{
	char label[MEASURE_LABEL_MAX];
	const char *plus = sign && v > 0 ? "+" : "";
	if (measure_compatible(g->unit, "count") && fabs(v) < 100 &&
	    v != round(v))
		snprintf(buf, GROWTH_AMOUNT_TEXT, "%s%.2f", plus, v);
	else
		snprintf(buf, GROWTH_AMOUNT_TEXT, "%s%s", plus,
			 measure_label((int64_t)round(v), g->unit, "minimum",
				       label));
	return buf;
}

char *growth_when(const struct growth *g, size_t step,
		  char buf[static GROWTH_AMOUNT_TEXT])
{
	char text[PARSE_DURATION_TEXT];
	if (g->steps[0].time_ns <= 0 || g->steps[step].time_ns <= 0) {
		snprintf(buf, GROWTH_AMOUNT_TEXT, "#%zu", step + 1);
		return buf;
	}
	const int64_t ns = g->steps[step].time_ns - g->steps[0].time_ns;
	const int64_t unit = ns < INT64_C(10000000000) ? 100000000 : 1000000000;
	snprintf(buf, GROWTH_AMOUNT_TEXT, "+%s",
		 format_duration((ns + unit / 2) / unit * unit, text));
	return buf;
}

size_t growth_choose_steps(const struct growth *g, size_t max,
			   size_t *ret_steps)
{
	const size_t n = g->n_steps < max ? g->n_steps : max;
	for (size_t i = 0; i < n; i++)
		ret_steps[i] = n < 2 ? 0 : i * (g->n_steps - 1) / (n - 1);
	return n;
}

size_t growth_worst_steps(const struct growth *g, size_t max, size_t *ret_steps)
{
	size_t n = 0;
	for (size_t i = 1; i < g->n_steps; i++) {
		const double moved = fabs(g->steps[i].added);
		size_t at = n;
		if (moved == 0)
			continue;
		while (at > 0 &&
		       fabs(g->steps[ret_steps[at - 1]].added) < moved)
			at--;
		if (at >= max)
			continue;
		if (n < max)
			n++;
		for (size_t k = n - 1; k > at; k--)
			ret_steps[k] = ret_steps[k - 1];
		ret_steps[at] = i;
	}
	return n;
}

const struct growth_row *growth_cause(const struct growth *g, size_t step)
{
	const struct growth_row *cause = NULL;
	const double sign = g->steps[step].added < 0 ? -1 : 1;
	double most = 0;
	for (size_t f = 0; f < g->n_rows; f++) {
		const double *v = g->rows[f].values;
		const double moved = sign * (v[step] - v[step - 1]);
		if (moved > most) {
			most = moved;
			cause = &g->rows[f];
		}
	}
	return cause;
}
