/* collect_files.c - the profiles of a folder, in the order of their names. */
#include "tools/collect.h"

#include "base/attr.h"
#include "tools/die.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const known_kinds[] = {
	"heap",	     "cpu",   "profile", "allocs", "threads",
	"goroutine", "mutex", "block",	 "wall",   "threadcreate"
};

const char *collect_kind_at(size_t i)
{
	return i < ARRAY_SIZE(known_kinds) ? known_kinds[i] : NULL;
}

static bool is_known_kind(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_kinds); i++)
		if (!strcmp(word, known_kinds[i]))
			return true;
	return false;
}

/*
 * The first word of the name that is a kind, heap of go-heap-10.pb.gz; else
 * the word with which it begins.
 */
static char *kind_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *s = slash ? slash + 1 : path;
	char *first = NULL;
	while (*s) {
		size_t n = 0;
		while (isalpha((unsigned char)s[n]))
			n++;
		char *word = xasprintf("%.*s", (int)n, s);
		for (char *c = word; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (is_known_kind(word)) {
			free(first);
			return word;
		}
		if (first)
			free(word);
		else
			first = word;
		s += n;
		while (*s && !isalpha((unsigned char)*s))
			s++;
	}
	return first ? first : xstrdup("");
}

static bool ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);
	return n > m && !strcmp(s + n - m, end);
}

static bool is_profile_name(const char *name)
{
	static const char *const ends[] = { ".pb.gz", ".pb", ".prof", ".pprof",
					    ".gz" };
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (ends_with(name, ends[i]))
			return true;
	return false;
}

static bool is_own_file(const char *name)
{
	static const char *const own[] = { "stats.json", "collection.json",
					   "index.jsonl" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(name, own[i]))
			return true;
	return false;
}

void collect_files_add(struct collect_files *f, const char *path,
		       const char *why)
{
	f->files = xrealloc(f->files, (f->n + 1) * sizeof(*f->files));
	f->files[f->n++] = (struct collect_file){
		.path = xstrdup(path),
		.kind = kind_of(path),
		.why = why ? xstrdup(why) : NULL,
	};
}

void collect_files_free(struct collect_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->files[i].path);
		free(f->files[i].kind);
		free(f->files[i].why);
	}
	free(f->files);
	*f = (struct collect_files){ 0 };
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int scan(struct collect_files *f, const char *folder, int depth)
{
	struct dirent **names;
	const int n = scandir(folder, &names, visible, versionsort);
	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		char *path = xasprintf("%s/%s", folder, name);
		struct stat st;
		if (stat(path, &st)) {
			collect_files_add(f, path, strerror(errno));
		} else if (S_ISDIR(st.st_mode)) {
			if (depth == 0 || scan(f, path, depth - 1))
				collect_files_add(f, path,
						  depth ? strerror(errno)
							: "a folder in a "
							  "collection");
		} else if (is_profile_name(name)) {
			collect_files_add(f, path, NULL);
		} else if (!is_own_file(name)) {
			collect_files_add(f, path,
					  "not named like a profile (.pb.gz, "
					  ".pb, .prof, .pprof, .gz)");
		}
		free(path);
		free(names[i]);
	}
	free(names);
	return 0;
}

int collect_files_scan(struct collect_files *f, const char *folder)
{
	return scan(f, folder, 1);
}
