/* demangle.c - see demangle.h. */
#include "symbol/demangle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef char *demangle_fn(const char *, char *, size_t *, int *);

/*
 * A mangled name may describe a text of exponential size ("S_" refers back);
 * real ones beyond this are shown as they are.
 */
enum { MANGLED_MAX = 4096 };

static _Atomic(demangle_fn *) demangler;
static pthread_once_t demangler_once = PTHREAD_ONCE_INIT;

static void find_demangler(void)
{
	void *p = dlsym(RTLD_DEFAULT, "__cxa_demangle");
	if (!p) {
		/* Never closed: its code may be on a stack for ever. */
		void *lib = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
		if (lib)
			p = dlsym(lib, "__cxa_demangle");
	}
	demangle_fn *f = NULL;
	memcpy(&f, &p, sizeof(f));
	atomic_store_explicit(&demangler, f, memory_order_release);
}

char *demangle_name(const char *name)
{
	/* Only functions: __cxa_demangle takes "i" for the type int. */
	if (name[0] != '_' || name[1] != 'Z' ||
	    strnlen(name, MANGLED_MAX) == MANGLED_MAX)
		return NULL;
	pthread_once(&demangler_once, find_demangler);
	demangle_fn *f = atomic_load_explicit(&demangler, memory_order_acquire);
	if (!f)
		return NULL;
	/* gcc's clones ("_Z1fv.cold") are demangled with the suffix shown. */
	int status = 0;
	char *text = f(name, NULL, NULL, &status);
	if (status != 0) {
		free(text);
		return NULL;
	}
	return text;
}
