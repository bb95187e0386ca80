/*
 * check_writer.c - stacks into a profile: addresses, mappings, flags, losses,
 * order; what is unloaded keeps its names; every allocation may fail.
 */
#include "pprof/freeze.h"
#include "pprof/label.h"
#include "pprof/lost.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"
#include "tests/alloc_count.h"
#include "tests/testing.h"

#include "base/attr.h"
#include "base/err.h"
#include "symbol/maps.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <string.h>

static const struct writer_sample_type types[] = {
	{ "things", "count" },
	{ "size", "bytes" },
};
static const struct writer_options options = {
	.sample_types = types,
	.n_sample_types = 2,
	.period_type = { "size", "bytes" },
	.period = 7,
	.default_sample_type = "size",
};

static struct writer *begin(void)
{
	struct writer *w = NULL;
	struct err e = { "" };
	ck_assert_msg(writer_begin(&options, &w, &e) == 0, "%s", e.text);
	return w;
}

static struct profile *finish(struct writer *w)
{
	struct profile *p = NULL;
	struct err e = { "" };
	ck_assert_msg(writer_finish(w, &p, &e) == 0, "%s", e.text);
	return p;
}

static uintptr_t pcs[STACK_DEPTH_MAX];

ON_STACK static struct stack here(void)
{
	const struct unwound u =
		unwind_from_here(UNWIND_LIBGCC, 0, pcs, STACK_DEPTH_MAX);
	return (struct stack){ .pcs = pcs, .depth = (uint32_t)u.depth };
}

/* The name of frame i of sample s; "" where it has none. */
static const char *name_at(const struct profile *p, size_t s, uint32_t i)
{
	const struct profile_location *l =
		&p->locations[p->locs[p->sample_locs[s].first + i]];
	if (l->line_count == 0)
		return "";
	const struct profile_line *last =
		&p->lines[l->line_first + l->line_count - 1];
	return profile_str(p, p->functions[last->function].name);
}

static const struct profile_location *location_at(const struct profile *p,
						  size_t s, uint32_t i)
{
	return &p->locations[p->locs[p->sample_locs[s].first + i]];
}

/* ---- one stack
 * ------------------------------------------------------------------- */

START_TEST(calls_are_at_pc_minus_one)
{
	struct writer *w = begin();
	struct stack s = here();
	const int64_t values[] = { 2, 20 };
	writer_add(w, &s, 0, values, NULL, 0);
	s.exact_leaf = true;
	const int64_t fewer[] = { 1, 10 };
	writer_add(w, &s, 0, fewer, NULL, 0);
	struct profile *p = finish(w);
	ck_assert_uint_eq(p->n_samples, 2);
	for (uint32_t i = 0; i < s.depth; i++)
		ck_assert_uint_eq(location_at(p, 0, i)->address, pcs[i] - 1);
	ck_assert_uint_eq(location_at(p, 1, 0)->address, pcs[0]);
	/* The frames behind an exact leaf are the same locations. */
	ck_assert_ptr_eq(location_at(p, 1, 1), location_at(p, 0, 1));
	ck_assert_str_eq(name_at(p, 0, 0), "calls_are_at_pc_minus_one_fn");
	ck_assert_str_eq(name_at(p, 0, s.depth - 1), "_start");
	ck_assert_uint_eq(p->n_locations, s.depth + 1);

	ck_assert_str_eq(profile_str(p, p->period_type.type), "size");
	ck_assert_int_eq(p->period, 7);
	ck_assert_str_eq(profile_str(p, p->default_sample_type), "size");
	profile_free(p);
}
END_TEST

START_TEST(the_first_mapping_is_the_program)
{
	struct maps m;
	ck_assert_int_eq(maps_read(0, &m, NULL), 0);
	const struct maps_row *main_row = maps_main(&m);
	ck_assert_ptr_nonnull(main_row);
	char hex[2 * MAPS_BUILD_ID_MAX + 1];
	maps_build_id_hex(main_row, hex);

	/* Only libc is sampled. */
	struct writer *w = begin();
	const uintptr_t pc = (uintptr_t)gnu_get_libc_version + 1;
	const struct stack s = { .pcs = &pc, .depth = 1 };
	writer_add(w, &s, 0, (int64_t[]){ 1, 1 }, NULL, 0);
	struct profile *p = finish(w);
	ck_assert_uint_eq(p->n_mappings, 2);
	ck_assert_uint_eq(p->mappings[0].start, main_row->start);
	ck_assert_uint_eq(p->mappings[0].limit, main_row->limit);
	ck_assert_str_eq(profile_str(p, p->mappings[0].filename),
			 main_row->path);
	ck_assert_str_eq(profile_str(p, p->mappings[0].build_id), hex);
	ck_assert_uint_ge(strlen(hex), 16);
	ck_assert_uint_eq(location_at(p, 0, 0)->mapping, 1);
	ck_assert_ptr_nonnull(strstr(name_at(p, 0, 0), "gnu_get_libc_version"));
	ck_assert_ptr_nonnull(
		strstr(profile_str(p, p->mappings[1].filename), "libc.so"));
	profile_free(p);
	maps_free(&m);
}
END_TEST

/* ---- flags
 * ----------------------------------------------------------------------- */

static uintptr_t main_limit(void)
{
	struct maps m;
	ck_assert_int_eq(maps_read(0, &m, NULL), 0);
	const uintptr_t limit = maps_main(&m)->limit;
	maps_free(&m);
	return limit;
}

START_TEST(flags_are_all_or_none)
{
	/* 0: all known; 1: an address of the program that has no function. */
	struct writer *w = begin();
	struct stack s = here();
	if (_i == 1)
		pcs[0] = main_limit();
	writer_add(w, &s, 0, (int64_t[]){ 1, 1 }, NULL, 0);
	struct profile *p = finish(w);
	for (size_t i = 0; i < p->n_mappings; i++) {
		const struct profile_mapping *m = &p->mappings[i];
		ck_assert(m->has_functions == m->has_filenames);
		ck_assert(m->has_functions == m->has_line_numbers);
		ck_assert(m->has_functions == m->has_inline_frames);
	}
	/* _start, which has no line, does not spoil it. */
	ck_assert_int_eq(p->mappings[0].has_functions, _i == 0);
	if (_i == 1) {
		ck_assert_uint_eq(location_at(p, 0, 0)->line_count, 0);
		ck_assert_uint_eq(location_at(p, 0, 0)->mapping, 0);
	}
	profile_free(p);
}
END_TEST

START_TEST(nowhere_stays_an_address)
{
	struct writer *w = begin();
	const uintptr_t pc = 0x1235;
	const struct stack s = { .pcs = &pc, .depth = 1 };
	writer_add(w, &s, 0, (int64_t[]){ 1, 1 }, NULL, 0);
	struct profile *p = finish(w);
	ck_assert_uint_eq(p->n_samples, 1);
	ck_assert_uint_eq(location_at(p, 0, 0)->address, 0x1234);
	ck_assert_uint_eq(location_at(p, 0, 0)->mapping, PROFILE_NONE);
	profile_free(p);
}
END_TEST

/* ---- samples
 * --------------------------------------------------------------------- */

START_TEST(order_zeroes_and_markers)
{
	struct writer *w = begin();
	struct stack s = here();
	/* Each told apart by a label, but for the last. */
	const struct {
		int64_t values[2], label;
	} rows[] = {
		{ { 9, 1 }, 1 },  { { 1, 50 }, 2 }, { { 0, 0 }, 3 },
		{ { 5, -3 }, 4 }, { { 1, 50 }, 5 }, { { 2, 10 }, 5 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct profile_label label = {
			.key = profile_intern(writer_profile(w), "row"),
			.num = rows[i].label,
		};
		writer_add(w, &s, 0, rows[i].values, &label, 1);
	}
	s.truncated = true;
	writer_add(w, &s, 0, (int64_t[]){ 1, 100 }, NULL, 0);
	writer_add_named(w, "_ThreadExit", &s, 0, (int64_t[]){ 1, 99 });
	writer_add_named(w, "_Alone", NULL, 0, (int64_t[]){ 1, 98 });
	writer_comment(w, "rate %d Hz", 100);
	struct profile *p = finish(w);

	ck_assert_uint_eq(p->n_samples, 7);
	static const int64_t sorted[] = { 100, 99, 98, 60, 50, 1, -3 };
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		ck_assert_int_eq(p->values[2 * i + 1], sorted[i]);
	ck_assert_uint_eq(p->sample_locs[0].count, s.depth + 1);
	ck_assert_str_eq(name_at(p, 0, s.depth), "_StackTruncated");
	ck_assert_str_eq(name_at(p, 1, 0), "_ThreadExit");
	ck_assert_str_eq(name_at(p, 1, 1), "order_zeroes_and_markers_fn");
	ck_assert_str_eq(name_at(p, 1, s.depth + 1), "_StackTruncated");
	ck_assert_uint_eq(p->sample_locs[2].count, 1);
	ck_assert_str_eq(name_at(p, 2, 0), "_Alone");
	ck_assert_uint_eq(p->n_comments, 1);
	ck_assert_str_eq(profile_str(p, p->comments[0]), "rate 100 Hz");
	profile_free(p);
}
END_TEST

START_TEST(labels_of_both_sorts)
{
	const struct pprof_label own[] = { { "route", "/x" }, { "empty", "" } };
	const int64_t set = label_set_intern(own, 2);
	ck_assert_int_gt(set, 0);
	struct writer *w = begin();
	const struct stack s = here();
	const struct profile_label extra = {
		.key = profile_intern(writer_profile(w), "bytes"),
		.num = 64,
	};
	writer_add(w, &s, (uint32_t)set, (int64_t[]){ 1, 1 }, &extra, 1);
	struct profile *p = finish(w);
	ck_assert_uint_eq(p->sample_labels[0].count, 2);
	ck_assert_str_eq(profile_str(p, p->labels[0].key), "route");
	ck_assert_str_eq(profile_str(p, p->labels[0].str), "/x");
	ck_assert_str_eq(profile_str(p, p->labels[1].key), "bytes");
	ck_assert_int_eq(p->labels[1].num, 64);
	profile_free(p);
}
END_TEST

START_TEST(losses_are_samples)
{
	struct stack_table *t;
	ck_assert_int_eq(stack_table_new(NULL, &t), 0);
	struct stack_snapshot since, until;
	lost_add(stack_table_lost(t), LOST_REENTRY, 1, 10);
	ck_assert_int_eq(stack_snapshot_take(t, &since), 0);
	for (enum lost_cause c = 0; c < LOST_CAUSES; c++)
		lost_add(stack_table_lost(t), c, c + 1, 10 * (c + 1));
	const struct stack s = here();
	stack_record_add(stack_table_find(t, &s, 0, 0), 0, 3);
	stack_record_add(stack_table_find(t, &s, 0, 0), 1, 1000);
	ck_assert_int_eq(stack_snapshot_take(t, &until), 0);
	struct writer *w = begin();
	ck_assert_int_eq(writer_add_table(w, t, &since, &until), 0);
	struct profile *p = finish(w);
	ck_assert_uint_eq(p->n_samples, 1 + LOST_CAUSES);
	ck_assert_int_eq(p->values[0], 3);
	ck_assert_int_eq(p->values[1], 1000);
	for (int c = 0; c < LOST_CAUSES; c++) {
		/* Sorted: the last cause first. */
		const size_t at = (size_t)(LOST_CAUSES - c);
		ck_assert_str_eq(name_at(p, at, 0),
				 lost_function((enum lost_cause)c));
		ck_assert_int_eq(p->values[2 * at], c + 1);
		ck_assert_int_eq(p->values[2 * at + 1], 10 * (c + 1));
	}
	ck_assert_uint_eq(p->n_comments, LOST_CAUSES);
	ck_assert_str_eq(profile_str(p, p->comments[0]),
			 "lost table_full: 1 samples");
	profile_free(p);
	stack_snapshot_free(&since);
	stack_snapshot_free(&until);
	stack_table_free(t);
}
END_TEST

START_TEST(options_are_checked)
{
	struct writer *w = NULL;
	struct err e = { "" };
	struct writer_options bad = options;
	bad.n_sample_types = 0;
	ck_assert_int_eq(writer_begin(&bad, &w, &e), ERR_INVALID);
	bad.n_sample_types = WRITER_VALUES_MAX + 1;
	ck_assert_int_eq(writer_begin(&bad, &w, &e), ERR_INVALID);
	ck_assert_str_ne(e.text, "");
	ck_assert_ptr_null(w);
	writer_abort(NULL);
	/* An aborted writer leaves the symbolizer to the next. */
	writer_abort(begin());
	profile_free(finish(begin()));
}
END_TEST

/* ---- unloading
 * ------------------------------------------------------------------- */

typedef void callback(void);

static struct stack_table *table;
static struct stack_record *last_record;

ON_STACK static void record_here(void)
{
	uintptr_t own[STACK_DEPTH_MAX];
	const struct unwound u =
		unwind_from_here(UNWIND_LIBGCC, 0, own, STACK_DEPTH_MAX);
	/* Two frames: the object's function, and who called it. */
	ck_assert_uint_ge(u.depth, 2);
	const struct stack s = { .pcs = own, .depth = 2 };
	last_record = stack_table_find(table, &s, 0, 0);
	stack_record_add(last_record, 0, 1);
}

struct object {
	void *handle;
	void (*entry)(callback *fn);
	uintptr_t start, limit;
};

ON_STACK static void enter(const struct object *o)
{
	o->entry(record_here);
	__asm__ __volatile__("");
}

static struct object load(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/.libs/%s",
		 getenv("top_builddir") ? getenv("top_builddir") : ".", name);
	struct object o = { .handle = dlopen(path, RTLD_NOW) };
	ck_assert_msg(o.handle, "%s", dlerror());
	void (*const *entry)(callback *) =
		(void (*const *)(callback *))dlsym(o.handle, "freeze_entry");
	ck_assert_ptr_nonnull(entry);
	o.entry = *entry;
	struct maps m;
	ck_assert_int_eq(maps_read(0, &m, NULL), 0);
	const struct maps_row *row = maps_find(&m, (uintptr_t)o.entry);
	ck_assert_ptr_nonnull(row);
	o.start = row->start;
	o.limit = row->limit;
	maps_free(&m);
	return o;
}

static int64_t count_of(const struct profile *p, const char *function)
{
	int64_t total = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		if (strcmp(name_at(p, i, 0), function) == 0)
			total += p->values[2 * i];
	return total;
}

static struct profile *write_table(void)
{
	struct stack_snapshot now;
	ck_assert_int_eq(stack_snapshot_take(table, &now), 0);
	struct writer *w = begin();
	ck_assert_int_eq(writer_add_table(w, table, NULL, &now), 0);
	struct profile *p = finish(w);
	stack_snapshot_free(&now);
	return p;
}

static void set_up_table(void)
{
	ck_assert_int_eq(stack_table_new(NULL, &table), 0);
	writer_register_table(table);
}

static void tear_down_table(void)
{
	writer_unregister_table(table);
	stack_table_free(table);
}

START_TEST(the_unloaded_keep_their_names)
{
	/* _i 1: a profile is written before, so that names are known. */
	for (int round = 0; round < 3; round++) {
		const struct object a = load("freeze_a.so");
		enter(&a);
		const struct stack_record *in_a = last_record;
		if (_i == 1)
			profile_free(write_table());
		ck_assert_int_eq(writer_freeze_range(a.start, a.limit), 0);
		ck_assert_int_eq(dlclose(a.handle), 0);

		const struct object b = load("freeze_b.so");
		ck_assert_msg(b.entry == a.entry,
			      "the objects do not lie at the same place");
		enter(&b);
		enter(&b);
		ck_assert_ptr_ne(last_record, in_a);
		ck_assert_int_eq(writer_freeze_range(b.start, b.limit), 0);
		ck_assert_int_eq(dlclose(b.handle), 0);
	}
	struct profile *p = write_table();
	ck_assert_int_eq(count_of(p, "frozen_a"), 3);
	ck_assert_int_eq(count_of(p, "frozen_b"), 6);
	/* Each has its own mapping, of one range. */
	const struct profile_mapping *seen[2] = { NULL, NULL };
	for (size_t i = 0; i < p->n_samples; i++) {
		const struct profile_location *l = location_at(p, i, 0);
		ck_assert_uint_ne(l->mapping, PROFILE_NONE);
		const bool is_a = !strcmp(name_at(p, i, 0), "frozen_a");
		seen[is_a] = &p->mappings[l->mapping];
	}
	ck_assert_uint_eq(seen[0]->start, seen[1]->start);
	ck_assert_ptr_nonnull(
		strstr(profile_str(p, seen[1]->filename), "freeze_a.so"));
	ck_assert_ptr_nonnull(
		strstr(profile_str(p, seen[0]->filename), "freeze_b.so"));
	profile_free(p);
}
END_TEST

START_TEST(what_stays_is_thawed)
{
	const struct object a = load("freeze_a.so");
	enter(&a);
	for (int round = 0; round < 100; round++) {
		const size_t before = stack_table_count(table);
		ck_assert_int_eq(writer_freeze_range(a.start, a.limit), 0);
		ck_assert(stack_table_stack(table, last_record).stale);
		writer_thaw_range(a.start, a.limit);
		ck_assert(!stack_table_stack(table, last_record).stale);
		enter(&a);
		/* The same place in the same object: no new record. */
		ck_assert_uint_eq(stack_table_count(table), before);
	}
	/*
	 * What did go stays frozen, whatever is frozen and thawed at its place
	 * later: _i 0, with samples there, and 1, without.
	 */
	ck_assert_int_eq(writer_freeze_range(a.start, a.limit), 0);
	dlclose(a.handle);
	const struct object b = load("freeze_b.so");
	ck_assert_ptr_eq(b.entry, a.entry);
	if (_i == 0)
		enter(&b);
	ck_assert_int_eq(writer_freeze_range(b.start, b.limit), 0);
	writer_thaw_range(b.start, b.limit);
	enter(&b);
	struct profile *p = write_table();
	ck_assert_int_eq(count_of(p, "frozen_a"), 101);
	ck_assert_int_eq(count_of(p, "frozen_b"), _i == 0 ? 2 : 1);
	profile_free(p);
	dlclose(b.handle);
}
END_TEST

START_TEST(other_objects_are_left_alone)
{
	const struct object a = load("freeze_a.so");
	enter(&a);
	ck_assert_int_eq(writer_freeze_range(a.limit, a.limit + 4096), 0);
	ck_assert(!stack_table_stack(table, last_record).stale);
	dlclose(a.handle);
}
END_TEST

/* ---- no memory
 * ------------------------------------------------------------------- */

/* Everything that a profile needs, with the n-th allocation refused. */
static int write_one(const struct stack *s, struct profile **ret_profile)
{
	struct writer *w;
	const int code = writer_begin(&options, &w, NULL);
	if (code)
		return code;
	writer_add(w, s, 0, (int64_t[]){ 1, 2 }, NULL, 0);
	writer_add_named(w, "_Name", s, 0, (int64_t[]){ 3, 4 });
	writer_comment(w, "a comment");
	return writer_finish(w, ret_profile, NULL);
}

START_TEST(every_allocation_may_fail)
{
	const struct stack s = here();
	struct profile *p = NULL;
	ck_assert_int_eq(write_one(&s, &p), 0); /* the symbolizer is warm */
	profile_free(p);
	int failed = 0;
	for (int n = 1;; n++) {
		const int64_t live = alloc_live;
		alloc_fail_in = n;
		p = NULL;
		const int code = write_one(&s, &p);
		const bool refused = alloc_fail_in == 0;
		alloc_fail_in = 0;
		ck_assert_int_eq(code == 0, p != NULL);
		if (p)
			ck_assert_int_eq(profile_validate(p, NULL), 0);
		profile_free(p);
		ck_assert_int_le(alloc_live, live);
		failed += code != 0;
		if (!refused)
			break;
		ck_assert_int_lt(n, 10000);
	}
	ck_assert_int_gt(failed, 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tc = tcase_create("writer");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, calls_are_at_pc_minus_one);
	tcase_add_test(tc, the_first_mapping_is_the_program);
	tcase_add_loop_test(tc, flags_are_all_or_none, 0, 2);
	tcase_add_test(tc, nowhere_stays_an_address);
	tcase_add_test(tc, order_zeroes_and_markers);
	tcase_add_test(tc, labels_of_both_sorts);
	tcase_add_test(tc, losses_are_samples);
	tcase_add_test(tc, options_are_checked);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(suite, tc);
	TCase *unload = tcase_create("unload");
	tcase_set_timeout(unload, 60);
	tcase_add_checked_fixture(unload, set_up_table, tear_down_table);
	tcase_add_loop_test(unload, the_unloaded_keep_their_names, 0, 2);
	tcase_add_loop_test(unload, what_stays_is_thawed, 0, 2);
	tcase_add_test(unload, other_objects_are_left_alone);
	suite_add_tcase(suite, unload);
	return testing_run(suite);
}
