/*
 * threads.c - the profiles "threads" and "goroutine"; see threads.h.
 */
#include "pprof/threads.h"

#include "base/attr.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/thread.h"
#include "pprof/writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMENTS_MAX = 20 }; /* about threads that did not answer */

/* Threads grouped by where they stand. */
struct source_mark {
	struct threads_list list; /* sorted by compare; n is the group's */
};

/* What stands for a thread without an answer, under its start routine. */
static const char *const silent_names[ASK_RESULTS] = {
	[ASK_BLOCKED] = "_ThreadBlocksSignal",
	[ASK_STOPPED] = "_ThreadStopped",
	[ASK_SILENT] = "_ThreadNotAnswering",
};

static int compare_keys(const struct threads_list *la,
			const struct threads_one *a,
			const struct threads_list *lb,
			const struct threads_one *b)
{
	if (a->result != b->result)
		return a->result < b->result ? -1 : 1;
	if (a->result != ASK_ANSWERED)
		return (a->start > b->start) - (a->start < b->start);
	if (a->labels != b->labels)
		return a->labels < b->labels ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->truncated != b->truncated)
		return a->truncated ? 1 : -1;
	return a->depth ? memcmp(la->pcs + a->first, lb->pcs + b->first,
				 a->depth * sizeof(uintptr_t))
			: 0;
}

static int by_key(const void *a, const void *b, void *list)
{
	return compare_keys(list, a, list, b);
}

static void group(struct threads_list *l)
{
	if (l->n == 0)
		return;
	qsort_r(l->v, l->n, sizeof(*l->v), by_key, l);
	size_t last = 0;
	for (size_t i = 1; i < l->n; i++) {
		if (compare_keys(l, &l->v[last], l, &l->v[i]) == 0)
			l->v[last].n++;
		else
			l->v[++last] = l->v[i];
	}
	l->n = last + 1;
}

static int take_mark(struct source_mark **ret_mark, struct err *e)
{
	struct source_mark *m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(e, ERR_NOMEM, "out of memory");
	const int rc = threads_take(false, &m->list, e);
	if (rc) {
		free(m);
		return rc;
	}
	group(&m->list);
	*ret_mark = m;
	return 0;
}

static int threads_mark(const struct source *s, struct source_mark **ret_mark)
{
	(void)s;
	return take_mark(ret_mark, NULL);
}

static void mark_free(struct source_mark *m)
{
	if (!m)
		return;
	threads_list_free(&m->list);
	free(m);
}

/* ---- writing ------------------------------------------------------------- */

static int add_group(struct writer *w, const struct threads_list *l,
		     const struct threads_one *t, int64_t n)
{
	if (n == 0)
		return 0;
	if (t->result == ASK_ANSWERED) {
		const struct stack stack = threads_stack(l, t);
		return writer_add(w, &stack, t->labels, &n, NULL, 0);
	}
	const struct stack start = { .pcs = &t->start,
				     .depth = t->start != 0,
				     .exact_leaf = true };
	return writer_add_named(w, silent_names[t->result], &start, 0, &n);
}

/* until less since: both are sorted by the same key. */
static int add_groups(struct writer *w, const struct threads_list *since,
		      const struct threads_list *until)
{
	static const struct threads_list none;
	size_t i = 0, j = 0;
	int rc = 0;
	if (!since)
		since = &none;
	while (rc == 0 && (i < until->n || j < since->n)) {
		const int c = i == until->n ? 1
			      : j == since->n
				      ? -1
				      : compare_keys(until, &until->v[i], since,
						     &since->v[j]);
		if (c == 0) {
			rc = add_group(w, until, &until->v[i],
				       until->v[i].n - since->v[j].n);
			i++, j++;
		} else if (c < 0) {
			rc = add_group(w, until, &until->v[i], until->v[i].n);
			i++;
		} else {
			rc = add_group(w, since, &since->v[j], -since->v[j].n);
			j++;
		}
	}
	return rc;
}

/* Those that did not answer, each with what /proc says of it. */
static int add_comments(struct writer *w, const struct threads_list *l)
{
	int rc = 0;
	size_t n = 0;
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct threads_one *t = &l->v[i];
		if (t->result == ASK_ANSWERED || n++ >= COMMENTS_MAX)
			continue;
		char name[32], wchan[64];
		thread_kernel_text(t->tid, "comm", name, sizeof(name));
		thread_kernel_text(t->tid, "wchan", wchan, sizeof(wchan));
		rc = writer_comment(w, "thread %d (%s) %s: state %c, in %s",
				    (int)t->tid, name,
				    ask_result_text(t->result),
				    thread_kernel_state(t->tid) ?: '?',
				    wchan[0] && strcmp(wchan, "0") != 0
					    ? wchan
					    : "user space");
	}
	return rc;
}

static int threads_collect(const struct source *s,
			   const struct source_options *o,
			   const struct source_mark *since,
			   const struct source_mark *until,
			   struct profile **ret_profile, struct err *e)
{
	(void)o;
	const char *type = s == &goroutine_source ? "goroutine" : "threads";
	const struct writer_sample_type types[] = { { type, "count" } };
	const struct writer_options options = {
		.sample_types = types,
		.n_sample_types = 1,
		.period_type = { type, "count" },
		.period = 1,
	};
	/* Before the writer: it would be seen to wait for it otherwise. */
	struct source_mark *now = NULL;
	if (!until) {
		const int rc = take_mark(&now, e);
		if (rc)
			return rc;
		until = now;
	}
	struct writer *w;
	int rc = writer_begin(&options, &w, e);
	if (rc == 0) {
		rc = add_groups(w, since ? &since->list : NULL, &until->list);
		if (rc == 0 && now)
			rc = add_comments(w, &now->list);
		if (rc) {
			writer_abort(w);
			err_set(e, rc, "the profile could not be written");
		} else {
			rc = writer_finish(w, ret_profile, e);
		}
	}
	mark_free(now);
	return rc;
}

static int threads_text(const struct source *s, const struct source_options *o,
			const struct sink *sink, struct err *e)
{
	if (o->debug < 2)
		return source_write_count(s, o, sink, e);
	return threads_write_dump(
		s == &goroutine_source ? "goroutine" : "thread", sink, e);
}

/* As the kernel counts them. */
static int64_t threads_count(const struct source *s)
{
	(void)s;
	char text[4096];
	const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *p = strstr(text, "\nThreads:");
	return p ? strtoll(p + 9, NULL, 10) : 0;
}

const struct source threads_source = {
	.name = "threads",
	.description = "Stack traces of all current threads. Use debug=2 as a "
		       "query parameter for each thread with its name and "
		       "state.",
	.count = threads_count,
	.collect = threads_collect,
	.write_text = threads_text,
	.mark = threads_mark,
	.mark_free = mark_free,
};

const struct source goroutine_source = {
	.name = "goroutine",
	.description = "Stack traces of all current threads, under the name "
		       "that Go's clients ask for. Use debug=2 as a query "
		       "parameter for each thread with its name and state.",
	.count = threads_count,
	.collect = threads_collect,
	.write_text = threads_text,
	.mark = threads_mark,
	.mark_free = mark_free,
};
