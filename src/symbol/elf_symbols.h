/*
 * elf_symbols.h - the functions of an ELF file by its symbol tables: the
 * names that are left when there is no DWARF.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_ELF_SYMBOLS_H
#define PROFLAB_SYMBOL_ELF_SYMBOLS_H

#include "symbol/strings.h"

#include <stddef.h>
#include <stdint.h>

struct elf_file;

struct elf_symbol {
	uint64_t start, limit;
	const char *name; /* of the file, or of the pool */
	uint64_t reach;	  /* the largest limit up to here in the table */
	uint8_t rank;	  /* lower is preferred */
};

/* Zero-initialised it is empty and ready. */
struct elf_symbols {
	struct elf_symbol *items; /* by start; owned */
	size_t n, size;
	struct strings pool; /* names that were made ("malloc@plt") */
};

/*
 * Add .symtab, or where there is none .dynsym, of this file: functions,
 * indirect functions, and labels of assembly in executable sections.
 * Returns: 0 or ERR_NOMEM.
 */
int elf_symbols_add_file(struct elf_symbols *t, const struct elf_file *f);
/* Add the stubs of the procedure linkage table, as "NAME@plt" (x86-64). */
int elf_symbols_add_plt(struct elf_symbols *t, const struct elf_file *f);
/* Add one.  Returns: 0 or ERR_NOMEM. */
int elf_symbols_add(struct elf_symbols *t, const struct elf_symbol *s);
/* Sort, drop the lesser of equal addresses; before the first look-up. */
void elf_symbols_finish(struct elf_symbols *t);

/* The innermost symbol that holds addr, or NULL. */
const struct elf_symbol *elf_symbols_find(const struct elf_symbols *t,
					  uint64_t addr);
void elf_symbols_free(struct elf_symbols *t);

#endif
