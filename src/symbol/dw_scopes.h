/*
 * dw_scopes.h - the functions and inlined calls of one unit, as one sorted
 * table of where each is the innermost.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_DW_SCOPES_H
#define PROFLAB_SYMBOL_DW_SCOPES_H

#include "symbol/strings.h"

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DW_SCOPE_NONE UINT32_MAX

struct dw_scope {
	void *die_addr;	    /* of the DIE, for its names */
	uint64_t low_pc;    /* of its entry */
	uint32_t parent;    /* what it is inlined into, or DW_SCOPE_NONE */
	uint32_t call_file; /* where it is called from, when inlined */
	int call_line;
	/* What dw_scope_resolve finds; kept in the pool. */
	bool resolved;
	bool is_linked; /* system_name is what the linker saw */
	int start_line;
	const char *system_name; /* NULL = it has none */
	const char *function;
};

struct dw_segment {
	uint64_t start;
	uint32_t scope; /* the innermost from start to the next segment */
};

struct dw_scopes {
	struct dw_scope *items; /* a parent stands before its children */
	size_t n, size;
	struct dw_segment *segments; /* by start */
	size_t n_segments;
};

/* Walk the unit's entries.  Returns: 0 or ERR_NOMEM. */
int dw_scopes_build(Dwarf_Die *unit, struct dw_scopes *ret_scopes);
void dw_scopes_free(struct dw_scopes *s);

/* The innermost scope at addr, or DW_SCOPE_NONE. */
uint32_t dw_scopes_find(const struct dw_scopes *s, uint64_t addr);

/*
 * Find the scope's names and first line, through what it is an instance of or
 * declared by.  The linkage name is preferred, for it is unique and complete.
 */
void dw_scope_resolve(struct dw_scope *s, const Dwarf_Die *unit,
		      struct strings *pool);

#endif
