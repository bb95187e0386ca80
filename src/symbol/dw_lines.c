/* dw_lines.c - see dw_lines.h. */
#include "symbol/dw_lines.h"

#include "base/err.h"
#include "symbol/path.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

int dw_lines_build(Dwarf_Die *unit, struct dw_lines *ret_lines)
{
	struct dw_lines l = { 0 };
	Dwarf_Attribute a;
	l.dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &a));
	if (dwarf_getsrclines(unit, &l.lines, &l.n))
		l.n = 0;
	if (dwarf_getsrcfiles(unit, &l.files, &l.n_files))
		l.n_files = 0;
	if (l.n_files) {
		l.names = calloc(l.n_files, sizeof(*l.names));
		if (!l.names)
			return ERR_NOMEM;
	}
	*ret_lines = l;
	return 0;
}

void dw_lines_free(struct dw_lines *l)
{
	free(l->names);
	*l = (struct dw_lines){ 0 };
}

static uint64_t address_of(Dwarf_Line *line)
{
	Dwarf_Addr addr = 0;
	dwarf_lineaddr(line, &addr);
	return addr;
}

/*
 * libdw puts the unit's folder in front of some names and not of others.
 * Where that folder is relative (-ffile-prefix-map), its text is all that
 * tells.
 */
static bool is_below(const char *dir, const char *name)
{
	if (!dir)
		return false;
	const size_t n = strlen(dir);
	return !strncmp(dir, name, n) && name[n] == '/';
}

const char *dw_lines_file(struct dw_lines *l, uint64_t number,
			  struct strings *pool)
{
	if (number >= l->n_files)
		return "";
	if (!l->names[number]) {
		char path[PATH_TEXT_MAX] = "";
		const char *s =
			dwarf_filesrc(l->files, (size_t)number, NULL, NULL);
		/* Number 0 before DWARF 5 is no file; libdw calls it ???. */
		if (s && !(s[0] == '?' && s[1] == '?'))
			path_normalise(is_below(l->dir, s) ? NULL : l->dir, s,
				       path);
		const char *kept = strings_intern(pool, path);
		if (!kept)
			return "";
		l->names[number] = kept;
	}
	return l->names[number];
}

bool dw_lines_find(struct dw_lines *l, uint64_t addr, struct strings *pool,
		   const char **ret_file, int *ret_line)
{
	*ret_file = "";
	*ret_line = 0;
	/* Of rows with equal addresses the last one counts. */
	size_t low = 0, high = l->n;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (address_of(dwarf_onesrcline(l->lines, mid)) <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	Dwarf_Line *line = dwarf_onesrcline(l->lines, low - 1);
	bool ends = true;
	if (!line || dwarf_lineendsequence(line, &ends) || ends)
		return false;
	int number = 0;
	size_t file = 0;
	dwarf_lineno(line, &number);
	Dwarf_Files *files = NULL;
	if (dwarf_line_file(line, &files, &file) == 0 && files == l->files)
		*ret_file = dw_lines_file(l, file, pool);
	*ret_line = number > 0 ? number : 0;
	return true;
}
