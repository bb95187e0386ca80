/*
 * monitor.c - proflab-monitor: a server's figures while it runs, on a screen
 * or as lines, from /metrics.
 */
#include "config.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "tools/collect_fetch.h"
#include "tools/die.h"
#include "tools/monitor_options.h"
#include "tools/monitor_scrape.h"
#include "tools/monitor_terminal.h"
#include "tools/monitor_view.h"
#include "tools/spark.h"

#include <curl/curl.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { METRICS_MAX = 16 << 20 };

enum { EXIT_QUIET = 0, EXIT_CROSSED = 1, EXIT_USAGE = 2, EXIT_GONE = 4 };

struct session {
	struct monitor_options o;
	struct monitor m;
	struct scrape before;
	bool has_before, screen, utf8, colour, gone;
	int stop_fd;   /* what ends us */
	int change_fd; /* what changes the screen */
};

static int open_signals(const int *signals, size_t n)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die("signalfd: %s", strerror(errno));
	return fd;
}

/* ---- asking ---- */

static int read_back(int fd, struct buf *to, struct err *e)
{
	char chunk[16384];
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, ERR_IO, "%s", strerror(errno));
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_append(to, chunk, (size_t)n);
	return to->failed ? err_set(e, ERR_LIMIT, "more than %d bytes",
				    METRICS_MAX)
			  : 0;
}

/* Returns: 0; ERR_CANCELLED when we shall end; or another error with text. */
static int ask(struct session *s, struct scrape *ret, struct err *e)
{
	struct buf text = { .cap = METRICS_MAX };
	char *token = NULL;
	int rc = ERR_IO;
	const int fd = memfd_create("metrics", MFD_CLOEXEC);
	if (fd < 0)
		die("memfd_create: %s", strerror(errno));
	if (s->o.source.token_file) {
		token = collect_read_token(s->o.source.token_file, e);
		if (!token)
			goto out;
	}
	struct fetch_request r = { .url = s->o.metrics,
				   .unix_socket = s->o.source.unix_socket,
				   .token = token,
				   .timeout_ns = s->o.source.timeout_ns,
				   .fd = fd,
				   .stop_fd = s->stop_fd };
	const enum fetch_result result = collect_fetch(&s->o.source, &r, e);
	ret->at_ns = clock_monotonic_ns();
	if (result == FETCH_STOPPED)
		rc = ERR_CANCELLED;
	else if (result == FETCH_OK)
		rc = read_back(fd, &text, e);
	if (!rc)
		rc = scrape_parse(buf_str(&text), s->o.route, ret, e);
out:
	free(token);
	close(fd);
	buf_free(&text);
	return rc;
}

/* One round into the monitor.  Returns: may we go on? */
static bool take_round(struct session *s)
{
	struct monitor *m = &s->m;
	struct scrape now = { 0 };
	struct err e = { "" };
	double figures[FIGURES];
	const int rc = ask(s, &now, &e);
	if (rc == ERR_CANCELLED)
		return false;
	m->restarted = false;
	m->down_for_ns = 0;
	if (rc) {
		if (!m->down_since_ns)
			m->down_since_ns = clock_realtime_ns();
		snprintf(m->trouble, sizeof(m->trouble), "%.250s", e.text);
		s->has_before = false;
		s->gone = true;
		monitor_add(m, NULL);
		return true;
	}
	if (m->down_since_ns)
		m->down_for_ns = clock_realtime_ns() - m->down_since_ns;
	m->down_since_ns = 0;
	if (m->ever_answered)
		m->restarted = scrape_is_restart(&s->before, &now);
	scrape_figures(s->has_before && !m->restarted ? &s->before : NULL, &now,
		       figures);
	monitor_add(m, figures);
	s->before = now;
	s->has_before = m->ever_answered = true;
	return true;
}

/* ---- showing ---- */

static void show(struct session *s)
{
	struct buf b = { 0 };
	const int64_t now = clock_realtime_ns();
	if (s->screen) {
		int columns, rows;
		terminal_size(&columns, &rows);
		monitor_write_screen(&s->m, now, columns, rows, s->utf8,
				     s->colour, &b);
		terminal_write(b.data, b.len);
	} else {
		monitor_write_line(&s->m, now, &b);
		fputs(buf_str(&b), stdout);
		if (fflush(stdout))
			die("standard output: %s", strerror(errno));
	}
	buf_free(&b);
}

/* The window changed, or Ctrl-Z was pressed. */
static void take_change(struct session *s)
{
	struct signalfd_siginfo info;
	while (read(s->change_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTSTP)
			terminal_suspend();
	show(s);
}

static bool take_key(void)
{
	char keys[64];
	const ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	return n > 0 && !memchr(keys, 'q', (size_t)n) &&
	       !memchr(keys, 'Q', (size_t)n);
}

/* Until then.  Returns: may we go on? */
static bool wait_until(struct session *s, int64_t monotonic_ns)
{
	struct pollfd fds[] = {
		{ .fd = s->stop_fd, .events = POLLIN },
		{ .fd = s->screen ? s->change_fd : -1, .events = POLLIN },
		{ .fd = s->screen ? STDIN_FILENO : -1, .events = POLLIN },
	};
	for (;;) {
		const int64_t left = monotonic_ns - clock_monotonic_ns();
		if (left <= 0)
			return true;
		const int n = poll(fds, 3, (int)(left / 1000000) + 1);
		if (n <= 0)
			continue;
		if (fds[0].revents || (fds[2].revents && !take_key()))
			return false;
		if (fds[1].revents)
			take_change(s);
	}
}

static int status_of(const struct session *s)
{
	if (!s->m.ever_answered)
		return EXIT_GONE;
	if (!s->o.fail)
		return EXIT_QUIET;
	for (size_t f = 0; f < FIGURES; f++)
		if (s->m.crossed[f])
			return EXIT_CROSSED;
	return s->gone ? EXIT_CROSSED : EXIT_QUIET;
}

static int run(struct session *s)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int changes[] = { SIGWINCH, SIGTSTP };
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	s->stop_fd = open_signals(ends, 4);
	signal(SIGPIPE, SIG_IGN);
	s->utf8 = spark_utf8();
	s->colour = !no_colour || !*no_colour;
	s->screen = !s->o.lines && isatty(STDOUT_FILENO) &&
		    isatty(STDIN_FILENO) && term && strcmp(term, "dumb") != 0;
	s->change_fd = s->screen ? open_signals(changes, 2) : -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		die("libcurl does not start");
	if (s->screen)
		terminal_begin();
	int64_t next = clock_monotonic_ns();
	for (int64_t n = 0; !s->o.rounds || n < s->o.rounds; n++) {
		if (!wait_until(s, next) || !take_round(s))
			break;
		show(s);
		do
			next += s->o.interval_ns;
		while (next < clock_monotonic_ns());
	}
	if (s->screen)
		terminal_end();
	curl_global_cleanup();
	return status_of(s);
}

int main(int argc, char **argv)
{
	static struct session s;
	struct err e = { "" };
	for (size_t f = 0; f < FIGURES; f++)
		s.m.max[f] = NAN;
	s.m.max[FIGURE_ERRORS] = 0.05;
	s.m.max[FIGURE_P99] = 1;
	int status = EXIT_QUIET;
	if (monitor_options_parse(argc, argv, &s.o, s.m.max, &e)) {
		fprintf(stderr, "proflab-monitor: %s\n", e.text);
		status = EXIT_USAGE;
	} else if (s.o.help) {
		fputs(monitor_usage_text, stdout);
	} else if (s.o.version) {
		puts(PACKAGE_STRING);
	} else {
		s.m.url = s.o.metrics;
		status = run(&s);
	}
	monitor_options_free(&s.o);
	return status;
}
