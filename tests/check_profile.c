/*
 * check_profile.c - the model and the encoder, with protobuf-c as the oracle in
 * both directions.
 */
#include "tests/testing.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/sink.h"
#include "profile/decode.h"
#include "profile/encode.h"
#include "profile/profile.h"
#include "profile/profile.pb-c.h"
#include "tests/profile_fixture.h"

#include <inttypes.h>
#include <string.h>

enum { SEEDS = 200 };

/* ---- the model ----------------------------------------------------------- */

START_TEST(strings)
{
	struct profile *p = profile_new();
	ck_assert_uint_eq(profile_n_strings(p), 1);
	ck_assert_str_eq(profile_str(p, 0), "");
	ck_assert_uint_eq(profile_intern(p, ""), 0);
	const uint32_t a = profile_intern(p, "alpha");
	const char *text = profile_str(p, a);
	ck_assert_uint_eq(a, 1);
	ck_assert_uint_eq(profile_intern_len(p, "alphabet", 5), a);
	const uint32_t nul = profile_intern_len(p, "a\0b", 3);
	ck_assert_uint_ne(nul, profile_intern(p, "a"));
	ck_assert_uint_eq(profile_str_len(p, nul), 3);
	ck_assert_int_eq(memcmp(profile_str(p, nul), "a\0b", 4), 0);
	for (int i = 0; i < 5000; i++) {
		char s[16];
		snprintf(s, sizeof(s), "s%d", i);
		ck_assert_uint_eq(profile_intern(p, s), 4 + (uint32_t)i);
	}
	ck_assert_ptr_eq(profile_str(p, a), text); /* texts do not move */
	ck_assert_uint_eq(profile_find_str(p, "s4999"), 5003);
	ck_assert_uint_eq(profile_find_str(p, "never"), PROFILE_NONE);
	ck_assert_str_eq(profile_str(p, 99999), "");
	ck_assert_uint_eq(profile_str_len(p, PROFILE_NONE), 0);
	profile_free(p);
	profile_free(NULL);
}
END_TEST

/* Two profiles, for both get the same byte. */
static const struct nuls {
	const char *name, *first, *second; /* with @ for NUL */
	char byte;
} nuls[] = {
	{ "none", "a", "b", '\0' },
	{ "one", "a@b", "b", '\1' },
	{ "in the other", "a", "@b@", '\1' },
	{ "alone", "@", "", '\1' },
	{ "1 is in use", "a@\1b", "b", '\2' },
	{ "6 is the last before 14", "@\1\2\3", "\4\5\6", '\16' },
	{ "none to spare",
	  "@\1\2\3\4\5\6\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35",
	  "\36\37", '\0' },
};

/* A profile that has the text, and the text itself. */
static struct profile *with_text(const char *text, struct buf *ret_text)
{
	struct profile *p = profile_new();
	for (const char *s = text; *s; s++)
		buf_append_char(ret_text, *s == '@' ? '\0' : *s);
	p->doc_url = profile_intern_len(p, buf_str(ret_text), ret_text->len);
	return p;
}

START_TEST(nuls_are_hidden)
{
	const struct nuls *row = &nuls[_i];
	struct buf texts[2] = { 0 };
	struct profile *ps[2] = { with_text(row->first, &texts[0]),
				  with_text(row->second, &texts[1]) };
	const char byte = profile_hide_nuls(ps, 2);
	ck_assert_msg(byte == row->byte, "%s: %d", row->name, byte);
	for (int i = 0; i < 2; i++) {
		const uint32_t string = ps[i]->doc_url;
		const char *text = profile_str(ps[i], string);
		ck_assert_int_eq(profile_nul_byte(ps[i]), byte);
		ck_assert_uint_eq(profile_str_len(ps[i], string), texts[i].len);
		if (byte)
			ck_assert_msg(strlen(text) == texts[i].len &&
					      profile_find_str(ps[i], text) ==
						      string,
				      "%s: \"%s\"", row->name, text);
		/* Written, they are back. */
		struct buf wire = { 0 };
		struct err e = { "" };
		const struct sink sink = sink_buf(&wire);
		ck_assert_int_eq(
			profile_encode(ps[i], PROFILE_PLAIN, &sink, &e), 0);
		ck_assert_msg(memmem(buf_str(&wire), wire.len,
				     buf_str(&texts[i]), texts[i].len),
			      "%s: text %d", row->name, i);
		buf_free(&wire);
		buf_free(&texts[i]);
		profile_free(ps[i]);
	}
}
END_TEST

START_TEST(building_refuses)
{
	struct profile *p = fixture_rich();
	const struct profile_mapping m = { .filename = 9999 };
	const struct profile_function f = { .name = 9999 };
	const struct profile_line l = { .function = 9 };
	const uint32_t loc = 9;
	const int64_t values[2] = { 1, 2 };
	const struct profile_label both = { .str = 1, .num = 1 };
	const struct profile_label unknown = { .key = 9999 };
	ck_assert_uint_eq(profile_add_mapping(p, &m), PROFILE_NONE);
	ck_assert_uint_eq(profile_add_function(p, &f), PROFILE_NONE);
	ck_assert_uint_eq(profile_add_location(p, 9, 0, NULL, 0), PROFILE_NONE);
	ck_assert_uint_eq(profile_add_location(p, 0, 0, &l, 1), PROFILE_NONE);
	ck_assert_uint_eq(profile_add_sample(p, &loc, 1, values, NULL, 0),
			  PROFILE_NONE);
	ck_assert_uint_eq(profile_add_sample(p, NULL, 0, values, &both, 1),
			  PROFILE_NONE);
	ck_assert_uint_eq(profile_add_sample(p, NULL, 0, values, &unknown, 1),
			  PROFILE_NONE);
	/* The values are laid out already. */
	ck_assert_uint_eq(profile_add_sample_type(p, "a", "b"), PROFILE_NONE);
	struct profile *same = fixture_rich();
	char why[FIXTURE_TEXT];
	ck_assert_ptr_null(fixture_difference(p, same, why));
	profile_free(same);
	profile_free(p);
}
END_TEST

START_TEST(functions_once)
{
	struct profile *p = profile_new();
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 1000; i++) {
			const struct profile_function f = { .start_line = i };
			ck_assert_uint_eq(profile_add_function(p, &f), i);
		}
	}
	ck_assert_uint_eq(p->n_functions, 1000);
	ck_assert_uint_eq(profile_sample_type(p, "cpu"), PROFILE_NONE);
	profile_add_sample_type(p, "samples", "count");
	profile_add_sample_type(p, "cpu", "nanoseconds");
	ck_assert_uint_eq(profile_sample_type(p, "cpu"), 1);
	profile_free(p);
}
END_TEST

START_TEST(copy_is_deep)
{
	struct profile *p = fixture_rich(), *copy = profile_copy(p);
	char why[FIXTURE_TEXT];
	const char *differs = fixture_difference(p, copy, why);
	ck_assert_msg(!differs, "%s", differs);
	copy->values[0] = 7;
	ck_assert_int_eq(p->values[0], 1);
	profile_free(p);
	ck_assert_str_eq(profile_str(copy, copy->drop_frames), "malloc|free");
	profile_free(copy);
	p = profile_new();
	copy = profile_copy(p);
	ck_assert_ptr_null(fixture_difference(p, copy, why));
	profile_free(p);
	profile_free(copy);
}
END_TEST

/* Each breaks the rich profile in one way. */
#define BREAK(name, statement)                                                 \
	static void break_##name(struct profile *p)                            \
	{                                                                      \
		statement;                                                     \
	}
BREAK(types, p->n_sample_types = 0)
BREAK(span, p->sample_locs[1].count = 1000)
BREAK(loc, p->locs[2] = 4)
BREAK(label_key, p->labels[0].key = 9999)
BREAK(label_both, p->labels[0].num = 1)
BREAK(mapping, p->locations[0].mapping = 2)
BREAK(limit, p->mappings[0].limit = 1)
BREAK(function, p->lines[0].function = PROFILE_NONE)
BREAK(string, p->functions[2].filename = 9999)
BREAK(lines, p->locations[0].line_first = UINT32_MAX)
BREAK(comment, p->comments[1] = 9999)
BREAK(url, p->doc_url = 9999)

static const struct {
	const char *name;
	void (*break_it)(struct profile *);
	const char *text;
} broken[] = {
	{ "types", break_types, "missing sample type information" },
	{ "span", break_span, "sample 1: rows 5 and 1000 more of 6" },
	{ "loc", break_loc, "sample has nil location: 4 of 4" },
	{ "label key", break_label_key, "label 0: string 9999 of " },
	{ "label both", break_label_both,
	  "label 0 (thread) is both a string and a number" },
	{ "mapping", break_mapping, "location 0: mapping 2 of 2" },
	{ "limit", break_limit,
	  "mapping 0 starts at 0x400000, after its limit 0x1" },
	{ "function", break_function, "line 0 has nil function: 4294967295" },
	{ "string", break_string, "function 2: string 9999 of " },
	{ "lines", break_lines, "location 0: rows 4294967295 and 2 more" },
	{ "comment", break_comment, "comment 1: string 9999 of " },
	{ "url", break_url, "doc_url 0: string 9999 of " },
};

static int count_writes(void *arg, const void *data, size_t len)
{
	(void)data;
	(void)len;
	++*(int *)arg;
	return 0;
}

START_TEST(validation)
{
	struct profile *p = fixture_rich();
	struct err e = { "" };
	int writes = 0;
	const struct sink sink = { count_writes, &writes };
	ck_assert_int_eq(profile_validate(p, &e), 0);
	broken[_i].break_it(p);
	ck_assert_int_eq(profile_validate(p, &e), ERR_FORMAT);
	ck_assert_msg(!strncmp(e.text, "malformed profile: ", 19) &&
			      strstr(e.text, broken[_i].text),
		      "%s: %s", broken[_i].name, e.text);
	/* What is not valid is not written. */
	ck_assert_int_eq(profile_encode(p, PROFILE_PLAIN, &sink, &e),
			 ERR_FORMAT);
	ck_assert_int_eq(writes, 0);
	profile_free(p);
}
END_TEST

/* ---- round trips --------------------------------------------------------- */

static struct profile *decode(const struct buf *b)
{
	struct err e;
	struct profile *p = NULL;
	const int rc = profile_decode(b->data, b->len, NULL, &p, &e);
	ck_assert_msg(!rc, "%s", e.text);
	ck_assert_msg(!profile_validate(p, &e), "%s", e.text);
	return p;
}

START_TEST(round_trip_every_field)
{
	for (int encoding = PROFILE_GZIP; encoding <= PROFILE_PLAIN;
	     encoding++) {
		struct buf b = { 0 };
		char why[FIXTURE_TEXT];
		struct profile *p = fixture_rich();
		fixture_encode(&b, p, encoding);
		ck_assert_int_eq(b.data[0] == 0x1f, encoding == PROFILE_GZIP);
		struct profile *q = decode(&b);
		const char *differs = fixture_difference(p, q, why);
		ck_assert_msg(!differs, "%s", differs);
		profile_free(p);
		profile_free(q);
		buf_free(&b);
	}
}
END_TEST

/* Larger than every block on the way, one string of a megabyte included. */
START_TEST(round_trip_large)
{
	struct profile *p = profile_new();
	struct rng r;
	rng_seed(&r, 4);
	char *mega = malloc(1 << 20);
	ck_assert_ptr_nonnull(mega);
	for (int i = 0; i < 1 << 20; i++)
		mega[i] = (char)rng_u64(&r);
	profile_add_sample_type(p, "samples", "count");
	const struct profile_function f = { .name = profile_intern_len(
						    p, mega, 1 << 20) };
	profile_add_function(p, &f);
	for (uint32_t i = 0; i < 30000; i++)
		profile_add_location(
			p, PROFILE_NONE, rng_u64(&r),
			&(struct profile_line){ 0, (int64_t)rng_u64(&r) }, 1);
	for (int i = 0; i < 20000; i++) {
		uint32_t locs[20];
		for (int k = 0; k < 20; k++)
			locs[k] = (uint32_t)rng_below(&r, 30000);
		profile_add_sample(p, locs, 20, &(int64_t){ i }, NULL, 0);
	}
	for (int encoding = PROFILE_GZIP; encoding <= PROFILE_PLAIN;
	     encoding++) {
		struct buf b = { 0 };
		char why[FIXTURE_TEXT];
		fixture_encode(&b, p, encoding);
		ck_assert_uint_gt(b.len, 1 << 20);
		struct profile *q = decode(&b);
		const char *differs = fixture_difference(p, q, why);
		ck_assert_msg(!differs, "%s", differs);
		profile_free(q);
		buf_free(&b);
	}
	free(mega);
	profile_free(p);
}
END_TEST

static int fail_third(void *arg, const void *data, size_t len)
{
	(void)data;
	(void)len;
	return ++*(int *)arg == 3 ? ERR_CANCELLED : 0;
}

START_TEST(sink_errors_end_it)
{
	struct profile *p = profile_new();
	profile_add_sample_type(p, "samples", "count");
	for (int i = 0; i < 100000; i++)
		profile_add_sample(p, NULL, 0,
				   &(int64_t){ INT64_C(1000003) * i }, NULL, 0);
	for (int encoding = PROFILE_GZIP; encoding <= PROFILE_PLAIN;
	     encoding++) {
		int writes = 0;
		struct err e = { "" };
		const struct sink sink = { fail_third, &writes };
		ck_assert_int_eq(profile_encode(p, encoding, &sink, &e),
				 ERR_CANCELLED);
		ck_assert_int_eq(writes, 3);
		ck_assert_ptr_nonnull(strstr(e.text, "cancelled"));
	}
	profile_free(p);
}
END_TEST

/* ---- protobuf-c as the oracle -------------------------------------------- */

typedef Perftools__Profiles__Profile Message; /* the generated name is long */

/* Check writes down each assertion that it meets: too many, here. */
#define EQUAL(ours, theirs)                                                    \
	do {                                                                   \
		if ((uint64_t)(ours) != (uint64_t)(theirs))                    \
			ck_abort_msg("%s is not %s", #ours, #theirs);          \
	} while (0)

static void same_string(const struct profile *p, uint32_t ours,
			const Message *m, int64_t theirs)
{
	if (theirs >= (int64_t)m->n_string_table ||
	    strcmp(profile_str(p, ours), m->string_table[theirs]) != 0)
		ck_abort_msg("our string %u is not theirs, %" PRId64, ours,
			     theirs);
}

static void same_tables(const struct profile *p, const Message *m)
{
	EQUAL(p->n_mappings, m->n_mapping);
	for (size_t i = 0; i < p->n_mappings; i++) {
		const struct profile_mapping *a = &p->mappings[i];
		EQUAL(a->start, m->mapping[i]->memory_start);
		EQUAL(a->limit, m->mapping[i]->memory_limit);
		EQUAL(a->offset, m->mapping[i]->file_offset);
		same_string(p, a->filename, m, m->mapping[i]->filename);
		same_string(p, a->build_id, m, m->mapping[i]->build_id);
		EQUAL(a->has_functions, m->mapping[i]->has_functions);
		EQUAL(a->has_filenames, m->mapping[i]->has_filenames);
		EQUAL(a->has_line_numbers, m->mapping[i]->has_line_numbers);
		EQUAL(a->has_inline_frames, m->mapping[i]->has_inline_frames);
	}
	EQUAL(p->n_functions, m->n_function);
	for (size_t i = 0; i < p->n_functions; i++) {
		const struct profile_function *a = &p->functions[i];
		same_string(p, a->name, m, m->function[i]->name);
		same_string(p, a->system_name, m, m->function[i]->system_name);
		same_string(p, a->filename, m, m->function[i]->filename);
		EQUAL(a->start_line, m->function[i]->start_line);
	}
}

/* The index of an id, by looking at all of them. */
#define INDEX_OF(rows, n, wanted, ret)                                         \
	for (ret = 0; ret < (n) && (rows)[ret]->id != (wanted); ret++)         \
		;

static void same_locations(const struct profile *p, const Message *m)
{
	EQUAL(p->n_locations, m->n_location);
	for (size_t i = 0; i < p->n_locations; i++) {
		const struct profile_location *a = &p->locations[i];
		const Perftools__Profiles__Location *b = m->location[i];
		size_t at;
		EQUAL(a->address, b->address);
		EQUAL(a->is_folded, b->is_folded);
		if (b->mapping_id) {
			INDEX_OF(m->mapping, m->n_mapping, b->mapping_id, at);
			EQUAL(a->mapping, at);
		} else {
			EQUAL(a->mapping, PROFILE_NONE);
		}
		EQUAL(a->line_count, b->n_line);
		for (size_t k = 0; k < b->n_line; k++) {
			const struct profile_line *l =
				&p->lines[a->line_first + k];
			INDEX_OF(m->function, m->n_function,
				 b->line[k]->function_id, at);
			EQUAL(l->function, at);
			EQUAL(l->line, b->line[k]->line);
		}
	}
}

static void same_samples(const struct profile *p, const Message *m)
{
	EQUAL(p->n_samples, m->n_sample);
	for (size_t i = 0; i < p->n_samples; i++) {
		const Perftools__Profiles__Sample *b = m->sample[i];
		const struct profile_span s = p->sample_locs[i];
		const struct profile_span t = p->sample_labels[i];
		EQUAL(s.count, b->n_location_id);
		for (size_t k = 0; k < s.count; k++) {
			size_t at;
			INDEX_OF(m->location, m->n_location, b->location_id[k],
				 at);
			EQUAL(p->locs[s.first + k], at);
		}
		EQUAL(p->n_sample_types, b->n_value);
		for (size_t k = 0; k < b->n_value; k++)
			EQUAL(p->values[i * p->n_sample_types + k],
			      b->value[k]);
		EQUAL(t.count, b->n_label);
		for (size_t k = 0; k < t.count; k++) {
			const struct profile_label *l = &p->labels[t.first + k];
			same_string(p, l->key, m, b->label[k]->key);
			same_string(p, l->str, m, b->label[k]->str);
			same_string(p, l->num_unit, m, b->label[k]->num_unit);
			EQUAL(l->num, b->label[k]->num);
		}
	}
}

static void same_as_message(const struct profile *p, const Message *m)
{
	EQUAL(p->n_sample_types, m->n_sample_type);
	for (size_t i = 0; i < p->n_sample_types; i++) {
		same_string(p, p->sample_types[i].type, m,
			    m->sample_type[i]->type);
		same_string(p, p->sample_types[i].unit, m,
			    m->sample_type[i]->unit);
	}
	same_tables(p, m);
	same_locations(p, m);
	same_samples(p, m);
	EQUAL(p->n_comments, m->n_comment);
	for (size_t i = 0; i < p->n_comments; i++)
		same_string(p, p->comments[i], m, m->comment[i]);
	if (m->period_type) {
		same_string(p, p->period_type.type, m, m->period_type->type);
		same_string(p, p->period_type.unit, m, m->period_type->unit);
	} else {
		EQUAL(p->period_type.type, 0);
		EQUAL(p->period_type.unit, 0);
	}
	EQUAL(p->period, m->period);
	EQUAL(p->time_nanos, m->time_nanos);
	EQUAL(p->duration_nanos, m->duration_nanos);
	same_string(p, p->default_sample_type, m, m->default_sample_type);
	same_string(p, p->drop_frames, m, m->drop_frames);
	same_string(p, p->keep_frames, m, m->keep_frames);
	same_string(p, p->doc_url, m, m->doc_url);
}

static Message *unpack(const struct buf *b)
{
	return perftools__profiles__profile__unpack(NULL, b->len,
						    (uint8_t *)b->data);
}

/* What we write: protobuf-c reads it so, and would have written the same. */
static void check_writing(const struct profile *p)
{
	struct buf b = { 0 };
	fixture_encode(&b, p, PROFILE_PLAIN);
	Message *m = unpack(&b);
	ck_assert_ptr_nonnull(m);
	same_as_message(p, m);
	const size_t len = perftools__profiles__profile__get_packed_size(m);
	uint8_t *packed = malloc(len + 1);
	ck_assert_ptr_nonnull(packed);
	perftools__profiles__profile__pack(m, packed);
	ck_assert_uint_eq(len, b.len);
	ck_assert_int_eq(memcmp(packed, b.data, len), 0);
	free(packed);
	perftools__profiles__profile__free_unpacked(m, NULL);
	buf_free(&b);
}

/* Ids that are 1..n in order, any dense ones, and any at all. */
static uint64_t new_id(uint64_t old, int kind)
{
	if (!old || kind == 0)
		return old;
	return kind == 1 ? (old ^ 1) + 4 : old * UINT64_C(0x9e3779b97f4a7c15);
}

static void renumber(Message *m, int kind)
{
	for (size_t i = 0; i < m->n_mapping; i++)
		m->mapping[i]->id = new_id(m->mapping[i]->id, kind);
	for (size_t i = 0; i < m->n_function; i++)
		m->function[i]->id = new_id(m->function[i]->id, kind);
	for (size_t i = 0; i < m->n_location; i++) {
		Perftools__Profiles__Location *l = m->location[i];
		l->id = new_id(l->id, kind);
		l->mapping_id = new_id(l->mapping_id, kind);
		for (size_t k = 0; k < l->n_line; k++)
			l->line[k]->function_id =
				new_id(l->line[k]->function_id, kind);
	}
	for (size_t i = 0; i < m->n_sample; i++)
		for (size_t k = 0; k < m->sample[i]->n_location_id; k++)
			m->sample[i]->location_id[k] =
				new_id(m->sample[i]->location_id[k], kind);
}

/* What protobuf-c writes: we read it so. */
static void check_reading(const struct profile *p, int kind)
{
	struct buf b = { 0 };
	fixture_encode(&b, p, PROFILE_PLAIN);
	Message *m = unpack(&b);
	renumber(m, kind);
	const size_t len = perftools__profiles__profile__get_packed_size(m);
	buf_clear(&b);
	ck_assert_int_eq(buf_reserve(&b, len), 0);
	b.len = len;
	perftools__profiles__profile__pack(m, (uint8_t *)b.data);
	struct profile *q = decode(&b);
	same_as_message(q, m);
	profile_free(q);
	perftools__profiles__profile__free_unpacked(m, NULL);
	buf_free(&b);
}

START_TEST(oracle)
{
	/* The rich one's odd bytes and all; then many of any shape. */
	struct profile *p = fixture_rich();
	check_writing(p);
	for (int kind = 0; kind < 3; kind++)
		check_reading(p, kind);
	profile_free(p);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		p = fixture_random(seed);
		check_writing(p);
		check_reading(p, (int)(seed % 3));
		profile_free(p);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *model = tcase_create("model");
	tcase_add_test(model, strings);
	testing_add_table(model, nuls_are_hidden, nuls);
	tcase_add_test(model, building_refuses);
	tcase_add_test(model, functions_once);
	tcase_add_test(model, copy_is_deep);
	testing_add_table(model, validation, broken);
	suite_add_tcase(suite, model);
	TCase *wire = tcase_create("wire");
	tcase_set_timeout(wire, 60);
	tcase_add_test(wire, round_trip_every_field);
	tcase_add_test(wire, round_trip_large);
	tcase_add_test(wire, sink_errors_end_it);
	tcase_add_test(wire, oracle);
	suite_add_tcase(suite, wire);
	return testing_run(suite);
}
