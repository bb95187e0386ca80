/*
 * custom.c - pprof_new_profile: values by the stack that added them.
 *
 * The stacks are in a stack table, so that windows, frozen names and the rest
 * come for free; the values are in a hash table under the profile's lock, each
 * with the record it counts in.
 */
#include "pprof/source.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "pprof/guard.h"
#include "pprof/label.h"
#include "pprof/lost.h"
#include "pprof/stack_table.h"
#include "pprof/unwind.h"
#include "pprof/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_MAX_LEN = 64,
	STACKS = 16384,
	FRAMES_A_STACK = 32,
	COUNT = 0, /* the counter in use */
};

/* Open addressing; value NULL = free, see `removed`. */
struct slot {
	const void *value;
	struct stack_record *record; /* NULL: its stack was lost */
	bool used;
};

struct custom {
	struct source source;
	char name[NAME_MAX_LEN + 1];
	char description[NAME_MAX_LEN + 32];
	struct stack_table *table;
	pthread_mutex_t lock;
	struct slot *slots;	/* guard: lock */
	size_t n_slots, n_used; /* guard: lock; n_slots a power of two */
	struct custom *next;	/* all of them; guard: list_lock */
};

struct source_mark {
	struct stack_snapshot snapshot;
};

static struct custom *all;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- values -------------------------------------------------------------- */

static size_t home(const struct custom *c, const void *value)
{
	return map_mix((uintptr_t)value) & (c->n_slots - 1);
}

/* Its slot, or the free one where it would go. */
static struct slot *find_slot(struct custom *c, const void *value)
{
	size_t i = home(c, value);
	while (c->slots[i].used && c->slots[i].value != value)
		i = (i + 1) & (c->n_slots - 1);
	return &c->slots[i];
}

static int make_room(struct custom *c)
{
	if (2 * (c->n_used + 1) <= c->n_slots)
		return 0;
	struct slot *old = c->slots;
	const size_t n_old = c->n_slots;
	const size_t n = n_old ? 2 * n_old : 64;
	struct slot *slots = calloc(n, sizeof(*slots));
	if (!slots)
		return ERR_NOMEM;
	c->slots = slots;
	c->n_slots = n;
	for (size_t i = 0; i < n_old; i++)
		if (old[i].used)
			*find_slot(c, old[i].value) = old[i];
	free(old);
	return 0;
}

/* Close the gap, so that no search ends too early at it. */
static void remove_slot(struct custom *c, struct slot *slot)
{
	const size_t mask = c->n_slots - 1;
	size_t gap = (size_t)(slot - c->slots);
	for (size_t i = (gap + 1) & mask; c->slots[i].used;
	     i = (i + 1) & mask) {
		const size_t want = home(c, c->slots[i].value);
		/* May it move to the gap?  Only if that is not before home. */
		if (((i - want) & mask) < ((i - gap) & mask))
			continue;
		c->slots[gap] = c->slots[i];
		gap = i;
	}
	c->slots[gap] = (struct slot){ 0 };
	c->n_used--;
}

static struct custom *custom_of(struct pprof_profile *profile);

static int add_value(struct custom *c, const void *value,
		     const struct stack *stack)
{
	const int code = make_room(c);
	if (code)
		return code;
	struct slot *slot = find_slot(c, value);
	if (slot->used)
		return ERR_BUSY;
	struct stack_record *r =
		stack_table_find(c->table, stack, label_set_current(), 0);
	*slot = (struct slot){ .value = value, .record = r, .used = true };
	c->n_used++;
	if (r)
		stack_record_add(r, COUNT, 1);
	else
		lost_add(stack_table_lost(c->table), LOST_TABLE_FULL, 1, 1);
	return 0;
}

/* noinline: the walk counts frames from here. */
__attribute__((noinline)) int pprof_profile_add(struct pprof_profile *profile,
						const void *value, int skip)
{
	struct custom *c = custom_of(profile);
	if (!c || skip < 0)
		return PPROF_ERR_INVALID;
	uintptr_t pcs[STACK_DEPTH_MAX];
	const struct unwound u = unwind_from_here(UNWIND_RULES, (size_t)skip,
						  pcs, ARRAY_SIZE(pcs));
	const struct stack stack = { .pcs = pcs,
				     .depth = (uint32_t)u.depth,
				     .truncated = u.truncated };
	guard_enter();
	pthread_mutex_lock(&c->lock);
	const int code = add_value(c, value, &stack);
	pthread_mutex_unlock(&c->lock);
	guard_leave();
	return code;
}

int pprof_profile_remove(struct pprof_profile *profile, const void *value)
{
	struct custom *c = custom_of(profile);
	if (!c)
		return PPROF_ERR_INVALID;
	int code = PPROF_ERR_NOTFOUND;
	guard_enter();
	pthread_mutex_lock(&c->lock);
	struct slot *slot = c->n_slots ? find_slot(c, value) : NULL;
	if (slot && slot->used) {
		if (slot->record)
			stack_record_add(slot->record, COUNT, -1);
		else
			lost_add(stack_table_lost(c->table), LOST_TABLE_FULL,
				 -1, -1);
		remove_slot(c, slot);
		code = 0;
	}
	pthread_mutex_unlock(&c->lock);
	guard_leave();
	return code;
}

/* ---- the source ---------------------------------------------------------- */

static int64_t custom_count(const struct source *s)
{
	struct custom *c = s->data;
	guard_enter();
	pthread_mutex_lock(&c->lock);
	const int64_t n = (int64_t)c->n_used;
	pthread_mutex_unlock(&c->lock);
	guard_leave();
	return n;
}

static int custom_mark(const struct source *s, struct source_mark **ret_mark)
{
	struct custom *c = s->data;
	struct source_mark *m = calloc(1, sizeof(*m));
	if (!m)
		return ERR_NOMEM;
	const int code = stack_snapshot_take(c->table, &m->snapshot);
	if (code)
		free(m);
	else
		*ret_mark = m;
	return code;
}

static void custom_mark_free(struct source_mark *mark)
{
	if (!mark)
		return;
	stack_snapshot_free(&mark->snapshot);
	free(mark);
}

static int custom_collect(const struct source *s,
			  const struct source_options *o,
			  const struct source_mark *since,
			  const struct source_mark *until,
			  struct profile **ret_profile, struct err *e)
{
	(void)o;
	struct custom *c = s->data;
	const struct writer_sample_type type = { c->name, "count" };
	const struct writer_options options = { .sample_types = &type,
						.n_sample_types = 1,
						.period_type = type,
						.period = 1 };
	struct source_mark *now = NULL;
	int code = until ? 0 : custom_mark(s, &now);
	if (code)
		return code;
	struct writer *w;
	code = writer_begin(&options, &w, e);
	if (!code) {
		writer_add_table(w, c->table, since ? &since->snapshot : NULL,
				 until ? &until->snapshot : &now->snapshot);
		code = writer_finish(w, ret_profile, e);
	}
	custom_mark_free(now);
	return code;
}

static struct custom *custom_of(struct pprof_profile *profile)
{
	const struct source *s = (const struct source *)(const void *)profile;
	return s && s->collect == custom_collect ? s->data : NULL;
}

/* ---- making one ---------------------------------------------------------- */

static bool name_is_allowed(const char *name)
{
	const size_t n = name ? strnlen(name, NAME_MAX_LEN + 1) : 0;
	return n > 0 && n <= NAME_MAX_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_-./") == n;
}

static void custom_free(struct custom *c)
{
	if (!c)
		return;
	stack_table_free(c->table);
	free(c);
}

static struct custom *custom_new(const char *name)
{
	struct custom *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	const struct stack_table_options options = {
		.max_stacks = STACKS, .max_frames = STACKS * FRAMES_A_STACK
	};
	if (stack_table_new(&options, &c->table)) {
		custom_free(c);
		return NULL;
	}
	memcpy(c->name, name, strlen(name) + 1);
	stpcpy(stpcpy(c->description, "Values of the program: "), name);
	pthread_mutex_init(&c->lock, NULL);
	c->source = (struct source){ .name = c->name,
				     .description = c->description,
				     .count = custom_count,
				     .collect = custom_collect,
				     .mark = custom_mark,
				     .mark_free = custom_mark_free,
				     .data = c };
	return c;
}

static void link_custom(struct custom *c)
{
	pthread_mutex_lock(&list_lock);
	c->next = all;
	all = c;
	pthread_mutex_unlock(&list_lock);
}

static void unlink_custom(struct custom *c)
{
	pthread_mutex_lock(&list_lock);
	struct custom **at = &all;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	pthread_mutex_unlock(&list_lock);
}

int pprof_new_profile(const char *name, struct pprof_profile **ret_profile)
{
	if (!name_is_allowed(name) || !ret_profile)
		return PPROF_ERR_INVALID;
	guard_enter();
	unwind_init();
	struct custom *c = custom_new(name);
	int code = c ? 0 : ERR_NOMEM;
	if (c) {
		/* In the list first: from its first use on, a fork finds its
		 * lock.  The locks are not nested: a fork takes both. */
		link_custom(c);
		code = source_register(&c->source);
		if (code)
			unlink_custom(c);
	}
	if (!code) {
		writer_register_table(c->table);
		*ret_profile = (struct pprof_profile *)(void *)&c->source;
	}
	if (code)
		custom_free(c);
	guard_leave();
	return code;
}

/*
 * The values are still open in a child, so it keeps them; only the locks must
 * not be left to threads that it does not have.
 */
static void before_fork(void)
{
	guard_enter();
	pthread_mutex_lock(&list_lock);
	for (struct custom *c = all; c; c = c->next)
		pthread_mutex_lock(&c->lock);
}

static void after_fork(void)
{
	for (struct custom *c = all; c; c = c->next)
		pthread_mutex_unlock(&c->lock);
	pthread_mutex_unlock(&list_lock);
	guard_leave();
}

__attribute__((constructor)) static void custom_init(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}
