/*
 * capture.c - windows in time on any source, and the CPU profile that goes to
 * a file, which is one of them.
 */
#include "pprof/capture.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/guard.h"
#include "pprof/source.h"
#include "pprof/uncancelled.h"
#include "profile/encode.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HZ_MAX = 10000,
	PROFILE_BYTES_MAX = 256 << 20,
};

/* Thread: one at a time, as the caller promises by owning it. */
struct pprof_capture {
	const struct source *source;
	struct source_options options;
	struct source_mark *since, *until; /* until: NULL before the stop */
	int64_t start_realtime_ns, start_monotonic_ns;
	int64_t stop_realtime_ns, stop_monotonic_ns;
	pid_t pid; /* a child's copy of a window has no sampler behind it */
};

/* ---- windows ------------------------------------------------------------- */

static int cpu_hz; /* atomic, relaxed; 0 = the source's default */

int pprof_set_cpu_profile_rate(int hz)
{
	if (hz < 1 || hz > HZ_MAX)
		return PPROF_ERR_INVALID;
	__atomic_store_n(&cpu_hz, hz, __ATOMIC_RELAXED);
	return 0;
}

static int start_source(struct pprof_capture *c, struct err *e)
{
	const struct source *s = c->source;
	if (s->start)
		return s->start(s, &c->options, &c->since, e);
	if (s->mark)
		return s->mark(s, &c->since);
	return err_set(e, ERR_UNSUPPORTED,
		       "\"seconds\" parameter is not supported for this "
		       "profile type");
}

int capture_start(const char *name, const struct pprof_capture_options *options,
		  struct pprof_capture **ret_capture, struct err *e)
{
	const struct source *s = name ? source_find(name) : NULL;
	if (!s)
		return err_set(e, ERR_NOTFOUND, "Unknown profile");
	int hz = options ? options->hz : 0;
	if (hz < 0 || hz > HZ_MAX)
		return err_set(e, ERR_INVALID, "hz is %d: must be from 1 to %d",
			       hz, HZ_MAX);
	if (hz == 0 && strcmp(name, "profile") == 0)
		hz = __atomic_load_n(&cpu_hz, __ATOMIC_RELAXED);

	UNCANCELLED;
	guard_enter();
	struct pprof_capture *c = calloc(1, sizeof(*c));
	int code = ERR_NOMEM;
	if (c) {
		c->source = s;
		c->options.hz = hz;
		c->pid = getpid();
		c->start_realtime_ns = clock_realtime_ns();
		c->start_monotonic_ns = clock_monotonic_ns();
		code = start_source(c, e);
	}
	if (code) {
		free(c);
	} else {
		source_count_taken(s);
		*ret_capture = c;
	}
	guard_leave();
	return code;
}

int pprof_capture_start(const char *name,
			const struct pprof_capture_options *options,
			struct pprof_capture **ret_capture)
{
	if (!ret_capture)
		return PPROF_ERR_INVALID;
	struct err e = { "" };
	const int code = capture_start(name, options, ret_capture, &e);
	if (code && options && options->reason)
		snprintf(options->reason, options->reason_size, "%s",
			 err_text(&e, code));
	return code;
}

int pprof_capture_stop(struct pprof_capture *c)
{
	if (!c || c->until || c->pid != getpid())
		return PPROF_ERR_INVALID;
	UNCANCELLED;
	const struct source *s = c->source;
	guard_enter();
	const int code = s->stop ? s->stop(s, c->since, &c->until, NULL)
				 : s->mark(s, &c->until);
	c->stop_realtime_ns = clock_realtime_ns();
	c->stop_monotonic_ns = clock_monotonic_ns();
	guard_leave();
	return code;
}

int capture_collect(struct pprof_capture *c, struct profile **ret_profile,
		    struct err *e)
{
	if (!c || !c->until)
		return err_set(e, ERR_INVALID, "the window is still open");
	UNCANCELLED;
	const struct source *s = c->source;
	guard_enter();
	struct profile *p;
	const int code = s->collect(s, &c->options, c->since, c->until, &p, e);
	if (!code) {
		/* As Go: a CPU profile has the time at which it began, a
		 * difference that of the later of its two. */
		p->time_nanos =
			s->start ? c->start_realtime_ns : c->stop_realtime_ns;
		p->duration_nanos =
			c->stop_monotonic_ns - c->start_monotonic_ns;
		*ret_profile = p;
	}
	guard_leave();
	return code;
}

int pprof_capture_write(struct pprof_capture *c,
			const struct pprof_writer *writer)
{
	if (!writer || !writer->write)
		return PPROF_ERR_INVALID;
	UNCANCELLED;
	struct profile *p;
	int code = capture_collect(c, &p, NULL);
	if (code)
		return code;
	struct buf out = { .cap = PROFILE_BYTES_MAX };
	const struct sink sink = sink_buf(&out);
	guard_enter();
	code = profile_encode(p, PROFILE_GZIP, &sink, NULL);
	profile_free(p);
	guard_leave();
	if (!code)
		code = writer->write(writer->arg, buf_str(&out), out.len);
	guard_enter();
	buf_free(&out);
	guard_leave();
	return code;
}

void pprof_capture_free(struct pprof_capture *c)
{
	if (!c)
		return;
	UNCANCELLED;
	const int saved_errno = errno;
	if (!c->until)
		pprof_capture_stop(c); /* refused in a child */
	guard_enter();
	if (c->source->mark_free) {
		c->source->mark_free(c->since);
		c->source->mark_free(c->until);
	}
	free(c);
	guard_leave();
	errno = saved_errno;
}

/* ---- the CPU profile to a file ------------------------------------------- */

enum { CPU_IDLE, CPU_CHANGING, CPU_RUNNING };

/* The one who moved it to CPU_CHANGING owns capture and fd until it moves it
 * on.  No lock: the source has its own, and fork takes those. */
static struct {
	int state; /* atomic */
	struct pprof_capture *capture;
	int fd;
} cpu_file;

static bool cpu_file_move(int from, int to)
{
	return __atomic_compare_exchange_n(&cpu_file.state, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

int pprof_start_cpu_profile(int fd)
{
	if (fd < 0)
		return PPROF_ERR_INVALID;
	UNCANCELLED;
	if (!cpu_file_move(CPU_IDLE, CPU_CHANGING))
		return PPROF_ERR_BUSY;
	const int code =
		capture_start("profile", NULL, &cpu_file.capture, NULL);
	cpu_file.fd = fd;
	cpu_file_move(CPU_CHANGING, code ? CPU_IDLE : CPU_RUNNING);
	return code == PPROF_ERR_NOTFOUND ? PPROF_ERR_UNSUPPORTED : code;
}

static int write_fd(void *arg, const void *data, size_t len)
{
	const struct sink sink = sink_fd(arg);
	return sink_write(&sink, data, len);
}

int pprof_stop_cpu_profile(void)
{
	UNCANCELLED;
	if (!cpu_file_move(CPU_RUNNING, CPU_CHANGING))
		return PPROF_ERR_NOTFOUND;
	const struct pprof_writer writer = { write_fd, &cpu_file.fd };
	int code = pprof_capture_stop(cpu_file.capture);
	if (!code)
		code = pprof_capture_write(cpu_file.capture, &writer);
	pprof_capture_free(cpu_file.capture);
	cpu_file.capture = NULL;
	cpu_file_move(CPU_CHANGING, CPU_IDLE);
	return code;
}

/* A child has no sampler, and no profile that it could stop; what the capture
 * holds is left alone. */
static void after_fork_in_child(void)
{
	cpu_file.capture = NULL;
	cpu_file.state = CPU_IDLE;
}

__attribute__((constructor)) static void capture_init(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}
