/*
 * merge_tables.c - strings, mappings, functions and locations of merged
 * profiles; what makes two of them one is said at the head of merge.c.
 */
#include "base/err.h"
#include "base/map.h"
#include "profile/merger.h"
#include "profile/private.h"

static uint64_t seed_of(const struct merger *m)
{
	return m->out->priv->seed;
}

/* ---- strings, mappings --------------------------------------------------- */

int merge_string(struct merger *m, uint32_t string, uint32_t *ret_ours)
{
	uint32_t *ours = &m->strings_of[string];
	if (*ours == PROFILE_NONE) {
		const struct string_entry *s = &m->src->priv->strings[string];
		const int rc =
			profile_strings_intern(m->out, s->text, s->len, ours);
		if (rc) {
			*ours = PROFILE_NONE;
			return rc;
		}
	}
	*ret_ours = *ours;
	return 0;
}

struct mapping_key {
	uint64_t size, offset;
	uint32_t name;
};

static struct mapping_key mapping_key(const struct profile_mapping *m)
{
	const uint64_t page = 0x1000;
	uint64_t size = m->limit - m->start + page - 1;
	size -= size % page;
	return (struct mapping_key){
		.size = size,
		.offset = m->offset,
		.name = m->build_id ? m->build_id : m->filename,
	};
}

static int find_mapping(struct merger *m, const struct profile_mapping *mine,
			uint32_t *ret_ours)
{
	const struct mapping_key key = mapping_key(mine);
	uint64_t hash = map_mix(seed_of(m) ^ key.size);
	hash = map_mix(map_mix(hash ^ key.offset) ^ key.name);
	struct index_probe probe = index_start(&m->mappings, hash);
	uint32_t row;
	while ((row = index_next(&m->mappings, &probe)) != PROFILE_NONE) {
		const struct mapping_key k =
			mapping_key(&m->out->mappings[row]);
		if (k.size == key.size && k.offset == key.offset &&
		    k.name == key.name) {
			*ret_ours = row;
			return 0;
		}
	}
	row = profile_add_mapping(m->out, mine);
	if (row == PROFILE_NONE)
		return m->out->priv->failed;
	*ret_ours = row;
	return index_add(&m->mappings, hash);
}

int merge_mapping(struct merger *m, uint32_t mapping, uint32_t *ret_ours)
{
	uint32_t *ours = &m->mappings_of[mapping];
	int rc = 0;
	if (*ours == PROFILE_NONE) {
		struct profile_mapping copy = m->src->mappings[mapping];
		rc = merge_string(m, copy.filename, &copy.filename);
		if (!rc)
			rc = merge_string(m, copy.build_id, &copy.build_id);
		if (!rc)
			rc = find_mapping(m, &copy, ours);
	}
	*ret_ours = *ours;
	return rc;
}

/* ---- functions, locations ------------------------------------------------ */

static int merge_function(struct merger *m, uint32_t function,
			  uint32_t *ret_ours)
{
	uint32_t *ours = &m->functions_of[function];
	int rc = 0;
	if (*ours == PROFILE_NONE) {
		struct profile_function copy = m->src->functions[function];
		rc = merge_string(m, copy.name, &copy.name);
		if (!rc)
			rc = merge_string(m, copy.system_name,
					  &copy.system_name);
		if (!rc)
			rc = merge_string(m, copy.filename, &copy.filename);
		if (rc)
			return rc;
		*ours = profile_add_function(m->out, &copy);
		if (*ours == PROFILE_NONE)
			return m->out->priv->failed;
	}
	*ret_ours = *ours;
	return rc;
}

/* The lines, as ours, behind the last of out's lines: not yet counted. */
static int merge_lines(struct merger *m, const struct profile_location *l)
{
	struct profile *out = m->out;
	int rc = model_reserve(out, COLUMN_LINES, out->n_lines + l->line_count);
	for (uint32_t i = 0; !rc && i < l->line_count; i++) {
		const struct profile_line *from =
			&m->src->lines[l->line_first + i];
		struct profile_line *to = &out->lines[out->n_lines + i];
		to->line = from->line;
		rc = merge_function(m, from->function, &to->function);
	}
	return rc;
}

/* From the mapping's start, so that it does not matter where that is. */
static uint64_t relative(const struct merger *m,
			 const struct profile_location *l)
{
	return l->mapping == PROFILE_NONE
		       ? l->address
		       : l->address - m->out->mappings[l->mapping].start;
}

static uint64_t location_hash(const struct merger *m,
			      const struct profile_location *l)
{
	const struct profile_line *lines = m->out->lines + l->line_first;
	uint64_t h = map_mix(seed_of(m) ^ relative(m, l));
	h = map_mix(h ^ ((uint64_t)l->mapping << 1 | l->is_folded));
	for (uint32_t i = 0; i < l->line_count; i++)
		h = map_mix(map_mix(h ^ lines[i].function) ^
			    (uint64_t)lines[i].line);
	return h;
}

static bool same_location(const struct merger *m,
			  const struct profile_location *a,
			  const struct profile_location *b)
{
	if (a->mapping != b->mapping || relative(m, a) != relative(m, b) ||
	    a->is_folded != b->is_folded || a->line_count != b->line_count)
		return false;
	const struct profile_line *s = m->out->lines + a->line_first;
	const struct profile_line *t = m->out->lines + b->line_first;
	for (uint32_t i = 0; i < a->line_count; i++)
		if (s[i].function != t[i].function || s[i].line != t[i].line)
			return false;
	return true;
}

/* mine has its lines behind the last of out's. */
static int find_location(struct merger *m, const struct profile_location *mine,
			 uint32_t *ret_ours)
{
	struct profile *out = m->out;
	const uint64_t hash = location_hash(m, mine);
	struct index_probe probe = index_start(&m->locations, hash);
	uint32_t row;
	while ((row = index_next(&m->locations, &probe)) != PROFILE_NONE) {
		if (same_location(m, &out->locations[row], mine)) {
			*ret_ours = row;
			return 0;
		}
	}
	int rc = model_reserve(out, COLUMN_LOCATIONS, out->n_locations + 1);
	if (!rc)
		rc = index_add(&m->locations, hash);
	if (rc)
		return rc;
	*ret_ours = (uint32_t)out->n_locations;
	out->locations[out->n_locations++] = *mine;
	out->n_lines += mine->line_count;
	return 0;
}

int merge_location(struct merger *m, uint32_t location, uint32_t *ret_ours)
{
	uint32_t *ours = &m->locations_of[location];
	if (*ours != PROFILE_NONE) {
		*ret_ours = *ours;
		return 0;
	}
	struct profile_location copy = m->src->locations[location];
	int rc = 0;
	if (copy.mapping != PROFILE_NONE) {
		const uint32_t theirs = copy.mapping;
		rc = merge_mapping(m, theirs, &copy.mapping);
		if (rc)
			return rc;
		copy.address += m->out->mappings[copy.mapping].start -
				m->src->mappings[theirs].start;
	}
	rc = merge_lines(m, &copy);
	copy.line_first = (uint32_t)m->out->n_lines;
	if (!rc)
		rc = find_location(m, &copy, ours);
	*ret_ours = *ours;
	return rc;
}
