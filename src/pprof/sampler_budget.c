/* sampler_budget.c - see sampler_budget.h. */
#include "pprof/sampler_budget.h"

#include "base/clock.h"
#include "pprof/budget.h"
#include "pprof/cpu_thread.h"
#include "pprof/pprof.h"
#include "pprof/sampler.h"

#include <stdatomic.h>

enum {
	/* No thread is sampled less often than this for the budget's sake. */
	SLOWEST_NS = 100000000,
	SCAN_HALVINGS_MAX = 3, /* a scan each 800 ms */
};

static _Atomic double share; /* 0: no limit */
static _Atomic int64_t n_reductions;
static _Atomic unsigned scan_every = 1;
static _Atomic int64_t signal_period_ns;

/* The control thread's, while there is one. */
static struct budget budget;
static int64_t asked_ns, engine_ns;

int pprof_set_cpu_profile_budget(double new_share)
{
	if (!(new_share >= 0 && new_share <= 1))
		return PPROF_ERR_INVALID;
	atomic_store(&share, new_share);
	return 0;
}

double pprof_cpu_profile_budget(void)
{
	return atomic_load(&share);
}

static void apply(void)
{
	const int64_t period = budget.rate_halvings
				       ? engine_ns << budget.rate_halvings
				       : asked_ns;
	atomic_store(&scan_every, 1u << budget.scan_halvings);
	atomic_store(&signal_period_ns,
		     period > engine_ns ? period : engine_ns);
	cpu_threads_pace(period);
}

void sampler_budget_begin(int64_t period_ns, int64_t base_ns)
{
	budget = (struct budget){ .scan_halvings_max = SCAN_HALVINGS_MAX };
	asked_ns = period_ns;
	engine_ns = base_ns;
	while (base_ns << (budget.rate_halvings_max + 1) <= SLOWEST_NS)
		budget.rate_halvings_max++;
	apply();
}

void sampler_budget_check(void)
{
	struct sampler_stats stats;
	sampler_stats(&stats);
	const struct budget_reading reading = {
		.process_ns = clock_process_cpu_ns(),
		.signals_ns = stats.handler_ns + stats.delivery_ns,
		.control_ns = stats.control_ns,
	};
	const unsigned before = budget.rate_halvings;
	if (budget_check(&budget, atomic_load(&share), &reading) == 0)
		return;
	if (budget.rate_halvings > before)
		atomic_fetch_add(&n_reductions, 1);
	apply();
}

unsigned sampler_budget_scan_every(void)
{
	return atomic_load(&scan_every);
}

double sampler_budget_share(void)
{
	return atomic_load(&share);
}

int64_t sampler_budget_reductions(void)
{
	return atomic_load(&n_reductions);
}

int64_t sampler_budget_signal_period_ns(void)
{
	return atomic_load(&signal_period_ns);
}
