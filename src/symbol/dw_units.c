/* dw_units.c - see dw_units.h. */
#include "symbol/dw_units.h"

#include "base/err.h"
#include "symbol/elf_file.h"

#include <dwarf.h>
#include <stdlib.h>

enum {
	UNITS_MAX = 1 << 20,
	UNIT_RANGES_MAX = 1 << 22,
	/* How far back to look for a range that spans later ones. */
	WALK_MAX = 64,
	HEADROOM_BYTES = 4 << 20,
};

static int read_text(struct dw_units *u, const struct elf_file *f)
{
	size_t n = 0;
	if (elf_getshdrnum(f->elf, &n) || !n)
		return 0;
	u->text = calloc(n, sizeof(*u->text));
	if (!u->text)
		return ERR_NOMEM;
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(f->elf, scn)) != NULL) {
		GElf_Shdr s;
		if (gelf_getshdr(scn, &s) && (s.sh_flags & SHF_EXECINSTR) &&
		    s.sh_size && u->n_text < n)
			u->text[u->n_text++] =
				(struct dw_text){ s.sh_addr,
						  s.sh_addr + s.sh_size };
	}
	return 0;
}

/*
 * Functions that the linker dropped keep their entries, with addresses from 0
 * on: they must not be taken for what really lies there.
 */
static bool is_text(const struct dw_units *u, uint64_t addr)
{
	for (size_t i = 0; i < u->n_text; i++)
		if (addr >= u->text[i].start && addr < u->text[i].limit)
			return true;
	return false;
}

static int add_range(struct dw_units *u, uint64_t start, uint64_t limit,
		     uint32_t unit)
{
	if (start >= limit || !is_text(u, start) ||
	    u->n_ranges >= UNIT_RANGES_MAX)
		return 0;
	if (u->n_ranges == u->ranges_size) {
		const size_t size = u->ranges_size ? u->ranges_size * 2 : 64;
		void *p = realloc(u->ranges, size * sizeof(*u->ranges));
		if (!p)
			return ERR_NOMEM;
		u->ranges = p;
		u->ranges_size = size;
	}
	u->ranges[u->n_ranges++] = (struct dw_range){ .start = start,
						      .limit = limit,
						      .unit = unit };
	return 0;
}

static int add_ranges(struct dw_units *u, Dwarf_Die *die, uint32_t unit)
{
	Dwarf_Addr base, start, limit;
	ptrdiff_t at = 0;
	while ((at = dwarf_ranges(die, at, &base, &start, &limit)) > 0)
		if (add_range(u, start, limit, unit))
			return ERR_NOMEM;
	return 0;
}

static int add_unit(struct dw_units *u, Dwarf_Die *die, Dwarf_Die *code)
{
	if (u->n_units == u->units_size) {
		const size_t size = u->units_size ? u->units_size * 2 : 32;
		void *p = realloc(u->units, size * sizeof(*u->units));
		if (!p)
			return ERR_NOMEM;
		u->units = p;
		u->units_size = size;
	}
	const size_t before = u->n_ranges;
	const uint32_t index = (uint32_t)u->n_units;
	int rc = add_ranges(u, die, index);
	if (!rc && u->n_ranges == before && code->addr != die->addr)
		rc = add_ranges(u, code, index);
	if (rc)
		return rc;
	u->units[u->n_units++] = (struct dw_unit){ .die = *die, .code = *code };
	return 0;
}

/* For a unit that does not say where its code is, .debug_aranges may. */
static int add_aranges(struct dw_units *u, const bool *silent)
{
	Dwarf_Aranges *table;
	size_t n;
	if (dwarf_getaranges(u->dwarf, &table, &n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Addr start;
		Dwarf_Word len;
		Dwarf_Off off;
		Dwarf_Die die, unit_die;
		if (dwarf_getarangeinfo(dwarf_onearange(table, i), &start, &len,
					&off) ||
		    !dwarf_offdie(u->dwarf, off, &die) ||
		    !dwarf_diecu(&die, &unit_die, NULL, NULL))
			continue;
		for (size_t k = 0; k < u->n_units; k++)
			if (silent[k] &&
			    u->units[k].die.addr == unit_die.addr &&
			    add_range(u, start, start + len, (uint32_t)k))
				return ERR_NOMEM;
	}
	return 0;
}

static int find_silent(struct dw_units *u)
{
	bool *silent = malloc(u->n_units + 1);
	if (!silent)
		return ERR_NOMEM;
	bool any = false;
	for (size_t i = 0; i < u->n_units; i++)
		silent[i] = true;
	for (size_t i = 0; i < u->n_ranges; i++)
		silent[u->ranges[i].unit] = false;
	for (size_t i = 0; i < u->n_units; i++) {
		/* With a line table but no address: worth a look. */
		silent[i] = silent[i] &&
			    dwarf_hasattr(&u->units[i].die, DW_AT_stmt_list) &&
			    !dwarf_hasattr(&u->units[i].die, DW_AT_low_pc) &&
			    !dwarf_hasattr(&u->units[i].die, DW_AT_ranges);
		any |= silent[i];
	}
	const int rc = any ? add_aranges(u, silent) : 0;
	free(silent);
	return rc;
}

static int read_units(struct dw_units *u)
{
	Dwarf_CU *cu = NULL;
	uint8_t type;
	Dwarf_Die die, split;
	while (u->n_units < UNITS_MAX &&
	       dwarf_get_units(u->dwarf, cu, &cu, NULL, &type, &die, &split) ==
		       0) {
		/* Types have no code; partial units lend out names only. */
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		if (dwarf_tag(&die) == DW_TAG_partial_unit)
			continue;
		const bool is_split = type == DW_UT_skeleton && split.addr;
		const int rc = add_unit(u, &die, is_split ? &split : &die);
		if (rc)
			return rc;
	}
	return find_silent(u);
}

static int compare(const void *a, const void *b)
{
	const struct dw_range *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/* The smaller one last, so that it is found first. */
	if (x->limit != y->limit)
		return x->limit > y->limit ? -1 : 1;
	return x->unit < y->unit ? -1 : x->unit > y->unit;
}

int dw_units_open(const struct elf_file *f, const struct elf_file *alt,
		  Dwarf_OOM on_oom, struct strings *pool, struct dw_units *u)
{
	*u = (struct dw_units){ .pool = pool };
	if (!dw_has_headroom())
		return ERR_NOMEM;
	int rc = ERR_NOTFOUND;
	u->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	if (!u->dwarf)
		goto out;
	dwarf_new_oom_handler(u->dwarf, on_oom);
	if (alt) {
		u->alt = dwarf_begin_elf(alt->elf, DWARF_C_READ, NULL);
		if (u->alt) {
			dwarf_new_oom_handler(u->alt, on_oom);
			dwarf_setalt(u->dwarf, u->alt);
		}
	}
	rc = read_text(u, f);
	if (!rc)
		rc = read_units(u);
	if (!rc && !u->n_units)
		rc = ERR_NOTFOUND;
	if (rc)
		goto out;
	if (u->n_ranges)
		qsort(u->ranges, u->n_ranges, sizeof(*u->ranges), compare);
	uint64_t reach = 0;
	for (size_t i = 0; i < u->n_ranges; i++) {
		if (u->ranges[i].limit > reach)
			reach = u->ranges[i].limit;
		u->ranges[i].reach = reach;
	}
	return 0;
out:
	dw_units_close(u);
	return rc;
}

void dw_units_close(struct dw_units *u)
{
	for (size_t i = 0; i < u->n_units; i++) {
		dw_scopes_free(&u->units[i].scopes);
		dw_lines_free(&u->units[i].lines);
	}
	free(u->units);
	free(u->ranges);
	free(u->text);
	if (u->dwarf)
		dwarf_end(u->dwarf);
	if (u->alt)
		dwarf_end(u->alt);
	*u = (struct dw_units){ 0 };
}

bool dw_has_headroom(void)
{
	void *room = malloc(HEADROOM_BYTES);
	free(room);
	return room != NULL;
}

static struct dw_unit *prepare(struct dw_unit *unit)
{
	if ((!unit->has_scopes || !unit->has_lines) && !dw_has_headroom())
		return NULL;
	if (!unit->has_scopes) {
		if (dw_scopes_build(&unit->code, &unit->scopes))
			return NULL;
		unit->has_scopes = true;
	}
	if (!unit->has_lines) {
		if (dw_lines_build(&unit->die, &unit->lines))
			return NULL;
		unit->has_lines = true;
	}
	return unit;
}

struct dw_unit *dw_units_find(struct dw_units *u, uint64_t addr)
{
	size_t low = 0, high = u->n_ranges;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (u->ranges[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	for (int walk = 0; low > 0 && walk < WALK_MAX; walk++) {
		const struct dw_range *r = &u->ranges[--low];
		if (addr < r->limit)
			return prepare(&u->units[r->unit]);
		if (addr >= r->reach)
			break;
	}
	return NULL;
}
