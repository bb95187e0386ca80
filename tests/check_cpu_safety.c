/*
 * check_cpu_safety.c - a profiled program behaves as if it were not, and what
 * cannot be sampled is counted by its cause.
 */
#include "tests/cpu_testing.h"

#include "pprof/sampler.h"
#include "pprof/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

ON_STACK static void burn_plain(int64_t ns)
{
	burn(ns);
}

/* ---- lost, by cause ------------------------------------------------------ */

START_TEST(lost_table_full)
{
	struct pprof_capture *c = capture_begin(100);
	uintptr_t pcs[2] = { 0x1000, 1 };
	const struct stack stack = { .pcs = pcs, .depth = 2 };
	while (stack_table_find(sampler_table(), &stack, 0, 0))
		pcs[1]++;
	ck_assert_int_gt(pcs[1], 60000);
	burn_plain(300 * MS);
	struct profile *p = capture_end(c);
	const int64_t lost = count_of(p, "_LostTableFull", NULL);
	/* None of burn_plain's stacks was there before. */
	ck_assert_int_eq(count_of(p, "burn_plain", NULL), 0);
	ck_assert_msg(is_at_least(p, lost, 27), "%s", describe(p));
	ck_assert(has_comment(p, "lost samples: table_full"));
	ck_assert(counter("lost_samples_total") >= (double)lost);
	profile_free(p);
}
END_TEST

/* The unwinder is at work in a hook when the signal comes, and the engine is
 * one that cannot be entered twice. */
START_TEST(lost_reentry)
{
	setenv("PPROF_UNWINDER", "libunwind", 1);
	struct pprof_capture *c = capture_begin(200);
	unwind_warm_thread();
	ck_assert(unwind_engine_available(UNWIND_LIBUNWIND));
	ck_assert(unwind_thread_is_warm());
	uintptr_t pcs[64];
	const int64_t end = clock_thread_cpu_ns() + 500 * MS;
	while (clock_thread_cpu_ns() < end)
		for (int i = 0; i < 200; i++)
			unwind_from_here(UNWIND_LIBUNWIND, 0, pcs, 64);
	struct profile *p = capture_end(c);
	const int64_t lost = count_of(p, "_LostReentry", NULL);
	ck_assert_int_gt(lost, 10);
	ck_assert(has_comment(p, "lost samples: reentry"));
	ck_assert_msg(count_of(p, NULL, NULL) >= 97, "%s", describe(p));
	profile_free(p);
}
END_TEST

/* The same with an engine that can: then nothing is lost. */
START_TEST(reentry_is_avoided)
{
	struct pprof_capture *c = capture_begin(200);
	unwind_warm_thread();
	uintptr_t pcs[64];
	const int64_t end = clock_thread_cpu_ns() + 300 * MS;
	while (clock_thread_cpu_ns() < end)
		for (int i = 0; i < 200; i++)
			unwind_from_here(UNWIND_LIBUNWIND, 0, pcs, 64);
	struct profile *p = capture_end(c);
	ck_assert_int_eq(count_of(p, "_LostReentry", NULL), 0);
	ck_assert_msg(is_at_least(p, count_of(p, "reentry_is_avoided_fn", NULL),
				  57),
		      "%s", describe(p));
	profile_free(p);
}
END_TEST

START_TEST(lost_no_timer)
{
	struct rlimit before, none;
	ck_assert_int_eq(getrlimit(RLIMIT_SIGPENDING, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	struct pprof_capture *c = capture_begin(100);
	burn_plain(300 * MS);
	/* The limit goes, and the control thread tries again. */
	ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &before), 0);
	while (timers_open() == 0)
		sched_yield();
	burn_plain(300 * MS);
	struct profile *p = capture_end(c);
	const int64_t lost = count_of(p, "_LostNoTimer", NULL);
	ck_assert_msg(is_at_least(p, lost, 28), "%lld%s", (long long)lost,
		      describe(p));
	ck_assert_msg(is_at_least(p, count_of(p, "burn_plain", NULL), 25), "%s",
		      describe(p));
	ck_assert(has_comment(p, "lost samples: no_timer"));
	ck_assert(has_comment(p, "EAGAIN"));
	profile_free(p);
}
END_TEST

/* As a service manager does: this system call fails from now on. */
static void forbid(int number)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { .len = 4, .filter = rows };
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter),
			 0);
}

START_TEST(timers_are_forbidden)
{
	forbid(SYS_timer_create);
	struct pprof_capture *c = capture_begin(100);
	burn_plain(300 * MS);
	struct profile *p = capture_end(c);
	ck_assert_msg(is_at_least(p, count_of(p, "_LostNoTimer", NULL), 28),
		      "%s", describe(p));
	ck_assert(has_comment(p, "timer_create: EPERM, see the process's "
				 "seccomp filter"));
	profile_free(p);
}
END_TEST

/* As where a chroot has no /proc: the threads cannot be listed. */
START_TEST(no_threads_can_be_listed)
{
	struct rlimit before, none;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	char reason[64] = "";
	const struct pprof_capture_options o = {
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	struct pprof_capture *c = NULL;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	const int rc = pprof_capture_start("profile", &o, &c);
	const int error = errno;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(rc, PPROF_ERR_IO);
	ck_assert_int_eq(error, EMFILE);
	ck_assert_str_eq(reason, "/proc/self/task cannot be read");
	/* It left nothing behind. */
	c = capture_begin(100);
	burn_plain(200 * MS);
	struct profile *p = capture_end(c);
	ck_assert_about(count_of(p, "burn_plain", NULL), 20, p);
	profile_free(p);
}
END_TEST

static pthread_barrier_t barrier;

static void block_sigprof(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *burn_blocked_and_end(void *arg)
{
	block_sigprof();
	burn_plain(300 * MS);
	return arg;
}

static void *burn_blocked_and_wait(void *arg)
{
	block_sigprof();
	burn_plain(300 * MS);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return arg;
}

/* Both that which ends, and that which is there when the window ends. */
START_TEST(lost_blocked)
{
	pthread_t ends, waits;
	pthread_barrier_init(&barrier, NULL, 2);
	struct pprof_capture *c = capture_begin(100);
	ck_assert_int_eq(
		pthread_create(&ends, NULL, burn_blocked_and_end, NULL), 0);
	ck_assert_int_eq(
		pthread_create(&waits, NULL, burn_blocked_and_wait, NULL), 0);
	pthread_join(ends, NULL);
	pthread_barrier_wait(&barrier);
	struct profile *p = capture_end(c);
	pthread_barrier_wait(&barrier);
	pthread_join(waits, NULL);
	ck_assert_about(count_of(p, "_LostBlocked", NULL), 60, p);
	ck_assert(has_comment(p, "lost samples: blocked"));
	ck_assert_int_eq(count_of(p, "burn_plain", NULL), 0);
	profile_free(p);
}
END_TEST

/* What was counted as lost is not counted again when it is delivered. */
static void *burn_blocked_then_open(void *arg)
{
	sigset_t set;
	block_sigprof();
	/* Until the control thread has noticed: it looks once a second. */
	while (counter("lost_samples_total") == 0)
		burn_plain(10 * MS);
	const int64_t blocked = clock_thread_cpu_ns();
	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	burn_plain(200 * MS);
	*(int64_t *)arg = blocked;
	return NULL;
}

START_TEST(blocked_then_open)
{
	int64_t blocked;
	pthread_t thread;
	struct pprof_capture *c = capture_begin(100);
	ck_assert_int_eq(pthread_create(&thread, NULL, burn_blocked_then_open,
					&blocked),
			 0);
	pthread_join(thread, NULL);
	struct profile *p = capture_end(c);
	ck_assert_about(count_of(p, NULL, "main"),
			(blocked + 200 * MS) / (10 * MS), p);
	ck_assert_about(count_of(p, "_LostBlocked", NULL), blocked / (10 * MS),
			p);
	profile_free(p);
}
END_TEST

/* ---- signals ------------------------------------------------------------- */

START_TEST(late_and_foreign_signals_do_nothing)
{
	union sigval junk = { .sival_ptr = (void *)0x9f1b000000010001 };
	struct pprof_capture *c = capture_begin(100);
	for (int i = 0; i < 50; i++) {
		raise(SIGPROF);
		kill(getpid(), SIGPROF);
		sigqueue(getpid(), SIGPROF, junk);
	}
	struct profile *p = capture_end(c);
	ck_assert_msg(count_of(p, NULL, NULL) <= 5, "%s", describe(p));
	profile_free(p);
	/* Never back to SIG_DFL, or this would be the end. */
	raise(SIGPROF);
	kill(getpid(), SIGPROF);
	ck_assert(counter("cpu_signals_late_total") >= 100);
}
END_TEST

static atomic_int programs_own;

static void programs_handler(int signo)
{
	(void)signo;
	programs_own++;
}

START_TEST(the_programs_sigprof_is_left_alone)
{
	struct sigaction action = { .sa_handler = programs_handler };
	sigaction(SIGPROF, &action, NULL);
	struct pprof_capture *c = capture_begin(100);
	burn_plain(200 * MS);
	raise(SIGPROF);
	struct profile *p = capture_end(c);
	ck_assert_int_eq(programs_own, 1);
	ck_assert_about(count_of(p, "burn_plain", NULL), 20, p);
	ck_assert(has_comment(p, "SIGPROF belongs to the program"));
	profile_free(p);
}
END_TEST

static const struct {
	const char *name, *value;
	int rc, signo;
} signals[] = {
	{ "by number", "40", 0, 40 },
	{ "by name", "SIGPROF", 0, SIGPROF },
	{ "real-time", "RTMIN+3", 0, 37 },
	{ "no signal", "banana", PPROF_ERR_UNSUPPORTED, 0 },
	{ "out of range", "65", PPROF_ERR_UNSUPPORTED, 0 },
	{ "cannot be caught", "9", PPROF_ERR_UNSUPPORTED, 0 },
};

START_TEST(pprof_signal_chooses)
{
	char comment[64];
	struct pprof_capture *c = NULL;
	setenv("PPROF_SIGNAL", signals[_i].value, 1);
	const int rc = pprof_capture_start("profile", NULL, &c);
	ck_assert_msg(rc == signals[_i].rc, "%s: %d", signals[_i].name, rc);
	if (rc)
		return;
	burn_plain(200 * MS);
	struct profile *p = capture_end(c);
	snprintf(comment, sizeof(comment), "signal %d", signals[_i].signo);
	ck_assert_msg(has_comment(p, comment), "%s%s", signals[_i].name,
		      describe(p));
	ck_assert_about(count_of(p, "burn_plain", NULL), 20, p);
	profile_free(p);
}
END_TEST

START_TEST(errno_is_kept)
{
	struct pprof_capture *c = capture_begin(1000);
	const int64_t end = clock_thread_cpu_ns() + 300 * MS;
	errno = 1234;
	while (clock_thread_cpu_ns() < end)
		ck_assert_int_eq(errno, 1234);
	struct profile *p = capture_end(c);
	ck_assert(is_at_least(p, count_of(p, "errno_is_kept_fn", NULL), 200));
	profile_free(p);
}
END_TEST

ON_STACK static void burn_on_altstack(int signo)
{
	(void)signo;
	burn(200 * MS);
}

/* From what was once called enough, up. */
static const size_t altstacks[] = { 8192, 10240, 12288, 16384, 65536 };

START_TEST(alternate_stack)
{
	const size_t size = altstacks[_i];
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	/* A page that must not be touched lies below it. */
	char *memory = mmap(NULL, page + size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	mprotect(memory, page, PROT_NONE);
	const stack_t stack = { .ss_sp = memory + page, .ss_size = size };
	ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
	struct sigaction action = { .sa_handler = burn_on_altstack,
				    .sa_flags = SA_ONSTACK };
	sigaction(SIGUSR1, &action, NULL);
	/*
	 * The kernel itself puts two frames there, the program's signal's and
	 * ours; with the widest registers 8 KiB hold no more than that.
	 */
	if ((size_t)sysconf(_SC_MINSIGSTKSZ) * 2 + 2048 > size)
		return;
	struct pprof_capture *c = capture_begin(100);
	raise(SIGUSR1);
	struct profile *p = capture_end(c);
	/* Where there is no room to unwind there is still the pc. */
	ck_assert_about(count_of(p, NULL, NULL), 20, p);
	if (size >= 16384) {
		ck_assert_about(count_of(p, "burn_on_altstack", NULL), 20, p);
		ck_assert_about(count_of(p, "main", NULL), 20, p);
	}
	profile_free(p);
}
END_TEST

/* ---- threads that are not glibc's ---------------------------------------- */

static _Atomic int32_t raw_tid;
static atomic_bool raw_stop;
static _Atomic int64_t raw_ns;

/* It has its creator's TLS: nothing here may use it. */
ON_STACK static int burn_raw(void *arg)
{
	struct timespec ts;
	(void)arg;
	while (!raw_stop)
		for (volatile int i = 0; i < 1000; i++)
			;
	syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &ts);
	raw_ns = ts.tv_sec * 1000 * MS + ts.tv_nsec;
	return 0;
}

START_TEST(raw_clone)
{
	enum { STACK = 65536 };
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	struct pprof_capture *c = capture_begin(100);
	raw_tid = 1;
	ck_assert_int_gt(clone(burn_raw, stack + STACK,
			       CLONE_VM | CLONE_FS | CLONE_FILES |
				       CLONE_SIGHAND | CLONE_THREAD |
				       CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
			       NULL, NULL, NULL, &raw_tid),
			 0);
	burn_plain(500 * MS);
	raw_stop = true;
	while (raw_tid)
		syscall(SYS_futex, &raw_tid, FUTEX_WAIT, 1, NULL);
	struct profile *p = capture_end(c);
	int64_t raw = count_of(p, "burn_raw", NULL);
	/* What it used before a scan found it, and since the last one. */
	raw += count_of(p, "_ThreadUnseen", NULL) +
	       count_of(p, "_ThreadExit", NULL);
	const int64_t want = raw_ns / (10 * MS);
	ck_assert_msg(is_at_least(p, raw, want - 14) && raw <= want + 2,
		      "%lld, not %lld%s", (long long)raw, (long long)want,
		      describe(p));
	for (size_t i = 0; i < p->n_samples; i++)
		if (sample_has(p, i, "burn_raw"))
			ck_assert_int_eq(p->sample_locs[i].count, 1);
	/* The one whose TLS it shares keeps its whole stacks. */
	ck_assert_about(count_of(p, "burn_plain", NULL), 50, p);
	ck_assert_about(count_of(p, "main", NULL), 50, p);
	profile_free(p);
}
END_TEST

/* ---- fork and exec ------------------------------------------------------- */

static const struct {
	const char *name;
	int hz;
} rates[] = {
	{ "timers", 100 },
	{ "above the tick", 4000 },
};

enum { CHILD_MS = 40000 }; /* a deadlock ends as a failure */

/* Exit codes instead of assertions: this is the child. */
static int child_of_fork(struct pprof_capture *parents)
{
	if (timers_open() != 0)
		return 10;
	if (pprof_capture_stop(parents) != PPROF_ERR_INVALID)
		return 11;
	burn_plain(30 * MS); /* no signal comes */
	struct pprof_capture *c = NULL;
	const struct pprof_capture_options options = { .hz = 50 };
	if (pprof_capture_start("profile", &options, &c))
		return 12;
	burn_plain(400 * MS);
	if (pprof_capture_stop(c))
		return 13;
	struct profile *p = capture_read(c);
	const int64_t n = count_of(p, "burn_plain", NULL);
	if (!is_about(p, n, 20))
		return 14;
	if (timers_open() != 0)
		return 15;
	return 0;
}

static bool ends_in_time(pid_t pid)
{
	const int64_t end = clock_monotonic_ns() + CHILD_MS * MS;
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0),
			    .events = POLLIN };
	int ready;
	if (p.fd < 0)
		return true; /* before Linux 5.3; Check's limit must do */
	do {
		const int64_t left = end - clock_monotonic_ns();
		ready = poll(&p, 1, left > 0 ? (int)(left / MS) : 0);
	} while (ready < 0 && errno == EINTR);
	close(p.fd);
	return ready != 0;
}

/* How a child ended.  One that hangs is killed: none is left behind. */
static int wait_for(pid_t pid)
{
	int status;
	const bool in_time = ends_in_time(pid);
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	ck_assert_msg(in_time, "a child hung for %d s", CHILD_MS / 1000);
	return status;
}

START_TEST(fork_while_profiling)
{
	struct pprof_capture *c = capture_begin(rates[_i].hz);
	burn_plain(100 * MS);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(child_of_fork(c));
	burn_plain(100 * MS);
	const int status = wait_for(pid);
	struct profile *p = capture_end(c);
	ck_assert_msg(status == 0, "%s: status %#x", rates[_i].name, status);
	const int64_t want = rates[_i].hz / 5;
	const int64_t got = count_of(p, "burn_plain", NULL);
	ck_assert_msg(is_at_least(p, got, want * 85 / 100 - 2) &&
			      got < want * 110 / 100 + 2 + points_of_gap(p),
		      "%s: %lld, not %lld%s", rates[_i].name, (long long)got,
		      (long long)want, describe(p));
	profile_free(p);
}
END_TEST

/* Many threads are at work, so that the fork falls into all they do. */
static atomic_bool go_on;

static void *burn_a_little(void *arg)
{
	burn_plain(1 * MS);
	return arg;
}

static void *churn(void *arg)
{
	do {
		pthread_t t;
		if (pthread_create(&t, NULL, burn_a_little, arg) == 0)
			pthread_join(t, NULL);
		burn_plain(1 * MS);
	} while (go_on);
	return NULL;
}

START_TEST(fork_amid_births)
{
	pthread_t threads[2];
	go_on = true;
	struct pprof_capture *c = capture_begin(rates[_i].hz);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, churn, NULL);
	for (int i = 0; i < 20; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			pthread_t t;
			if (pthread_create(&t, NULL, churn, NULL))
				_exit(20);
			struct pprof_capture *mine;
			if (pprof_capture_start("profile", NULL, &mine))
				_exit(21);
			burn_plain(5 * MS);
			_exit(pprof_capture_stop(mine) ? 22 : 0);
		}
		const int status = wait_for(pid);
		ck_assert_msg(status == 0, "%s: status %#x", rates[_i].name,
			      status);
	}
	go_on = false;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	profile_free(capture_end(c));
}
END_TEST

/* A signal that waits for the new program would kill it. */
START_TEST(exec_while_profiling)
{
	for (int i = 0; i < 20; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			struct pprof_capture *c;
			const struct pprof_capture_options o = {
				.hz = rates[_i].hz
			};
			if (pprof_capture_start("profile", &o, &c))
				_exit(30);
			burn_plain(5 * MS);
			execl("/nonexistent", "nonexistent", NULL);
			if (errno != ENOENT)
				_exit(31);
			burn_plain(2 * MS);
			execlp("true", "true", NULL);
			_exit(32);
		}
		const int status = wait_for(pid);
		ck_assert_msg(status == 0, "%s: status %#x", rates[_i].name,
			      status);
	}
}
END_TEST

/* ---- loading ------------------------------------------------------------- */

static void *open_built(const char *name)
{
	const char *builddir = getenv("top_builddir");
	char path[4096];
	snprintf(path, sizeof(path), "%s/tests/.libs/%s",
		 builddir ? builddir : ".", name);
	void *handle = dlopen(path, RTLD_NOW);
	ck_assert_msg(handle != NULL, "%s", dlerror());
	return handle;
}

/* The real dlopen must see who called, not us: a library finds what it loads
 * by its own RUNPATH. */
START_TEST(dlopen_sees_its_caller)
{
	Dl_info ours, seen;
	ck_assert(dladdr((void *)dlopen_sees_its_caller_fn, &ours));
	ck_assert(dladdr(dlsym(RTLD_DEFAULT, "dlopen"), &seen));
	ck_assert_msg(ours.dli_fbase == seen.dli_fbase,
		      "dlopen is %s's, not the shim's", seen.dli_fname);
	ck_assert_ptr_null(dlopen("storm_object.so", RTLD_NOW));
	void *library = open_built("dlopen_caller.so");
	void *(*open_by_runpath)(const char *);
	*(void **)&open_by_runpath = dlsym(library, "open_by_runpath");
	void *handle = open_by_runpath("storm_object.so");
	ck_assert_msg(handle != NULL, "%s", dlerror());
	ck_assert_ptr_nonnull(dlsym(handle, "storm_object_work"));
	dlclose(handle);
	dlclose(library);
}
END_TEST

/* ---- rates above the tick ------------------------------------------------ */

START_TEST(above_the_tick)
{
	struct pprof_capture *c = capture_begin(1000);
	burn_plain(500 * MS);
	struct profile *p = capture_end(c);
	ck_assert_int_eq(p->period, 1000000);
	const int64_t n = count_of(p, "burn_plain", NULL);
	ck_assert_msg(is_at_least(p, n, 480) && n < 510 + points_of_gap(p),
		      "%lld%s", (long long)n, describe(p));
	if (has_comment(p, "engine: perf_event_open"))
		ck_assert(has_comment(p, "rate: 1000 Hz asked, 1000 Hz had"));
	else
		ck_assert(has_comment(p, "rate: 1000 Hz asked, 250 Hz had") ||
			  has_comment(p, "the kernel's tick"));
	profile_free(p);
}
END_TEST

static void *end_with_a_request(void *arg)
{
	pthread_cancel(pthread_self());
	return arg;
}

/* A perf event is closed at a thread's end, under the registry's lock, and
 * close is a cancellation point. */
START_TEST(cancelled_above_the_tick)
{
	struct pprof_capture *c = capture_begin(1000);
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		ck_assert_int_eq(pthread_create(&thread, NULL,
						end_with_a_request, NULL),
				 0);
		pthread_join(thread, NULL);
	}
	burn_plain(100 * MS);
	struct profile *p = capture_end(c);
	ck_assert_msg(is_at_least(p, count_of(p, "burn_plain", NULL), 80), "%s",
		      describe(p));
	profile_free(p);
}
END_TEST

static int discard(void *arg, const void *data, size_t len)
{
	(void)data;
	*(size_t *)arg += len;
	pthread_testcancel();
	return 0;
}

/* No assertion here: Check writes of each to a file, and that can be cancelled.
 * Returns: how many calls failed. */
static int take_and_write(size_t *len)
{
	const struct pprof_writer writer = { discard, len };
	static const char *const names[] = { "heap", "threads",
					     "threadcreate" };
	struct pprof_capture *c;
	int failed = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		failed += pprof_write_to(pprof_lookup(names[i]), NULL,
					 &writer) != 0;
	if (pprof_capture_start("profile", NULL, &c))
		return failed + 1;
	failed += pprof_capture_stop(c) != 0;
	failed += pprof_capture_write(c, &writer) != 0;
	pprof_capture_free(c);
	return failed;
}

struct take {
	size_t len;
	int failed;
};

static void *take_with_a_request(void *arg)
{
	struct take *take = arg;
	take->failed = -1;
	pthread_cancel(pthread_self());
	take->failed = take_and_write(&take->len);
	pthread_testcancel();
	return NULL;
}

/* Who takes a profile is cancelled when it has been taken: amid it, the locks
 * would stay with a thread that has gone. */
START_TEST(cancelled_while_taking)
{
	pthread_t thread;
	struct take take = { 0 };
	size_t later = 0;
	void *result;
	ck_assert_int_eq(
		pthread_create(&thread, NULL, take_with_a_request, &take), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert_int_eq(take.failed, 0);
	ck_assert_int_eq(take_and_write(&later), 0);
	ck_assert_msg(take.len > later / 2 && later > 1000, "%zu, %zu",
		      take.len, later);
}
END_TEST

/* No descriptors for perf events: threads make do with timers. */
START_TEST(above_the_tick_without_descriptors)
{
	struct pprof_capture *c = capture_begin(1000);
	pthread_t thread;
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	pthread_barrier_init(&barrier, NULL, 2);
	ck_assert_int_eq(
		pthread_create(&thread, NULL, burn_blocked_and_end, NULL), 0);
	pthread_join(thread, NULL);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	struct profile *p = capture_end(c);
	const int64_t n = count_of(p, "_LostBlocked", NULL);
	ck_assert_msg(is_at_least(p, n, 290) && n < 310 + points_of_gap(p),
		      "%s", describe(p));
	if (has_comment(p, "engine: perf_event_open"))
		ck_assert_msg(has_comment(p, "timer instead"), "%s",
			      describe(p));
	profile_free(p);
}
END_TEST

/* ---- what is left behind ------------------------------------------------- */

static void one_capture(int hz)
{
	pthread_t thread;
	struct pprof_capture *c = capture_begin(hz);
	go_on = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, churn, NULL), 0);
	pthread_join(thread, NULL);
	burn_plain(2 * MS);
	/* Not written: the symbolizer keeps files open. */
	pprof_capture_free(c);
}

START_TEST(nothing_is_left)
{
	/* The first one may make libunwind open its pipe. */
	one_capture(rates[_i].hz);
	const int fds = entries("/proc/self/fd");
	for (int i = 0; i < 20; i++) {
		one_capture(rates[_i].hz);
		ck_assert_int_eq(timers_open(), 0);
	}
	ck_assert_int_eq(entries("/proc/self/fd"), fds);
	ck_assert_int_eq(tasks_settle_at(3), 3); /* ".", "..", this one */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cpu_safety");
	TCase *t = tcase_create("lost");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, lost_table_full);
	tcase_add_test(t, lost_reentry);
	tcase_add_test(t, reentry_is_avoided);
	tcase_add_test(t, lost_no_timer);
	tcase_add_test(t, timers_are_forbidden);
	tcase_add_test(t, no_threads_can_be_listed);
	tcase_add_test(t, lost_blocked);
	tcase_add_test(t, blocked_then_open);
	suite_add_tcase(s, t);

	t = tcase_create("signals");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, late_and_foreign_signals_do_nothing);
	tcase_add_test(t, the_programs_sigprof_is_left_alone);
	testing_add_table(t, pprof_signal_chooses, signals);
	tcase_add_test(t, errno_is_kept);
	testing_add_table(t, alternate_stack, altstacks);
	tcase_add_test(t, raw_clone);
	suite_add_tcase(s, t);

	t = tcase_create("processes");
	tcase_set_timeout(t, 120);
	testing_add_table(t, fork_while_profiling, rates);
	testing_add_table(t, fork_amid_births, rates);
	testing_add_table(t, exec_while_profiling, rates);
	tcase_add_test(t, dlopen_sees_its_caller);
	tcase_add_test(t, above_the_tick);
	tcase_add_test(t, cancelled_above_the_tick);
	tcase_add_test(t, cancelled_while_taking);
	tcase_add_test(t, above_the_tick_without_descriptors);
	testing_add_table(t, nothing_is_left, rates);
	suite_add_tcase(s, t);
	return testing_run(s);
}
