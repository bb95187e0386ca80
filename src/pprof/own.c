/*
 * own.c - see own.h.
 */
#include "pprof/own.h"

#include "base/attr.h"
#include "pprof/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FREE, TAKEN };

/* A slot is its creator's, then its thread's: nobody else writes to it. */
static struct own_thread {
	int state; /* atomic: who makes it TAKEN has it */
	pid_t tid; /* atomic; 0 until it runs */
	void *fn, *arg;
} own[64];

static pthread_key_t end_key;
static bool have_key;

static void give(struct own_thread *t)
{
	__atomic_store_n(&t->tid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&t->state, FREE, __ATOMIC_RELEASE);
}

static void ends(void *t)
{
	give(t);
}

struct own_thread *own_thread_new(void *fn, void *arg)
{
	for (size_t i = 0; have_key && i < ARRAY_SIZE(own); i++) {
		int state = FREE;
		if (!__atomic_compare_exchange_n(&own[i].state, &state, TAKEN,
						 false, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		own[i].fn = fn;
		own[i].arg = arg;
		return &own[i];
	}
	return NULL;
}

void own_thread_cancel(struct own_thread *t)
{
	give(t);
}

struct hooks_start own_thread_begin(struct own_thread *t)
{
	const struct hooks_start start = { .fn = t->fn, .arg = t->arg };
	guard_enter(); /* for good: nothing of this thread is profiled */
	if (pthread_setspecific(end_key, t) == 0)
		__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	else
		give(t);
	return start;
}

bool own_thread_is(pid_t tid)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (__atomic_load_n(&own[i].tid, __ATOMIC_ACQUIRE) == tid)
			return true;
	return false;
}

/* Not one that has ended, and whose entry is still there. */
static bool runs(pid_t tid)
{
	char text[512];
	snprintf(text, sizeof(text), "/proc/self/task/%d/stat", (int)tid);
	const int fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The name may hold anything, brackets and blanks too. */
	const char *name_end = strrchr(text, ')');
	return !name_end || name_end[1] != ' ' || !strchr("ZX", name_end[2]);
}

bool own_threads_have_company(void)
{
	DIR *dir = opendir("/proc/self/task");
	if (!dir)
		return true;
	bool found = false;
	const struct dirent *e;
	while (!found && (e = readdir(dir))) {
		const pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
		found = tid > 0 && !own_thread_is(tid) && runs(tid);
	}
	closedir(dir);
	return found;
}

/* A child has none of them. */
static void forked(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		give(&own[i]);
}

__attribute__((constructor)) static void own_init(void)
{
	have_key = pthread_key_create(&end_key, ends) == 0 &&
		   pthread_atfork(NULL, NULL, forked) == 0;
}
