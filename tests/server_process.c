/* server_process.c - see server_process.h. */
#include "tests/server_process.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 30000 };

static void run(const char *program, const char *const *args, int out)
{
	char path[4096];
	const char *argv[32] = { path };
	const char *top = getenv("top_builddir");
	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", program);
	for (int i = 0; args && args[i] && i < 30; i++)
		argv[1 + i] = args[i];
	/* It does not outlive the test, however the test ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, 1);
	dup2(out, 2);
	execv(path, (char *const *)argv);
	dprintf(2, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Up to a newline, so that what comes later stays in the pipe. */
static void read_line(struct server_process *p)
{
	size_t n = 0;
	struct pollfd poll_out = { .fd = p->out, .events = POLLIN };
	while (n < sizeof(p->line) - 1) {
		ck_assert_msg(poll(&poll_out, 1, START_MS) == 1,
			      "the server says nothing");
		if (read(p->out, p->line + n, 1) != 1 || p->line[n] == '\n')
			break;
		n++;
	}
	p->line[n] = '\0';
}

struct server_process server_process_run(const char *program,
					 const char *const *args)
{
	struct server_process p = { 0 };
	int out[2];
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	p.pid = fork();
	ck_assert_int_ge(p.pid, 0);
	if (p.pid == 0)
		run(program, args, out[1]);
	close(out[1]);
	p.out = out[0];
	return p;
}

struct server_process server_process_start(const char *program,
					   const char *const *args)
{
	const char *all[31] = { "-listen", "127.0.0.1:0" };
	for (int i = 0; args && args[i] && i < 28; i++)
		all[2 + i] = args[i];
	struct server_process p = server_process_run(program, all);
	read_line(&p);
	const char *url = strstr(p.line, "http://");
	ck_assert_msg(url != NULL, "the server said: %s", p.line);
	snprintf(p.url, sizeof(p.url), "%.*s", (int)strcspn(url, " "), url);
	return p;
}

int server_process_wait(struct server_process *p, int seconds)
{
	int status;
	const int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	ck_assert_int_ge(fd, 0);
	struct pollfd ended = { .fd = fd, .events = POLLIN };
	const int n = poll(&ended, 1, seconds * 1000);
	close(fd);
	ck_assert_msg(n == 1, "the server did not end within %d s", seconds);
	ck_assert_int_eq(waitpid(p->pid, &status, 0), p->pid);
	p->pid = 0;
	return status;
}

void server_process_end(struct server_process *p)
{
	if (p->pid) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	close(p->out);
	*p = (struct server_process){ 0 };
}

int server_process_threads(const struct server_process *p, const char *name)
{
	char path[300], comm[32];
	int count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)p->pid);
	DIR *dir = opendir(path);
	const struct dirent *d;
	while (dir && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm",
			 (int)p->pid, d->d_name);
		FILE *f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f)) {
			comm[strcspn(comm, "\n")] = '\0';
			count += strcmp(comm, name) == 0;
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return count;
}
