/*
 * unwind_rules.c - see unwind_rules.h.
 *
 * The table is one word a pc, so that it can be read and written by any thread
 * and any handler without a lock, and never half.  A pc has 47 bits; times an
 * odd number they stay as many, all different.  The upper 14 are the place,
 * the other 33 the key, and what is left of the word is the rule.  Two pcs of
 * one place push each other out: the rule is made again.
 */
#include "pprof/unwind_rules.h"

#include "base/attr.h"
#include "pprof/unwind_cfi.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PC_BITS = 47,
	PLACE_BITS = 14,
	KEY_BITS = PC_BITS - PLACE_BITS,
	CFA_BITS = 14, /* words */
	FP_BITS = 10,  /* words */
	WORD = sizeof(uintptr_t),
	/* As unwind_gcc.c: a start that is further out will not come. */
	SEARCH_MAX = 32,
	/* No frame is larger, but for those that are looked at twice. */
	NEAR = 64 << 10,
};

/* A word: flags, then fp, cfa and key. */
enum { USED = 1, HARD = 2, LAST = 4, FROM_FP = 8, FLAG_BITS = 4 };
/* No rule; not kept. */
enum { NOWHERE = 0 };
enum {
	FP_AT = FLAG_BITS,
	CFA_AT = FP_AT + FP_BITS,
	KEY_AT = CFA_AT + CFA_BITS,
};
_Static_assert(KEY_AT + KEY_BITS <= 64, "a word holds it all");

/* Relaxed: a word says all by itself.  0 = empty. */
static uint64_t rules[1 << PLACE_BITS];
static bool any;     /* atomic; is there one? */
static bool enabled; /* atomic; set once */
static bool paused;  /* atomic; objects are going */

void unwind_rules_enable(void)
{
	__atomic_store_n(&enabled, true, __ATOMIC_RELAXED);
}

bool unwind_rules_enabled(void)
{
	return __atomic_load_n(&enabled, __ATOMIC_RELAXED);
}

void unwind_rules_pause(bool pause)
{
	__atomic_store_n(&paused, pause, __ATOMIC_SEQ_CST);
}

void unwind_rules_forget(void)
{
	if (!__atomic_exchange_n(&any, false, __ATOMIC_SEQ_CST))
		return;
	/* Only what was filled is touched. */
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (__atomic_load_n(&rules[i], __ATOMIC_RELAXED))
			__atomic_store_n(&rules[i], 0, __ATOMIC_RELAXED);
}

static uint64_t bits(uint64_t word, int at, int n)
{
	return word >> at & ((UINT64_C(1) << n) - 1);
}

static uint64_t pack(const struct unwind_rule *r)
{
	const uint32_t cfa = r->cfa / WORD, fp = r->fp / WORD;
	if (cfa >= 1 << CFA_BITS || fp >= 1 << FP_BITS)
		return HARD;
	return (r->last ? LAST : 0) | (r->from_fp ? FROM_FP : 0) |
	       (uint64_t)fp << FP_AT | (uint64_t)cfa << CFA_AT;
}

/* Can the word there be read?  The kernel reads it, and then refuses what it is
 * asked to do with it. */
static COLD bool readable(uintptr_t at)
{
	return syscall(SYS_rt_sigprocmask, -1, at, NULL, sizeof(uint64_t)) &&
	       errno == EINVAL;
}

/*
 * Where no code is, a frame before it was not what its entry says: there is
 * assembly that pushes and does not tell.  libgcc would look there for the code
 * of a signal's return, in nine bytes, and fault.
 */
static COLD bool is_nowhere(uintptr_t pc)
{
	return !unwind_cfi_known(pc) && !(readable(pc) && readable(pc + 1));
}

static COLD uint64_t find_out(uintptr_t pc)
{
	struct unwind_rule rule;
	if (unwind_cfi_rule(pc, &rule))
		return pack(&rule);
	return is_nowhere(pc) ? NOWHERE : HARD;
}

static COLD uint64_t make(uintptr_t pc, uint64_t key, uint64_t *place)
{
	uint64_t word = find_out(pc);
	if (!unwind_cfi_stays(pc))
		return word;
	word |= USED | key << KEY_AT;
	__atomic_store_n(place, word, __ATOMIC_RELAXED);
	/* Behind it: who forgets from now on sees the word. */
	__atomic_store_n(&any, true, __ATOMIC_SEQ_CST);
	return word;
}

HOT_INLINE uint64_t rule_at(uintptr_t pc)
{
	if (UNLIKELY(pc >> PC_BITS))
		return NOWHERE;
	const uint64_t mixed = pc * UINT64_C(0x5851f42d4c957f2d) &
			       ((UINT64_C(1) << PC_BITS) - 1);
	uint64_t *place = &rules[mixed >> KEY_BITS];
	const uint64_t key = bits(mixed, 0, KEY_BITS);
	const uint64_t word = __atomic_load_n(place, __ATOMIC_RELAXED);
	if (LIKELY(word && word >> KEY_AT == key))
		return word;
	return make(pc, key, place);
}

/*
 * Where the thread's stack ends at the latest.  What is found by true rules
 * lies below it anyway; this is for what may have become of one.  glibc keeps
 * a thread's own data at the upper end of its stack, except the first one's.
 */
extern void *__libc_stack_end;

static uintptr_t stack_limit(uintptr_t sp)
{
	const uintptr_t own = (uintptr_t)__builtin_thread_pointer();
	return sp < own ? own : (uintptr_t)__libc_stack_end;
}

/*
 * A frame that seems to end beyond the stack: a function that has changed to
 * another one, or, more often, an epilogue whose entry does not tell that the
 * frame pointer is the caller's again.
 */
static COLD bool is_stack(uintptr_t cfa, uint64_t fp_saved)
{
	return readable(cfa - WORD) &&
	       (!fp_saved || readable(cfa - fp_saved * WORD));
}

struct walk {
	const struct unwind_cut *cut;
	size_t depth, skip, searched;
	bool found, more;
};

/* Returns: go on. */
static bool on_frame(struct walk *w, uintptr_t pc)
{
	if (!w->found) {
		w->found = pc == w->cut->start;
		if (!w->found)
			return ++w->searched < SEARCH_MAX;
		if (!w->cut->keep_start)
			return true;
	}
	if (w->skip > 0) {
		w->skip--;
		return true;
	}
	if (w->depth == w->cut->max) {
		w->more = true;
		return false;
	}
	w->cut->pcs[w->depth++] = pc;
	return true;
}

struct frame {
	uintptr_t at; /* in the call, not behind it */
	uintptr_t pc, sp, fp, limit;
};

enum step { STEPPED, ENDS, HARD_TO_SAY };

/* To the next frame outward. */
HOT_INLINE enum step step_out(struct frame *f, uint64_t rule)
{
	if (rule & HARD)
		return HARD_TO_SAY;
	if (rule & LAST)
		return ENDS;
	const uintptr_t cfa = (rule & FROM_FP ? f->fp : f->sp) +
			      bits(rule, CFA_AT, CFA_BITS) * WORD;
	const uint64_t fp_saved = bits(rule, FP_AT, FP_BITS);
	/* Here libgcc would fault, or stop. */
	if (cfa <= f->sp || cfa % WORD != 0)
		return ENDS;
	if (UNLIKELY(cfa > f->limit || cfa - f->sp > NEAR)) {
		if (!is_stack(cfa, fp_saved))
			return ENDS;
		f->limit = stack_limit(cfa);
	}
	f->pc = *(const uintptr_t *)(cfa - WORD);
	if (fp_saved)
		f->fp = *(const uintptr_t *)(cfa - fp_saved * WORD);
	f->sp = cfa;
	f->at = f->pc - 1;
	return f->pc == 0 ? ENDS : STEPPED;
}

int unwind_rules_walk(uintptr_t pc, uintptr_t sp, uintptr_t fp,
		      const struct unwind_cut *cut, bool *ret_more)
{
	struct walk w = { .cut = cut, .skip = cut->skip };
	struct frame f = { pc, pc, sp, fp, stack_limit(sp) };
	const bool anew = __atomic_load_n(&paused, __ATOMIC_RELAXED);
	enum step step;
	do {
		const uint64_t rule =
			UNLIKELY(anew) ? find_out(f.at) : rule_at(f.at);
		/* Not a frame, but what the thread is at is always one. */
		if (rule == NOWHERE && f.at != f.pc)
			break;
		if (!on_frame(&w, f.pc) || rule == NOWHERE)
			break;
		step = step_out(&f, rule);
		if (step == HARD_TO_SAY)
			return -1;
	} while (step == STEPPED);
	*ret_more = w.more;
	return (int)w.depth;
}

bool unwind_rules_lead_on(uintptr_t at, uintptr_t sp, uintptr_t fp)
{
	const bool anew = !__atomic_load_n(&enabled, __ATOMIC_RELAXED) ||
			  __atomic_load_n(&paused, __ATOMIC_RELAXED);
	struct frame f = { at, at, sp, fp, stack_limit(sp) };
	const enum step step = step_out(&f, anew ? find_out(at) : rule_at(at));
	if (step != STEPPED)
		return step == HARD_TO_SAY;
	return anew ? !is_nowhere(f.at) : rule_at(f.at) != NOWHERE;
}

__attribute__((noinline)) int
unwind_rules_walk_here(const struct unwind_cut *cut, bool *ret_more)
{
	uintptr_t pc, sp, fp;
	__asm__ __volatile__("movq %%rsp, %1\n\tmovq %%rbp, %2\n\t"
			     "leaq 0(%%rip), %0"
			     : "=&r"(pc), "=&r"(sp), "=&r"(fp));
	return unwind_rules_walk(pc, sp, fp, cut, ret_more);
}
