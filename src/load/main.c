/*
 * main.c - proflab-load: requests for a server that is to be profiled.
 *
 * Standard output has the summary, standard error everything else.
 * Exit status: 0; 1 when the server could not be reached or a request failed;
 * 2 when the command line is wrong.
 */
#include "config.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "load/options.h"
#include "load/report.h"
#include "load/run.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

_Noreturn static void die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

_Noreturn static void die(int status, const char *format, ...)
{
	va_list ap;
	fputs("proflab-load: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

/*
 * SIGINT and SIGTERM as a descriptor, blocked before any thread is started, so
 * that they come here and nowhere else.
 */
static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	const int fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die(1, "signalfd: %s", strerror(errno));
	return fd;
}

static void drain_fd(int fd)
{
	struct signalfd_siginfo info;
	if (read(fd, &info, sizeof(info)) < 0)
		die(1, "signalfd: %s", strerror(errno));
}

/* What was, when progress was last shown. */
struct progress {
	bool shown, terminal;
	int64_t every_ns, next_ns, before_ns;
	struct results before, now;
};

/* On a terminal one line that changes, else a line every five seconds. */
static struct progress *start_progress(bool quiet)
{
	struct progress *p = calloc(1, sizeof(*p));
	if (!p)
		die(1, "out of memory");
	p->shown = !quiet;
	p->terminal = isatty(STDERR_FILENO);
	p->every_ns = (p->terminal ? 1 : 5) * SECOND_NS;
	p->next_ns = clock_monotonic_ns() + p->every_ns;
	return p;
}

static void show_progress(struct progress *p, struct run *run)
{
	int64_t elapsed;
	struct buf line = { 0 };
	run_snapshot(run, &p->now, &elapsed);
	if (!report_progress(&line, &p->before, &p->now, elapsed,
			     elapsed - p->before_ns))
		fprintf(stderr, p->terminal ? "\r\033[K%s" : "Progress: %s\n",
			buf_str(&line));
	buf_free(&line);
	p->before = p->now;
	p->before_ns = elapsed;
	p->next_ns += p->every_ns;
}

/* Until the run has ended.  The first signal ends it, the second at once. */
static void watch(struct run *run, int signal_fd, bool quiet)
{
	struct progress *p = start_progress(quiet);
	struct pollfd fds[] = { { .fd = run_fd(run), .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };
	int signals = 0;
	for (;;) {
		int timeout_ms = -1;
		if (p->shown) {
			const int64_t left = p->next_ns - clock_monotonic_ns();
			timeout_ms = left > 0 ? (int)(left / 1000000) + 1 : 0;
		}
		if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0 &&
		    errno != EINTR)
			die(1, "poll: %s", strerror(errno));
		if (fds[0].revents)
			break;
		if (fds[1].revents) {
			drain_fd(signal_fd);
			if (signals++)
				run_abort(run);
			else
				run_stop(run);
		}
		if (p->shown && clock_monotonic_ns() >= p->next_ns)
			show_progress(p, run);
	}
	if (p->shown && p->terminal)
		fputs("\r\033[K", stderr);
	free(p);
}

static void print_buf(struct buf *b, FILE *to)
{
	if (b->failed)
		die(1, "%s", err_name(b->failed));
	fputs(buf_str(b), to);
	if (fflush(to))
		die(1, "writing: %s", strerror(errno));
	buf_free(b);
}

static void say_start(const struct load_options *o)
{
	char duration[PARSE_DURATION_TEXT];
	if (o->quiet)
		return;
	fprintf(stderr,
		"Server is healthy, starting load test...\n"
		"Starting load test: %s, %lld concurrent requests for %s\n"
		"While it runs: proflab-pprof -top "
		"'%s/debug/pprof/profile?seconds=10'\n",
		o->scenario->name, (long long)o->concurrency,
		format_duration(o->duration_ns, duration), o->url);
}

int main(int argc, char **argv)
{
	struct load_options options;
	struct err e;
	struct buf text = { 0 };
	if (load_options_parse(argc, argv, &options, &e))
		die(2, "%s (-help lists the options)", e.text);
	if (options.help) {
		load_options_print_help(&text);
		print_buf(&text, stdout);
		return 0;
	}
	if (options.version) {
		puts(PACKAGE_STRING);
		return 0;
	}
	const int signal_fd = open_signals();
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		die(1, "libcurl cannot be initialised");
	if (run_check_health(&options, &e))
		die(1, "the server is not there: %s", e.text);
	say_start(&options);

	struct run *run;
	if (run_start(&options, &run, &e))
		die(1, "%s", e.text);
	watch(run, signal_fd, options.quiet);
	struct results *results = calloc(1, sizeof(*results));
	if (!results)
		die(1, "out of memory");
	int64_t elapsed;
	run_finish(run, results, &elapsed);
	if (options.json)
		report_json(&text, &options, results, elapsed);
	else
		report_summary(&text, &options, results, elapsed);
	print_buf(&text, stdout);
	const uint64_t failures = results->failures;
	const bool none = !results->successes;
	free(results);
	curl_global_cleanup();
	if (failures && !options.quiet)
		fprintf(stderr,
			"Load test completed with %llu failed requests\n",
			(unsigned long long)failures);
	else if (!options.quiet)
		fputs(none ? "Load test completed: no request was answered\n"
			   : "Load test completed successfully\n",
		      stderr);
	return failures || none;
}
