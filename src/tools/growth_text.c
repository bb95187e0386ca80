/* growth_text.c - growth as a table for people, and as JSON (growth.h). */
#include "tools/growth.h"

#include "tools/die.h"
#include "tools/spark.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS_MAX = 8, WORST_STEPS = 3, SPARK_MAX = 24 };

static const char *suffix(const struct growth *g)
{
	return g->per_second ? "/s" : "";
}

static void head(const struct growth *g, struct buf *to)
{
	char when[64] = "", span[GROWTH_AMOUNT_TEXT];
	const time_t first = (time_t)(g->steps[0].time_ns / 1000000000);
	struct tm tm;
	if (first > 0 && gmtime_r(&first, &tm))
		strftime(when, sizeof(when), " from %Y-%m-%d %H:%M:%S UTC",
			 &tm);
	buf_printf(to, "%s%s%s by function (%s), %zu profiles%s", g->type,
		   g->per_second			     ? " a second"
		   : g->mode == GROWTH_COUNTER && g->n_steps ? " a step"
							     : "",
		   g->mode == GROWTH_COUNTER ? ", as differences of a counter"
					     : "",
		   g->options.cum ? "cum" : "flat",
		   g->n_steps + (g->mode == GROWTH_COUNTER), when);
	if (g->steps[0].time_ns > 0)
		buf_printf(to, " over %s",
			   growth_when(g, g->n_steps - 1, span) + 1);
	buf_append_char(to, '\n');
	if (g->reordered)
		buf_append_str(to, "(in the order of their own times, which "
				   "is not the order given)\n");
	if (g->first)
		buf_printf(to,
			   "(the process was started anew before %s: verdicts "
			   "and changes count from there)\n",
			   growth_when(g, g->first, span));
	buf_append_char(to, '\n');
}

/* A row's figures as a picture, of at most SPARK_MAX steps. */
static void put_spark(const struct growth *g, const struct growth_row *r,
		      bool utf8, struct buf *to)
{
	size_t steps[SPARK_MAX];
	double v[SPARK_MAX], high = 0, low = 0;
	const size_t n = growth_choose_steps(g, SPARK_MAX, steps);
	for (size_t i = 0; i < n; i++) {
		v[i] = r->values[steps[i]];
		high = fmax(high, v[i]);
		low = fmin(low, v[i]);
	}
	spark_append(to, v, n, low, high, utf8);
}

static void put_row(const struct growth *g, const struct growth_row *r,
		    const size_t *columns, size_t n_columns, bool utf8,
		    struct buf *to)
{
	char text[GROWTH_AMOUNT_TEXT];
	buf_printf(to, "%10s  %-14s  ", growth_amount(g, r->change, true, text),
		   growth_verdict_text(r->verdict));
	put_spark(g, r, utf8, to);
	for (size_t i = 0; i < n_columns; i++)
		buf_printf(to, " %9s",
			   growth_amount(g, r->values[columns[i]], false,
					 text));
	buf_printf(to, "  %s\n", r->name);
}

static void put_worst_steps(const struct growth *g, struct buf *to)
{
	size_t steps[WORST_STEPS];
	char a[GROWTH_AMOUNT_TEXT], b[GROWTH_AMOUNT_TEXT],
		c[GROWTH_AMOUNT_TEXT];
	const size_t n = growth_worst_steps(g, WORST_STEPS, steps);
	if (n)
		buf_append_str(to, "\nThe steps that changed most:\n");
	for (size_t i = 0; i < n; i++) {
		const size_t s = steps[i];
		const struct growth_row *r = growth_cause(g, s);
		buf_printf(to, "  %8s to %-8s %10s%s", growth_when(g, s - 1, a),
			   growth_when(g, s, b),
			   growth_amount(g, g->steps[s].added, true, c),
			   suffix(g));
		if (r)
			buf_printf(to, ", of which %s by %s",
				   growth_amount(
					   g, r->values[s] - r->values[s - 1],
					   true, a),
				   r->name);
		if (g->steps[s].restarted)
			buf_append_str(to, " (started anew in between)");
		buf_append_char(to, '\n');
	}
}

void growth_write_text(const struct growth *g, size_t max_rows, struct buf *to)
{
	size_t columns[COLUMNS_MAX];
	char text[GROWTH_AMOUNT_TEXT];
	const size_t n = growth_choose_steps(g, COLUMNS_MAX, columns);
	const bool utf8 = spark_utf8();
	const size_t width = g->n_steps < SPARK_MAX ? g->n_steps : SPARK_MAX;
	head(g, to);
	buf_printf(to, "%10s  %-14s  %-*s", "change", "verdict", (int)width,
		   "");
	for (size_t i = 0; i < n; i++)
		buf_printf(to, " %9s", growth_when(g, columns[i], text));
	buf_append_str(to, "  function\n");
	put_row(g, &g->total, columns, n, utf8, to);
	size_t shown = 0;
	for (; shown < g->n_rows && (!max_rows || shown < max_rows); shown++)
		put_row(g, &g->rows[shown], columns, n, utf8, to);
	if (shown < g->n_rows)
		buf_printf(to, "(and %zu more: -n 0 shows all)\n",
			   g->n_rows - shown);
	put_worst_steps(g, to);
}

/* ---- JSON ---- */

static json_t *numbers(const struct growth *g, const double *v)
{
	json_t *array = json_array();
	for (size_t i = 0; i < g->n_steps; i++)
		json_array_append_new(array, json_real(v[i]));
	return array;
}

static json_t *row_json(const struct growth *g, const struct growth_row *r)
{
	return json_pack("{s:s%, s:s, s:f, s:o}", "function", r->name,
			 strlen(r->name), "verdict",
			 growth_verdict_name(r->verdict), "change", r->change,
			 "values", numbers(g, r->values));
}

static json_t *steps_json(const struct growth *g)
{
	json_t *array = json_array();
	for (size_t i = 0; i < g->n_steps; i++) {
		const struct growth_step *s = &g->steps[i];
		json_array_append_new(
			array,
			json_pack("{s:s, s:I, s:I, s:f, s:f, s:b}", "file",
				  s->path, "time_nanos", (json_int_t)s->time_ns,
				  "duration_nanos", (json_int_t)s->duration_ns,
				  "total", s->total, "added", s->added,
				  "restarted", s->restarted));
	}
	return array;
}

static json_t *worst_json(const struct growth *g)
{
	size_t steps[WORST_STEPS];
	json_t *array = json_array();
	const size_t n = growth_worst_steps(g, WORST_STEPS, steps);
	for (size_t i = 0; i < n; i++) {
		const struct growth_row *r = growth_cause(g, steps[i]);
		json_array_append_new(
			array, json_pack("{s:I, s:f, s:s?}", "step",
					 (json_int_t)steps[i], "added",
					 g->steps[steps[i]].added, "function",
					 r ? r->name : NULL));
	}
	return array;
}

void growth_write_json(const struct growth *g, size_t max_rows, struct buf *to)
{
	static const char *const modes[] = { "level", "rate", "counter" };
	json_t *rows = json_array(), *skips = json_array();
	for (size_t f = 0; f < g->n_rows && (!max_rows || f < max_rows); f++)
		json_array_append_new(rows, row_json(g, &g->rows[f]));
	for (size_t i = 0; i < g->n_skips; i++)
		json_array_append_new(skips, json_pack("{s:s, s:s}", "file",
						       g->skips[i].path, "why",
						       g->skips[i].why));
	json_t *root = json_pack(
		"{s:s, s:s, s:s, s:b, s:s, s:I, s:o, s:o, s:o, s:o, s:o}",
		"sample_type", g->type, "unit", g->unit, "mode", modes[g->mode],
		"per_second", g->per_second, "by",
		g->options.cum ? "cum" : "flat", "verdicts_from_step",
		(json_int_t)g->first, "steps", steps_json(g), "total",
		row_json(g, &g->total), "functions", rows, "worst_steps",
		worst_json(g), "skipped", skips);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (!text)
		die("JSON: out of memory, or a name that is not UTF-8");
	buf_printf(to, "%s\n", text);
	free(text);
	json_decref(root);
}
