/*
 * dw_lines.h - the line table of one unit.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_DW_LINES_H
#define PROFLAB_SYMBOL_DW_LINES_H

#include "symbol/strings.h"

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dw_lines {
	Dwarf_Lines *lines; /* libdw's */
	size_t n;
	Dwarf_Files *files; /* libdw's */
	size_t n_files;
	const char **names; /* normalised, by file number; NULL = not yet */
	const char *dir;    /* the unit's folder; may be NULL */
};

/* Returns: 0 (also when the unit has no line table) or ERR_NOMEM. */
int dw_lines_build(Dwarf_Die *unit, struct dw_lines *ret_lines);
void dw_lines_free(struct dw_lines *l);

/* The row that covers addr: its file and line ("" and 0 when unknown). */
bool dw_lines_find(struct dw_lines *l, uint64_t addr, struct strings *pool,
		   const char **ret_file, int *ret_line);
/* The file of that number in the unit's table, or "". */
const char *dw_lines_file(struct dw_lines *l, uint64_t number,
			  struct strings *pool);

#endif
