/* reader_temp.c - see reader_temp.h. */
#include "tools/reader_temp.h"

#include "tools/die.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { NUMBERS_MAX = 10000 };

int temp_create(const char *folder, const char *prefix, const char *suffix,
		char **ret_path)
{
	*ret_path = NULL;
	for (int i = 1; i < NUMBERS_MAX; i++) {
		char *path = xasprintf("%s%s%s%03d%s", folder,
				       *folder ? "/" : "", prefix, i, suffix);
		const int fd =
			open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			*ret_path = path;
			return fd;
		}
		const int error = errno;
		free(path);
		errno = error;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static char **paths;
static size_t n_paths;

static void remove_all(void)
{
	for (size_t i = 0; i < n_paths; i++) {
		unlink(paths[i]);
		free(paths[i]);
	}
	free(paths);
}

void temp_remove_at_exit(const char *path)
{
	static bool registered;
	if (!registered)
		atexit(remove_all);
	registered = true;
	paths = xrealloc(paths, (n_paths + 1) * sizeof(*paths));
	paths[n_paths++] = xstrdup(path);
}
