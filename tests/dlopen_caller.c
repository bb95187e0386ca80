/*
 * dlopen_caller.c - a library that loads another by its bare name, which only
 * its own RUNPATH can find.
 */
#include <dlfcn.h>
#include <stddef.h>

void *open_by_runpath(const char *name);

void *open_by_runpath(const char *name)
{
	void *handle = dlopen(name, RTLD_NOW);
	/* Not a tail call: the return address must be here. */
	__asm__ __volatile__("" ::: "memory");
	return handle;
}
