/* dw_scopes.c - see dw_scopes.h. */
#include "symbol/dw_scopes.h"

#include "base/err.h"
#include "symbol/demangle.h"

#include <dwarf.h>
#include <limits.h>
#include <stdlib.h>

enum {
	/* Blocks in blocks in blocks: deeper ones are left out. */
	WALK_DEPTH_MAX = 256,
	SCOPES_MAX = 1 << 24,
	RANGES_MAX = 1 << 24,
	/* From an inlined call to its declaration are three or four steps. */
	ORIGINS_MAX = 16,
};

struct range {
	uint64_t start, limit;
	uint32_t scope;
};

struct builder {
	struct dw_scopes out;
	struct range *ranges;
	size_t n_ranges, ranges_size;
};

/* ---- the walk ------------------------------------------------------------ */

static int add_range(struct builder *b, uint64_t start, uint64_t limit,
		     uint32_t scope)
{
	if (start >= limit || b->n_ranges >= RANGES_MAX)
		return 0;
	if (b->n_ranges == b->ranges_size) {
		const size_t size = b->ranges_size ? b->ranges_size * 2 : 64;
		void *p = realloc(b->ranges, size * sizeof(*b->ranges));
		if (!p)
			return ERR_NOMEM;
		b->ranges = p;
		b->ranges_size = size;
	}
	b->ranges[b->n_ranges++] = (struct range){ start, limit, scope };
	return 0;
}

static uint64_t unsigned_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;
	Dwarf_Word v;
	if (!dwarf_attr(die, name, &a) || dwarf_formudata(&a, &v))
		return 0;
	return v;
}

/* *scope: the enclosing one on entry, the new one when the entry is one. */
static int add_scope(struct builder *b, Dwarf_Die *die, int tag,
		     uint32_t *scope)
{
	struct dw_scopes *out = &b->out;
	const uint32_t parent = *scope;
	Dwarf_Addr base, start, limit;
	ptrdiff_t at = dwarf_ranges(die, 0, &base, &start, &limit);
	/* An abstract instance, or only a declaration. */
	if (at <= 0 || out->n >= SCOPES_MAX)
		return 0;
	if (out->n == out->size) {
		const size_t size = out->size ? out->size * 2 : 64;
		void *p = realloc(out->items, size * sizeof(*out->items));
		if (!p)
			return ERR_NOMEM;
		out->items = p;
		out->size = size;
	}
	const uint32_t index = (uint32_t)out->n++;
	struct dw_scope *s = &out->items[index];
	*s = (struct dw_scope){ .die_addr = die->addr,
				.low_pc = UINT64_MAX,
				.parent = DW_SCOPE_NONE };
	if (tag == DW_TAG_inlined_subroutine) {
		const uint64_t line = unsigned_attr(die, DW_AT_call_line);
		const uint64_t file = unsigned_attr(die, DW_AT_call_file);
		s->parent = parent;
		s->call_line = line <= INT_MAX ? (int)line : 0;
		s->call_file = file < UINT32_MAX ? (uint32_t)file : UINT32_MAX;
	}
	while (at > 0) {
		/* The first is the entry's, also when a cold part lies lower.
		 */
		if (s->low_pc == UINT64_MAX && start < limit)
			s->low_pc = start;
		if (add_range(b, start, limit, index))
			return ERR_NOMEM;
		at = dwarf_ranges(die, at, &base, &start, &limit);
	}
	*scope = index;
	return 0;
}

/* Can there be code below an entry of this kind? */
static bool may_hold_code(int tag)
{
	switch (tag) {
	case DW_TAG_enumeration_type:
	case DW_TAG_array_type:
	case DW_TAG_subroutine_type:
	case DW_TAG_union_type:
	case DW_TAG_call_site:
	case DW_TAG_GNU_call_site:
	case DW_TAG_formal_parameter:
	case DW_TAG_variable:
	case DW_TAG_member:
		return false;
	default:
		return true;
	}
}

struct walk {
	Dwarf_Die die;
	uint32_t scope; /* the enclosing one */
};

static int visit(struct builder *b, Dwarf_Die *die, uint32_t *scope,
		 bool *ret_descend)
{
	const int tag = dwarf_tag(die);
	*ret_descend = may_hold_code(tag);
	if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine &&
	    tag != DW_TAG_entry_point)
		return 0;
	return add_scope(b, die, tag, scope);
}

static int walk_unit(struct builder *b, Dwarf_Die *unit, struct walk *stack)
{
	size_t depth = 0;
	stack[0].scope = DW_SCOPE_NONE;
	if (dwarf_child(unit, &stack[0].die) != 0)
		return 0;
	for (;;) {
		struct walk *w = &stack[depth];
		uint32_t scope = w->scope;
		bool descend;
		const int rc = visit(b, &w->die, &scope, &descend);
		if (rc)
			return rc;
		if (descend && depth + 1 < WALK_DEPTH_MAX &&
		    dwarf_child(&w->die, &w[1].die) == 0 &&
		    w[1].die.addr > w->die.addr) {
			w[1].scope = scope;
			depth++;
			continue;
		}
		for (;;) {
			w = &stack[depth];
			const void *before = w->die.addr;
			/* A sibling that lies before would be a circle. */
			if (dwarf_siblingof(&w->die, &w->die) == 0 &&
			    w->die.addr > before)
				break;
			if (depth-- == 0)
				return 0;
		}
	}
}

/* ---- from nested ranges to segments ---------------------------------------
 */

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->scope < y->scope ? -1 : x->scope > y->scope;
}

/* Is x further inside than y: the smaller one, or of equals the later. */
static bool is_inner(const struct range *x, const struct range *y)
{
	const uint64_t a = x->limit - x->start, b = y->limit - y->start;
	return a != b ? a < b : x->scope > y->scope;
}

/* A heap of the ranges that are open, the innermost on top. */
static void heap_push(const struct range **heap, size_t n,
		      const struct range *r)
{
	for (; n > 0 && is_inner(r, heap[(n - 1) / 2]); n = (n - 1) / 2)
		heap[n] = heap[(n - 1) / 2];
	heap[n] = r;
}

/* n is the count without the top. */
static void heap_pop(const struct range **heap, size_t n)
{
	const struct range *last = heap[n];
	size_t i = 0;
	for (;;) {
		size_t c = 2 * i + 1;
		if (c >= n)
			break;
		if (c + 1 < n && is_inner(heap[c + 1], heap[c]))
			c++;
		if (!is_inner(heap[c], last))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = last;
}

static void add_segment(struct dw_scopes *out, uint64_t start, uint32_t scope)
{
	if (out->n_segments &&
	    out->segments[out->n_segments - 1].start == start)
		out->n_segments--;
	if (out->n_segments &&
	    out->segments[out->n_segments - 1].scope == scope)
		return;
	out->segments[out->n_segments++] =
		(struct dw_segment){ .start = start, .scope = scope };
}

/*
 * Sweep over the addresses.  Where ranges nest as they should, the smallest
 * open one is the innermost; where they do not, it is still an answer.
 */
static int flatten(struct builder *b)
{
	struct dw_scopes *out = &b->out;
	if (!b->n_ranges)
		return 0;
	qsort(b->ranges, b->n_ranges, sizeof(*b->ranges), by_start);
	const struct range **heap = malloc(b->n_ranges * sizeof(*heap));
	/* Each range opens one segment, and ends one. */
	out->segments = malloc(b->n_ranges * 2 * sizeof(*out->segments));
	if (!heap || !out->segments) {
		free(heap);
		return ERR_NOMEM;
	}
	size_t open = 0, i = 0;
	while (i < b->n_ranges || open) {
		/* Whichever comes first: a new range, or the top's end. */
		if (open && (i == b->n_ranges ||
			     heap[0]->limit <= b->ranges[i].start)) {
			const uint64_t end = heap[0]->limit;
			while (open && heap[0]->limit <= end)
				heap_pop(heap, --open);
			add_segment(out, end,
				    open ? heap[0]->scope : DW_SCOPE_NONE);
			continue;
		}
		heap_push(heap, open++, &b->ranges[i]);
		add_segment(out, b->ranges[i].start, heap[0]->scope);
		i++;
	}
	free(heap);
	return 0;
}

int dw_scopes_build(Dwarf_Die *unit, struct dw_scopes *ret_scopes)
{
	struct builder b = { 0 };
	struct walk *stack = malloc(WALK_DEPTH_MAX * sizeof(*stack));
	int rc = stack ? walk_unit(&b, unit, stack) : ERR_NOMEM;
	if (!rc)
		rc = flatten(&b);
	free(stack);
	free(b.ranges);
	if (rc)
		dw_scopes_free(&b.out);
	else
		*ret_scopes = b.out;
	return rc;
}

void dw_scopes_free(struct dw_scopes *s)
{
	free(s->items);
	free(s->segments);
	*s = (struct dw_scopes){ 0 };
}

uint32_t dw_scopes_find(const struct dw_scopes *s, uint64_t addr)
{
	size_t low = 0, high = s->n_segments;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (s->segments[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? s->segments[low - 1].scope : DW_SCOPE_NONE;
}

/* ---- names ----------------------------------------------------------------
 */

static const char *string_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;
	return dwarf_formstring(dwarf_attr(die, name, &a));
}

/* Does the unit's language link functions under other names? */
static bool is_mangling(const Dwarf_Die *unit)
{
	Dwarf_Die die = *unit;
	switch (unsigned_attr(&die, DW_AT_language)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_UPC:
	case DW_LANG_Cobol74:
	case DW_LANG_Cobol85:
	case DW_LANG_Fortran77:
	case DW_LANG_Pascal83:
	case DW_LANG_PLI:
		return false;
	default:
		return true;
	}
}

void dw_scope_resolve(struct dw_scope *s, const Dwarf_Die *unit,
		      struct strings *pool)
{
	const char *linkage = NULL, *name = NULL;
	Dwarf_Die die = { .addr = s->die_addr, .cu = unit->cu };
	s->resolved = true;
	for (int step = 0; step < ORIGINS_MAX; step++) {
		if (!linkage)
			linkage = string_attr(&die, DW_AT_linkage_name);
		if (!linkage)
			linkage = string_attr(&die, DW_AT_MIPS_linkage_name);
		if (!name)
			name = string_attr(&die, DW_AT_name);
		if (!s->start_line) {
			const uint64_t n = unsigned_attr(&die, DW_AT_decl_line);
			s->start_line = n <= INT_MAX ? (int)n : 0;
		}
		Dwarf_Attribute a;
		Dwarf_Die next;
		if (!dwarf_attr(&die, DW_AT_abstract_origin, &a) &&
		    !dwarf_attr(&die, DW_AT_specification, &a))
			break;
		if (!dwarf_formref_die(&a, &next))
			break;
		die = next;
	}
	const char *best = linkage ? linkage : name;
	s->is_linked = linkage || (name && !is_mangling(unit));
	if (!best || !*best)
		return;
	char *people = linkage ? demangle_name(linkage) : NULL;
	s->system_name = strings_intern(pool, best);
	s->function = strings_intern(pool, people ? people : best);
	free(people);
	if (!s->function)
		s->system_name = NULL;
}
