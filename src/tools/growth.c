/* growth.c - see growth.h. */
#include "tools/growth.h"

#include "base/attr.h"
#include "base/map.h"
#include "base/parse.h"
#include "profile/decode.h"
#include "report/measure.h"
#include "tools/die.h"
#include "tools/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One function's figure in one profile. */
struct cell {
	uint32_t name;
	double value, events;
};

struct raw_step {
	struct growth_step step;
	struct cell *cells;
	size_t n_cells;
	double counter; /* a total that never falls while the process lives */
	double events;
	size_t given; /* place on the command line */
};

struct growth_raw {
	struct raw_step *steps;
	size_t n_steps;
	char **names;
	size_t n_names;
	struct map by_hash;
	char *types; /* of the first profile: "a/b c/d" */
	char *first_path;
};

/* Sample types that count from the start of the process. */
static const char *const counters[] = { "alloc_space", "alloc_objects",
					"contentions", "delay",
					"threadcreate" };

static bool is_counter(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		if (!strcmp(type, counters[i]))
			return true;
	return false;
}

static bool is_rate(const char *type)
{
	return !strcmp(type, "cpu") || !strcmp(type, "wall") ||
	       !strcmp(type, "samples");
}

/* Counted whole, not sampled: chance plays no part. */
static bool is_exact(const char *type)
{
	return !strcmp(type, "threads") || !strcmp(type, "goroutine");
}

void growth_init(struct growth *g, const struct growth_options *options)
{
	*g = (struct growth){ .options = *options };
	g->raw = xcalloc(1, sizeof(*g->raw));
}

static void free_row(struct growth_row *r)
{
	free(r->values);
	free(r->errors);
}

void growth_free(struct growth *g)
{
	for (size_t i = 0; i < g->n_rows; i++)
		free_row(&g->rows[i]);
	free_row(&g->total);
	for (size_t i = 0; i < g->n_skips; i++) {
		free(g->skips[i].path);
		free(g->skips[i].why);
	}
	for (size_t i = 0; i < g->raw->n_steps; i++) {
		free(g->raw->steps[i].step.path);
		free(g->raw->steps[i].cells);
	}
	for (size_t i = 0; i < g->raw->n_names; i++)
		free(g->raw->names[i]);
	map_free(&g->raw->by_hash);
	free(g->raw->names);
	free(g->raw->steps);
	free(g->raw->types);
	free(g->raw->first_path);
	free(g->raw);
	free(g->rows);
	free(g->steps);
	free(g->skips);
	free(g->type);
	free(g->unit);
}

void growth_add_skip(struct growth *g, const char *path, const char *why)
{
	g->skips = xrealloc(g->skips, (g->n_skips + 1) * sizeof(*g->skips));
	g->skips[g->n_skips++] = (struct growth_skip){ .path = xstrdup(path),
						       .why = xstrdup(why) };
}

/* The index of a name; equal hashes of different names move on. */
static uint32_t intern(struct growth_raw *raw, const char *name)
{
	const size_t len = strlen(name);
	for (uint64_t seed = 0;; seed++) {
		const uint64_t key = map_hash(name, len, seed);
		const uint32_t at = map_get(&raw->by_hash, key);
		if (at != MAP_NONE && !strcmp(raw->names[at], name))
			return at;
		if (at != MAP_NONE)
			continue;
		raw->names = xrealloc(raw->names,
				      (raw->n_names + 1) * sizeof(*raw->names));
		raw->names[raw->n_names] = xstrdup(name);
		if (map_put(&raw->by_hash, key, (uint32_t)raw->n_names))
			die("out of memory");
		return (uint32_t)raw->n_names++;
	}
}

/* ---- which figure ---- */

static char *types_text(const struct profile *p)
{
	struct buf b = { 0 };
	for (size_t i = 0; i < p->n_sample_types; i++)
		buf_printf(&b, "%s%s/%s", i ? " " : "",
			   profile_str(p, p->sample_types[i].type),
			   profile_str(p, p->sample_types[i].unit));
	char *text = xstrdup(buf_str(&b));
	buf_free(&b);
	return text;
}

static int choose_type(struct growth *g, const struct profile *p,
		       const char *path, struct err *e)
{
	const char *wanted = g->options.sample_index;
	uint32_t at = p->n_sample_types ? (uint32_t)p->n_sample_types - 1
					: PROFILE_NONE;
	int64_t number;
	if (!wanted && p->default_sample_type)
		wanted = profile_str(p, p->default_sample_type);
	if (wanted) {
		at = profile_sample_type(p, wanted);
		if (at == PROFILE_NONE &&
		    !parse_int(wanted, "", 0, (int64_t)p->n_sample_types - 1,
			       &number, NULL))
			at = (uint32_t)number;
	}
	if (at == PROFILE_NONE) {
		char *types = types_text(p);
		const int rc = err_set(e, ERR_INVALID,
				       "%s has no sample type \"%s\"; it has "
				       "%s",
				       path, wanted ? wanted : "",
				       *types ? types : "none at all");
		free(types);
		return rc;
	}
	g->type = xstrdup(profile_str(p, p->sample_types[at].type));
	g->unit = xstrdup(profile_str(p, p->sample_types[at].unit));
	g->mode = is_rate(g->type) || p->duration_nanos > 0 ? GROWTH_RATE
		  : is_counter(g->type)			    ? GROWTH_COUNTER
							    : GROWTH_LEVEL;
	g->raw->types = types_text(p);
	g->raw->first_path = xstrdup(path);
	return 0;
}

/* Why this profile cannot stand beside the first; NULL when it can. */
static char *why_not(const struct growth *g, const struct profile *p)
{
	char *types = types_text(p);
	char *why = NULL;
	if (strcmp(types, g->raw->types))
		why = xasprintf("it holds %s, and the first one, %s, holds %s",
				*types ? types : "nothing", g->raw->first_path,
				g->raw->types);
	else if (g->mode == GROWTH_RATE && p->duration_nanos <= 0)
		why = xstrdup("it does not say how long it lasted, so that "
			      "there is no figure a second");
	else if (g->mode != GROWTH_RATE && p->duration_nanos > 0)
		why = xstrdup("it is of a time (?seconds=), and the first one "
			      "was of a moment");
	else if (!strncmp(g->type, "inuse_", 6) && p->duration_nanos > 0)
		why = xstrdup("it is a difference (?seconds=): collect what "
			      "is in use without seconds");
	free(types);
	return why;
}

/* ---- reading ---- */

static double sum_of(const struct profile *p, const char *type)
{
	const uint32_t t = profile_sample_type(p, type);
	double sum = 0;
	for (size_t i = 0; t != PROFILE_NONE && i < p->n_samples; i++)
		sum += (double)p->values[i * p->n_sample_types + t];
	return sum;
}

static double life_counter(const struct profile *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		if (profile_sample_type(p, counters[i]) != PROFILE_NONE)
			return sum_of(p, counters[i]);
	return 0;
}

static int read_step(struct growth *g, const struct exhibit *x,
		     struct raw_step *s, struct err *e)
{
	struct selection sel = g->options.labels;
	struct ranked *rows;
	struct tally t;
	size_t n;
	sel.value = g->type;
	const struct subject all = { .kind = SUBJECT_ALL };
	int rc = evidence_tally(x, &sel, &all, &t, e);
	if (!rc)
		rc = evidence_rank(x, &sel, g->options.cum, &rows, &n, e);
	if (rc)
		return rc;
	s->step.total = t.total;
	s->events = t.n_total;
	s->cells = xcalloc(n, sizeof(*s->cells));
	for (size_t i = 0; i < n; i++) {
		const double v = g->options.cum ? rows[i].cum : rows[i].flat;
		const double k =
			g->options.cum ? rows[i].n_cum : rows[i].n_flat;
		if (v != 0)
			s->cells[s->n_cells++] =
				(struct cell){ .name = intern(g->raw,
							      rows[i].name),
					       .value = v,
					       .events = k };
	}
	free(rows);
	return 0;
}

int growth_add(struct growth *g, const char *path, struct err *e)
{
	struct exhibit x = { .path = (char *)path };
	struct err local = { "" };
	int rc = profile_decode_file(path, NULL, &x.profile, &local);
	if (rc == ERR_NOMEM)
		die("out of memory");
	if (rc) {
		/* The text may begin with the path, which stands before it. */
		const size_t n = strlen(path);
		const bool named = !strncmp(local.text, path, n) &&
				   !strncmp(local.text + n, ": ", 2);
		growth_add_skip(g, path,
				named ? local.text + n + 2 : local.text);
		return 0;
	}
	struct growth_raw *raw = g->raw;
	if (!raw->types)
		rc = choose_type(g, x.profile, path, e);
	char *why = rc ? NULL : why_not(g, x.profile);
	if (why)
		growth_add_skip(g, path, why);
	if (!rc && !why) {
		raw->steps = xrealloc(raw->steps,
				      (raw->n_steps + 1) * sizeof(*raw->steps));
		struct raw_step *s = &raw->steps[raw->n_steps];
		*s = (struct raw_step){
			.step = { .time_ns = x.profile->time_nanos,
				  .duration_ns = x.profile->duration_nanos },
			.counter = x.profile->duration_nanos > 0
					   ? 0
					   : life_counter(x.profile),
			.given = raw->n_steps,
		};
		rc = read_step(g, &x, s, e);
		if (!rc) {
			s->step.path = xstrdup(path);
			raw->n_steps++;
		}
	}
	free(why);
	profile_free(x.profile);
	return rc;
}

/* ---- figures ---- */

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

/* ---- for those who write it out ---- */

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
