/*
 * fuzz_profile.c - whatever bytes come: decode; what decodes is valid, and
 * after encode and decode it is the same; subtracted from itself it is empty.
 *
 * With --enable-fuzzing (clang) it is a libFuzzer target.  Without, fuzz_main.c
 * runs it over the files that it is given: `make check` replays the corpus.
 */
#include "base/err.h"
#include "profile/decode.h"
#include "tests/profile_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_profile: %s: %s\n", what, why);
	abort();
}

/*
 * What the wire does not carry: a label that says nothing, which only legacy
 * heap profiles have (bytes: 0).
 */
static void drop_empty_labels(struct profile *p)
{
	for (size_t i = 0; i < p->n_samples; i++) {
		struct profile_span *s = &p->sample_labels[i];
		uint32_t kept = 0;
		for (uint32_t k = 0; k < s->count; k++) {
			const struct profile_label l = p->labels[s->first + k];
			if (l.str || l.num || l.num_unit)
				p->labels[s->first + kept++] = l;
		}
		s->count = kept;
	}
}

static void check_round_trip(struct profile *p)
{
	char why[FIXTURE_TEXT];
	struct buf b = { .cap = 256 << 20 };
	struct profile *q = NULL;
	struct err e = { "" };
	const struct sink sink = sink_buf(&b);
	must(!profile_encode(p, PROFILE_PLAIN, &sink, &e), "encode", e.text);
	if (b.len) {
		must(!profile_decode(b.data, b.len, NULL, &q, &e),
		     "decode again", e.text);
		drop_empty_labels(p);
		const char *differs = fixture_difference(p, q, why);
		must(!differs, "round trip", differs);
	}
	profile_free(q);
	buf_free(&b);
}

static void check_subtraction(const struct profile *p)
{
	struct profile *delta = NULL, *merged = NULL;
	struct err e = { "" };
	must(!profile_subtract(p, p, &delta, &e), "subtract", e.text);
	must(delta->n_samples == 0, "p - p", "is not empty");
	must(!profile_merge(&p, 1, &merged, &e), "merge", e.text);
	must(!profile_validate(merged, &e), "merged", e.text);
	profile_free(delta);
	profile_free(merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile_decode_options options = {
		.max_inflated = 4 << 20,
		.max_memory = 64 << 20,
	};
	struct profile *p = NULL;
	struct err e = { "" };
	if (profile_decode(data, size, &options, &p, &e)) {
		must(e.text[0] != '\0', "an error", "without a text");
		must(!p, "an error", "with a profile");
		return 0;
	}
	must(!profile_validate(p, &e), "decoded", e.text);
	check_round_trip(p);
	check_subtraction(p);
	profile_free(p);
	return 0;
}
