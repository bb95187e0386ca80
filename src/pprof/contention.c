/*
 * contention.c - the profiles "mutex" and "block": on and off, and what they
 * show.  What fills them is in contention_hooks.c.
 */
#include "pprof/contention.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/sink.h"
#include "pprof/contention_internal.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/lock_waits.h"
#include "pprof/lost.h"
#include "pprof/pprof.h"
#include "pprof/stack_table.h"
#include "pprof/stat.h"
#include "pprof/text.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACKS = 16384 };

struct contention contention;
unsigned hooks_locks_state;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- on and off ---------------------------------------------------------- */

static void prepare(void)
{
	const struct stack_table_options options = { .max_stacks = STACKS };
	unwind_init();
	if (stack_table_new(&options, &contention.mutex_table) ||
	    stack_table_new(&options, &contention.block_table))
		return;
	writer_register_table(contention.mutex_table);
	writer_register_table(contention.block_table);
}

static unsigned wanted_state(void)
{
	if (!contention.mutex_table || !contention.block_table)
		return 0;
	return (atomic_load(&contention.mutex_fraction) > 0 ? HOOKS_MUTEX : 0) |
	       (atomic_load(&contention.block_rate_ns) > 0 ? HOOKS_BLOCK : 0);
}

static void set_state(void)
{
	guard_enter();
	pthread_once(&once, prepare);
	guard_leave();
	/* Until what another thread sets at the same time is in it, too. */
	unsigned state;
	do {
		state = wanted_state();
		__atomic_store_n(&hooks_locks_state, state, __ATOMIC_SEQ_CST);
	} while (state != wanted_state());
}

void pprof_set_block_profile_rate(int64_t ns)
{
	atomic_store(&contention.block_rate_ns, ns > 0 ? ns : 0);
	set_state();
}

int64_t pprof_block_profile_rate(void)
{
	return hooks_present(HOOKS_LOCK)
		       ? atomic_load(&contention.block_rate_ns)
		       : -1;
}

int pprof_set_mutex_profile_fraction(int n)
{
	if (n < 0)
		return atomic_load(&contention.mutex_fraction);
	const int before = atomic_exchange(&contention.mutex_fraction, n);
	set_state();
	return before;
}

/* ---- the profiles -------------------------------------------------------- */

struct source_mark {
	struct stack_snapshot snapshot;
};

static struct stack_table *table_of(const struct source *s)
{
	return s == &mutex_source ? contention.mutex_table
				  : contention.block_table;
}

static int take(const struct source *s, struct stack_snapshot *ret)
{
	*ret = (struct stack_snapshot){ 0 };
	return table_of(s) ? stack_snapshot_take(table_of(s), ret) : 0;
}

static int mark(const struct source *s, struct source_mark **ret_mark)
{
	struct source_mark *m = calloc(1, sizeof(*m));
	if (!m || take(s, &m->snapshot)) {
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

static int add_stacks(struct writer *w, const struct stack_table *t,
		      const struct stack_snapshot *since,
		      const struct stack_snapshot *until)
{
	for (size_t i = 0; i < until->n; i++) {
		const struct stack_record *r = stack_table_at(t, i);
		if (!r)
			continue;
		const int64_t count =
			until->counters[i][CONTENTION_COUNT] -
			stack_snapshot_get(since, i, CONTENTION_COUNT);
		const int64_t delay =
			until->counters[i][CONTENTION_DELAY] -
			stack_snapshot_get(since, i, CONTENTION_DELAY);
		const int64_t values[2] = {
			(count + CONTENTION_ONE / 2) / CONTENTION_ONE, delay
		};
		const struct stack stack = stack_table_stack(t, r);
		const int rc =
			r->tag == CONTENTION_UNSEEN
				? writer_add_named(w, "_UnseenRelease", &stack,
						   r->labels, values)
				: writer_add(w, &stack, r->labels, values, NULL,
					     0);
		if (rc)
			return rc;
	}
	return writer_add_lost(w, since, until);
}

/* "" when the profile is on. */
static const char *why_off(const struct source *s)
{
	if (!hooks_present(HOOKS_LOCK))
		return "the lock functions are not hooked: link libpprof-http "
		       "with its shims, or preload libpprof-preload.so";
	if (s == &mutex_source && atomic_load(&contention.mutex_fraction) <= 0)
		return "the mutex profile is off: pprof_set_mutex_profile_"
		       "fraction(1), POST mutex=1 to /debug/pprof/rates, or "
		       "PPROF_MUTEX_FRACTION=1 turns it on";
	if (s == &block_source && atomic_load(&contention.block_rate_ns) <= 0)
		return "the block profile is off: pprof_set_block_profile_"
		       "rate(1), POST block=1 to /debug/pprof/rates, or "
		       "PPROF_BLOCK_RATE=1 turns it on";
	return "";
}

static int collect(const struct source *s, const struct source_options *o,
		   const struct source_mark *since,
		   const struct source_mark *until,
		   struct profile **ret_profile, struct err *e)
{
	(void)o;
	static const struct writer_sample_type types[] = {
		{ "contentions", "count" },
		{ "delay", "nanoseconds" },
	};
	static const struct writer_options options = {
		.sample_types = types,
		.n_sample_types = 2,
		.period_type = { "contentions", "count" },
		.period = 1,
	};
	struct stack_snapshot now;
	if (take(s, &now))
		return err_set(e, ERR_NOMEM, "out of memory");
	struct writer *w;
	int rc = writer_begin(&options, &w, e);
	if (rc)
		goto out;
	if (table_of(s))
		rc = add_stacks(w, table_of(s), since ? &since->snapshot : NULL,
				until ? &until->snapshot : &now);
	if (rc == 0 && *why_off(s))
		rc = writer_comment(w, "%s", why_off(s));
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

static int write_text(const struct source *s, const struct source_options *o,
		      const struct sink *sink, struct err *e)
{
	struct profile *p;
	int rc = collect(s, o, NULL, NULL, &p, e);
	if (rc)
		return rc;
	const bool mutex = s == &mutex_source;
	const int fraction = atomic_load(&contention.mutex_fraction);
	rc = text_contention(sink, mutex ? "mutex" : "contention", 1000000000,
			     mutex ? fraction : 0, p, e);
	profile_free(p);
	if (rc == 0 && *why_off(s)) {
		char line[256];
		snprintf(line, sizeof(line), "# %s\n", why_off(s));
		rc = sink_write(sink, line, strlen(line));
	}
	return rc;
}

/* Stacks, as Go counts. */
static int64_t count(const struct source *s)
{
	const struct stack_table *t = table_of(s);
	int64_t n = 0;
	for (size_t i = 0; t && i < stack_table_count(t); i++) {
		const struct stack_record *r = stack_table_at(t, i);
		n += r && stack_record_get(r, CONTENTION_COUNT) > 0;
	}
	return n;
}

const struct source mutex_source = {
	.name = "mutex",
	.description = "Stack traces of holders of contended mutexes",
	.count = count,
	.collect = collect,
	.write_text = write_text,
	.mark = mark,
	.mark_free = mark_free,
};

const struct source block_source = {
	.name = "block",
	.description = "Stack traces that led to blocking on synchronization "
		       "primitives",
	.count = count,
	.collect = collect,
	.write_text = write_text,
	.mark = mark,
	.mark_free = mark_free,
};

static bool contention_stat(size_t i, struct pprof_stat *ret_stat)
{
	const struct pprof_stat rows[] = {
		{ "lock_wait_seconds_total", NULL,
		  (double)contention.lock_wait_ns / 1e9 },
		{ "sync_wait_seconds_total", NULL,
		  (double)contention.wait_ns / 1e9 },
	};
	if (i >= ARRAY_SIZE(rows))
		return false;
	*ret_stat = rows[i];
	return true;
}

/* The child has none of the threads that waited, and no bucket's holder. */
static void forked(void)
{
	lock_waits_forked();
	contention_hooks_forked();
	if (contention.mutex_table)
		stack_table_zero(contention.mutex_table);
	if (contention.block_table)
		stack_table_zero(contention.block_table);
}

__attribute__((constructor)) static void contention_init(void)
{
	pthread_atfork(NULL, NULL, forked);
	stat_register(contention_stat);
}
