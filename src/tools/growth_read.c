/* growth_read.c - profiles taken in, one by one (growth.h). */
#include "tools/growth_private.h"

#include "base/attr.h"
#include "base/parse.h"
#include "profile/decode.h"
#include "tools/die.h"

#include <stdlib.h>
#include <string.h>

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
