/*
 * elf_symbols.h - the functions of an ELF file by its symbol tables: the
 * names that are left when there is no DWARF.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_ELF_SYMBOLS_H
#define PROFLAB_SYMBOL_ELF_SYMBOLS_H

#include "symbol/strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

enum {
	ELF_RANK_STUB = 0x80,	/* when nothing else is there */
	ELF_RANK_TARGET = 0x60, /* of an indirect function */
};

struct elf_symbol {
	uint64_t start, limit;
	const char *name; /* of the file, or of the pool */
	uint64_t reach;	  /* the largest limit up to here in the table */
	uint8_t rank;	  /* lower is preferred */
	bool is_indirect; /* an IFUNC's resolver */
};

/* Zero-initialised it is empty and ready. */
struct elf_symbols {
	struct elf_symbol *items; /* by start; owned */
	size_t n, size;
	bool only_dynamic;   /* of a stripped file */
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
/* An object of this process, by addresses in memory. */
struct elf_loaded {
	uint64_t bias, dynamic; /* of its PT_DYNAMIC; 0 = none */
	uint64_t start, limit;	/* its executable row */
};

/*
 * Add the dynamic symbols that lie in the row, from memory.
 * Returns: 0, ERR_NOTFOUND (they cannot be read), ERR_NOMEM.
 */
int elf_symbols_add_loaded(struct elf_symbols *t,
			   const struct elf_loaded *where);
/* Which of several names for one address is preferred: the lowest rank. */
uint8_t elf_symbols_rank(int type, int binding, uint64_t size,
			 const char *name);
/* Add one.  Returns: 0 or ERR_NOMEM. */
int elf_symbols_add(struct elf_symbols *t, const struct elf_symbol *s);
/* Sort, drop the lesser of equal addresses; before the first look-up. */
void elf_symbols_finish(struct elf_symbols *t);

/* The innermost symbol that holds addr, or NULL. */
const struct elf_symbol *elf_symbols_find(const struct elf_symbols *t,
					  uint64_t addr);
void elf_symbols_free(struct elf_symbols *t);

#endif
