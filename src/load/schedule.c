/* schedule.c - see schedule.h. */
#include "load/schedule.h"

#define SECOND_NS INT64_C(1000000000)

void schedule_init(struct schedule *s, int64_t start_ns, int64_t duration_ns,
		   int64_t rps, int64_t requests)
{
	s->start_ns = start_ns;
	s->rps = rps;
	s->limit = requests ? (uint64_t)requests : UINT64_MAX;
	atomic_init(&s->end_ns, start_ns + duration_ns);
	atomic_init(&s->next, 0);
}

/* In two parts, since i * 10^9 would overflow after a day at 100,000 a second.
 */
int64_t schedule_due_ns(const struct schedule *s, uint64_t i)
{
	if (!s->rps)
		return s->start_ns;
	const uint64_t rps = (uint64_t)s->rps;
	return s->start_ns + (int64_t)(i / rps) * SECOND_NS +
	       (int64_t)(i % rps * (uint64_t)SECOND_NS / rps);
}

enum schedule_answer schedule_take(struct schedule *s, int64_t now_ns,
				   uint64_t *ret_index, int64_t *ret_due_ns)
{
	const int64_t end_ns =
		atomic_load_explicit(&s->end_ns, memory_order_relaxed);
	if (now_ns >= end_ns)
		return SCHEDULE_OVER;
	uint64_t i = atomic_load_explicit(&s->next, memory_order_relaxed);
	do {
		const int64_t due_ns = s->rps ? schedule_due_ns(s, i) : now_ns;
		*ret_due_ns = due_ns;
		if (i >= s->limit)
			schedule_end(s, now_ns); /* for the others, too */
		if (due_ns >= end_ns || i >= s->limit)
			return SCHEDULE_OVER;
		if (due_ns > now_ns)
			return SCHEDULE_LATER;
	} while (!atomic_compare_exchange_weak_explicit(&s->next, &i, i + 1,
							memory_order_relaxed,
							memory_order_relaxed));
	*ret_index = i;
	return SCHEDULE_NOW;
}

void schedule_end(struct schedule *s, int64_t now_ns)
{
	int64_t end_ns = atomic_load_explicit(&s->end_ns, memory_order_relaxed);
	while (now_ns < end_ns &&
	       !atomic_compare_exchange_weak_explicit(
		       &s->end_ns, &end_ns, now_ns, memory_order_relaxed,
		       memory_order_relaxed))
		;
}

uint64_t schedule_due_count(struct schedule *s)
{
	const uint64_t taken =
		atomic_load_explicit(&s->next, memory_order_relaxed);
	const int64_t end_ns =
		atomic_load_explicit(&s->end_ns, memory_order_relaxed);
	if (!s->rps || taken >= s->limit)
		return taken;
	/* Request i is due before the end: the first that is not ends them. */
	uint64_t low = taken;
	uint64_t high = taken + 1;
	while (schedule_due_ns(s, high) < end_ns)
		high += high - low;
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		if (schedule_due_ns(s, middle) < end_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->limit ? low : s->limit;
}
