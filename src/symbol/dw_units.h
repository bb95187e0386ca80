/*
 * dw_units.h - the DWARF of one file: its compile units, which of them holds
 * an address, and what was made of each so far.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_DW_UNITS_H
#define PROFLAB_SYMBOL_DW_UNITS_H

#include "symbol/dw_lines.h"
#include "symbol/dw_scopes.h"
#include "symbol/strings.h"

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

struct dw_unit {
	Dwarf_Die die;	/* with the line table and the folder */
	Dwarf_Die code; /* with the functions: the same, or split off */
	bool has_scopes, has_lines; /* made already */
	struct dw_scopes scopes;
	struct dw_lines lines;
};

struct dw_range {
	uint64_t start, limit;
	uint64_t reach; /* the largest limit up to here in the table */
	uint32_t unit;
};

struct dw_text {
	uint64_t start, limit;
};

struct dw_units {
	Dwarf *dwarf, *alt; /* owned; alt may be NULL */
	struct dw_unit *units;
	size_t n_units, units_size;
	struct dw_range *ranges; /* by start */
	size_t n_ranges, ranges_size;
	struct dw_text *text; /* the executable sections */
	size_t n_text;
	struct strings *pool; /* of the object */
};

/*
 * The units of the file, and where their code lies; nothing in them is read
 * yet.  alt may be NULL.  Both files stay open as long as u.  on_oom is what
 * libdw calls when memory runs out; when it leaves by a jump, u may be closed.
 * Returns: 0, ERR_NOTFOUND (no DWARF), ERR_NOMEM; u is closed on failure.
 */
int dw_units_open(const struct elf_file *f, const struct elf_file *alt,
		  Dwarf_OOM on_oom, struct strings *pool, struct dw_units *u);
void dw_units_close(struct dw_units *u);

/*
 * Is there memory for libdw to work in?  It does not look at every calloc's
 * result, so where little is left it is not called at all.
 */
bool dw_has_headroom(void);

/* The unit that holds addr, with its tables made, or NULL. */
struct dw_unit *dw_units_find(struct dw_units *u, uint64_t addr);

#endif
