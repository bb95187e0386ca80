/*
 * disasm.h - machine instructions as text, by objdump.
 */
#ifndef PROFLAB_REPORT_DISASM_H
#define PROFLAB_REPORT_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct disasm_inst {
	uint64_t address;
	const char *text;
};

struct disasm {
	struct disasm_inst *insts; /* owned, sorted by address */
	size_t n, cap;
	char *output; /* owned; the texts are in it */
};

struct disasm_options {
	bool intel_syntax;
	/*
	 * Where objdump is: folders divided by "," or ":", or entries
	 * "objdump:PATH"; NULL or "": on the search path.
	 */
	const char *tools;
};

/*
 * The instructions of a file in [start, end).
 * Blocks: until objdump ends.
 * Returns: 0; ERR_NOTFOUND where there is no objdump, ERR_IO where it failed,
 * with text; ERR_NOMEM.  Owns: the caller, disasm_free.
 */
int disasm_run(const char *path, uint64_t start, uint64_t end,
	       const struct disasm_options *o, struct disasm *ret_disasm,
	       struct err *e);
void disasm_free(struct disasm *d);

#endif
