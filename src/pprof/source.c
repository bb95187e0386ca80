/*
 * source.c - the list of all kinds of profiles, and what pprof.h asks of a
 * named one.
 */
#include "pprof/source.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/stat.h"
#include "pprof/text.h"
#include "pprof/uncancelled.h"
#include "profile/encode.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One line a kind: declare it where it says, and add it to the list.
 */

/* cpu, wall: */
#include "pprof/cpu.h"
#include "pprof/wall.h"

/* heap, allocs: */
#include "pprof/heap.h"

/* threads, goroutine, threadcreate: */
#include "pprof/threadcreate.h"
#include "pprof/threads.h"

/* block, mutex: */
#include "pprof/contention.h"

static const struct source *const kinds[] = {
	/* cpu, wall: */
	&cpu_source,
	&wall_source,

	/* heap, allocs: */
	&heap_source,
	&allocs_source,

	/* threads, goroutine, threadcreate: */
	&goroutine_source,
	&threadcreate_source,
	&threads_source,

	/* block, mutex: */
	&block_source,
	&mutex_source,

	NULL,
};

enum {
	KINDS = ARRAY_SIZE(kinds) - 1,
	REGISTERED_MAX = 256,
	PROFILE_BYTES_MAX = 256 << 20, /* of one encoded answer */
};

/* Made at run time.  Appended under the lock, never removed. */
static const struct source *registered[REGISTERED_MAX];
static size_t n_registered; /* atomic: releases the entry */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t taken[KINDS + REGISTERED_MAX]; /* by index; relaxed */

const struct source *source_at(size_t i)
{
	for (const struct source *const *kind = kinds; *kind; kind++)
		if (i-- == 0)
			return *kind;
	return i < __atomic_load_n(&n_registered, __ATOMIC_ACQUIRE)
		       ? registered[i]
		       : NULL;
}

const struct source *source_find(const char *name)
{
	const struct source *s;
	for (size_t i = 0; (s = source_at(i)); i++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

int source_register(const struct source *s)
{
	guard_enter();
	pthread_mutex_lock(&lock);
	int code = 0;
	if (source_find(s->name))
		code = ERR_BUSY;
	else if (n_registered == REGISTERED_MAX)
		code = ERR_LIMIT;
	if (!code) {
		registered[n_registered] = s;
		__atomic_store_n(&n_registered, n_registered + 1,
				 __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock);
	guard_leave();
	return code;
}

void source_count_taken(const struct source *s)
{
	const struct source *at;
	for (size_t i = 0; (at = source_at(i)); i++)
		if (at == s)
			atomic_fetch_add_explicit(&taken[i], 1,
						  memory_order_relaxed);
}

/* Every kind from the start, so that its first profile is a change. */
static bool taken_stat(size_t i, struct pprof_stat *ret_stat)
{
	const struct source *s = source_at(i);
	if (!s)
		return false;
	*ret_stat = (struct pprof_stat){
		.name = "captures_total",
		.label = s->name,
		.value = (double)atomic_load_explicit(&taken[i],
						      memory_order_relaxed),
	};
	return true;
}

/* A child must not inherit the lock from a thread that it does not have. */
static void before_fork(void)
{
	guard_enter();
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
	guard_leave();
}

__attribute__((constructor)) static void source_init(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
	stat_register(taken_stat);
}

/* ---- pprof.h: a named profile is its source ------------------------------ */

static struct pprof_profile *profile_of(const struct source *s)
{
	return (struct pprof_profile *)(uintptr_t)s;
}

static const struct source *source_of(const struct pprof_profile *profile)
{
	return (const struct source *)(const void *)profile;
}

struct pprof_profile *pprof_lookup(const char *name)
{
	const struct source *s = name ? source_find(name) : NULL;
	/* What must be started is no profile that holds something now. */
	return s && !s->start ? profile_of(s) : NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct source *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

struct pprof_profile *pprof_profile_at(size_t i)
{
	const struct source *shown[KINDS + REGISTERED_MAX];
	const struct source *s;
	size_t n = 0;
	for (size_t j = 0; n < ARRAY_SIZE(shown) && (s = source_at(j)); j++)
		if (!s->hidden && !s->start)
			shown[n++] = s;
	qsort(shown, n, sizeof(*shown), by_name);
	return i < n ? profile_of(shown[i]) : NULL;
}

const char *pprof_profile_name(const struct pprof_profile *profile)
{
	return source_of(profile)->name;
}

const char *pprof_profile_description(const struct pprof_profile *profile)
{
	return source_of(profile)->description;
}

int64_t pprof_profile_count(const struct pprof_profile *profile)
{
	const struct source *s = source_of(profile);
	return s->count ? s->count(s) : 0;
}

bool pprof_profile_has_delta(const struct pprof_profile *profile)
{
	return source_of(profile)->mark != NULL;
}

static int collect_now(const struct source *s, const struct source_options *o,
		       struct profile **ret_profile, struct err *e)
{
	const int code = s->collect(s, o, NULL, NULL, ret_profile, e);
	if (!code && (*ret_profile)->time_nanos == 0)
		(*ret_profile)->time_nanos = clock_realtime_ns();
	return code;
}

int source_write_count(const struct source *s, const struct source_options *o,
		       const struct sink *sink, struct err *e)
{
	struct profile *p;
	int code = collect_now(s, o, &p, e);
	if (code)
		return code;
	code = text_count(sink, s->name, p, e);
	profile_free(p);
	return code;
}

static int write_text(const struct source *s, const struct source_options *o,
		      const struct sink *sink, struct err *e)
{
	return s->write_text ? s->write_text(s, o, sink, e)
			     : source_write_count(s, o, sink, e);
}

static int write_proto(const struct source *s, const struct source_options *o,
		       const struct sink *sink, struct err *e)
{
	struct profile *p;
	int code = collect_now(s, o, &p, e);
	if (code)
		return code;
	code = profile_encode(p, PROFILE_GZIP, sink, e);
	profile_free(p);
	return code;
}

int pprof_write_to(struct pprof_profile *profile,
		   const struct pprof_write_options *options,
		   const struct pprof_writer *writer)
{
	if (!profile || !writer || !writer->write)
		return PPROF_ERR_INVALID;
	UNCANCELLED;
	const struct source *s = source_of(profile);
	struct source_options o = { 0 };
	if (options) {
		o.debug = options->debug;
		o.min_age_ns = options->min_age_ns;
	}
	/*
	 * Into memory first: the caller's function runs outside the guard,
	 * and without any lock of ours.
	 */
	struct buf out = { .cap = PROFILE_BYTES_MAX };
	const struct sink sink = sink_buf(&out);
	struct err e = { "" };
	guard_enter();
	int code = o.debug > 0 ? write_text(s, &o, &sink, &e)
			       : write_proto(s, &o, &sink, &e);
	if (!code)
		source_count_taken(s);
	guard_leave();
	if (code && options && options->reason)
		snprintf(options->reason, options->reason_size, "%s",
			 err_text(&e, code));
	if (!code)
		code = writer->write(writer->arg, buf_str(&out), out.len);
	guard_enter();
	buf_free(&out);
	guard_leave();
	return code;
}
