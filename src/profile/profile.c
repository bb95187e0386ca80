/* profile.c - the model: its columns, how they grow, and how rows are added. */
#include "profile/profile.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "profile/block.h"
#include "profile/private.h"

#include <stdlib.h>
#include <string.h>

/* Where each column's pointer stands in struct profile, and its row's size. */
static const struct {
	size_t offset, size;
} columns[N_COLUMNS] = {
#define COLUMN(field)                                                          \
	{                                                                      \
		offsetof(struct profile, field),                               \
			sizeof(*((struct profile *)0)->field)                  \
	}
	[COLUMN_SAMPLE_TYPES] = COLUMN(sample_types),
	[COLUMN_MAPPINGS] = COLUMN(mappings),
	[COLUMN_FUNCTIONS] = COLUMN(functions),
	[COLUMN_LOCATIONS] = COLUMN(locations),
	[COLUMN_LINES] = COLUMN(lines),
	[COLUMN_SAMPLE_LOCS] = COLUMN(sample_locs),
	[COLUMN_SAMPLE_LABELS] = COLUMN(sample_labels),
	[COLUMN_VALUES] = COLUMN(values),
	[COLUMN_LOCS] = COLUMN(locs),
	[COLUMN_LABELS] = COLUMN(labels),
	[COLUMN_COMMENTS] = COLUMN(comments),
#undef COLUMN
};

static size_t rows(const struct profile *p, enum column c)
{
	switch (c) {
	case COLUMN_SAMPLE_TYPES:
		return p->n_sample_types;
	case COLUMN_MAPPINGS:
		return p->n_mappings;
	case COLUMN_FUNCTIONS:
		return p->n_functions;
	case COLUMN_LOCATIONS:
		return p->n_locations;
	case COLUMN_LINES:
		return p->n_lines;
	case COLUMN_SAMPLE_LOCS:
	case COLUMN_SAMPLE_LABELS:
		return p->n_samples;
	case COLUMN_VALUES:
		return p->n_samples * p->n_sample_types;
	case COLUMN_LOCS:
		return p->n_locs;
	case COLUMN_LABELS:
		return p->n_labels;
	case COLUMN_COMMENTS:
		return p->n_comments;
	case N_COLUMNS:
		break;
	}
	return 0;
}

/* The pointers have different types: their bytes are moved, not aliased. */
static void *column_get(const struct profile *p, enum column c)
{
	void *array;
	memcpy(&array, (const char *)p + columns[c].offset, sizeof(array));
	return array;
}

static void column_set(struct profile *p, enum column c, void *array)
{
	memcpy((char *)p + columns[c].offset, &array, sizeof(array));
}

int model_charge(struct profile *p, size_t bytes)
{
	struct profile_private *v = p->priv;
	if (v->max && (v->used > v->max || bytes > v->max - v->used))
		return ERR_LIMIT;
	v->used += bytes;
	return 0;
}

void model_discharge(struct profile *p, size_t bytes)
{
	p->priv->used -= bytes;
}

int model_reserve(struct profile *p, enum column c, size_t need)
{
	size_t *cap = &p->priv->capacity[c];
	if (LIKELY(need <= *cap))
		return 0;
	/* Rows are referred to by 32 bits, values by 64. */
	const size_t most = c == COLUMN_VALUES ? SIZE_MAX / 16 : PROFILE_NONE;
	if (need >= most)
		return ERR_LIMIT;
	size_t next = *cap < 8 ? 8 : *cap * 2;
	if (next < need)
		next = need;
	size_t more = (next - *cap) * columns[c].size;
	if (model_charge(p, more)) {
		/* Doubling passes the budget; the need alone may not. */
		next = need;
		more = (next - *cap) * columns[c].size;
		const int rc = model_charge(p, more);
		if (rc)
			return rc;
	}
	void *grown = block_resize(column_get(p, c), next * columns[c].size);
	if (!grown) {
		model_discharge(p, more);
		return ERR_NOMEM;
	}
	column_set(p, c, grown);
	*cap = next;
	return 0;
}

void model_trim(struct profile *p)
{
	for (enum column c = 0; c < N_COLUMNS; c++) {
		const size_t n = rows(p, c), cap = p->priv->capacity[c];
		if (!n || n == cap)
			continue;
		void *cut = block_resize(column_get(p, c), n * columns[c].size);
		if (!cut)
			continue; /* as it was, and whole */
		column_set(p, c, cut);
		model_discharge(p, (cap - n) * columns[c].size);
		p->priv->capacity[c] = n;
	}
}

int model_scratch(struct profile *p, size_t n, size_t size, void **ret_array)
{
	if (n > SIZE_MAX / size)
		return ERR_LIMIT;
	const int rc = model_charge(p, n * size);
	if (rc)
		return rc;
	/* One row at least: NULL is what was never made. */
	void *array = calloc(n ? n : 1, size);
	if (!array) {
		model_discharge(p, n * size);
		return ERR_NOMEM;
	}
	*ret_array = array;
	return 0;
}

void model_release(struct profile *p, void *array, size_t n, size_t size)
{
	if (!array)
		return;
	free(array);
	model_discharge(p, n * size);
}

struct profile *profile_new(void)
{
	struct profile *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->priv = calloc(1, sizeof(*p->priv));
	int rc = p->priv ? profile_strings_init(p) : ERR_NOMEM;
	/* No column is NULL: readers may add offsets to it, of 0 at least. */
	for (enum column c = 0; !rc && c < N_COLUMNS; c++)
		rc = model_reserve(p, c, 1);
	if (rc) {
		profile_free(p);
		return NULL;
	}
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (enum column c = 0; c < N_COLUMNS; c++)
		free(column_get(p, c));
	if (p->priv) {
		profile_strings_free(p);
		free(p->priv->function_slots);
		free(p->priv);
	}
	free(p);
}

struct profile *profile_copy(const struct profile *p)
{
	struct profile *copy = profile_new();
	if (!copy)
		return NULL;
	int rc = profile_strings_copy(copy, p);
	for (enum column c = 0; !rc && c < N_COLUMNS; c++) {
		const size_t n = rows(p, c);
		rc = n ? model_reserve(copy, c, n) : 0;
		if (!rc && n)
			memcpy(column_get(copy, c), column_get(p, c),
			       n * columns[c].size);
	}
	if (rc) {
		profile_free(copy);
		return NULL;
	}
	/* The header and the counts, but the copy's own columns. */
	struct profile all = *p;
	for (enum column c = 0; c < N_COLUMNS; c++)
		column_set(&all, c, column_get(copy, c));
	all.priv = copy->priv;
	*copy = all;
	return copy;
}

/* ---- building ------------------------------------------------------------ */

static uint32_t refuse(struct profile *p, int why)
{
	p->priv->failed = why;
	return PROFILE_NONE;
}

static bool is_string(const struct profile *p, uint32_t string)
{
	return string < p->priv->n_strings;
}

uint32_t profile_add_sample_type(struct profile *p, const char *type,
				 const char *unit)
{
	/* The values' column is laid out by the number of types. */
	if (p->n_samples)
		return refuse(p, ERR_INVALID);
	const uint32_t t = profile_intern(p, type);
	const uint32_t u = profile_intern(p, unit);
	if (t == PROFILE_NONE || u == PROFILE_NONE)
		return PROFILE_NONE;
	const int rc =
		model_reserve(p, COLUMN_SAMPLE_TYPES, p->n_sample_types + 1);
	if (rc)
		return refuse(p, rc);
	p->sample_types[p->n_sample_types] =
		(struct profile_value_type){ .type = t, .unit = u };
	return (uint32_t)p->n_sample_types++;
}

uint32_t profile_add_mapping(struct profile *p, const struct profile_mapping *m)
{
	if (!is_string(p, m->filename) || !is_string(p, m->build_id))
		return refuse(p, ERR_INVALID);
	const int rc = model_reserve(p, COLUMN_MAPPINGS, p->n_mappings + 1);
	if (rc)
		return refuse(p, rc);
	p->mappings[p->n_mappings] = *m;
	return (uint32_t)p->n_mappings++;
}

static uint64_t function_hash(const struct profile *p,
			      const struct profile_function *f)
{
	uint64_t h = map_mix(p->priv->seed ^ f->name);
	h = map_mix(h ^ ((uint64_t)f->system_name << 32 | f->filename));
	return map_mix(h ^ (uint64_t)f->start_line);
}

static bool same_function(const struct profile_function *a,
			  const struct profile_function *b)
{
	return a->name == b->name && a->system_name == b->system_name &&
	       a->filename == b->filename && a->start_line == b->start_line;
}

static size_t function_slot(const struct profile *p,
			    const struct profile_function *f)
{
	const struct profile_private *v = p->priv;
	size_t i = function_hash(p, f) & v->function_mask;
	while (v->function_slots[i] &&
	       !same_function(&p->functions[v->function_slots[i] - 1], f))
		i = (i + 1) & v->function_mask;
	return i;
}

/*
 * The index is made when it is first asked for: most profiles are only read.
 * Of equal functions (a file may have them) it keeps the first.
 */
static int index_functions(struct profile *p)
{
	struct profile_private *v = p->priv;
	const size_t old = v->function_slots ? v->function_mask + 1 : 0;
	if (p->n_functions + 1 >= old / 4 * 3) {
		size_t size = old ? old : 64;
		while (p->n_functions + 1 >= size / 4 * 3)
			size *= 2;
		void *slots;
		const int rc = model_scratch(p, size, sizeof(uint32_t), &slots);
		if (rc)
			return rc;
		model_release(p, v->function_slots, old, sizeof(uint32_t));
		v->function_slots = slots;
		v->function_mask = size - 1;
		v->n_indexed_functions = 0;
	}
	for (size_t *n = &v->n_indexed_functions; *n < p->n_functions; ++*n) {
		const size_t i = function_slot(p, &p->functions[*n]);
		if (!v->function_slots[i])
			v->function_slots[i] = (uint32_t)*n + 1;
	}
	return 0;
}

uint32_t model_append_function(struct profile *p,
			       const struct profile_function *f)
{
	const int rc = model_reserve(p, COLUMN_FUNCTIONS, p->n_functions + 1);
	if (rc)
		return refuse(p, rc);
	p->functions[p->n_functions] = *f;
	return (uint32_t)p->n_functions++;
}

uint32_t profile_add_function(struct profile *p,
			      const struct profile_function *f)
{
	if (!is_string(p, f->name) || !is_string(p, f->system_name) ||
	    !is_string(p, f->filename))
		return refuse(p, ERR_INVALID);
	const int rc = index_functions(p);
	if (rc)
		return refuse(p, rc);
	const size_t i = function_slot(p, f);
	if (p->priv->function_slots[i])
		return p->priv->function_slots[i] - 1;
	return model_append_function(p, f);
}

uint32_t profile_add_location(struct profile *p, uint32_t mapping,
			      uint64_t address,
			      const struct profile_line *lines, size_t n_lines)
{
	if (mapping != PROFILE_NONE && mapping >= p->n_mappings)
		return refuse(p, ERR_INVALID);
	for (size_t i = 0; i < n_lines; i++)
		if (lines[i].function >= p->n_functions)
			return refuse(p, ERR_INVALID);
	int rc = n_lines < PROFILE_NONE ? 0 : ERR_LIMIT;
	if (!rc)
		rc = model_reserve(p, COLUMN_LINES, p->n_lines + n_lines);
	if (!rc)
		rc = model_reserve(p, COLUMN_LOCATIONS, p->n_locations + 1);
	if (rc)
		return refuse(p, rc);
	if (n_lines)
		memcpy(p->lines + p->n_lines, lines, n_lines * sizeof(*lines));
	p->locations[p->n_locations] = (struct profile_location){
		.address = address,
		.mapping = mapping,
		.line_first = (uint32_t)p->n_lines,
		.line_count = (uint32_t)n_lines,
	};
	p->n_lines += n_lines;
	return (uint32_t)p->n_locations++;
}

static int check_sample(const struct profile *p, const uint32_t *locs,
			size_t n_locs, const struct profile_label *labels,
			size_t n_labels)
{
	if (!p->n_sample_types)
		return ERR_INVALID;
	for (size_t i = 0; i < n_locs; i++)
		if (locs[i] >= p->n_locations)
			return ERR_INVALID;
	for (size_t i = 0; i < n_labels; i++)
		if (!is_string(p, labels[i].key) ||
		    !is_string(p, labels[i].str) ||
		    !is_string(p, labels[i].num_unit) ||
		    (labels[i].str && (labels[i].num || labels[i].num_unit)))
			return ERR_INVALID;
	return n_locs < PROFILE_NONE && n_labels < PROFILE_NONE ? 0 : ERR_LIMIT;
}

uint32_t profile_add_sample(struct profile *p, const uint32_t *locs,
			    size_t n_locs, const int64_t *values,
			    const struct profile_label *labels, size_t n_labels)
{
	const size_t n = p->n_samples;
	int rc = check_sample(p, locs, n_locs, labels, n_labels);
	if (!rc)
		rc = model_reserve(p, COLUMN_SAMPLE_LOCS, n + 1);
	if (!rc)
		rc = model_reserve(p, COLUMN_SAMPLE_LABELS, n + 1);
	if (!rc)
		rc = model_reserve(p, COLUMN_VALUES,
				   (n + 1) * p->n_sample_types);
	if (!rc)
		rc = model_reserve(p, COLUMN_LOCS, p->n_locs + n_locs);
	if (!rc)
		rc = model_reserve(p, COLUMN_LABELS, p->n_labels + n_labels);
	if (rc)
		return refuse(p, rc);
	p->sample_locs[n] =
		(struct profile_span){ (uint32_t)p->n_locs, (uint32_t)n_locs };
	p->sample_labels[n] = (struct profile_span){ (uint32_t)p->n_labels,
						     (uint32_t)n_labels };
	memcpy(p->values + n * p->n_sample_types, values,
	       p->n_sample_types * sizeof(*values));
	if (n_locs)
		memcpy(p->locs + p->n_locs, locs, n_locs * sizeof(*locs));
	if (n_labels)
		memcpy(p->labels + p->n_labels, labels,
		       n_labels * sizeof(*labels));
	p->n_locs += n_locs;
	p->n_labels += n_labels;
	p->n_samples++;
	return (uint32_t)n;
}

uint32_t profile_add_comment(struct profile *p, const char *text)
{
	const uint32_t s = profile_intern(p, text);
	if (s == PROFILE_NONE)
		return PROFILE_NONE;
	const int rc = model_reserve(p, COLUMN_COMMENTS, p->n_comments + 1);
	if (rc)
		return refuse(p, rc);
	p->comments[p->n_comments] = s;
	return (uint32_t)p->n_comments++;
}

uint32_t profile_sample_type(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->n_sample_types; i++)
		if (!strcmp(profile_str(p, p->sample_types[i].type), name))
			return (uint32_t)i;
	return PROFILE_NONE;
}
