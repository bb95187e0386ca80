/*
 * elf_plt.c - names for the stubs of the procedure linkage table (see
 * elf_symbols.h).
 *
 * A stub jumps through a slot of the global offset table, and the relocation
 * of that slot names the symbol.  So the jump is decoded, and nothing is
 * assumed of the linker's layout: .plt, .plt.sec (with -z ibtplt), .plt.got.
 */
#include "symbol/elf_symbols.h"

#include "base/err.h"
#include "base/map.h"
#include "symbol/elf_file.h"

#include <stdio.h>
#include <string.h>

/* A slot's relocations: table and index, packed, by the slot's address. */
struct slots {
	struct map by_addr;  /* -> symbol's index in .dynsym */
	struct map by_index; /* .rela.plt's index -> the same */
};

static int read_relocations(const struct elf_file *f, const char *section,
			    struct slots *s)
{
	GElf_Shdr h;
	Elf_Scn *scn = elf_file_section(f, section, &h);
	Elf_Data *d = scn && h.sh_type == SHT_RELA && h.sh_entsize
			      ? elf_getdata(scn, NULL)
			      : NULL;
	if (!d || !d->d_buf)
		return 0;
	const size_t n = d->d_size / h.sh_entsize;
	const int is_plt = !strcmp(section, ".rela.plt");
	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		GElf_Rela r;
		if (!gelf_getrela(d, (int)i, &r))
			break;
		const uint64_t type = GELF_R_TYPE(r.r_info);
		const uint32_t symbol = (uint32_t)GELF_R_SYM(r.r_info);
		if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
		    symbol == 0 || symbol == MAP_NONE)
			continue;
		if (map_put(&s->by_addr, r.r_offset, symbol) ||
		    (is_plt && map_put(&s->by_index, i, symbol)))
			return ERR_NOMEM;
	}
	return 0;
}

static int32_t le32(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 |
			 (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

/* Which symbol does the stub at p, len bytes, address addr, call? */
static uint32_t decode(const struct slots *s, const uint8_t *p, size_t len,
		       uint64_t addr)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t i = 0;
	if (len >= 4 && !memcmp(p, endbr64, 4))
		i = 4;
	if (i + 5 <= len && p[i] == 0x68) /* push $index: lazy binding */
		return map_get(&s->by_index, (uint32_t)le32(p + i + 1));
	if (i < len && p[i] == 0xf2) /* bnd */
		i++;
	if (i + 6 > len || p[i] != 0xff || p[i + 1] != 0x25)
		return MAP_NONE;
	/* jmp *disp(%rip) */
	return map_get(&s->by_addr,
		       addr + i + 6 + (uint64_t)(int64_t)le32(p + i + 2));
}

static int add_stub(struct elf_symbols *t, const char *name, uint64_t start,
		    uint64_t size)
{
	char text[1024];
	const int n = snprintf(text, sizeof(text), "%s@plt", name);
	if (n <= 4 || (size_t)n >= sizeof(text))
		return 0;
	const struct elf_symbol s = {
		.start = start,
		.limit = start + size,
		.name = strings_intern(&t->pool, text),
		.rank = ELF_RANK_STUB,
	};
	return s.name ? elf_symbols_add(t, &s) : ERR_NOMEM;
}

static int add_section(struct elf_symbols *t, const struct elf_file *f,
		       const char *section, const struct slots *s,
		       Elf_Data *symbols, size_t names)
{
	GElf_Shdr h;
	Elf_Scn *scn = elf_file_section(f, section, &h);
	size_t len;
	const uint8_t *code = scn ? elf_file_bytes(scn, &len) : NULL;
	if (!code)
		return 0;
	const size_t size = h.sh_entsize == 8 ? 8 : 16;
	for (size_t at = 0; at + size <= len; at += size) {
		const uint32_t i = decode(s, code + at, size, h.sh_addr + at);
		GElf_Sym symbol;
		if (i == MAP_NONE || i > INT32_MAX ||
		    !gelf_getsym(symbols, (int)i, &symbol))
			continue;
		const char *name = elf_strptr(f->elf, names, symbol.st_name);
		if (name && *name && add_stub(t, name, h.sh_addr + at, size))
			return ERR_NOMEM;
	}
	return 0;
}

int elf_symbols_add_plt(struct elf_symbols *t, const struct elf_file *f)
{
	static const char *const sections[] = { ".plt", ".plt.sec",
						".plt.got" };
	GElf_Ehdr e;
	GElf_Shdr h;
	if (!gelf_getehdr(f->elf, &e) || e.e_machine != EM_X86_64)
		return 0;
	Elf_Scn *scn = elf_file_section(f, ".dynsym", &h);
	Elf_Data *symbols = scn ? elf_getdata(scn, NULL) : NULL;
	if (!symbols || !symbols->d_buf)
		return 0;
	struct slots s = { 0 };
	int rc = read_relocations(f, ".rela.plt", &s);
	if (!rc)
		rc = read_relocations(f, ".rela.dyn", &s);
	for (size_t i = 0; !rc && i < sizeof(sections) / sizeof(*sections); i++)
		rc = add_section(t, f, sections[i], &s, symbols, h.sh_link);
	map_free(&s.by_addr);
	map_free(&s.by_index);
	return rc;
}
