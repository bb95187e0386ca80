/*
 * decode_proto.c - profile.proto off the wire into columns.
 *
 * Fields may come in any order (most writers put the string table last), so
 * one scan over the outermost fields finds where each kind begins and ends,
 * and how many there are; then the kinds are read in the order in which they
 * refer to each other: strings, functions and mappings, locations, samples.
 * A scan steps from length to length and costs next to nothing, and each
 * later one is confined to the stretch where its kind was seen.
 *
 * Samples are nearly all of the bytes.  Theirs is the only reader written out
 * by hand; the other messages are read by tables.
 */
#include "profile/decode_proto.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/ids.h"
#include "profile/private.h"
#include "profile/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum profile_field {
	FIELD_SAMPLE_TYPE = 1,
	FIELD_SAMPLE = 2,
	FIELD_MAPPING = 3,
	FIELD_LOCATION = 4,
	FIELD_FUNCTION = 5,
	FIELD_STRING = 6,
	FIELD_TIME_NANOS = 9,
	FIELD_PERIOD_TYPE = 11,
	FIELD_COMMENT = 13,
	N_FIELDS = 16
};

/* Where the fields of one number lie, and how many and how large they are. */
struct stretch {
	const uint8_t *first, *end;
	size_t count, bytes;
};

struct decoder {
	struct profile *p;
	struct err *e;
	const uint8_t *data, *end;
	struct stretch fields[N_FIELDS];
	uint32_t *strings; /* the file's index to ours */
	size_t n_strings, n_strings_read;
	struct ids mappings, functions, locations;
	size_t n_values; /* read so far */
};

/* ---- errors -------------------------------------------------------------- */

/* "KIND: WHAT at byte N": kind is Go's "parsing" or "malformed profile". */
static int fail(const struct decoder *d, const uint8_t *at, const char *kind,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

COLD static int fail(const struct decoder *d, const uint8_t *at,
		     const char *kind, const char *format, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	return err_set(d->e, ERR_FORMAT, "%s: %s at byte %td", kind, what,
		       at - d->data);
}

#define PARSING	  "parsing profile"
#define MALFORMED "malformed profile"

COLD static int no_room(const struct decoder *d, int rc)
{
	if (rc == ERR_LIMIT)
		return err_set(d->e, rc,
			       "the profile needs more memory than the limit "
			       "of %zu bytes",
			       d->p->priv->max);
	return err_set(d->e, rc, "out of memory");
}

static int next_field(const struct decoder *d, const uint8_t **pos,
		      const uint8_t *end, const char *of,
		      struct wire_field *ret_field)
{
	const char *wrong;
	const uint8_t *next = wire_field(*pos, end, ret_field, &wrong);
	if (UNLIKELY(!next))
		return fail(d, *pos, PARSING, "%s in %s", wrong, of);
	*pos = next;
	return 0;
}

static int wrong_type(const struct decoder *d, const struct wire_field *f,
		      const char *of, const char *name)
{
	return fail(d, f->at, PARSING, "type mismatch: %s.%s has wire type %d",
		    of, name, (int)f->type);
}

/* ---- messages of single fields, by table --------------------------------- */

enum kind { KIND_UNKNOWN, KIND_NUMBER, KIND_BOOL, KIND_STRING };

struct member {
	enum kind kind;
	size_t offset;
	const char *name;
};

struct message {
	const char *name;
	const struct member *members; /* by field number */
	size_t n;
};

#define NUMBER(type, m, name)                                                  \
	{                                                                      \
		KIND_NUMBER, offsetof(type, m), name                           \
	}
#define BOOL(type, m, name)                                                    \
	{                                                                      \
		KIND_BOOL, offsetof(type, m), name                             \
	}
#define STRING(type, m, name)                                                  \
	{                                                                      \
		KIND_STRING, offsetof(type, m), name                           \
	}
#define MESSAGE(name, members)                                                 \
	{                                                                      \
		name, members, ARRAY_SIZE(members)                             \
	}

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
enum { LOCATION_LINE = 4 };
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

static const struct member label_members[] = {
	[1] = STRING(struct profile_label, key, "key"),
	[2] = STRING(struct profile_label, str, "str"),
	[3] = NUMBER(struct profile_label, num, "num"),
	[4] = STRING(struct profile_label, num_unit, "num_unit"),
};
static const struct message label_message = MESSAGE("Label", label_members);

static int resolve_string(const struct decoder *d, uint64_t index,
			  const uint8_t *at, const char *of, const char *name,
			  uint32_t *ret_string)
{
	if (UNLIKELY(index >= d->n_strings))
		return fail(d, at, PARSING,
			    "malformed profile format: %s.%s is string "
			    "%" PRId64 " of %zu",
			    of, name, (int64_t)index, d->n_strings);
	*ret_string = d->strings[index];
	return 0;
}

static int read_member(const struct decoder *d, const struct message *m,
		       const struct wire_field *f, void *out)
{
	if (f->number >= m->n || m->members[f->number].kind == KIND_UNKNOWN)
		return 0; /* from a later profile.proto: passed over */
	const struct member *member = &m->members[f->number];
	char *to = (char *)out + member->offset;
	if (f->type != WIRE_VARINT)
		return wrong_type(d, f, m->name, member->name);
	uint32_t string = 0;
	switch (member->kind) {
	case KIND_NUMBER:
		memcpy(to, &f->value, sizeof(f->value));
		break;
	case KIND_BOOL:
		*(bool *)to = f->value != 0;
		break;
	case KIND_STRING: {
		const int rc = resolve_string(d, f->value, f->at, m->name,
					      member->name, &string);
		if (rc)
			return rc;
		memcpy(to, &string, sizeof(string));
		break;
	}
	case KIND_UNKNOWN:
		break;
	}
	return 0;
}

static int read_message(const struct decoder *d, const struct message *m,
			const uint8_t *pos, const uint8_t *end, void *out)
{
	int rc = 0;
	while (!rc && pos < end) {
		struct wire_field f;
		rc = next_field(d, &pos, end, m->name, &f);
		if (!rc)
			rc = read_member(d, m, &f, out);
	}
	return rc;
}

/* ---- the tables ---------------------------------------------------------- */

static int read_string(struct decoder *d, const struct wire_field *f)
{
	const size_t len = (size_t)(f->end - f->data);
	if (!d->n_strings_read && len)
		return fail(d, f->at, PARSING, "string_table[0] must be ''");
	const int rc = profile_strings_intern(d->p, (const char *)f->data, len,
					      &d->strings[d->n_strings_read]);
	if (rc)
		return no_room(d, rc);
	d->n_strings_read++;
	return 0;
}

static int read_sample_type(struct decoder *d, const struct wire_field *f)
{
	struct profile_value_type t = { 0 };
	const int rc =
		read_message(d, &value_type_message, f->data, f->end, &t);
	if (!rc)
		d->p->sample_types[d->p->n_sample_types++] = t;
	return rc;
}

static int read_period_type(struct decoder *d, const struct wire_field *f)
{
	struct profile_value_type t = { 0 };
	const int rc =
		read_message(d, &value_type_message, f->data, f->end, &t);
	if (!rc)
		d->p->period_type = t; /* the last one counts */
	return rc;
}

static int read_mapping(struct decoder *d, const struct wire_field *f)
{
	struct wire_mapping m = { 0 };
	const int rc = read_message(d, &mapping_message, f->data, f->end, &m);
	if (rc)
		return rc;
	if (!m.id)
		return fail(d, f->at, MALFORMED,
			    "found mapping with reserved ID=0");
	if (m.m.limit && m.m.start > m.m.limit)
		return fail(d, f->at, MALFORMED,
			    "mapping %" PRIu64 " starts at %#" PRIx64
			    ", after its limit %#" PRIx64,
			    m.id, m.m.start, m.m.limit);
	ids_append(&d->mappings, m.id);
	d->p->mappings[d->p->n_mappings++] = m.m;
	return 0;
}

static int read_function(struct decoder *d, const struct wire_field *f)
{
	struct wire_function n = { 0 };
	const int rc = read_message(d, &function_message, f->data, f->end, &n);
	if (rc)
		return rc;
	if (!n.id)
		return fail(d, f->at, MALFORMED,
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
		return wrong_type(d, f, "Location", "line");
	int rc = read_message(d, &line_message, f->data, f->end, &line);
	if (rc)
		return rc;
	const uint32_t function = ids_get(&d->functions, line.function);
	if (function == PROFILE_NONE)
		return fail(d, f->at, MALFORMED,
			    "location has a line with nil function: there is "
			    "no function %" PRIu64,
			    line.function);
	rc = model_reserve(p, COLUMN_LINES, p->n_lines + 1);
	if (rc)
		return no_room(d, rc);
	p->lines[p->n_lines++] = (struct profile_line){ .function = function,
							.line = line.line };
	return 0;
}

static int read_location(struct decoder *d, const struct wire_field *of)
{
	struct profile *p = d->p;
	struct wire_location l = { 0 };
	const size_t first = p->n_lines;
	for (const uint8_t *pos = of->data; pos < of->end;) {
		struct wire_field f;
		int rc = next_field(d, &pos, of->end, "Location", &f);
		if (!rc && f.number == LOCATION_LINE)
			rc = read_line(d, &f);
		else if (!rc)
			rc = read_member(d, &location_message, &f, &l);
		if (rc)
			return rc;
	}
	if (!l.id)
		return fail(d, of->at, MALFORMED,
			    "found location with reserved id=0");
	const uint32_t mapping = ids_get(&d->mappings, l.mapping);
	if (l.mapping && mapping == PROFILE_NONE)
		return fail(d, of->at, MALFORMED,
			    "location %" PRIu64 " is in mapping %" PRIu64
			    ", which is not there",
			    l.id, l.mapping);
	ids_append(&d->locations, l.id);
	p->locations[p->n_locations++] = (struct profile_location){
		.address = l.address,
		.mapping = l.mapping ? mapping : PROFILE_NONE,
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
		return no_room(d, rc);
	rc = resolve_string(d, index, at, "Profile", "comment",
			    &p->comments[p->n_comments]);
	if (!rc)
		p->n_comments++;
	return rc;
}

static int read_comment(struct decoder *d, const struct wire_field *f)
{
	if (f->type == WIRE_VARINT)
		return add_comment(d, f->value, f->at);
	if (f->type != WIRE_BYTES)
		return wrong_type(d, f, "Profile", "comment");
	for (const uint8_t *pos = f->data; pos < f->end;) {
		uint64_t index;
		const uint8_t *next = wire_varint(pos, f->end, &index);
		if (!next)
			return fail(d, pos, PARSING,
				    "bad varint in Profile.comment");
		const int rc = add_comment(d, index, pos);
		if (rc)
			return rc;
		pos = next;
	}
	return 0;
}

static int read_scalar(struct decoder *d, const struct wire_field *f)
{
	if (f->number == FIELD_TIME_NANOS && d->p->time_nanos)
		return fail(d, f->at, PARSING,
			    "concatenated profiles detected");
	return read_member(d, &profile_message, f, d->p);
}

/* ---- samples ------------------------------------------------------------- */

COLD static int no_location(const struct decoder *d, const uint8_t *at,
			    uint64_t id)
{
	return fail(d, at, MALFORMED,
		    "sample has nil location: there is no location %" PRIu64,
		    id);
}

/* A packed run; room for as many ids as it has bytes. */
static int read_packed_locs(struct decoder *d, const uint8_t *pos,
			    const uint8_t *end)
{
	struct profile *p = d->p;
	const int rc =
		model_reserve(p, COLUMN_LOCS, p->n_locs + (size_t)(end - pos));
	if (rc)
		return no_room(d, rc);
	uint32_t *out = p->locs + p->n_locs;
	const bool in_order = d->locations.kind == IDS_IN_ORDER;
	const uint64_t n = p->n_locations;
	while (pos < end) {
		uint64_t id;
		const uint8_t *next = wire_varint(pos, end, &id);
		if (UNLIKELY(!next))
			return fail(d, pos, PARSING,
				    "bad varint in Sample.location_id");
		if (LIKELY(in_order)) {
			if (UNLIKELY(id - 1 >= n))
				return no_location(d, pos, id);
			*out++ = (uint32_t)(id - 1);
		} else {
			*out = ids_get_other(&d->locations, id);
			if (UNLIKELY(*out++ == PROFILE_NONE))
				return no_location(d, pos, id);
		}
		pos = next;
	}
	p->n_locs = (size_t)(out - p->locs);
	return 0;
}

static int read_loc(struct decoder *d, const struct wire_field *f)
{
	struct profile *p = d->p;
	if (f->type == WIRE_BYTES)
		return read_packed_locs(d, f->data, f->end);
	if (f->type != WIRE_VARINT)
		return wrong_type(d, f, "Sample", "location_id");
	const int rc = model_reserve(p, COLUMN_LOCS, p->n_locs + 1);
	if (rc)
		return no_room(d, rc);
	const uint32_t loc = ids_get(&d->locations, f->value);
	if (loc == PROFILE_NONE)
		return no_location(d, f->at, f->value);
	p->locs[p->n_locs++] = loc;
	return 0;
}

/* Those past the sample's share are counted, and not kept. */
static void add_value(struct decoder *d, size_t *n, uint64_t value)
{
	if (LIKELY(*n < d->p->n_sample_types))
		d->p->values[d->n_values + *n] = (int64_t)value;
	++*n;
}

static int read_value(struct decoder *d, const struct wire_field *f, size_t *n)
{
	if (f->type == WIRE_VARINT) {
		add_value(d, n, f->value);
		return 0;
	}
	if (f->type != WIRE_BYTES)
		return wrong_type(d, f, "Sample", "value");
	for (const uint8_t *pos = f->data; pos < f->end;) {
		uint64_t value;
		const uint8_t *next = wire_varint(pos, f->end, &value);
		if (UNLIKELY(!next))
			return fail(d, pos, PARSING,
				    "bad varint in Sample.value");
		add_value(d, n, value);
		pos = next;
	}
	return 0;
}

static int read_label(struct decoder *d, const struct wire_field *f)
{
	struct profile *p = d->p;
	struct profile_label l = { 0 };
	if (f->type != WIRE_BYTES)
		return wrong_type(d, f, "Sample", "label");
	int rc = read_message(d, &label_message, f->data, f->end, &l);
	if (rc)
		return rc;
	if (l.str) {
		l.num = 0;
		l.num_unit = 0;
	} else if (!l.num && !l.num_unit) {
		return 0; /* says nothing: no reader keeps it */
	}
	rc = model_reserve(p, COLUMN_LABELS, p->n_labels + 1);
	if (rc)
		return no_room(d, rc);
	p->labels[p->n_labels++] = l;
	return 0;
}

static int read_sample(struct decoder *d, const struct wire_field *of)
{
	struct profile *p = d->p;
	const size_t first_loc = p->n_locs, first_label = p->n_labels;
	size_t n_values = 0;
	const int full = model_reserve(p, COLUMN_VALUES,
				       d->n_values + p->n_sample_types);
	if (UNLIKELY(full))
		return no_room(d, full);
	for (const uint8_t *pos = of->data; pos < of->end;) {
		struct wire_field f;
		int rc = next_field(d, &pos, of->end, "Sample", &f);
		if (UNLIKELY(rc))
			return rc;
		if (f.number == 1)
			rc = read_loc(d, &f);
		else if (f.number == 2)
			rc = read_value(d, &f, &n_values);
		else if (f.number == 3)
			rc = read_label(d, &f);
		if (UNLIKELY(rc))
			return rc;
	}
	if (UNLIKELY(n_values != p->n_sample_types))
		return fail(d, of->at, MALFORMED,
			    "mismatch: sample has %zu values vs. %zu types",
			    n_values, p->n_sample_types);
	p->sample_locs[p->n_samples] =
		(struct profile_span){ (uint32_t)first_loc,
				       (uint32_t)(p->n_locs - first_loc) };
	p->sample_labels[p->n_samples] =
		(struct profile_span){ (uint32_t)first_label,
				       (uint32_t)(p->n_labels - first_label) };
	p->n_samples++;
	d->n_values += n_values;
	return 0;
}

/* ---- the whole ----------------------------------------------------------- */

/* Find the stretches; bytes fields where there must be. */
static int survey(struct decoder *d)
{
	static const char *const names[N_FIELDS] = {
		[FIELD_SAMPLE_TYPE] = "sample_type",
		[FIELD_SAMPLE] = "sample",
		[FIELD_MAPPING] = "mapping",
		[FIELD_LOCATION] = "location",
		[FIELD_FUNCTION] = "function",
		[FIELD_STRING] = "string_table",
		[FIELD_PERIOD_TYPE] = "period_type",
	};
	for (const uint8_t *pos = d->data; pos < d->end;) {
		struct wire_field f;
		const int rc = next_field(d, &pos, d->end, "Profile", &f);
		if (rc)
			return rc;
		if (f.number >= N_FIELDS)
			continue;
		if (names[f.number] && f.type != WIRE_BYTES)
			return wrong_type(d, &f, "Profile", names[f.number]);
		struct stretch *s = &d->fields[f.number];
		if (!s->count++)
			s->first = f.at;
		s->end = pos;
		if (f.type == WIRE_BYTES)
			s->bytes += (size_t)(f.end - f.data);
	}
	return 0;
}

/* Call read for each field of this number. */
static int each(struct decoder *d, uint64_t number,
		int (*read)(struct decoder *, const struct wire_field *))
{
	const struct stretch *s = &d->fields[number];
	int rc = 0;
	for (const uint8_t *pos = s->first; !rc && pos < s->end;) {
		struct wire_field f;
		rc = next_field(d, &pos, s->end, "Profile", &f);
		if (!rc && f.number == number)
			rc = read(d, &f);
	}
	return rc;
}

static int make_room(struct decoder *d)
{
	struct profile *p = d->p;
	void *strings;
	d->n_strings = d->fields[FIELD_STRING].count;
	int rc = model_scratch(p, d->n_strings, sizeof(*d->strings), &strings);
	if (rc)
		return no_room(d, rc);
	d->strings = strings;
	const struct {
		enum column column;
		enum profile_field field;
	} counted[] = {
		{ COLUMN_SAMPLE_TYPES, FIELD_SAMPLE_TYPE },
		{ COLUMN_MAPPINGS, FIELD_MAPPING },
		{ COLUMN_FUNCTIONS, FIELD_FUNCTION },
		{ COLUMN_LOCATIONS, FIELD_LOCATION },
		{ COLUMN_SAMPLE_LOCS, FIELD_SAMPLE },
		{ COLUMN_SAMPLE_LABELS, FIELD_SAMPLE },
	};
	/*
	 * A location takes a byte at least: room for the most that there can
	 * be costs addresses, not memory, and spares copies; model_trim gives
	 * back the rest.  Where it cannot be had, the column grows by need.
	 */
	const size_t bytes = d->fields[FIELD_SAMPLE].bytes;
	if (bytes < PROFILE_NONE)
		(void)model_reserve(p, COLUMN_LOCS, bytes);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(counted); i++)
		rc = model_reserve(p, counted[i].column,
				   d->fields[counted[i].field].count);
	if (!rc)
		rc = ids_init(&d->mappings, p, d->fields[FIELD_MAPPING].count);
	if (!rc)
		rc = ids_init(&d->functions, p,
			      d->fields[FIELD_FUNCTION].count);
	if (!rc)
		rc = ids_init(&d->locations, p,
			      d->fields[FIELD_LOCATION].count);
	return rc ? no_room(d, rc) : 0;
}

static int read_strings(struct decoder *d)
{
	int rc = profile_strings_reserve(d->p, d->n_strings);
	if (rc)
		return no_room(d, rc);
	if (!d->n_strings)
		return err_set(d->e, ERR_FORMAT,
			       "parsing profile: malformed profile format: "
			       "there is no string_table");
	return each(d, FIELD_STRING, read_string);
}

static int finish_ids(struct decoder *d, struct ids *ids, const char *what)
{
	uint64_t twice;
	const int rc = ids_finish(ids, d->p, &twice);
	if (rc == ERR_FORMAT)
		return err_set(d->e, rc,
			       MALFORMED ": multiple %ss with same id: "
					 "%" PRIu64,
			       what, twice);
	return rc ? no_room(d, rc) : 0;
}

/* Each value takes a byte at least: too few bytes, and some sample lacks. */
static int reserve_values(struct decoder *d)
{
	const size_t samples = d->fields[FIELD_SAMPLE].count;
	const size_t types = d->p->n_sample_types;
	if (samples && !types)
		return fail(d, d->fields[FIELD_SAMPLE].first, MALFORMED,
			    "missing sample type information");
	if (samples && types > d->fields[FIELD_SAMPLE].bytes / samples)
		return 0; /* read_sample will find one that lacks some */
	const int rc = model_reserve(d->p, COLUMN_VALUES, samples * types);
	return rc ? no_room(d, rc) : 0;
}

static int read_all(struct decoder *d)
{
	static const unsigned char scalars[] = { 7, 8, 9, 10, 12, 14, 15 };
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof(scalars); i++)
		rc = each(d, scalars[i], read_scalar);
	if (!rc)
		rc = each(d, FIELD_PERIOD_TYPE, read_period_type);
	if (!rc)
		rc = each(d, FIELD_COMMENT, read_comment);
	if (!rc)
		rc = each(d, FIELD_SAMPLE_TYPE, read_sample_type);
	if (!rc)
		rc = each(d, FIELD_MAPPING, read_mapping);
	if (!rc)
		rc = finish_ids(d, &d->mappings, "mapping");
	if (!rc)
		rc = each(d, FIELD_FUNCTION, read_function);
	if (!rc)
		rc = finish_ids(d, &d->functions, "function");
	if (!rc)
		rc = each(d, FIELD_LOCATION, read_location);
	if (!rc)
		rc = finish_ids(d, &d->locations, "location");
	if (!rc)
		rc = reserve_values(d);
	if (!rc)
		rc = each(d, FIELD_SAMPLE, read_sample);
	return rc;
}

int decode_proto(struct profile *p, const uint8_t *data, size_t len,
		 bool *ret_is_proto, struct err *e)
{
	struct decoder d = { .p = p, .e = e, .data = data, .end = data + len };
	int rc = survey(&d);
	if (!rc)
		rc = make_room(&d);
	if (!rc)
		rc = read_strings(&d);
	/* An empty string first, by chance?  No text has a byte that is 0. */
	*ret_is_proto = rc != ERR_FORMAT;
	if (!rc)
		rc = read_all(&d);
	model_release(p, d.strings, d.n_strings, sizeof(*d.strings));
	ids_free(&d.mappings, p);
	ids_free(&d.functions, p);
	ids_free(&d.locations, p);
	if (!rc)
		model_trim(p);
	return rc;
}
