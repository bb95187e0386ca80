/* reader_commands.c - see reader_commands.h. */
#include "tools/reader_commands.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"
#include "report/report.h"
#include "tools/die.h"
#include "tools/reader_config.h"
#include "tools/reader_dot.h"
#include "tools/reader_temp.h"
#include "tools/reader_viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_USAGE (USAGE_FILTERS | USAGE_REDIRECT)

static const char *const eog[] = { "eog", NULL };
static const char *const evince[] = { "evince", NULL };
static const char *const gv[] = { "gv", NULL };
static const char *const kcachegrind[] = { "kcachegrind", NULL };

const struct reader_command reader_commands[] = {
	{ "callgrind", "callgrind", "Write the graph for KCachegrind",
	  REPORT_USAGE, .suffix = "callgraph.out" },
	{ "comments", "comments", "Show the comments in the profile",
	  USAGE_NONE },
	{ "disasm", "disasm",
	  "Show instructions of functions that match (objdump)",
	  USAGE_FUNCTION | USAGE_REDIRECT, .has_parameter = true },
	{ "dot", "dot", "Write the graph in graphviz's language",
	  REPORT_USAGE },
	{ "eog", "graph", "Draw the graph and show it with eog", USAGE_FILTERS,
	  .dot = "svg", .suffix = "svg", .viewers = eog },
	{ "evince", "graph", "Draw the graph and show it with evince",
	  USAGE_FILTERS, .dot = "pdf", .suffix = "pdf", .viewers = evince },
	{ "flame", "flame",
	  "Draw all stacks as a flame graph, SVG (an extension)", REPORT_USAGE,
	  .suffix = "svg" },
	{ "gif", "graph", "Draw the graph as GIF", REPORT_USAGE, .dot = "gif",
	  .suffix = "gif" },
	{ "gv", "graph", "Draw the graph and show it with gv", USAGE_FILTERS,
	  .dot = "ps", .suffix = "ps", .viewers = gv },
	{ "kcachegrind", "callgrind", "Show the graph in KCachegrind",
	  USAGE_FILTERS, .suffix = "grind", .viewers = kcachegrind },
	{ "list", "list", "Show source lines of functions that match",
	  USAGE_FUNCTION, .has_parameter = true },
	{ "pdf", "graph", "Draw the graph as PDF", REPORT_USAGE, .dot = "pdf",
	  .suffix = "pdf" },
	{ "peek", "peek", "Show callers and callees of functions that match",
	  USAGE_PEEK, .has_parameter = true },
	{ "png", "graph", "Draw the graph as PNG", REPORT_USAGE, .dot = "png",
	  .suffix = "png" },
	{ "proto", "proto", "Write the profile, filtered, as profile.proto",
	  USAGE_NONE, .suffix = "pb.gz" },
	{ "ps", "graph", "Draw the graph as PostScript", REPORT_USAGE,
	  .dot = "ps", .suffix = "ps" },
	{ "raw", "raw", "Show the profile itself as text", USAGE_NONE },
	{ "svg", "graph", "Draw the graph as SVG", REPORT_USAGE, .dot = "svg",
	  .suffix = "svg", .is_page = true },
	{ "tags", "tags", "Show all labels and their values", USAGE_TAGS },
	{ "text", "text", "Show the top entries as text",
	  REPORT_USAGE | USAGE_CUM },
	{ "top", "top", "Show the top entries as text",
	  REPORT_USAGE | USAGE_CUM },
	{ "topproto", "topproto", "Write the top entries as profile.proto",
	  USAGE_NONE, .suffix = "pb.gz" },
	{ "traces", "traces", "Show all samples with their stacks",
	  USAGE_NONE },
	{ "tree", "tree", "Show the call graph as text",
	  REPORT_USAGE | USAGE_CUM },
	{ "web", "graph", "Draw the graph and show it in a browser",
	  USAGE_FILTERS, .dot = "svg", .suffix = "svg", .is_page = true,
	  .viewers = viewer_browsers },
	{ "weblist", "weblist", "Show source and instructions in a browser",
	  USAGE_FUNCTION, .has_parameter = true, .suffix = "html",
	  .viewers = viewer_browsers },
};
const size_t reader_n_commands = ARRAY_SIZE(reader_commands);

const struct reader_command *command_find(const char *name)
{
	for (size_t i = 0; i < reader_n_commands; i++)
		if (strcmp(reader_commands[i].name, name) == 0)
			return &reader_commands[i];
	return NULL;
}

static void print_warning(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

const char *command_tools = "";

const struct report_warn command_warn = { .warn = print_warning };

/*
 * A file that is made when the first byte comes: a report that fails leaves
 * none behind.
 */
struct late_file {
	const char *path;
	int fd;
};

static int late_write(void *arg, const void *data, size_t len)
{
	struct late_file *f = arg;
	/* Not before: a report that fails was not on its way into a file. */
	if (f->fd < 0)
		fprintf(stderr, "Generating report in %s\n", f->path);
	if (f->fd < 0)
		f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			     0666);
	if (f->fd < 0)
		return ERR_IO;
	const struct sink s = sink_fd(&f->fd);
	return sink_write(&s, data, len);
}

static int write_file(struct report *r, const char *path, struct err *e)
{
	struct late_file f = { .path = path, .fd = -1 };
	const struct sink sink = { late_write, &f };
	int rc = report_write(r, &sink, e);
	/* An empty report is a file as well. */
	if (!rc && f.fd < 0)
		rc = late_write(&f, "", 0);
	if (f.fd >= 0 && close(f.fd) && !rc)
		rc = ERR_IO;
	if (rc == ERR_IO)
		err_set(e, rc, "open %s: %s", path, strerror(errno));
	return rc;
}

static int write_descriptor(struct report *r, int fd, struct err *e)
{
	const struct sink sink = sink_fd(&fd);
	const int rc = report_write(r, &sink, e);
	return rc == ERR_IO ? err_set(e, rc, "write: %s", strerror(errno)) : rc;
}

/* ---- through graphviz ---------------------------------------------------- */

/* Into a buffer, for what still has to pass through another program. */
static int write_buffer(struct report *r, const struct reader_command *c,
			struct buf *ret, struct err *e)
{
	const struct sink sink = sink_buf(ret);
	int rc = report_write(r, &sink, e);
	if (!rc && c->dot)
		rc = dot_draw(ret, c->dot, 0, e);
	if (!rc && c->is_page)
		rc = dot_make_page(ret);
	return rc;
}

/* ---- where to ------------------------------------------------------------ */

static int write_all(int fd, const struct buf *b, struct err *e)
{
	const struct sink sink = sink_fd(&fd);
	const int rc = sink_write(&sink, buf_str(b), b->len);
	return rc ? err_set(e, rc, "write: %s", strerror(errno)) : 0;
}

static int write_temp(const struct buf *b, const char *folder,
		      const char *prefix, const char *suffix, char **ret_path,
		      struct err *e)
{
	const int fd = temp_create(folder, prefix, suffix, ret_path);
	if (fd < 0)
		return err_set(e, ERR_IO, "could not create a file: %s",
			       strerror(errno));
	const int rc = write_all(fd, b, e);
	close(fd);
	return rc;
}

/* Show the file with the first viewer that starts. */
static int view(const struct reader_command *c, const struct buf *b,
		bool interactive, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	char *suffix = xasprintf(".%s", c->suffix), *path;
	int rc = write_temp(b, tmp && *tmp ? tmp : "/tmp", "pprof", suffix,
			    &path, e);
	free(suffix);
	if (!rc) {
		temp_remove_at_exit(path);
		rc = viewer_open(c->viewers, path, interactive, e);
	}
	free(path);
	return rc;
}

/* Bytes that a terminal cannot show go into a file of their own. */
static int keep_from_terminal(const struct reader_command *c,
			      const struct buf *b, struct err *e)
{
	char *suffix = xasprintf(".%s", c->suffix), *path;
	const int rc = write_temp(b, "", "profile", suffix, &path, e);
	if (!rc)
		fprintf(stderr, "Generating report in %s\n", path);
	free(suffix);
	free(path);
	return rc;
}

static int write_finished(const struct reader_command *c, const char *output,
			  const struct buf *b, bool interactive, struct err *e)
{
	if (*output) {
		struct late_file f = { .path = output, .fd = -1 };
		int rc = late_write(&f, buf_str(b), b->len);
		if (f.fd >= 0 && close(f.fd) && !rc)
			rc = ERR_IO;
		return rc ? err_set(e, rc, "open %s: %s", output,
				    strerror(errno))
			  : 0;
	}
	if (c->viewers)
		return view(c, b, interactive, e);
	if (interactive || isatty(STDOUT_FILENO))
		return keep_from_terminal(c, b, e);
	return write_all(STDOUT_FILENO, b, e);
}

int command_run(const struct reader_command *c, const char *parameter,
		const struct reader_config *config, const struct profile *p,
		bool interactive, struct err *e)
{
	struct report *r;
	struct report_options o = config_options(config);
	o.tools = command_tools;
	int rc = report_open(p, report_find_kind(c->kind), parameter, &o,
			     &command_warn, &r, e);
	if (rc)
		return rc;
	fflush(stdout);
	struct buf b = { .cap = (size_t)1 << 30 };
	if (c->dot || c->viewers || (c->suffix && !*config->output)) {
		rc = write_buffer(r, c, &b, e);
		if (!rc)
			rc = write_finished(c, config->output, &b, interactive,
					    e);
	} else if (*config->output) {
		rc = write_file(r, config->output, e);
	} else {
		rc = write_descriptor(r, STDOUT_FILENO, e);
	}
	buf_free(&b);
	report_close(r);
	return rc;
}
