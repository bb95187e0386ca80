/* source.c - see source.h. */
#include "report/source.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/gopath.h"
#include "report/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A longer line ends the reading of a file, as in the Go tool. */
enum { LINE_MAX_BYTES = 64 << 10 };
static const size_t file_max = 64 << 20;

struct source_file {
	char *path;    /* as asked for */
	char *text;    /* whole file, lines ended by NUL */
	size_t *lines; /* where each begins */
	size_t n, cap;
	char *error; /* or NULL */
};

struct source_reader {
	char *search_path, *trim_path; /* owned */
	char nul_byte;
	struct source_file *files; /* owned */
	size_t n, cap;
};

struct source_reader *source_new(const char *search_path, const char *trim_path,
				 char nul_byte)
{
	struct source_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	if (search_path && *search_path) {
		r->search_path = strdup(search_path);
	} else {
		r->search_path = getcwd(NULL, 0);
		if (!r->search_path)
			r->search_path = strdup(".");
	}
	r->nul_byte = nul_byte;
	r->trim_path = strdup(trim_path ? trim_path : "");
	if (!r->search_path || !r->trim_path) {
		source_free(r);
		return NULL;
	}
	return r;
}

void source_free(struct source_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		free(r->files[i].path);
		free(r->files[i].text);
		free(r->files[i].lines);
		free(r->files[i].error);
	}
	free(r->files);
	free(r->search_path);
	free(r->trim_path);
	free(r);
}

/* In dir, its parent, and so on up to the root. */
static int open_upwards(const char *dir, size_t len, const char *name)
{
	struct buf b = { 0 };
	int fd = -1;
	for (;;) {
		buf_clear(&b);
		buf_append(&b, dir, len);
		buf_printf(&b, "%s%s", len && dir[len - 1] != '/' ? "/" : "",
			   name);
		if (!b.failed)
			fd = open(buf_str(&b), O_RDONLY | O_CLOEXEC);
		if (fd >= 0 || !len || (len == 1 && *dir == '/'))
			break;
		while (len && dir[len - 1] != '/')
			len--;
		while (len > 1 && dir[len - 1] == '/')
			len--;
	}
	buf_free(&b);
	return fd;
}

static int open_source(const struct source_reader *r, const char *path,
		       char **ret_error)
{
	const char *name =
		path + gopath_trim(path, r->trim_path, r->search_path);
	char *error = NULL;
	const bool has_nul = r->nul_byte && strchr(name, r->nul_byte);
	if (*name == '/') {
		const int fd = has_nul ? -1 : open(name, O_RDONLY | O_CLOEXEC);
		if (has_nul)
			errno = EINVAL;
		const char *why = errno == ENOENT ? "no such file or directory"
				  : errno == EACCES ? "permission denied"
				  : errno == EINVAL ? "invalid argument"
						    : strerrordesc_np(errno);
		if (fd < 0 && asprintf(&error, "open %s: %s", name, why) >= 0)
			*ret_error = error;
		return fd;
	}
	const char *list = r->search_path;
	while (*list && !has_nul) {
		const char *dir;
		const size_t len = gopath_next(&list, &dir);
		const int fd = open_upwards(dir, len, name);
		if (fd >= 0)
			return fd;
	}
	if (asprintf(&error, "could not find file %s on path %s", name,
		     r->search_path) >= 0)
		*ret_error = error;
	return -1;
}

static char *read_all(int fd, size_t *ret_len)
{
	struct stat st;
	struct buf b = { .cap = file_max };
	/* A folder or a device is no source. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	for (;;) {
		if (buf_reserve(&b, 64 << 10))
			break;
		const ssize_t n = read(fd, b.data + b.len, 64 << 10);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		b.len += (size_t)n;
		b.data[b.len] = '\0';
	}
	*ret_len = b.len;
	return b.data;
}

static int split_lines(struct source_file *f, size_t len)
{
	for (size_t at = 0; at < len;) {
		char *end = memchr(f->text + at, '\n', len - at);
		size_t stop = end ? (size_t)(end - f->text) : len;
		if (stop - at >= LINE_MAX_BYTES)
			return 0;
		if (grow_rows(&f->lines, &f->cap, f->n + 1, sizeof(*f->lines)))
			return ERR_NOMEM;
		f->lines[f->n++] = at;
		f->text[stop] = '\0';
		if (stop > at && f->text[stop - 1] == '\r')
			f->text[stop - 1] = '\0';
		at = stop + 1;
	}
	return 0;
}

static struct source_file *load(struct source_reader *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->files[i].path, path) == 0)
			return &r->files[i];
	if (grow_rows(&r->files, &r->cap, r->n + 1, sizeof(*r->files)))
		return NULL;
	struct source_file f = { .path = strdup(path) };
	if (!f.path)
		return NULL;
	const int fd = open_source(r, path, &f.error);
	if (fd >= 0) {
		size_t len = 0;
		f.text = read_all(fd, &len);
		close(fd);
		if (f.text)
			split_lines(&f, len);
	}
	r->files[r->n] = f;
	return &r->files[r->n++];
}

const char *source_line(struct source_reader *r, const char *path, long line)
{
	const struct source_file *f = load(r, path);
	if (!f || line <= 0 || (size_t)line > f->n)
		return NULL;
	return f->text + f->lines[line - 1];
}

const char *source_error(struct source_reader *r, const char *path)
{
	const struct source_file *f = load(r, path);
	return f ? f->error : NULL;
}
