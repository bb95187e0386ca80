/* image.c - see image.h. */
#include "symbol/image.h"

#include "base/err.h"
#include "base/map.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Notes longer than this are not searched: a build id comes early. */
enum { NOTES_MAX = 4096 };

size_t image_note_build_id(const void *notes, size_t len, size_t align,
			   uint8_t ret_id[static IMAGE_BUILD_ID_MAX])
{
	const uint8_t *p = notes;
	const size_t pad = align == 8 ? 7 : 3;
	while (len >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note; /* the same for 32 and 64 bits */
		memcpy(&note, p, sizeof(note));
		p += sizeof(note);
		len -= sizeof(note);
		/* Only "GNU\0" matters, and it pads to 4 under both. */
		const size_t name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		if (name > len)
			break;
		const size_t desc = note.n_descsz;
		if (desc > len - name)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(p, "GNU", 4) == 0 && desc) {
			const size_t n = desc < IMAGE_BUILD_ID_MAX
						 ? desc
						 : IMAGE_BUILD_ID_MAX;
			memcpy(ret_id, p + name, n);
			return n;
		}
		const size_t step = name + ((desc + pad) & ~pad);
		if (step > len)
			break;
		p += step;
		len -= step;
	}
	return 0;
}

uint64_t image_fingerprint(const ElfW(Phdr) * phdrs, size_t n)
{
	/*
	 * The file's layout, which no two builds of more than a few lines
	 * share by accident; file sizes and offsets, not flags, for those may
	 * be patched.
	 */
	uint64_t h = n;
	for (size_t i = 0; i < n; i++) {
		const uint64_t part[] = { phdrs[i].p_type, phdrs[i].p_offset,
					  phdrs[i].p_vaddr, phdrs[i].p_filesz,
					  phdrs[i].p_memsz };
		h = map_hash(part, sizeof(part), h);
	}
	return h ? h : 1;
}

/* Spans and loads; the notes are left to the caller. */
static void describe(const ElfW(Phdr) * phdrs, size_t n, uint64_t bias,
		     struct image *im)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	*im = (struct image){ .bias = bias,
			      .start = UINT64_MAX,
			      .headers = image_fingerprint(phdrs, n) };
	for (size_t i = 0; i < n && im->n_loads < IMAGE_PHDRS_MAX; i++) {
		if (phdrs[i].p_type == PT_DYNAMIC)
			im->dynamic = bias + phdrs[i].p_vaddr;
		if (phdrs[i].p_type != PT_LOAD)
			continue;
		const uint64_t slack = phdrs[i].p_vaddr & (page - 1);
		const uint64_t start = bias + phdrs[i].p_vaddr - slack;
		const uint64_t limit = (bias + phdrs[i].p_vaddr +
					phdrs[i].p_memsz + page - 1) &
				       ~(page - 1);
		if (limit <= start)
			continue;
		im->loads[im->n_loads].start = start;
		im->loads[im->n_loads].limit = limit;
		im->loads[im->n_loads].offset = phdrs[i].p_offset - slack;
		im->n_loads++;
		if (start < im->start)
			im->start = start;
		if (limit > im->limit)
			im->limit = limit;
	}
}

void image_from_loader(const struct dl_phdr_info *info, struct image *ret_image)
{
	describe(info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr, ret_image);
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint64_t at = info->dlpi_addr + p->p_vaddr;
		/* A note outside of what is loaded cannot be read here. */
		if (p->p_type != PT_NOTE || at < ret_image->start ||
		    at > ret_image->limit || p->p_memsz > ret_image->limit - at)
			continue;
		ret_image->build_id_len =
			image_note_build_id((const void *)(uintptr_t)at,
					    p->p_memsz, p->p_align,
					    ret_image->build_id);
		if (ret_image->build_id_len)
			return;
	}
}

static bool read_memory(pid_t pid, uint64_t addr, void *to, size_t len)
{
	struct iovec local = { .iov_base = to, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr,
				.iov_len = len };
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

bool image_copy(uint64_t addr, void *to, size_t len)
{
	return read_memory(getpid(), addr, to, len);
}

static void read_build_id(pid_t pid, const ElfW(Phdr) * p, struct image *im)
{
	_Alignas(8) uint8_t notes[NOTES_MAX];
	const size_t len = p->p_memsz < NOTES_MAX ? p->p_memsz : NOTES_MAX;
	if (read_memory(pid, im->bias + p->p_vaddr, notes, len))
		im->build_id_len = image_note_build_id(notes, len, p->p_align,
						       im->build_id);
}

int image_read(pid_t pid, uint64_t addr, struct image *ret_image)
{
	ElfW(Ehdr) h;
	ElfW(Phdr) phdrs[IMAGE_PHDRS_MAX];
	if (pid == 0)
		pid = getpid();
	if (!read_memory(pid, addr, &h, sizeof(h)) ||
	    memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e_phentsize != sizeof(*phdrs) || h.e_phnum == 0 ||
	    h.e_phnum > IMAGE_PHDRS_MAX ||
	    !read_memory(pid, addr + h.e_phoff, phdrs,
			 h.e_phnum * sizeof(*phdrs)))
		return ERR_NOTFOUND;
	/* The header is at file offset 0: which address was that linked at? */
	const ElfW(Phdr) *first = NULL;
	for (size_t i = 0; i < h.e_phnum && !first; i++)
		if (phdrs[i].p_type == PT_LOAD && phdrs[i].p_offset == 0)
			first = &phdrs[i];
	if (!first)
		return ERR_NOTFOUND;
	describe(phdrs, h.e_phnum, addr - first->p_vaddr, ret_image);
	for (size_t i = 0; i < h.e_phnum && !ret_image->build_id_len; i++)
		if (phdrs[i].p_type == PT_NOTE)
			read_build_id(pid, &phdrs[i], ret_image);
	return 0;
}
