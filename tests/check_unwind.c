/*
 * check_unwind.c - the engines held against each other, and against what is
 * known of the stack.
 *
 * The sharpest of these tests single-steps the processor (the trap flag): the
 * handler unwinds at every instruction of a call, prologues, epilogues, leaf
 * functions of libc and the linker's own stubs included, and each time the
 * outer frames must be there.
 *
 * This program defines dl_iterate_phdr, as the shim does.
 */
#include "pprof/unwind.h"
#include "pprof/unwind_gcc.h"
#include "pprof/unwind_phdr.h"
#include "tests/testing.h"

#include "base/attr.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

static unwind_phdr_iterator *real_iterate;

int dl_iterate_phdr(unwind_phdr_callback *callback, void *data)
{
	if (unwind_phdr_wanted())
		return unwind_phdr_iterate(callback, data);
	if (!real_iterate)
		real_iterate = (unwind_phdr_iterator *)dlsym(RTLD_NEXT,
							     "dl_iterate_phdr");
	return real_iterate(callback, data);
}

static void set_up(void)
{
	real_iterate =
		(unwind_phdr_iterator *)dlsym(RTLD_NEXT, "dl_iterate_phdr");
	ck_assert_int_eq(unwind_phdr_serve(real_iterate), 0);
	ck_assert_int_eq(unwind_init(), 0);
	unwind_warm_thread();
	ck_assert(unwind_thread_is_warm());
}

static const enum unwind_engine engines[] = { UNWIND_LIBGCC, UNWIND_LIBUNWIND,
					      UNWIND_FP, UNWIND_AUTO,
					      UNWIND_RULES };

enum { MAX = UNWIND_DEPTH_MAX };

struct shot {
	struct unwound u;
	uintptr_t pcs[MAX];
};

/* ---- where the unwinder comes from ------------------------------------------
 */

START_TEST(libgcc_is_the_static_one)
{
	Dl_info unwinder, here;
	ck_assert(dladdr((void *)unwind_gcc_address(), &unwinder));
	ck_assert(dladdr((void *)(uintptr_t)set_up, &here));
	ck_assert_msg(unwinder.dli_fbase == here.dli_fbase,
		      "_Unwind_Backtrace is that of %s", unwinder.dli_fname);
	/* libunwind, which exports the same names, is linked too: otherwise
	 * this would prove nothing. */
	void *other = dlsym(RTLD_NEXT, "_Unwind_Backtrace");
	ck_assert_ptr_nonnull(other);
	ck_assert((uintptr_t)other != unwind_gcc_address());
}
END_TEST

/* ---- from here
 * ----------------------------------------------------------------- */

static struct shot shots[ARRAY_SIZE(engines)];

ON_STACK static void take_shots(size_t skip, size_t max)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		shots[i].u =
			unwind_from_here(engines[i], skip, shots[i].pcs, max);
	__asm__ __volatile__("");
}

ON_STACK static int recurse(int n, size_t skip, size_t max)
{
	if (n == 0) {
		take_shots(skip, max);
		return 0;
	}
	const int sum = recurse(n - 1, skip, max) + 1;
	__asm__ __volatile__("");
	return sum;
}

static const struct {
	const char *name;
	int depth;
	size_t skip, max;
} recursions[] = {
	{ "shallow", 0, 0, MAX },
	{ "deep", 60, 0, MAX },
	{ "skip", 20, 3, MAX },
	{ "small array", 60, 0, 16 },
	{ "deeper than MAX", 300, 0, MAX },
	{ "one", 5, 0, 1 },
	{ "none", 5, 0, 0 },
};

START_TEST(engines_agree_from_here)
{
	const int depth = recursions[_i].depth;
	const size_t skip = recursions[_i].skip, max = recursions[_i].max;
	const char *name = recursions[_i].name;
	memset(shots, 0, sizeof(shots));
	ck_assert_int_eq(recurse(depth, skip, max), depth);

	/* take_shots's caller first: recurse (depth + 1 times), this test. */
	const size_t certain = (size_t)depth + 2 - skip;
	const size_t expected = certain < max ? certain : max;
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		const char *engine = unwind_engine_name(engines[i]);
		const struct shot *s = &shots[i];
		ck_assert_msg(s->u.depth >= expected && s->u.depth <= max,
			      "%s, %s: %zu frames", name, engine, s->u.depth);
		ck_assert_msg(memcmp(s->pcs, shots[0].pcs,
				     expected * sizeof(*s->pcs)) == 0,
			      "%s, %s: another stack", name, engine);
		ck_assert_msg(max == 0 || certain < max || s->u.truncated,
			      "%s, %s: not truncated", name, engine);
		ck_assert_msg(depth > 60 || max < MAX || !s->u.truncated,
			      "%s, %s: truncated", name, engine);
		if (max == MAX && depth <= 60) {
			Dl_info info;
			ck_assert(dladdr((void *)s->pcs[certain - 1], &info));
			ck_assert(info.dli_fbase != NULL);
		}
	}
}
END_TEST

START_TEST(the_first_frame_is_the_callers_caller)
{
	memset(shots, 0, sizeof(shots));
	recurse(1, 0, MAX);
	/* recurse(0) and recurse(1) call from different places. */
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		const uintptr_t *pcs = shots[i].pcs;
		for (int f = 0; f < 2; f++)
			ck_assert_msg(pcs[f] - (uintptr_t)recurse < 512,
				      "%s: frame %d is not in recurse",
				      unwind_engine_name(engines[i]), f);
		ck_assert(pcs[2] - (uintptr_t)recurse >= 512);
	}
}
END_TEST

/* ---- from a signal
 * ------------------------------------------------------------- */

static volatile bool shot_taken;
static volatile uintptr_t interrupted;

static void shoot(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	const ucontext_t *uc = context;
	interrupted = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		errno = 4711;
		shots[i].u = unwind_from_signal(engines[i], context,
						shots[i].pcs, MAX);
		if (errno != 4711)
			shots[i].u.depth = 0;
	}
	shot_taken = true;
}

ON_STACK static void wait_for_shot(void)
{
	raise(SIGUSR1);
	while (!shot_taken)
		;
	__asm__ __volatile__("");
}

ON_STACK static int wait_deep(int n)
{
	if (n == 0) {
		wait_for_shot();
		return 0;
	}
	const int sum = wait_deep(n - 1) + 1;
	__asm__ __volatile__("");
	return sum;
}

/* The alarm finds it here, in a frame of its own, so that even fp has a whole
 * stack. */
ON_STACK static void spin_for_shot(void)
{
	/* Asked for, the frame is made: a leaf has none otherwise. */
	void *volatile frame = __builtin_frame_address(0);
	(void)frame;
	while (!shot_taken)
		;
}

ON_STACK static int spin_deep(int n)
{
	if (n == 0) {
		spin_for_shot();
		return 0;
	}
	const int sum = spin_deep(n - 1) + 1;
	__asm__ __volatile__("");
	return sum;
}

static const struct {
	const char *name;
	int flags; /* SA_ONSTACK: from an alternate stack */
	bool spin; /* in our own code, not in a system call of libc's */
} signals[] = {
	{ "in a system call", 0, false },
	{ "in a system call, alternate stack", SA_ONSTACK, false },
	{ "in a loop", 0, true },
	{ "in a loop, alternate stack", SA_ONSTACK, true },
};

static void catch (int sig, int flags,
		   void (*handler)(int, siginfo_t *, void *))
{
	const struct sigaction sa = { .sa_sigaction = handler,
				      .sa_flags =
					      SA_SIGINFO | SA_RESTART | flags };
	ck_assert_int_eq(sigaction(sig, &sa, NULL), 0);
}

START_TEST(engines_agree_from_a_signal)
{
	const char *name = signals[_i].name;
	/* As small as programs make them. */
	static char alternate[32768];
	const stack_t stack = { .ss_sp = alternate,
				.ss_size = sizeof(alternate) };
	ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
	catch (SIGUSR1, signals[_i].flags, shoot);
	catch (SIGALRM, signals[_i].flags, shoot);
	if (signals[_i].spin) {
		const struct itimerval soon = { .it_value = { .tv_usec =
								      2000 } };
		setitimer(ITIMER_REAL, &soon, NULL);
		ck_assert_int_eq(spin_deep(30), 30);
	} else {
		ck_assert_int_eq(wait_deep(30), 30);
	}
	/* The leaf, 31 rounds of recursion, this test. */
	const size_t certain = 33;
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		const char *engine = unwind_engine_name(engines[i]);
		const struct shot *s = &shots[i];
		ck_assert_msg(s->pcs[0] == interrupted, "%s, %s: wrong leaf",
			      name, engine);
		/* libc's system calls keep no frame pointer: fp sees the
		 * caller's caller there. */
		if (engines[i] == UNWIND_FP && !signals[_i].spin)
			continue;
		ck_assert_msg(s->u.depth >= certain, "%s, %s: %zu frames", name,
			      engine, s->u.depth);
		ck_assert_msg(memcmp(s->pcs, shots[0].pcs,
				     certain * sizeof(*s->pcs)) == 0,
			      "%s, %s: another stack", name, engine);
	}
}
END_TEST

/* ---- at every instruction
 * ------------------------------------------------------ */

/*
 * What the steps found.  `outer` is the stack of the function that started
 * them: its frames must end every stack.
 */
static struct {
	uintptr_t outer[MAX];
	size_t n_outer;
	uintptr_t root_low, root_high; /* step_outer, the frame before them */
	long steps, wrong[UNWIND_ENGINES], reentered;
	uintptr_t first_wrong[UNWIND_ENGINES];
} step;

static bool ends_with_outer(const struct shot *s)
{
	const size_t n = step.n_outer;
	if (s->u.truncated || s->u.depth < n + 1)
		return false;
	const uintptr_t root = s->pcs[s->u.depth - n - 1];
	return root >= step.root_low && root < step.root_high &&
	       memcmp(s->pcs + s->u.depth - n, step.outer,
		      n * sizeof(*step.outer)) == 0;
}

static void judge_step(enum unwind_engine engine, const void *context)
{
	static struct shot s;
	s.u = unwind_from_signal(engine, context, s.pcs, MAX);
	if (s.u.reentered) {
		step.reentered++;
		return;
	}
	if (ends_with_outer(&s))
		return;
	const ucontext_t *uc = context;
	if (step.wrong[engine]++ == 0)
		step.first_wrong[engine] =
			(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	step.steps++;
	judge_step(UNWIND_LIBGCC, context);
	judge_step(UNWIND_LIBUNWIND, context);
	judge_step(UNWIND_AUTO, context);
	judge_step(UNWIND_RULES, context);
}

#define TRAP_FLAG_ON                                                           \
	__asm__ __volatile__("lea -128(%%rsp), %%rsp; pushfq;"                 \
			     "orq $0x100, (%%rsp); popfq;"                     \
			     "lea 128(%%rsp), %%rsp" ::                        \
				     : "memory", "cc")
#define TRAP_FLAG_OFF                                                          \
	__asm__ __volatile__("lea -128(%%rsp), %%rsp; pushfq;"                 \
			     "andq $~0x100, (%%rsp); popfq;"                   \
			     "lea 128(%%rsp), %%rsp" ::                        \
				     : "memory", "cc")

static char text_a[4096], text_b[4096];

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void do_memory(void)
{
	memcpy(text_a, text_b, sizeof(text_a));
	memmove(text_a + 1, text_a, 200);
	memset(text_b, 'x', 100);
}

static void do_strings(void)
{
	text_b[300] = '\0';
	if (strlen(text_b) + strcspn(text_b, "z") > 9000 ||
	    strchr(text_b, 'q') || strstr(text_b, "xxy"))
		text_b[0]++;
}

static void do_sort(void)
{
	int numbers[] = { 5, 2, 9, 1, 7, 3 };
	qsort(numbers, ARRAY_SIZE(numbers), sizeof(int), compare_ints);
}

static void do_print(void)
{
	snprintf(text_a, sizeof(text_a), "%d %s %.3f", 42, "words", 2.5);
}

static void do_malloc(void)
{
	void *volatile p = malloc(100);
	free(p);
	p = calloc(1, 300000);
	free(p);
}

static void do_recursion(void)
{
	recurse(3, 0, 0);
}

static void do_errno(void)
{
	fclose(fopen("/dev/null", "r"));
}

static void do_clock(void)
{
	struct timespec now; /* the vdso */
	clock_gettime(CLOCK_MONOTONIC, &now);
}

static void do_loader(void)
{
	dlsym(RTLD_DEFAULT, "no such symbol");
}

/* The unwinder itself: libunwind refuses inside libunwind, others go on. */
static void do_unwind(void)
{
	static uintptr_t pcs[MAX];
	unwind_from_here(UNWIND_LIBUNWIND, 0, pcs, MAX);
}

static const struct {
	const char *name;
	void (*fn)(void);
	bool reenters;
} stepped[] = {
	{ "memory", do_memory, false }, { "strings", do_strings, false },
	{ "sort", do_sort, false },	{ "printf", do_print, false },
	{ "malloc", do_malloc, false }, { "recursion", do_recursion, true },
	{ "stdio", do_errno, false },	{ "unwinder", do_unwind, true },
	{ "vdso", do_clock, false },	{ "loader", do_loader, false },
};

ON_STACK static void step_root(void (*fn)(void))
{
	TRAP_FLAG_ON;
	fn();
	TRAP_FLAG_OFF;
}

ON_STACK static void note_outer(void)
{
	/* From the test outward: what stands behind step_outer. */
	const struct unwound u =
		unwind_from_here(UNWIND_LIBGCC, 1, step.outer, MAX);
	step.n_outer = u.depth;
	__asm__ __volatile__("");
}

ON_STACK static void step_outer(void (*fn)(void))
{
	note_outer();
	step_root(fn);
	__asm__ __volatile__("");
}

START_TEST(every_instruction_yields_the_callers)
{
	memset(&step, 0, sizeof(step));
	step.root_low = (uintptr_t)step_outer;
	step.root_high = (uintptr_t)step_outer + 256;
	catch (SIGTRAP, 0, on_step);
	step_outer(stepped[_i].fn);
	ck_assert_msg(step.steps > 50, "%s: %ld steps", stepped[_i].name,
		      step.steps);
	for (size_t e = 0; e < UNWIND_ENGINES; e++) {
		Dl_info info = { 0 };
		dladdr((void *)step.first_wrong[e], &info);
		ck_assert_msg(step.wrong[e] == 0,
			      "%s, %s: %ld of %ld wrong, first at %p (%s+%#lx)",
			      stepped[_i].name,
			      unwind_engine_name((enum unwind_engine)e),
			      step.wrong[e], step.steps,
			      (void *)step.first_wrong[e],
			      info.dli_sname ? info.dli_sname : "?",
			      (long)(step.first_wrong[e] -
				     (uintptr_t)info.dli_saddr));
	}
	ck_assert_msg((step.reentered > 0) == stepped[_i].reenters,
		      "%s: re-entered %ld times", stepped[_i].name,
		      step.reentered);
}
END_TEST

/* ---- the snapshot of the objects
 * ------------------------------------------------ */

struct list {
	size_t n;
	ElfW(Addr) addrs[512];
	char last[256];
};

static int list_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct list *l = arg;
	ck_assert_uint_ge(size, offsetof(struct dl_phdr_info, dlpi_subs));
	ck_assert_ptr_nonnull(info->dlpi_phdr);
	if (l->n < ARRAY_SIZE(l->addrs))
		l->addrs[l->n++] = info->dlpi_addr;
	snprintf(l->last, sizeof(l->last), "%s", info->dlpi_name);
	return 0;
}

static int stop_at_two(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)info;
	(void)size;
	return ++*(int *)arg == 2 ? 77 : 0;
}

#define SOME_LIBRARY "libresolv.so.2"

START_TEST(the_snapshot_follows_the_loader)
{
	struct list real = { 0 }, ours = { 0 }, more = { 0 }, less = { 0 };
	real_iterate(list_object, &real);
	unwind_phdr_iterate(list_object, &ours);
	ck_assert_uint_eq(real.n, ours.n);
	ck_assert(memcmp(real.addrs, ours.addrs,
			 real.n * sizeof(*real.addrs)) == 0);
	int calls = 0;
	ck_assert_int_eq(unwind_phdr_iterate(stop_at_two, &calls), 77);
	ck_assert_int_eq(calls, 2);

	void *library = dlopen(SOME_LIBRARY, RTLD_NOW);
	ck_assert_ptr_nonnull(library);
	ck_assert_int_eq(unwind_phdr_refresh(), 0);
	unwind_phdr_iterate(list_object, &more);
	ck_assert_uint_eq(more.n, ours.n + 1);
	ck_assert_ptr_nonnull(strstr(more.last, SOME_LIBRARY));
	ck_assert(unwind_engine_available(UNWIND_LIBUNWIND));

	/* A dlclose that unloads nothing. */
	ck_assert_ptr_eq(dlopen(SOME_LIBRARY, RTLD_NOW), library);
	unwind_phdr_distrust();
	ck_assert(!unwind_engine_available(UNWIND_LIBUNWIND));
	dlclose(library);
	ck_assert_int_eq(unwind_phdr_refresh(), 0);
	ck_assert(unwind_engine_available(UNWIND_LIBUNWIND));

	/* One that does: what libunwind has learnt cannot be trusted. */
	dlclose(library);
	ck_assert_int_eq(unwind_phdr_refresh(), 0);
	unwind_phdr_iterate(list_object, &less);
	ck_assert_uint_eq(less.n, ours.n);
	ck_assert(!unwind_engine_available(UNWIND_LIBUNWIND));
	memset(shots, 0, sizeof(shots));
	recurse(3, 0, MAX);
	ck_assert_uint_eq(shots[1].u.depth, 0); /* libunwind, asked by name */
	ck_assert_uint_ge(shots[3].u.depth, 5); /* auto */
}
END_TEST

START_TEST(without_a_shim_there_is_no_libunwind)
{
	/* Not set up: nothing serves the objects here. */
	ck_assert(!unwind_phdr_served());
	ck_assert(!unwind_engine_available(UNWIND_LIBUNWIND));
	ck_assert_int_eq(unwind_phdr_refresh(), 0);
	ck_assert_int_eq(unwind_init(), 0);
	unwind_warm_thread();
	ck_assert(!unwind_thread_is_warm());
	memset(shots, 0, sizeof(shots));
	recurse(3, 0, MAX);
	ck_assert_uint_eq(shots[1].u.depth, 0);
	ck_assert_uint_ge(shots[3].u.depth, 5);
}
END_TEST

/* ---- the end of a thread
 * ---------------------------------------------------------- */

static pthread_key_t late_key;
static bool was_warm, warm_at_end, warmed_again;
static size_t depth_at_end;

/* Made after libunwind's key, so this runs when its cache has gone. */
static void late(void *arg)
{
	(void)arg;
	uintptr_t pcs[MAX];
	warm_at_end = unwind_thread_is_warm();
	unwind_warm_thread();
	warmed_again = unwind_thread_is_warm();
	depth_at_end = unwind_from_here(UNWIND_AUTO, 0, pcs, MAX).depth;
}

static void *live_and_die(void *arg)
{
	unwind_warm_thread();
	was_warm = unwind_thread_is_warm();
	pthread_setspecific(late_key, arg);
	return NULL;
}

START_TEST(a_dying_thread_is_cold)
{
	pthread_key_create(&late_key, late);
	pthread_t thread;
	pthread_create(&thread, NULL, live_and_die, &late_key);
	pthread_join(thread, NULL);
	ck_assert(was_warm);
	ck_assert(!warm_at_end);
	ck_assert(!warmed_again);
	ck_assert_uint_ge(depth_at_end, 1);
}
END_TEST

/* ---- a storm
 * ------------------------------------------------------------------- */

static _Atomic bool storm_over;
static _Atomic long storm_shots, storm_bad;

static void on_storm(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	uintptr_t pcs[MAX];
	const ucontext_t *uc = context;
	errno = 4711;
	const struct unwound u =
		unwind_from_signal(UNWIND_AUTO, context, pcs, MAX);
	if (errno != 4711 || u.depth == 0 || u.reentered ||
	    pcs[0] != (uintptr_t)uc->uc_mcontext.gregs[REG_RIP])
		storm_bad++;
	storm_shots++;
}

static void *storm_worker(void *arg)
{
	if (arg)
		unwind_warm_thread();
	while (!storm_over) {
		do_malloc();
		do_strings();
		do_unwind();
		recurse(20, 0, MAX);
	}
	return NULL;
}

static void *storm_loader(void *arg)
{
	(void)arg;
	while (!storm_over) {
		void *library = dlopen(SOME_LIBRARY, RTLD_NOW);
		if (!library)
			abort();
		unwind_phdr_refresh();
		unwind_phdr_distrust();
		dlclose(library);
		unwind_phdr_refresh();
	}
	return NULL;
}

START_TEST(a_storm_of_signals)
{
	catch (SIGUSR1, 0, on_storm);
	pthread_t threads[3];
	const bool loader = _i == 1;
	pthread_create(&threads[0], NULL, storm_worker, &threads);
	pthread_create(&threads[1], NULL, storm_worker, NULL);
	pthread_create(&threads[2], NULL, loader ? storm_loader : storm_worker,
		       &threads);
	for (long i = 0; i < 2000 || storm_shots < 300; i++) {
		pthread_kill(threads[i % 3], SIGUSR1);
		if (i % 64 == 0)
			sched_yield();
	}
	storm_over = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(storm_bad, 0);
	ck_assert_int_ge(storm_shots, 300);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unwind");
	TCase *tc = tcase_create("unwind");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, libgcc_is_the_static_one);
	testing_add_table(tc, engines_agree_from_here, recursions);
	tcase_add_test(tc, the_first_frame_is_the_callers_caller);
	testing_add_table(tc, engines_agree_from_a_signal, signals);
	testing_add_table(tc, every_instruction_yields_the_callers, stepped);
	tcase_add_test(tc, the_snapshot_follows_the_loader);
	tcase_add_test(tc, a_dying_thread_is_cold);
	tcase_add_loop_test(tc, a_storm_of_signals, 0, 2);
	suite_add_tcase(suite, tc);
	TCase *bare = tcase_create("bare");
	tcase_add_test(bare, without_a_shim_there_is_no_libunwind);
	suite_add_tcase(suite, bare);
	return testing_run(suite);
}
