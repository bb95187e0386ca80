/*
 * image.h - what a loaded ELF object says of itself in memory: its bias, its
 * build id, and a fingerprint of its headers.  Private to src/symbol.
 */
#ifndef PROFLAB_SYMBOL_IMAGE_H
#define PROFLAB_SYMBOL_IMAGE_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { IMAGE_BUILD_ID_MAX = 32, IMAGE_PHDRS_MAX = 64 };

struct image {
	uint64_t start, limit; /* what its PT_LOADs span */
	uint64_t bias;
	uint64_t headers; /* fingerprint, never 0 */
	uint64_t dynamic; /* address of PT_DYNAMIC; 0 = none */
	uint8_t build_id[IMAGE_BUILD_ID_MAX];
	size_t build_id_len;
	size_t n_loads;
	struct {
		uint64_t start, limit; /* in memory */
		uint64_t offset;       /* of start, in the file */
	} loads[IMAGE_PHDRS_MAX];
};

/*
 * The id in a run of notes, cut at IMAGE_BUILD_ID_MAX.  align is the
 * segment's or section's (4 or 8).  Returns: its length, 0 = none.
 */
size_t image_note_build_id(const void *notes, size_t len, size_t align,
			   uint8_t ret_id[static IMAGE_BUILD_ID_MAX]);

/* The fingerprint of program headers, as image_read makes it. */
uint64_t image_fingerprint(const ElfW(Phdr) * phdrs, size_t n);

/*
 * An object of this process as dl_iterate_phdr reports it: call it from the
 * callback only, where the loader's lock keeps the object mapped.
 */
void image_from_loader(const struct dl_phdr_info *info,
		       struct image *ret_image);

/*
 * The object whose ELF header lies at addr in the process (0 = this one).
 * The memory is read by process_vm_readv, so that an object that goes
 * meanwhile is an error and not a crash.  Returns: 0 or ERR_NOTFOUND.
 */
int image_read(pid_t pid, uint64_t addr, struct image *ret_image);

/* Copy this process's memory; false when it is not all mapped. */
bool image_copy(uint64_t addr, void *to, size_t len);

#endif
