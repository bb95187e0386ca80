/* reader_viewer.c - see reader_viewer.h. */
#include "tools/reader_viewer.h"

#include "base/err.h"
#include "tools/die.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

const char *const viewer_browsers[] = {
	"chrome",	    "google-chrome", "chromium", "firefox",
	"sensible-browser", "xdg-open",	     NULL
};

/* Start "PROGRAM ARGUMENT... path".  Returns: 0 or an errno. */
static int start(const char *command, const char *path, pid_t *ret_pid)
{
	enum { WORDS_MAX = 16 };
	char *words = xstrdup(command), *state = words, *word;
	char *argv[WORDS_MAX + 2];
	size_t n = 0;
	while ((word = strsep(&state, " ")) && n < WORDS_MAX)
		if (*word)
			argv[n++] = word;
	argv[n] = (char *)path;
	argv[n + 1] = NULL;
	/* Signals that we wait for, or ignore, are not blocked for it. */
	posix_spawnattr_t attr;
	sigset_t none, usual;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	const int error =
		n ? posix_spawnp(ret_pid, argv[0], NULL, &attr, argv, environ)
		  : ENOENT;
	posix_spawnattr_destroy(&attr);
	free(words);
	return error;
}

/*
 * A program may only hand the file to another one and end at once: the file
 * has to stay a moment longer.
 */
static void let_it_read(void)
{
	const struct timespec second = { .tv_sec = 1 };
	nanosleep(&second, NULL);
}

static int wait_for_end(pid_t pid, const char *program, struct err *e)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(e, ERR_IO, "%s: exit status %d", program,
			       WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}

int viewer_open(const char *const *programs, const char *path,
		bool in_background, struct err *e)
{
	const char *mine =
		programs == viewer_browsers ? getenv("BROWSER") : NULL;
	int error = ENOENT;
	const char *first = mine && *mine ? mine : NULL;
	for (size_t i = 0; first || programs[i]; i++) {
		const char *program = first ? first : programs[i];
		pid_t pid;
		if (!first && !strcmp(program, "xdg-open") &&
		    !getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY"))
			break;
		error = start(program, path, &pid);
		if (!error) {
			int rc = 0;
			if (!in_background)
				rc = wait_for_end(pid, program, e);
			let_it_read();
			return rc;
		}
		if (first) {
			first = NULL;
			i--;
		}
	}
	return err_set(e, ERR_NOTFOUND,
		       "no program found to show %s (tried %s%s): %s", path,
		       programs[0], programs[1] ? " and others" : "",
		       strerror(error));
}
