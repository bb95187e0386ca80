/* plan.c - see plan.h. */
#include "load/plan.h"

#include "base/map.h"
#include "base/rng.h"

#include <stdio.h>

static const struct scenario_route *draw_route(const struct scenario *s,
					       struct rng *rng)
{
	uint64_t total = 0;
	for (size_t i = 0; i < SCENARIO_ROUTES && s->routes[i].path; i++)
		total += s->routes[i].weight;
	uint64_t left = rng_below(rng, total);
	const struct scenario_route *route = s->routes;
	while (left >= route->weight)
		left -= (route++)->weight;
	return route;
}

static int print_value(const struct scenario_param *param, struct rng *rng,
		       char *to, size_t size)
{
	if (param->prefix)
		return snprintf(to, size, "%s%s%u", param->prefix,
				*param->prefix ? "_" : "",
				1 + (unsigned)rng_below(rng, param->count));
	size_t count = 0;
	while (count < SCENARIO_VALUES && param->values[count])
		count++;
	return snprintf(to, size, "%s", param->values[rng_below(rng, count)]);
}

char *plan_target(const struct plan *plan, uint64_t i,
		  char target[static PLAN_TARGET])
{
	struct rng rng;
	/* Mixed, so that neighbours' generators begin far apart. */
	rng_seed(&rng, map_mix(plan->seed) ^ map_mix(i + 1));
	const struct scenario_route *route = draw_route(plan->scenario, &rng);
	/* The table's longest line is far below PLAN_TARGET; a test says so. */
	size_t n = (size_t)snprintf(target, PLAN_TARGET, "%s", route->path);
	for (size_t p = 0; p < SCENARIO_PARAMS && route->params[p].name; p++) {
		n += (size_t)snprintf(target + n, PLAN_TARGET - n,
				      "%c%s=", p ? '&' : '?',
				      route->params[p].name);
		n += (size_t)print_value(&route->params[p], &rng, target + n,
					 PLAN_TARGET - n);
	}
	return target;
}
