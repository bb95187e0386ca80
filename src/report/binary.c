/* binary.c - see binary.h. */
#include "report/binary.h"

#include "base/err.h"
#include "profile/profile.h"
#include "symbol/object.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns: how many bytes the hex text has, 0 when it is none. */
static size_t read_hex(const char *text, uint8_t *bytes, size_t max)
{
	size_t n = 0;
	for (; text[0] && text[1] && n < max; text += 2) {
		const int high = hex_digit(text[0]), low = hex_digit(text[1]);
		if (high < 0 || low < 0)
			return 0;
		bytes[n++] = (uint8_t)(high << 4 | low);
	}
	return *text ? 0 : n;
}

/*
 * Where the byte at this offset of the file is meant to be loaded.  A file
 * that is no ELF file of 64 bits has no such place: the offset itself.
 */
static uint64_t address_of_offset(const char *path, uint64_t offset)
{
	Elf64_Ehdr header;
	uint64_t address = offset;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return offset;
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		goto out;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr ph;
		const off_t at = (off_t)(header.e_phoff +
					 (uint64_t)i * header.e_phentsize);
		if (pread(fd, &ph, sizeof(ph), at) != sizeof(ph))
			break;
		/* The kernel maps whole pages: the offset may lie before. */
		const uint64_t slack = ph.p_offset & 0xfff;
		if (ph.p_type == PT_LOAD && ph.p_flags & PF_X &&
		    offset >= ph.p_offset - slack &&
		    offset < ph.p_offset + ph.p_filesz) {
			address = offset - ph.p_offset + ph.p_vaddr;
			break;
		}
	}
out:
	close(fd);
	return address;
}

static bool is_position_independent(const char *path)
{
	Elf64_Ehdr header;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	const ssize_t n = pread(fd, &header, sizeof(header), 0);
	close(fd);
	return n != sizeof(header) || header.e_type != ET_EXEC;
}

int binary_open(const struct profile *p, const struct profile_mapping *m,
		struct binary *ret_binary, struct err *e)
{
	uint8_t id[64];
	const size_t id_len =
		read_hex(profile_str(p, m->build_id), id, sizeof(id));
	const char *name = profile_str(p, m->filename);
	struct binary b = { 0 };
	const int rc = object_search(NULL, name, id_len ? id : NULL, id_len,
				     &b.object, e);
	if (rc)
		return rc;
	const char *path = object_path(b.object);
	/* Without a place of the mapping, addresses are the file's. */
	if (m->start && is_position_independent(path))
		b.bias = m->start - address_of_offset(path, m->offset);
	*ret_binary = b;
	return 0;
}

void binary_close(struct binary *b)
{
	object_close(b->object);
	*b = (struct binary){ 0 };
}
