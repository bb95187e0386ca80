/*
 * symbolizer.c - see symbolizer.h.
 *
 * Rows and answers are copied to a pool and kept, objects are not: what was
 * resolved outlives the object that said it.  An answer knows the row it was
 * found under; whether that row is still the one mapped at the pc is asked
 * once after each change of the mappings.
 */
#include "symbol/symbolizer.h"

#include "base/err.h"
#include "base/map.h"
#include "symbol/strings.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS_MAX = 1 << 16,    /* ever seen: a bound for dlopen in a loop */
	ANSWERS_MAX = 1 << 18, /* pcs */
	POOL_MAX = 256 << 20,
	FRAMES_MAX = 128, /* of one pc */
};

/* A file that is mapped now, opened when first asked. */
struct module {
	struct object *object; /* NULL: not opened, or none that fits */
	bool tried;
	bool in_use; /* by a current row */
};

/* A row that was mapped once.  It and its texts stay. */
struct known_row {
	struct maps_row row;   /* first: a maps_row of ours leads back here */
	struct module *module; /* NULL once it is unmapped */
	bool is_main;
};

struct answer {
	uint64_t generation; /* in which the row was last checked */
	const struct known_row *row;
	const struct object_frame *frames;
	size_t n_frames;
};

struct symbolizer {
	struct maps maps;
	struct known_row **current; /* beside maps.rows; may hold NULL */
	uint64_t generation;	    /* counts changes of the mappings */
	struct map by_row;	    /* a row's hash -> index into rows */
	struct known_row **rows;
	size_t n_rows, rows_size;
	struct module **modules; /* each owned */
	size_t n_modules, modules_size;
	struct map by_pc; /* -> index into answers */
	struct answer *answers;
	size_t n_answers, answers_size;
	struct strings pool;
	const char *debug_root; /* NULL = the usual */
};

/* Three pointers, two ints: no padding, so that frames compare as bytes. */
_Static_assert(sizeof(struct object_frame) ==
		       3 * sizeof(char *) + 2 * sizeof(int),
	       "frames have no padding");

/* Room for one more item of *array.  Returns: 0 or ERR_NOMEM. */
static int grow(void *array, size_t n, size_t *size, size_t item)
{
	void **p = array;
	if (n < *size)
		return 0;
	const size_t next = *size ? *size * 2 : 64;
	void *moved = realloc(*p, next * item);
	if (!moved)
		return ERR_NOMEM;
	*p = moved;
	*size = next;
	return 0;
}

/* ---- rows
 * --------------------------------------------------------------------- */

static struct known_row *intern_row(struct symbolizer *s,
				    const struct maps_row *row)
{
	const uint64_t key_of[] = { row->start, row->limit,   row->offset,
				    row->bias,	row->headers, row->inode };
	uint64_t key = map_hash(key_of, sizeof(key_of), 0);
	for (;; key = map_mix(key + 1)) {
		const uint32_t i = map_get(&s->by_row, key);
		if (i == MAP_NONE)
			break;
		if (maps_same_row(&s->rows[i]->row, row))
			return s->rows[i];
	}
	if (s->n_rows >= ROWS_MAX ||
	    grow(&s->rows, s->n_rows, &s->rows_size, sizeof(*s->rows)))
		return NULL;
	struct known_row *k = strings_alloc(&s->pool, sizeof(*k));
	const char *path = strings_intern(&s->pool, row->path);
	if (!k || !path || map_put(&s->by_row, key, (uint32_t)s->n_rows))
		return NULL;
	*k = (struct known_row){ .row = *row };
	k->row.path = (char *)(uintptr_t)path; /* nobody writes to it */
	s->rows[s->n_rows++] = k;
	return k;
}

static bool same_file(const struct maps_row *a, const struct maps_row *b)
{
	return a->inode == b->inode && a->bias == b->bias &&
	       a->headers == b->headers && a->build_id_len == b->build_id_len &&
	       !memcmp(a->build_id, b->build_id, a->build_id_len) &&
	       !strcmp(a->path, b->path);
}

/* The module of current row i: a neighbour's, or a new one. */
static void find_module(struct symbolizer *s, struct known_row **rows, size_t i)
{
	struct known_row *k = rows[i];
	if (!k)
		return;
	if (!k->module && i && rows[i - 1] && rows[i - 1]->module &&
	    same_file(&k->row, &rows[i - 1]->row))
		k->module = rows[i - 1]->module;
	if (!k->module) {
		if (grow(&s->modules, s->n_modules, &s->modules_size,
			 sizeof(*s->modules)))
			return;
		k->module = calloc(1, sizeof(*k->module));
		if (!k->module)
			return;
		s->modules[s->n_modules++] = k->module;
	}
	k->module->in_use = true;
}

static void close_unused(struct symbolizer *s)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->n_modules; i++) {
		struct module *m = s->modules[i];
		if (m->in_use) {
			s->modules[kept++] = m;
			continue;
		}
		object_close(m->object);
		free(m);
	}
	s->n_modules = kept;
}

static bool is_unchanged(const struct symbolizer *s, const struct maps *m)
{
	if (m->n != s->maps.n || m->main != s->maps.main || !s->current)
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (!maps_same_row(&m->rows[i], &s->maps.rows[i]))
			return false;
	return true;
}

int symbolizer_refresh(struct symbolizer *s, struct err *e)
{
	struct maps m;
	const int rc = maps_read(0, &m, e);
	if (rc)
		return rc;
	if (is_unchanged(s, &m)) {
		maps_free(&m);
		return 0;
	}
	struct known_row **current =
		calloc(m.n + 1, sizeof(struct known_row *));
	if (!current) {
		maps_free(&m);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < s->n_modules; i++)
		s->modules[i]->in_use = false;
	for (size_t i = 0; i < m.n; i++) {
		current[i] = intern_row(s, &m.rows[i]);
		if (current[i])
			current[i]->is_main = i == m.main;
		find_module(s, current, i);
	}
	for (size_t i = 0; i < s->maps.n; i++)
		if (s->current[i] && s->current[i]->module &&
		    !s->current[i]->module->in_use)
			s->current[i]->module = NULL;
	close_unused(s);
	maps_free(&s->maps);
	free(s->current);
	s->maps = m;
	s->current = current;
	s->generation++;
	return 0;
}

static struct known_row *current_row(const struct symbolizer *s, uint64_t addr)
{
	const struct maps_row *row = maps_find(&s->maps, addr);
	return row ? s->current[row - s->maps.rows] : NULL;
}

/* ---- files
 * ---------------------------------------------------------------------- */

static struct object *open_row(const struct symbolizer *s,
			       const struct known_row *k)
{
	const struct maps_row *row = &k->row;
	struct object *o = NULL;
	if (!strcmp(row->path, "[vdso]")) {
		object_open_memory((const void *)(uintptr_t)row->start,
				   row->limit - row->start, row->path, &o,
				   NULL);
		return o;
	}
	if (row->path[0] != '/')
		return NULL;
	const struct object_options opt = { .debug_root = s->debug_root,
					    .build_id = row->build_id,
					    .build_id_len = row->build_id_len,
					    .headers = row->headers };
	if (!row->deleted && !object_open_with(row->path, &opt, &o, NULL))
		return o;
	/* What the name leads to is another file now: ask for the mapped one.
	 * The second way needs a capability. */
	if (k->is_main &&
	    !object_open_with("/proc/thread-self/exe", &opt, &o, NULL))
		return o;
	char path[80];
	snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx",
		 (unsigned long long)row->start,
		 (unsigned long long)row->limit);
	if (!object_open_with(path, &opt, &o, NULL) ||
	    !object_open_loaded(row, &o))
		return o;
	return NULL;
}

struct target {
	const struct symbolizer *s;
	const struct known_row *row;
};

/* dlsym follows an indirect function to what it leads to. */
static uint64_t resolve_indirect(void *arg, const char *name)
{
	const struct target *t = arg;
	const uint64_t addr = (uintptr_t)dlsym(RTLD_DEFAULT, name);
	const struct known_row *row = addr ? current_row(t->s, addr) : NULL;
	/* Another object may define the name, too. */
	if (!row || row->module != t->row->module)
		return 0;
	return addr - t->row->row.bias;
}

static struct object *object_of(const struct symbolizer *s,
				const struct known_row *k)
{
	struct module *m = k->module;
	if (!m)
		return NULL;
	if (!m->tried) {
		struct target t = { s, k };
		m->object = open_row(s, k);
		m->tried = true;
		if (m->object)
			object_name_indirect(m->object, resolve_indirect, &t);
	}
	return m->object;
}

/* ---- answers
 * --------------------------------------------------------------------- */

static const char *keep(struct symbolizer *s, const char *text)
{
	const char *kept = strings_intern(&s->pool, text);
	return kept ? kept : "??";
}

/* The object's frames, in memory that outlives it. */
static void resolve(struct symbolizer *s, uint64_t addr, struct answer *a)
{
	struct object *o = object_of(s, a->row);
	struct object_frame found[FRAMES_MAX];
	if (!o || s->pool.bytes > POOL_MAX)
		return;
	const size_t n =
		object_lookup(o, addr - a->row->row.bias, found, FRAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		found[i].function = keep(s, found[i].function);
		found[i].system_name = keep(s, found[i].system_name);
		found[i].file = keep(s, found[i].file);
	}
	/* Neighbouring pcs share their frames, and so do returning objects. */
	const struct object_frame *frames =
		n ? strings_intern_bytes(&s->pool, found, n * sizeof(*found))
		  : NULL;
	if (!frames)
		return;
	a->frames = frames;
	a->n_frames = n;
}

/* The answer for addr, resolved; NULL when there is none to keep. */
static struct answer *answer_for(struct symbolizer *s, uint64_t addr)
{
	uint32_t i = map_get(&s->by_pc, addr);
	struct known_row *row = NULL;
	if (i != MAP_NONE) {
		struct answer *a = &s->answers[i];
		if (a->generation == s->generation)
			return a;
		a->generation = s->generation;
		row = current_row(s, addr);
		if (!row || row == a->row)
			return a;
	} else {
		row = current_row(s, addr);
		if (!row || s->n_answers >= ANSWERS_MAX ||
		    grow(&s->answers, s->n_answers, &s->answers_size,
			 sizeof(*s->answers)) ||
		    map_put(&s->by_pc, addr, (uint32_t)s->n_answers))
			return NULL;
		i = (uint32_t)s->n_answers++;
	}
	s->answers[i] =
		(struct answer){ .generation = s->generation, .row = row };
	resolve(s, addr, &s->answers[i]);
	return &s->answers[i];
}

void symbolizer_lookup(struct symbolizer *s, uint64_t addr,
		       struct symbolizer_result *ret_result)
{
	*ret_result = (struct symbolizer_result){ 0 };
	const struct answer *a = answer_for(s, addr);
	if (!a) {
		const struct known_row *row = current_row(s, addr);
		ret_result->row = row ? &row->row : NULL;
		return;
	}
	ret_result->row = &a->row->row;
	ret_result->frames = a->frames;
	ret_result->n_frames = a->n_frames;
}

int symbolizer_freeze(struct symbolizer *s, const uint64_t *addrs, size_t n)
{
	const int rc = symbolizer_refresh(s, NULL);
	for (size_t i = 0; i < n; i++)
		answer_for(s, addrs[i]);
	return rc;
}

void symbolizer_trim(struct symbolizer *s)
{
	for (size_t i = 0; i < s->n_modules; i++) {
		object_close(s->modules[i]->object);
		s->modules[i]->object = NULL;
		s->modules[i]->tried = false;
	}
}

void symbolizer_set_debug_root(struct symbolizer *s, const char *root)
{
	s->debug_root = root;
}

const struct maps *symbolizer_maps(const struct symbolizer *s)
{
	return &s->maps;
}

uint64_t symbolizer_function_start(struct symbolizer *s, uint64_t addr)
{
	const struct known_row *k = current_row(s, addr);
	struct object *o = k ? object_of(s, k) : NULL;
	uint64_t start, size;
	if (!o || object_function_range(o, addr - k->row.bias, &start, &size))
		return 0;
	return start + k->row.bias;
}

bool symbolizer_has_lines(struct symbolizer *s, const struct maps_row *row)
{
	for (size_t i = 0; i < s->maps.n; i++) {
		const struct known_row *k = s->current[i];
		if (!k || !maps_same_row(&k->row, row))
			continue;
		const struct object *o = object_of(s, k);
		return o && object_has_lines(o);
	}
	return false;
}

/* ---- life
 * -------------------------------------------------------------------------- */

int symbolizer_new(struct symbolizer **ret_symbolizer, struct err *e)
{
	struct symbolizer *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NOMEM, "out of memory");
	const int rc = symbolizer_refresh(s, e);
	if (rc) {
		symbolizer_free(s);
		return rc;
	}
	*ret_symbolizer = s;
	return 0;
}

void symbolizer_free(struct symbolizer *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_modules; i++) {
		object_close(s->modules[i]->object);
		free(s->modules[i]);
	}
	free(s->modules);
	free(s->rows);
	free(s->current);
	maps_free(&s->maps);
	map_free(&s->by_row);
	map_free(&s->by_pc);
	free(s->answers);
	strings_free(&s->pool);
	free(s);
}
