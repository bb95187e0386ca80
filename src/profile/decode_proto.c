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
 * by hand; the other messages are read by tables (decode_tables.c).
 */
#include "profile/decode_proto.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/decode_fields.h"
#include "profile/private.h"

#include <inttypes.h>

enum profile_field {
	FIELD_SAMPLE_TYPE = 1,
	FIELD_SAMPLE = 2,
	FIELD_MAPPING = 3,
	FIELD_LOCATION = 4,
	FIELD_FUNCTION = 5,
	FIELD_STRING = 6,
	FIELD_PERIOD_TYPE = 11,
	FIELD_COMMENT = 13,
};

/* ---- samples ------------------------------------------------------------- */

static const struct member label_members[] = {
	[1] = STRING(struct profile_label, key, "key"),
	[2] = STRING(struct profile_label, str, "str"),
	[3] = NUMBER(struct profile_label, num, "num"),
	[4] = STRING(struct profile_label, num_unit, "num_unit"),
};
static const struct message label_message = MESSAGE("Label", label_members);

COLD static int no_location(const struct decoder *d, const uint8_t *at,
			    uint64_t id)
{
	return decode_fail(
		d, at, MALFORMED,
		"sample has nil location: there is no location %" PRIu64, id);
}

/* A packed run; room for as many ids as it has bytes. */
static int read_packed_locs(struct decoder *d, const uint8_t *pos,
			    const uint8_t *end)
{
	struct profile *p = d->p;
	const int rc =
		model_reserve(p, COLUMN_LOCS, p->n_locs + (size_t)(end - pos));
	if (rc)
		return decode_no_room(d, rc);
	uint32_t *out = p->locs + p->n_locs;
	const bool in_order = d->locations.kind == IDS_IN_ORDER;
	const uint64_t n = p->n_locations;
	while (pos < end) {
		uint64_t id;
		const uint8_t *next = wire_varint(pos, end, &id);
		if (UNLIKELY(!next))
			return decode_fail(d, pos, PARSING,
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
		return decode_wrong_type(d, f, "Sample", "location_id");
	const int rc = model_reserve(p, COLUMN_LOCS, p->n_locs + 1);
	if (rc)
		return decode_no_room(d, rc);
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
		return decode_wrong_type(d, f, "Sample", "value");
	for (const uint8_t *pos = f->data; pos < f->end;) {
		uint64_t value;
		const uint8_t *next = wire_varint(pos, f->end, &value);
		if (UNLIKELY(!next))
			return decode_fail(d, pos, PARSING,
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
		return decode_wrong_type(d, f, "Sample", "label");
	int rc = decode_message(d, &label_message, f->data, f->end, &l);
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
		return decode_no_room(d, rc);
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
		return decode_no_room(d, full);
	for (const uint8_t *pos = of->data; pos < of->end;) {
		struct wire_field f;
		int rc = decode_next_field(d, &pos, of->end, "Sample", &f);
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
		return decode_fail(
			d, of->at, MALFORMED,
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
	static const char *const names[DECODE_N_FIELDS] = {
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
		const int rc =
			decode_next_field(d, &pos, d->end, "Profile", &f);
		if (rc)
			return rc;
		if (f.number >= DECODE_N_FIELDS)
			continue;
		if (names[f.number] && f.type != WIRE_BYTES)
			return decode_wrong_type(d, &f, "Profile",
						 names[f.number]);
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
		rc = decode_next_field(d, &pos, s->end, "Profile", &f);
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
		return decode_no_room(d, rc);
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
	return rc ? decode_no_room(d, rc) : 0;
}

static int read_strings(struct decoder *d)
{
	int rc = profile_strings_reserve(d->p, d->n_strings);
	if (rc)
		return decode_no_room(d, rc);
	if (!d->n_strings)
		return err_set(d->e, ERR_FORMAT,
			       "parsing profile: malformed profile format: "
			       "there is no string_table");
	return each(d, FIELD_STRING, decode_string);
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
	return rc ? decode_no_room(d, rc) : 0;
}

/* Each value takes a byte at least: too few bytes, and some sample lacks. */
static int reserve_values(struct decoder *d)
{
	const size_t samples = d->fields[FIELD_SAMPLE].count;
	const size_t types = d->p->n_sample_types;
	if (samples && !types)
		return decode_fail(d, d->fields[FIELD_SAMPLE].first, MALFORMED,
				   "missing sample type information");
	if (samples && types > d->fields[FIELD_SAMPLE].bytes / samples)
		return 0; /* read_sample will find one that lacks some */
	const int rc = model_reserve(d->p, COLUMN_VALUES, samples * types);
	return rc ? decode_no_room(d, rc) : 0;
}

static int read_all(struct decoder *d)
{
	static const unsigned char scalars[] = { 7, 8, 9, 10, 12, 14, 15 };
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof(scalars); i++)
		rc = each(d, scalars[i], decode_scalar);
	if (!rc)
		rc = each(d, FIELD_PERIOD_TYPE, decode_period_type);
	if (!rc)
		rc = each(d, FIELD_COMMENT, decode_comment);
	if (!rc)
		rc = each(d, FIELD_SAMPLE_TYPE, decode_sample_type);
	if (!rc)
		rc = each(d, FIELD_MAPPING, decode_mapping);
	if (!rc)
		rc = finish_ids(d, &d->mappings, "mapping");
	if (!rc)
		rc = each(d, FIELD_FUNCTION, decode_function);
	if (!rc)
		rc = finish_ids(d, &d->functions, "function");
	if (!rc)
		rc = each(d, FIELD_LOCATION, decode_location);
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
