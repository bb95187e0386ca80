/*
 * label.c - see label.h.
 *
 * A set is one allocation: its labels, then their text.  Sets are published
 * by a release store of their pointer, and a small open-addressed index from
 * hash to number lets a set that is known already be found without the lock:
 * that is the case for all but the first request on a route.
 */
#include "pprof/label.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "pprof/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	INDEX_SLOTS = 2 * LABEL_SETS_MAX, /* a power of two */
};

struct label_set {
	uint64_t hash;
	size_t n;
	struct pprof_label labels[];
};

static const struct label_set overflow = {
	.n = 1,
	.labels = { { "pprof_labels", "overflow" } },
};

/* Written under `lock`, released; read anywhere with acquire. */
static const struct label_set *sets[LABEL_SETS_MAX] = {
	[LABEL_SET_OVERFLOW] = &overflow,
};
static uint32_t index_of[INDEX_SLOTS];		 /* as sets; 0 = empty */
static uint32_t n_sets = LABEL_SET_OVERFLOW + 1; /* guard: lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static _Thread_local uint32_t current TLS_INITIAL_EXEC;

static const struct label_set *set_at(uint32_t set)
{
	return set < LABEL_SETS_MAX
		       ? __atomic_load_n(&sets[set], __ATOMIC_ACQUIRE)
		       : NULL;
}

static uint64_t hash_labels(const struct pprof_label *labels, size_t n)
{
	uint64_t h = n;
	for (size_t i = 0; i < n; i++) {
		h = map_hash(labels[i].key, strlen(labels[i].key), h);
		h = map_hash(labels[i].value, strlen(labels[i].value), h);
	}
	return h;
}

static bool same_labels(const struct label_set *s, uint64_t hash,
			const struct pprof_label *labels, size_t n)
{
	if (s->hash != hash || s->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(s->labels[i].key, labels[i].key) != 0 ||
		    strcmp(s->labels[i].value, labels[i].value) != 0)
			return false;
	return true;
}

/* Its number, or 0 with *ret_slot the empty slot that ended the search. */
static uint32_t find(uint64_t hash, const struct pprof_label *labels, size_t n,
		     size_t *ret_slot)
{
	size_t at = hash & (INDEX_SLOTS - 1);
	for (;;) {
		const uint32_t set =
			__atomic_load_n(&index_of[at], __ATOMIC_ACQUIRE);
		if (set == 0) {
			*ret_slot = at;
			return 0;
		}
		if (same_labels(set_at(set), hash, labels, n))
			return set;
		at = (at + 1) & (INDEX_SLOTS - 1);
	}
}

/* Insert into sorted, replacing an equal key.  -1 when there is no room. */
static int insert(struct pprof_label *sorted, size_t *n, struct pprof_label l)
{
	size_t at = *n;
	while (at > 0 && strcmp(sorted[at - 1].key, l.key) > 0)
		at--;
	if (at > 0 && strcmp(sorted[at - 1].key, l.key) == 0) {
		sorted[at - 1].value = l.value;
		return 0;
	}
	if (*n == LABEL_COUNT_MAX)
		return -1;
	memmove(sorted + at + 1, sorted + at, (*n - at) * sizeof(*sorted));
	sorted[at] = l;
	(*n)++;
	return 0;
}

static int check_label(const struct pprof_label *l)
{
	if (!l->key || !l->value || *l->key == '\0')
		return PPROF_ERR_INVALID;
	if (strnlen(l->key, LABEL_TEXT_MAX + 1) > LABEL_TEXT_MAX ||
	    strnlen(l->value, LABEL_TEXT_MAX + 1) > LABEL_TEXT_MAX)
		return PPROF_ERR_LIMIT;
	return 0;
}

static struct label_set *copy_set(uint64_t hash,
				  const struct pprof_label *labels, size_t n)
{
	size_t text = 0;
	for (size_t i = 0; i < n; i++)
		text += strlen(labels[i].key) + strlen(labels[i].value) + 2;
	struct label_set *s = malloc(sizeof(*s) + n * sizeof(*labels) + text);
	if (!s)
		return NULL;
	s->hash = hash;
	s->n = n;
	char *p = (char *)(s->labels + n);
	for (size_t i = 0; i < n; i++) {
		s->labels[i].key = p;
		p = stpcpy(p, labels[i].key) + 1;
		s->labels[i].value = p;
		p = stpcpy(p, labels[i].value) + 1;
	}
	return s;
}

/* Under the lock. */
static int64_t add_set(uint64_t hash, const struct pprof_label *sorted,
		       size_t n)
{
	size_t slot;
	const uint32_t known = find(hash, sorted, n, &slot);
	if (known)
		return known;
	if (n_sets == LABEL_SETS_MAX)
		return LABEL_SET_OVERFLOW;
	struct label_set *s = copy_set(hash, sorted, n);
	if (!s)
		return PPROF_ERR_NOMEM;
	const uint32_t set = n_sets++;
	__atomic_store_n(&sets[set], s, __ATOMIC_RELEASE);
	__atomic_store_n(&index_of[slot], set, __ATOMIC_RELEASE);
	return set;
}

int64_t label_set_with(uint32_t base, const struct pprof_label *more, size_t n)
{
	if (n && !more)
		return PPROF_ERR_INVALID;
	struct pprof_label sorted[LABEL_COUNT_MAX];
	size_t count = 0;
	const struct label_set *b = set_at(base);
	for (size_t i = 0; b && i < b->n; i++)
		sorted[count++] = b->labels[i];
	for (size_t i = 0; i < n; i++) {
		const int code = check_label(&more[i]);
		if (code)
			return code;
		if (insert(sorted, &count, more[i]))
			return PPROF_ERR_LIMIT;
	}
	if (count == 0)
		return LABEL_SET_NONE;

	const uint64_t hash = hash_labels(sorted, count);
	size_t slot;
	int64_t set = find(hash, sorted, count, &slot);
	if (set)
		return set;
	guard_enter();
	pthread_mutex_lock(&lock);
	set = add_set(hash, sorted, count);
	pthread_mutex_unlock(&lock);
	guard_leave();
	return set;
}

int64_t label_set_intern(const struct pprof_label *labels, size_t n)
{
	return label_set_with(LABEL_SET_NONE, labels, n);
}

size_t label_set_get(uint32_t set, const struct pprof_label **ret_labels)
{
	const struct label_set *s = set_at(set);
	*ret_labels = s ? s->labels : NULL;
	return s ? s->n : 0;
}

uint32_t label_set_current(void)
{
	return current;
}

void label_set_current_set(uint32_t set)
{
	current = set;
}

int pprof_set_labels(const struct pprof_label *labels, size_t n)
{
	const int64_t set = label_set_intern(labels, n);
	if (set < 0)
		return (int)set;
	current = (uint32_t)set;
	return 0;
}

int pprof_do(const struct pprof_label *labels, size_t n, void (*fn)(void *),
	     void *arg)
{
	const uint32_t before = current;
	const int64_t set = label_set_with(before, labels, n);
	if (set >= 0)
		current = (uint32_t)set;
	fn(arg);
	current = before;
	return set < 0 ? (int)set : 0;
}

/* A child must not inherit the lock from a thread that it does not have. */
static void before_fork(void)
{
	guard_enter();
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
	guard_leave();
}

__attribute__((constructor)) static void label_init(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}
