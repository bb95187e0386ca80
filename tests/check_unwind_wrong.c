/*
 * check_unwind_wrong.c - the walk by rules where the .eh_frame entry is wrong,
 * as that of some assembly is, or where its code has gone: it ends, and faults
 * nowhere.  Each trap is hit by the interrupted code itself.
 */
#include "pprof/unwind.h"
#include "pprof/unwind_cfi.h"
#include "pprof/unwind_rules.h"
#include "tests/testing.h"

#include "base/attr.h"

#include <dlfcn.h>
#include <iconv.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX = UNWIND_DEPTH_MAX };

/* Pushes its argument, and does not tell. */
void trap_pushed(uintptr_t value);
/* Has its frame pointer changed, as behind an epilogue that is not told. */
void trap_fp(uintptr_t value);
/* On another stack, which is told. */
void trap_on_stack(uintptr_t top);
/* Its caller's stack pointer is not the CFA. */
extern const char trap_sp_told[];

/* clang-format off */
__asm__(".text\n"
	".type trap_pushed, @function\n"
	"trap_pushed:\n"
	"	.cfi_startproc\n"
	"	pushq %rdi\n"
	"	int3\n"
	"	popq %rdi\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size trap_pushed, .-trap_pushed\n"
	".type trap_fp, @function\n"
	"trap_fp:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset 6, -16\n"
	"	movq %rsp, %rbp\n"
	"	.cfi_def_cfa_register 6\n"
	"	movq %rdi, %rbp\n"
	"	int3\n"
	"	popq %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size trap_fp, .-trap_fp\n"
	".type trap_on_stack, @function\n"
	"trap_on_stack:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset 6, -16\n"
	"	movq %rsp, %rbp\n"
	"	.cfi_def_cfa_register 6\n"
	"	movq %rdi, %rsp\n"
	"	int3\n"
	"	movq %rbp, %rsp\n"
	"	popq %rbp\n"
	"	.cfi_def_cfa 7, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size trap_on_stack, .-trap_on_stack\n"
	".type trap_sp_told, @function\n"
	"trap_sp_told:\n"
	"	.cfi_startproc\n"
	"	.cfi_offset 7, -24\n"
	"	nop\n"
	"	.cfi_restore 7\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size trap_sp_told, .-trap_sp_told\n");
/* clang-format on */

/* By each of the two; where rules know no more, libgcc walks. */
static const enum unwind_engine engines[] = { UNWIND_RULES, UNWIND_LIBGCC };
static struct shot {
	struct unwound u;
	uintptr_t pcs[MAX];
} shots[ARRAY_SIZE(engines)];

static void on_trap(int signo, siginfo_t *si, void *uc)
{
	(void)signo;
	(void)si;
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		shots[i].u =
			unwind_from_signal(engines[i], uc, shots[i].pcs, MAX);
}

static void set_up(void)
{
	const struct sigaction action = { .sa_sigaction = on_trap,
					  .sa_flags = SA_SIGINFO };
	unwind_init();
	unwind_rules_enable();
	ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
}

/* Pages that are there, and are not any more. */
static uintptr_t unmapped(void)
{
	const size_t size = 4 * (size_t)sysconf(_SC_PAGESIZE);
	void *p =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(p != MAP_FAILED);
	munmap(p, size);
	return (uintptr_t)p + size / 2;
}

static const struct {
	const char *name;
	void (*trap)(uintptr_t);
	uintptr_t value; /* 0: unmapped */
} wrongs[] = {
	{ "a return address that is a small number", trap_pushed, 17 },
	{ "one where nothing is", trap_pushed, 0 },
	{ "one that is no address", trap_pushed, 0xdeadbeefdeadbeef },
	{ "one of the kernel's", trap_pushed, 0xffffffffff600400 },
	{ "a frame pointer that is a small number", trap_fp, 16 },
	{ "one that is a small odd number", trap_fp, 5 },
	{ "one where nothing is", trap_fp, 0 },
	{ "one above the stack", trap_fp, 0x7ffffffff000 - 8 },
	{ "one that is no address", trap_fp, 0x5eadbeefdeadbee8 },
	{ "one that wraps round", trap_fp, (uintptr_t)-8 },
};

START_TEST(a_wrong_entry_ends_the_walk)
{
	const uintptr_t fn = (uintptr_t)wrongs[_i].trap;
	memset(shots, 0, sizeof(shots));
	wrongs[_i].trap(wrongs[_i].value ? wrongs[_i].value : unmapped());
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		const struct shot *s = &shots[i];
		ck_assert_msg(s->u.depth == 1 && !s->u.truncated,
			      "%s, by %s: %zu frames", wrongs[_i].name,
			      unwind_engine_name(engines[i]), s->u.depth);
		ck_assert_msg(s->pcs[0] > fn && s->pcs[0] < fn + 32,
			      "%s: the first is %#lx", wrongs[_i].name,
			      s->pcs[0]);
	}
}
END_TEST

/* Rules stop at the inner signal's frame, and libgcc comes to the wrong entry
 * from there. */
static void raise_another(int signo)
{
	(void)signo;
	raise(SIGUSR1);
}

START_TEST(a_wrong_entry_under_a_handler)
{
	struct sigaction trap;
	ck_assert_int_eq(sigaction(SIGTRAP, NULL, &trap), 0);
	ck_assert(signal(SIGTRAP, raise_another) != SIG_ERR);
	ck_assert_int_eq(sigaction(SIGUSR1, &trap, NULL), 0);
	wrongs[_i].trap(wrongs[_i].value ? wrongs[_i].value : unmapped());
	ck_assert_uint_gt(shots[0].u.depth, 3);
	ck_assert_uint_eq(shots[0].u.depth, shots[1].u.depth);
}
END_TEST

/* Below the thread's own, in the middle of which nothing is. */
static char low_stack[16384] __attribute__((aligned(16)));

START_TEST(a_change_of_stack_is_followed)
{
	trap_on_stack((uintptr_t)low_stack + sizeof(low_stack));
	const struct shot *s = &shots[0], *oracle = &shots[1];
	ck_assert_uint_gt(s->u.depth, 3);
	ck_assert_uint_eq(s->u.depth, oracle->u.depth);
	ck_assert_int_eq(
		memcmp(s->pcs, oracle->pcs, s->u.depth * sizeof(*s->pcs)), 0);
}
END_TEST

START_TEST(a_stack_pointer_that_is_told_is_no_simple_rule)
{
	struct unwind_rule rule;
	const uintptr_t pc = (uintptr_t)trap_sp_told;
	ck_assert(!unwind_cfi_rule(pc, &rule));
	ck_assert(unwind_cfi_rule(pc + 1, &rule));
}
END_TEST

/* ---- what goes ------------------------------------------------------------
 */

static int find_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/gconv/"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_flags & PF_X)
			*(uintptr_t *)arg =
				info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
	return 1;
}

/* glibc 2.36 puts a module where it has unloaded another, and calls nothing of
 * ours. */
START_TEST(what_goes_untold_is_not_kept)
{
	ck_assert(unwind_cfi_stays((uintptr_t)set_up));
	ck_assert(unwind_cfi_stays((uintptr_t)dlsym(RTLD_DEFAULT, "qsort")));
	ck_assert(!unwind_cfi_stays(unmapped()));
	iconv_t c = iconv_open("UTF-8", "ISO-8859-7");
	if (c == (iconv_t)-1)
		return; /* a system without iconv's modules */
	uintptr_t module = 0;
	dl_iterate_phdr(find_module, &module);
	ck_assert(module != 0);
	ck_assert(!unwind_cfi_stays(module));
	iconv_close(c);
}
END_TEST

START_TEST(while_objects_go_no_rule_is_used)
{
	void *lib = dlopen("libresolv.so.2", RTLD_NOW);
	ck_assert_ptr_nonnull(lib);
	const uintptr_t fn = (uintptr_t)dlsym(lib, "ns_get16");
	const uintptr_t other = (uintptr_t)set_up + 1;
	uintptr_t words[4] = { other, 0 }, pcs[2];
	const struct unwind_cut cut = {
		.start = fn, .keep_start = true, .pcs = pcs, .max = 2
	};
	bool more;
	const uintptr_t sp = (uintptr_t)words;
	ck_assert_int_eq(unwind_rules_walk(fn, sp, 0, &cut, &more), 2);
	dlclose(lib);
	/* Nobody has told: it is still known, though nothing is there. */
	ck_assert_int_eq(unwind_rules_walk(fn, sp, 0, &cut, &more), 2);
	unwind_rules_pause(true);
	ck_assert_int_eq(unwind_rules_walk(fn, sp, 0, &cut, &more), 1);
	unwind_rules_forget();
	unwind_rules_pause(false);
	ck_assert_int_eq(unwind_rules_walk(fn, sp, 0, &cut, &more), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unwind_wrong");
	TCase *tc = tcase_create("unwind_wrong");
	tcase_add_checked_fixture(tc, set_up, NULL);
	testing_add_table(tc, a_wrong_entry_ends_the_walk, wrongs);
	testing_add_table(tc, a_wrong_entry_under_a_handler, wrongs);
	tcase_add_test(tc, a_change_of_stack_is_followed);
	tcase_add_test(tc, a_stack_pointer_that_is_told_is_no_simple_rule);
	tcase_add_test(tc, what_goes_untold_is_not_kept);
	tcase_add_test(tc, while_objects_go_no_rule_is_used);
	suite_add_tcase(suite, tc);
	return testing_run(suite);
}
