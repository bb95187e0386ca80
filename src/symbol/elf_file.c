/* elf_file.c - see elf_file.h. */
#include "symbol/elf_file.h"

#include "base/err.h"
#include "symbol/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert((int)ELF_BUILD_ID_MAX == (int)IMAGE_BUILD_ID_MAX,
	       "one size of build id");

static void read_fingerprint(struct elf_file *f)
{
	ElfW(Phdr) phdrs[IMAGE_PHDRS_MAX];
	size_t n = 0;
	if (elf_getphdrnum(f->elf, &n) || n > IMAGE_PHDRS_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;
		if (!gelf_getphdr(f->elf, (int)i, &p))
			return;
		phdrs[i] = (ElfW(Phdr)){ .p_type = p.p_type,
					 .p_offset = p.p_offset,
					 .p_vaddr = p.p_vaddr,
					 .p_filesz = p.p_filesz,
					 .p_memsz = p.p_memsz };
	}
	f->headers = image_fingerprint(phdrs, n);
}

/* From the program headers, or, in a debug file, from the sections. */
static void read_build_id(struct elf_file *f)
{
	size_t n = 0;
	if (elf_getphdrnum(f->elf, &n))
		n = 0;
	for (size_t i = 0; i < n && !f->build_id_len; i++) {
		GElf_Phdr p;
		if (!gelf_getphdr(f->elf, (int)i, &p) || p.p_type != PT_NOTE)
			continue;
		Elf_Data *d = elf_getdata_rawchunk(f->elf, (int64_t)p.p_offset,
						   p.p_filesz, ELF_T_BYTE);
		if (d && d->d_buf)
			f->build_id_len = image_note_build_id(
				d->d_buf, d->d_size, p.p_align, f->build_id);
	}
	Elf_Scn *scn = NULL;
	while (!f->build_id_len && (scn = elf_nextscn(f->elf, scn)) != NULL) {
		GElf_Shdr s;
		if (!gelf_getshdr(scn, &s) || s.sh_type != SHT_NOTE)
			continue;
		size_t len;
		const void *bytes = elf_file_bytes(scn, &len);
		if (bytes)
			f->build_id_len = image_note_build_id(
				bytes, len, s.sh_addralign, f->build_id);
	}
}

static int accept_elf(struct elf_file *f, struct err *e)
{
	GElf_Ehdr h;
	if (elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &h))
		return err_set(e, ERR_FORMAT, "%s: not an ELF file", f->path);
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
		return err_set(e, ERR_FORMAT,
			       "%s: ELF, but not a program or shared library",
			       f->path);
	read_fingerprint(f);
	read_build_id(f);
	return 0;
}

int elf_file_open(const char *path, struct elf_file *ret_file, struct err *e)
{
	struct elf_file f = { .fd = -1 };
	int rc;
	elf_version(EV_CURRENT);
	f.path = strdup(path);
	if (!f.path)
		return err_set(e, ERR_NOMEM, "out of memory");
	f.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (f.fd < 0 || fstat(f.fd, &st)) {
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = err_set(e, ERR_IO, "%s: not a regular file", path);
		goto out;
	}
	f.inode = st.st_ino;
	f.elf = elf_begin(f.fd, ELF_C_READ_MMAP, NULL);
	if (!f.elf) {
		rc = err_set(e, ERR_FORMAT, "%s: not an ELF file", path);
		goto out;
	}
	rc = accept_elf(&f, e);
	if (rc)
		goto out;
	*ret_file = f;
	return 0;
out:
	elf_file_close(&f);
	return rc;
}

int elf_file_open_memory(const void *image, size_t len, const char *name,
			 struct elf_file *ret_file, struct err *e)
{
	struct elf_file f = { .fd = -1, .path = strdup(name) };
	elf_version(EV_CURRENT);
	if (!f.path)
		return err_set(e, ERR_NOMEM, "out of memory");
	int rc = 0;
	/* elf_memory's parameter lacks a const; it reads only. */
	f.elf = elf_memory((char *)(uintptr_t)image, len);
	if (!f.elf)
		rc = err_set(e, ERR_FORMAT, "%s: not an ELF image", name);
	else
		rc = accept_elf(&f, e);
	if (rc)
		elf_file_close(&f);
	else
		*ret_file = f;
	return rc;
}

void elf_file_release(struct elf_file *f)
{
	if (!f->path || f->fd < 0 || elf_cntl(f->elf, ELF_C_FDREAD))
		return;
	close(f->fd);
	f->fd = -1;
}

void elf_file_close(struct elf_file *f)
{
	const int saved = errno;
	if (!f || !f->path)
		return;
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = (struct elf_file){ .fd = -1 };
	errno = saved;
}

bool elf_file_has_build_id(const struct elf_file *f, const uint8_t *id,
			   size_t len)
{
	if (len > ELF_BUILD_ID_MAX)
		len = ELF_BUILD_ID_MAX;
	return f->build_id_len == len && !memcmp(f->build_id, id, len);
}

Elf_Scn *elf_file_section(const struct elf_file *f, const char *name,
			  GElf_Shdr *ret_shdr)
{
	size_t names;
	if (elf_getshdrstrndx(f->elf, &names))
		return NULL;
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(f->elf, scn)) != NULL) {
		if (!gelf_getshdr(scn, ret_shdr))
			continue;
		const char *s = elf_strptr(f->elf, names, ret_shdr->sh_name);
		if (s && !strcmp(s, name))
			return scn;
	}
	return NULL;
}

const void *elf_file_bytes(Elf_Scn *scn, size_t *ret_len)
{
	GElf_Shdr s;
	if (!scn || !gelf_getshdr(scn, &s) || s.sh_type == SHT_NOBITS)
		return NULL;
	Elf_Data *d = elf_getdata(scn, NULL);
	if (!d || !d->d_buf || !d->d_size)
		return NULL;
	*ret_len = d->d_size;
	return d->d_buf;
}
