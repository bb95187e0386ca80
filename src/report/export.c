/* export.c - see export.h. */
#include "report/export.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"

#include <stdlib.h>
#include <string.h>

struct copier {
	const struct view *v;
	const struct export_options *o;
	struct profile *to;
	uint32_t *functions; /* by function of the view */
	struct view_labels labels;
	int64_t *values;
};

/* A string of the view in the new profile; UINT32_MAX passes on. */
static uint32_t copy_str(const struct copier *c, uint32_t string)
{
	return profile_intern_len(c->to, view_str(c->v, string),
				  view_str_len(c->v, string));
}

static int copy_head(const struct copier *c)
{
	const struct profile *p = c->v->p;
	struct profile *to = c->to;
	for (size_t i = 0; i < p->n_sample_types; i++)
		if (profile_add_sample_type(
			    to, profile_str(p, p->sample_types[i].type),
			    profile_str(p, p->sample_types[i].unit)) ==
		    PROFILE_NONE)
			return ERR_NOMEM;
	for (size_t i = 0; i < p->n_comments; i++)
		if (profile_add_comment(to, profile_str(p, p->comments[i])) ==
		    PROFILE_NONE)
			return ERR_NOMEM;
	profile_set_nul_byte(to, profile_nul_byte(p));
	to->time_nanos = p->time_nanos;
	to->duration_nanos = p->duration_nanos;
	to->period = p->period;
	to->period_type.type = copy_str(c, p->period_type.type);
	to->period_type.unit = copy_str(c, p->period_type.unit);
	to->default_sample_type = copy_str(c, p->default_sample_type);
	to->drop_frames = copy_str(c, p->drop_frames);
	to->keep_frames = copy_str(c, p->keep_frames);
	return 0;
}

static int copy_tables(struct copier *c)
{
	const struct view *v = c->v;
	for (size_t i = 0; i < v->p->n_mappings; i++) {
		struct profile_mapping m = v->mappings[i];
		m.filename = copy_str(c, m.filename);
		m.build_id = copy_str(c, m.build_id);
		if (profile_add_mapping(c->to, &m) == PROFILE_NONE)
			return ERR_NOMEM;
	}
	c->functions = calloc(v->n_functions + 1, sizeof(*c->functions));
	if (!c->functions)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n_functions; i++) {
		struct profile_function f = v->functions[i];
		f.name = copy_str(c, f.name);
		f.system_name = copy_str(c, f.system_name);
		f.filename = copy_str(c, f.filename);
		c->functions[i] = profile_add_function(c->to, &f);
		if (c->functions[i] == PROFILE_NONE)
			return ERR_NOMEM;
	}
	return 0;
}

static int copy_locations(struct copier *c)
{
	const struct view *v = c->v;
	for (size_t i = 0; i < v->n_locations; i++) {
		const struct profile_location *l = &v->locations[i];
		struct profile_line *lines =
			calloc(l->line_count + 1, sizeof(*lines));
		if (!lines)
			return ERR_NOMEM;
		for (uint32_t k = 0; k < l->line_count; k++) {
			lines[k] = v->lines[l->line_first + k];
			if (lines[k].function != PROFILE_NONE)
				lines[k].function =
					c->functions[lines[k].function];
		}
		const uint32_t id = profile_add_location(
			c->to, l->mapping, l->address, lines, l->line_count);
		free(lines);
		if (id == PROFILE_NONE)
			return ERR_NOMEM;
		c->to->locations[id].is_folded = l->is_folded;
	}
	return 0;
}

/* The labels of one sample, in the new profile's strings. */
static int copy_labels(struct copier *c, const struct view_sample *s,
		       size_t *ret_n)
{
	const struct view *v = c->v;
	struct view_labels *l = &c->labels;
	if (view_get_labels(v, s, l) ||
	    grow_rows(&l->rows, &l->cap, l->n + 1, sizeof(*l->rows)))
		return ERR_NOMEM;
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct profile_label row = l->rows[i];
		if (c->o->key && row.str &&
		    strcmp(view_str(v, row.key), c->o->key) == 0)
			continue;
		row.key = copy_str(c, row.key);
		row.str = copy_str(c, row.str);
		row.num_unit = copy_str(c, row.num_unit);
		l->rows[n++] = row;
	}
	if (c->o->key)
		l->rows[n++] = (struct profile_label){
			.key = profile_intern(c->to, c->o->key),
			.str = profile_intern(c->to, c->o->value),
		};
	*ret_n = n;
	return 0;
}

static int copy_sample(struct copier *c, const struct view_sample *s)
{
	const struct view *v = c->v;
	size_t n;
	if (copy_labels(c, s, &n))
		return ERR_NOMEM;
	for (size_t t = 0; t < v->p->n_sample_types; t++) {
		c->values[t] = view_value(v, s, t);
		if (c->o->ratio > 0 && c->o->ratio != 1)
			c->values[t] = i64_from_double((double)c->values[t] *
						       c->o->ratio);
	}
	return profile_add_sample(c->to, v->locs + s->first, s->count,
				  c->values, c->labels.rows, n) == PROFILE_NONE
		       ? ERR_NOMEM
		       : 0;
}

int export_view(const struct view *v, const struct export_options *o,
		struct profile **ret_profile)
{
	struct copier c = { .v = v, .o = o, .to = profile_new() };
	c.values = calloc(v->p->n_sample_types + 1, sizeof(*c.values));
	int rc = c.values && c.to ? copy_head(&c) : ERR_NOMEM;
	if (!rc)
		rc = copy_tables(&c);
	if (!rc)
		rc = copy_locations(&c);
	for (size_t i = 0; i < v->n_samples && !rc; i++)
		rc = copy_sample(&c, &v->samples[i]);
	free(c.values);
	free(c.functions);
	view_labels_free(&c.labels);
	if (rc)
		profile_free(c.to);
	else
		*ret_profile = c.to;
	return rc;
}
