/*
 * check_unwind_cfi.c - the rules that unwind_cfi.c reads, against elfutils'
 * reader: every row of the .eh_frame of every object that is loaded here,
 * libc, the dynamic linker and libstdc++ among them; and that real walks are
 * made by rules alone.
 */
#include "pprof/unwind.h"
#include "pprof/unwind_cfi.h"
#include "pprof/unwind_rules.h"
#include "tests/testing.h"

#include "base/attr.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { REG_FP = 6, REG_SP = 7, REG_RA = 16 };

/* ---- every row of every object ---------------------------------------------
 */

struct tally {
	long rows, simple, last, wrong;
	char first_wrong[512];
};

/* Where the oracle says a register is: CFA + *ret_offset. */
enum where { SAME, UNDEFINED, SAVED, HARD };

/* The stack pointer outside is the CFA, unless it is told otherwise. */
static bool oracle_sp_is_cfa(Dwarf_Frame *frame)
{
	Dwarf_Op memory[3], *ops;
	size_t n;
	return dwarf_frame_register(frame, REG_SP, memory, &ops, &n) == 0 &&
	       n == 2 && ops[0].atom == DW_OP_call_frame_cfa &&
	       ops[1].atom == DW_OP_stack_value;
}

static enum where oracle_register(Dwarf_Frame *frame, int reg,
				  int64_t *ret_offset)
{
	Dwarf_Op memory[3], *ops;
	size_t n;
	if (dwarf_frame_register(frame, reg, memory, &ops, &n) != 0)
		return HARD;
	if (n == 0)
		return ops ? UNDEFINED : SAME;
	*ret_offset = n == 2 ? (int64_t)ops[1].number : 0;
	return (n == 1 && ops[0].atom == DW_OP_call_frame_cfa) ||
			       (n == 2 && ops[0].atom == DW_OP_call_frame_cfa &&
				ops[1].atom == DW_OP_plus_uconst)
		       ? SAVED
		       : HARD;
}

/* The oracle's opinion as a rule.  Returns: it is a simple one. */
static bool oracle_rule(Dwarf_Frame *frame, bool is_signal,
			struct unwind_rule *ret)
{
	Dwarf_Op *ops;
	size_t n;
	int64_t ra = 0, fp = 0;
	*ret = (struct unwind_rule){ .last = false };
	if (is_signal)
		return false;
	const enum where ra_where = oracle_register(frame, REG_RA, &ra);
	if (ra_where == UNDEFINED) {
		ret->last = true;
		return true;
	}
	if (ra_where != SAVED || ra != -8 || !oracle_sp_is_cfa(frame) ||
	    dwarf_frame_cfa(frame, &ops, &n) != 0 || n != 1 ||
	    ops[0].atom != DW_OP_bregx ||
	    (ops[0].number != REG_SP && ops[0].number != REG_FP))
		return false;
	const int64_t cfa = (int64_t)ops[0].number2;
	ret->from_fp = ops[0].number == REG_FP;
	ret->cfa = (uint32_t)cfa;
	const enum where fp_where = oracle_register(frame, REG_FP, &fp);
	if (fp_where == SAVED)
		ret->fp = (uint32_t)-fp;
	return fp_where != HARD && cfa >= 8 && cfa % 8 == 0 && fp % 8 == 0 &&
	       fp <= 0;
}

static void compare(struct tally *t, const char *object, uintptr_t base,
		    uint64_t addr, bool simple, const struct unwind_rule *want)
{
	struct unwind_rule got = { .last = false };
	const bool is = unwind_cfi_rule(base + addr, &got);
	t->rows++;
	t->simple += simple;
	t->last += simple && want->last;
	if (is == simple &&
	    (!is ||
	     (got.last == want->last &&
	      (got.last || (got.from_fp == want->from_fp &&
			    got.cfa == want->cfa && got.fp == want->fp)))))
		return;
	if (t->wrong++ == 0)
		snprintf(t->first_wrong, sizeof(t->first_wrong),
			 "%s+%#lx: simple %d, last %d, fp %d, cfa %u, fp %u; "
			 "elfutils: %d, %d, %d, %u, %u",
			 object, (unsigned long)addr, is, got.last, got.from_fp,
			 got.cfa, got.fp, simple, want->last, want->from_fp,
			 want->cfa, want->fp);
}

static void compare_range(struct tally *t, const char *object, Dwarf_CFI *cfi,
			  uintptr_t base, uint64_t at, uint64_t end)
{
	while (at < end) {
		Dwarf_Frame *frame;
		if (dwarf_cfi_addrframe(cfi, at, &frame) != 0) {
			struct unwind_rule none;
			/* Between functions. */
			if (at % 16 == 0 && unwind_cfi_rule(base + at, &none))
				t->wrong++;
			at++;
			continue;
		}
		Dwarf_Addr first = at, next = at + 1;
		bool is_signal = false;
		struct unwind_rule want;
		dwarf_frame_info(frame, &first, &next, &is_signal);
		const bool simple = oracle_rule(frame, is_signal, &want);
		compare(t, object, base, at, simple, &want);
		if (next - 1 > at)
			compare(t, object, base, next - 1, simple, &want);
		free(frame);
		at = next > at ? next : at + 1;
	}
}

static int compare_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	const char *path =
		info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0; /* the vdso has no file */
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	Dwarf_CFI *cfi = elf ? dwarf_getcfi_elf(elf) : NULL;
	for (int i = 0; cfi && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
			compare_range(arg, path, cfi, info->dlpi_addr,
				      p->p_vaddr, p->p_vaddr + p->p_memsz);
	}
	if (cfi)
		dwarf_cfi_end(cfi);
	elf_end(elf);
	close(fd);
	return 0;
}

START_TEST(rows_are_as_elfutils_reads_them)
{
	struct tally t = { 0 };
	elf_version(EV_CURRENT);
	/* C++, with its cleanups and cold parts. */
	ck_assert_ptr_nonnull(dlopen("libstdc++.so.6", RTLD_NOW));
	dl_iterate_phdr(compare_object, &t);
	ck_assert_msg(t.wrong == 0, "%ld of %ld differ, first %s", t.wrong,
		      t.rows, t.first_wrong);
	ck_assert_int_ge(t.rows, 50000);
	ck_assert_int_ge(t.last, 1); /* _start */
	/* The linker's stubs and signal frames are few. */
	ck_assert_msg(t.simple > t.rows - t.rows / 100, "%ld of %ld are simple",
		      t.simple, t.rows);
	ck_assert_int_lt(t.simple, t.rows);
}
END_TEST

/* ---- walks -----------------------------------------------------------------
 */

enum { MAX = UNWIND_DEPTH_MAX };

struct shot {
	int depth;
	bool more;
	uintptr_t pcs[MAX];
	struct unwound oracle;
	uintptr_t oracle_pcs[MAX];
};

static struct shot shot;

ON_STACK static void shoot(void)
{
	shot.oracle = unwind_from_here(UNWIND_LIBGCC, 0, shot.oracle_pcs, MAX);
	const struct unwind_cut cut = {
		.start = (uintptr_t)__builtin_return_address(0),
		.keep_start = true,
		.pcs = shot.pcs,
		.max = MAX
	};
	shot.depth = unwind_rules_walk_here(&cut, &shot.more);
	__asm__ __volatile__("");
}

/* A frame whose size the compiler does not know: by the frame pointer. */
ON_STACK static void with_room(size_t n)
{
	volatile char *room = __builtin_alloca(n);
	room[0] = 1;
	shoot();
	__asm__ __volatile__("");
}

static int compare_and_shoot(const void *a, const void *b)
{
	with_room(100);
	return *(const char *)a - *(const char *)b;
}

/* Through libc's code, which keeps no frame pointers. */
ON_STACK static void through_qsort(void)
{
	char two[] = { 2, 1 };
	qsort(two, 2, 1, compare_and_shoot);
	__asm__ __volatile__("");
}

ON_STACK static void recurse(int n)
{
	if (n > 0)
		recurse(n - 1);
	else
		shoot();
	__asm__ __volatile__("");
}

static void deep(void)
{
	recurse(50);
}

static void deeper_than_max(void)
{
	recurse(300);
}

static void rooms(void)
{
	/* The same pcs, other frames: a rule says how, not where. */
	with_room(16);
	with_room(4000);
}

static const struct {
	const char *name;
	void (*fn)(void);
} walks[] = {
	{ "deep", deep },
	{ "deeper than max", deeper_than_max },
	{ "alloca", rooms },
	{ "through libc", through_qsort },
};

static void judge_walk(const char *name)
{
	ck_assert_msg(shot.depth > 0, "%s: not by rules (%d)", name,
		      shot.depth);
	ck_assert_msg((size_t)shot.depth == shot.oracle.depth &&
			      shot.more == shot.oracle.truncated,
		      "%s: %d frames, libgcc %zu", name, shot.depth,
		      shot.oracle.depth);
	ck_assert_msg(memcmp(shot.pcs, shot.oracle_pcs,
			     (size_t)shot.depth * sizeof(*shot.pcs)) == 0,
		      "%s: another stack", name);
}

static void *in_thread(void *arg)
{
	(void)arg;
	deep();
	return NULL;
}

START_TEST(walks_are_made_by_rules)
{
	unwind_init();
	for (int round = 0; round < 3; round++) {
		memset(&shot, 0, sizeof(shot));
		walks[_i].fn();
		judge_walk(walks[_i].name);
		if (round == 1)
			unwind_rules_forget();
	}
}
END_TEST

START_TEST(threads_are_walked_to_their_end)
{
	unwind_init();
	memset(&shot, 0, sizeof(shot));
	pthread_t t;
	ck_assert_int_eq(pthread_create(&t, NULL, in_thread, NULL), 0);
	pthread_join(t, NULL);
	judge_walk("thread");
}
END_TEST

/* ---- a rule that is not true any more --------------------------------------
 */

/*
 * A place where a rule was kept, and where no code is any more: after
 * unwind_rules_forget the old one is not used.
 */
START_TEST(what_is_forgotten_is_asked_again)
{
	void *lib = dlopen("libresolv.so.2", RTLD_NOW);
	ck_assert_ptr_nonnull(lib);
	const uintptr_t fn = (uintptr_t)dlsym(lib, "ns_get16");
	ck_assert(fn != 0);
	uintptr_t words[4] = { (uintptr_t)shoot + 1, 0 }, pcs[2];
	const struct unwind_cut cut = {
		.start = fn, .keep_start = true, .pcs = pcs, .max = 2
	};
	bool more;
	/* At its first byte the return address is on top. */
	const uintptr_t sp = (uintptr_t)words;
	ck_assert_int_eq(unwind_rules_walk(fn, sp, 0, &cut, &more), 2);
	dlclose(lib);
	ck_assert_ptr_null(dlopen("libresolv.so.2", RTLD_NOW | RTLD_NOLOAD));
	unwind_rules_forget();
	/* Nothing is there: the pc alone. */
	ck_assert_int_eq(unwind_rules_walk(fn, sp, 0, &cut, &more), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unwind_cfi");
	TCase *tc = tcase_create("unwind_cfi");
	tcase_add_test(tc, rows_are_as_elfutils_reads_them);
	testing_add_table(tc, walks_are_made_by_rules, walks);
	tcase_add_test(tc, threads_are_walked_to_their_end);
	tcase_add_test(tc, what_is_forgotten_is_asked_again);
	suite_add_tcase(suite, tc);
	return testing_run(suite);
}
