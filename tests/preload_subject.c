/*
 * preload_subject.c - a program that knows nothing of the profiler, for
 * preload.sh to put it into.
 *
 *	preload_subject survive    allocate where allocating is hard
 *	preload_subject survive-apart  the same, but no fork amid a dlopen
 *	preload_subject daemon     become a daemon; print its pid; end when
 *	                           standard input ends
 *	preload_subject daemon2    the same, by two forks
 *	preload_subject daemon-thread  by a thread that is not the first
 *	preload_subject serve      end when standard input ends
 *	preload_subject cancel     end a thread by pthread_cancel
 *	preload_subject family     300 blocks by each of malloc's family, of
 *                           which 100 stay
 *	preload_subject leave      end the first thread, then the others; what
 *                           atexit registered says so
 *	preload_subject sigprof    handle SIGPROF, late; say how many came
 *	preload_subject closefrom  close all descriptors; end when standard
 *	                           input ends; what was opened is as written
 *	preload_subject close-each  the same, one by one
 *	preload_subject errno      errno, results and alignments are the
 *	                           allocator's own
 */
#include "base/attr.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *early;
static pthread_key_t key;
static _Atomic int destroyed, interrupted;

static void touch(void *p)
{
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

ON_STACK static void *allocate_before_main(size_t size)
{
	void *p = malloc(size);
	touch(p);
	return p;
}

__attribute__((constructor(101))) static void before_main(void)
{
	early = allocate_before_main(3000);
	free(allocate_before_main(4000));
}

ON_STACK static void *allocate_after_exit(size_t size)
{
	void *p = malloc(size);
	touch(p);
	return p;
}

static void at_exit(void)
{
	free(allocate_after_exit(5000));
	early = realloc(early, 100000);
	free(early);
}

ON_STACK static void *allocate_in_destructor(size_t size)
{
	void *p = calloc(1, size);
	touch(p);
	return p;
}

static void destroy(void *value)
{
	free(value);
	free(allocate_in_destructor(700));
	/* Once more, in the next round of destructors. */
	if (destroyed++ % 2 == 0)
		pthread_setspecific(key, malloc(10));
}

static void *allocate_in_thread(void *arg)
{
	pthread_setspecific(key, malloc(20));
	for (int i = 0; i < 1500; i++) {
		void *p = malloc((size_t)(i * 7) % 5000);
		p = realloc(p, (size_t)(i * 13) % 9000 + 1);
		free(p);
	}
	return arg;
}

/*
 * gperftools' tcmalloc, when its heap grows, walks its stack by
 * dl_iterate_phdr.  In a child forked while another thread had the loader's
 * lock, that waits for a thread that is not there.  Over it, forks are apart.
 */
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static bool apart;

static void *load_and_unload(void *arg)
{
	for (int i = 0; i < 100; i++) {
		if (apart)
			pthread_mutex_lock(&loading);
		void *lib = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
		if (lib)
			dlclose(lib);
		if (apart)
			pthread_mutex_unlock(&loading);
		free(malloc(100));
	}
	return arg;
}

static pid_t fork_amid(void)
{
	if (apart)
		pthread_mutex_lock(&loading);
	const pid_t pid = fork();
	if (apart)
		pthread_mutex_unlock(&loading);
	return pid;
}

static void on_alarm(int signo)
{
	(void)signo;
	interrupted++;
}

static int survive(void)
{
	atexit(at_exit);
	pthread_key_create(&key, destroy);
	signal(SIGALRM, on_alarm);
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	setitimer(ITIMER_REAL, &often, NULL);
	for (int round = 0; round < 3; round++) {
		pthread_t threads[6];
		for (int i = 0; i < 6; i++)
			pthread_create(&threads[i], NULL,
				       i ? allocate_in_thread : load_and_unload,
				       NULL);
		const pid_t pid = fork_amid();
		if (pid == 0) {
			signal(SIGALRM, SIG_DFL);
			alarm(30);
			free(malloc(50000));
			void *p = realloc(malloc(10), 200000);
			free(p);
			_exit(p ? 0 : 1);
		}
		for (int i = 0; i < 6; i++)
			pthread_join(threads[i], NULL);
		int status = -1;
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (status != 0) {
			printf("child: %#x\n", (unsigned)status);
			return 1;
		}
	}
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &never, NULL);
	printf("survived, %s, destroyed %d\n",
	       interrupted ? "interrupted" : "quiet", destroyed);
	return 0;
}

ON_STACK static int wait_for_input(void)
{
	char buf[64];
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
	return 0;
}

static int become_daemon(int forks)
{
	for (int i = 0; i < forks; i++) {
		if (fork() != 0)
			_exit(0);
		if (i == 0)
			setsid();
	}
	printf("pid %d\n", (int)getpid());
	fflush(stdout);
	return wait_for_input();
}

static void *daemon_in_thread(void *arg)
{
	exit(become_daemon(1));
	return arg;
}

static int become_daemon_in_thread(void)
{
	pthread_t t;
	if (pthread_create(&t, NULL, daemon_in_thread, NULL) == 0)
		pthread_join(t, NULL);
	return 1;
}

static void *wait_for_ever(void *arg)
{
	free(malloc(1000));
	for (;;)
		pause();
	return arg;
}

static int cancel(void)
{
	pthread_t t;
	void *result = NULL;
	pthread_create(&t, NULL, wait_for_ever, NULL);
	pthread_cancel(t);
	pthread_join(t, &result);
	puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
	return result == PTHREAD_CANCELED ? 0 : 1;
}

static _Atomic int own_ticks, foreign_ticks;

static void on_own_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (info->si_code == SI_KERNEL)
		own_ticks++;
	else
		foreign_ticks++;
}

ON_STACK static void burn_under_own_timer(void)
{
	struct timespec now;
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_sec == 0 && now.tv_nsec < 600000000);
}

/* Those of its own interval timer, and of nobody else's. */
static int own_sigprof(void)
{
	const struct itimerval every = { { 0, 10000 }, { 0, 10000 } };
	const struct sigaction sa = { .sa_sigaction = on_own_tick,
				      .sa_flags = SA_SIGINFO | SA_RESTART };
	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
	burn_under_own_timer();
	printf("%d of its own, %d of others\n", own_ticks, foreign_ticks);
	return own_ticks >= 10 && foreign_ticks == 0 ? 0 : 1;
}

/* A program that does not trust what it inherited.  Its files then have the
 * numbers of what was open before. */
static int close_all(bool each)
{
	FILE *files[64];
	int bad = 0;
	/* Again and again, while the threads of the last time still start. */
	for (int i = 0; !each && i < 20; i++)
		closefrom(3);
	for (int fd = 3; each && fd < 300; fd++)
		close(fd);
	for (int i = 0; i < 64; i++) {
		files[i] = tmpfile();
		bad |= !files[i] || write(fileno(files[i]), "mine", 4) != 4;
	}
	puts("closed");
	fflush(stdout);
	bad |= wait_for_input();
	for (int i = 0; !bad && i < 64; i++)
		bad = lseek(fileno(files[i]), 0, SEEK_END) != 4;
	return bad;
}

static void say_end(void)
{
	puts("ended");
}

static void *work_a_while(void *arg)
{
	for (volatile int i = 0; i < 30000000; i++)
		;
	return arg;
}

static int leave(void)
{
	pthread_t t;
	atexit(say_end);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&t, NULL, work_a_while, NULL) ||
		    pthread_detach(t))
			return 1;
	pthread_exit(NULL);
}

/* ---- as without us ------------------------------------------------------- */

static int failures;

static void expect(bool ok, const char *what)
{
	if (!ok) {
		printf("not as it should be: %s\n", what);
		failures++;
	}
}

static bool aligned(const void *p, size_t alignment)
{
	return p && (uintptr_t)p % alignment == 0;
}

static int check_errno(void)
{
	volatile size_t huge = SIZE_MAX / 2 + 1, much = SIZE_MAX / 4;
	for (int i = 0; i < 1200; i++) {
		errno = 77;
		void *p = malloc((size_t)i);
		expect(p && errno == 77, "malloc keeps errno");
		expect(aligned(p, 16), "malloc aligns to 16");
		expect(malloc_usable_size(p) >= (size_t)i, "usable size");
		memset(p, i, (size_t)i);
		p = realloc(p, (size_t)i + 100);
		expect(p && errno == 77, "realloc keeps errno");
		expect(i == 0 ||
			       ((unsigned char *)p)[i - 1] == (unsigned char)i,
		       "realloc keeps what is written");
		free(p);
		expect(errno == 77, "free keeps errno");
		for (size_t a = 8; a <= 65536; a *= 8) {
			void *q = NULL;
			expect(posix_memalign(&q, a, (size_t)i) == 0 &&
				       aligned(q, a) && errno == 77,
			       "posix_memalign");
			free(q);
			q = memalign(a, (size_t)i);
			expect(aligned(q, a), "memalign");
			free(q);
			q = aligned_alloc(a, (size_t)i);
			expect(aligned(q, a), "aligned_alloc");
			free(q);
		}
	}
	free(NULL);
	errno = 0;
	expect(!malloc(huge) && errno == ENOMEM, "malloc of too much");
	errno = 0;
	expect(!calloc(huge, 4) && errno == ENOMEM, "calloc that overflows");
	errno = 0;
	expect(!calloc(much, 1) && errno == ENOMEM, "calloc of too much");
	errno = 0;
	expect(!reallocarray(NULL, huge, 4) && errno == ENOMEM,
	       "reallocarray that overflows");
	void *p = (void *)16;
	errno = 55;
	expect(posix_memalign(&p, 24, 10) == EINVAL && p == (void *)16 &&
		       errno == 55,
	       "posix_memalign of no alignment");
	expect(posix_memalign(&p, 64, much) == ENOMEM, "posix_memalign");
	p = valloc(10);
	expect(aligned(p, (size_t)getpagesize()), "valloc");
	free(p);
	p = pvalloc(10);
	expect(aligned(p, (size_t)getpagesize()) &&
		       malloc_usable_size(p) >= (size_t)getpagesize(),
	       "pvalloc");
	free(p);
	expect(malloc_usable_size(NULL) == 0, "usable size of NULL");
	expect(!dlerror(), "dlerror tells nothing that is not the program's");
	/* Large blocks of zeros cost no memory before they are written. */
	struct mallinfo2 info = mallinfo2();
	(void)info;
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}

/* ---- the family ---------------------------------------------------------- */

#define BY(name, expression)                                                   \
	ON_STACK static void *by_##name(size_t size)                           \
	{                                                                      \
		void *p = expression;                                          \
		touch(p);                                                      \
		return p;                                                      \
	}

static void *from_posix_memalign(size_t size)
{
	void *p = NULL;
	return posix_memalign(&p, 64, size) == 0 ? p : NULL;
}

BY(malloc, malloc(size))
BY(calloc, calloc(size / 8, 8))
BY(realloc, realloc(NULL, size))
BY(reallocarray, reallocarray(NULL, size / 8, 8))
BY(posix_memalign, from_posix_memalign(size))
BY(aligned_alloc, aligned_alloc(64, size))
BY(memalign, memalign(128, size))
BY(valloc, valloc(size))
BY(pvalloc, pvalloc(size))

/* Every third stays, every third is freed, every third is moved by realloc:
 * the end of one block, and of the new one, elsewhere. */
static int family(void)
{
	static void *(*const all[])(size_t) = {
		by_malloc,	 by_calloc,	    by_realloc,
		by_reallocarray, by_posix_memalign, by_aligned_alloc,
		by_memalign,	 by_valloc,	    by_pvalloc,
	};
	for (size_t f = 0; f < sizeof(all) / sizeof(*all); f++)
		for (int i = 0; i < 300; i++) {
			unsigned char *p = all[f](4096);
			if (!p || malloc_usable_size(p) < 4096)
				return 1;
			memset(p, i, 4096);
			if (i % 3 == 1)
				free(p);
			if (i % 3 != 2)
				continue;
			p = realloc(p, 9000);
			if (!p || p[4095] != (unsigned char)i)
				return 1;
			free(p);
		}
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	apart = !strcmp(mode, "survive-apart");
	if (apart || !strcmp(mode, "survive"))
		return survive();
	if (!strcmp(mode, "daemon"))
		return become_daemon(1);
	if (!strcmp(mode, "daemon2"))
		return become_daemon(2);
	if (!strcmp(mode, "daemon-thread"))
		return become_daemon_in_thread();
	if (!strcmp(mode, "serve"))
		return wait_for_input();
	if (!strcmp(mode, "closefrom") || !strcmp(mode, "close-each"))
		return close_all(!strcmp(mode, "close-each"));
	if (!strcmp(mode, "cancel"))
		return cancel();
	if (!strcmp(mode, "sigprof"))
		return own_sigprof();
	if (!strcmp(mode, "leave"))
		return leave();
	if (!strcmp(mode, "family"))
		return family();
	if (!strcmp(mode, "errno"))
		return check_errno();
	return 2;
}
