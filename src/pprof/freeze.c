/*
 * freeze.c - see freeze.h.
 */
#include "pprof/freeze.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "pprof/guard.h"
#include "pprof/symbols.h"
#include "pprof/writer.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	TABLES_MAX = 1024,
	ENTRIES_MAX = 1 << 18,
	NOTES = 1024, /* ranges that one dlclose may freeze */
	NO_ENTRY = UINT32_MAX,
};

/* Append-only but for the tests' unregistering; atomic pointers. */
static struct stack_table *tables[TABLES_MAX];
static unsigned n_tables; /* atomic, may not pass TABLES_MAX */

struct entry {
	uint64_t addr;
	uint32_t unload; /* 0 = thawed: free to be used again */
	uint32_t next;	 /* of the same address, or NO_ENTRY */
	struct symbolizer_result result;
};

/* Guard: the symbolizer's lock, all of it. */
static struct {
	struct entry *entries;
	uint32_t n, room;
	struct map first; /* address -> its first entry */
	bool overflowed;
	volatile bool changing; /* read after fork */
	/* The last freeze of each range, for a thaw; a ring. */
	struct note {
		uint64_t start, limit;
		uint32_t unload;
	} notes[NOTES];
	size_t next_note;
} frozen;

void writer_register_table(struct stack_table *t)
{
	unsigned n = __atomic_load_n(&n_tables, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < n && i < TABLES_MAX; i++) {
		struct stack_table *none = NULL;
		if (__atomic_compare_exchange_n(&tables[i], &none, t, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return;
	}
	n = __atomic_fetch_add(&n_tables, 1, __ATOMIC_ACQ_REL);
	if (n < TABLES_MAX)
		__atomic_store_n(&tables[n], t, __ATOMIC_RELEASE);
}

void writer_unregister_table(struct stack_table *t)
{
	const unsigned n = __atomic_load_n(&n_tables, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < n && i < TABLES_MAX; i++) {
		struct stack_table *this = t;
		__atomic_compare_exchange_n(&tables[i], &this, NULL, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

void freeze_each_table(void (*fn)(struct stack_table *t, void *arg), void *arg)
{
	const unsigned n = __atomic_load_n(&n_tables, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < n && i < TABLES_MAX; i++) {
		struct stack_table *t =
			__atomic_load_n(&tables[i], __ATOMIC_ACQUIRE);
		if (t)
			fn(t, arg);
	}
}

/* The entry for which a record of this birth asks, or NULL. */
static struct entry *find_entry(uint64_t addr, uint32_t birth)
{
	struct entry *best = NULL;
	uint32_t i = map_get(&frozen.first, addr);
	while (i != NO_ENTRY) {
		struct entry *e = &frozen.entries[i];
		if (e->unload > birth && (!best || e->unload < best->unload))
			best = e;
		i = e->next;
	}
	return best;
}

bool freeze_find(uint64_t addr, uint32_t birth,
		 struct symbolizer_result *ret_result, uint32_t *ret_entry)
{
	const struct entry *e = find_entry(addr, birth);
	if (!e)
		return false;
	*ret_result = e->result;
	*ret_entry = (uint32_t)(e - frozen.entries);
	return true;
}

bool freeze_overflowed(void)
{
	return frozen.overflowed;
}

/* A thawed entry of this address, or a new one; NULL when there is no room. */
static struct entry *take_entry(uint64_t addr)
{
	const uint32_t first = map_get(&frozen.first, addr);
	for (uint32_t i = first; i != NO_ENTRY; i = frozen.entries[i].next)
		if (frozen.entries[i].unload == 0)
			return &frozen.entries[i];

	if (frozen.n == frozen.room) {
		const uint32_t room = frozen.room ? 2 * frozen.room : 64;
		if (room > ENTRIES_MAX)
			return NULL;
		struct entry *more =
			realloc(frozen.entries, room * sizeof(*more));
		if (!more)
			return NULL;
		frozen.entries = more;
		frozen.room = room;
	}
	if (map_put(&frozen.first, addr, frozen.n))
		return NULL;
	struct entry *e = &frozen.entries[frozen.n++];
	*e = (struct entry){ .addr = addr, .next = first };
	return e;
}

struct freezing {
	uint64_t start, limit;
	uint32_t unload;
	struct symbolizer *symbolizer;
	bool refreshed;
	int code;
};

static void freeze_address_now(struct freezing *f, uint64_t addr)
{
	if (!f->refreshed) {
		f->refreshed = true;
		if (symbolizer_refresh(f->symbolizer, NULL))
			f->code = ERR_IO;
	}
	struct entry *e = take_entry(addr);
	if (!e) {
		frozen.overflowed = true;
		f->code = ERR_LIMIT;
		return;
	}
	symbolizer_lookup(f->symbolizer, addr, &e->result);
	e->unload = f->unload;
}

static void freeze_table(struct stack_table *t, void *arg)
{
	struct freezing *f = arg;
	const size_t n = stack_table_count(t);
	for (size_t i = 0; i < n; i++) {
		struct stack_record *r = stack_table_at(t, i);
		if (!r || r->birth >= f->unload)
			continue;
		const struct stack s = stack_table_stack(t, r);
		bool touched = false;
		for (uint32_t d = 0; d < s.depth; d++) {
			const uint64_t addr = freeze_address(&s, d);
			if (addr < f->start || addr >= f->limit)
				continue;
			touched = true;
			if (!find_entry(addr, r->birth))
				freeze_address_now(f, addr);
		}
		if (touched)
			stack_record_retire(r, true);
	}
}

static struct note *find_note(uint64_t start, uint64_t limit)
{
	for (size_t i = 0; i < NOTES; i++)
		if (frozen.notes[i].start == start &&
		    frozen.notes[i].limit == limit)
			return &frozen.notes[i];
	return NULL;
}

static void write_note(const struct freezing *f)
{
	struct note *n = find_note(f->start, f->limit);
	if (!n)
		n = &frozen.notes[frozen.next_note++ % NOTES];
	*n = (struct note){ f->start, f->limit, f->unload };
}

int writer_freeze_range(uintptr_t start, uintptr_t limit)
{
	struct freezing f = { .start = start, .limit = limit };
	const int code = symbols_lock(&f.symbolizer, NULL);
	if (code)
		return code;
	frozen.changing = true;
	f.unload =
		__atomic_add_fetch(&stack_table_unloads, 1, __ATOMIC_ACQ_REL);
	freeze_each_table(freeze_table, &f);
	write_note(&f);
	frozen.changing = false;
	symbols_unlock();
	return f.code;
}

/* A stale record none of whose addresses is frozen any more is live again. */
static void thaw_table(struct stack_table *t, void *arg)
{
	(void)arg;
	const size_t n = stack_table_count(t);
	for (size_t i = 0; i < n; i++) {
		struct stack_record *r = stack_table_at(t, i);
		if (!r)
			continue;
		const struct stack s = stack_table_stack(t, r);
		bool gone = false;
		for (uint32_t d = 0; s.stale && !gone && d < s.depth; d++)
			gone = find_entry(freeze_address(&s, d), s.birth);
		if (s.stale && !gone)
			stack_record_retire(r, false);
	}
}

void writer_thaw_range(uintptr_t start, uintptr_t limit)
{
	struct symbolizer *symbolizer;
	if (symbols_lock(&symbolizer, NULL))
		return;
	frozen.changing = true;
	/* What was frozen before did go: only the last freeze is undone. */
	const struct note *note = find_note(start, limit);
	bool any = false;
	for (uint32_t i = 0; note && i < frozen.n; i++) {
		struct entry *e = &frozen.entries[i];
		if (e->addr >= start && e->addr < limit &&
		    e->unload == note->unload) {
			e->unload = 0;
			any = true;
		}
	}
	if (any && !frozen.overflowed)
		freeze_each_table(thaw_table, NULL);
	frozen.changing = false;
	symbols_unlock();
}

/* Half-changed lists are left alone: the child begins with none. */
static void after_fork_in_child(void)
{
	if (!frozen.changing)
		return;
	frozen.entries = NULL;
	frozen.n = frozen.room = 0;
	frozen.first = (struct map){ 0 };
	frozen.overflowed = true;
	frozen.changing = false;
}

__attribute__((constructor)) static void freeze_init(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}
