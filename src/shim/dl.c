/*
 * dl.c - dl_iterate_phdr, for the unwinder inside a handler; dlopen, dlmopen
 * and dlclose, so that it knows what is loaded, and pcs keep their names.
 *
 * dlopen looks at its return address: the RUNPATH of the object that calls it
 * decides where a library is searched.  So ours must be gone when the real one
 * runs.  C does not promise a jump at every optimization, hence the few lines
 * of assembly: tell the profiler, restore the arguments, jump.
 */
#include "base/attr.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "pprof/unwind_phdr.h"
#include "shim/real.h"

#include <dlfcn.h>
#include <link.h>

typedef int dlclose_fn(void *);

SHIM_REAL(real_dl_iterate_phdr, unwind_phdr_iterator, "dl_iterate_phdr", NULL,
	  NULL);
SHIM_REAL(real_dlclose, dlclose_fn, "dlclose", "GLIBC_2.2.5", "GLIBC_2.34");

int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *),
		    void *data)
{
	if (unwind_phdr_wanted())
		return unwind_phdr_iterate(callback, data);
	return real_dl_iterate_phdr()(callback, data);
}

int dlclose(void *handle)
{
	if (guard_inside())
		return real_dlclose()(handle);
	struct hooks_closing *closing = hooks_objects_closing();
	const int rc = real_dlclose()(handle);
	hooks_objects_closed(closing);
	return rc;
}

/* Called from the assembly.  Returns: where to jump. */
void *shim_dlopen_target(void);
void *shim_dlmopen_target(void);

__attribute__((used)) void *shim_dlopen_target(void)
{
	static void *real;
	void *fn = __atomic_load_n(&real, __ATOMIC_RELAXED);
	if (!fn) {
		fn = shim_real("dlopen", "GLIBC_2.2.5", "GLIBC_2.34");
		__atomic_store_n(&real, fn, __ATOMIC_RELAXED);
	}
	if (!guard_inside())
		hooks_objects_adding();
	return fn;
}

__attribute__((used)) void *shim_dlmopen_target(void)
{
	static void *real;
	void *fn = __atomic_load_n(&real, __ATOMIC_RELAXED);
	if (!fn) {
		fn = shim_real("dlmopen", "GLIBC_2.3.4", "GLIBC_2.34");
		__atomic_store_n(&real, fn, __ATOMIC_RELAXED);
	}
	if (!guard_inside())
		hooks_objects_adding();
	return fn;
}

#ifndef __x86_64__
#error "a jump to the real dlopen is needed for this processor"
#endif

#define JUMP_TO_REAL(name, target)                                             \
	__asm__(".text\n"                                                      \
		".p2align 4\n"                                                 \
		".globl " name "\n"                                            \
		".type " name ", @function\n" name ":\n"                       \
		".cfi_startproc\n"                                             \
		"	endbr64\n"                                                   \
		"	pushq %rdi\n"                                                \
		".cfi_adjust_cfa_offset 8\n"                                   \
		"	pushq %rsi\n"                                                \
		".cfi_adjust_cfa_offset 8\n"                                   \
		"	pushq %rdx\n"                                                \
		".cfi_adjust_cfa_offset 8\n"                                   \
		"	call " target "\n"                                     \
		"	popq %rdx\n"                                                 \
		".cfi_adjust_cfa_offset -8\n"                                  \
		"	popq %rsi\n"                                                 \
		".cfi_adjust_cfa_offset -8\n"                                  \
		"	popq %rdi\n"                                                 \
		".cfi_adjust_cfa_offset -8\n"                                  \
		"	jmpq *%rax\n"                                                \
		".cfi_endproc\n"                                               \
		".size " name ", .-" name "\n")

JUMP_TO_REAL("dlopen", "shim_dlopen_target@PLT");
JUMP_TO_REAL("dlmopen", "shim_dlmopen_target@PLT");

__attribute__((constructor)) static void announce(void)
{
	real_dlclose();
	shim_dlopen_target();
	shim_dlmopen_target();
	hooks_objects_begin(real_dl_iterate_phdr());
}
