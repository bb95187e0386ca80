/* thread_scan.c - what /proc/self/task knows of our threads; see thread.h. */
#include "pprof/thread.h"

#include "base/err.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct tids {
	pid_t *ids;
	size_t n, size; /* size in entries; mapped, kept */
};

/* One scan at a time; taken before the registry's lock. */
static pthread_mutex_t scan_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tids found; /* guard: scan_lock */
static uint32_t lists;	  /* guard: scan_lock */

enum { RETRIES = 3 };

static int tids_add(struct tids *t, pid_t tid)
{
	if (t->n == t->size) {
		const size_t size = t->size ? t->size * 2 : 1024;
		void *ids =
			mmap(NULL, size * sizeof(pid_t), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (ids == MAP_FAILED)
			return ERR_NOMEM;
		if (t->n)
			memcpy(ids, t->ids, t->n * sizeof(pid_t));
		if (t->ids)
			munmap(t->ids, t->size * sizeof(pid_t));
		t->ids = ids;
		t->size = size;
	}
	t->ids[t->n++] = tid;
	return 0;
}

static pid_t parse_tid(const char *name)
{
	pid_t tid = 0;
	for (; *name >= '0' && *name <= '9'; name++)
		tid = tid * 10 + (*name - '0');
	return *name ? 0 : tid;
}

/*
 * getdents64 itself: opendir would allocate, each time.
 *
 * Not all that it should: where a thread ends while the kernel stands at it,
 * others, which live on, are passed over.
 */
static int read_tids(int fd, struct tids *t)
{
	_Alignas(struct dirent64) char buf[4096];
	t->n = 0;
	for (;;) {
		const long len = syscall(SYS_getdents64, fd, buf, sizeof(buf));
		if (len == 0)
			return 0;
		if (len < 0)
			return ERR_IO;
		for (long at = 0; at < len;) {
			const struct dirent64 *d =
				(const struct dirent64 *)(buf + at);
			const pid_t tid = parse_tid(d->d_name);
			if (tid && tids_add(t, tid))
				return ERR_NOMEM;
			at += d->d_reclen;
		}
	}
}

/* How many threads there are: a folder's links are its folders, and two. */
static size_t count_threads(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_nlink > 2 ? st.st_nlink - 2 : 0;
}

/* Once more, where it is plain that some were passed over. */
static int read_all_tids(int fd, struct tids *t)
{
	for (int i = 0;; i++) {
		const int rc = read_tids(fd, t);
		if (rc || i == RETRIES || t->n >= count_threads(fd))
			return rc;
		if (lseek(fd, 0, SEEK_SET) < 0)
			return ERR_IO;
	}
}

/* Those that are known, and were passed over all the same. */
static int add_known(void (*fn)(pid_t tid, struct thread *t, void *arg),
		     void *arg)
{
	int n = 0;
	const pid_t pid = getpid();
	for (uint32_t i = 1; i < thread_limit(); i++) {
		struct thread *t = thread_at(i);
		if (t->state != THREAD_ALIVE || t->listed == lists ||
		    syscall(SYS_tgkill, pid, t->tid, 0) != 0)
			continue;
		fn(t->tid, t, arg);
		n++;
	}
	return n;
}

int thread_scan(void (*fn)(pid_t tid, struct thread *t, void *arg), void *arg)
{
	const int fd =
		open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	pthread_mutex_lock(&scan_lock);
	int rc = read_all_tids(fd, &found);
	close(fd);
	if (rc == 0) {
		thread_registry_lock();
		lists++;
		for (size_t i = 0; i < found.n; i++) {
			struct thread *t = thread_find(found.ids[i]);
			if (t)
				t->listed = lists;
			fn(found.ids[i], t, arg);
		}
		rc = (int)found.n + add_known(fn, arg);
		thread_registry_unlock();
	}
	pthread_mutex_unlock(&scan_lock);
	return rc;
}

/* The child must not inherit the lock from a thread that it does not have. */
static void forked(void)
{
	scan_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

__attribute__((constructor)) static void scan_init(void)
{
	pthread_atfork(NULL, NULL, forked);
}

bool thread_is_raw(pid_t tid)
{
	void *head = NULL;
	size_t len = 0;
	return syscall(SYS_get_robust_list, tid, &head, &len) == 0 && !head;
}

/* The whole file as text; false when the thread is gone. */
static bool read_task_file(pid_t tid, const char *name, char *text, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t len = 0;
	ssize_t n;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return len > 0;
}

int64_t thread_started_ns(pid_t tid)
{
	char text[1024];
	if (!read_task_file(tid, "stat", text, sizeof(text)))
		return -1;
	/* The name, field 2, may hold anything; field 22 is 20 further on. */
	const char *p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -1;
	const long hz = sysconf(_SC_CLK_TCK);
	return (int64_t)strtoull(p + 1, NULL, 10) * (1000000000 / hz);
}

char thread_kernel_state(pid_t tid)
{
	char text[1024];
	if (!read_task_file(tid, "stat", text, sizeof(text)))
		return '\0';
	const char *p = strrchr(text, ')');
	return p && p[1] == ' ' ? p[2] : '\0';
}

void thread_kernel_text(pid_t tid, const char *name, char *text, size_t size)
{
	if (!read_task_file(tid, name, text, size))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

int64_t thread_last_ran_ns(pid_t tid)
{
	char text[4096];
	if (!read_task_file(tid, "sched", text, sizeof(text)))
		return -1;
	const char *p = strstr(text, "se.exec_start");
	p = p ? strchr(p, ':') : NULL;
	/* Milliseconds, whatever the locale takes for a point. */
	return p ? (int64_t)strtoull(p + 1, NULL, 10) * 1000000 : -1;
}

/* The bit of a signal in one of the masks of a status file. */
static bool has_signal(const char *text, const char *mask, int signo)
{
	const char *p = strstr(text, mask);
	return p && strtoull(p + strlen(mask), NULL, 16) >> (signo - 1) & 1;
}

bool thread_blocks_signal(pid_t tid, int signo)
{
	char text[4096];
	return read_task_file(tid, "status", text, sizeof(text)) &&
	       has_signal(text, "\nSigBlk:", signo) &&
	       has_signal(text, "\nSigPnd:", signo);
}
