/* disasm.c - see disasm.h. */
#include "report/disasm.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The objdump that `tools` names, or "objdump". */
static void find_objdump(const char *tools, struct buf *b)
{
	static const char name[] = "objdump";
	const size_t len = sizeof(name) - 1;
	while (tools && *tools) {
		size_t n = strcspn(tools, ",");
		const char *dir = tools;
		tools += n + (tools[n] == ',');
		if (n > len && !strncmp(dir, name, len) && dir[len] == ':') {
			dir += len + 1;
			n -= len + 1;
		}
		buf_clear(b);
		buf_append(b, dir, n);
		if (!access(buf_str(b), X_OK) && n >= len &&
		    !strcmp(buf_str(b) + n - len, name))
			return;
		buf_printf(b, "/%s", name);
		if (!access(buf_str(b), X_OK))
			return;
	}
	buf_clear(b);
	buf_append_str(b, name);
}

static int start_objdump(const char *path, uint64_t start, uint64_t end,
			 const struct disasm_options *o, pid_t *ret_pid,
			 int *ret_fd)
{
	char from[48], to[48];
	int fds[2];
	struct buf program = { 0 };
	if (pipe2(fds, O_CLOEXEC))
		return errno;
	find_objdump(o->tools, &program);
	snprintf(from, sizeof(from), "--start-address=0x%" PRIx64, start);
	snprintf(to, sizeof(to), "--stop-address=0x%" PRIx64, end);
	const char *argv[] = { buf_str(&program),
			       "--disassemble",
			       "--demangle",
			       "--no-show-raw-insn",
			       from,
			       to,
			       "--",
			       path,
			       NULL,
			       NULL,
			       NULL };
	if (o->intel_syntax) {
		argv[6] = "-Mintel";
		argv[7] = "--";
		argv[8] = path;
	}
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
					 O_WRONLY, 0);
	const int error = posix_spawnp(ret_pid, buf_str(&program), &actions,
				       NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	buf_free(&program);
	close(fds[1]);
	if (error)
		close(fds[0]);
	*ret_fd = fds[0];
	return error;
}

static int read_output(int fd, struct buf *b)
{
	for (;;) {
		char piece[16 << 10];
		const ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_IO : b->failed;
		/* Read on after a failure: objdump must be able to end. */
		buf_append(b, piece, (size_t)n);
	}
}

/* "    7d70:\tpush   %rbp" */
static int parse_line(struct disasm *d, char *line)
{
	char *end;
	const char *p = line + strspn(line, " ");
	const uint64_t address = strtoull(p, &end, 16);
	if (end == p || end[0] != ':' || end[1] != '\t')
		return 0;
	char *text = end + 2;
	for (char *tab = text; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	size_t n = strlen(text);
	while (n && text[n - 1] == ' ')
		text[--n] = '\0';
	if (grow_rows(&d->insts, &d->cap, d->n + 1, sizeof(*d->insts)))
		return ERR_NOMEM;
	d->insts[d->n++] = (struct disasm_inst){ address, text };
	return 0;
}

static int parse_output(struct disasm *d, struct buf *b)
{
	d->output = b->data;
	*b = (struct buf){ 0 };
	char *state = d->output, *line;
	int rc = 0;
	while (!rc && (line = strsep(&state, "\n")))
		rc = parse_line(d, line);
	return rc;
}

int disasm_run(const char *path, uint64_t start, uint64_t end,
	       const struct disasm_options *o, struct disasm *ret_disasm,
	       struct err *e)
{
	struct disasm d = { 0 };
	struct buf b = { .cap = (size_t)256 << 20 };
	pid_t pid = -1;
	int fd = -1, status = 0;
	const int error = start_objdump(path, start, end, o, &pid, &fd);
	if (error)
		return err_set(e, ERR_NOTFOUND,
			       "failed to execute objdump (package binutils): "
			       "%s",
			       strerror(error));
	int rc = read_output(fd, &b);
	close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!rc && (!WIFEXITED(status) || WEXITSTATUS(status)))
		rc = ERR_IO;
	if (rc)
		err_set(e, rc, "objdump failed on %s", path);
	if (!rc && b.data)
		rc = parse_output(&d, &b);
	buf_free(&b);
	if (rc)
		disasm_free(&d);
	else
		*ret_disasm = d;
	return rc;
}

void disasm_free(struct disasm *d)
{
	free(d->insts);
	free(d->output);
	*d = (struct disasm){ 0 };
}
