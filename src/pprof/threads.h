/*
 * threads.h - where every thread is, now: the profiles "threads" and
 * "goroutine" (the same under the name that Go's clients ask for), and their
 * dump thread by thread.
 */
#ifndef PROFLAB_PPROF_THREADS_H
#define PROFLAB_PPROF_THREADS_H

#include "pprof/ask.h"
#include "pprof/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct sink;

extern const struct source threads_source, goroutine_source;

/* One thread, and what it answered. */
struct threads_one {
	pid_t tid;
	enum ask_result result;
	bool truncated, exact_leaf, waiting_for_lock;
	uint32_t labels;
	uint32_t depth;
	size_t first;	 /* of its pcs in the list's pool */
	uintptr_t start; /* its start routine; 0 = not known */
	int64_t n;	 /* how many threads stand here: 1, or a group's */
	int64_t idle_ns; /* how long it has not run; -1 = it runs, or unknown */
	char state;	 /* as /proc has it, before it was asked */
};

struct threads_list {
	struct threads_one *v;
	size_t n;
	uintptr_t *pcs;
	size_t n_pcs, pcs_size;
};

/*
 * Ask every thread of this process.  With `details`, state and idle_ns are
 * read first, which costs about 30 us a thread.
 * Returns: 0, ERR_NOMEM, ERR_IO, ERR_UNSUPPORTED.  Owns: threads_list_free.
 */
int threads_take(bool details, struct threads_list *ret, struct err *e);
void threads_list_free(struct threads_list *l);
struct stack threads_stack(const struct threads_list *l,
			   const struct threads_one *t);

/* debug=2: each thread.  word is "thread" or "goroutine". */
int threads_write_dump(const char *word, const struct sink *sink,
		       struct err *e);

#endif
