/* maps.c - see maps.h. */
#include "symbol/maps.h"

#include "base/buf.h"
#include "base/err.h"
#include "symbol/image.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert((int)MAPS_BUILD_ID_MAX == (int)IMAGE_BUILD_ID_MAX,
	       "one size of build id");

enum { MAPS_TEXT_MAX = 256 << 20 };

/* An object and where its header is: from the loader, or from a row. */
struct known {
	struct image image;
	char *path; /* owned; may be NULL */
	bool is_main;
};

struct reading {
	pid_t pid;
	struct maps maps;
	size_t size; /* rows allocated */
	struct known *known;
	size_t n_known, known_size;
	bool failed;
	/* The file whose first row was seen last, and where. */
	uint64_t head_inode, head_start;
	const char *head_path; /* in the text */
	size_t head_path_len;
};

static int slurp(const char *path, struct buf *b, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	int rc = 0;
	for (;;) {
		if (buf_reserve(b, 16384)) {
			rc = err_set(e, ERR_NOMEM, "%s: out of memory", path);
			break;
		}
		const ssize_t n = read(fd, b->data + b->len, 16384);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = err_set(e, ERR_IO, "%s: %s", path,
				     strerror(errno));
			break;
		}
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
	close(fd);
	return rc;
}

/* ---- the objects that the loader knows ---------------------------------- */

static struct known *add_known(struct reading *r)
{
	if (r->n_known == r->known_size) {
		const size_t size = r->known_size ? r->known_size * 2 : 32;
		void *p = realloc(r->known, size * sizeof(*r->known));
		if (!p) {
			r->failed = true;
			return NULL;
		}
		r->known = p;
		r->known_size = size;
	}
	r->known[r->n_known] = (struct known){ 0 };
	return &r->known[r->n_known++];
}

static int on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	struct reading *r = arg;
	struct known *k = add_known(r);
	if (!k)
		return 1;
	image_from_loader(info, &k->image);
	/* glibc reports the main program first, without a name. */
	k->is_main = r->n_known == 1;
	if (info->dlpi_name && info->dlpi_name[0] == '/')
		k->path = strdup(info->dlpi_name);
	return 0;
}

static char *read_link(pid_t pid, const char *name)
{
	char path[64], target[4096];
	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	else
		snprintf(path, sizeof(path), "/proc/thread-self/%s", name);
	const ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return NULL;
	target[n] = '\0';
	return strdup(target);
}

static const struct known *find_known(const struct reading *r, uint64_t addr)
{
	for (size_t i = 0; i < r->n_known; i++) {
		const struct image *im = &r->known[i].image;
		if (addr < im->start || addr >= im->limit)
			continue;
		for (size_t k = 0; k < im->n_loads; k++)
			if (addr >= im->loads[k].start &&
			    addr < im->loads[k].limit)
				return &r->known[i];
	}
	return NULL;
}

/* ---- the text ------------------------------------------------------------ */

/* One line of the text, in place. */
struct line {
	uint64_t start, limit, offset, inode;
	bool executable, readable;
	const char *path;
	size_t path_len;
};

static const char *hex(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	for (;; s++) {
		const unsigned c = (unsigned char)*s;
		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else
			break;
	}
	*ret = v;
	return s;
}

/* "start-limit perms offset dev:dev inode   path" */
static bool parse_line(const char *s, const char *end, struct line *l)
{
	*l = (struct line){ .path = "" };
	s = hex(s, &l->start);
	if (*s++ != '-')
		return false;
	s = hex(s, &l->limit);
	if (*s++ != ' ' || end - s < 5)
		return false;
	l->readable = s[0] == 'r';
	l->executable = s[2] == 'x';
	s = hex(s + 5, &l->offset);
	if (*s++ != ' ')
		return false;
	while (s < end && *s != ' ')
		s++;
	while (s < end && *s == ' ')
		s++;
	for (; s < end && *s >= '0' && *s <= '9'; s++)
		l->inode = l->inode * 10 + (uint64_t)(*s - '0');
	while (s < end && *s == ' ')
		s++;
	l->path = s;
	l->path_len = (size_t)(end - s);
	return l->start < l->limit;
}

/*
 * The kernel writes a newline in a name as \012, and " (deleted)" behind a
 * name that no longer leads to the file; a file may also be called so.
 */
static char *copy_path(const struct line *l, bool *ret_deleted)
{
	static const char mark[] = " (deleted)";
	char *path = malloc(l->path_len + 1);
	if (!path)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < l->path_len; i++) {
		if (l->path_len - i >= 4 && !memcmp(l->path + i, "\\012", 4)) {
			path[n++] = '\n';
			i += 3;
		} else {
			path[n++] = l->path[i];
		}
	}
	path[n] = '\0';
	*ret_deleted = false;
	const size_t m = sizeof(mark) - 1;
	struct stat st;
	if (n > m && path[0] == '/' && !memcmp(path + n - m, mark, m) &&
	    (stat(path, &st) || st.st_ino != l->inode)) {
		path[n - m] = '\0';
		*ret_deleted = true;
	}
	return path;
}

/*
 * An object that the loader does not list: its header is where the file's
 * offset 0 is mapped, if that is mapped at all.
 */
static const struct known *read_known(struct reading *r, const struct line *l)
{
	if (!r->head_inode || l->inode != r->head_inode ||
	    l->path_len != r->head_path_len ||
	    memcmp(l->path, r->head_path, l->path_len) != 0)
		return NULL;
	struct image im;
	if (image_read(r->pid, r->head_start, &im))
		return NULL;
	struct known *k = add_known(r);
	if (k)
		k->image = im;
	return find_known(r, l->start);
}

static void describe_row(struct maps_row *row, const struct known *k)
{
	const struct image *im = &k->image;
	row->bias = im->bias;
	row->headers = im->headers;
	row->dynamic = im->dynamic;
	memcpy(row->build_id, im->build_id, im->build_id_len);
	row->build_id_len = im->build_id_len;
	if (row->path[0] || !k->path)
		return;
	/* Anonymous memory in the place of an object's text. */
	char *path = strdup(k->path);
	if (!path)
		return;
	free(row->path);
	row->path = path;
	for (size_t i = 0; i < im->n_loads; i++)
		if (row->start >= im->loads[i].start &&
		    row->start < im->loads[i].limit)
			row->offset = im->loads[i].offset + row->start -
				      im->loads[i].start;
}

static int add_row(struct reading *r, const struct line *l)
{
	struct maps *m = &r->maps;
	if (m->n >= MAPS_ROWS_MAX)
		return 0;
	if (m->n == r->size) {
		const size_t size = r->size ? r->size * 2 : 32;
		void *p = realloc(m->rows, size * sizeof(*m->rows));
		if (!p)
			return ERR_NOMEM;
		m->rows = p;
		r->size = size;
	}
	struct maps_row *row = &m->rows[m->n];
	*row = (struct maps_row){ .start = l->start,
				  .limit = l->limit,
				  .offset = l->offset,
				  .inode = l->inode };
	row->path = copy_path(l, &row->deleted);
	if (!row->path)
		return ERR_NOMEM;
	m->n++;
	const struct known *k = find_known(r, l->start);
	if (!k && l->inode)
		k = read_known(r, l);
	else if (!k && l->path_len == 6 && !memcmp(l->path, "[vdso]", 6)) {
		struct image im;
		struct known *new;
		if (!image_read(r->pid, l->start, &im) &&
		    (new = add_known(r)) != NULL) {
			new->image = im;
			k = new;
		}
	}
	if (k)
		describe_row(row, k);
	return 0;
}

static int parse_text(struct reading *r, const char *s)
{
	while (*s) {
		const char *end = strchr(s, '\n');
		if (!end)
			end = s + strlen(s);
		struct line l;
		if (parse_line(s, end, &l)) {
			if (l.inode && l.offset == 0 && l.readable) {
				r->head_inode = l.inode;
				r->head_start = l.start;
				r->head_path = l.path;
				r->head_path_len = l.path_len;
			}
			if (l.executable && add_row(r, &l))
				return ERR_NOMEM;
		}
		s = *end ? end + 1 : end;
	}
	return r->failed ? ERR_NOMEM : 0;
}

/* ---- the main program ---------------------------------------------------- */

static size_t find_main(const struct reading *r)
{
	const struct maps *m = &r->maps;
	for (size_t i = 0; i < r->n_known; i++) {
		if (!r->known[i].is_main)
			continue;
		for (size_t k = 0; k < m->n; k++)
			if (find_known(r, m->rows[k].start) == &r->known[i])
				return k;
	}
	char *exe = read_link(r->pid, "exe");
	if (!exe)
		return m->n;
	const size_t len = strlen(exe);
	size_t at = m->n;
	for (size_t i = 0; i < m->n && at == m->n; i++) {
		const size_t n = strlen(m->rows[i].path);
		if (n && n <= len && !memcmp(exe, m->rows[i].path, n) &&
		    (!exe[n] ||
		     (m->rows[i].deleted && !strcmp(exe + n, " (deleted)"))))
			at = i;
	}
	free(exe);
	return at;
}

int maps_read(pid_t pid, struct maps *ret_maps, struct err *e)
{
	struct reading r = { .pid = pid };
	struct buf text = { .cap = MAPS_TEXT_MAX };
	char path[64];
	if (pid == getpid())
		r.pid = pid = 0;
	/* Not /proc/self: that is the first thread, which may have ended, and
	 * then has no memory. */
	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	else
		snprintf(path, sizeof(path), "/proc/thread-self/maps");
	int rc;
	if (pid == 0) {
		dl_iterate_phdr(on_object, &r);
		if (r.n_known)
			r.known[0].path = read_link(0, "exe");
	}
	rc = slurp(path, &text, e);
	if (rc)
		goto out;
	rc = parse_text(&r, buf_str(&text));
	if (rc) {
		err_set(e, rc, "%s: out of memory", path);
		goto out;
	}
	r.maps.main = find_main(&r);
	*ret_maps = r.maps;
	r.maps = (struct maps){ 0 };
out:
	maps_free(&r.maps);
	for (size_t i = 0; i < r.n_known; i++)
		free(r.known[i].path);
	free(r.known);
	buf_free(&text);
	return rc;
}

void maps_free(struct maps *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->rows[i].path);
	free(m->rows);
	*m = (struct maps){ 0 };
}

const struct maps_row *maps_find(const struct maps *m, uint64_t addr)
{
	size_t low = 0, high = m->n;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (addr < m->rows[mid].start)
			high = mid;
		else if (addr >= m->rows[mid].limit)
			low = mid + 1;
		else
			return &m->rows[mid];
	}
	return NULL;
}

const struct maps_row *maps_main(const struct maps *m)
{
	return m->main < m->n ? &m->rows[m->main] : NULL;
}

bool maps_same_row(const struct maps_row *a, const struct maps_row *b)
{
	return a->start == b->start && a->limit == b->limit &&
	       a->offset == b->offset && a->bias == b->bias &&
	       a->inode == b->inode && a->headers == b->headers &&
	       a->build_id_len == b->build_id_len &&
	       !memcmp(a->build_id, b->build_id, a->build_id_len) &&
	       !strcmp(a->path, b->path);
}

char *maps_build_id_hex(const struct maps_row *row,
			char out[static 2 * MAPS_BUILD_ID_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < row->build_id_len; i++) {
		out[2 * i] = digits[row->build_id[i] >> 4];
		out[2 * i + 1] = digits[row->build_id[i] & 15];
	}
	out[2 * row->build_id_len] = '\0';
	return out;
}
