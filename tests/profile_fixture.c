/* profile_fixture.c - see profile_fixture.h. */
#include "tests/profile_fixture.h"

#include "base/err.h"
#include "base/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- wire bytes by hand -------------------------------------------------- */

static void put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_append_char(out, (char)(v | 0x80));
	buf_append_char(out, (char)v);
}

static void put_fixed(struct buf *out, uint64_t v, int bytes)
{
	for (; bytes--; v >>= 8)
		buf_append_char(out, (char)v);
}

static uint64_t number(const char **s)
{
	char *end;
	const uint64_t v = **s == '-' ? (uint64_t)strtoll(*s, &end, 10)
				      : strtoull(*s, &end, 10);
	if (end == *s)
		abort();
	*s = end;
	return v;
}

static void put_bytes(struct buf *out, uint64_t field, const struct buf *in)
{
	put_varint(out, field << 3 | 2);
	put_varint(out, in->len);
	buf_append(out, buf_str(in), in->len);
}

static void items(struct buf *out, const char **s, char close);

static void field(struct buf *out, const char **s)
{
	const uint64_t n = number(s);
	const char kind = *(*s)++;
	struct buf inner = { 0 };
	switch (kind) {
	case ':':
		put_varint(out, n << 3);
		put_varint(out, number(s));
		break;
	case '!':
		put_varint(out, n << 3 | 1);
		put_fixed(out, number(s), 8);
		break;
	case '?':
		put_varint(out, n << 3 | 5);
		put_fixed(out, number(s), 4);
		break;
	case '\'':
		for (; **s != '\''; ++*s)
			buf_append_char(&inner, **s);
		++*s;
		put_bytes(out, n, &inner);
		break;
	case '{':
		items(&inner, s, '}');
		put_bytes(out, n, &inner);
		break;
	case '[':
		while (**s != ']') {
			put_varint(&inner, number(s));
			*s += strspn(*s, " ");
		}
		++*s;
		put_bytes(out, n, &inner);
		break;
	default:
		abort();
	}
	buf_free(&inner);
}

static void items(struct buf *out, const char **s, char close)
{
	for (;;) {
		*s += strspn(*s, " \n\t");
		if (**s == close) {
			*s += close != '\0';
			return;
		}
		if (**s == '~') {
			const char hex[3] = { (*s)[1], (*s)[2], '\0' };
			buf_append_char(out, (char)strtoul(hex, NULL, 16));
			*s += 3;
		} else {
			field(out, s);
		}
	}
}

void fixture_wire(struct buf *out, const char *notation)
{
	items(out, &notation, '\0');
}

/* ---- profiles ------------------------------------------------------------ */

static uint32_t str(struct profile *p, const char *s)
{
	return profile_intern(p, s);
}

static bool rich_tables(struct profile *p)
{
	const struct profile_mapping mappings[] = {
		{ .start = 0x400000,
		  .limit = 0x480000,
		  .offset = 0x1000,
		  .filename = str(p, "/usr/bin/server"),
		  .build_id = str(p, "deadbeef01"),
		  .has_functions = true,
		  .has_filenames = true,
		  .has_line_numbers = true,
		  .has_inline_frames = true },
		{ .start = UINT64_C(0x7f0000000000),
		  .limit = UINT64_C(0xffffffffffffffff),
		  .filename = str(p, "/lib/libc.so.6") },
	};
	const struct profile_function functions[] = {
		{ str(p, "work(int)"), str(p, "_Z4worki"), str(p, "/src/w.cc"),
		  12 },
		{ str(p, "main"), str(p, "main"), str(p, "/src/m.c"), -3 },
		{ str(p, "inlined <b>\xff</b>"), str(p, "i"), 0, INT64_MAX },
	};
	for (size_t i = 0; i < 2; i++)
		if (profile_add_mapping(p, &mappings[i]) != i)
			return false;
	for (size_t i = 0; i < 3; i++)
		if (profile_add_function(p, &functions[i]) != i)
			return false;
	const struct profile_line inlined[] = { { 2, 77 }, { 0, 14 } };
	const struct profile_line plain[] = { { 1, INT64_MIN } };
	if (profile_add_location(p, 0, 0x401234, inlined, 2) != 0 ||
	    profile_add_location(p, 0, 0x401300, plain, 1) != 1 ||
	    profile_add_location(p, 1, UINT64_C(0x7f0000001000), NULL, 0) !=
		    2 ||
	    profile_add_location(p, PROFILE_NONE, UINT64_MAX, NULL, 0) != 3)
		return false;
	p->locations[1].is_folded = true;
	return true;
}

static bool rich_samples(struct profile *p)
{
	const struct profile_label labels[] = {
		{ .key = str(p, "thread"), .str = str(p, "worker 1") },
		{ .key = str(p, "thread"), .str = str(p, "worker 2") },
		{ .key = str(p, "bytes"), .num = -512 },
		{ .key = str(p, "wait"), .num_unit = str(p, "seconds") },
	};
	const uint32_t deep[] = { 0, 1, 2, 3, 1 }, shallow[] = { 3 };
	const int64_t values[][2] = { { 1, 10000000 },
				      { INT64_MIN, INT64_MAX },
				      { 0, 0 } };
	return profile_add_sample(p, deep, 5, values[0], labels, 4) == 0 &&
	       profile_add_sample(p, shallow, 1, values[1], labels, 1) == 1 &&
	       profile_add_sample(p, NULL, 0, values[2], NULL, 0) == 2;
}

struct profile *fixture_rich(void)
{
	struct profile *p = profile_new();
	if (!p)
		return NULL;
	bool ok = profile_add_sample_type(p, "samples", "count") == 0 &&
		  profile_add_sample_type(p, "cpu", "nanoseconds") == 1 &&
		  rich_tables(p) && rich_samples(p) &&
		  profile_add_comment(p, "the first remark") == 0 &&
		  profile_add_comment(p, "the second") == 1;
	p->period_type.type = str(p, "cpu");
	p->period_type.unit = str(p, "nanoseconds");
	p->period = 10000000;
	p->time_nanos = INT64_C(1700000000123456789);
	p->duration_nanos = INT64_C(30000000000);
	p->default_sample_type = str(p, "samples");
	p->drop_frames = str(p, "malloc|free");
	p->keep_frames = str(p, "free_list");
	p->doc_url = str(p, "https://example.org/doc");
	ok = ok && p->doc_url != PROFILE_NONE &&
	     p->keep_frames != PROFILE_NONE && p->drop_frames != PROFILE_NONE &&
	     p->default_sample_type != PROFILE_NONE &&
	     p->period_type.unit != PROFILE_NONE &&
	     p->period_type.type != PROFILE_NONE;
	if (!ok) {
		profile_free(p);
		return NULL;
	}
	return p;
}

/* Small numbers mostly, and now and then any. */
static int64_t any_number(struct rng *r)
{
	const uint64_t shift = rng_below(r, 64);
	return (int64_t)(rng_u64(r) >> shift);
}

static uint32_t any_string(struct profile *p, struct rng *r)
{
	char text[24];
	snprintf(text, sizeof(text), "s%" PRIu64, rng_below(r, 50));
	return str(p, rng_below(r, 5) ? text : "");
}

static void random_sample(struct profile *p, struct rng *r)
{
	uint32_t locs[40];
	int64_t values[4];
	struct profile_label labels[5];
	const size_t n_locs = p->n_locations ? rng_below(r, 40) : 0;
	const size_t n_labels = rng_below(r, 5);
	for (size_t i = 0; i < n_locs; i++)
		locs[i] = (uint32_t)rng_below(r, p->n_locations);
	for (size_t i = 0; i < p->n_sample_types; i++)
		values[i] = rng_below(r, 4) ? any_number(r) : 0;
	for (size_t i = 0; i < n_labels; i++) {
		labels[i] = (struct profile_label){ .key = any_string(p, r) };
		if (rng_below(r, 2)) {
			labels[i].str = str(p, "text");
		} else {
			labels[i].num = any_number(r) | 1;
			labels[i].num_unit = any_string(p, r);
		}
	}
	profile_add_sample(p, locs, n_locs, values, labels, n_labels);
}

static void random_tables(struct profile *p, struct rng *r)
{
	for (uint64_t n = rng_below(r, 4); n; n--) {
		struct profile_mapping m = {
			.start = rng_below(r, 1000) << 12,
			.offset = (uint64_t)any_number(r),
			.filename = any_string(p, r),
			.build_id = any_string(p, r),
			.has_functions = rng_below(r, 2),
			.has_filenames = rng_below(r, 2),
			.has_line_numbers = rng_below(r, 2),
			.has_inline_frames = rng_below(r, 2),
		};
		m.limit = m.start + rng_below(r, 100000);
		profile_add_mapping(p, &m);
	}
	for (uint64_t n = rng_below(r, 30); n; n--)
		profile_add_function(p, &(struct profile_function){
						.name = any_string(p, r),
						.system_name = any_string(p, r),
						.filename = any_string(p, r),
						.start_line = any_number(r) });
	for (uint64_t n = rng_below(r, 60); n; n--) {
		struct profile_line lines[3];
		const size_t n_lines = p->n_functions ? rng_below(r, 4) : 0;
		for (size_t i = 0; i < n_lines; i++)
			lines[i] = (struct profile_line){
				(uint32_t)rng_below(r, p->n_functions),
				any_number(r)
			};
		const uint64_t mapping = rng_below(r, p->n_mappings + 1);
		const uint32_t l = profile_add_location(
			p, mapping ? (uint32_t)mapping - 1 : PROFILE_NONE,
			(uint64_t)any_number(r), lines, n_lines);
		p->locations[l].is_folded = !rng_below(r, 8);
	}
}

struct profile *fixture_random(uint64_t seed)
{
	struct rng r;
	struct profile *p = profile_new();
	if (!p)
		return NULL;
	rng_seed(&r, seed);
	for (uint64_t n = 1 + rng_below(&r, 4); n; n--)
		profile_add_sample_type(p, profile_str(p, any_string(p, &r)),
					profile_str(p, any_string(p, &r)));
	random_tables(p, &r);
	for (uint64_t n = rng_below(&r, 100); n; n--)
		random_sample(p, &r);
	for (uint64_t n = rng_below(&r, 4); n; n--)
		profile_add_comment(p, profile_str(p, any_string(p, &r)));
	p->period_type.type = any_string(p, &r);
	p->period_type.unit = any_string(p, &r);
	p->period = any_number(&r);
	p->time_nanos = any_number(&r);
	p->duration_nanos = any_number(&r);
	p->default_sample_type = any_string(p, &r);
	p->drop_frames = any_string(p, &r);
	p->keep_frames = any_string(p, &r);
	p->doc_url = any_string(p, &r);
	return p;
}

void fixture_encode(struct buf *out, const struct profile *p,
		    enum profile_encoding encoding)
{
	struct err e;
	const struct sink sink = sink_buf(out);
	if (profile_encode(p, encoding, &sink, &e)) {
		fprintf(stderr, "fixture_encode: %s\n", e.text);
		abort();
	}
}

/* ---- comparison ---------------------------------------------------------- */

struct comparison {
	const struct profile *a, *b;
	char *why;
	bool differ;
};

static void note(struct comparison *c, const char *what, size_t row, int64_t x,
		 int64_t y)
{
	if (c->differ || x == y)
		return;
	c->differ = true;
	snprintf(c->why, FIXTURE_TEXT, "%s %zu: %" PRId64 ", %" PRId64, what,
		 row, x, y);
}

static void note_str(struct comparison *c, const char *what, size_t row,
		     uint32_t x, uint32_t y)
{
	const size_t len = profile_str_len(c->a, x);
	if (c->differ ||
	    (len == profile_str_len(c->b, y) &&
	     !memcmp(profile_str(c->a, x), profile_str(c->b, y), len)))
		return;
	c->differ = true;
	snprintf(c->why, FIXTURE_TEXT, "%s %zu: \"%.60s\", \"%.60s\"", what,
		 row, profile_str(c->a, x), profile_str(c->b, y));
}

static void compare_header(struct comparison *c)
{
	const struct profile *a = c->a, *b = c->b;
	note(c, "sample types", 0, (int64_t)a->n_sample_types,
	     (int64_t)b->n_sample_types);
	note(c, "mappings", 0, (int64_t)a->n_mappings, (int64_t)b->n_mappings);
	note(c, "functions", 0, (int64_t)a->n_functions,
	     (int64_t)b->n_functions);
	note(c, "locations", 0, (int64_t)a->n_locations,
	     (int64_t)b->n_locations);
	note(c, "samples", 0, (int64_t)a->n_samples, (int64_t)b->n_samples);
	note(c, "comments", 0, (int64_t)a->n_comments, (int64_t)b->n_comments);
	note(c, "period", 0, a->period, b->period);
	note(c, "time", 0, a->time_nanos, b->time_nanos);
	note(c, "duration", 0, a->duration_nanos, b->duration_nanos);
	note_str(c, "period type", 0, a->period_type.type, b->period_type.type);
	note_str(c, "period unit", 0, a->period_type.unit, b->period_type.unit);
	note_str(c, "default", 0, a->default_sample_type,
		 b->default_sample_type);
	note_str(c, "drop", 0, a->drop_frames, b->drop_frames);
	note_str(c, "keep", 0, a->keep_frames, b->keep_frames);
	note_str(c, "doc_url", 0, a->doc_url, b->doc_url);
	if (c->differ)
		return;
	for (size_t i = 0; i < a->n_sample_types; i++) {
		note_str(c, "type", i, a->sample_types[i].type,
			 b->sample_types[i].type);
		note_str(c, "unit", i, a->sample_types[i].unit,
			 b->sample_types[i].unit);
	}
	for (size_t i = 0; i < a->n_comments; i++)
		note_str(c, "comment", i, a->comments[i], b->comments[i]);
}

static void compare_mapping(struct comparison *c, size_t i)
{
	const struct profile_mapping *x = &c->a->mappings[i];
	const struct profile_mapping *y = &c->b->mappings[i];
	note(c, "mapping start", i, (int64_t)x->start, (int64_t)y->start);
	note(c, "mapping limit", i, (int64_t)x->limit, (int64_t)y->limit);
	note(c, "mapping offset", i, (int64_t)x->offset, (int64_t)y->offset);
	note_str(c, "mapping file", i, x->filename, y->filename);
	note_str(c, "build id", i, x->build_id, y->build_id);
	note(c, "has_functions", i, x->has_functions, y->has_functions);
	note(c, "has_filenames", i, x->has_filenames, y->has_filenames);
	note(c, "has_lines", i, x->has_line_numbers, y->has_line_numbers);
	note(c, "has_inline", i, x->has_inline_frames, y->has_inline_frames);
}

static void compare_function(struct comparison *c, size_t i)
{
	const struct profile_function *x = &c->a->functions[i];
	const struct profile_function *y = &c->b->functions[i];
	note_str(c, "function", i, x->name, y->name);
	note_str(c, "system name", i, x->system_name, y->system_name);
	note_str(c, "file", i, x->filename, y->filename);
	note(c, "start line", i, x->start_line, y->start_line);
}

static void compare_location(struct comparison *c, size_t i)
{
	const struct profile_location *x = &c->a->locations[i];
	const struct profile_location *y = &c->b->locations[i];
	note(c, "address", i, (int64_t)x->address, (int64_t)y->address);
	note(c, "location's mapping", i, x->mapping, y->mapping);
	note(c, "is_folded", i, x->is_folded, y->is_folded);
	note(c, "lines", i, x->line_count, y->line_count);
	for (uint32_t k = 0; !c->differ && k < x->line_count; k++) {
		const struct profile_line s = c->a->lines[x->line_first + k];
		const struct profile_line t = c->b->lines[y->line_first + k];
		note(c, "line's function", i, s.function, t.function);
		note(c, "line", i, s.line, t.line);
	}
}

static void compare_sample(struct comparison *c, size_t i)
{
	const struct profile *a = c->a, *b = c->b;
	const struct profile_span la = a->sample_locs[i],
				  ma = a->sample_labels[i];
	const struct profile_span lb = b->sample_locs[i],
				  mb = b->sample_labels[i];
	note(c, "depth of sample", i, la.count, lb.count);
	note(c, "labels of sample", i, ma.count, mb.count);
	if (c->differ)
		return;
	for (uint32_t k = 0; k < la.count; k++)
		note(c, "location of sample", i, a->locs[la.first + k],
		     b->locs[lb.first + k]);
	for (size_t t = 0; t < a->n_sample_types; t++)
		note(c, "value of sample", i,
		     a->values[i * a->n_sample_types + t],
		     b->values[i * b->n_sample_types + t]);
	for (uint32_t k = 0; k < ma.count; k++) {
		const struct profile_label *x = &a->labels[ma.first + k];
		const struct profile_label *y = &b->labels[mb.first + k];
		note_str(c, "label key of sample", i, x->key, y->key);
		note_str(c, "label of sample", i, x->str, y->str);
		note(c, "number of sample", i, x->num, y->num);
		note_str(c, "unit of sample", i, x->num_unit, y->num_unit);
	}
}

const char *fixture_difference(const struct profile *a, const struct profile *b,
			       char why[static FIXTURE_TEXT])
{
	struct comparison c = { .a = a, .b = b, .why = why };
	compare_header(&c);
	for (size_t i = 0; !c.differ && i < a->n_mappings; i++)
		compare_mapping(&c, i);
	for (size_t i = 0; !c.differ && i < a->n_functions; i++)
		compare_function(&c, i);
	for (size_t i = 0; !c.differ && i < a->n_locations; i++)
		compare_location(&c, i);
	for (size_t i = 0; !c.differ && i < a->n_samples; i++)
		compare_sample(&c, i);
	return c.differ ? why : NULL;
}
