/* threadcreate.c - see threadcreate.h. */
#include "pprof/threadcreate.h"

#include "base/attr.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/label.h"
#include "pprof/lost.h"
#include "pprof/stack_table.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	STACKS = 4096,
	COUNT = 0,	 /* the counter in use */
	SHIM_FRAMES = 2, /* hooks_thread_new, and pthread_create's shim */
};

struct source_mark {
	struct stack_snapshot snapshot;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct stack_table *table; /* NULL without memory */

static void make_table(void)
{
	const struct stack_table_options options = { .max_stacks = STACKS };
	unwind_init();
	if (stack_table_new(&options, &table) == 0)
		writer_register_table(table);
}

/* noinline: the walk counts frames from here. */
__attribute__((noinline)) struct stack_record *threadcreate_record(void)
{
	guard_enter();
	pthread_once(&once, make_table);
	guard_leave();
	if (!table)
		return NULL;
	uintptr_t pcs[STACK_DEPTH_MAX];
	const struct unwound u = unwind_from_here(UNWIND_RULES, SHIM_FRAMES,
						  pcs, ARRAY_SIZE(pcs));
	const struct stack stack = { .pcs = pcs,
				     .depth = (uint32_t)u.depth,
				     .truncated = u.truncated };
	struct stack_record *r =
		stack_table_find(table, &stack, label_set_current(), 0);
	if (r)
		stack_record_add(r, COUNT, 1);
	else
		lost_add(stack_table_lost(table), LOST_TABLE_FULL, 1, 1);
	return r;
}

void threadcreate_undo(struct stack_record *r)
{
	if (r)
		stack_record_add(r, COUNT, -1);
}

static int take(struct stack_snapshot *ret)
{
	*ret = (struct stack_snapshot){ 0 };
	return table ? stack_snapshot_take(table, ret) : 0;
}

static int mark(const struct source *s, struct source_mark **ret_mark)
{
	(void)s;
	struct source_mark *m = calloc(1, sizeof(*m));
	if (!m || take(&m->snapshot)) {
		free(m);
		return ERR_NOMEM;
	}
	*ret_mark = m;
	return 0;
}

static void mark_free(struct source_mark *m)
{
	if (!m)
		return;
	stack_snapshot_free(&m->snapshot);
	free(m);
}

static int collect(const struct source *s, const struct source_options *o,
		   const struct source_mark *since,
		   const struct source_mark *until,
		   struct profile **ret_profile, struct err *e)
{
	(void)s;
	(void)o;
	static const struct writer_sample_type types[] = {
		{ "threadcreate", "count" },
	};
	static const struct writer_options options = {
		.sample_types = types,
		.n_sample_types = 1,
		.period_type = { "threadcreate", "count" },
		.period = 1,
	};
	struct stack_snapshot now;
	if (take(&now))
		return err_set(e, ERR_NOMEM, "out of memory");
	struct writer *w;
	int rc = writer_begin(&options, &w, e);
	if (rc)
		goto out;
	if (table)
		rc = writer_add_table(w, table, since ? &since->snapshot : NULL,
				      until ? &until->snapshot : &now);
	if (rc == 0 && !hooks_present(HOOKS_THREAD))
		rc = writer_comment(w, "pthread_create is not hooked: link "
				       "libpprof-http, or preload "
				       "libpprof-preload.so");
	if (rc) {
		writer_abort(w);
		err_set(e, rc, "the profile could not be written");
	} else {
		rc = writer_finish(w, ret_profile, e);
	}
out:
	stack_snapshot_free(&now);
	return rc;
}

/* Stacks that have created some, as Go counts its threads. */
static int64_t count(const struct source *s)
{
	(void)s;
	int64_t n = 0;
	for (size_t i = 0; table && i < stack_table_count(table); i++) {
		const struct stack_record *r = stack_table_at(table, i);
		n += r ? stack_record_get(r, COUNT) : 0;
	}
	return n;
}

const struct source threadcreate_source = {
	.name = "threadcreate",
	.description = "Stack traces that led to the creation of new OS "
		       "threads",
	.count = count,
	.collect = collect,
	.mark = mark,
	.mark_free = mark_free,
};

/* The child has one thread, which none of these created. */
static void forked(void)
{
	if (table)
		stack_table_zero(table);
}

__attribute__((constructor)) static void threadcreate_init(void)
{
	pthread_atfork(NULL, NULL, forked);
}
