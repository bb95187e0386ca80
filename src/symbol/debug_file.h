/*
 * debug_file.h - where the debug information of a stripped file lies: the
 * separate file of the same build id or of .gnu_debuglink, and the file that
 * dwz moved common parts to.  Only local folders are searched; debuginfod is
 * not asked.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_DEBUG_FILE_H
#define PROFLAB_SYMBOL_DEBUG_FILE_H

#include <stddef.h>
#include <stdint.h>

struct elf_file;

/* Below which .build-id/ and copies of the file system's folders lie. */
#define DEBUG_FILE_ROOT "/usr/lib/debug"

/*
 * The separate debug file of f: ROOT/.build-id/xx/yyyy.debug, or the name in
 * .gnu_debuglink beside the file, in .debug/ beside it, below ROOT.  One with
 * another build id, or where there is none, another checksum, is not taken.
 * root NULL means DEBUG_FILE_ROOT; "" means that nothing is taken.
 * Returns: 0 or ERR_NOTFOUND.  Owns: the caller, elf_file_close.
 */
int debug_file_find(const struct elf_file *f, const char *root,
		    struct elf_file *ret_file);

/*
 * The file that debug's .gnu_debugaltlink names (dwz -m), by its path or by
 * its build id below root.  Returns and Owns: as above.
 */
int debug_file_find_alt(const struct elf_file *debug, const char *root,
			struct elf_file *ret_file);

#endif
