/*
 * fuzz_report.c - whatever profile comes: every report of it can be written,
 * says why where it cannot, and puts no script of the profile into a page;
 * what it writes as a profile is one.
 *
 * With --enable-fuzzing (clang) it is a libFuzzer target.  Without, fuzz_main.c
 * runs it over the files that it is given: `make check` replays the corpus.
 */
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sink.h"
#include "profile/decode.h"
#include "profile/profile.h"
#include "report/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 256 << 20 };

static void must(bool ok, const char *kind, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_report: %s: %s\n", kind, why);
	abort();
}

/* They open the files that the profile names. */
static bool reads_files(const char *kind)
{
	return !strcmp(kind, "list") || !strcmp(kind, "disasm") ||
	       !strcmp(kind, "weblist");
}

static void check_output(const char *kind, const struct buf *b)
{
	if (!strcmp(kind, "flame"))
		must(!memmem(b->data, b->len, "<script>alert", 13), kind,
		     "a script of the profile's");
	if (strcmp(kind, "proto") != 0 && strcmp(kind, "topproto") != 0)
		return;
	struct profile *p = NULL;
	struct err e = { "" };
	must(!b->len || !profile_decode(b->data, b->len, NULL, &p, &e), kind,
	     e.text);
	profile_free(p);
}

static void write_one(const struct profile *p, const struct report_kind *kind,
		      const struct report_options *o)
{
	struct report *r = NULL;
	struct err e = { "" };
	struct buf b = { .cap = OUTPUT_MAX };
	const struct sink sink = sink_buf(&b);
	int rc = report_open(p, kind, kind->has_parameter ? "." : NULL, o, NULL,
			     &r, &e);
	if (!rc)
		rc = report_write(r, &sink, &e);
	must(!rc || e.text[0], kind->name, "an error without a text");
	if (!rc && b.data)
		check_output(kind->name, &b);
	report_close(r);
	buf_free(&b);
}

static void write_all(const struct profile *p)
{
	struct report_options ways[3];
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		ways[i] = (struct report_options)REPORT_OPTIONS_DEFAULT;
	ways[1].mean = true;
	ways[1].trim = false;
	ways[1].granularity = REPORT_ADDRESSES;
	ways[2].cum = ways[2].noinlines = ways[2].call_tree = true;
	ways[2].tagroot = "k,n";
	ways[2].tagfocus = "1:";
	ways[2].unit = "auto";
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t k = 0; k < report_n_kinds; k++)
			if (!reads_files(report_kinds[k].name))
				write_one(p, &report_kinds[k], &ways[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile_decode_options limits = {
		.max_inflated = 4 << 20,
		.max_memory = 64 << 20,
	};
	struct profile *p = NULL;
	struct err e = { "" };
	if (profile_decode(data, size, &limits, &p, &e)) {
		must(e.text[0] != '\0', "decode", "an error without a text");
		return 0;
	}
	write_all(p);
	/* And as proflab-pprof has it. */
	if (profile_hide_nuls(&p, 1))
		write_all(p);
	profile_free(p);
	return 0;
}
