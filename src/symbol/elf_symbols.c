/* elf_symbols.c - see elf_symbols.h. */
#include "symbol/elf_symbols.h"

#include "base/err.h"
#include "symbol/elf_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	RANK_NOTYPE = 0x40, /* a label of assembly */
	RANK_LOCAL = 0x20,
	RANK_NO_SIZE = 0x10,
	RANK_UNDERSCORES = 0x0f, /* malloc before __libc_malloc */
	/* How far back to look for a symbol that spans later ones. */
	WALK_MAX = 256,
};

int elf_symbols_add(struct elf_symbols *t, const struct elf_symbol *s)
{
	if (t->n == t->size) {
		const size_t size = t->size ? t->size * 2 : 512;
		void *p = realloc(t->items, size * sizeof(*t->items));
		if (!p)
			return ERR_NOMEM;
		t->items = p;
		t->size = size;
	}
	t->items[t->n++] = *s;
	return 0;
}

/* "$x", "$d": marks of the assembler, not names. */
static bool is_mark(const char *name)
{
	return name[0] == '$' || !strncmp(name, ".L", 2);
}

/* The end of an executable section that holds addr, or 0. */
static uint64_t section_limit(Elf *elf, size_t index, uint64_t addr)
{
	GElf_Shdr s;
	Elf_Scn *scn = elf_getscn(elf, index);
	if (!scn || !gelf_getshdr(scn, &s) || !(s.sh_flags & SHF_EXECINSTR) ||
	    addr < s.sh_addr || addr - s.sh_addr >= s.sh_size)
		return 0;
	return s.sh_addr + s.sh_size;
}

uint8_t elf_symbols_rank(int type, int binding, uint64_t size, const char *name)
{
	/* Old names of BSD that share their code with those of C. */
	static const char *const old[] = { "index", "rindex", "bcmp", "bcopy" };
	unsigned rank = 0, under = 0;
	if (type != STT_FUNC && type != STT_GNU_IFUNC)
		rank |= RANK_NOTYPE;
	if (binding == STB_LOCAL)
		rank |= RANK_LOCAL;
	if (!size)
		rank |= RANK_NO_SIZE;
	/* _IO_puts, __libc_malloc stand behind puts, malloc; _Z is not an
	 * underscore but a language. */
	if (name[0] == '_' && name[1] != 'Z')
		while (name[under] == '_' && under < 3)
			under++;
	for (size_t i = 0; i < sizeof(old) / sizeof(*old) && !under; i++)
		if (!strcmp(name, old[i]))
			return (uint8_t)(rank | 1);
	return (uint8_t)(rank | (under ? under + 1 : 0));
}

static int add_symbol(struct elf_symbols *t, const struct elf_file *f,
		      const GElf_Sym *s, const char *name)
{
	const int type = GELF_ST_TYPE(s->st_info);
	if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
	    s->st_shndx == SHN_UNDEF || s->st_shndx >= SHN_LORESERVE ||
	    !name[0] || is_mark(name))
		return 0;
	const uint64_t limit = section_limit(f->elf, s->st_shndx, s->st_value);
	if (!limit)
		return 0;
	struct elf_symbol new = { .start = s->st_value,
				  .limit = limit,
				  .name = name,
				  .rank = elf_symbols_rank(
					  type, GELF_ST_BIND(s->st_info),
					  s->st_size, name),
				  .is_indirect = type == STT_GNU_IFUNC };
	if (s->st_size && s->st_size < limit - s->st_value)
		new.limit = s->st_value + s->st_size;
	return elf_symbols_add(t, &new);
}

static Elf_Scn *find_table(Elf *elf, unsigned type, GElf_Shdr *ret_shdr)
{
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(elf, scn)) != NULL)
		if (gelf_getshdr(scn, ret_shdr) && ret_shdr->sh_type == type)
			return scn;
	return NULL;
}

int elf_symbols_add_file(struct elf_symbols *t, const struct elf_file *f)
{
	GElf_Shdr h;
	Elf_Scn *scn = find_table(f->elf, SHT_SYMTAB, &h);
	t->only_dynamic = !scn;
	if (!scn)
		scn = find_table(f->elf, SHT_DYNSYM, &h);
	Elf_Data *d = scn ? elf_getdata(scn, NULL) : NULL;
	if (!d || !d->d_buf || !h.sh_entsize)
		return 0;
	const size_t n = d->d_size / h.sh_entsize;
	for (size_t i = 1; i < n && i <= INT32_MAX; i++) {
		GElf_Sym s;
		if (!gelf_getsym(d, (int)i, &s))
			break;
		const char *name = elf_strptr(f->elf, h.sh_link, s.st_name);
		if (name && add_symbol(t, f, &s, name))
			return ERR_NOMEM;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	/* Any fixed order, so that the answer does not depend on qsort. */
	return strcmp(x->name, y->name);
}

void elf_symbols_finish(struct elf_symbols *t)
{
	if (!t->n)
		return;
	qsort(t->items, t->n, sizeof(*t->items), compare);
	size_t kept = 1;
	for (size_t i = 1; i < t->n; i++)
		if (t->items[i].start != t->items[kept - 1].start)
			t->items[kept++] = t->items[i];
	t->n = kept;
	uint64_t reach = 0;
	for (size_t i = 0; i < kept; i++) {
		struct elf_symbol *s = &t->items[i];
		/* A symbol without a size ends where the next begins. */
		if ((s->rank & RANK_NO_SIZE) && i + 1 < kept &&
		    t->items[i + 1].start < s->limit)
			s->limit = t->items[i + 1].start;
		if (s->limit > reach)
			reach = s->limit;
		s->reach = reach;
	}
}

const struct elf_symbol *elf_symbols_find(const struct elf_symbols *t,
					  uint64_t addr)
{
	size_t low = 0, high = t->n;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (t->items[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	for (int walk = 0; low > 0 && walk < WALK_MAX; walk++) {
		const struct elf_symbol *s = &t->items[--low];
		if (addr < s->limit)
			return s;
		if (addr >= s->reach)
			break;
	}
	return NULL;
}

void elf_symbols_free(struct elf_symbols *t)
{
	free(t->items);
	strings_free(&t->pool);
	*t = (struct elf_symbols){ 0 };
}
