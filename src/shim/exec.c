/*
 * exec.c - the exec family, so that no signal of a perf event is pending when
 * the new program begins: there it would be deadly.  (POSIX timers, and their
 * signals, the kernel takes away itself.)
 *
 * All of it may be called in a vfork child, and from a signal handler, so
 * nothing is allocated: a long argument list of execl is mapped.
 */
#include "base/attr.h"
#include "pprof/guard.h"
#include "pprof/hooks.h"
#include "shim/real.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int exec_fn(const char *, char *const[], char *const[]);
typedef int fexec_fn(int, char *const[], char *const[]);
typedef int execat_fn(int, const char *, char *const[], char *const[], int);

SHIM_REAL(real_execve, exec_fn, "execve", NULL, NULL);
SHIM_REAL(real_execvpe, exec_fn, "execvpe", NULL, NULL);
SHIM_REAL(real_fexecve, fexec_fn, "fexecve", NULL, NULL);
SHIM_REAL(real_execveat, execat_fn, "execveat", NULL, NULL);

/* Only a failure comes back. */
static int failed(int rc)
{
	const int saved = errno;
	hooks_exec_failed();
	errno = saved;
	return rc;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	hooks_exec_begin();
	return failed(real_execve()(path, argv, envp));
}

int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
	hooks_exec_begin();
	return failed(real_execvpe()(file, argv, envp));
}

int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
	hooks_exec_begin();
	return failed(real_fexecve()(fd, argv, envp));
}

int execveat(int fd, const char *path, char *const argv[], char *const envp[],
	     int flags)
{
	hooks_exec_begin();
	return failed(real_execveat()(fd, path, argv, envp, flags));
}

/* ---- the variadic ones --------------------------------------------------- */

enum { ARGS_INLINE = 64 };

struct args {
	char *inlined[ARGS_INLINE];
	char **argv;
	size_t mapped;
	char *const *envp; /* after the NULL, for execle */
};

/* The arguments up to NULL, and what follows it if with_env. */
static int collect(struct args *a, const char *arg, va_list ap, bool with_env)
{
	va_list count;
	va_copy(count, ap);
	size_t n = 0;
	for (const char *p = arg; p; p = va_arg(count, const char *))
		n++;
	va_end(count);
	a->argv = a->inlined;
	a->mapped = 0;
	if (n >= ARGS_INLINE) {
		a->mapped = (n + 1) * sizeof(char *);
		a->argv = mmap(NULL, a->mapped, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (a->argv == MAP_FAILED)
			return -1;
	}
	const char *p = arg;
	for (size_t i = 0; i < n; i++, p = va_arg(ap, const char *))
		a->argv[i] = (char *)(size_t)p;
	a->argv[n] = NULL;
	a->envp = with_env ? va_arg(ap, char *const *) : environ;
	return 0;
}

static int drop(struct args *a, int rc)
{
	const int saved = errno;
	if (a->mapped)
		munmap(a->argv, a->mapped);
	errno = saved;
	return rc;
}

int execl(const char *path, const char *arg, ...)
{
	struct args a;
	va_list ap;
	va_start(ap, arg);
	const int rc = collect(&a, arg, ap, false);
	va_end(ap);
	return rc ? rc : drop(&a, execve(path, a.argv, a.envp));
}

int execle(const char *path, const char *arg, ...)
{
	struct args a;
	va_list ap;
	va_start(ap, arg);
	const int rc = collect(&a, arg, ap, true);
	va_end(ap);
	return rc ? rc : drop(&a, execve(path, a.argv, a.envp));
}

int execlp(const char *file, const char *arg, ...)
{
	struct args a;
	va_list ap;
	va_start(ap, arg);
	const int rc = collect(&a, arg, ap, false);
	va_end(ap);
	return rc ? rc : drop(&a, execvpe(file, a.argv, a.envp));
}

__attribute__((constructor)) static void announce(void)
{
	real_execve();
	real_execvpe();
	real_fexecve();
	real_execveat();
	hooks_announce(HOOKS_EXEC);
}
