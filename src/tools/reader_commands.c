/* reader_commands.c - see reader_commands.h. */
#include "tools/reader_commands.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"
#include "report/report.h"
#include "tools/die.h"
#include "tools/reader_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_USAGE (USAGE_FILTERS | USAGE_REDIRECT)

const struct reader_command reader_commands[] = {
	{ "comments", "comments", "Show the comments in the profile",
	  USAGE_NONE },
	{ "list", "list", "Show source lines of functions that match",
	  USAGE_FUNCTION, .has_parameter = true },
	{ "peek", "peek", "Show callers and callees of functions that match",
	  USAGE_PEEK, .has_parameter = true },
	{ "raw", "raw", "Show the profile itself as text", USAGE_NONE },
	{ "text", "text", "Show the top entries as text",
	  REPORT_USAGE | USAGE_CUM },
	{ "top", "top", "Show the top entries as text",
	  REPORT_USAGE | USAGE_CUM },
	{ "traces", "traces", "Show all samples with their stacks",
	  USAGE_NONE },
	{ "tree", "tree", "Show the call graph as text",
	  REPORT_USAGE | USAGE_CUM },
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
	fprintf(stderr, "Generating report in %s\n", path);
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

static int write_stdout(struct report *r, struct err *e)
{
	int fd = STDOUT_FILENO;
	const struct sink sink = sink_fd(&fd);
	fflush(stdout);
	const int rc = report_write(r, &sink, e);
	return rc == ERR_IO ? err_set(e, rc, "write: %s", strerror(errno)) : rc;
}

int command_run(const struct reader_command *c, const char *parameter,
		const struct reader_config *config, const struct profile *p,
		bool interactive, struct err *e)
{
	(void)interactive;
	struct report *r;
	const struct report_options o = config_options(config);
	int rc = report_open(p, report_find_kind(c->kind), parameter, &o,
			     &command_warn, &r, e);
	if (rc)
		return rc;
	rc = *config->output ? write_file(r, config->output, e)
			     : write_stdout(r, e);
	report_close(r);
	return rc;
}
