/* hooks.c - what the shims tell that concerns no single part; see hooks.h. */
#include "pprof/hooks.h"

#include "base/attr.h"
#include "base/err.h"
#include "pprof/freeze.h"
#include "pprof/guard.h"
#include "pprof/unwind_phdr.h"
#include "pprof/unwind_rules.h"
#include "pprof/writer.h"

#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	RANGES_MAX = 1024, /* executable segments that came with dlopen */
};

static atomic_uint present;

void hooks_announce(unsigned which)
{
	atomic_fetch_or(&present, which);
}

bool hooks_present(unsigned which)
{
	return (atomic_load_explicit(&present, memory_order_relaxed) & which) ==
	       which;
}

/* ---- loaded objects ------------------------------------------------------ */

struct range {
	uintptr_t start, limit;
	bool used;  /* a table has a pc there */
	bool stays; /* it is there after the dlclose, too */
};

struct hooks_closing {
	size_t n;
	struct range ranges[RANGES_MAX];
};

static void each_code_range(const struct dl_phdr_info *info,
			    void (*fn)(struct hooks_closing *c, uintptr_t start,
				       uintptr_t limit),
			    struct hooks_closing *c)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X))
			fn(c, info->dlpi_addr + ph->p_vaddr,
			   info->dlpi_addr + ph->p_vaddr + ph->p_memsz);
	}
}

/* Those that were there when the program began: no dlclose takes them.  Set
 * once, by hooks_objects_begin. */
static struct hooks_closing *startup;

static bool in_startup(uintptr_t start)
{
	for (size_t i = 0; startup && i < startup->n; i++)
		if (startup->ranges[i].start == start)
			return true;
	return false;
}

static void add_range(struct hooks_closing *c, uintptr_t start, uintptr_t limit)
{
	if (c->n < RANGES_MAX && !in_startup(start))
		c->ranges[c->n++] =
			(struct range){ .start = start, .limit = limit };
}

static void keep_range(struct hooks_closing *c, uintptr_t start,
		       uintptr_t limit)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->ranges[i].start == start && c->ranges[i].limit == limit)
			c->ranges[i].stays = true;
}

static int list_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	each_code_range(info, add_range, arg);
	return 0;
}

static int keep_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	each_code_range(info, keep_range, arg);
	return 0;
}

static void mark_used(struct stack_table *t, void *arg)
{
	struct hooks_closing *c = arg;
	const size_t n = stack_table_count(t);
	for (size_t i = 0; i < n; i++) {
		const struct stack_record *r = stack_table_at(t, i);
		const uintptr_t *pcs = r ? stack_table_frames(t, r) : NULL;
		for (uint32_t d = 0; r && d < r->depth; d++)
			for (size_t j = 0; j < c->n; j++)
				if (pcs[d] >= c->ranges[j].start &&
				    pcs[d] <= c->ranges[j].limit)
					c->ranges[j].used = true;
	}
}

void hooks_objects_adding(void)
{
	unwind_phdr_distrust();
}

/*
 * No freeze may come between a freeze and its thaw, so dlclose goes one at a
 * time, as it does in the loader; one that is called by a destructor or a
 * constructor, within another, freezes nothing.
 */
static pthread_mutex_t closing_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool closing_here TLS_INITIAL_EXEC;

static void after_fork_in_child(void)
{
	closing_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	unwind_rules_pause(closing_here);
	if (closing_here)
		pthread_mutex_lock(&closing_lock);
}

int hooks_objects_begin(unwind_phdr_iterator *real)
{
	struct hooks_closing *all = calloc(1, sizeof(*all));
	if (!all || pthread_atfork(NULL, NULL, after_fork_in_child)) {
		free(all);
		return ERR_NOMEM;
	}
	real(list_object, all);
	startup = all;
	hooks_announce(HOOKS_DL);
	return unwind_phdr_serve(real);
}

struct hooks_closing *hooks_objects_closing(void)
{
	int cancel;
	if (closing_here)
		return NULL;
	/* Symbols are read from files; the lock must not be left. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	guard_enter();
	struct hooks_closing *c = calloc(1, sizeof(*c));
	if (c) {
		pthread_mutex_lock(&closing_lock);
		closing_here = true;
		unwind_rules_pause(true);
		dl_iterate_phdr(list_object, c);
		freeze_each_table(mark_used, c);
		for (size_t i = 0; i < c->n; i++)
			if (c->ranges[i].used)
				writer_freeze_range(c->ranges[i].start,
						    c->ranges[i].limit);
	}
	guard_leave();
	pthread_setcancelstate(cancel, NULL);
	return c;
}

void hooks_objects_closed(struct hooks_closing *c)
{
	int cancel;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	guard_enter();
	unwind_phdr_refresh();
	if (c) {
		dl_iterate_phdr(keep_object, c);
		for (size_t i = 0; i < c->n; i++)
			if (c->ranges[i].used && c->ranges[i].stays)
				writer_thaw_range(c->ranges[i].start,
						  c->ranges[i].limit);
		closing_here = false;
		unwind_rules_pause(false);
		pthread_mutex_unlock(&closing_lock);
		free(c);
	}
	guard_leave();
	pthread_setcancelstate(cancel, NULL);
}

/* ---- daemons ------------------------------------------------------------- */

static _Atomic(void (*)(void)) on_daemon;

void hooks_on_daemon(void (*fn)(void))
{
	atomic_store(&on_daemon, fn);
}

void hooks_daemonized(void)
{
	void (*fn)(void) = atomic_load(&on_daemon);
	if (fn)
		fn();
}

/* ---- descriptors --------------------------------------------------------- */

static _Atomic(bool (*)(unsigned, unsigned)) on_closing;
static _Atomic(void (*)(void)) on_closed;

void hooks_on_descriptors(bool (*closing)(unsigned first, unsigned last),
			  void (*closed)(void))
{
	atomic_store(&on_closed, closed);
	atomic_store(&on_closing, closing);
}

bool hooks_descriptors_closing(unsigned first, unsigned last)
{
	bool (*fn)(unsigned, unsigned) = atomic_load(&on_closing);
	return fn && fn(first, last);
}

void hooks_descriptors_closed(void)
{
	atomic_load (&on_closed)();
}
