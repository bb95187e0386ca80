/*
 * sampler_budget.h - the CPU sampler keeps within the share of the process's
 * CPU time that pprof_set_cpu_profile_budget allows.
 *
 * Points, and so the totals of a profile, stay as they are: a signal that
 * comes later brings the points of all the time since the last one
 * (cpu_thread.h).  What grows is the stretch of time that one stack stands
 * for.
 */
#ifndef PROFLAB_PPROF_SAMPLER_BUDGET_H
#define PROFLAB_PPROF_SAMPLER_BUDGET_H

#include <stdint.h>

struct sampler_info;

/*
 * A capture begins, at full speed: period_ns as asked, base_ns between two
 * signals as the engine can have it.  Under the registry's lock.
 */
void sampler_budget_begin(int64_t period_ns, int64_t base_ns);
/* Before each scan.  Thread: the control thread alone. */
void sampler_budget_check(void);
/* Scans are so many times further apart than at first. */
unsigned sampler_budget_scan_every(void);

double sampler_budget_share(void);
int64_t sampler_budget_reductions(void);
/* Between two signals, now. */
int64_t sampler_budget_signal_period_ns(void);

#endif
