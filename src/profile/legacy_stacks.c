/*
 * legacy_stacks.c - the other text formats: counted stacks, contention, and
 * the threads of a process.
 */
#include "base/attr.h"
#include "base/err.h"
#include "profile/legacy.h"

/* ---- `NAME profile: total N`, then rows of `COUNT @ 0x... 0x...` ----------
 */

static bool count_header(struct text line, struct text *ret_name)
{
	struct text t = line, digits;
	size_t n = 0;
	while (n < line.len && line.s[n] > ' ')
		n++;
	*ret_name = (struct text){ line.s, n };
	t = (struct text){ line.s + n, line.len - n };
	return n && text_skip(&t, " profile: total ") &&
	       text_digits(&t, &digits) && !t.len;
}

/* Go's own reader refuses a row without addresses, which Go writes for the
 * threads that it did not create; here it is a sample without a stack. */
static int count_row(struct legacy *l)
{
	struct text t = l->line, digits;
	int64_t count;
	if (!text_digits(&t, &digits) || !text_skip(&t, " @"))
		return legacy_fail(l, "malformed profile format: not COUNT @ "
				      "ADDRESSES");
	if (text_addresses(t).len < t.len)
		return legacy_fail(l, "malformed profile format: not an "
				      "address");
	if (!text_to_int(digits, &count))
		return legacy_fail(l, "malformed profile format: the count is "
				      "too large");
	const int rc = legacy_push_hex(l, t, false);
	return rc ? rc : legacy_add_sample(l, &count, NULL, 0);
}

int legacy_count(struct legacy *l)
{
	struct text name;
	while (legacy_next_line(l) && text_is_blank(l->line))
		;
	if (!count_header(l->line, &name))
		return LEGACY_OTHER;
	const uint32_t s = profile_intern_len(l->p, name.s, name.len);
	const char *type = profile_str(l->p, s);
	int rc = s == PROFILE_NONE ? legacy_no_room(l, ERR_NOMEM) : 0;
	if (!rc)
		rc = legacy_set_period(l, type, "count", 1);
	if (!rc)
		rc = legacy_add_type(l, type, "count");
	while (!rc && legacy_next_line(l)) {
		if (text_is_blank(l->line))
			continue;
		if (text_starts(l->line, "---"))
			break;
		rc = count_row(l);
	}
	return rc ? rc : legacy_finish_sections(l);
}

/* ---- contention: `key = value` lines, then `CYCLES COUNT @ 0x...` ---------
 */

/* CYCLES COUNT @ at t, which begins with digits.  Blanks between the two may
 * be missing: then the last digit is the count. */
static bool contention_at(struct text t, struct text *cycles,
			  struct text *count, struct text *rest)
{
	if (!text_digits(&t, cycles))
		return false;
	struct text near = t;
	text_skip_char(&t, ' ');
	if (text_digits(&t, count) && text_skip(&t, " @")) {
		*rest = t;
		return true;
	}
	if (cycles->len < 2 || !text_skip(&near, " @"))
		return false;
	cycles->len--;
	*count = (struct text){ cycles->s + cycles->len, 1 };
	*rest = near;
	return true;
}

static bool find_contention(struct text t, struct text *cycles,
			    struct text *count, struct text *rest)
{
	while (t.len) {
		struct text run = t, digits;
		if (!text_digits(&run, &digits))
			run = (struct text){ t.s + 1, t.len - 1 };
		else if (contention_at(t, cycles, count, rest))
			return true;
		t = run;
	}
	return false;
}

static int contention_row(struct legacy *l, int64_t cycles_per_second)
{
	struct text cycles, count, rest;
	int64_t delay, n;
	const int64_t period = l->p->period;
	if (!find_contention(text_trim(l->line), &cycles, &count, &rest))
		return legacy_fail(l, "not a row of a contention profile");
	if (!text_to_int(cycles, &delay) || !text_to_int(count, &n))
		return legacy_fail(l, "malformed sample: value out of range");
	/* What was sampled counts for all, cycles become nanoseconds. */
	if (period > 0) {
		if (cycles_per_second > 0)
			delay = legacy_to_int(
				(double)delay * (double)period /
				((double)cycles_per_second / 1e9));
		n = (int64_t)((uint64_t)n * (uint64_t)period);
	}
	const int rc = legacy_push_hex(l, text_addresses(rest), false);
	const int64_t values[] = { n, delay };
	return rc ? rc : legacy_add_sample(l, values, NULL, 0);
}

/* One `key = value`.  Unknown keys are refused: another format has them. */
static int attribute(struct legacy *l, struct text line, const char *equals,
		     int64_t *cycles_per_second)
{
	int64_t ms = 0;
	const struct {
		const char *key;
		int64_t *to;
	} known[] = {
		{ "cycles/second", cycles_per_second },
		{ "sampling period", &l->p->period },
		{ "ms since reset", &ms },
	};
	const struct text key =
		text_trim((struct text){ line.s, (size_t)(equals - line.s) });
	const struct text value = text_trim((struct text){
		equals + 1, (size_t)(line.s + line.len - equals - 1) });
	struct text rest = key;
	if (text_skip(&rest, "discarded samples") && !rest.len)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		rest = key;
		if (!text_skip(&rest, known[i].key) || rest.len)
			continue;
		if (!text_to_int(value, known[i].to))
			return legacy_fail(l, "%s is not a number",
					   known[i].key);
		if (known[i].to == &ms)
			l->p->duration_nanos =
				(int64_t)((uint64_t)ms * 1000000);
		return 0;
	}
	return legacy_fail(l, "unknown attribute %.*s of a contention profile",
			   (int)(key.len < 40 ? key.len : 40), key.s);
}

/* Up to the first row, or what ends the section: that line is at hand. */
static int attributes(struct legacy *l, int64_t *cycles_per_second)
{
	while (legacy_next_line(l)) {
		const struct text line = text_trim(l->line);
		if (text_is_blank(line))
			continue;
		const char *equals = text_find(line, "=");
		if (text_starts(line, "---") || !equals)
			return 0;
		const int rc = attribute(l, line, equals, cycles_per_second);
		if (rc)
			return rc;
	}
	return 0;
}

int legacy_contention(struct legacy *l)
{
	if (!legacy_next_line(l) ||
	    (!text_starts(l->line, "--- contentionz ") &&
	     !text_starts(l->line, "--- mutex:") &&
	     !text_starts(l->line, "--- contention:")))
		return LEGACY_OTHER;
	int64_t cycles_per_second = 0;
	int rc = legacy_set_period(l, "contentions", "count", 1);
	if (!rc)
		rc = legacy_add_type(l, "contentions", "count");
	if (!rc)
		rc = legacy_add_type(l, "delay", "nanoseconds");
	if (!rc)
		rc = attributes(l, &cycles_per_second);
	while (!rc && !text_starts(text_trim(l->line), "---")) {
		if (!text_is_blank(l->line))
			rc = contention_row(l, cycles_per_second);
		if (!rc && !legacy_next_line(l))
			break;
	}
	return rc ? rc : legacy_finish_sections(l);
}

/* ---- threadz: `--- Thread 7f00 (name: NAME/TID) stack: ---` and frames ----
 */

static bool is_threadz(struct text line)
{
	const char *at = text_find(line, "--- threadz ");
	struct text digits;
	if (!at)
		return false;
	struct text t = { at, (size_t)(line.s + line.len - at) };
	text_skip(&t, "--- threadz ");
	return text_digits(&t, &digits) && text_starts(t, " ---");
}

static bool is_thread(struct text line)
{
	const char *at = text_find(line, "--- Thread ");
	struct text hex;
	if (!at)
		return false;
	struct text t = { at, (size_t)(line.s + line.len - at) };
	text_skip(&t, "--- Thread ");
	if (!text_hex_digits(&t, &hex) || !text_skip(&t, " (name: "))
		return false;
	const char *end = text_find(t, ") stack: ---");
	if (!end)
		return false;
	size_t digits = 0;
	while (end - digits > t.s && end[-1 - (long)digits] >= '0' &&
	       end[-1 - (long)digits] <= '9')
		digits++;
	return digits && end - digits > t.s && end[-1 - (long)digits] == '/';
}

/*
 * The frames below a thread's line.  At the next line that begins with ---, or
 * at the end, *ret_same says whether it was as the thread before.
 */
static int thread_frames(struct legacy *l, bool *ret_same)
{
	*ret_same = false;
	while (legacy_next_line(l)) {
		const struct text line = text_trim(l->line);
		if (text_starts(line, "---"))
			break;
		if (text_find(line, "same as previous thread")) {
			*ret_same = true;
			continue;
		}
		const int rc = legacy_push_hex(l, line, true);
		if (rc)
			return rc;
	}
	l->line = text_trim(l->line);
	if (*ret_same)
		l->depth = 0;
	return 0;
}

static int thread_sample(struct legacy *l)
{
	bool same;
	const int rc = thread_frames(l, &same);
	if (rc)
		return rc;
	if (l->depth)
		return legacy_add_sample(l, &(int64_t){ 1 }, NULL, 0);
	if (l->p->n_samples)
		l->p->values[l->p->n_samples - 1]++;
	return 0;
}

/* l->line is the first thread's, or what stands instead of it. */
static int threads(struct legacy *l)
{
	while (l->line.len && !legacy_is_maps_sentinel(l->line) &&
	       !text_starts(l->line, "---- no stack trace for")) {
		if (!is_thread(l->line))
			return legacy_fail(l, "not the head of a thread");
		const int rc = thread_sample(l);
		if (rc)
			return rc;
	}
	return 0;
}

int legacy_thread(struct legacy *l)
{
	while (legacy_next_line(l) && text_is_blank(l->line))
		;
	if (is_threadz(l->line)) {
		while (legacy_next_line(l) &&
		       !legacy_is_maps_sentinel(l->line) &&
		       !text_starts(l->line, "-"))
			;
	} else if (!is_thread(l->line)) {
		return LEGACY_OTHER;
	}
	int rc = legacy_set_period(l, "thread", "count", 1);
	if (!rc)
		rc = legacy_add_type(l, "thread", "count");
	if (!rc)
		rc = threads(l);
	if (rc)
		return rc;
	legacy_drop_duplicates(l->p);
	return legacy_finish_sections(l);
}
