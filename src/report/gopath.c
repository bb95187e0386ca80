/* gopath.c - see gopath.h. */
#include "report/gopath.h"

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <string.h>

/* Take the last element off what was written since start. */
static void back_up(struct buf *b, size_t start)
{
	while (b->len > start && b->data[b->len - 1] != '/')
		b->len--;
	if (b->len > start)
		b->len--;
	b->data[b->len] = '\0';
}

int gopath_clean(const char *path, struct buf *b)
{
	const size_t begin = b->len;
	const bool rooted = *path == '/';
	size_t keep = 0; /* bytes of leading ".." that stay */
	if (rooted)
		buf_append_char(b, '/');
	const size_t start = b->len;
	keep = start;
	for (const char *p = path; *p && !b->failed;) {
		const size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.')) {
			/* nothing */
		} else if (n == 2 && p[0] == '.' && p[1] == '.') {
			if (b->len > keep) {
				back_up(b, keep);
			} else if (!rooted) {
				if (b->len > start)
					buf_append_char(b, '/');
				buf_append_str(b, "..");
				keep = b->len;
			}
		} else {
			if (b->len > start)
				buf_append_char(b, '/');
			buf_append(b, p, n);
		}
		p += n;
		while (*p == '/')
			p++;
	}
	if (b->len == begin)
		buf_append_char(b, '.');
	return b->failed;
}

int gopath_base(const char *path, struct buf *b)
{
	size_t len = strlen(path);
	if (!len)
		return buf_append_char(b, '.');
	while (len && path[len - 1] == '/')
		len--;
	if (!len)
		return buf_append_char(b, '/');
	size_t first = len;
	while (first && path[first - 1] != '/')
		first--;
	return buf_append(b, path + first, len - first);
}

size_t gopath_next(const char **list, const char **ret_element)
{
	*ret_element = *list;
	const size_t n = strcspn(*list, ":");
	*list += n;
	if (**list == ':')
		++*list;
	return n;
}

/* All up to the folder that is named like the last of dir; 0 = none. */
static size_t guess_prefix(const char *path, const char *dir, size_t len)
{
	struct buf d = { 0 }, want = { 0 };
	size_t cut = 0;
	buf_append(&d, dir, len);
	buf_append_char(&want, '/');
	if (!gopath_base(buf_str(&d), &want) && !buf_append_char(&want, '/')) {
		const char *found = strstr(path, buf_str(&want));
		if (found)
			cut = (size_t)(found - path) + want.len;
	}
	buf_free(&d);
	buf_free(&want);
	return cut;
}

static size_t cut_prefix(const char *path, const char *prefix, size_t len)
{
	if (strncmp(path, prefix, len) != 0)
		return 0;
	if (len && prefix[len - 1] == '/')
		return len;
	return path[len] == '/' ? len + 1 : 0;
}

size_t gopath_trim(const char *path, const char *trim_path,
		   const char *source_path)
{
	const char *element;
	if (!trim_path || !*trim_path) {
		const char *list = source_path ? source_path : "";
		while (*list) {
			const size_t n = gopath_next(&list, &element);
			const size_t cut = guess_prefix(path, element, n);
			if (cut)
				return cut;
		}
	}
	const char *list = trim_path ? trim_path : "";
	while (*list) {
		const size_t n = gopath_next(&list, &element);
		const size_t cut = cut_prefix(path, element, n);
		if (cut)
			return cut;
	}
	size_t cut = cut_prefix(path, "/proc/self/cwd/./", 17);
	if (!cut)
		cut = cut_prefix(path, "/proc/self/cwd/", 15);
	return cut;
}
