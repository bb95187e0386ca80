/*
 * writer.c - see writer.h.
 *
 * Samples are kept aside and go into the profile at the end, sorted.
 *
 * The has_* flags of a mapping are set all together or not at all: any one of
 * them keeps `go tool pprof` from resolving the rest of the mapping itself.
 * They are set when every address of the mapping has a function, and the
 * object has line numbers at all.  (Not only when every address has a line:
 * _start has none in any C program, nor does hand-written assembly, and no
 * tool would find more there than we did.)
 */
#include "pprof/writer.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "pprof/freeze.h"
#include "pprof/label.h"
#include "pprof/stat.h"
#include "pprof/symbols.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FRAMES_MAX = 64, /* inlined calls at one address */
	LOCS_MAX = STACK_DEPTH_MAX + 2,
	LABELS_MAX = LABEL_COUNT_MAX + 16,
	COMMENT_MAX = 512,
	POOL_BYTES_MAX = 1 << 30,
};

/* Keys of writer.locations: an address is below 2^63. */
#define KEY_FROZEN (UINT64_C(1) << 63)
#define KEY_NAMED  (UINT64_C(3) << 62)

struct writer_mapping {
	bool all_functions, any_line;
};

struct sample {
	size_t locs, labels; /* first, in the pools */
	uint32_t n_locs, n_labels;
	int64_t values[WRITER_VALUES_MAX];
};

struct pool {
	void *items;
	size_t n, room;
};

struct writer {
	struct profile *p;
	struct symbolizer *symbolizer;
	struct map locations; /* key above -> location */
	struct map mappings;  /* hash of a row -> mapping */
	struct map alike;     /* hash of locations and labels -> sample */
	struct pool flags;    /* struct writer_mapping, beside p->mappings */
	struct pool samples;  /* struct sample */
	struct pool locs;     /* uint32_t */
	struct pool labels;   /* struct profile_label */
	size_t n_values;
	int64_t began_cpu_ns;
	int code; /* the first error, which sticks */
};

static int fail(struct writer *w, int code)
{
	if (w->code == 0)
		w->code = code;
	return w->code;
}

/* n more items, or NULL. */
static void *pool_add(struct pool *p, size_t n, size_t size)
{
	if (!p->items || p->room - p->n < n) {
		size_t room = p->room ? p->room : 64;
		while (room - p->n < n)
			room *= 2;
		if (room > POOL_BYTES_MAX / size)
			return NULL;
		void *items = realloc(p->items, room * size);
		if (!items)
			return NULL;
		p->items = items;
		p->room = room;
	}
	p->n += n;
	return (char *)p->items + (p->n - n) * size;
}

/* ---- mappings, locations ------------------------------------------------- */

static uint32_t mapping_of(struct writer *w, const struct maps_row *row)
{
	const uint64_t place[] = { row->start, row->limit, row->offset };
	uint64_t key = map_hash(place, sizeof(place), 0);
	key = map_hash(row->path, strlen(row->path), key);
	key = map_hash(row->build_id, row->build_id_len, key);
	const uint32_t known = map_get(&w->mappings, key);
	if (known != MAP_NONE)
		return known;

	char hex[2 * MAPS_BUILD_ID_MAX + 1];
	const struct profile_mapping m = {
		.start = row->start,
		.limit = row->limit,
		.offset = row->offset,
		.filename = profile_intern(w->p, row->path),
		.build_id = profile_intern(w->p, maps_build_id_hex(row, hex)),
	};
	struct writer_mapping *flags =
		pool_add(&w->flags, 1, sizeof(struct writer_mapping));
	const uint32_t mapping =
		flags ? profile_add_mapping(w->p, &m) : PROFILE_NONE;
	if (mapping == PROFILE_NONE || map_put(&w->mappings, key, mapping)) {
		fail(w, ERR_NOMEM);
		return PROFILE_NONE;
	}
	*flags = (struct writer_mapping){ .all_functions = true };
	return mapping;
}

static uint32_t function_of(struct writer *w, const struct object_frame *f)
{
	const struct profile_function function = {
		.name = profile_intern(w->p, f->function),
		.system_name = profile_intern(
			w->p, f->system_name ? f->system_name : f->function),
		.filename = profile_intern(w->p, f->file ? f->file : ""),
		.start_line = f->start_line,
	};
	return profile_add_function(w->p, &function);
}

static uint32_t add_location(struct writer *w, uint64_t addr,
			     const struct symbolizer_result *r)
{
	uint32_t mapping = PROFILE_NONE;
	if (r->row)
		mapping = mapping_of(w, r->row);

	struct profile_line lines[FRAMES_MAX];
	const size_t n = r->n_frames < FRAMES_MAX ? r->n_frames : FRAMES_MAX;
	bool any_line = false;
	for (size_t i = 0; i < n; i++) {
		lines[i].function = function_of(w, &r->frames[i]);
		lines[i].line = r->frames[i].line;
		any_line |= r->frames[i].line > 0;
	}
	if (mapping != PROFILE_NONE) {
		struct writer_mapping *flags = w->flags.items;
		flags[mapping].all_functions &= n > 0;
		flags[mapping].any_line |= any_line;
	}
	return profile_add_location(w->p, mapping, addr, lines, n);
}

static uint32_t location_of(struct writer *w, const struct stack *s,
			    uint32_t frame)
{
	const uint64_t addr = freeze_address(s, frame);
	struct symbolizer_result r = { 0 };
	uint64_t key = addr & ~KEY_FROZEN;
	uint32_t entry;
	bool resolved = false;
	if (s->stale && freeze_find(addr, s->birth, &r, &entry)) {
		key = KEY_FROZEN | entry;
		resolved = true;
	} else if (s->stale && freeze_overflowed()) {
		/* It may have been unloaded: better no name than another's. */
		key = KEY_FROZEN | (addr & (KEY_FROZEN - 1)) |
		      UINT64_C(1) << 61;
		resolved = true;
	}
	uint32_t location = map_get(&w->locations, key);
	if (location != MAP_NONE)
		return location;
	if (!resolved)
		symbolizer_lookup(w->symbolizer, addr, &r);
	location = add_location(w, addr, &r);
	if (location == PROFILE_NONE || map_put(&w->locations, key, location))
		fail(w, ERR_NOMEM);
	return location;
}

/*
 * Functions that are only names have addresses all the same, each its own, of
 * code that is never run: collectors tell samples apart by them, and would add
 * up two names without any.
 */
__asm__(".pushsection .text\n"
	".hidden pprof_names\n"
	"pprof_names: .skip 64, 0xcc\n"
	".popsection");
extern const char pprof_names[64] __attribute__((visibility("hidden")));

static uint64_t name_address(const char *name)
{
	/* Guard: the symbolizer's lock.  The same for the process's life. */
	static const char *names[sizeof(pprof_names)];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!names[i])
			names[i] = name;
		if (strcmp(names[i], name) == 0)
			return (uintptr_t)&pprof_names[i];
	}
	return 0;
}

/* name: of static life. */
static uint32_t named_location(struct writer *w, const char *name)
{
	const uint32_t string = profile_intern(w->p, name);
	const uint64_t addr = name_address(name);
	const uint64_t key = KEY_NAMED | string;
	uint32_t location = map_get(&w->locations, key);
	if (location != MAP_NONE)
		return location;
	const struct profile_function f = { .name = string,
					    .system_name = string };
	const struct profile_line line = {
		.function = profile_add_function(w->p, &f),
	};
	struct symbolizer_result r = { 0 };
	uint32_t mapping = PROFILE_NONE;
	if (addr)
		symbolizer_lookup(w->symbolizer, addr, &r);
	if (r.row)
		mapping = mapping_of(w, r.row);
	if (mapping != PROFILE_NONE)
		((struct writer_mapping *)w->flags.items)[mapping].any_line =
			true;
	location = profile_add_location(
		w->p, mapping, mapping != PROFILE_NONE ? addr : 0, &line, 1);
	if (location == PROFILE_NONE || map_put(&w->locations, key, location))
		fail(w, ERR_NOMEM);
	return location;
}

/* ---- samples ------------------------------------------------------------- */

static size_t stack_locations(struct writer *w, const char *leaf,
			      const struct stack *stack, uint32_t *locs)
{
	size_t n = 0;
	if (leaf)
		locs[n++] = named_location(w, leaf);
	for (uint32_t i = 0; stack && i < stack->depth && n < LOCS_MAX - 1; i++)
		locs[n++] = location_of(w, stack, i);
	if (stack && stack->truncated)
		locs[n++] = named_location(w, "_StackTruncated");
	return n;
}

static size_t all_labels(struct writer *w, uint32_t set,
			 const struct profile_label *extra, size_t n_extra,
			 struct profile_label *labels)
{
	const struct pprof_label *own;
	const size_t n_own = label_set_get(set, &own);
	size_t n = 0;
	for (size_t i = 0; i < n_own; i++) {
		/* profile.proto cannot hold a label without a value. */
		if (*own[i].value == '\0')
			continue;
		labels[n++] = (struct profile_label){
			.key = profile_intern(w->p, own[i].key),
			.str = profile_intern(w->p, own[i].value),
		};
	}
	for (size_t i = 0; i < n_extra && n < LABELS_MAX; i++)
		labels[n++] = extra[i];
	return n;
}

static bool same_labels(const struct profile_label *a,
			const struct profile_label *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].key != b[i].key || a[i].str != b[i].str ||
		    a[i].num != b[i].num || a[i].num_unit != b[i].num_unit)
			return false;
	return true;
}

/*
 * One that is there already, with the same locations and labels: two stacks
 * may come to the same frames (names, unloaded code), and collectors take
 * samples that are alike for one.  Returns: NULL for none; *ret_key is what it
 * is found by.
 */
static struct sample *find_alike(const struct writer *w, const uint32_t *locs,
				 size_t n_locs,
				 const struct profile_label *labels,
				 size_t n_labels, uint64_t *ret_key)
{
	uint64_t key = map_hash(locs, n_locs * sizeof(*locs), n_labels);
	for (size_t i = 0; i < n_labels; i++) {
		const int64_t fields[] = { labels[i].key, labels[i].str,
					   labels[i].num, labels[i].num_unit };
		key = map_hash(fields, sizeof(fields), key);
	}
	*ret_key = key;
	const uint32_t at = map_get(&w->alike, key);
	if (at == MAP_NONE)
		return NULL;
	struct sample *s = (struct sample *)w->samples.items + at;
	const uint32_t *its_locs = (const uint32_t *)w->locs.items + s->locs;
	const struct profile_label *its_labels =
		(const struct profile_label *)w->labels.items + s->labels;
	return s->n_locs == n_locs && s->n_labels == n_labels &&
			       memcmp(its_locs, locs, n_locs * sizeof(*locs)) ==
				       0 &&
			       same_labels(its_labels, labels, n_labels)
		       ? s
		       : NULL;
}

static int add_sample(struct writer *w, const char *leaf,
		      const struct stack *stack, uint32_t set,
		      const int64_t *values, const struct profile_label *extra,
		      size_t n_extra)
{
	bool zero = true;
	for (size_t v = 0; v < w->n_values; v++)
		zero &= values[v] == 0;
	if (w->code || zero)
		return w->code;

	uint32_t locs[LOCS_MAX];
	struct profile_label labels[LABELS_MAX];
	const size_t n_locs = stack_locations(w, leaf, stack, locs);
	const size_t n_labels = all_labels(w, set, extra, n_extra, labels);
	uint64_t key;
	struct sample *s =
		w->code ? NULL
			: find_alike(w, locs, n_locs, labels, n_labels, &key);
	if (s) {
		for (size_t v = 0; v < w->n_values; v++)
			s->values[v] += values[v];
		return 0;
	}
	if (w->code || map_put(&w->alike, key, (uint32_t)w->samples.n))
		return fail(w, ERR_NOMEM);
	s = pool_add(&w->samples, 1, sizeof(*s));
	uint32_t *to_locs = pool_add(&w->locs, n_locs, sizeof(*locs));
	struct profile_label *to_labels =
		pool_add(&w->labels, n_labels, sizeof(*labels));
	if (w->code || !s || !to_locs || !to_labels)
		return fail(w, ERR_NOMEM);
	memcpy(to_locs, locs, n_locs * sizeof(*locs));
	memcpy(to_labels, labels, n_labels * sizeof(*labels));
	*s = (struct sample){ .locs = w->locs.n - n_locs,
			      .labels = w->labels.n - n_labels,
			      .n_locs = (uint32_t)n_locs,
			      .n_labels = (uint32_t)n_labels };
	memcpy(s->values, values, w->n_values * sizeof(*values));
	return 0;
}

int writer_add(struct writer *w, const struct stack *stack, uint32_t labels,
	       const int64_t *values, const struct profile_label *extra,
	       size_t n_extra)
{
	return add_sample(w, NULL, stack, labels, values, extra, n_extra);
}

int writer_add_named(struct writer *w, const char *leaf,
		     const struct stack *stack, uint32_t labels,
		     const int64_t *values)
{
	return add_sample(w, leaf, stack, labels, values, NULL, 0);
}

int writer_add_lost(struct writer *w, const struct stack_snapshot *since,
		    const struct stack_snapshot *until)
{
	for (enum lost_cause c = 0; c < LOST_CAUSES; c++) {
		int64_t values[WRITER_VALUES_MAX] = { until->lost_samples[c],
						      until->lost_weight[c] };
		if (since) {
			values[0] -= since->lost_samples[c];
			values[1] -= since->lost_weight[c];
		}
		if (values[0] == 0)
			continue;
		writer_add_named(w, lost_function(c), NULL, LABEL_SET_NONE,
				 values);
		writer_comment(w, "lost %s: %lld samples", lost_name(c),
			       (long long)values[0]);
	}
	return w->code;
}

int writer_add_table(struct writer *w, const struct stack_table *t,
		     const struct stack_snapshot *since,
		     const struct stack_snapshot *until)
{
	for (size_t i = 0; i < until->n; i++) {
		const struct stack_record *r = stack_table_at(t, i);
		int64_t values[WRITER_VALUES_MAX] = { 0 };
		for (int c = 0; c < STACK_COUNTERS; c++)
			values[c] = until->counters[i][c] -
				    stack_snapshot_get(since, i, c);
		if (!r)
			continue;
		const struct stack s = stack_table_stack(t, r);
		writer_add(w, &s, r->labels, values, NULL, 0);
	}
	return writer_add_lost(w, since, until);
}

int writer_comment(struct writer *w, const char *format, ...)
{
	char text[COMMENT_MAX];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!w->code && profile_add_comment(w->p, text) == PROFILE_NONE)
		fail(w, ERR_NOMEM);
	return w->code;
}

struct profile *writer_profile(struct writer *w)
{
	return w->p;
}

/* ---- begin, finish ------------------------------------------------------- */

static int set_types(struct writer *w, const struct writer_options *o)
{
	struct profile *p = w->p;
	for (size_t i = 0; i < o->n_sample_types; i++)
		if (profile_add_sample_type(p, o->sample_types[i].type,
					    o->sample_types[i].unit) ==
		    PROFILE_NONE)
			return ERR_NOMEM;
	p->period_type.type = profile_intern(p, o->period_type.type);
	p->period_type.unit = profile_intern(p, o->period_type.unit);
	p->period = o->period;
	if (o->default_sample_type)
		p->default_sample_type =
			profile_intern(p, o->default_sample_type);
	return p->period_type.type == PROFILE_NONE ||
			       p->period_type.unit == PROFILE_NONE ||
			       p->default_sample_type == PROFILE_NONE
		       ? ERR_NOMEM
		       : 0;
}

/* mapping[0] is the main program, whether or not it was sampled. */
static void add_main_mapping(struct writer *w)
{
	const struct maps_row *row = maps_main(symbolizer_maps(w->symbolizer));
	if (row)
		mapping_of(w, row);
}

int writer_begin(const struct writer_options *o, struct writer **ret_writer,
		 struct err *e)
{
	if (o->n_sample_types == 0 || o->n_sample_types > WRITER_VALUES_MAX)
		return err_set(e, ERR_INVALID,
			       "a profile has 1 to %d sample types",
			       WRITER_VALUES_MAX);
	struct symbolizer *symbolizer;
	int code = symbols_lock(&symbolizer, e);
	if (code)
		return code;
	struct writer *w = calloc(1, sizeof(*w));
	if (!w) {
		symbols_unlock();
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	w->symbolizer = symbolizer;
	w->n_values = o->n_sample_types;
	w->began_cpu_ns = clock_thread_cpu_ns();
	w->p = profile_new();
	code = w->p ? set_types(w, o) : ERR_NOMEM;
	if (!code)
		code = symbolizer_refresh(symbolizer, e);
	if (code) {
		writer_abort(w);
		return code;
	}
	add_main_mapping(w);
	*ret_writer = w;
	return 0;
}

void writer_abort(struct writer *w)
{
	if (!w)
		return;
	profile_free(w->p);
	map_free(&w->locations);
	map_free(&w->mappings);
	map_free(&w->alike);
	free(w->flags.items);
	free(w->samples.items);
	free(w->locs.items);
	free(w->labels.items);
	stat_add_cpu_ns(clock_thread_cpu_ns() - w->began_cpu_ns);
	free(w);
	symbols_unlock();
}

struct order {
	int64_t value;
	size_t index;
};

static int by_value(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int add_sorted(struct writer *w)
{
	const size_t n = w->samples.n;
	const struct sample *samples = w->samples.items;
	const uint32_t *locs = w->locs.items;
	const struct profile_label *labels = w->labels.items;
	struct order *order = calloc(n ? n : 1, sizeof(*order));
	if (!order)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct order){
			.value = samples[i].values[w->n_values - 1], .index = i
		};
	qsort(order, n, sizeof(*order), by_value);

	int code = 0;
	for (size_t i = 0; i < n && code == 0; i++) {
		const struct sample *s = &samples[order[i].index];
		if (profile_add_sample(w->p, locs + s->locs, s->n_locs,
				       s->values, labels + s->labels,
				       s->n_labels) == PROFILE_NONE)
			code = ERR_NOMEM;
	}
	free(order);
	return code;
}

static void set_flags(struct writer *w)
{
	const struct writer_mapping *flags = w->flags.items;
	for (size_t i = 0; i < w->p->n_mappings; i++) {
		struct profile_mapping *m = &w->p->mappings[i];
		const bool whole = flags[i].all_functions && flags[i].any_line;
		m->has_functions = m->has_filenames = m->has_line_numbers =
			m->has_inline_frames = whole;
	}
}

int writer_finish(struct writer *w, struct profile **ret_profile, struct err *e)
{
	int code = w->code;
	if (!code)
		code = add_sorted(w);
	if (code == ERR_NOMEM)
		err_set(e, code, "out of memory");
	if (!code) {
		set_flags(w);
		code = profile_validate(w->p, e);
	}
	if (!code) {
		*ret_profile = w->p;
		w->p = NULL;
	}
	writer_abort(w);
	return code;
}
