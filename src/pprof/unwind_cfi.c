/*
 * unwind_cfi.c - one .eh_frame entry, executed up to a pc.  libgcc finds the
 * entry (by _dl_find_object, which takes no lock) and does the same on every
 * frame of every stack; here it is done once for each pc (unwind_rules.c).
 *
 * Only the stack pointer, the frame pointer and the return address are
 * followed.  Whatever cannot be said of them in a struct unwind_rule is given
 * up, and libgcc asked instead.
 */
#include "pprof/unwind_cfi.h"

#include "config.h"

#include "pprof/cfi_entry.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#ifndef __x86_64__
#error "the numbers of registers below are this processor's"
#endif

/* Declared by hand, and hidden: unwind_gcc.c says why. */
struct dwarf_eh_bases {
	void *text, *data, *function;
};
__attribute__((visibility("hidden"))) const void *
_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *ret_bases);

enum { REG_FP = 6, REG_SP = 7, REG_RA = 16, WORD = 8 };

enum { REMEMBER_MAX = 8 };

/* Where a register is: as it was, at CFA + offset, nowhere, or hard to say. */
enum place { SAME, SAVED, UNDEFINED, HARD };

struct row {
	uint64_t cfa_reg;
	int64_t cfa_offset;
	bool cfa_hard, sp_told;
	struct {
		enum place place;
		int64_t offset;
	} fp, ra;
};

static void set_place(struct row *row, uint64_t reg, enum place place,
		      int64_t offset)
{
	if (reg == REG_FP) {
		row->fp.place = place;
		row->fp.offset = offset;
	} else if (reg == REG_RA) {
		row->ra.place = place;
		row->ra.offset = offset;
	} else if (reg == REG_SP) {
		row->sp_told = true; /* the caller's is not the CFA */
	}
}

static void set_initial(struct row *row, uint64_t reg, const struct row *first)
{
	if (reg == REG_FP)
		row->fp = first->fp;
	else if (reg == REG_RA)
		row->ra = first->ra;
	else if (reg == REG_SP)
		row->sp_told = first->sp_told;
}

static void set_cfa(struct row *row, uint64_t reg, int64_t offset)
{
	row->cfa_reg = reg;
	row->cfa_offset = offset;
	row->cfa_hard = false;
}

/* An instruction that says where a register is.  Returns: false: it is none. */
static bool run_place(uint8_t op, struct cfi_cursor *c,
		      const struct cfi_cie *cie, const struct row *first,
		      struct row *row)
{
	uint64_t reg;
	switch (op) {
	case 0x05: /* offset_extended */
		reg = cfi_get_uleb(c);
		set_place(row, reg, SAVED,
			  (int64_t)cfi_get_uleb(c) * cie->data_align);
		return true;
	case 0x11: /* offset_extended_sf */
		reg = cfi_get_uleb(c);
		set_place(row, reg, SAVED, cfi_get_sleb(c) * cie->data_align);
		return true;
	case 0x06: /* restore_extended */
		set_initial(row, cfi_get_uleb(c), first);
		return true;
	case 0x07: /* undefined */
		set_place(row, cfi_get_uleb(c), UNDEFINED, 0);
		return true;
	case 0x08: /* same_value */
		set_place(row, cfi_get_uleb(c), SAME, 0);
		return true;
	case 0x09: /* register */
	case 0x14: /* val_offset */
		set_place(row, cfi_get_uleb(c), HARD, 0);
		cfi_get_uleb(c);
		return true;
	case 0x15: /* val_offset_sf */
		set_place(row, cfi_get_uleb(c), HARD, 0);
		cfi_get_sleb(c);
		return true;
	case 0x10: /* expression */
	case 0x16: /* val_expression */
		set_place(row, cfi_get_uleb(c), HARD, 0);
		cfi_skip(c, cfi_get_uleb(c));
		return true;
	default:
		return false;
	}
}

/* One that says where the CFA is. */
static bool run_cfa(uint8_t op, struct cfi_cursor *c, const struct cfi_cie *cie,
		    struct row *row)
{
	uint64_t reg;
	switch (op) {
	case 0x0c: /* def_cfa */
		reg = cfi_get_uleb(c);
		set_cfa(row, reg, (int64_t)cfi_get_uleb(c));
		return true;
	case 0x12: /* def_cfa_sf */
		reg = cfi_get_uleb(c);
		set_cfa(row, reg, cfi_get_sleb(c) * cie->data_align);
		return true;
	case 0x0d: /* def_cfa_register */
		row->cfa_reg = cfi_get_uleb(c);
		return true;
	case 0x0e: /* def_cfa_offset */
		row->cfa_offset = (int64_t)cfi_get_uleb(c);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		row->cfa_offset = cfi_get_sleb(c) * cie->data_align;
		return true;
	case 0x0f: /* def_cfa_expression */
		row->cfa_hard = true;
		cfi_skip(c, cfi_get_uleb(c));
		return true;
	default:
		return false;
	}
}

/* How far an instruction moves the location, or -1: it is another. */
static int64_t run_advance(uint8_t op, struct cfi_cursor *c,
			   const struct cfi_cie *cie)
{
	switch (op) {
	case 0x02: /* advance_loc1 */
	case 0x03: /* advance_loc2 */
	case 0x04: /* advance_loc4 */
		return (int64_t)(cfi_get_bytes(c, (size_t)1 << (op - 2)) *
				 cie->code_align);
	default:
		return -1;
	}
}

struct memory {
	struct row rows[REMEMBER_MAX];
	size_t n;
};

/* remember_state and restore_state; and those that change nothing here. */
static bool run_other(uint8_t op, struct cfi_cursor *c, struct memory *m,
		      struct row *row)
{
	switch (op) {
	case 0x00: /* nop */
		return true;
	case 0x0a:
		if (m->n == REMEMBER_MAX)
			return false;
		m->rows[m->n++] = *row;
		return true;
	case 0x0b:
		if (m->n == 0)
			return false;
		*row = m->rows[--m->n];
		return true;
	case 0x2e: /* GNU_args_size */
		cfi_get_uleb(c);
		return true;
	default:
		return false;
	}
}

/*
 * Run a program from function on until its location has passed pc.  Returns:
 * false for what is not understood.
 */
static bool run(struct cfi_cursor c, const struct cfi_cie *cie,
		uintptr_t function, uintptr_t pc, const struct row *first,
		struct row *row)
{
	struct memory memory = { .n = 0 };
	uintptr_t at = function;
	while (c.at < c.end && at <= pc) {
		const uint8_t op = *c.at++;
		const uint8_t low = op & 0x3f;
		int64_t step;
		switch (op >> 6) {
		case 1: /* advance_loc */
			at += low * cie->code_align;
			continue;
		case 2: /* offset */
			set_place(row, low, SAVED,
				  (int64_t)cfi_get_uleb(&c) * cie->data_align);
			continue;
		case 3: /* restore */
			set_initial(row, low, first);
			continue;
		default:
			break;
		}
		if ((step = run_advance(op, &c, cie)) >= 0)
			at += (uintptr_t)step;
		else if (!run_place(op, &c, cie, first, row) &&
			 !run_cfa(op, &c, cie, row) &&
			 !run_other(op, &c, &memory, row))
			return false;
	}
	return true;
}

static bool rule_of(const struct row *row, struct unwind_rule *ret)
{
	*ret = (struct unwind_rule){ .last = row->ra.place == UNDEFINED };
	if (ret->last)
		return true;
	if (row->cfa_hard || row->sp_told || row->ra.place != SAVED ||
	    row->ra.offset != -WORD)
		return false;
	if ((row->cfa_reg != REG_SP && row->cfa_reg != REG_FP) ||
	    row->cfa_offset < WORD || row->cfa_offset > INT32_MAX ||
	    row->cfa_offset % WORD != 0)
		return false;
	ret->from_fp = row->cfa_reg == REG_FP;
	ret->cfa = (uint32_t)row->cfa_offset;
	if (row->fp.place == SAVED) {
		const int64_t below = -row->fp.offset;
		if (below < WORD || below > INT32_MAX || below % WORD != 0)
			return false;
		ret->fp = (uint32_t)below;
	}
	/* Undefined: nobody will ask for it. */
	return row->fp.place != HARD;
}

bool unwind_cfi_known(uintptr_t pc)
{
	struct dwarf_eh_bases bases;
	return _Unwind_Find_FDE((void *)pc, &bases) != NULL;
}

bool unwind_cfi_stays(uintptr_t pc)
{
#if HAVE__DL_FIND_OBJECT
	struct dl_find_object found;
	return _dl_find_object((void *)pc, &found) == 0 &&
	       !strstr(found.dlfo_link_map->l_name, "/gconv/");
#else
	(void)pc;
	return true;
#endif
}

bool unwind_cfi_rule(uintptr_t pc, struct unwind_rule *ret)
{
	struct dwarf_eh_bases bases;
	const uint8_t *fde = _Unwind_Find_FDE((void *)pc, &bases);
	struct cfi_cursor c;
	if (!fde || !cfi_open_entry(fde, &c))
		return false;
	const uint8_t *id = c.at;
	struct cfi_cie cie;
	/* The distance to the CIE, back from where it stands. */
	if (!cfi_read_cie(id - (int32_t)cfi_get_bytes(&c, 4), &cie) ||
	    cie.is_signal || cie.ra_column != REG_RA ||
	    !cfi_skip_pointer(&c, cie.pointer) ||
	    !cfi_skip_pointer(&c, cie.pointer & 0x0f))
		return false;
	if (cie.augmented)
		cfi_skip(&c, cfi_get_uleb(&c));

	struct row first = { .cfa_hard = true };
	if (!run(cie.program, &cie, 0, 0, &first, &first))
		return false;
	struct row row = first;
	return run(c, &cie, (uintptr_t)bases.function, pc, &first, &row) &&
	       rule_of(&row, ret);
}
