/*
 * cfi_entry.h - the entries of .eh_frame, read; private to unwind_cfi.c.
 *
 * What is read lies in the program's own memory and was made by its linker: it
 * is trusted as far as libgcc trusts it, but nothing is read past the entry.
 */
#ifndef PROFLAB_PPROF_CFI_ENTRY_H
#define PROFLAB_PPROF_CFI_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cfi_cursor {
	const uint8_t *at, *end;
};

/* Little-endian, n at most 8; past the end they are 0. */
uint64_t cfi_get_bytes(struct cfi_cursor *c, size_t n);
uint64_t cfi_get_uleb(struct cfi_cursor *c);
int64_t cfi_get_sleb(struct cfi_cursor *c);
void cfi_skip(struct cfi_cursor *c, uint64_t n);
/* Past a pointer of this encoding.  Returns: false for one not known. */
bool cfi_skip_pointer(struct cfi_cursor *c, uint8_t encoding);
/* The bytes of an entry behind its length.  Returns: false: it is empty. */
bool cfi_open_entry(const uint8_t *entry, struct cfi_cursor *ret);

/* What the entries of a file's functions have in common. */
struct cfi_cie {
	struct cfi_cursor program;
	uint64_t code_align, ra_column;
	int64_t data_align;
	uint8_t pointer; /* encoding of an entry's pcs */
	bool augmented, is_signal;
};

/* Returns: false for what is not understood. */
bool cfi_read_cie(const uint8_t *entry, struct cfi_cie *ret);

#endif
