/* debug_file.c - see debug_file.h. */
#include "symbol/debug_file.h"

#include "base/err.h"
#include "symbol/elf_file.h"
#include "symbol/path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The CRC-32 of .gnu_debuglink (the polynomial of zlib's), four bits a step. */
static uint32_t crc_update(uint32_t crc, const uint8_t *p, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	for (size_t i = 0; i < len; i++) {
		crc = table[(crc ^ p[i]) & 15] ^ crc >> 4;
		crc = table[(crc ^ p[i] >> 4) & 15] ^ crc >> 4;
	}
	return crc;
}

static bool crc_matches(int fd, uint32_t want)
{
	uint8_t block[16384];
	uint32_t crc = UINT32_MAX;
	off_t at = 0;
	for (;;) {
		const ssize_t n = pread(fd, block, sizeof(block), at);
		if (n < 0)
			return false;
		if (n == 0)
			return ~crc == want;
		crc = crc_update(crc, block, (size_t)n);
		at += n;
	}
}

/* ROOT/.build-id/xx/yyyy.debug; false when it does not fit. */
static bool build_id_path(const char *root, const uint8_t *id, size_t len,
			  char out[static PATH_TEXT_MAX])
{
	if (len < 2)
		return false;
	int n = snprintf(out, PATH_TEXT_MAX, "%s/.build-id/%02x/", root, id[0]);
	for (size_t i = 1; i < len; i++) {
		if (n < 0 || n >= PATH_TEXT_MAX - 16)
			return false;
		n += snprintf(out + n, 3, "%02x", id[i]);
	}
	snprintf(out + n, 8, ".debug");
	return true;
}

static int open_by_build_id(const char *root, const uint8_t *id, size_t len,
			    struct elf_file *ret_file)
{
	char path[PATH_TEXT_MAX];
	struct elf_file f;
	if (!build_id_path(root, id, len, path) ||
	    elf_file_open(path, &f, NULL))
		return ERR_NOTFOUND;
	if (!elf_file_has_build_id(&f, id, len)) {
		elf_file_close(&f);
		return ERR_NOTFOUND;
	}
	*ret_file = f;
	return 0;
}

/* "name\0", padding to 4, crc in the file's byte order (the host's here). */
static const char *read_link_section(const struct elf_file *f,
				     uint32_t *ret_crc)
{
	GElf_Shdr h;
	size_t len;
	const char *s =
		elf_file_bytes(elf_file_section(f, ".gnu_debuglink", &h), &len);
	if (!s)
		return NULL;
	const size_t n = strnlen(s, len);
	const size_t at = (n + 1 + 3) & ~(size_t)3;
	if (n == 0 || at + 4 > len || memchr(s, '/', n))
		return NULL;
	memcpy(ret_crc, s + at, 4);
	return s;
}

static bool is_pair(const struct elf_file *f, const struct elf_file *debug,
		    uint32_t crc)
{
	/* The link may lead back to the file itself. */
	if (debug->inode == f->inode)
		return false;
	if (f->build_id_len && debug->build_id_len)
		return elf_file_has_build_id(debug, f->build_id,
					     f->build_id_len);
	return crc_matches(debug->fd, crc);
}

int debug_file_find(const struct elf_file *f, const char *root,
		    struct elf_file *ret_file)
{
	if (!root)
		root = DEBUG_FILE_ROOT;
	if (!*root)
		return ERR_NOTFOUND;
	if (f->build_id_len &&
	    !open_by_build_id(root, f->build_id, f->build_id_len, ret_file))
		return 0;
	uint32_t crc;
	const char *name = read_link_section(f, &crc);
	const char *slash = strrchr(f->path, '/');
	if (!name || !slash)
		return ERR_NOTFOUND;
	const int dir = (int)(slash - f->path);
	for (int i = 0; i < 3; i++) {
		char path[PATH_TEXT_MAX];
		static const char *const below[] = { "", "/.debug", "" };
		const int n = snprintf(path, sizeof(path), "%s%.*s%s/%s",
				       i == 2 ? root : "", dir, f->path,
				       below[i], name);
		struct elf_file d;
		if (n < 0 || n >= PATH_TEXT_MAX ||
		    elf_file_open(path, &d, NULL))
			continue;
		if (is_pair(f, &d, crc)) {
			*ret_file = d;
			return 0;
		}
		elf_file_close(&d);
	}
	return ERR_NOTFOUND;
}

int debug_file_find_alt(const struct elf_file *debug, const char *root,
			struct elf_file *ret_file)
{
	GElf_Shdr h;
	size_t len;
	const char *s = elf_file_bytes(
		elf_file_section(debug, ".gnu_debugaltlink", &h), &len);
	if (!s)
		return ERR_NOTFOUND;
	const size_t n = strnlen(s, len);
	if (n == 0 || n + 1 >= len)
		return ERR_NOTFOUND;
	const uint8_t *id = (const uint8_t *)s + n + 1;
	const size_t id_len = len - n - 1;
	/* A relative name is relative to the folder of the debug file. */
	char dir[PATH_TEXT_MAX], path[PATH_TEXT_MAX];
	const char *slash = strrchr(debug->path, '/');
	const size_t dir_len = slash ? (size_t)(slash - debug->path) : 0;
	struct elf_file f;
	if (dir_len < sizeof(dir)) {
		memcpy(dir, debug->path, dir_len);
		dir[dir_len] = '\0';
		path_normalise(dir, s, path);
		if (!elf_file_open(path, &f, NULL)) {
			if (elf_file_has_build_id(&f, id, id_len)) {
				*ret_file = f;
				return 0;
			}
			elf_file_close(&f);
		}
	}
	return open_by_build_id(root ? root : DEBUG_FILE_ROOT, id, id_len,
				ret_file);
}
