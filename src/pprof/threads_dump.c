/*
 * threads_dump.c - debug=2: each thread, in the form of Go's dump of its
 * goroutines, with what the kernel says of it.
 */
#include "pprof/threads.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"
#include "pprof/freeze.h"
#include "pprof/label.h"
#include "pprof/symbols.h"
#include "pprof/thread.h"

#include <inttypes.h>
#include <string.h>

enum { DUMP_MAX = 256 << 20 };

static const char *state_text(const struct threads_one *t)
{
	if (t->waiting_for_lock)
		return "waiting for a lock";
	switch (t->state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 't':
		return "traced";
	case 'I':
		return "idle";
	default:
		return "unknown";
	}
}

/* "for 3 minutes", in the largest whole unit. */
static void add_idle(struct buf *b, int64_t ns)
{
	static const struct {
		int64_t ns;
		const char *unit;
	} units[] = {
		{ INT64_C(3600000000000), "hour" },
		{ INT64_C(60000000000), "minute" },
		{ INT64_C(1000000000), "second" },
		{ INT64_C(1000000), "millisecond" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		const int64_t n = ns / units[i].ns;
		if (n == 0)
			continue;
		buf_printf(b, ", %" PRId64 " %s%s", n, units[i].unit,
			   n == 1 ? "" : "s");
		return;
	}
}

static void add_labels(struct buf *b, uint32_t set)
{
	const struct pprof_label *labels;
	const size_t n = label_set_get(set, &labels);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, " %s=%s", labels[i].key, labels[i].value);
}

static void add_frame(struct buf *b, struct symbolizer *s, uint64_t pc,
		      uint64_t address)
{
	struct symbolizer_result r;
	symbolizer_lookup(s, address, &r);
	const uint64_t start = symbolizer_function_start(s, address);
	if (r.n_frames == 0)
		buf_printf(b, "%#" PRIx64 "(...)\n\t%s\n", pc,
			   r.row && r.row->path ? r.row->path : "?");
	for (size_t i = 0; i < r.n_frames; i++) {
		const struct object_frame *f = &r.frames[i];
		const bool inlined = i + 1 < r.n_frames;
		buf_printf(b, "%s(...)\n\t%s:%d",
			   f->function ? f->function : "?",
			   f->file ? f->file : "?", (int)f->line);
		if (!inlined && start && start <= pc)
			buf_printf(b, " +%#" PRIx64, pc - start);
		buf_append_char(b, '\n');
	}
}

static void add_silent(struct buf *b, const struct threads_one *t)
{
	char wchan[64], call[128];
	thread_kernel_text(t->tid, "wchan", wchan, sizeof(wchan));
	thread_kernel_text(t->tid, "syscall", call, sizeof(call));
	buf_printf(b, "no stack: it %s", ask_result_text(t->result));
	if (wchan[0] && strcmp(wchan, "0") != 0)
		buf_printf(b, "; the kernel has it in %s", wchan);
	if (call[0] && strcmp(call, "running") != 0)
		buf_printf(b, "; system call %.*s", (int)strcspn(call, " "),
			   call);
	buf_append_char(b, '\n');
}

static void add_thread(struct buf *b, const char *word, struct symbolizer *s,
		       const struct threads_list *l,
		       const struct threads_one *t)
{
	char name[32];
	thread_kernel_text(t->tid, "comm", name, sizeof(name));
	buf_printf(b, "%s %d [%s", word, (int)t->tid, state_text(t));
	if (t->idle_ns >= 0)
		add_idle(b, t->idle_ns);
	buf_printf(b, "]: %s", name);
	add_labels(b, t->labels);
	buf_append_char(b, '\n');
	const struct stack stack = threads_stack(l, t);
	for (uint32_t i = 0; i < stack.depth; i++)
		add_frame(b, s, stack.pcs[i], freeze_address(&stack, i));
	if (t->truncated)
		buf_append_str(b, "...additional frames elided...\n");
	if (t->result != ASK_ANSWERED)
		add_silent(b, t);
	if (t->start) {
		buf_append_str(b, "started as ");
		add_frame(b, s, t->start, t->start);
	}
	buf_append_char(b, '\n');
}

int threads_write_dump(const char *word, const struct sink *sink, struct err *e)
{
	struct threads_list l;
	int rc = threads_take(true, &l, e);
	if (rc)
		return rc;
	struct buf b = { .cap = DUMP_MAX };
	struct symbolizer *s;
	rc = symbols_lock(&s, e);
	if (rc == 0) {
		rc = symbolizer_refresh(s, e);
		for (size_t i = 0; rc == 0 && i < l.n; i++)
			add_thread(&b, word, s, &l, &l.v[i]);
		symbols_unlock();
	}
	if (rc == 0)
		rc = sink_write(sink, buf_str(&b), b.len);
	buf_free(&b);
	threads_list_free(&l);
	return rc;
}
