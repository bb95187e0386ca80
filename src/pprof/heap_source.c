/*
 * heap_source.c - "heap" and "allocs": the heap's records as profiles.
 *
 * The two are one profile, and differ in what a reader shows first.
 */
#include "pprof/heap.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "pprof/hooks.h"
#include "pprof/memstats.h"
#include "pprof/sample.h"
#include "pprof/stack_table.h"
#include "pprof/stat.h"
#include "pprof/text.h"
#include "pprof/writer.h"

#include <pthread.h>
#include <stdlib.h>

enum { ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE, VALUES };

static const struct writer_sample_type sample_types[VALUES] = {
	[ALLOC_OBJECTS] = { "alloc_objects", "count" },
	[ALLOC_SPACE] = { "alloc_space", "bytes" },
	[INUSE_OBJECTS] = { "inuse_objects", "count" },
	[INUSE_SPACE] = { "inuse_space", "bytes" },
};

struct source_mark {
	struct stack_snapshot snapshot;
};

/* What a collection is made of. */
struct collection {
	struct writer *w;
	struct stack_table *table;
	bool raw; /* as sampled, for the text */
	uint32_t bytes_key;
};

/* Objects and bytes as they were sampled. */
struct figure {
	int64_t objects, bytes;
};

static void put_figure(const struct collection *c, struct figure f,
		       int64_t rate, int64_t *ret_values)
{
	if (c->raw) {
		ret_values[0] = f.objects;
		ret_values[1] = f.bytes;
	} else {
		heap_scale(f.objects, f.bytes, rate, &ret_values[0],
			   &ret_values[1]);
	}
}

static int add_record(struct collection *c, const struct stack_record *r,
		      const int64_t *values)
{
	const struct stack stack = stack_table_stack(c->table, r);
	/* tcmalloc and Go have it too; the text has no labels. */
	const struct profile_label bytes = {
		.key = c->bytes_key,
		.num = (int64_t)heap_tag_class(r->tag),
	};
	return writer_add(c->w, &stack, r->labels, values, &bytes,
			  bytes.num != 0);
}

/* ---- from snapshots ------------------------------------------------------ */

static void record_values(const struct collection *c,
			  const struct stack_snapshot *s, size_t i,
			  int64_t rate, int64_t *ret_values)
{
	const struct figure alloc = {
		stack_snapshot_get(s, i, HEAP_ALLOC_OBJECTS),
		stack_snapshot_get(s, i, HEAP_ALLOC_BYTES),
	};
	const struct figure inuse = {
		alloc.objects - stack_snapshot_get(s, i, HEAP_FREE_OBJECTS),
		alloc.bytes - stack_snapshot_get(s, i, HEAP_FREE_BYTES),
	};
	put_figure(c, alloc, rate, &ret_values[ALLOC_OBJECTS]);
	put_figure(c, inuse, rate, &ret_values[INUSE_OBJECTS]);
}

static int add_snapshots(struct collection *c,
			 const struct stack_snapshot *since,
			 const struct stack_snapshot *until)
{
	for (size_t i = 0; i < until->n; i++) {
		const struct stack_record *r = stack_table_at(c->table, i);
		if (!r)
			continue;
		const int64_t rate = heap_tag_rate(r->tag);
		int64_t values[VALUES] = { 0 }, before[VALUES] = { 0 };
		record_values(c, until, i, rate, values);
		if (since)
			record_values(c, since, i, rate, before);
		for (int v = 0; v < VALUES; v++)
			values[v] -= before[v];
		const int code = add_record(c, r, values);
		if (code)
			return code;
	}
	return c->raw ? 0 : writer_add_lost(c->w, since, until);
}

/* ---- what has lived long enough ------------------------------------------ */

struct survivors {
	int64_t born_before_ns;
	struct map index; /* by record */
	struct survivor {
		const struct stack_record *record;
		struct figure figure;
	} * rows; /* owned */
	size_t n, room;
	int code;
};

static struct survivor *survivor_of(struct survivors *s,
				    const struct stack_record *record)
{
	const uint32_t at = map_get(&s->index, (uintptr_t)record);
	if (at != MAP_NONE)
		return &s->rows[at];
	if (s->n == s->room) {
		const size_t room = s->room ? 2 * s->room : 256;
		void *rows = reallocarray(s->rows, room, sizeof(*s->rows));
		if (!rows)
			return NULL;
		s->rows = rows;
		s->room = room;
	}
	if (map_put(&s->index, (uintptr_t)record, (uint32_t)s->n) < 0)
		return NULL;
	s->rows[s->n] = (struct survivor){ .record = record };
	return &s->rows[s->n++];
}

static void add_survivor(void *arg, const void *p,
			 const struct live_block *block)
{
	struct survivors *s = arg;
	(void)p;
	if (block->birth_ns > s->born_before_ns)
		return;
	struct survivor *row = survivor_of(s, block->record);
	if (!row) {
		s->code = ERR_NOMEM;
		return;
	}
	row->figure.objects++;
	row->figure.bytes += (int64_t)block->size;
}

/*
 * The blocks that are alive and were born early enough: alloc_* are these
 * blocks too, so that all four types tell of the same.
 */
static int add_old(struct collection *c, int64_t min_age_ns)
{
	struct survivors s = {
		.born_before_ns = clock_monotonic_ns() - min_age_ns,
	};
	live_walk(heap_live(), add_survivor, &s);
	for (size_t i = 0; i < s.n && !s.code; i++) {
		const struct stack_record *r = s.rows[i].record;
		const int64_t rate = heap_tag_rate(r->tag);
		int64_t values[VALUES];
		put_figure(c, s.rows[i].figure, rate, &values[ALLOC_OBJECTS]);
		put_figure(c, s.rows[i].figure, rate, &values[INUSE_OBJECTS]);
		s.code = add_record(c, r, values);
	}
	map_free(&s.index);
	free(s.rows);
	if (!s.code)
		s.code = writer_comment(c->w,
					"only blocks in use that are at least "
					"%.3f s old",
					(double)min_age_ns / 1e9);
	return s.code;
}

/* ---- the source ---------------------------------------------------------- */

static int add_all(struct collection *c, const struct source_options *o,
		   const struct source_mark *since,
		   const struct source_mark *until)
{
	if (!c->table)
		return hooks_present(HOOKS_MALLOC)
			       ? 0
			       : writer_comment(c->w, "the malloc shim is "
						      "absent: nothing is "
						      "sampled");
	c->bytes_key = profile_intern(writer_profile(c->w), "bytes");
	if (c->bytes_key == PROFILE_NONE)
		return ERR_NOMEM;
	if (o && o->min_age_ns > 0)
		return add_old(c, o->min_age_ns);
	if (until)
		return add_snapshots(c, since ? &since->snapshot : NULL,
				     &until->snapshot);
	struct stack_snapshot now;
	int code = stack_snapshot_take(c->table, &now);
	if (code)
		return code;
	code = add_snapshots(c, since ? &since->snapshot : NULL, &now);
	stack_snapshot_free(&now);
	return code;
}

static int collect_as(const struct source *s, bool raw,
		      const struct source_options *o,
		      const struct source_mark *since,
		      const struct source_mark *until,
		      struct profile **ret_profile, struct err *e)
{
	const int64_t rate = sample_rate();
	const struct writer_options options = {
		.sample_types = sample_types,
		.n_sample_types = VALUES,
		.period_type = { "space", "bytes" },
		.period = rate,
		.default_sample_type = s->data,
	};
	struct collection c = { .table = heap_table(), .raw = raw };
	const int code = writer_begin(&options, &c.w, e);
	if (code)
		return code;
	if (add_all(&c, o, since, until) < 0) {
		/* The writer keeps its own errors; ours are of memory. */
		writer_abort(c.w);
		return err_set(e, ERR_NOMEM, "%s: no memory", s->name);
	}
	return writer_finish(c.w, ret_profile, e);
}

static int heap_collect(const struct source *s, const struct source_options *o,
			const struct source_mark *since,
			const struct source_mark *until,
			struct profile **ret_profile, struct err *e)
{
	return collect_as(s, false, o, since, until, ret_profile, e);
}

static int heap_write_text(const struct source *s,
			   const struct source_options *o,
			   const struct sink *sink, struct err *e)
{
	struct profile *p;
	int code = collect_as(s, true, o, NULL, NULL, &p, e);
	if (code)
		return code;
	code = text_heap(sink, sample_rate(), p, e);
	profile_free(p);
	return code ? code : memstats_write(sink);
}

static int64_t heap_count(const struct source *s)
{
	(void)s;
	return heap_table() ? (int64_t)stack_table_count(heap_table()) : 0;
}

static int heap_mark(const struct source *s, struct source_mark **ret_mark)
{
	(void)s;
	struct source_mark *m = calloc(1, sizeof(*m));
	if (!m)
		return ERR_NOMEM;
	if (heap_table() && stack_snapshot_take(heap_table(), &m->snapshot)) {
		free(m);
		return ERR_NOMEM;
	}
	*ret_mark = m;
	return 0;
}

static void heap_mark_free(struct source_mark *mark)
{
	if (!mark)
		return;
	stack_snapshot_free(&mark->snapshot);
	free(mark);
}

const struct source heap_source = {
	.name = "heap",
	.description = "A sampling of memory allocations of live objects. You "
		       "can specify the gc GET parameter to run GC before "
		       "taking the heap sample.",
	.count = heap_count,
	.collect = heap_collect,
	.write_text = heap_write_text,
	.mark = heap_mark,
	.mark_free = heap_mark_free,
};

const struct source allocs_source = {
	.name = "allocs",
	.description = "A sampling of all past memory allocations",
	.count = heap_count,
	.collect = heap_collect,
	.write_text = heap_write_text,
	.mark = heap_mark,
	.mark_free = heap_mark_free,
	.data = (void *)(uintptr_t) "alloc_space",
};

__attribute__((constructor)) static void heap_source_init(void)
{
	stat_register(heap_stat_at);
	pthread_atfork(NULL, NULL, sample_forked);
}
