/*
 * legacy_heap.c - heap profiles as text:
 *
 *	heap profile: N: BYTES [N: BYTES] @ heap/RATE
 *	N: BYTES [N: BYTES] @ 0x... 0x...
 *
 * in use, and in brackets allocated in all.  The word behind the @ says how
 * the figures were sampled; those of heap/ and heap_v2/ are what was seen,
 * and are scaled up here.
 */
#include "base/err.h"
#include "profile/legacy.h"

#include <math.h>
#include <string.h>

struct row {
	struct text in_count, in_bytes, all_count, all_bytes;
	struct text rest; /* behind the @ */
};

/* The two numbers before a ] or [, as in "12:  345 ". */
static bool pair(struct text *t, struct text *count, struct text *bytes)
{
	return text_digits(t, count) && text_skip(t, ":") &&
	       (text_skip_char(t, ' '), text_digits(t, bytes));
}

/* As text_digits, with a minus before them perhaps. */
static bool signed_digits(struct text *t, struct text *ret)
{
	struct text digits;
	const char *begin = t->s;
	text_skip(t, "-");
	if (!text_digits(t, &digits))
		return false;
	*ret = (struct text){ begin, (size_t)(t->s - begin) };
	return true;
}

/* "[ N: BYTES ]" behind any blanks. */
static bool brackets(struct text *t, struct row *r)
{
	text_skip_char(t, ' ');
	if (!text_skip(t, "["))
		return false;
	text_skip_char(t, ' ');
	if (!pair(t, &r->all_count, &r->all_bytes))
		return false;
	text_skip_char(t, ' ');
	return text_skip(t, "]");
}

/* A row at t, which begins with a number. */
static bool row_at(struct text t, struct row *r)
{
	if (!signed_digits(&t, &r->in_count) || !text_skip(&t, ":"))
		return false;
	text_skip_char(&t, ' ');
	if (!signed_digits(&t, &r->in_bytes) || !brackets(&t, r) ||
	    !text_skip(&t, " @"))
		return false;
	r->rest = t;
	return true;
}

/* The first place in the line where a row is. */
static bool find_row(struct text t, struct row *r)
{
	while (t.len) {
		struct text run = t, digits;
		text_skip(&run, "-");
		if (!text_digits(&run, &digits)) {
			t = (struct text){ t.s + 1, t.len - 1 };
			continue;
		}
		if (row_at(t, r))
			return true;
		t = run; /* no row begins inside a number that fits none */
	}
	return false;
}

struct header {
	struct row row;
	struct text how;  /* the word behind the @ */
	struct text rate; /* digits, perhaps none */
};

static bool is_word(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool parse_header(struct text line, struct header *h)
{
	const char *at = text_find(line, "heap profile:");
	if (!at)
		return false;
	struct text t = { at, (size_t)(line.s + line.len - at) };
	text_skip(&t, "heap profile:");
	text_skip_char(&t, ' ');
	if (!pair(&t, &h->row.in_count, &h->row.in_bytes) ||
	    !brackets(&t, &h->row))
		return false;
	text_skip_char(&t, ' ');
	if (!text_skip(&t, "@"))
		return false;
	text_skip_char(&t, ' ');
	h->how = (struct text){ t.s, 0 };
	while (t.len > h->how.len && is_word(t.s[h->how.len]))
		h->how.len++;
	t = (struct text){ t.s + h->how.len, t.len - h->how.len };
	text_skip(&t, "/");
	h->rate = (struct text){ t.s, 0 };
	text_digits(&t, &h->rate);
	return true;
}

static bool text_is(struct text t, const char *s)
{
	return text_skip(&t, s) && !t.len;
}

static bool same_number(struct text a, struct text b)
{
	return a.len == b.len && !memcmp(a.s, b.s, a.len);
}

/* Does it count allocations apart from what is in use? */
static bool has_allocations(const struct row *r)
{
	return (!same_number(r->all_count, r->in_count) &&
		!text_is(r->all_count, "0")) ||
	       (!same_number(r->all_bytes, r->in_bytes) &&
		!text_is(r->all_bytes, "0"));
}

struct heap {
	struct legacy *l;
	int64_t rate;
	bool scale;	  /* figures are of samples */
	bool allocations; /* four values instead of two */
	uint32_t bytes;	  /* the string */
};

/* What stands behind the @ tells the format. */
static bool interpret(struct heap *h, const struct header *header)
{
	int64_t rate = 0;
	if (header->rate.len && !text_to_int(header->rate, &rate))
		return false;
	h->allocations = has_allocations(&header->row);
	if (text_is(header->how, "heapz_v2") ||
	    text_is(header->how, "heap_v2")) {
		h->scale = true;
		h->rate = rate;
	} else if (text_is(header->how, "heap")) {
		h->scale = true;
		h->rate = rate / 2; /* Go and tcmalloc write it doubled */
	} else if (text_is(header->how, "heapprofile")) {
		h->rate = 1;
	} else if (text_starts(header->how, "growth") ||
		   text_starts(header->how, "fragmentation")) {
		h->rate = 1;
		h->allocations = false;
	} else {
		return false;
	}
	return true;
}

/*
 * An allocation of S bytes is sampled with probability 1 - exp(-S/rate): what
 * was seen is divided by it.
 */
static void scale_up(int64_t *count, int64_t *bytes, int64_t rate)
{
	if (!*count || !*bytes) {
		*count = *bytes = 0;
		return;
	}
	if (rate <= 1)
		return; /* all were sampled, or nobody knows */
	const double mean = (double)*bytes / (double)*count;
	const double scale = 1 / (1 - exp(-mean / (double)rate));
	*count = legacy_to_int((double)*count * scale);
	*bytes = legacy_to_int((double)*bytes * scale);
}

static int read_pair(const struct heap *h, const char *what, struct text count,
		     struct text bytes, int64_t *values, int64_t *size)
{
	if (!text_to_int(count, &values[0]) || !text_to_int(bytes, &values[1]))
		return legacy_fail(h->l, "malformed sample: value out of "
					 "range");
	if (!values[0] && values[1])
		return legacy_fail(h->l, "%s count was 0 but %s bytes was %lld",
				   what, what, (long long)values[1]);
	if (!values[0])
		return 0;
	/* The one quotient that does not fit is -1's: it wraps. */
	*size = values[0] == -1 ? (int64_t) - (uint64_t)values[1]
				: values[1] / values[0];
	if (h->scale)
		scale_up(&values[0], &values[1], h->rate);
	return 0;
}

static int read_row(const struct heap *h)
{
	struct row r;
	int64_t values[4], size = 0;
	size_t n = 0;
	int rc = 0;
	if (!find_row(text_trim(h->l->line), &r))
		return legacy_fail(h->l, "unexpected number of sample values: "
					 "not a row of a heap profile");
	if (h->allocations) {
		rc = read_pair(h, "allocation", r.all_count, r.all_bytes,
			       values, &size);
		n = 2;
	}
	if (!rc)
		rc = read_pair(h, "inuse", r.in_count, r.in_bytes, values + n,
			       &size);
	if (!rc)
		rc = legacy_push_hex(h->l, text_addresses(r.rest), false);
	const struct profile_label label = { .key = h->bytes, .num = size };
	return rc ? rc : legacy_add_sample(h->l, values, &label, 1);
}

static int start(struct heap *h)
{
	static const char *const types[][2] = {
		{ "alloc_objects", "count" },
		{ "alloc_space", "bytes" },
		{ "inuse_objects", "count" },
		{ "inuse_space", "bytes" },
	};
	struct legacy *l = h->l;
	int rc = legacy_set_period(l, "space", "bytes", h->rate);
	if (!rc && !h->allocations) {
		rc = legacy_add_type(l, "objects", "count");
		if (!rc)
			rc = legacy_add_type(l, "space", "bytes");
	}
	for (size_t i = 0; !rc && h->allocations && i < 4; i++)
		rc = legacy_add_type(l, types[i][0], types[i][1]);
	h->bytes = profile_intern(l->p, "bytes");
	return rc;
}

int legacy_heap(struct legacy *l)
{
	struct heap h = { .l = l };
	struct header header;
	if (!legacy_next_line(l) || !parse_header(l->line, &header) ||
	    !interpret(&h, &header))
		return LEGACY_OTHER;
	int rc = start(&h);
	while (!rc && legacy_next_line(l)) {
		if (text_is_blank(l->line))
			continue;
		if (legacy_is_maps_sentinel(l->line))
			break;
		rc = read_row(&h);
	}
	return rc ? rc : legacy_finish_sections(l);
}
