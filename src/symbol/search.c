/* search.c - where the file of a mapping may lie (see object_search). */
#include "symbol/object.h"

#include "base/err.h"
#include "symbol/debug_file.h"
#include "symbol/path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIR_FILES_MAX = 64 };

struct search {
	const char *path, *base; /* of the mapping */
	char id[2 * 64 + 1];
	struct object_options options;
	struct object *found;
	int rc;
};

/* Open dir/a/b (b may be NULL); true ends the search. */
static bool try_file(struct search *s, const char *dir, const char *a,
		     const char *b)
{
	char path[PATH_TEXT_MAX];
	const int n = snprintf(path, sizeof(path), "%s/%s%s%s", dir, a,
			       b ? "/" : "", b ? b : "");
	if (n < 0 || n >= PATH_TEXT_MAX)
		return false;
	s->rc = object_open_with(path, &s->options, &s->found, NULL);
	return s->rc == 0 || s->rc == ERR_NOMEM;
}

/* Any file of FOLDER/BUILDID/, for its name may have changed. */
static bool try_folder(struct search *s, const char *dir)
{
	char path[PATH_TEXT_MAX];
	const int n = snprintf(path, sizeof(path), "%s/%s", dir, s->id);
	DIR *d = n > 0 && n < PATH_TEXT_MAX ? opendir(path) : NULL;
	if (!d)
		return false;
	bool done = false;
	const struct dirent *entry;
	for (int i = 0; i < DIR_FILES_MAX && !done && (entry = readdir(d)); i++)
		if (entry->d_name[0] != '.')
			done = try_file(s, path, entry->d_name, NULL);
	closedir(d);
	return done;
}

static bool try_dir(struct search *s, const char *dir)
{
	if (s->id[0] && ((*s->base && try_file(s, dir, s->id, s->base)) ||
			 try_folder(s, dir) ||
			 (*s->path && try_file(s, dir, s->path, s->id))))
		return true;
	return *s->base && (try_file(s, dir, s->base, NULL) ||
			    (*s->path && try_file(s, dir, s->path, NULL)));
}

static bool try_build_id_root(struct search *s)
{
	char path[PATH_TEXT_MAX];
	if (strlen(s->id) < 4)
		return false;
	snprintf(path, sizeof(path), DEBUG_FILE_ROOT "/.build-id/%.2s", s->id);
	char name[sizeof(s->id) + 8];
	snprintf(name, sizeof(name), "%s.debug", s->id + 2);
	return try_file(s, path, name, NULL);
}

int object_search(const char *search_path, const char *path,
		  const uint8_t *build_id, size_t build_id_len,
		  struct object **ret_object, struct err *e)
{
	struct search s = { .path = path,
			    .options = { .build_id = build_id,
					 .build_id_len = build_id_len } };
	const char *slash = strrchr(path, '/');
	s.base = slash ? slash + 1 : path;
	for (size_t i = 0; i < build_id_len && i < 64; i++)
		snprintf(s.id + 2 * i, 3, "%02x", build_id[i]);
	char home[PATH_TEXT_MAX] = "";
	if (!search_path)
		search_path = getenv("PPROF_BINARY_PATH");
	if (!search_path || !*search_path) {
		const char *h = getenv("HOME");
		const int n = snprintf(home, sizeof(home), "%s/pprof/binaries",
				       h ? h : "");
		search_path = n < PATH_TEXT_MAX ? home : "";
	}
	bool done = false;
	while (!done && *search_path) {
		const size_t n = strcspn(search_path, ":");
		char *dir = strndup(search_path, n);
		if (!dir)
			return err_set(e, ERR_NOMEM, "out of memory");
		done = n && try_dir(&s, dir);
		free(dir);
		search_path += n + (search_path[n] == ':');
	}
	if (!done && *path) {
		s.rc = object_open_with(path, &s.options, &s.found, NULL);
		done = s.rc == 0 || s.rc == ERR_NOMEM;
	}
	if (!done)
		done = try_build_id_root(&s);
	if (!done)
		return err_set(e, ERR_NOTFOUND,
			       "no local file for %s (build id %s)",
			       *path ? path : "the mapping",
			       s.id[0] ? s.id : "unknown");
	if (s.rc)
		return err_set(e, s.rc, "out of memory");
	*ret_object = s.found;
	return 0;
}
