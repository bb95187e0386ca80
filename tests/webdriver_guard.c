/*
 * webdriver_guard.c - see webdriver_guard.h.  The guardian is the subreaper of
 * what it starts: a process whose parent dies becomes its child, so by ending
 * children until there are none it ends them all.
 */
#include "tests/webdriver_guard.h"

#include "tests/webdriver.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

bool guard_find_driver(char *path, size_t size)
{
	const char *given = getenv("CHROMEDRIVER"), *dirs = getenv("PATH");
	if (given && *given) {
		snprintf(path, size, "%s", given);
		return access(path, X_OK) == 0;
	}
	while (dirs && *dirs) {
		const size_t n = strcspn(dirs, ":");
		snprintf(path, size, "%.*s/chromedriver", (int)n, dirs);
		if (access(path, X_OK) == 0)
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

/* ---- the guardian -------------------------------------------------------- */

static void end_child(const char *pid)
{
	char path[300], text[512] = "";
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	const char *close_paren = n > 0 ? strrchr(text, ')') : NULL;
	char state;
	int parent;
	if (close_paren &&
	    sscanf(close_paren + 1, " %c %d", &state, &parent) == 2 &&
	    parent == getpid())
		kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
}

static void end_children(void)
{
	for (;;) {
		DIR *dir = opendir("/proc");
		const struct dirent *e;
		while (dir && (e = readdir(dir)))
			if (*e->d_name >= '1' && *e->d_name <= '9')
				end_child(e->d_name);
		if (dir)
			closedir(dir);
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	remove(path);
	return 0;
}

static void start_driver(const char *driver, const char *folder, int out)
{
	if (fork() != 0)
		return;
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Chromium keeps nothing elsewhere, and asks no session bus. */
	setenv("HOME", folder, 1);
	setenv("TMPDIR", folder, 1);
	setenv("XDG_CONFIG_HOME", folder, 1);
	setenv("XDG_CACHE_HOME", folder, 1);
	setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1);
	const int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execl(driver, driver, "--port=0", (char *)NULL);
	_exit(127);
}

_Noreturn static void stand_guard(const char *driver, const char *folder,
				  int tie, int out)
{
	char c;
	/* Not the test's descriptors, nor another guardian's tie. */
	dup2(out, tie == 3 ? 4 : 3);
	out = tie == 3 ? 4 : 3;
	dup2(tie, 7 - out);
	tie = 7 - out;
	close_range(5, ~0U, 0);
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "webdriver-guard");
	for (int s = 1; s < NSIG; s++)
		if (s != SIGCHLD)
			signal(s, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	start_driver(driver, folder, out);
	close(out);
	/* Nobody writes: it ends when the last writer has gone. */
	while (read(tie, &c, 1) < 0 && errno == EINTR)
		;
	end_children();
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

/* ---- the test's side ----------------------------------------------------- */

static int read_port(int out)
{
	static const char words[] = "started successfully on port ";
	char text[4096] = "";
	size_t n = 0;
	struct pollfd p = { .fd = out, .events = POLLIN };
	while (n < sizeof(text) - 1 &&
	       poll(&p, 1, WEBDRIVER_SECONDS * 1000) == 1) {
		const ssize_t got = read(out, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
		const char *at = strstr(text, words);
		if (at && strchr(at, '.'))
			return (int)strtol(at + sizeof(words) - 1, NULL, 10);
	}
	ck_abort_msg("chromedriver does not start; it said: %s", text);
	return 0;
}

void guard_start(struct guard *g)
{
	char driver[4096];
	int tie[2], out[2];
	const char *tmp = getenv("TMPDIR");
	ck_assert_msg(guard_find_driver(driver, sizeof(driver)),
		      "there is no chromedriver");
	snprintf(g->folder, sizeof(g->folder), "%.200s/proflab-web.XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	ck_assert_msg(mkdtemp(g->folder) != NULL, "%s: %s", g->folder,
		      strerror(errno));
	ck_assert_int_eq(pipe2(tie, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	g->pid = fork();
	ck_assert_int_ge(g->pid, 0);
	if (g->pid == 0) {
		close(tie[1]);
		close(out[0]);
		stand_guard(driver, g->folder, tie[0], out[1]);
	}
	close(tie[0]);
	close(out[1]);
	g->tie = tie[1];
	g->port = read_port(out[0]);
	close(out[0]);
}

void guard_stop(struct guard *g)
{
	close(g->tie);
	waitpid(g->pid, NULL, 0);
}
