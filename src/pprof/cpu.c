/*
 * cpu.c - see cpu.h.  Windows on the sampler's table: the first starts it, the
 * last stops it, and each has its own two marks.
 */
#include "pprof/cpu.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/lost.h"
#include "pprof/sampler.h"
#include "pprof/sampler_budget.h"
#include "pprof/stat.h"
#include "pprof/thread.h"
#include "pprof/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source_mark {
	struct stack_snapshot snapshot;
	struct sampler_info info;
	int64_t process_cpu_ns, profiler_cpu_ns;
	uint32_t epoch; /* which run of the sampler it belongs to */
	/*
	 * The start of a window: it started the sampler.  Then no point was
	 * passed but undelivered before it, and those at its end are its own.
	 * A window that joins has some at either end: they cancel out.
	 */
	bool started_sampler;
	struct sampler_pending *pending; /* owned */
	size_t n_pending;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by lock. */
static int windows;
static int current_hz;
static uint32_t epoch;

static int64_t profiler_cpu_ns(void)
{
	struct sampler_stats stats;
	sampler_stats(&stats);
	return stats.handler_ns + stats.delivery_ns + stats.control_ns;
}

static void mark_free(struct source_mark *m)
{
	if (!m)
		return;
	stack_snapshot_free(&m->snapshot);
	free(m->pending);
	free(m);
}

/* Under the lock. */
static int mark_take(bool last, struct source_mark *m)
{
	const int rc =
		sampler_mark(last, &m->snapshot, &m->pending, &m->n_pending);
	if (rc)
		return rc;
	sampler_info(&m->info);
	m->process_cpu_ns = clock_process_cpu_ns();
	m->profiler_cpu_ns = profiler_cpu_ns();
	m->epoch = epoch;
	return 0;
}

/* The sampler is new: all that its table counts before is another's. */
static int start_locked(int hz, struct source_mark *m, struct err *e)
{
	if (windows > 0 && hz != current_hz)
		return err_set(e, ERR_BUSY, "cpu profiling already in use");
	int rc;
	if (windows > 0) {
		rc = mark_take(false, m);
		return rc ? rc : (windows++, 0);
	}
	epoch++;
	struct sampler_info before;
	sampler_info(&before);
	rc = sampler_start(hz, e);
	if (rc)
		return rc;
	rc = mark_take(false, m);
	/* The threads that could not be had at the start are this window's. */
	m->info = before;
	if (rc) {
		struct source_mark end = { 0 };
		if (sampler_mark(true, &end.snapshot, &end.pending,
				 &end.n_pending) == 0) {
			stack_snapshot_free(&end.snapshot);
			free(end.pending);
		}
		return rc;
	}
	m->started_sampler = true;
	current_hz = hz;
	windows = 1;
	return 0;
}

static int cpu_start(const struct source *s, const struct source_options *o,
		     struct source_mark **ret_mark, struct err *e)
{
	(void)s;
	const int hz = o && o->hz ? o->hz : CPU_HZ_DEFAULT;
	if (hz < 1 || hz > CPU_HZ_MAX)
		return err_set(e, ERR_INVALID, "hz must be 1 to %d",
			       CPU_HZ_MAX);
	guard_enter();
	struct source_mark *m = calloc(1, sizeof(*m));
	int rc = m ? 0 : err_set(e, ERR_NOMEM, "out of memory");
	if (rc == 0) {
		pthread_mutex_lock(&lock);
		rc = start_locked(hz, m, e);
		pthread_mutex_unlock(&lock);
	}
	if (rc == 0)
		*ret_mark = m;
	else
		mark_free(m);
	guard_leave();
	return rc;
}

/*
 * A window that was open when the process forked ends in the child where the
 * child began: its sampler does not run there.
 */
static int cpu_stop(const struct source *s, struct source_mark *started,
		    struct source_mark **ret_mark, struct err *e)
{
	(void)s;
	guard_enter();
	struct source_mark *m = calloc(1, sizeof(*m));
	int rc = m ? 0 : err_set(e, ERR_NOMEM, "out of memory");
	if (rc == 0) {
		pthread_mutex_lock(&lock);
		const bool ours = started->epoch == epoch && windows > 0;
		rc = mark_take(ours && windows == 1, m);
		if (rc == 0 && ours)
			windows--;
		pthread_mutex_unlock(&lock);
	}
	if (rc == 0)
		*ret_mark = m;
	else
		mark_free(m);
	guard_leave();
	return rc;
}

void cpu_forked(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	windows = 0;
	epoch++;
}

/* ---- writing ------------------------------------------------------------- */

static int64_t counted(const struct stack_snapshot *since,
		       const struct stack_snapshot *until, size_t i)
{
	return until->counters[i][0] -
	       (since && i < since->n ? since->counters[i][0] : 0);
}

static int add_stacks(struct writer *w, const struct source_mark *since,
		      const struct source_mark *until, int64_t period)
{
	const struct stack_snapshot *from = since ? &since->snapshot : NULL;
	for (size_t i = 0; i < until->snapshot.n; i++) {
		const struct stack_record *r =
			stack_table_at(sampler_table(), i);
		const int64_t n = counted(from, &until->snapshot, i);
		if (!r || n <= 0)
			continue;
		const int64_t values[2] = { n, n * period };
		const struct stack stack =
			stack_table_stack(sampler_table(), r);
		const char *name = sampler_tag_name(r->tag);
		const int rc = name ? writer_add_named(w, name, &stack,
						       r->labels, values)
				    : writer_add(w, &stack, r->labels, values,
						 NULL, 0);
		if (rc)
			return rc;
	}
	return 0;
}

static int add_pending(struct writer *w, const struct source_mark *since,
		       const struct source_mark *until, int64_t period)
{
	if (since && !since->started_sampler)
		return 0;
	for (size_t i = 0; i < until->n_pending; i++) {
		const struct sampler_pending *p = &until->pending[i];
		const int64_t values[2] = { p->points, p->points * period };
		const struct stack stack = { .pcs = &p->start,
					     .depth = p->start != 0,
					     .exact_leaf = true };
		const int rc =
			writer_add_named(w, "_CaptureEnd", &stack, 0, values);
		if (rc)
			return rc;
	}
	return 0;
}

static int add_lost(struct writer *w, const struct source_mark *since,
		    const struct source_mark *until, int64_t period)
{
	for (int cause = 0; cause < LOST_CAUSES; cause++) {
		const int64_t n =
			until->snapshot.lost_samples[cause] -
			(since ? since->snapshot.lost_samples[cause] : 0);
		if (n <= 0)
			continue;
		const int64_t values[2] = { n, n * period };
		const struct stack none = { 0 };
		int rc = writer_add_named(w, lost_function(cause), &none, 0,
					  values);
		if (rc == 0)
			rc = writer_comment(w, "lost samples: %s %lld",
					    lost_name(cause), (long long)n);
		if (rc)
			return rc;
	}
	return 0;
}

static int add_comments(struct writer *w, const struct source_mark *since,
			const struct source_mark *until)
{
	const struct sampler_info *i = &until->info;
	const int tick_hz = (int)(1000000000 / i->tick_ns);
	int rc = writer_comment(
		w, "engine: %s, signal %d%s",
		i->perf ? "perf_event_open cpu-clock" : "timer_create",
		i->signo,
		i->signal_moved ? " (SIGPROF belongs to the program)" : "");
	if (rc == 0)
		rc = writer_comment(
			w, "rate: %d Hz asked, %d Hz had%s", i->hz,
			i->perf || i->hz <= tick_hz ? i->hz : tick_hz,
			!i->perf_asked ? ""
			: i->perf      ? ""
				  : " (the kernel's tick; samples weighted "
				    "by timer overruns, perf events not "
				    "permitted)");
	if (rc == 0)
		rc = writer_comment(w, "unwinder: %s; threads: %s",
				    sampler_unwinder(),
				    hooks_present(HOOKS_THREAD)
					    ? "hooked and scanned"
					    : "scanned every 100 ms");
	if (rc == 0 && since)
		rc = writer_comment(w,
				    "cpu time: process %.3f s, profiler %.3f s",
				    (double)(until->process_cpu_ns -
					     since->process_cpu_ns) /
					    1e9,
				    (double)(until->profiler_cpu_ns -
					     since->profiler_cpu_ns) /
					    1e9);
	if (rc == 0 && i->signal_taken)
		rc = writer_comment(w,
				    "signal %d was taken by the program "
				    "during the capture",
				    i->signo);
	return rc;
}

/* What the overhead budget did to this window. */
static int add_budget_comment(struct writer *w, const struct source_mark *since,
			      const struct source_mark *until)
{
	const struct sampler_info *i = &until->info;
	const int64_t process =
		until->process_cpu_ns - (since ? since->process_cpu_ns : 0);
	const int64_t profiler =
		until->profiler_cpu_ns - (since ? since->profiler_cpu_ns : 0);
	const int64_t times =
		i->rate_reductions - (since ? since->info.rate_reductions : 0);
	if (i->budget <= 0)
		return 0;
	int rc = writer_comment(
		w,
		"overhead budget: %g%% of the process's CPU time, used %.2f%%; "
		"rate lowered %lld times, %.4g Hz at the end (samples weigh "
		"the more)",
		i->budget * 100,
		process > 0 ? 100 * (double)profiler / (double)process : 0.0,
		(long long)times, 1e9 / (double)i->signal_period_ns);
	if (rc == 0 && i->scan_every > 1)
		rc = writer_comment(w,
				    "overhead budget: threads scanned every "
				    "%u ms at the end",
				    100 * i->scan_every);
	return rc;
}

/* timer_create itself knows no other error than EAGAIN here. */
static const char *no_timer_reason(int error, char *buf, size_t size)
{
	const char *name = strerrorname_np(error);
	snprintf(buf, size, "no timer (timer_create: %s, see %s)",
		 name ? name : "?",
		 error == EAGAIN ? "RLIMIT_SIGPENDING"
				 : "the process's seccomp filter");
	return buf;
}

/* What happened to threads, in this window. */
static int add_thread_comments(struct writer *w,
			       const struct source_mark *since,
			       const struct source_mark *until)
{
	static const struct sampler_info none;
	const struct sampler_info *a = since ? &since->info : &none;
	const struct sampler_info *b = &until->info;
	char reason[96];
	const struct {
		int64_t n;
		const char *what;
	} rows[] = {
		{ b->threads_without_timer - a->threads_without_timer,
		  no_timer_reason(b->no_timer_errno, reason, sizeof(reason)) },
		{ b->threads_without_slot - a->threads_without_slot,
		  "not sampled: more threads than the profiler has room for" },
		{ b->threads_on_timer_instead - a->threads_on_timer_instead,
		  "a timer instead of a perf event" },
		{ b->threads_slowed - a->threads_slowed,
		  "times that a thread's rate was halved: its stacks took a "
		  "quarter of its time" },
		{ b->threads_unseen - a->threads_unseen,
		  "ended between two scans: their last samples are missing" },
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].n > 0)
			rc = writer_comment(w, "threads: %lld: %s",
					    (long long)rows[i].n, rows[i].what);
	return rc;
}

static int cpu_collect(const struct source *s, const struct source_options *o,
		       const struct source_mark *since,
		       const struct source_mark *until,
		       struct profile **ret_profile, struct err *e)
{
	(void)s;
	(void)o;
	static const struct writer_sample_type types[] = {
		{ "samples", "count" },
		{ "cpu", "nanoseconds" },
	};
	if (!until)
		return err_set(e, ERR_UNSUPPORTED,
			       "a CPU profile is a window in time");
	const int64_t period = until->info.period_ns;
	const struct writer_options options = {
		.sample_types = types,
		.n_sample_types = ARRAY_SIZE(types),
		.period_type = { "cpu", "nanoseconds" },
		.period = period,
	};
	struct writer *w;
	int rc = writer_begin(&options, &w, e);
	if (rc)
		return rc;
	rc = add_stacks(w, since, until, period);
	if (rc == 0)
		rc = add_pending(w, since, until, period);
	if (rc == 0)
		rc = add_lost(w, since, until, period);
	if (rc == 0)
		rc = add_comments(w, since, until);
	if (rc == 0)
		rc = add_budget_comment(w, since, until);
	if (rc == 0)
		rc = add_thread_comments(w, since, until);
	if (rc) {
		writer_abort(w);
		return err_set(e, rc, "the profile could not be written");
	}
	return writer_finish(w, ret_profile, e);
}

const struct source cpu_source = {
	.name = "profile",
	.description = "CPU profile. You can specify the duration in the "
		       "seconds GET parameter. After you get the profile file, "
		       "use the go tool pprof command to investigate the "
		       "profile.",
	.collect = cpu_collect,
	.mark_free = mark_free,
	.start = cpu_start,
	.stop = cpu_stop,
	.hidden = true,
};

static bool cpu_stat(size_t i, struct pprof_stat *ret_stat)
{
	struct sampler_stats stats;
	sampler_stats(&stats);
	const struct pprof_stat rows[] = {
		{ "cpu_samples_total", NULL, (double)stats.samples },
		{ "cpu_signals_total", NULL, (double)stats.signals },
		{ "cpu_signals_late_total", NULL, (double)stats.late },
		{ "cpu_threads_slowed_total", NULL, (double)stats.slowed },
		{ "cpu_budget_ratio", NULL, sampler_budget_share() },
		{ "cpu_rate_reductions_total", NULL,
		  (double)sampler_budget_reductions() },
		{ "cpu_rate_hertz", NULL,
		  stats.running
			  ? 1e9 / (double)sampler_budget_signal_period_ns()
			  : 0 },
		{ "cpu_seconds_total", "handler",
		  (double)stats.handler_ns / 1e9 },
		{ "cpu_seconds_total", "delivery",
		  (double)stats.delivery_ns / 1e9 },
		{ "cpu_seconds_total", "control",
		  (double)stats.control_ns / 1e9 },
	};
	if (i >= ARRAY_SIZE(rows))
		return false;
	*ret_stat = rows[i];
	return true;
}

__attribute__((constructor)) static void cpu_init(void)
{
	stat_register(cpu_stat);
}
