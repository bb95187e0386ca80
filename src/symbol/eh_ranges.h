/*
 * eh_ranges.h - where functions begin and end by the unwind tables, which
 * survive stripping.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_EH_RANGES_H
#define PROFLAB_SYMBOL_EH_RANGES_H

#include <stdint.h>

struct elf_file;

/*
 * The function that holds addr, through .eh_frame_hdr's sorted table (in the
 * encoding that GNU ld, gold and lld write).  Returns: 0 or ERR_NOTFOUND.
 */
int eh_ranges_find(const struct elf_file *f, uint64_t addr, uint64_t *ret_start,
		   uint64_t *ret_limit);

#endif
