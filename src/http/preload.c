/*
 * preload.c - libpprof-preload.so: the profiler put into a program that was
 * never changed.
 *
 *	PPROF_ADDR=127.0.0.1:6060 LD_PRELOAD=libpprof-preload.so PROGRAM
 *
 *	PPROF_ADDR=HOST:PORT | unix:PATH   serve /debug/pprof/ there
 *	PPROF_CPU=FILE, PPROF_HEAP=FILE    write profiles at exit
 *	PPROF_MEM_RATE=BYTES               heap: 1 of so many bytes; 0 off
 *	PPROF_BLOCK_RATE=NS, PPROF_MUTEX_FRACTION=N
 *	PPROF_BUDGET=PERCENT               what CPU profiling may cost: 1%
 *	PPROF_TOKEN_FILE=FILE              see pprof_http.h
 *	PPROF_SIGNAL=SIGNAL                see sampler_signal.h
 *
 * %p stands for the pid in the first three.  Of a family of processes the
 * first to bind an address serves there; the others say nothing about it.  A
 * forked child has no profiler's threads, unless it becomes a daemon: then it
 * serves in its parent's place as soon as that has ended.
 *
 * What is wrong with a variable is said on standard error, once, and the
 * program goes on.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "http/pprof_http.h"
#include "http/request.h"
#include "http/thread.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/own.h"
#include "pprof/pprof.h"
#include "pprof/sampler.h"
#include "pprof/sampler_signal.h"
#include "pprof/thread.h"
#include "pprof/unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	TEXT = 512,
	/* A second fork this soon after setsid is part of becoming a daemon. */
	DAEMON_WINDOW_NS = 2000000000,
	BIND_RETRY_MS = 20,
	BIND_RETRIES = 50,
};

/*
 * Written by the constructor and by fork's child handler, while there is one
 * thread that could know; http and cpu by revive, too, under `serving`.
 */
static struct {
	pid_t pid;	   /* whose state this is */
	pid_t server_pid;  /* who served last in our line, or 0 */
	int64_t daemon_ns; /* when it became a daemon, or 0 */
	struct pprof_http *http;
	struct pprof_capture *cpu;
} self;

/* Guards http and cpu while they are made: a fork comes before or after. */
static pthread_mutex_t serving = PTHREAD_MUTEX_INITIALIZER;

static void complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
	char text[TEXT];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "libpprof: %s\n", text);
}

/* A variable with %p replaced, or NULL when it is unset or empty. */
static const char *variable(const char *name, char buf[static TEXT])
{
	const char *value = getenv(name);
	size_t n = 0;
	if (!value || !*value)
		return NULL;
	for (; *value && n < TEXT - 16; value++) {
		if (value[0] == '%' && value[1] == 'p') {
			n += (size_t)snprintf(buf + n, TEXT - n, "%d",
					      (int)getpid());
			value++;
		} else {
			buf[n++] = *value;
		}
	}
	buf[n] = '\0';
	return buf;
}

/* ---- serving ------------------------------------------------------------- */

/* Returns: 0, or PPROF_ERR_BUSY when another has the address. */
static int serve(void)
{
	char buf[TEXT], token_buf[TEXT];
	const char *address = variable("PPROF_ADDR", buf);
	const struct pprof_http_options options = {
		.token_file = variable("PPROF_TOKEN_FILE", token_buf),
	};
	struct pprof_http *http;
	if (!address)
		return 0;
	pthread_mutex_lock(&serving);
	const int rc = pprof_http_start(address, &options, &http);
	if (!rc) {
		self.http = http;
		self.server_pid = getpid();
	}
	const int saved = errno;
	pthread_mutex_unlock(&serving);
	errno = saved;
	if (!rc)
		return 0;
	if (rc == PPROF_ERR_IO && errno == EADDRINUSE)
		return PPROF_ERR_BUSY;
	if (rc == PPROF_ERR_INVALID)
		complain("PPROF_ADDR=%s: must be HOST:PORT, [V6]:PORT, :PORT "
			 "or unix:PATH",
			 address);
	else
		complain("PPROF_ADDR=%s: %s", address,
			 rc == PPROF_ERR_IO ? strerror(errno)
					    : pprof_strerror(rc));
	return 0;
}

/* Until pid, an ancestor, has ended. */
static void wait_for_end(pid_t pid)
{
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
		close(fd);
		return;
	}
	const struct timespec pause = { .tv_nsec = 50000000 };
	while (kill(pid, 0) == 0 || errno == EPERM)
		nanosleep(&pause, NULL);
}

static void start_capture(void)
{
	char buf[TEXT];
	if (!variable("PPROF_CPU", buf))
		return;
	char reason[TEXT];
	const struct pprof_capture_options options = {
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	pthread_mutex_lock(&serving);
	const int rc =
		self.cpu ? 0
			 : pprof_capture_start("profile", &options, &self.cpu);
	pthread_mutex_unlock(&serving);
	if (rc)
		complain("PPROF_CPU=%s: %s", buf, reason);
}

/*
 * A daemon's: serve where the parent served, once it has gone.  A thread, since
 * that may take a while, and since within fork's handlers, where a second fork
 * is noticed, the locks of others are not free yet.
 */
static void *revive(void *arg)
{
	const pid_t before = (pid_t)(intptr_t)arg;
	const struct timespec pause = { .tv_nsec = BIND_RETRY_MS * 1000000 };
	guard_enter();
	start_capture();
	if (before && before != getpid())
		wait_for_end(before);
	/* Its sockets close a little after. */
	for (int i = 0; i < BIND_RETRIES && serve() == PPROF_ERR_BUSY; i++)
		nanosleep(&pause, NULL);
	guard_leave();
	return NULL;
}

static void become_daemon(void)
{
	pthread_t thread;
	if (self.http)
		return;
	guard_enter();
	self.pid = getpid();
	self.daemon_ns = clock_monotonic_ns();
	if ((getenv("PPROF_ADDR") || getenv("PPROF_CPU")) &&
	    http_thread_start(&thread, "pprof-daemon", revive,
			      (void *)(intptr_t)self.server_pid) == 0)
		pthread_detach(thread);
	guard_leave();
}

/*
 * Ours with the program's, as is usual at the start of one that does not trust
 * what it inherited (ssh, sudo): stop before, since the HTTP threads would go
 * on with what has their numbers then, and serve anew after.  `serving` is held
 * in between.  Not in a child, which shares this memory if it comes from vfork;
 * nor where the lock is taken, perhaps by whom a handler interrupted.
 */
static bool descriptors_closing(unsigned first, unsigned last)
{
	if (self.pid != getpid() || pthread_mutex_trylock(&serving))
		return false;
	if (!self.http || !http_holds(self.http, first, last)) {
		pthread_mutex_unlock(&serving);
		return false;
	}
	guard_enter();
	pprof_http_stop(self.http);
	self.http = NULL;
	guard_leave();
	return true;
}

static void descriptors_closed(void)
{
	guard_enter();
	pthread_mutex_unlock(&serving);
	serve();
	guard_leave();
}

/* ---- at exit ------------------------------------------------------------- */

static int write_fd(void *arg, const void *data, size_t len)
{
	const int *fd = arg;
	const char *at = data;
	while (len > 0) {
		const ssize_t n = write(*fd, at, len);
		if (n < 0 && errno != EINTR)
			return PPROF_ERR_IO;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/*
 * Whole or not at all: into a file beside it, which then takes its name.  A
 * process that is killed in the middle leaves the old one.
 */
static void write_file(const char *name, struct pprof_capture *cpu)
{
	char path[TEXT], temporary[TEXT + 32];
	if (!variable(name, path))
		return;
	snprintf(temporary, sizeof(temporary), "%s.%d~", path, (int)getpid());
	int fd =
		open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = PPROF_ERR_IO;
	char reason[TEXT] = "";
	if (fd >= 0) {
		const struct pprof_writer w = { write_fd, &fd };
		const struct pprof_write_options options = {
			.reason = reason,
			.reason_size = sizeof(reason),
		};
		rc = cpu ? pprof_capture_write(cpu, &w)
			 : pprof_write_to(pprof_lookup("heap"), &options, &w);
		if (close(fd) != 0 && !rc)
			rc = PPROF_ERR_IO;
		if (!rc && rename(temporary, path) != 0)
			rc = PPROF_ERR_IO;
		if (rc)
			unlink(temporary);
	}
	if (rc)
		complain("%s=%s: %s", name, path,
			 *reason	      ? reason
			 : rc == PPROF_ERR_IO ? strerror(errno)
					      : pprof_strerror(rc));
}

__attribute__((destructor)) static void preload_end(void)
{
	/* A forked child that ends has nothing of its own to tell. */
	if (self.pid != getpid())
		return;
	guard_enter();
	pthread_mutex_lock(&serving);
	if (self.cpu) {
		pprof_capture_stop(self.cpu);
		write_file("PPROF_CPU", self.cpu);
		pprof_capture_free(self.cpu);
		self.cpu = NULL;
	}
	write_file("PPROF_HEAP", NULL);
	/* Captures that run are answered with what there is. */
	pprof_http_stop(self.http);
	self.http = NULL;
	pthread_mutex_unlock(&serving);
	guard_leave();
}

/* ---- a first thread that ends before the others -------------------------- */

/*
 * Then the process ends with its last thread, by exit(0), and that must not be
 * kept from it by ours.  Who is there is only told by asking again and again.
 */
static void *wait_for_the_last(void *arg)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	guard_enter();
	while (own_threads_have_company())
		nanosleep(&pause, NULL);
	guard_leave();
	exit(0);
	return arg;
}

/* A key's destructor: at pthread_exit, not at the end of main. */
static void first_thread_ends(void *arg)
{
	pthread_t thread;
	(void)arg;
	guard_enter();
	if (http_thread_start(&thread, "pprof-last", wait_for_the_last, NULL) ==
	    0)
		pthread_detach(thread);
	guard_leave();
}

static pthread_key_t first_key;
static bool have_first_key;

static void watch_first_thread(void)
{
	if (!have_first_key)
		have_first_key =
			pthread_key_create(&first_key, first_thread_ends) == 0;
	if (have_first_key)
		pthread_setspecific(first_key, &self);
}

/* ---- at start ------------------------------------------------------------ */

static void before_fork(void)
{
	pthread_mutex_lock(&serving);
}

static void forked_parent(void)
{
	pthread_mutex_unlock(&serving);
}

static void forked(void)
{
	pthread_mutex_unlock(&serving);
	pprof_http_forked(self.http);
	self.http = NULL;
	self.cpu = NULL; /* the sampler does not run here */
	/* Whoever forked is the child's first thread. */
	watch_first_thread();
	if (self.daemon_ns &&
	    clock_monotonic_ns() - self.daemon_ns < DAEMON_WINDOW_NS)
		become_daemon();
	else
		self.daemon_ns = 0;
}

static bool number(const char *name, int64_t max, int64_t *ret_value)
{
	const char *text = getenv(name);
	struct err e;
	if (!text || !*text)
		return false;
	if (parse_int(text, name, 0, max, ret_value, &e) == 0)
		return true;
	complain("%s", e.text);
	return false;
}

static void set_rates(void)
{
	static const struct {
		const char *variable, *name;
		int64_t max;
	} rates[] = {
		{ "PPROF_BLOCK_RATE", "block", PPROF_HTTP_BLOCK_RATE_MAX },
		{ "PPROF_MUTEX_FRACTION", "mutex", PPROF_HTTP_MUTEX_RATE_MAX },
	};
	int64_t value;
	/* Where malloc was not called yet, set_rate would see no shim. */
	if (number("PPROF_MEM_RATE", PPROF_HTTP_HEAP_RATE_MAX, &value))
		pprof_set_mem_profile_rate(value);
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		if (!number(rates[i].variable, rates[i].max, &value))
			continue;
		const int rc = pprof_http_set_rate(rates[i].name, value);
		if (rc)
			complain("%s: %s", rates[i].variable,
				 pprof_strerror(rc));
	}
}

static void set_budget(void)
{
	char buf[TEXT];
	const char *text = variable("PPROF_BUDGET", buf);
	double share;
	struct err e = { "" };
	if (!text)
		return;
	if (parse_percent(text, "PPROF_BUDGET", &share, &e))
		complain("%s", e.text);
	else
		pprof_set_cpu_profile_budget(share);
}

/* Read where a capture starts, far from anybody who could be told. */
static void check_names(void)
{
	char buf[TEXT];
	const char *text = variable("PPROF_SIGNAL", buf);
	if (text && !sampler_signal_parse(text))
		complain("PPROF_SIGNAL=%s: must be PROF, RTMIN+N or a number",
			 text);
	text = variable("PPROF_UNWINDER", buf);
	int i = 0;
	while (text && i < UNWIND_ENGINES &&
	       strcmp(text, unwind_engine_name(i)) != 0)
		i++;
	if (i == UNWIND_ENGINES)
		complain("PPROF_UNWINDER=%s: must be auto, rules, libgcc, "
			 "libunwind or fp",
			 text);
}

__attribute__((constructor)) static void preload_begin(void)
{
	const int saved = errno;
	guard_enter();
	self.pid = getpid();
	set_rates();
	/*
	 * fork takes first what was registered last.  The registry's lock is
	 * taken while `serving` is held, so its handlers must be there before
	 * ours (the other locks have theirs from constructors): or a fork
	 * holds it and waits for a daemon's thread that waits for it.
	 */
	thread_init();
	set_budget();
	check_names();
	pthread_atfork(before_fork, forked_parent, forked);
	hooks_on_daemon(become_daemon);
	hooks_on_descriptors(descriptors_closing, descriptors_closed);
	watch_first_thread();
	sampler_in_foreign_program();
	start_capture();
	serve();
	guard_leave();
	errno = saved;
}
