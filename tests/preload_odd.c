/*
 * preload_odd.c - programs that do odd things while they burn CPU time, for
 * preload-odd-long.sh: each must behave under the profiler as without it, and
 * its time must be in the profile.
 *
 *	preload_odd -list	the names of the ways
 *	preload_odd WAY		prints what it saw, and the CPU time it used
 */
#include "base/attr.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* So much of the calling thread's time. */
ON_STACK static void burn(double s)
{
	const double end = seconds(CLOCK_THREAD_CPUTIME_ID) + s;
	volatile unsigned x = 1;
	while (seconds(CLOCK_THREAD_CPUTIME_ID) < end)
		for (int i = 0; i < 5000; i++)
			x = x * 1664525 + 1013904223;
}

static void *burn_in_thread(void *arg)
{
	burn(0.2);
	return arg;
}

static int crowd(const pthread_attr_t *attr, void *(*run)(void *))
{
	enum { N = 4 };
	pthread_t t[N];
	for (int i = 0; i < N; i++)
		if (pthread_create(&t[i], attr, run, NULL))
			return 1;
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static int small_stacks(void)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	return pthread_attr_setstacksize(&attr, 16384) ||
	       crowd(&attr, burn_in_thread);
}

static void *load_and_burn(void *arg)
{
	for (int i = 0; i < 200; i++) {
		void *lib = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
		void *fn = lib ? dlsym(lib, "zlibVersion") : NULL;
		if (fn)
			((const char *(*)(void))fn)();
		if (lib)
			dlclose(lib);
	}
	burn(0.2);
	return arg;
}

static int loading_threads(void)
{
	return crowd(NULL, load_and_burn);
}

static int ended_well(pid_t pid)
{
	int status = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

static int vforks(void)
{
	for (int i = 0; i < 100; i++) {
		const pid_t pid = vfork();
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		if (!ended_well(pid))
			return 1;
		burn(0.004);
	}
	return 0;
}

static int spawns(void)
{
	char name[] = "true", *argv[] = { name, NULL };
	for (int i = 0; i < 100; i++) {
		pid_t pid;
		if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) ||
		    !ended_well(pid))
			return 1;
		burn(0.004);
	}
	return 0;
}

static _Atomic int handled;

static void burn_in_handler(int signo)
{
	(void)signo;
	burn(0.01);
	handled++;
}

/* 8 KiB, as programs make them. */
static int alternate_stack(void)
{
	static char room[8192];
	const stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	const struct sigaction sa = { .sa_handler = burn_in_handler,
				      .sa_flags = SA_ONSTACK | SA_RESTART };
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 40; i++)
		raise(SIGUSR1);
	return handled != 40;
}

static sigjmp_buf back;

static void jump(int signo)
{
	(void)signo;
	siglongjmp(back, 1);
}

/* Out of a handler, that may itself have found ours. */
static int jumps(void)
{
	const struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	const double end = seconds(CLOCK_THREAD_CPUTIME_ID) + 0.5;
	volatile int n = 0;
	/* Alarms go by the clock: the first may come before we run again. */
	if (sigsetjmp(back, 1) == 0) {
		signal(SIGALRM, jump);
		setitimer(ITIMER_REAL, &often, NULL);
	}
	while (seconds(CLOCK_THREAD_CPUTIME_ID) < end) {
		if (sigsetjmp(back, 1) == 0)
			burn(0.05);
		else
			n++;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	return n < 5;
}

static ucontext_t scheduler, coroutine;

static void burn_in_coroutine(void)
{
	for (;;) {
		burn(0.01);
		swapcontext(&coroutine, &scheduler);
	}
}

static int coroutines(void)
{
	static char room[32768];
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = room;
	coroutine.uc_stack.ss_size = sizeof(room);
	makecontext(&coroutine, burn_in_coroutine, 0);
	for (int i = 0; i < 40; i++)
		swapcontext(&scheduler, &coroutine);
	return 0;
}

static int burn_in_clone(void *arg)
{
	(void)arg;
	burn(0.1);
	return 0;
}

/* A process in our memory, with our TLS: it waits for none. */
static int raw_clone(void)
{
	enum { ROOM = 65536 };
	char *room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (room == MAP_FAILED)
		return 1;
	const pid_t pid =
		clone(burn_in_clone, room + ROOM, CLONE_VM | SIGCHLD, NULL);
	burn(0.2);
	return !ended_well(pid);
}

static int no_new_privileges(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	return crowd(NULL, burn_in_thread);
}

static int no_signals_pending(void)
{
	const struct rlimit none = { 0, 0 };
	return setrlimit(RLIMIT_SIGPENDING, &none) ||
	       crowd(NULL, burn_in_thread);
}

/* timer_create fails with that. */
static int filtered(unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_timer_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ||
	       crowd(NULL, burn_in_thread);
}

static int timers_forbidden(void)
{
	return filtered(EPERM);
}

static int timers_unknown(void)
{
	return filtered(ENOSYS);
}

static int closes_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	burn(0.4);
	/* And the numbers are the program's. */
	const int fd = open("/dev/null", O_RDONLY);
	return fd != 3 || close(fd);
}

static int blocks_all(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	burn(0.4);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "small_stacks", small_stacks },
	{ "loading_threads", loading_threads },
	{ "vforks", vforks },
	{ "spawns", spawns },
	{ "alternate_stack", alternate_stack },
	{ "jumps", jumps },
	{ "coroutines", coroutines },
	{ "raw_clone", raw_clone },
	{ "no_new_privileges", no_new_privileges },
	{ "no_signals_pending", no_signals_pending },
	{ "timers_forbidden", timers_forbidden },
	{ "timers_unknown", timers_unknown },
	{ "closes_all", closes_all },
	{ "blocks_all", blocks_all },
};

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (!strcmp(way, "-list"))
			puts(ways[i].name);
		if (strcmp(way, ways[i].name) != 0)
			continue;
		const int rc = ways[i].run();
		printf("%d %.3f\n", rc, seconds(CLOCK_PROCESS_CPUTIME_ID));
		return rc;
	}
	return strcmp(way, "-list") != 0 ? 2 : 0;
}
