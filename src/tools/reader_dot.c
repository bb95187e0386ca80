/* reader_dot.c - see reader_dot.h. */
#include "tools/reader_dot.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- drawing ------------------------------------------------------------- */

/* Within so many seconds?  It still has to be waited for. */
static bool has_ended(pid_t pid, int seconds)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0),
			    .events = POLLIN };
	if (p.fd < 0)
		return true;
	int n;
	while ((n = poll(&p, 1, seconds * 1000)) < 0 && errno == EINTR)
		;
	close(p.fd);
	return n != 0;
}

/* Run dot from one file into another. */
static int run_dot(int in, int out, const char *format, int limit_s,
		   struct err *e)
{
	char option[32];
	snprintf(option, sizeof(option), "-T%s", format);
	char name[] = "dot", *argv[] = { name, option, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	pid_t pid;
	int status = 0;
	const int error =
		posix_spawnp(&pid, "dot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return err_set(e, ERR_IO,
			       "failed to execute dot. Is Graphviz installed? "
			       "Error: %s",
			       strerror(error));
	const bool is_late = limit_s && !has_ended(pid, limit_s);
	if (is_late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (is_late)
		return err_set(e, ERR_IO,
			       "dot did not draw the graph within %d s: make "
			       "it smaller, by focus for example",
			       limit_s);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(e, ERR_IO,
			       "failed to execute dot. Is Graphviz installed? "
			       "Error: exit status %d",
			       WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}

static int read_back(int fd, struct buf *b)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return ERR_IO;
	buf_clear(b);
	for (;;) {
		char piece[16 << 10];
		const ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_IO : 0;
		if (buf_append(b, piece, (size_t)n))
			return b->failed;
	}
}

int dot_draw(struct buf *b, const char *format, int limit_s, struct err *e)
{
	FILE *in = tmpfile(), *out = tmpfile();
	int rc = err_set(e, ERR_IO, "no temporary file: %s", strerror(errno));
	if (!in || !out)
		goto out;
	int fd = fileno(in);
	const struct sink sink = sink_fd(&fd);
	rc = sink_write(&sink, buf_str(b), b->len);
	if (!rc && lseek(fd, 0, SEEK_SET) < 0)
		rc = ERR_IO;
	if (rc)
		err_set(e, rc, "temporary file: %s", strerror(errno));
	if (!rc)
		rc = run_dot(fd, fileno(out), format, limit_s, e);
	if (!rc && (rc = read_back(fileno(out), b)))
		err_set(e, rc, "reading what dot drew: %s", err_name(rc));
out:
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return rc;
}

/* ---- a page of it -------------------------------------------------------- */

/*
 * The picture moves with the pointer while a button is down; the wheel zooms
 * about the pointer.  The transformation is one matrix on one element.
 */
static const char script[] =
	"<script type=\"text/ecmascript\"><![CDATA[\n"
	"(function () {\n"
	"\"use strict\";\n"
	"var svg = document.documentElement;\n"
	"var view = document.getElementById(\"viewport\");\n"
	"var scale = 0.5, x = 0, y = 0, from = null;\n"
	"function place() {\n"
	"  view.setAttribute(\"transform\", \"matrix(\" + scale + \" 0 0 \" +\n"
	"    scale + \" \" + x + \" \" + y + \")\");\n"
	"}\n"
	"svg.addEventListener(\"mousedown\", function (e) {\n"
	"  from = { x: e.clientX - x, y: e.clientY - y };\n"
	"  e.preventDefault();\n"
	"});\n"
	"svg.addEventListener(\"mousemove\", function (e) {\n"
	"  if (!from) return;\n"
	"  x = e.clientX - from.x;\n"
	"  y = e.clientY - from.y;\n"
	"  place();\n"
	"});\n"
	"svg.addEventListener(\"mouseup\", function () { from = null; });\n"
	"svg.addEventListener(\"wheel\", function (e) {\n"
	"  var by = Math.pow(1.2, e.deltaY > 0 ? -1 : 1);\n"
	"  x = e.clientX - (e.clientX - x) * by;\n"
	"  y = e.clientY - (e.clientY - y) * by;\n"
	"  scale *= by;\n"
	"  place();\n"
	"  e.preventDefault();\n"
	"}, { passive: false });\n"
	"place();\n"
	"})();\n"
	"]]></script>\n";

/* The first place where text has been found, and what to put there. */
struct edit {
	size_t at, cut;
	const char *insert;
};

static int rewrite(struct buf *b, const struct edit *edits, size_t n)
{
	struct buf out = { .cap = b->cap };
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		buf_append(&out, b->data + at, edits[i].at - at);
		buf_append_str(&out, edits[i].insert);
		at = edits[i].at + edits[i].cut;
	}
	buf_append(&out, b->data + at, b->len - at);
	if (out.failed) {
		buf_free(&out);
		return ERR_NOMEM;
	}
	buf_free(b);
	*b = out;
	return 0;
}

int dot_make_page(struct buf *b)
{
	/* dot: <svg width=".." height=".." viewBox=".." xmlns=..> <g
	 * id="graph0" */
	const char *text = buf_str(b);
	const char *svg = strstr(text, "<svg");
	const char *names = svg ? strstr(svg, "xmlns") : NULL;
	const char *group = names ? strstr(names, "<g id=\"graph") : NULL;
	/* The last: the text of a name cannot come after it. */
	const char *end = group ? strrchr(group, '<') : NULL;
	if (!end || strncmp(end, "</svg>", 6) != 0)
		return 0;
	const struct edit edits[] = {
		{ (size_t)(svg - text), (size_t)(names - svg),
		  "<svg width=\"100%\" height=\"100%\" " },
		{ (size_t)(group - text), 0,
		  "<g id=\"viewport\" transform=\"scale(0.5,0.5) "
		  "translate(0,0)\">" },
		{ (size_t)(end - text), 0, "</g>\n" },
		{ (size_t)(end - text), 0, script },
	};
	return rewrite(b, edits, 4);
}
