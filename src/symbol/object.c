/*
 * object.c - see object.h.
 *
 * Three files may stand behind one object: the one that was mapped (its
 * stubs, its dynamic symbols), the separate debug file (symbols, DWARF), and
 * the one that dwz moved common parts to.
 */
#include "symbol/object.h"

#include "base/err.h"
#include "symbol/debug_file.h"
#include "symbol/demangle.h"
#include "symbol/dw_units.h"
#include "symbol/eh_ranges.h"
#include "symbol/elf_file.h"
#include "symbol/elf_symbols.h"
#include "symbol/maps.h"

#include <dwarf.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct object {
	bool in_memory; /* an image: no other file belongs to it */
	struct elf_file file, debug, alt; /* .path NULL = there is none */
	struct elf_symbols symbols;
	bool has_symbols; /* read already */
	struct dw_units units;
	bool has_units;
	struct strings pool;
};

/*
 * When memory runs out, libdw calls a handler that must not come back, and its
 * own would end the process.  Ours leaves libdw by a jump: it holds no lock
 * there, and dwarf_end frees what it had.
 */
static _Thread_local jmp_buf *oom_exit;

__attribute__((noreturn)) static void on_oom(void)
{
	if (oom_exit)
		longjmp(*oom_exit, 1);
	abort(); /* not reached: all use of libdw is inside guarded() */
}

/* Call f(o, arg); false when memory ran out inside libdw. */
static bool guarded(void (*f)(struct object *, void *), struct object *o,
		    void *arg)
{
	jmp_buf here;
	jmp_buf *const before = oom_exit;
	if (setjmp(here)) {
		oom_exit = before;
		return false;
	}
	oom_exit = &here;
	f(o, arg);
	oom_exit = before;
	return true;
}

/* ---- opening ---------------------------------------------------------------
 */

static bool has_dwarf(const struct elf_file *f)
{
	GElf_Shdr h;
	size_t len;
	return elf_file_bytes(elf_file_section(f, ".debug_info", &h), &len) ||
	       elf_file_bytes(elf_file_section(f, ".zdebug_info", &h), &len);
}

static bool has_table(const struct elf_file *f)
{
	GElf_Shdr h;
	return f->path && elf_file_section(f, ".symtab", &h);
}

static void open_units(struct object *o, void *arg)
{
	const struct object_options *opt = arg;
	const struct elf_file *f = has_dwarf(&o->file) ? &o->file : &o->debug;
	if (!f->path)
		return;
	const bool has_alt = !debug_file_find_alt(f, opt->debug_root, &o->alt);
	o->has_units = !dw_units_open(f, has_alt ? &o->alt : NULL, on_oom,
				      &o->pool, &o->units);
}

static void open_parts(struct object *o, const struct object_options *opt)
{
	if (!o->in_memory && !has_dwarf(&o->file))
		debug_file_find(&o->file, opt->debug_root, &o->debug);
	if (!guarded(open_units, o, (void *)(uintptr_t)opt)) {
		dw_units_close(&o->units);
		o->has_units = false;
	}
	elf_file_release(&o->file);
	elf_file_release(&o->debug);
	elf_file_release(&o->alt);
}

static bool is_wanted(const struct elf_file *f,
		      const struct object_options *opt)
{
	if (opt->build_id && opt->build_id_len)
		return elf_file_has_build_id(f, opt->build_id,
					     opt->build_id_len);
	return !opt->headers || opt->headers == f->headers;
}

int object_open_with(const char *path, const struct object_options *options,
		     struct object **ret_object, struct err *e)
{
	static const struct object_options none = { 0 };
	const struct object_options *opt = options ? options : &none;
	struct object *o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(e, ERR_NOMEM, "out of memory");
	int rc = elf_file_open(path, &o->file, e);
	if (!rc && !is_wanted(&o->file, opt))
		rc = err_set(e, ERR_NOTFOUND,
			     "%s: not the file that was mapped", path);
	if (rc) {
		object_close(o);
		return rc;
	}
	open_parts(o, opt);
	*ret_object = o;
	return 0;
}

int object_open(const char *path, const uint8_t *build_id, size_t build_id_len,
		struct object **ret_object, struct err *e)
{
	const struct object_options opt = { .build_id = build_id,
					    .build_id_len = build_id_len };
	return object_open_with(path, &opt, ret_object, e);
}

int object_open_memory(const void *image, size_t len, const char *name,
		       struct object **ret_object, struct err *e)
{
	struct object *o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(e, ERR_NOMEM, "out of memory");
	static const struct object_options none = { 0 };
	const int rc = elf_file_open_memory(image, len, name, &o->file, e);
	if (rc) {
		object_close(o);
		return rc;
	}
	o->in_memory = true;
	open_parts(o, &none);
	*ret_object = o;
	return 0;
}

int object_open_loaded(const struct maps_row *row, struct object **ret_object)
{
	struct object *o = calloc(1, sizeof(*o));
	if (!o)
		return ERR_NOMEM;
	const struct elf_loaded where = { .bias = row->bias,
					  .dynamic = row->dynamic,
					  .start = row->start,
					  .limit = row->limit };
	o->in_memory = true;
	const int rc = elf_symbols_add_loaded(&o->symbols, &where);
	if (rc) {
		object_close(o);
		return rc;
	}
	elf_symbols_finish(&o->symbols);
	o->has_symbols = true;
	*ret_object = o;
	return 0;
}

void object_close(struct object *o)
{
	if (!o)
		return;
	if (o->has_units)
		dw_units_close(&o->units);
	elf_symbols_free(&o->symbols);
	strings_free(&o->pool);
	elf_file_close(&o->alt);
	elf_file_close(&o->debug);
	elf_file_close(&o->file);
	free(o);
}

/* ---- symbols ---------------------------------------------------------------
 */

/* A table that could not be made whole serves as far as it goes. */
static struct elf_symbols *symbols_of(struct object *o)
{
	if (!o->has_symbols) {
		const bool debug = !has_table(&o->file) && has_table(&o->debug);
		if (!elf_symbols_add_file(&o->symbols,
					  debug ? &o->debug : &o->file))
			elf_symbols_add_plt(&o->symbols, &o->file);
		elf_symbols_finish(&o->symbols);
		o->has_symbols = true;
	}
	return &o->symbols;
}

static bool symbol_frame(struct object *o, uint64_t addr,
			 struct object_frame *ret_frame)
{
	const struct elf_symbol *s = elf_symbols_find(symbols_of(o), addr);
	if (!s)
		return false;
	char *people = demangle_name(s->name);
	ret_frame->system_name = strings_intern(&o->pool, s->name);
	ret_frame->function =
		strings_intern(&o->pool, people ? people : s->name);
	free(people);
	return ret_frame->function && ret_frame->system_name;
}

static void name_target(struct object *o, const char *name, uint64_t addr)
{
	struct elf_symbols *t = &o->symbols;
	struct elf_symbol s = { .name = name };
	s.rank = ELF_RANK_TARGET |
		 elf_symbols_rank(STT_FUNC, STB_GLOBAL, 1, name);
	if (addr && !eh_ranges_find(&o->file, addr, &s.start, &s.limit) &&
	    s.start == addr)
		elf_symbols_add(t, &s);
}

void object_name_indirect(struct object *o,
			  uint64_t (*resolve)(void *arg, const char *name),
			  void *arg)
{
	struct elf_symbols *t = symbols_of(o);
	if (!t->only_dynamic || o->has_units)
		return;
	/* The table may move while it grows. */
	const size_t n = t->n;
	for (size_t i = 0; i < n; i++) {
		const char *name = t->items[i].name;
		if (t->items[i].is_indirect)
			name_target(o, name, resolve(arg, name));
	}
	elf_symbols_finish(t);
}

/* ---- look-up ----------------------------------------------------------------
 */

struct query {
	uint64_t addr;
	struct object_frame *frames;
	size_t max, n;
};

/* C++ without linkage names (-g1) has them in the symbol table. */
static void name_frame(struct object *o, struct dw_unit *unit,
		       struct dw_scope *s, struct object_frame *f)
{
	if (!s->resolved) {
		dw_scope_resolve(s, &unit->code, &o->pool);
		const struct elf_symbol *y = NULL;
		struct object_frame g;
		if (s->parent == DW_SCOPE_NONE && !s->is_linked)
			y = elf_symbols_find(symbols_of(o), s->low_pc);
		if (y && y->start == s->low_pc &&
		    symbol_frame(o, s->low_pc, &g)) {
			s->system_name = g.system_name;
			s->function = g.function;
		}
	}
	f->function = s->function ? s->function : "??";
	f->system_name = s->system_name ? s->system_name : "??";
	f->start_line = s->start_line;
}

static void chain_frames(struct object *o, struct dw_unit *unit, uint32_t scope,
			 struct query *q)
{
	struct object_frame f = { .file = "" };
	dw_lines_find(&unit->lines, q->addr, &o->pool, &f.file, &f.line);
	while (scope != DW_SCOPE_NONE) {
		struct dw_scope *s = &unit->scopes.items[scope];
		name_frame(o, unit, s, &f);
		if (q->n < q->max)
			q->n++;
		q->frames[q->n - 1] = f;
		/* The outer frame stands at the line of the call. */
		f = (struct object_frame){ .file = dw_lines_file(&unit->lines,
								 s->call_file,
								 &o->pool),
					   .line = s->call_line };
		scope = s->parent;
	}
}

static void look_up(struct object *o, void *arg)
{
	struct query *q = arg;
	struct dw_unit *unit =
		o->has_units ? dw_units_find(&o->units, q->addr) : NULL;
	const uint32_t scope =
		unit ? dw_scopes_find(&unit->scopes, q->addr) : DW_SCOPE_NONE;
	if (scope != DW_SCOPE_NONE) {
		chain_frames(o, unit, scope, q);
		return;
	}
	struct object_frame f = { .file = "" };
	if (!symbol_frame(o, q->addr, &f))
		return;
	/* Assembly has lines, and names in the symbol table alone. */
	if (unit)
		dw_lines_find(&unit->lines, q->addr, &o->pool, &f.file,
			      &f.line);
	q->frames[q->n++] = f;
}

size_t object_lookup(struct object *o, uint64_t addr,
		     struct object_frame *frames, size_t max)
{
	struct query q = { .addr = addr, .frames = frames, .max = max };
	if (!max)
		return 0;
	return guarded(look_up, o, &q) ? q.n : 0;
}

bool object_has_lines(const struct object *o)
{
	return o->has_units;
}

size_t object_build_id(const struct object *o, const uint8_t **ret_bytes)
{
	*ret_bytes = o->file.build_id;
	return o->file.build_id_len;
}

const char *object_path(const struct object *o)
{
	return o->file.path ? o->file.path : "";
}

/* ---- functions by name ------------------------------------------------------
 */

/* "f(int)" is asked for as "f(int)" or "f". */
static bool is_named(const char *symbol, const char *name)
{
	if (!strcmp(symbol, name))
		return true;
	char *people = demangle_name(symbol);
	if (!people)
		return false;
	const size_t n = strlen(name);
	const bool same = !strncmp(people, name, n) &&
			  (people[n] == '\0' || people[n] == '(');
	free(people);
	return same;
}

int object_find_function(struct object *o, const char *name,
			 uint64_t *ret_start, uint64_t *ret_size)
{
	const struct elf_symbols *t = symbols_of(o);
	for (size_t i = 0; i < t->n; i++)
		if (is_named(t->items[i].name, name)) {
			*ret_start = t->items[i].start;
			*ret_size = t->items[i].limit - t->items[i].start;
			return 0;
		}
	return ERR_NOTFOUND;
}

int object_function_range(struct object *o, uint64_t addr, uint64_t *ret_start,
			  uint64_t *ret_size)
{
	const struct elf_symbol *s = elf_symbols_find(symbols_of(o), addr);
	if (!s)
		return ERR_NOTFOUND;
	*ret_start = s->start;
	*ret_size = s->limit - s->start;
	return 0;
}
