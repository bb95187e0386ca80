/*
 * stat.c - see stat.h; and the counters that belong to no single kind.
 */
#include "pprof/stat.h"

#include "base/err.h"
#include "pprof/freeze.h"
#include "pprof/lost.h"

enum { PARTS_MAX = 32 };

static stat_fn *parts[PARTS_MAX]; /* atomic: released by n_parts */
static unsigned n_parts;	  /* atomic */
static int64_t cpu_ns;		  /* atomic, relaxed */

int stat_register(stat_fn *fn)
{
	const unsigned n = __atomic_fetch_add(&n_parts, 1, __ATOMIC_ACQ_REL);
	if (n >= PARTS_MAX)
		return ERR_LIMIT;
	__atomic_store_n(&parts[n], fn, __ATOMIC_RELEASE);
	return 0;
}

void stat_add_cpu_ns(int64_t ns)
{
	__atomic_fetch_add(&cpu_ns, ns, __ATOMIC_RELAXED);
}

struct sum {
	size_t cause;
	double samples;
};

static void add_table(struct stack_table *t, void *arg)
{
	struct sum *sum = arg;
	sum->samples += (double)__atomic_load_n(
		(int64_t *)&stack_table_lost(t)->samples[sum->cause],
		__ATOMIC_RELAXED);
}

static bool own_stat(size_t i, struct pprof_stat *ret_stat)
{
	if (i < LOST_CAUSES) {
		struct sum sum = { .cause = i };
		freeze_each_table(add_table, &sum);
		*ret_stat = (struct pprof_stat){
			.name = "lost_samples_total",
			.label = lost_name((enum lost_cause)i),
			.value = sum.samples,
		};
		return true;
	}
	if (i > LOST_CAUSES)
		return false;
	*ret_stat = (struct pprof_stat){
		.name = "cpu_seconds_total",
		.label = "write",
		.value = (double)__atomic_load_n(&cpu_ns, __ATOMIC_RELAXED) /
			 1e9,
	};
	return true;
}

bool pprof_stat_at(size_t i, struct pprof_stat *ret_stat)
{
	size_t at = 0;
	for (size_t j = 0; own_stat(j, ret_stat); j++)
		if (at++ == i)
			return true;
	unsigned n = __atomic_load_n(&n_parts, __ATOMIC_ACQUIRE);
	for (unsigned part = 0; part < n && part < PARTS_MAX; part++) {
		stat_fn *fn = __atomic_load_n(&parts[part], __ATOMIC_ACQUIRE);
		for (size_t j = 0; fn && fn(j, ret_stat); j++)
			if (at++ == i)
				return true;
	}
	return false;
}
