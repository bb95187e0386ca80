/*
 * routine.h - the linked functions that a profile has samples in: found in
 * their binaries, disassembled, each instruction with what it costs.
 */
#ifndef PROFLAB_REPORT_ROUTINE_H
#define PROFLAB_REPORT_ROUTINE_H

#include "report/binary.h"
#include "report/context.h"
#include "report/disasm.h"

struct regex;

/* What was sampled at an address of a binary. */
struct routine_cost {
	uint64_t address; /* of the file */
	int64_t flat, cum;
};

struct routine {
	struct binary *binary; /* of the set */
	const char *name;
	uint64_t start, end; /* addresses of the file */
	int64_t flat, cum;
	struct routine_cost *costs; /* owned, sorted; those in [start, end) */
	size_t n_costs, cap_costs;
};

struct routine_set {
	struct routine *routines; /* owned, sorted by name */
	size_t n, cap;
	struct binary *binaries; /* owned, one for each mapping */
	bool *is_open;
	size_t n_binaries;
	struct arena arena;
};

/*
 * All that hold addresses of the graph's nodes; the graph is of addresses.
 * With rx, only those whose function it matches, or, where it is a number,
 * that hold this address.
 * Returns: 0 or ERR_NOMEM.  Owns: the caller, routine_free_all always.
 */
int routine_find_all(struct report *r, const struct graph *g, struct regex *rx,
		     struct routine_set *ret_set);
void routine_free_all(struct routine_set *s);

/* The instructions of one.  Returns: as disasm_run. */
int routine_disassemble(const struct report *r, const struct routine *f,
			struct disasm *ret_disasm, struct err *e);

/*
 * What instruction i costs: all samples from its address up to the next.
 * *at walks over the costs: 0 before the first instruction.
 */
struct routine_cost routine_cost_of(const struct routine *f,
				    const struct disasm *d, size_t i,
				    size_t *at);

#endif
