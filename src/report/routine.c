/* routine.c - see routine.h. */
#include "report/routine.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"
#include "report/regex.h"
#include "symbol/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Regular expression and number at once: "0x401000". */
static bool parse_address(const struct regex *rx, uint64_t *ret_address)
{
	if (!rx)
		return false;
	char *end;
	const char *s = regex_source(rx);
	errno = 0;
	*ret_address = strtoull(s, &end, 0);
	return *s >= '0' && *s <= '9' && !*end && !errno;
}

/* The mapping of this file that holds the address, or PROFILE_NONE. */
static uint32_t find_mapping(const struct view *v, const struct graph_info *i)
{
	uint32_t first = PROFILE_NONE;
	for (uint32_t m = 0; m < v->p->n_mappings; m++) {
		if (v->mappings[m].filename != i->objfile)
			continue;
		if (i->address >= v->mappings[m].start &&
		    i->address < v->mappings[m].limit)
			return m;
		if (first == PROFILE_NONE)
			first = m;
	}
	return first;
}

static struct binary *get_binary(struct routine_set *s, const struct view *v,
				 uint32_t mapping)
{
	struct binary *b = &s->binaries[mapping];
	if (!s->is_open[mapping]) {
		s->is_open[mapping] = true;
		if (binary_open(v->p, &v->mappings[mapping], b, NULL))
			*b = (struct binary){ 0 };
	}
	return b->object ? b : NULL;
}

static const char *name_of(struct routine_set *s, struct binary *b,
			   uint64_t address)
{
	struct object_frame frames[64];
	const size_t n = object_lookup(b->object, address, frames, 64);
	if (!n)
		return NULL;
	const char *name = frames[n - 1].function;
	return arena_text(&s->arena, name, strlen(name));
}

static int add_routine(struct routine_set *s, struct binary *b,
		       uint64_t address, struct regex *rx, uint64_t start,
		       uint64_t size, struct routine **ret)
{
	uint64_t wanted;
	*ret = NULL;
	const char *name = name_of(s, b, address);
	if (!name)
		return 0;
	const bool by_address = parse_address(rx, &wanted) &&
				wanted - b->bias >= start &&
				wanted - b->bias < start + size;
	if (rx && !by_address && !regex_match(rx, name, strlen(name)))
		return 0;
	if (grow_rows(&s->routines, &s->cap, s->n + 1, sizeof(*s->routines)))
		return ERR_NOMEM;
	*ret = &s->routines[s->n++];
	**ret = (struct routine){
		.binary = b, .name = name, .start = start, .end = start + size
	};
	return 0;
}

static int find_routine(struct routine_set *s, struct binary *b,
			uint64_t address, struct regex *rx,
			struct routine **ret)
{
	for (size_t i = 0; i < s->n; i++) {
		*ret = &s->routines[i];
		if ((*ret)->binary == b && address >= (*ret)->start &&
		    address < (*ret)->end)
			return 0;
	}
	uint64_t start, size;
	*ret = NULL;
	if (object_function_range(b->object, address, &start, &size) || !size)
		return 0;
	return add_routine(s, b, address, rx, start, size, ret);
}

static int add_node(struct routine_set *s, const struct view *v,
		    const struct graph_node *n, struct regex *rx)
{
	if (!n->info.objfile || !n->info.address)
		return 0;
	const uint32_t mapping = find_mapping(v, &n->info);
	struct binary *b =
		mapping == PROFILE_NONE ? NULL : get_binary(s, v, mapping);
	if (!b)
		return 0;
	const uint64_t address = n->info.address - b->bias;
	struct routine *f;
	if (find_routine(s, b, address, rx, &f))
		return ERR_NOMEM;
	if (!f)
		return 0;
	if (grow_rows(&f->costs, &f->cap_costs, f->n_costs + 1,
		      sizeof(*f->costs)))
		return ERR_NOMEM;
	f->costs[f->n_costs++] =
		(struct routine_cost){ address, graph_flat(n), graph_cum(n) };
	f->flat = i64_add(f->flat, graph_flat(n));
	f->cum = i64_add(f->cum, graph_cum(n));
	return 0;
}

static int compare_routines(const void *pa, const void *pb)
{
	const struct routine *a = pa, *b = pb;
	const int c = strcmp(a->name, b->name);
	return c ? c : (a->start > b->start) - (a->start < b->start);
}

static int compare_costs(const void *pa, const void *pb)
{
	const struct routine_cost *a = pa, *b = pb;
	return (a->address > b->address) - (a->address < b->address);
}

int routine_find_all(struct report *r, const struct graph *g, struct regex *rx,
		     struct routine_set *s)
{
	const struct view *v = &r->view;
	*s = (struct routine_set){ .n_binaries = v->p->n_mappings };
	s->binaries = calloc(s->n_binaries + 1, sizeof(*s->binaries));
	s->is_open = calloc(s->n_binaries + 1, sizeof(*s->is_open));
	int rc = s->binaries && s->is_open ? 0 : ERR_NOMEM;
	for (size_t i = 0; i < g->n_order && !rc; i++)
		rc = add_node(s, v, &g->nodes[g->order[i]], rx);
	if (rc)
		return rc;
	if (s->n)
		qsort(s->routines, s->n, sizeof(*s->routines),
		      compare_routines);
	for (size_t i = 0; i < s->n; i++)
		qsort(s->routines[i].costs, s->routines[i].n_costs,
		      sizeof(*s->routines[i].costs), compare_costs);
	return 0;
}

void routine_free_all(struct routine_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->routines[i].costs);
	for (size_t i = 0; s->binaries && i < s->n_binaries; i++)
		if (s->binaries[i].object)
			binary_close(&s->binaries[i]);
	free(s->routines);
	free(s->binaries);
	free(s->is_open);
	arena_free(&s->arena);
	*s = (struct routine_set){ 0 };
}

int routine_disassemble(const struct report *r, const struct routine *f,
			struct disasm *ret_disasm, struct err *e)
{
	const struct disasm_options o = { .intel_syntax = r->o.intel_syntax,
					  .tools = r->o.tools };
	return disasm_run(object_path(f->binary->object), f->start, f->end, &o,
			  ret_disasm, e);
}

struct routine_cost routine_cost_of(const struct routine *f,
				    const struct disasm *d, size_t i,
				    size_t *at)
{
	const uint64_t next =
		i + 1 < d->n ? d->insts[i + 1].address : UINT64_MAX;
	struct routine_cost sum = { .address = d->insts[i].address };
	for (; *at < f->n_costs && f->costs[*at].address < next; ++*at) {
		sum.flat = i64_add(sum.flat, f->costs[*at].flat);
		sum.cum = i64_add(sum.cum, f->costs[*at].cum);
	}
	return sum;
}
