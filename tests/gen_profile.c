/*
 * gen_profile.c - makes profiles to test and to measure the reader with.
 *
 *	gen_profile KIND >FILE		one of a fixed set, always the same
 *bytes gen_profile -list		the names of that set gen_profile
 *SAMPLES DEPTH >FILE	a large one, for benchmarks
 *
 * Each kind stresses one thing that a report can get wrong.  No two values
 * differ in their sign alone: where the Go tool sorts by size it leaves such
 * ties in the order of its hash maps, which is another one at every run.
 */
#include "base/attr.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/sink.h"
#include "profile/encode.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 128, LABELS_MAX = 8 };

struct gen {
	struct profile *p;
	struct rng rng;
};

static uint32_t must(uint32_t index)
{
	if (index == PROFILE_NONE) {
		fputs("gen_profile: out of memory\n", stderr);
		exit(1);
	}
	return index;
}

static uint32_t str(struct gen *g, const char *text)
{
	return must(profile_intern(g->p, text));
}

static uint32_t add_function(struct gen *g, const char *name, const char *file,
			     int64_t start)
{
	const struct profile_function f = { .name = str(g, name),
					    .system_name = str(g, name),
					    .filename = str(g, file),
					    .start_line = start };
	return must(profile_add_function(g->p, &f));
}

static uint32_t add_mapping(struct gen *g, uint64_t start, uint64_t limit,
			    const char *file, const char *build_id, bool named)
{
	const struct profile_mapping m = { .start = start,
					   .limit = limit,
					   .offset = start & 0xfffff,
					   .filename = str(g, file),
					   .build_id = str(g, build_id),
					   .has_functions = named,
					   .has_filenames = named,
					   .has_line_numbers = named,
					   .has_inline_frames = named };
	return must(profile_add_mapping(g->p, &m));
}

static void add_types(struct gen *g, const char *const (*types)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(profile_add_sample_type(g->p, types[i][0], types[i][1]));
}

static void set_head(struct gen *g, const char *type, const char *unit,
		     int64_t period)
{
	g->p->period_type =
		(struct profile_value_type){ str(g, type), str(g, unit) };
	g->p->period = period;
	g->p->time_nanos = INT64_C(1700000000123456789);
	g->p->duration_nanos = INT64_C(30123456789);
}

static const char *const cpu_types[][2] = { { "samples", "count" },
					    { "cpu", "nanoseconds" } };
static const char *const heap_types[][2] = { { "alloc_objects", "count" },
					     { "alloc_space", "bytes" },
					     { "inuse_objects", "count" },
					     { "inuse_space", "bytes" } };

static uint64_t below(struct gen *g, uint64_t n)
{
	return rng_below(&g->rng, n);
}

/* ---- a program made up: functions that call a few others --------------------
 */

struct program {
	uint32_t *functions;
	size_t n_functions;
	uint32_t *locations; /* several for each function, some with inlines */
	size_t n_locations, per_function;
};

static void make_program(struct gen *g, struct program *pr, size_t n_functions,
			 size_t per_function, const char *format, bool inlines)
{
	*pr = (struct program){ .n_functions = n_functions,
				.per_function = per_function };
	pr->functions = calloc(n_functions, sizeof(uint32_t));
	pr->locations = calloc(n_functions * per_function, sizeof(uint32_t));
	if (!pr->functions || !pr->locations)
		must(PROFILE_NONE);
	for (size_t i = 0; i < n_functions; i++) {
		char name[256], file[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof(name), format, i);
#pragma GCC diagnostic pop
		snprintf(file, sizeof(file), "/src/module_%zu/part_%zu.c",
			 i % 7, i % 31);
		pr->functions[i] = add_function(
			g, name, file, (int64_t)(i % 3 ? 10 + i % 90 : 0));
	}
	const uint32_t mapping =
		g->p->n_mappings ? 0
				 : add_mapping(g, 0x400000, 0x4000000,
					       "/opt/app/bin/server",
					       "c0ffee0123456789", true);
	for (size_t i = 0; i < n_functions * per_function; i++) {
		struct profile_line lines[3];
		size_t n = 0;
		const size_t f = i / per_function;
		if (inlines && i % 5 == 1)
			lines[n++] = (struct profile_line){
				pr->functions[(f * 7 + 3) % n_functions],
				(int64_t)(20 + i % 40)
			};
		if (inlines && i % 10 == 1)
			lines[n++] = (struct profile_line){
				pr->functions[(f * 5 + 1) % n_functions],
				(int64_t)(30 + i % 40)
			};
		lines[n++] = (struct profile_line){
			pr->functions[f], (int64_t)(11 + f % 90 + i % 17)
		};
		pr->locations[pr->n_locations++] = must(profile_add_location(
			g->p, mapping, 0x400000 + 0x10 * (i + 1), lines, n));
	}
}

static void free_program(struct program *pr)
{
	free(pr->functions);
	free(pr->locations);
}

/* A stack from main down; each function calls one of eight. */
static size_t make_stack(struct gen *g, const struct program *pr, size_t depth,
			 uint32_t *ret_stack)
{
	size_t f = 0;
	for (size_t i = depth; i-- > 0;) {
		ret_stack[i] = pr->locations[f * pr->per_function +
					     below(g, pr->per_function)];
		f = (f * 8 + 1 + below(g, 8)) % pr->n_functions;
	}
	return depth;
}

static void add_sample(struct gen *g, const uint32_t *stack, size_t depth,
		       const int64_t *values,
		       const struct profile_label *labels, size_t n_labels)
{
	must(profile_add_sample(g->p, stack, depth, values, labels, n_labels));
}

static struct profile_label text_label(struct gen *g, const char *key,
				       const char *value)
{
	return (struct profile_label){ .key = str(g, key),
				       .str = str(g, value) };
}

static struct profile_label num_label(struct gen *g, const char *key,
				      int64_t value, const char *unit)
{
	return (struct profile_label){ .key = str(g, key),
				       .num = value,
				       .num_unit = str(g, unit) };
}

/* ---- the kinds
 * --------------------------------------------------------------- */

static void add_cpu_samples(struct gen *g, const struct program *pr, size_t n,
			    size_t depth, bool labels)
{
	static const char *const users[] = { "ada", "bob", "c\xc3\xa9" };
	for (size_t i = 0; i < n; i++) {
		uint32_t stack[DEPTH_MAX];
		struct profile_label l[LABELS_MAX];
		size_t n_labels = 0;
		const int64_t count = (int64_t)(1 + below(g, 9));
		const int64_t values[] = { count, count * 10000000 };
		if (labels && i % 3) {
			l[n_labels++] = text_label(g, "user", users[i % 3]);
			if (i % 4 == 0)
				l[n_labels++] = text_label(g, "user", "twice");
			if (i % 2)
				l[n_labels++] = text_label(
					g, "path", i % 5 ? "/cpu" : "/a b\tc");
			l[n_labels++] =
				num_label(g, "bytes",
					  (int64_t)(16u << (i % 12)), "bytes");
			if (i % 7 == 0)
				l[n_labels++] = num_label(
					g, "request", (int64_t)i % 3 + 1, "");
			if (i % 6 == 0)
				l[n_labels++] = num_label(g, "latency",
							  (int64_t)i, "ms");
		}
		add_sample(g, stack,
			   make_stack(g, pr, 1 + below(g, depth), stack),
			   values, l, n_labels);
	}
}

static void make_cpu(struct gen *g)
{
	struct program pr;
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	make_program(g, &pr, 120, 3, "step_%zu", false);
	add_cpu_samples(g, &pr, 400, 20, false);
	free_program(&pr);
}

static void make_inlines(struct gen *g)
{
	struct program pr;
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	make_program(g, &pr, 40, 4, "ns::Class_%zu::method", true);
	add_cpu_samples(g, &pr, 300, 12, false);
	free_program(&pr);
}

static void make_labels(struct gen *g)
{
	struct program pr;
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	must(profile_add_comment(g->p, "a comment for people"));
	must(profile_add_comment(g->p, "#one for machines"));
	make_program(g, &pr, 30, 2, "work_%zu", true);
	add_cpu_samples(g, &pr, 250, 8, true);
	free_program(&pr);
}

static void make_heap(struct gen *g)
{
	struct program pr;
	add_types(g, heap_types, ARRAY_SIZE(heap_types));
	set_head(g, "space", "bytes", 524288);
	g->p->default_sample_type = str(g, "inuse_space");
	g->p->duration_nanos = 0;
	make_program(g, &pr, 60, 2, "alloc_%zu", true);
	for (size_t i = 0; i < 200; i++) {
		uint32_t stack[DEPTH_MAX];
		const int64_t size = (int64_t)(16 + below(g, 1 << 22));
		const int64_t n = (int64_t)(1 + below(g, 1000));
		const int64_t live = (int64_t)below(g, (uint64_t)n + 1);
		const int64_t values[] = { n, n * size, live, live * size };
		const struct profile_label l =
			num_label(g, "bytes", size, "bytes");
		add_sample(g, stack, make_stack(g, &pr, 1 + below(g, 9), stack),
			   values, &l, 1);
	}
	free_program(&pr);
}

/* Differences: values below zero, some sums that cancel. */
static void make_negative(struct gen *g)
{
	struct program pr;
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	make_program(g, &pr, 40, 2, "diff_%zu", true);
	for (size_t i = 0; i < 150; i++) {
		uint32_t stack[DEPTH_MAX];
		/* Distinct sizes: a tie of a and -a has no order in Go. */
		int64_t count = (int64_t)(1000 + i * i * 7 + below(g, 5));
		if (i % 3 == 0)
			count = -count;
		const int64_t values[] = { count, count * 10007 };
		add_sample(g, stack,
			   make_stack(g, &pr, 1 + below(g, 10), stack), values,
			   NULL, 0);
	}
	free_program(&pr);
}

static void make_mappings(struct gen *g)
{
	static const char *const files[] = { "/usr/bin/prog",
					     "/lib/libone.so.6",
					     "/lib/libtwo.so",
					     "[vdso]",
					     "",
					     "/tmp/deleted (deleted)" };
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	uint32_t locs[60];
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_mapping(g, 0x10000000 * (i + 1),
			    0x10000000 * (i + 1) + 0x8000, files[i],
			    i % 2 ? "" : "abcdef", i % 3 == 0);
	for (size_t i = 0; i < 60; i++) {
		const uint32_t m = (uint32_t)(i % ARRAY_SIZE(files));
		char name[64];
		snprintf(name, sizeof(name), "same_name_%zu", i % 9);
		const struct profile_line line = {
			add_function(g, name, i % 2 ? "x/y.c" : "", 0),
			(int64_t)(i % 13)
		};
		locs[i] = must(profile_add_location(
			g->p, m, 0x10000000 * ((uint64_t)m + 1) + i * 8, &line,
			m % 3 == 0));
	}
	for (size_t i = 0; i < 120; i++) {
		uint32_t stack[8];
		for (size_t k = 0; k < 8; k++)
			stack[k] = locs[below(g, 60)];
		const int64_t count = (int64_t)(1 + below(g, 50));
		const int64_t values[] = { count, count * 10000000 };
		add_sample(g, stack, 1 + below(g, 8), values, NULL, 0);
	}
}

/* Names that break a careless writer. */
static void make_names(struct gen *g)
{
	static const char *const names[] = {
		"plain",
		"std::vector<int, std::allocator<int> >::push_back(int const&)",
		"(anonymous namespace)::helper(char const*)",
		"operator()",
		"github.com/user/repo/v3/pkg.(*Type[...]).Method",
		"java.util.HashMap.<init>",
		"com.example.Outer$Inner.call(Ljava/lang/String;)V",
		"<script>alert(1)</script>",
		"\"quoted\" and back\\slash",
		"caf\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd",
		"bad \xff\xfe utf8",
		"percent %s %d %n",
		"tab\there",
		("a name that is rather long, as names of templates tend to "
		 "be, with many many words in it and no end in sight at all, "
		 "at all"),
		"Foo::~Foo",
		"[kernel]",
		"&amp;&lt;",
		"~",
	};
	static const char *const files[] = {
		"/src/./a/../b.c", "rel/path.c",	 "",
		"../up/file.cc",   "/proc/self/cwd/x.c", "C:\\win\\file.c",
		"/a//double.c",	   "name with space.c"
	};
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	const uint32_t m = add_mapping(g, 0x400000, 0x800000,
				       "/bin/\"odd\" name", "", true);
	uint32_t locs[ARRAY_SIZE(names) * 2];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(locs); i++) {
		const struct profile_line line = {
			add_function(g, names[i % ARRAY_SIZE(names)],
				     files[i % ARRAY_SIZE(files)],
				     (int64_t)(i % 4)),
			(int64_t)(1 + i * 3)
		};
		locs[n++] = must(profile_add_location(g->p, m, 0x400000 + i * 4,
						      &line, 1));
	}
	for (size_t i = 0; i < 90; i++) {
		uint32_t stack[6];
		for (size_t k = 0; k < 6; k++)
			stack[k] = locs[below(g, n)];
		const int64_t count = (int64_t)(1 + below(g, 100));
		const int64_t values[] = { count, count * 1234567 };
		const struct profile_label l =
			text_label(g, "na\xc3\xafve key", "v<&>\xc3\xa9");
		add_sample(g, stack, 1 + below(g, 6), values, &l, i % 2);
	}
}

static void make_unsymbolized(struct gen *g)
{
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	add_mapping(g, 0x400000, 0x800000, "/nonexistent/app", "", false);
	add_mapping(g, 0x7f0000000000, 0x7f0000100000, "/nonexistent/libz.so.1",
		    "0badc0de", false);
	for (size_t i = 0; i < 80; i++) {
		uint32_t stack[5];
		for (size_t k = 0; k < 5; k++) {
			const uint64_t at = below(g, 30) * 16;
			const bool lib = at % 64 == 0;
			/* Locations repeat: the reader joins equal ones. */
			stack[k] = must(profile_add_location(
				g->p, lib,
				(lib ? 0x7f0000000000 : 0x400000) + at, NULL,
				0));
		}
		const int64_t count = (int64_t)(1 + below(g, 20));
		const int64_t values[] = { count, count * 10000000 };
		add_sample(g, stack, 1 + below(g, 5), values, NULL, 0);
	}
}

/* Recursion, and one location twice in a stack. */
static void make_recursion(struct gen *g)
{
	static const char *const types[][2] = { { "contentions", "count" },
						{ "delay", "microseconds" } };
	struct program pr;
	add_types(g, types, ARRAY_SIZE(types));
	set_head(g, "contentions", "count", 1);
	make_program(g, &pr, 6, 2, "Loop_%zu", true);
	for (size_t i = 0; i < 100; i++) {
		uint32_t stack[DEPTH_MAX];
		const size_t depth = 2 + below(g, 40);
		for (size_t k = 0; k < depth; k++)
			stack[k] = pr.locations[below(g, pr.n_locations)];
		const int64_t values[] = { (int64_t)(1 + below(g, 5)),
					   (int64_t)(1 + below(g, 5000000)) };
		add_sample(g, stack, depth, values, NULL, 0);
	}
	free_program(&pr);
}

/* Units that are no units, and one type alone. */
static void make_units(struct gen *g)
{
	static const char *const types[][2] = { { "widgets", "Furlongs" },
						{ "gcus", "GCU" },
						{ "wall", "Seconds" },
						{ "mem", "KiloBytes" },
						{ "plain", "" } };
	struct program pr;
	add_types(g, types, ARRAY_SIZE(types));
	make_program(g, &pr, 20, 1, "unit_%zu", false);
	for (size_t i = 0; i < 60; i++) {
		uint32_t stack[DEPTH_MAX];
		int64_t values[5];
		for (size_t t = 0; t < 5; t++)
			values[t] =
				(int64_t)below(g, 100000) * (t != 2 || i % 4);
		add_sample(g, stack, make_stack(g, &pr, 1 + below(g, 4), stack),
			   values, NULL, 0);
	}
	free_program(&pr);
}

static void make_empty(struct gen *g)
{
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	add_mapping(g, 0x400000, 0x800000, "/bin/app", "", true);
}

/* The profile says itself which frames are dull. */
static void make_drop(struct gen *g)
{
	struct program pr;
	add_types(g, heap_types, 2);
	set_head(g, "space", "bytes", 524288);
	g->p->drop_frames = str(g, "alloc_1[0-9]|alloc_[3-9]");
	g->p->keep_frames = str(g, "alloc_12|alloc_5");
	make_program(g, &pr, 30, 2, "alloc_%zu", true);
	for (size_t i = 0; i < 100; i++) {
		uint32_t stack[DEPTH_MAX];
		const int64_t n = (int64_t)(1 + below(g, 77));
		const int64_t values[] = { n, n * 96 };
		add_sample(g, stack, make_stack(g, &pr, 1 + below(g, 9), stack),
			   values, NULL, 0);
	}
	free_program(&pr);
}

static const struct kind {
	const char *name;
	void (*make)(struct gen *g);
} kinds[] = {
	{ "cpu", make_cpu },	       { "drop", make_drop },
	{ "empty", make_empty },       { "heap", make_heap },
	{ "inlines", make_inlines },   { "labels", make_labels },
	{ "mappings", make_mappings }, { "names", make_names },
	{ "negative", make_negative }, { "recursion", make_recursion },
	{ "units", make_units },       { "unsymbolized", make_unsymbolized },
};

static void make_large(struct gen *g, size_t n, size_t depth)
{
	struct program pr;
	add_types(g, cpu_types, ARRAY_SIZE(cpu_types));
	set_head(g, "cpu", "nanoseconds", 10000000);
	make_program(g, &pr, 4000, 5, "module::component_%zu::handle_request",
		     false);
	for (size_t i = 0; i < n; i++) {
		uint32_t stack[DEPTH_MAX];
		const int64_t count = (int64_t)(1 + below(g, 3));
		const int64_t values[] = { count, count * 10000000 };
		add_sample(g, stack, make_stack(g, &pr, depth, stack), values,
			   NULL, 0);
	}
	free_program(&pr);
}

static int usage(void)
{
	fputs("usage: gen_profile KIND | -list | SAMPLES DEPTH\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct gen g = { .p = profile_new() };
	if (!g.p)
		must(PROFILE_NONE);
	rng_seed(&g.rng, 20240229);
	if (argc == 3) {
		const long n = strtol(argv[1], NULL, 10);
		const long depth = strtol(argv[2], NULL, 10);
		if (n < 0 || depth < 1 || depth > DEPTH_MAX)
			return usage();
		make_large(&g, (size_t)n, (size_t)depth);
	} else if (argc == 2) {
		size_t i = 0;
		const bool list = strcmp(argv[1], "-list") == 0;
		for (; i < ARRAY_SIZE(kinds); i++) {
			if (list)
				puts(kinds[i].name);
			else if (strcmp(argv[1], kinds[i].name) == 0)
				break;
		}
		if (list)
			return 0;
		if (i == ARRAY_SIZE(kinds))
			return usage();
		kinds[i].make(&g);
	} else {
		return usage();
	}
	int fd = STDOUT_FILENO;
	const struct sink sink = sink_fd(&fd);
	struct err e = { "" };
	const int rc = profile_encode(g.p, PROFILE_GZIP, &sink, &e);
	if (rc)
		fprintf(stderr, "gen_profile: %s\n", e.text);
	profile_free(g.p);
	return rc ? 1 : 0;
}
