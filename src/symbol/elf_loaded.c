/*
 * elf_loaded.c - the dynamic symbols of an object whose file is gone, from its
 * own memory (see elf_symbols.h).
 *
 * The loader needs them at run time, so they are always mapped.  Everything is
 * copied by process_vm_readv: an object that is unmapped meanwhile is an error
 * and not a crash.
 */
#include "symbol/elf_symbols.h"

#include "base/err.h"
#include "symbol/image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum {
	DYNAMIC_MAX = 512, /* entries */
	SYMBOLS_MAX = 1 << 20,
	STRINGS_MAX = 64 << 20,
};

/* Where the tables are, as addresses. */
struct tables {
	uint64_t symbols, strings, strings_len, gnu_hash, hash;
};

/* Copy len bytes; NULL when they are not all there. */
static void *copy(uint64_t addr, size_t len)
{
	void *p = malloc(len ? len : 1);
	if (p && image_copy(addr, p, len))
		return p;
	free(p);
	return NULL;
}

static bool find_tables(uint64_t dynamic, uint64_t bias, struct tables *t)
{
	ElfW(Dyn) d[DYNAMIC_MAX];
	size_t n = 0;
	*t = (struct tables){ 0 };
	for (; n < DYNAMIC_MAX; n++) {
		if (!image_copy(dynamic + n * sizeof(*d), &d[n], sizeof(*d)))
			return false;
		if (d[n].d_tag == DT_NULL)
			break;
	}
	for (size_t i = 0; i < n; i++) {
		/* glibc adds the bias in place; other loaders do not. */
		const uint64_t v = d[i].d_un.d_ptr;
		const uint64_t at = v < bias ? v + bias : v;
		switch (d[i].d_tag) {
		case DT_SYMTAB:
			t->symbols = at;
			break;
		case DT_STRTAB:
			t->strings = at;
			break;
		case DT_STRSZ:
			t->strings_len = v;
			break;
		case DT_GNU_HASH:
			t->gnu_hash = at;
			break;
		case DT_HASH:
			t->hash = at;
			break;
		default:
			break;
		}
	}
	return t->symbols && t->strings && t->strings_len &&
	       t->strings_len <= STRINGS_MAX;
}

/* The table's length is nowhere; the last hash chain ends with it. */
static size_t count_by_gnu_hash(uint64_t at)
{
	uint32_t h[4]; /* buckets, first symbol, bloom words, shift */
	if (!image_copy(at, h, sizeof(h)) || h[0] > SYMBOLS_MAX ||
	    h[2] > SYMBOLS_MAX)
		return 0;
	const uint64_t buckets_at = at + sizeof(h) + 8 * (uint64_t)h[2];
	uint32_t *buckets = copy(buckets_at, h[0] * sizeof(*buckets));
	if (!buckets)
		return 0;
	uint32_t last = 0;
	for (uint32_t i = 0; i < h[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	free(buckets);
	if (last < h[1])
		return 0;
	const uint64_t chains = buckets_at + 4 * (uint64_t)h[0];
	for (; last < SYMBOLS_MAX; last++) {
		uint32_t link;
		if (!image_copy(chains + 4 * (uint64_t)(last - h[1]), &link,
				sizeof(link)))
			return 0;
		if (link & 1)
			return last + 1;
	}
	return 0;
}

static size_t count_symbols(const struct tables *t)
{
	uint32_t h[2]; /* buckets, chains: one a symbol */
	if (t->gnu_hash)
		return count_by_gnu_hash(t->gnu_hash);
	if (t->hash && image_copy(t->hash, h, sizeof(h)) && h[1] < SYMBOLS_MAX)
		return h[1];
	return 0;
}

static int add_symbols(struct elf_symbols *t, const ElfW(Sym) * symbols,
		       size_t n, const char *strings, size_t len,
		       const struct elf_loaded *where)
{
	for (size_t i = 1; i < n; i++) {
		const ElfW(Sym) *s = &symbols[i];
		const int type = ELF64_ST_TYPE(s->st_info);
		const uint64_t at = s->st_value + where->bias;
		if ((type != STT_FUNC && type != STT_GNU_IFUNC) ||
		    s->st_shndx == SHN_UNDEF || s->st_name >= len ||
		    !strings[s->st_name] || at < where->start ||
		    at >= where->limit)
			continue;
		struct elf_symbol new = {
			.start = s->st_value,
			.limit = where->limit - where->bias,
			.name = strings_intern(&t->pool, strings + s->st_name),
			.rank = elf_symbols_rank(
				type, ELF64_ST_BIND(s->st_info), s->st_size,
				strings + s->st_name),
		};
		if (s->st_size && s->st_size < new.limit - new.start)
			new.limit = new.start + s->st_size;
		if (!new.name || elf_symbols_add(t, &new))
			return ERR_NOMEM;
	}
	return 0;
}

int elf_symbols_add_loaded(struct elf_symbols *t,
			   const struct elf_loaded *where)
{
	struct tables at;
	if (!where->dynamic || !find_tables(where->dynamic, where->bias, &at))
		return ERR_NOTFOUND;
	const size_t n = count_symbols(&at);
	ElfW(Sym) *symbols = n ? copy(at.symbols, n * sizeof(*symbols)) : NULL;
	char *strings = n ? copy(at.strings, at.strings_len) : NULL;
	int rc = ERR_NOTFOUND;
	if (symbols && strings) {
		strings[at.strings_len - 1] = '\0';
		rc = add_symbols(t, symbols, n, strings, at.strings_len, where);
	}
	free(symbols);
	free(strings);
	return rc;
}
