/* collect_store.c - see collect_store.h. */
#include "tools/collect_store.h"

#include "base/buf.h"
#include "base/sink.h"
#include "tools/die.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char temporary_prefix[] = ".tmp-";
static const char collection[] = "collection.json";

static int io_error(struct err *e, const struct collect_store *s,
		    const char *what)
{
	return err_set(e, ERR_IO, "%s/%s: %s", s->path, what, strerror(errno));
}

/* ---- removing ---- */

/* A folder with files in it: rounds have no folders inside. */
static int remove_folder(int parent_fd, const char *name)
{
	const int fd = openat(parent_fd, name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (struct dirent *d; (d = readdir(dir));)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	return unlinkat(parent_fd, name, AT_REMOVEDIR);
}

/* Call with each entry's name; a copy, so that entries may vanish. */
static int list_names(int dir_fd, bool (*wanted)(const char *),
		      char ***ret_names, size_t *ret_n)
{
	const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	size_t n = 0;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (struct dirent *d; (d = readdir(dir));)
		if (wanted(d->d_name)) {
			names = xrealloc(names, (n + 1) * sizeof(*names));
			names[n++] = xstrdup(d->d_name);
		}
	closedir(dir);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static bool is_temporary(const char *name)
{
	return !strncmp(name, temporary_prefix, strlen(temporary_prefix));
}

/* ---- the folder ---- */

static int make_folders(const char *path)
{
	char *copy = xstrdup(path);
	int rc = 0;
	for (char *s = copy + 1; !rc && *s; s++)
		if (*s == '/') {
			*s = '\0';
			if (mkdir(copy, 0777) && errno != EEXIST)
				rc = -1;
			*s = '/';
		}
	if (!rc && mkdir(copy, 0777) && errno != EEXIST)
		rc = -1;
	free(copy);
	return rc;
}

int collect_store_open(struct collect_store *s, const char *path, struct err *e)
{
	char **names;
	size_t n;
	*s = (struct collect_store){ .path = path,
				     .dir_fd = -1,
				     .lock_fd = -1 };
	if (!*path || make_folders(path))
		return err_set(e, ERR_IO, "cannot make the folder %s: %s", path,
			       *path ? strerror(errno) : "it has no name");
	s->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	s->lock_fd =
		openat(s->dir_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (s->lock_fd < 0)
		return io_error(e, s, ".lock");
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_BUSY,
					 "another collector works in %s", path)
			       : io_error(e, s, ".lock");
	if (list_names(s->dir_fd, is_temporary, &names, &n))
		return io_error(e, s, "");
	for (size_t i = 0; i < n; i++)
		if (remove_folder(s->dir_fd, names[i]))
			unlinkat(s->dir_fd, names[i], 0);
	free_names(names, n);
	return 0;
}

void collect_store_close(struct collect_store *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	s->lock_fd = s->dir_fd = -1;
}

/* ---- a round ---- */

/* Two rounds in one second, or a clock that was set back. */
static void choose_name(struct collect_round *r, int64_t realtime_ns)
{
	const time_t t = (time_t)(realtime_ns / 1000000000);
	struct tm tm;
	char second[32];
	gmtime_r(&t, &tm);
	strftime(second, sizeof(second), "%Y%m%d_%H%M%S", &tm);
	snprintf(r->name, sizeof(r->name), "%s", second);
	for (int i = 2; i < 1000 && !faccessat(r->store->dir_fd, r->name, F_OK,
					       AT_SYMLINK_NOFOLLOW);
	     i++)
		snprintf(r->name, sizeof(r->name), "%s_%d", second, i);
}

int collect_round_begin(struct collect_round *r, struct collect_store *s,
			int64_t realtime_ns, struct err *e)
{
	*r = (struct collect_round){ .store = s, .dir_fd = -1 };
	choose_name(r, realtime_ns);
	snprintf(r->temporary, sizeof(r->temporary), "%s%.40s",
		 temporary_prefix, r->name);
	if (mkdirat(s->dir_fd, r->temporary, 0777))
		return io_error(e, s, r->temporary);
	r->dir_fd = openat(s->dir_fd, r->temporary,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir_fd >= 0)
		return 0;
	const int rc = io_error(e, s, r->temporary);
	unlinkat(s->dir_fd, r->temporary, AT_REMOVEDIR);
	return rc;
}

static void part_name(const char *name, char buf[static COLLECT_NAME_MAX])
{
	snprintf(buf, COLLECT_NAME_MAX, "%.64s.part", name);
}

int collect_round_create(struct collect_round *r, const char *name,
			 struct err *e)
{
	char part[COLLECT_NAME_MAX];
	part_name(name, part);
	const int fd = openat(r->dir_fd, part,
			      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return fd >= 0 ? fd : io_error(e, r->store, part);
}

char *collect_round_path(const struct collect_round *r, const char *name)
{
	return xasprintf("%s/%s/%s.part", r->store->path, r->temporary, name);
}

int collect_round_keep(struct collect_round *r, int fd, const char *name,
		       const char *last, struct err *e)
{
	char part[COLLECT_NAME_MAX];
	part_name(name, part);
	int rc = fsync(fd) ? io_error(e, r->store, last) : 0;
	if (close(fd) && !rc)
		rc = io_error(e, r->store, last);
	if (!rc && renameat(r->dir_fd, part, r->dir_fd, last))
		rc = io_error(e, r->store, last);
	if (rc)
		unlinkat(r->dir_fd, part, 0);
	return rc;
}

void collect_round_drop(struct collect_round *r, int fd, const char *name)
{
	char part[COLLECT_NAME_MAX];
	part_name(name, part);
	close(fd);
	unlinkat(r->dir_fd, part, 0);
}

int collect_round_publish(struct collect_round *r, const char *json,
			  struct err *e)
{
	int rc = 0;
	int fd = collect_round_create(r, collection, e);
	if (fd < 0) {
		rc = fd;
	} else {
		const struct sink sink = sink_fd(&fd);
		if (sink_write(&sink, json, strlen(json))) {
			rc = io_error(e, r->store, collection);
			collect_round_drop(r, fd, collection);
		} else {
			rc = collect_round_keep(r, fd, collection, collection,
						e);
		}
	}
	/* A folder with files in it is never replaced. */
	if (!rc && (fsync(r->dir_fd) || renameat(r->store->dir_fd, r->temporary,
						 r->store->dir_fd, r->name)))
		rc = io_error(e, r->store, r->name);
	if (rc) {
		collect_round_abandon(r);
		return rc;
	}
	close(r->dir_fd);
	r->dir_fd = -1;
	return fsync(r->store->dir_fd) ? io_error(e, r->store, r->name) : 0;
}

void collect_round_abandon(struct collect_round *r)
{
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	r->dir_fd = -1;
	remove_folder(r->store->dir_fd, r->temporary);
}

/* ---- all rounds ---- */

/* YYYYmmdd_HHMMSS, and perhaps _N. */
static bool is_round(const char *name)
{
	for (int i = 0; i < 15; i++)
		if (i == 8 ? name[i] != '_' : !isdigit((unsigned char)name[i]))
			return false;
	name += 15;
	return !*name || (*name == '_' && name[1] &&
			  strspn(name + 1, "0123456789") == strlen(name + 1));
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int list_rounds(struct collect_store *s, char ***ret_names,
		       size_t *ret_n, struct err *e)
{
	if (list_names(s->dir_fd, is_round, ret_names, ret_n))
		return io_error(e, s, "");
	if (*ret_n)
		qsort(*ret_names, *ret_n, sizeof(**ret_names), by_name);
	return 0;
}

static int64_t time_of(const char *name)
{
	struct tm tm = { 0 };
	return strptime(name, "%Y%m%d_%H%M%S", &tm)
		       ? (int64_t)timegm(&tm) * 1000000000
		       : INT64_MAX;
}

static int64_t size_of(const struct collect_store *s, const char *name)
{
	const int fd =
		openat(s->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int64_t bytes = 0;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	struct stat st;
	for (struct dirent *d; (d = readdir(dir));)
		if (!fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			bytes += st.st_size;
	closedir(dir);
	return bytes;
}

/* First out of sight as a whole, then file by file. */
static int remove_round(struct collect_store *s, const char *name)
{
	char hidden[COLLECT_NAME_MAX];
	snprintf(hidden, sizeof(hidden), "%sold-%.60s", temporary_prefix, name);
	return renameat(s->dir_fd, name, s->dir_fd, hidden) ||
	       remove_folder(s->dir_fd, hidden);
}

int collect_store_prune(struct collect_store *s, const char *newest,
			int64_t now_ns, int64_t age_ns, int64_t max_bytes,
			struct err *e)
{
	char **names;
	size_t n;
	int64_t bytes = 0;
	int removed = list_rounds(s, &names, &n, e);
	if (removed < 0)
		return removed;
	int64_t *sizes = xcalloc(n, sizeof(*sizes));
	for (size_t i = 0; i < n; i++)
		bytes += sizes[i] = size_of(s, names[i]);
	for (size_t i = 0; i < n; i++) {
		if (newest ? !strcmp(names[i], newest) : i + 1 == n)
			continue;
		const bool old = age_ns && time_of(names[i]) < now_ns - age_ns;
		const bool big = max_bytes && bytes > max_bytes;
		if (!old && !big)
			break;
		if (remove_round(s, names[i])) {
			removed = io_error(e, s, names[i]);
			break;
		}
		bytes -= sizes[i];
		removed++;
	}
	free(sizes);
	free_names(names, n);
	return removed;
}

static void append_file(const struct collect_store *s, const char *folder,
			struct buf *to)
{
	char path[2 * COLLECT_NAME_MAX], chunk[4096];
	snprintf(path, sizeof(path), "%.79s/%s", folder, collection);
	const int fd = openat(s->dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_append(to, chunk, (size_t)n);
	close(fd);
}

int collect_store_index(struct collect_store *s, struct err *e)
{
	static const char part[] = ".tmp-index.jsonl";
	char **names;
	size_t n;
	struct buf text = { 0 };
	int rc = list_rounds(s, &names, &n, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		append_file(s, names[i], &text);
	free_names(names, n);
	int fd = openat(s->dir_fd, part,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	const struct sink sink = sink_fd(&fd);
	if (fd < 0 || sink_write(&sink, buf_str(&text), text.len) ||
	    fsync(fd) || renameat(s->dir_fd, part, s->dir_fd, "index.jsonl")) {
		rc = io_error(e, s, "index.jsonl");
		unlinkat(s->dir_fd, part, 0);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&text);
	return rc;
}
