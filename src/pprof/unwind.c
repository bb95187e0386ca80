/*
 * unwind.c - the choice of an engine, and the walks from a signal and from
 * here.  Each engine begins in our own frames; what the caller asked for
 * begins at a pc that is known (the interrupted one, or a return address), so
 * the frames before it are dropped by looking for it, whatever the compiler
 * has made of our own functions.
 */
#include "pprof/unwind.h"

#include "base/attr.h"
#include "pprof/unwind_fast.h"
#include "pprof/unwind_gcc.h"
#include "pprof/unwind_internal.h"
#include "pprof/unwind_phdr.h"
#include "pprof/unwind_rules.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

/*
 * Frames of ours and the kernel's that may stand before the wanted one.  The
 * stack of a handler may be small: this is all that we put there.
 */
enum { OWN_FRAMES = 16 };

struct self {
	bool warm;
	bool dying; /* libunwind frees its cache: it stays cold from here */
	uintptr_t stack_low, stack_high; /* 0 = not known */
};
static _Thread_local struct self self TLS_INITIAL_EXEC;
/* libunwind is running here. */
_Thread_local volatile bool unwind_phdr_inside TLS_INITIAL_EXEC;

const char *unwind_engine_name(enum unwind_engine engine)
{
	static const char *const names[UNWIND_ENGINES] = {
		[UNWIND_AUTO] = "auto",		  [UNWIND_LIBGCC] = "libgcc",
		[UNWIND_LIBUNWIND] = "libunwind", [UNWIND_FP] = "fp",
		[UNWIND_RULES] = "rules",
	};
	return (size_t)engine < ARRAY_SIZE(names) ? names[engine] : "unknown";
}

bool unwind_engine_available(enum unwind_engine engine)
{
	if (engine == UNWIND_LIBUNWIND)
		return unwind_fast.backtrace && unwind_phdr_served() &&
		       !unwind_phdr_unloaded();
	if (engine == UNWIND_RULES)
		return unwind_rules_enabled();
	return (size_t)engine < UNWIND_ENGINES;
}

bool unwind_thread_is_warm(void)
{
	return self.warm;
}

/* The innermost pcs by libunwind, or -1 when it runs here already. */
static int trace_fast(uintptr_t *pcs, int max)
{
	if (unwind_phdr_inside)
		return -1;
	unwind_phdr_inside = true;
	__asm__ __volatile__("" ::: "memory");
	const int n = unwind_fast.backtrace((void **)pcs, max);
	__asm__ __volatile__("" ::: "memory");
	unwind_phdr_inside = false;
	return n > 0 ? n : 0;
}

/* See unwind_gcc_walk: the same cut, from an array. */
static struct unwound walk_fast(uintptr_t start, bool keep_start, size_t skip,
				uintptr_t *pcs, size_t max)
{
	uintptr_t all[UNWIND_DEPTH_MAX + OWN_FRAMES];
	struct unwound u = { 0 };
	const int n = trace_fast(all, ARRAY_SIZE(all));
	if (n < 0) {
		u.reentered = true;
		return u;
	}
	size_t from = 0;
	while (from < (size_t)n && from < OWN_FRAMES && all[from] != start)
		from++;
	if (from == (size_t)n || all[from] != start)
		return u;
	from += skip + !keep_start;
	/* The last entry of a whole walk may be a 0. */
	size_t end = (size_t)n;
	while (end > from && all[end - 1] == 0)
		end--;
	u.depth = end > from ? end - from : 0;
	u.truncated = u.depth > max;
	if (u.truncated)
		u.depth = max;
	memcpy(pcs, all + from, u.depth * sizeof(*pcs));
	return u;
}

static struct unwound walk_gcc(uintptr_t start, bool keep_start, size_t skip,
			       uintptr_t *pcs, size_t max)
{
	struct unwound u = { 0 };
	u.depth = unwind_gcc_walk(start, keep_start, skip, pcs, max,
				  &u.truncated);
	return u;
}

/* uc NULL: from here. */
static struct unwound walk_rules(const ucontext_t *uc, uintptr_t start,
				 size_t skip, uintptr_t *pcs, size_t max)
{
	const struct unwind_cut cut = { .start = start,
					.keep_start = uc != NULL,
					.skip = skip,
					.pcs = pcs,
					.max = max };
	struct unwound u = { 0 };
	const int n = uc ? unwind_rules_walk(
				   (uintptr_t)uc->uc_mcontext.gregs[REG_RIP],
				   (uintptr_t)uc->uc_mcontext.gregs[REG_RSP],
				   (uintptr_t)uc->uc_mcontext.gregs[REG_RBP],
				   &cut, &u.truncated)
			 : unwind_rules_walk_here(&cut, &u.truncated);
	if (n < 0)
		return walk_gcc(start, cut.keep_start, skip, pcs, max);
	u.depth = (size_t)n;
	return u;
}

/*
 * Frame pointers: fp points to the caller's, the return address beside it.
 * They must rise, inside the thread's stack.
 */
static struct unwound walk_fp(uintptr_t fp, uintptr_t sp, size_t skip,
			      uintptr_t *pcs, size_t max)
{
	struct unwound u = { 0 };
	uintptr_t low = sp > self.stack_low ? sp : self.stack_low;
	while (fp >= low && fp % sizeof(uintptr_t) == 0 &&
	       fp + 2 * sizeof(uintptr_t) <= self.stack_high) {
		const uintptr_t *frame = (const uintptr_t *)fp;
		if (frame[1] == 0)
			break;
		if (skip > 0) {
			skip--;
		} else if (u.depth == max) {
			u.truncated = true;
			break;
		} else {
			pcs[u.depth++] = frame[1];
		}
		low = fp + 1;
		fp = frame[0];
	}
	return u;
}

static struct unwound walk(enum unwind_engine engine, const ucontext_t *uc,
			   uintptr_t start, size_t skip, uintptr_t *pcs,
			   size_t max)
{
	const bool keep_start = uc != NULL;
	if ((engine == UNWIND_RULES || engine == UNWIND_AUTO) &&
	    unwind_rules_enabled())
		return walk_rules(uc, start, skip, pcs, max);
	const bool fast = unwind_engine_available(UNWIND_LIBUNWIND);
	if (engine == UNWIND_LIBUNWIND && !fast)
		return (struct unwound){ 0 };
	if (engine == UNWIND_LIBUNWIND ||
	    (engine == UNWIND_AUTO && fast && self.warm && !unwind_phdr_inside))
		return walk_fast(start, keep_start, skip, pcs, max);
	return walk_gcc(start, keep_start, skip, pcs, max);
}

struct unwound unwind_from_signal(enum unwind_engine engine,
				  const void *ucontext, uintptr_t *pcs,
				  size_t max)
{
	const int saved_errno = errno;
	const ucontext_t *uc = ucontext;
	const uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	if (max > UNWIND_DEPTH_MAX)
		max = UNWIND_DEPTH_MAX;
	struct unwound u = { 0 };
	if (max == 0)
		return u;

	if (engine == UNWIND_FP) {
		u = walk_fp((uintptr_t)uc->uc_mcontext.gregs[REG_RBP],
			    (uintptr_t)uc->uc_mcontext.gregs[REG_RSP], 0,
			    pcs + 1, max - 1);
		u.depth++;
	} else {
		u = walk(engine, uc, pc, 0, pcs, max);
	}
	/* Where no walk led out of the handler, the pc is still true. */
	if (u.depth == 0 && !u.reentered)
		u.depth = 1;
	if (u.depth > 0)
		pcs[0] = pc;
	errno = saved_errno;
	return u;
}

__attribute__((noinline)) struct unwound
unwind_from_here(enum unwind_engine engine, size_t skip, uintptr_t *pcs,
		 size_t max)
{
	const int saved_errno = errno;
	const uintptr_t start = (uintptr_t)__builtin_return_address(0);
	if (max > UNWIND_DEPTH_MAX)
		max = UNWIND_DEPTH_MAX;
	struct unwound u;
	if (engine == UNWIND_FP) {
		const uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
		u = walk_fp(fp, fp, skip + 1, pcs, max);
	} else {
		u = walk(engine, NULL, start, skip, pcs, max);
	}
	errno = saved_errno;
	return u;
}

/*
 * libunwind frees a thread's cache by a pthread key's destructor, and without
 * it walks slowly, by system calls.  Our key was made before libunwind's, and
 * destructors run in that order: by then the thread is cold.
 */
static pthread_key_t dying_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_thread_exit(void *arg)
{
	(void)arg;
	self.warm = false;
	self.dying = true;
}

static void init_once(void)
{
	if (pthread_key_create(&dying_key, on_thread_exit) != 0)
		dying_key = PTHREAD_KEYS_MAX;
}

int unwind_init(void)
{
	pthread_once(&once, init_once);
	uintptr_t pcs[4];
	/* The first use fills a table of register sizes (148 us). */
	unwind_from_here(UNWIND_LIBGCC, 0, pcs, ARRAY_SIZE(pcs));
	return 0;
}

static void note_stack_bounds(void)
{
	pthread_attr_t attr;
	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	void *low;
	size_t size;
	if (pthread_attr_getstack(&attr, &low, &size) == 0) {
		self.stack_low = (uintptr_t)low;
		self.stack_high = (uintptr_t)low + size;
	}
	pthread_attr_destroy(&attr);
}

void unwind_warm_thread(void)
{
	const int saved_errno = errno;
	if (self.stack_high == 0)
		note_stack_bounds();
	pthread_once(&once, init_once);
	if (!self.warm && !self.dying &&
	    unwind_engine_available(UNWIND_LIBUNWIND) &&
	    pthread_setspecific(dying_key, &self) == 0) {
		uintptr_t pcs[UNWIND_DEPTH_MAX];
		self.warm = trace_fast(pcs, ARRAY_SIZE(pcs)) >= 0;
	}
	errno = saved_errno;
}

/* Unwinding needs this much. */
enum { ALTSTACK_ROOM = 6144 };

bool unwind_has_room(const void *ucontext)
{
	const ucontext_t *uc = ucontext;
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const uintptr_t low = (uintptr_t)uc->uc_stack.ss_sp;
	return (uc->uc_stack.ss_flags & SS_DISABLE) || here < low ||
	       here >= low + uc->uc_stack.ss_size ||
	       here - low >= ALTSTACK_ROOM;
}
