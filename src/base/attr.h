/*
 * attr.h - compiler attributes, under names that say what they are for.
 */
#ifndef PROFLAB_BASE_ATTR_H
#define PROFLAB_BASE_ATTR_H

/*
 * A function that must be seen under its own name in every stack: no inlining,
 * no clone (.constprop, .isra), no folding with a twin.  Files that use it are
 * built with -fno-optimize-sibling-calls, so that its callers stay too.
 */
#if defined(__clang__)
#define ON_STACK __attribute__((noinline))
#else
#define ON_STACK __attribute__((noipa))
#endif

#define COLD	    __attribute__((cold, noinline))
#define HOT_INLINE  static inline __attribute__((always_inline))
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* TLS that a signal handler may touch: never allocated lazily. */
#define TLS_INITIAL_EXEC __attribute__((tls_model("initial-exec")))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
