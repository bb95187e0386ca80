/*
 * decode_tables.c - the messages of profile.proto but samples: small, so they
 * are read by tables.
 */
#include "base/attr.h"
#include "base/err.h"
#include "profile/decode_fields.h"
#include "profile/private.h"

#include <inttypes.h>

/* ---- the fields ---------------------------------------------------------- */

static const struct member profile_members[] = {
	[7] = STRING(struct profile, drop_frames, "drop_frames"),
	[8] = STRING(struct profile, keep_frames, "keep_frames"),
	[9] = NUMBER(struct profile, time_nanos, "time_nanos"),
	[10] = NUMBER(struct profile, duration_nanos, "duration_nanos"),
	[12] = NUMBER(struct profile, period, "period"),
	[14] = STRING(struct profile, default_sample_type,
		      "default_sample_type"),
	[15] = STRING(struct profile, doc_url, "doc_url"),
};
static const struct message profile_message =
	MESSAGE("Profile", profile_members);

static const struct member value_type_members[] = {
	[1] = STRING(struct profile_value_type, type, "type"),
	[2] = STRING(struct profile_value_type, unit, "unit"),
};
static const struct message value_type_message =
	MESSAGE("ValueType", value_type_members);

struct wire_mapping {
	uint64_t id;
	struct profile_mapping m;
};
static const struct member mapping_members[] = {
	[1] = NUMBER(struct wire_mapping, id, "id"),
	[2] = NUMBER(struct wire_mapping, m.start, "memory_start"),
	[3] = NUMBER(struct wire_mapping, m.limit, "memory_limit"),
	[4] = NUMBER(struct wire_mapping, m.offset, "file_offset"),
	[5] = STRING(struct wire_mapping, m.filename, "filename"),
	[6] = STRING(struct wire_mapping, m.build_id, "build_id"),
	[7] = BOOL(struct wire_mapping, m.has_functions, "has_functions"),
	[8] = BOOL(struct wire_mapping, m.has_filenames, "has_filenames"),
	[9] = BOOL(struct wire_mapping, m.has_line_numbers, "has_line_numbers"),
	[10] = BOOL(struct wire_mapping, m.has_inline_frames,
		    "has_inline_frames"),
};
static const struct message mapping_message =
	MESSAGE("Mapping", mapping_members);

struct wire_function {
	uint64_t id;
	struct profile_function f;
};
static const struct member function_members[] = {
	[1] = NUMBER(struct wire_function, id, "id"),
	[2] = STRING(struct wire_function, f.name, "name"),
	[3] = STRING(struct wire_function, f.system_name, "system_name"),
	[4] = STRING(struct wire_function, f.filename, "filename"),
	[5] = NUMBER(struct wire_function, f.start_line, "start_line"),
};
static const struct message function_message =
	MESSAGE("Function", function_members);

struct wire_location {
	uint64_t id, mapping, address;
	bool is_folded;
};
enum { TIME_NANOS = 9, LOCATION_LINE = 4 };
static const struct member location_members[] = {
	[1] = NUMBER(struct wire_location, id, "id"),
	[2] = NUMBER(struct wire_location, mapping, "mapping_id"),
	[3] = NUMBER(struct wire_location, address, "address"),
	[5] = BOOL(struct wire_location, is_folded, "is_folded"),
};
static const struct message location_message =
	MESSAGE("Location", location_members);

struct wire_line {
	uint64_t function;
	int64_t line;
};
static const struct member line_members[] = {
	[1] = NUMBER(struct wire_line, function, "function_id"),
	[2] = NUMBER(struct wire_line, line, "line"),
};
static const struct message line_message = MESSAGE("Line", line_members);

/* ---- the rows ------------------------------------------------------------ */

int decode_string(struct decoder *d, const struct wire_field *f)
{
	const size_t len = (size_t)(f->end - f->data);
	if (!d->n_strings_read && len)
		return decode_fail(d, f->at, PARSING,
				   "string_table[0] must be ''");
	const int rc = profile_strings_intern(d->p, (const char *)f->data, len,
					      &d->strings[d->n_strings_read]);
	if (rc)
		return decode_no_room(d, rc);
	d->n_strings_read++;
	return 0;
}

int decode_sample_type(struct decoder *d, const struct wire_field *f)
{
	struct profile_value_type t = { 0 };
	const int rc =
		decode_message(d, &value_type_message, f->data, f->end, &t);
	if (!rc)
		d->p->sample_types[d->p->n_sample_types++] = t;
	return rc;
}

int decode_period_type(struct decoder *d, const struct wire_field *f)
{
	struct profile_value_type t = { 0 };
	const int rc =
		decode_message(d, &value_type_message, f->data, f->end, &t);
	if (!rc)
		d->p->period_type = t; /* the last one counts */
	return rc;
}

int decode_mapping(struct decoder *d, const struct wire_field *f)
{
	struct wire_mapping m = { 0 };
	const int rc = decode_message(d, &mapping_message, f->data, f->end, &m);
	if (rc)
		return rc;
	if (!m.id)
		return decode_fail(d, f->at, MALFORMED,
				   "found mapping with reserved ID=0");
	if (m.m.limit && m.m.start > m.m.limit)
		return decode_fail(d, f->at, MALFORMED,
				   "mapping %" PRIu64 " starts at %#" PRIx64
				   ", after its limit %#" PRIx64,
				   m.id, m.m.start, m.m.limit);
	ids_append(&d->mappings, m.id);
	d->p->mappings[d->p->n_mappings++] = m.m;
	return 0;
}

int decode_function(struct decoder *d, const struct wire_field *f)
{
	struct wire_function n = { 0 };
	const int rc =
		decode_message(d, &function_message, f->data, f->end, &n);
	if (rc)
		return rc;
	if (!n.id)
		return decode_fail(d, f->at, MALFORMED,
				   "found function with reserved ID=0");
	ids_append(&d->functions, n.id);
	d->p->functions[d->p->n_functions++] = n.f;
	return 0;
}

static int read_line(struct decoder *d, const struct wire_field *f)
{
	struct wire_line line = { 0 };
	struct profile *p = d->p;
	if (f->type != WIRE_BYTES)
		return decode_wrong_type(d, f, "Location", "line");
	int rc = decode_message(d, &line_message, f->data, f->end, &line);
	if (rc)
		return rc;
	const uint32_t function = ids_get(&d->functions, line.function);
	if (function == PROFILE_NONE)
		return decode_fail(
			d, f->at, MALFORMED,
			"location has a line with nil function: there is "
			"no function %" PRIu64,
			line.function);
	rc = model_reserve(p, COLUMN_LINES, p->n_lines + 1);
	if (rc)
		return decode_no_room(d, rc);
	p->lines[p->n_lines++] = (struct profile_line){ .function = function,
							.line = line.line };
	return 0;
}

int decode_location(struct decoder *d, const struct wire_field *of)
{
	struct profile *p = d->p;
	struct wire_location l = { 0 };
	const size_t first = p->n_lines;
	for (const uint8_t *pos = of->data; pos < of->end;) {
		struct wire_field f;
		int rc = decode_next_field(d, &pos, of->end, "Location", &f);
		if (!rc && f.number == LOCATION_LINE)
			rc = read_line(d, &f);
		else if (!rc)
			rc = decode_member(d, &location_message, &f, &l);
		if (rc)
			return rc;
	}
	if (!l.id)
		return decode_fail(d, of->at, MALFORMED,
				   "found location with reserved id=0");
	/* One that is not there is none, as for the Go tool. */
	const uint32_t mapping =
		l.mapping ? ids_get(&d->mappings, l.mapping) : PROFILE_NONE;
	ids_append(&d->locations, l.id);
	p->locations[p->n_locations++] = (struct profile_location){
		.address = l.address,
		.mapping = mapping,
		.line_first = (uint32_t)first,
		.line_count = (uint32_t)(p->n_lines - first),
		.is_folded = l.is_folded,
	};
	return 0;
}

static int add_comment(struct decoder *d, uint64_t index, const uint8_t *at)
{
	struct profile *p = d->p;
	int rc = model_reserve(p, COLUMN_COMMENTS, p->n_comments + 1);
	if (rc)
		return decode_no_room(d, rc);
	rc = decode_string_ref(d, index, at, "Profile", "comment",
			       &p->comments[p->n_comments]);
	if (!rc)
		p->n_comments++;
	return rc;
}

int decode_comment(struct decoder *d, const struct wire_field *f)
{
	if (f->type == WIRE_VARINT)
		return add_comment(d, f->value, f->at);
	if (f->type != WIRE_BYTES)
		return decode_wrong_type(d, f, "Profile", "comment");
	for (const uint8_t *pos = f->data; pos < f->end;) {
		uint64_t index;
		const uint8_t *next = wire_varint(pos, f->end, &index);
		if (!next)
			return decode_fail(d, pos, PARSING,
					   "bad varint in Profile.comment");
		const int rc = add_comment(d, index, pos);
		if (rc)
			return rc;
		pos = next;
	}
	return 0;
}

int decode_scalar(struct decoder *d, const struct wire_field *f)
{
	if (f->number == TIME_NANOS && d->p->time_nanos)
		return decode_fail(d, f->at, PARSING,
				   "concatenated profiles detected");
	return decode_member(d, &profile_message, f, d->p);
}
