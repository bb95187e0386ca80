/*
 * check_monitor.c - the monitor: what it reads in /metrics, what it makes of
 * two answers, lines and screens that fit, and the terminal that it leaves as
 * it was: at its end, at a signal, at Ctrl-Z.
 */
#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "tests/server_process.h"
#include "tests/testing.h"
#include "tools/monitor_scrape.h"
#include "tools/monitor_view.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* ---- /metrics ---- */

static const struct {
	const char *name, *text, *route;
	int code;
	double requests, memory;
	size_t buckets;
	const char *error;
} texts[] = {
	{ "levels and counters",
	  "# HELP proflab_threads x\n# TYPE proflab_threads gauge\n"
	  "proflab_threads 5\nproflab_memory_allocated_bytes 1e6\n"
	  "proflab_http_requests_total{route=\"/cpu\"} 3\n"
	  "proflab_http_requests_total{route=\"/leaky\"} 4\n",
	  NULL, 0, 7, 1e6, 0, NULL },
	{ "those who watch are not counted",
	  "proflab_memory_allocated_bytes 1\n"
	  "proflab_http_requests_total{route=\"/metrics\"} 3\n"
	  "proflab_http_requests_total{route=\"/cpu\"} 4\n",
	  NULL, 0, 4, 1, 0, NULL },
	{ "one route",
	  "proflab_memory_allocated_bytes 1\n"
	  "proflab_http_requests_total{route=\"/metrics\"} 3\n"
	  "proflab_http_requests_total{route=\"/cpu\"} 4\n",
	  "/metrics", 0, 3, 1, 0, NULL },
	{ "buckets of two routes are added",
	  "proflab_memory_allocated_bytes 1\n"
	  "proflab_http_requests_total{route=\"/a\"} 3 1700000000000\n"
	  "proflab_http_request_duration_seconds_bucket{route=\"/a\",le=\"1\"} "
	  "2\n"
	  "proflab_http_request_duration_seconds_bucket{le=\"+Inf\",route=\"/"
	  "a\",} 3\n"
	  "proflab_http_request_duration_seconds_bucket{route=\"/b\",le=\"1\"} "
	  "1\n",
	  NULL, 0, 3, 1, 2, NULL },
	{ "escapes in labels",
	  "proflab_memory_allocated_bytes 1\n"
	  "proflab_http_requests_total{x=\"a\\\"}\\\\\",route=\"/a\"} 2\n",
	  NULL, 0, 2, 1, 0, NULL },
	{ "another program", "go_threads 7\n", NULL, ERR_NOTFOUND, 0, 0, 0,
	  "none of proflab's figures" },
	{ "no such route",
	  "proflab_memory_allocated_bytes 1\n"
	  "proflab_http_requests_total{route=\"/cpu\"} 4\n",
	  "/cpus", ERR_NOTFOUND, 0, 0, 0, "no figure of a route \"/cpus\"" },
	{ "a page", "<html>\n", NULL, ERR_FORMAT, 0, 0, 0, "line 1 is no" },
	{ "a label that does not end", "a{route=\"/x} 1\n", NULL, ERR_FORMAT, 0,
	  0, 0, "line 1 is no" },
	{ "no value", "proflab_threads 5\nproflab_threads \n", NULL, ERR_FORMAT,
	  0, 0, 0, "line 2 is no" },
};

START_TEST(test_parse)
{
	struct scrape s = { 0 };
	struct err e = { "" };
	const int rc = scrape_parse(texts[_i].text, texts[_i].route, &s, &e);
	ck_assert_msg(rc == texts[_i].code, "%s: %d %s", texts[_i].name, rc,
		      e.text);
	if (texts[_i].error)
		ck_assert_msg(strstr(e.text, texts[_i].error) != NULL, "%s: %s",
			      texts[_i].name, e.text);
	if (rc)
		return;
	ck_assert_msg(s.requests == texts[_i].requests &&
			      s.memory == texts[_i].memory &&
			      s.n_buckets == texts[_i].buckets,
		      "%s: %f %f %zu", texts[_i].name, s.requests, s.memory,
		      s.n_buckets);
}
END_TEST

static const struct {
	const char *name;
	struct scrape_bucket buckets[4];
	size_t n;
	double q, value; /* NAN: unknown */
} quantiles[] = {
	{ "none", { { 1, 0 }, { INFINITY, 0 } }, 2, 0.99, NAN },
	{ "in the first", { { 1, 100 }, { INFINITY, 100 } }, 2, 0.5, 0.5 },
	{ "within one",
	  { { 1, 0 }, { 2, 100 }, { INFINITY, 100 } },
	  3,
	  0.99,
	  1.99 },
	{ "over all", { { 1, 50 }, { 2, 60 }, { INFINITY, 100 } }, 3, 0.99, 2 },
	{ "at a border",
	  { { 1, 50 }, { 2, 50 }, { 4, 100 }, { INFINITY, 100 } },
	  4,
	  0.5,
	  1 },
};

START_TEST(test_quantile)
{
	const double v = scrape_quantile(quantiles[_i].q, quantiles[_i].buckets,
					 quantiles[_i].n);
	ck_assert_msg(isnan(quantiles[_i].value)
			      ? isnan(v)
			      : fabs(v - quantiles[_i].value) < 1e-9,
		      "%s: %f", quantiles[_i].name, v);
}
END_TEST

START_TEST(test_figures)
{
	const struct scrape a = { .at_ns = 0,
				  .memory = 1,
				  .threads = 2,
				  .requests = 10,
				  .errors = 1,
				  .lock_wait = 1,
				  .cpu = 1 };
	struct scrape b = a;
	double f[FIGURES];
	b.at_ns = 2 * SECOND;
	b.requests = 50;
	b.errors = 3;
	b.lock_wait = 4;
	scrape_figures(&a, &b, f);
	ck_assert(f[FIGURE_REQUESTS] == 20 && f[FIGURE_ERRORS] == 0.05 &&
		  f[FIGURE_LOCK_WAIT] == 1.5 && isnan(f[FIGURE_P99]));
	ck_assert(!scrape_is_restart(&a, &b));
	ck_assert(scrape_is_restart(&b, &a));
	/* A server that had done nothing is told by its start alone. */
	struct scrape c = a;
	c.started = a.started + 0.2;
	ck_assert(scrape_is_restart(&a, &c));
	c.started = NAN;
	ck_assert(!scrape_is_restart(&a, &c));
	scrape_figures(NULL, &b, f);
	ck_assert(f[FIGURE_MEMORY] == 1 && isnan(f[FIGURE_REQUESTS]));
	b = a;
	b.at_ns = SECOND;
	scrape_figures(&a, &b, f);
	ck_assert(f[FIGURE_REQUESTS] == 0 && isnan(f[FIGURE_ERRORS]));
}
END_TEST

static const struct {
	enum figure figure;
	const char *text;
	double value; /* NAN: refused */
} thresholds[] = {
	{ FIGURE_MEMORY, "500MB", 500e6 },   { FIGURE_MEMORY, "1GiB", 0x1p30 },
	{ FIGURE_MEMORY, "1 furlong", NAN }, { FIGURE_MEMORY, "-1", NAN },
	{ FIGURE_ERRORS, "5%", 0.05 },	     { FIGURE_ERRORS, "0.1", 0.1 },
	{ FIGURE_P99, "250ms", 0.25 },	     { FIGURE_P99, "250", NAN },
	{ FIGURE_THREADS, "20", 20 },	     { FIGURE_THREADS, "", NAN },
	{ FIGURE_LOCK_WAIT, "1.5", 1.5 },
};

START_TEST(test_thresholds)
{
	double v = NAN;
	struct err e = { "" };
	const int rc = figure_parse(thresholds[_i].figure, thresholds[_i].text,
				    &v, &e);
	ck_assert_msg(rc ? isnan(thresholds[_i].value) && *e.text
			 : fabs(v - thresholds[_i].value) < 1e-9,
		      "%s: %d %f", thresholds[_i].text, rc, v);
}
END_TEST

/* ---- what is shown ---- */

static struct monitor *new_monitor(void)
{
	static struct monitor m;
	memset(&m, 0, sizeof(m));
	m.url = "http://127.0.0.1:8080/metrics";
	for (size_t f = 0; f < FIGURES; f++)
		m.max[f] = NAN;
	m.max[FIGURE_P99] = 1;
	return &m;
}

START_TEST(test_line)
{
	struct monitor *m = new_monitor();
	struct buf b = { 0 };
	const double figures[FIGURES] = { 12.5e6, 9,	48.25, 0.0625,
					  1.5,	  0.25, NAN };
	setenv("TZ", "UTC", 1);
	monitor_add(m, figures);
	ck_assert(m->crossed[FIGURE_P99] && !m->crossed[FIGURE_MEMORY]);
	m->down_for_ns = 12 * SECOND;
	monitor_write_line(m, 1767225600 * SECOND, &b);
	ck_assert_str_eq(buf_str(&b),
			 "2026-01-01 00:00:00 memory 12.5MB threads 9 "
			 "requests 48.2/s errors 6.2% p99 1.5s lockwait "
			 "0.25s/s cpu - OVER p99 1s (back after 12s)\n");
	buf_clear(&b);
	m->down_since_ns = 1767225590 * SECOND;
	strcpy(m->trouble, "nobody");
	monitor_write_line(m, 1767225600 * SECOND, &b);
	ck_assert_str_eq(buf_str(&b),
			 "2026-01-01 00:00:00 no answer for 10s: nobody\n");
	buf_free(&b);
}
END_TEST

/*
 * A terminal as far as ours goes: does what is written fit into the columns
 * and rows, and what does the screen hold?
 */
struct terminal {
	int columns, rows, column, row;
	char cells[100][400];
	bool too_wide, too_long;
};

static void play(struct terminal *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)s[i];
		if (c == 0x1b) {
			i += 2;
			while (i < n && (s[i] == ';' || s[i] == '?' ||
					 (s[i] >= '0' && s[i] <= '9')))
				i++;
			if (i < n && s[i] == 'H')
				t->row = t->column = 0;
			else if (i < n && s[i] == 'K' && t->row < 100)
				t->cells[t->row][t->column] = '\0';
		} else if (c == '\r') {
			t->column = 0;
		} else if (c == '\n') {
			t->row++;
			t->too_long |= t->row >= t->rows;
		} else if ((c & 0xc0) != 0x80) {
			if (t->row < 100 && t->column < 399)
				t->cells[t->row][t->column] = (char)c;
			t->column++;
			t->too_wide |= t->column >= t->columns;
		}
	}
}

static const struct {
	int columns, rows;
} sizes[] = { { 80, 24 }, { 200, 60 }, { 40, 12 }, { 21, 9 },
	      { 10, 3 },  { 3, 1 },    { 1, 1 },   { 36, 11 } };

START_TEST(test_screen)
{
	struct monitor *m = new_monitor();
	for (int i = 0; i < HISTORY + 50; i++) {
		const double figures[FIGURES] = { 1e6 * i, i, i,    0.5,
						  0.5 * i, i, i % 3 };
		monitor_add(m, i % 50 == 7 ? NULL : figures);
	}
	for (int flags = 0; flags < 8; flags++) {
		struct buf b = { 0 };
		static struct terminal t;
		memset(&t, 0, sizeof(t));
		t.columns = sizes[_i].columns > 1 ? sizes[_i].columns : 2;
		t.rows = sizes[_i].rows;
		m->down_since_ns = flags & 4 ? 1 : 0;
		strcpy(m->trouble, "Couldn't connect to server");
		monitor_write_screen(m, 5 * SECOND, sizes[_i].columns,
				     sizes[_i].rows, flags & 1, flags & 2, &b);
		play(&t, b.data, b.len);
		ck_assert_msg(!t.too_wide && !t.too_long, "%d by %d, flags %d",
			      t.columns, t.rows, flags);
		if (t.columns >= 80 && !(flags & 4))
			ck_assert_msg(strstr(t.cells[6], "OVER 1s") != NULL,
				      "row 6: %s", t.cells[6]);
		if (t.columns >= 80 && (flags & 4))
			ck_assert_msg(strstr(t.cells[1], "NO ANSWER") != NULL,
				      "row 1: %s", t.cells[1]);
		buf_free(&b);
	}
}
END_TEST

/* ---- a real server, a real terminal ---- */

static struct server_process server;
static pid_t child;
static int master;
static struct termios before;
static char seen[1 << 20];
static size_t n_seen;

static void start(void)
{
	server = server_process_start("proflab-server",
				      (const char *const[]){ NULL });
	struct winsize w = { .ws_col = 80, .ws_row = 24 };
	char program[512];
	snprintf(program, sizeof(program), "%s/proflab-monitor",
		 getenv("top_builddir") ? getenv("top_builddir") : ".");
	n_seen = 0;
	/* The child waits until we have seen the terminal as it was. */
	int go[2];
	ck_assert_int_eq(pipe(go), 0);
	child = forkpty(&master, NULL, NULL, &w);
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		char c;
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(98);
		setenv("TERM", "xterm", 1);
		execl(program, program, "-interval", "200ms", server.url,
		      (char *)NULL);
		_exit(99);
	}
	ck_assert_int_eq(tcgetattr(master, &before), 0);
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	close(go[0]);
	close(go[1]);
}

static void stop(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	close(master);
	server_process_end(&server);
}

/* Read on until text was seen, from the last such call's place on. */
static void await(const char *text)
{
	const int64_t end = clock_monotonic_ns() + 20 * SECOND;
	static size_t from;
	if (n_seen == 0)
		from = 0;
	for (;;) {
		const char *at =
			memmem(seen + from, n_seen - from, text, strlen(text));
		if (at) {
			from = (size_t)(at - seen) + strlen(text);
			return;
		}
		struct pollfd p = { .fd = master, .events = POLLIN };
		ck_assert_msg(clock_monotonic_ns() < end && poll(&p, 1, 20000),
			      "no \"%s\" in\n%.*s", text, (int)(n_seen - from),
			      seen + from);
		const ssize_t n =
			read(master, seen + n_seen, sizeof(seen) - n_seen);
		ck_assert_msg(n > 0, "no \"%s\" before the end: %.*s", text,
			      (int)(n_seen - from), seen + from);
		n_seen += (size_t)n;
	}
}

/* The last that is written is the way back; the modes are as they were. */
static void assert_restored(void)
{
	struct termios now;
	await("\033[?25h\033[?1049l");
	const int64_t end = clock_monotonic_ns() + 20 * SECOND;
	do {
		ck_assert_int_eq(tcgetattr(master, &now), 0);
		ck_assert(clock_monotonic_ns() < end);
	} while (now.c_lflag != before.c_lflag);
}

static void assert_raw(void)
{
	struct termios now;
	ck_assert_int_eq(tcgetattr(master, &now), 0);
	ck_assert(!(now.c_lflag & (ICANON | ECHO)));
}

static int ended(void)
{
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	child = 0;
	return status;
}

START_TEST(test_key)
{
	await("\033[?1049h");
	await("memory");
	await("requests");
	assert_raw();
	ck_assert_int_eq(write(master, "xq", 2), 2);
	assert_restored();
	ck_assert_int_eq(ended(), 0);
}
END_TEST

START_TEST(test_resize)
{
	static struct terminal t;
	await("q: leave");
	const struct winsize w = { .ws_col = 30, .ws_row = 8 };
	ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &w), 0);
	/* From some frame on, all fit: the old size shows by its last row. */
	const int64_t end = clock_monotonic_ns() + 20 * SECOND;
	do {
		await("\033[H");
		await("\033[J");
		memset(&t, 0, sizeof(t));
		t.columns = 30;
		t.rows = 8;
		const char *frame = memrchr(seen, 'H', n_seen);
		while (frame > seen + 2 && memcmp(frame - 2, "\033[H", 3) != 0)
			frame = memrchr(seen, 'H', (size_t)(frame - seen));
		play(&t, frame + 1, n_seen - (size_t)(frame + 1 - seen));
		ck_assert_msg(clock_monotonic_ns() < end, "never fits");
	} while (t.too_wide || t.too_long || t.row != 7);
	kill(child, SIGTERM);
	assert_restored();
	ck_assert_int_eq(ended(), 0);
}
END_TEST

START_TEST(test_suspend)
{
	int status;
	await("memory");
	ck_assert_int_eq(write(master, "\032", 1), 1);
	assert_restored();
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert(WIFSTOPPED(status));
	kill(child, SIGCONT);
	await("\033[?1049h");
	await("memory");
	assert_raw();
	kill(child, SIGHUP);
	assert_restored();
	ck_assert_int_eq(ended(), 0);
}
END_TEST

START_TEST(test_gone)
{
	await("memory");
	server_process_end(&server);
	await("NO ANSWER");
	await("memory");
	kill(child, SIGINT);
	assert_restored();
	ck_assert_int_eq(ended(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("monitor");
	TCase *figures = tcase_create("figures");
	testing_add_table(figures, test_parse, texts);
	testing_add_table(figures, test_quantile, quantiles);
	tcase_add_test(figures, test_figures);
	testing_add_table(figures, test_thresholds, thresholds);
	tcase_add_test(figures, test_line);
	testing_add_table(figures, test_screen, sizes);
	suite_add_tcase(suite, figures);
	TCase *terminal = tcase_create("terminal");
	tcase_add_checked_fixture(terminal, start, stop);
	tcase_add_test(terminal, test_key);
	tcase_add_test(terminal, test_resize);
	tcase_add_test(terminal, test_suspend);
	tcase_add_test(terminal, test_gone);
	suite_add_tcase(suite, terminal);
	return testing_run(suite);
}
