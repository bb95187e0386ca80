/* validate.c - profile_validate: is every row of the model in order? */
#include "profile/profile.h"

#include "base/err.h"
#include "profile/private.h"

#include <inttypes.h>

/* A string index in a row: of `kind` number `row`. */
static int check_string(const struct profile *p, uint32_t string,
			const char *kind, size_t row, struct err *e)
{
	if (string < p->priv->n_strings)
		return 0;
	return err_set(e, ERR_FORMAT, "%s %zu: string %" PRIu32 " of %zu", kind,
		       row, string, p->priv->n_strings);
}

static int check_span(struct profile_span s, size_t n, const char *kind,
		      size_t row, struct err *e)
{
	if (s.first <= n && s.count <= n - s.first)
		return 0;
	return err_set(e, ERR_FORMAT,
		       "%s %zu: rows %" PRIu32 " and %" PRIu32 " more of %zu",
		       kind, row, s.first, s.count, n);
}

static int check_header(const struct profile *p, struct err *e)
{
	const struct {
		uint32_t string;
		const char *name;
	} strings[] = {
		{ p->period_type.type, "period type" },
		{ p->period_type.unit, "period unit" },
		{ p->default_sample_type, "default sample type" },
		{ p->drop_frames, "drop_frames" },
		{ p->keep_frames, "keep_frames" },
		{ p->doc_url, "doc_url" },
	};
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof(strings) / sizeof(*strings); i++)
		rc = check_string(p, strings[i].string, strings[i].name, 0, e);
	for (size_t i = 0; !rc && i < p->n_sample_types; i++) {
		rc = check_string(p, p->sample_types[i].type, "sample type", i,
				  e);
		if (!rc)
			rc = check_string(p, p->sample_types[i].unit,
					  "sample type", i, e);
	}
	for (size_t i = 0; !rc && i < p->n_comments; i++)
		rc = check_string(p, p->comments[i], "comment", i, e);
	return rc;
}

static int check_mappings(const struct profile *p, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < p->n_mappings; i++) {
		const struct profile_mapping *m = &p->mappings[i];
		rc = check_string(p, m->filename, "mapping", i, e);
		if (!rc)
			rc = check_string(p, m->build_id, "mapping", i, e);
		if (!rc && m->limit && m->start > m->limit)
			rc = err_set(e, ERR_FORMAT,
				     "mapping %zu starts at %#" PRIx64
				     ", after its limit %#" PRIx64,
				     i, m->start, m->limit);
	}
	return rc;
}

static int check_functions(const struct profile *p, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < p->n_functions; i++) {
		const struct profile_function *f = &p->functions[i];
		rc = check_string(p, f->name, "function", i, e);
		if (!rc)
			rc = check_string(p, f->system_name, "function", i, e);
		if (!rc)
			rc = check_string(p, f->filename, "function", i, e);
	}
	return rc;
}

static int check_locations(const struct profile *p, struct err *e)
{
	for (size_t i = 0; i < p->n_locations; i++) {
		const struct profile_location *l = &p->locations[i];
		const struct profile_span lines = { l->line_first,
						    l->line_count };
		if (l->mapping != PROFILE_NONE && l->mapping >= p->n_mappings)
			return err_set(e, ERR_FORMAT,
				       "location %zu: mapping %" PRIu32
				       " of %zu",
				       i, l->mapping, p->n_mappings);
		const int rc = check_span(lines, p->n_lines, "location", i, e);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].function >= p->n_functions)
			return err_set(e, ERR_FORMAT,
				       "line %zu has nil function: %" PRIu32
				       " of %zu",
				       i, p->lines[i].function, p->n_functions);
	return 0;
}

static int check_label(const struct profile *p, size_t i, struct err *e)
{
	const struct profile_label *l = &p->labels[i];
	int rc = check_string(p, l->key, "label", i, e);
	if (!rc)
		rc = check_string(p, l->str, "label", i, e);
	if (!rc)
		rc = check_string(p, l->num_unit, "label", i, e);
	if (!rc && l->str && (l->num || l->num_unit))
		rc = err_set(e, ERR_FORMAT,
			     "label %zu (%.80s) is both a string and a number",
			     i, profile_str(p, l->key));
	return rc;
}

static int check_samples(const struct profile *p, struct err *e)
{
	if (p->n_samples && !p->n_sample_types)
		return err_set(e, ERR_FORMAT,
			       "missing sample type information");
	if (p->n_samples && !p->values)
		return err_set(e, ERR_FORMAT, "samples without values");
	int rc = 0;
	for (size_t i = 0; !rc && i < p->n_samples; i++) {
		rc = check_span(p->sample_locs[i], p->n_locs, "sample", i, e);
		if (!rc)
			rc = check_span(p->sample_labels[i], p->n_labels,
					"sample labels", i, e);
	}
	for (size_t i = 0; !rc && i < p->n_locs; i++)
		if (p->locs[i] >= p->n_locations)
			rc = err_set(e, ERR_FORMAT,
				     "sample has nil location: %" PRIu32
				     " of %zu",
				     p->locs[i], p->n_locations);
	for (size_t i = 0; !rc && i < p->n_labels; i++)
		rc = check_label(p, i, e);
	return rc;
}

int profile_validate(const struct profile *p, struct err *e)
{
	int rc = check_samples(p, e);
	if (!rc)
		rc = check_header(p, e);
	if (!rc)
		rc = check_mappings(p, e);
	if (!rc)
		rc = check_functions(p, e);
	if (!rc)
		rc = check_locations(p, e);
	return rc ? err_prefix(e, rc, "malformed profile") : 0;
}
