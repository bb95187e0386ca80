/*
 * cpu_testing.h - for the tests of the profiles: threads that burn a known
 * amount of CPU by their own clocks, and questions to what was written.
 */
#ifndef PROFLAB_TESTS_CPU_TESTING_H
#define PROFLAB_TESTS_CPU_TESTING_H

#include "tests/testing.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "pprof/pprof.h"
#include "profile/decode.h"
#include "profile/profile.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define MS INT64_C(1000000)

/* ---- burning and waiting ------------------------------------------------- */

/*
 * The longest time that a clock went on by while burn did a few microseconds'
 * work.  A guest's clocks run on while its processor is taken away, ticks and
 * all: what is longer than a period or so was no work that a timer could see.
 */
static _Atomic int64_t burn_gap_ns;

/* Calculate until the calling thread's own clock has gone on by ns; inlined,
 * so that the CPU time is the caller's.  Returns: how much it really was. */
static inline __attribute__((always_inline)) int64_t burn(int64_t ns)
{
	const int64_t began = clock_thread_cpu_ns();
	int64_t now = began, gap = 0;
	while (now - began < ns) {
		const int64_t before = now;
		for (volatile int i = 0; i < 2000; i++)
			;
		now = clock_thread_cpu_ns();
		if (now - before > gap)
			gap = now - before;
	}
	int64_t longest = burn_gap_ns;
	while (gap > longest &&
	       !atomic_compare_exchange_weak(&burn_gap_ns, &longest, gap))
		;
	return now - began;
}

/* Sleep for ns, however often a signal interrupts. */
static inline void pause_ns(int64_t ns)
{
	const int64_t end = clock_monotonic_ns() + ns;
	const struct timespec until = clock_to_timespec(end);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	       EINTR)
		;
}

/* ---- capturing ----------------------------------------------------------- */

static inline struct pprof_capture *capture_begin(int hz)
{
	struct pprof_capture *c = NULL;
	const struct pprof_capture_options options = { .hz = hz };
	const int rc = pprof_capture_start("profile", &options, &c);
	ck_assert_msg(rc == 0, "start at %d Hz: %s", hz, pprof_strerror(rc));
	return c;
}

static inline int capture_append(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

/* What was written into b, rc says how, as it is read again; frees b. */
static inline struct profile *read_back(struct buf *b, int rc, const char *name)
{
	struct err e = { .text = "" };
	struct profile *p = NULL;
	ck_assert_msg(rc == 0, "%s: %s", name, pprof_strerror(rc));
	rc = profile_decode(b->data, b->len, NULL, &p, &e);
	ck_assert_msg(rc == 0, "%s: %s", name, e.text);
	buf_free(b);
	return p;
}

/* The profile of this name, now. */
static inline struct profile *take(const char *name)
{
	struct buf b = { 0 };
	const struct pprof_writer writer = { capture_append, &b };
	struct pprof_profile *named = pprof_lookup(name);
	ck_assert_msg(named != NULL, "no profile %s", name);
	return read_back(&b, pprof_write_to(named, NULL, &writer), name);
}

/* What a stopped capture writes. */
static inline struct profile *capture_read(struct pprof_capture *c)
{
	struct buf b = { 0 };
	const struct pprof_writer writer = { capture_append, &b };
	return read_back(&b, pprof_capture_write(c, &writer), "capture");
}

static inline struct profile *capture_end(struct pprof_capture *c)
{
	const int rc = pprof_capture_stop(c);
	ck_assert_msg(rc == 0, "stop: %s", pprof_strerror(rc));
	struct profile *p = capture_read(c);
	pprof_capture_free(c);
	return p;
}

static inline void profile_all_locks(void)
{
	pprof_set_block_profile_rate(1);
	pprof_set_mutex_profile_fraction(1);
}

/* ---- asking -------------------------------------------------------------- */

static inline bool location_has(const struct profile *p, uint32_t location,
				const char *function)
{
	const struct profile_location *l = &p->locations[location];
	for (uint32_t i = 0; i < l->line_count; i++) {
		const uint32_t f = p->lines[l->line_first + i].function;
		if (f != PROFILE_NONE &&
		    strcmp(profile_str(p, p->functions[f].name), function) == 0)
			return true;
	}
	return false;
}

/* Is the function anywhere in sample i? */
static inline bool sample_has(const struct profile *p, size_t i,
			      const char *function)
{
	const struct profile_span s = p->sample_locs[i];
	for (uint32_t j = 0; j < s.count; j++)
		if (location_has(p, p->locs[s.first + j], function))
			return true;
	return false;
}

static inline bool sample_has_label(const struct profile *p, size_t i,
				    const char *key, const char *value)
{
	const struct profile_span s = p->sample_labels[i];
	for (uint32_t j = 0; j < s.count; j++) {
		const struct profile_label *l = &p->labels[s.first + j];
		if (strcmp(profile_str(p, l->key), key) == 0 &&
		    strcmp(profile_str(p, l->str), value) == 0)
			return true;
	}
	return false;
}

static inline int64_t sample_count(const struct profile *p, size_t i)
{
	return p->values[i * p->n_sample_types];
}

/* Samples whose stack has the function; with without, and not that one. */
static inline int64_t count_of(const struct profile *p, const char *function,
			       const char *without)
{
	int64_t n = 0;
	for (size_t i = 0; i < p->n_samples; i++)
		if ((!function || sample_has(p, i, function)) &&
		    (!without || !sample_has(p, i, without)))
			n += sample_count(p, i);
	return n;
}

/*
 * How many points a timer had to wait with, at the longest gap that burn saw:
 * they come with the next tick, some 10 ms into something else.
 */
static inline int64_t points_of_gap(const struct profile *p)
{
	return burn_gap_ns / p->period;
}

/*
 * Are there at least want samples?  Where the machine is a guest whose
 * processor is taken away, ticks and all, the points in between may also come
 * with the end of the window.
 */
static inline bool is_at_least(const struct profile *p, int64_t got,
			       int64_t want)
{
	const int64_t late = count_of(p, "_CaptureEnd", NULL);
	return got + late >= want - points_of_gap(p);
}

/* Are there about want samples?  Of burns that took as long as they were to,
 * or, by such a gap, longer. */
static inline bool is_about(const struct profile *p, int64_t got, int64_t want)
{
	return is_at_least(p, got, want - 5) &&
	       got <= want + 5 + points_of_gap(p);
}

#define ck_assert_about(got, want, p)                                          \
	ck_assert_msg(is_about(p, got, want), "%lld, not %lld%s",              \
		      (long long)(got), (long long)(want), describe(p))

static inline bool has_comment(const struct profile *p, const char *part)
{
	for (size_t i = 0; i < p->n_comments; i++)
		if (strstr(profile_str(p, p->comments[i]), part))
			return true;
	return false;
}

/* For the message of a failed assertion. */
static inline const char *describe(const struct profile *p)
{
	static char text[4096];
	size_t len = 0;
	for (size_t i = 0; i < p->n_comments && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"\n#   %s",
					profile_str(p, p->comments[i]));
	for (size_t i = 0; i < p->n_samples && len < sizeof(text); i++) {
		const struct profile_span s = p->sample_locs[i];
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"\n#   %lld",
					(long long)sample_count(p, i));
		for (uint32_t j = 0; j < s.count && len < sizeof(text); j++) {
			const struct profile_location *l =
				&p->locations[p->locs[s.first + j]];
			const char *name = "?";
			if (l->line_count)
				name = profile_str(
					p, p->functions[p->lines[l->line_first]
								.function]
						   .name);
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						" %s", name);
		}
	}
	return text;
}

static inline double counter(const char *name)
{
	struct pprof_stat stat;
	double sum = 0;
	for (size_t i = 0; pprof_stat_at(i, &stat); i++)
		if (strcmp(stat.name, name) == 0)
			sum += stat.value;
	return sum;
}

/* ---- what the process holds ---------------------------------------------- */

/* Timers in /proc/self/timers. */
static inline int timers_open(void)
{
	FILE *f = fopen("/proc/self/timers", "r");
	if (!f)
		return 0;
	char line[256];
	int n = 0;
	while (fgets(line, sizeof(line), f))
		n += strncmp(line, "ID:", 3) == 0;
	fclose(f);
	return n;
}

static inline int entries(const char *folder)
{
	DIR *d = opendir(folder);
	int n = 0;
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/*
 * Until the entries of /proc/self/task are as many as wanted: a thread that was
 * joined is among them for a moment still, as its joiner is woken before the
 * kernel takes it off.  Returns: how many there are, after 20 s at most.
 */
static inline int tasks_settle_at(int want)
{
	const int64_t end = clock_monotonic_ns() + 20000 * MS;
	int n;
	while ((n = entries("/proc/self/task")) != want &&
	       clock_monotonic_ns() < end)
		pause_ns(MS);
	return n;
}

#endif
