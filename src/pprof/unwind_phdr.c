/*
 * unwind_phdr.c - see unwind_phdr.h.
 *
 * A snapshot is one mapping: the infos, their program headers, their names.
 * Everything is copied, for an object may be unmapped while a reader still
 * walks.  `current` is swapped by exchange; an old snapshot is retired, and
 * unmapped when a moment is seen, after the swap, at which nobody reads.
 */
#include "pprof/unwind_phdr.h"

#include "base/attr.h"
#include "base/err.h"
#include "pprof/unwind_internal.h"
#include "pprof/unwind_rules.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

struct snapshot {
	size_t mapped, n;
	struct snapshot *next; /* retired; guard: refreshing */
	struct dl_phdr_info info[];
};

static unwind_phdr_iterator *real_iterate; /* set once, before `current` */
static struct snapshot *current;	   /* atomic: exchange and acquire */
static unsigned readers;   /* atomic, seq_cst: pairs with the swap */
static unsigned requested; /* atomic; the one who raises it from 0 works */
static struct snapshot *retired; /* guard: who works on `requested` */
static bool unloaded;		 /* atomic; never goes back */
static bool distrusted;		 /* atomic; until the next refresh */

struct count {
	size_t n, phdrs, text;
};

static int count_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	struct count *c = arg;
	c->n++;
	c->phdrs += info->dlpi_phnum;
	c->text += strlen(info->dlpi_name) + 1;
	return 0;
}

struct fill {
	struct snapshot *s;
	struct count room;
	ElfW(Phdr) * phdr;
	char *text;
};

static int fill_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct fill *f = arg;
	const size_t text = strlen(info->dlpi_name) + 1;
	/* Objects may have come since they were counted: not for us now, the
	 * one who loaded them refreshes in a moment. */
	if (f->room.n < 1 || f->room.phdrs < info->dlpi_phnum ||
	    f->room.text < text)
		return 1;
	f->room.n--;
	f->room.phdrs -= info->dlpi_phnum;
	f->room.text -= text;

	struct dl_phdr_info *to = &f->s->info[f->s->n++];
	memcpy(to, info, size < sizeof(*to) ? size : sizeof(*to));
	memcpy(f->phdr, info->dlpi_phdr, info->dlpi_phnum * sizeof(*f->phdr));
	to->dlpi_phdr = f->phdr;
	f->phdr += info->dlpi_phnum;
	memcpy(f->text, info->dlpi_name, text);
	to->dlpi_name = f->text;
	f->text += text;
	return 0;
}

static struct snapshot *take(void)
{
	struct count c = { 0 };
	real_iterate(count_object, &c);
	const size_t infos =
		sizeof(struct snapshot) + c.n * sizeof(struct dl_phdr_info);
	const size_t phdrs = c.phdrs * sizeof(ElfW(Phdr));
	const size_t mapped = infos + phdrs + c.text;
	/* Not malloc: dlopen may be called by an allocator. */
	struct snapshot *s = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	s->mapped = mapped;
	struct fill f = { .s = s,
			  .room = c,
			  .phdr = (ElfW(Phdr) *)((char *)s + infos),
			  .text = (char *)s + infos + phdrs };
	real_iterate(fill_object, &f);
	return s;
}

static bool holds(const struct snapshot *s, const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->info[i].dlpi_addr == info->dlpi_addr &&
		    s->info[i].dlpi_phnum == info->dlpi_phnum &&
		    strcmp(s->info[i].dlpi_name, info->dlpi_name) == 0)
			return true;
	return false;
}

/* glibc counts unloads (dlpi_subs); a kept list is the second witness. */
static bool lost_object(const struct snapshot *before,
			const struct snapshot *after)
{
	if (before->n && after->n &&
	    before->info[0].dlpi_subs != after->info[0].dlpi_subs)
		return true;
	for (size_t i = 0; i < before->n; i++)
		if (!holds(after, &before->info[i]))
			return true;
	return false;
}

static void unmap_retired(void)
{
	if (__atomic_load_n(&readers, __ATOMIC_SEQ_CST) != 0)
		return; /* next time */
	while (retired) {
		struct snapshot *s = retired;
		retired = s->next;
		munmap(s, s->mapped);
	}
}

static int replace(void)
{
	__atomic_store_n(&distrusted, false, __ATOMIC_SEQ_CST);
	struct snapshot *s = take();
	if (!s)
		return ERR_NOMEM;
	struct snapshot *old = current;
	if (old && lost_object(old, s))
		__atomic_store_n(&unloaded, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&current, s, __ATOMIC_SEQ_CST);
	if (old) {
		old->next = retired;
		retired = old;
	}
	unmap_retired();
	return 0;
}

int unwind_phdr_refresh(void)
{
	if (!real_iterate)
		return 0;
	unwind_rules_forget();
	/*
	 * Not a lock: a thread in here holds the loader's lock at times, and
	 * whoever waits for us may be the one that holds it now.  The first
	 * works for all who come while it does.
	 */
	unsigned seen = 1;
	if (__atomic_fetch_add(&requested, 1, __ATOMIC_ACQ_REL) != 0)
		return 0;
	int code;
	do {
		seen = __atomic_load_n(&requested, __ATOMIC_ACQUIRE);
		code = replace();
	} while (!__atomic_compare_exchange_n(&requested, &seen, 0, false,
					      __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return code;
}

/* Of what other threads were at, nothing goes on in a child. */
static void after_fork_in_child(void)
{
	readers = 0;
	requested = 0;
}

int unwind_phdr_serve(unwind_phdr_iterator *real)
{
	if (real_iterate)
		return 0;
	real_iterate = real;
	pthread_atfork(NULL, NULL, after_fork_in_child);
	unwind_rules_enable();
	return unwind_phdr_refresh();
}

bool unwind_phdr_served(void)
{
	/* While a snapshot is being taken, the old one lacks something. */
	return __atomic_load_n(&current, __ATOMIC_ACQUIRE) != NULL &&
	       !__atomic_load_n(&distrusted, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&requested, __ATOMIC_RELAXED) == 0;
}

void unwind_phdr_distrust(void)
{
	__atomic_store_n(&distrusted, true, __ATOMIC_SEQ_CST);
	unwind_rules_forget();
}

struct changes {
	unsigned long long adds, subs;
};

static int read_changes(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	struct changes *c = arg;
	c->adds = info->dlpi_adds;
	c->subs = info->dlpi_subs;
	return 1; /* the first object knows */
}

int unwind_phdr_refresh_if_changed(void)
{
	if (!real_iterate)
		return 0;
	struct changes now = { 0 }, then = { 0 };
	real_iterate(read_changes, &now);
	unwind_phdr_iterate(read_changes, &then);
	if (now.adds == then.adds && now.subs == then.subs &&
	    !__atomic_load_n(&distrusted, __ATOMIC_RELAXED))
		return 0;
	return unwind_phdr_refresh();
}

bool unwind_phdr_unloaded(void)
{
	return __atomic_load_n(&unloaded, __ATOMIC_RELAXED);
}

int unwind_phdr_iterate(unwind_phdr_callback *callback, void *data)
{
	int code = 0;
	__atomic_fetch_add(&readers, 1, __ATOMIC_SEQ_CST);
	struct snapshot *s = __atomic_load_n(&current, __ATOMIC_SEQ_CST);
	for (size_t i = 0; s && i < s->n && code == 0; i++) {
		struct dl_phdr_info info = s->info[i];
		code = callback(&info, sizeof(info), data);
	}
	__atomic_fetch_sub(&readers, 1, __ATOMIC_SEQ_CST);
	return code;
}
