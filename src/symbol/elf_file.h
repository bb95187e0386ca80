/*
 * elf_file.h - an ELF file open for reading.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_ELF_FILE_H
#define PROFLAB_SYMBOL_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { ELF_BUILD_ID_MAX = 32 };

struct elf_file {
	int fd; /* -1 = an image in memory */
	Elf *elf;
	char *path; /* owned */
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_len;
	uint64_t headers; /* image_fingerprint of its program headers */
	uint64_t inode;
};

/*
 * A program or shared library (or the debug file of one): anything else, a
 * core, a relocatable file, an archive, a file whose tables do not lie inside
 * it, is ERR_FORMAT.  A path that is not a regular file is ERR_IO (a FIFO
 * would block, a device might do anything).
 * Returns: 0, ERR_IO, ERR_FORMAT, ERR_NOMEM.
 */
int elf_file_open(const char *path, struct elf_file *ret_file, struct err *e);
/* The image must stay; it is not written to. */
int elf_file_open_memory(const void *image, size_t len, const char *name,
			 struct elf_file *ret_file, struct err *e);
void elf_file_close(struct elf_file *f);
/*
 * Close the descriptor; the file stays mapped.  A profiled program's number of
 * descriptors is not ours to use up.
 */
void elf_file_release(struct elf_file *f);

/* Is it the one with this build id?  A cut id is compared as far as it goes. */
bool elf_file_has_build_id(const struct elf_file *f, const uint8_t *id,
			   size_t len);

/* The first section of that name, or NULL.  *ret_shdr is filled. */
Elf_Scn *elf_file_section(const struct elf_file *f, const char *name,
			  GElf_Shdr *ret_shdr);
/* Its bytes, or NULL when it has none (NOBITS) or they cannot be read. */
const void *elf_file_bytes(Elf_Scn *scn, size_t *ret_len);

#endif
