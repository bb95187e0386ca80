/*
 * profile_convert.c - src/profile for shell tests:
 *
 *	profile_convert raw IN...	as go tool pprof -raw shows it
 *	profile_convert copy OUT IN	decode, encode
 *	profile_convert merge OUT IN...
 *	profile_convert subtract OUT AFTER BEFORE
 *	profile_convert random OUT SEED	one that the Go tool shows as it is
 *	profile_convert another OUT SEED	the same program's next
 */
#include "base/err.h"
#include "base/sink.h"
#include "profile/decode.h"
#include "tests/profile_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static struct profile *load(const char *path)
{
	struct profile *p = NULL;
	struct err e = { "" };
	if (profile_decode_file(path, NULL, &p, &e))
		die(path, e.text);
	return p;
}

static void store(const char *path, const struct profile *p)
{
	struct err e = { "" };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	const struct sink sink = sink_fd(&fd);
	if (fd < 0 || profile_encode(p, PROFILE_GZIP, &sink, &e) || close(fd))
		die(path, e.text);
}

/* The Go tool compacts what it reads: it merges each profile, alone. */
static struct profile *load_compact(const char *path)
{
	struct profile *p = load(path), *compact = NULL;
	struct err e = { "" };
	if (profile_merge((const struct profile *const[]){ p }, 1, &compact,
			  &e))
		die(path, e.text);
	profile_free(p);
	return compact;
}

static void raw(const char *path)
{
	struct profile *p = load_compact(path);
	struct buf b = { 0 };
	fixture_raw(&b, p);
	fputs(buf_str(&b), stdout);
	buf_free(&b);
	profile_free(p);
}

static void merge(const char *out, char **paths, int n)
{
	struct profile *ps[16] = { NULL }, *merged = NULL;
	struct err e = { "" };
	for (int i = 0; i < n; i++)
		ps[i] = load(paths[i]);
	if (profile_merge((const struct profile *const *)ps, (size_t)n, &merged,
			  &e))
		die("merge", e.text);
	store(out, merged);
	profile_free(merged);
	for (int i = 0; i < n; i++)
		profile_free(ps[i]);
}

/*
 * As -base does it, and so not with profile_subtract: the first profile's
 * samples come first, and values beyond 2^53 are rounded, for Go goes through
 * floating point.
 */
static void subtract(const char *out, const char *after, const char *before)
{
	struct profile *ps[] = { load(after), load_compact(before) },
		       *delta = NULL;
	struct err e = { "" };
	double *minus_one = calloc(ps[1]->n_sample_types + 1, sizeof(double));
	for (size_t t = 0; minus_one && t < ps[1]->n_sample_types; t++)
		minus_one[t] = -1;
	if (!minus_one)
		die("subtract", "out of memory");
	profile_scale(ps[1], minus_one);
	free(minus_one);
	if (profile_merge((const struct profile *const *)ps, 2, &delta, &e))
		die("subtract", e.text);
	store(out, delta);
	profile_free(delta);
	profile_free(ps[0]);
	profile_free(ps[1]);
}

/*
 * Without what the Go tool changes before it shows a profile: it demangles,
 * drops frames, and samples that have no stack.
 */
static void tame(struct profile *p)
{
	p->drop_frames = p->keep_frames = 0;
	p->period &= 0xffffffff; /* goes through floating point in a merge */
	for (size_t i = 0; i < p->n_functions; i++)
		p->functions[i].system_name = p->functions[i].name;
	for (size_t i = 0; i < p->n_samples; i++)
		if (!p->sample_locs[i].count)
			p->sample_locs[i] =
				(struct profile_span){ 0, p->n_locs > 0 };
	if (!p->n_locs)
		p->n_samples = 0;
	/* Nor what it adds: a mapping where there is none. */
	if (p->n_mappings)
		return;
	profile_add_mapping(p, &(struct profile_mapping){ 0 });
	for (size_t i = 0; i < p->n_locations; i++)
		p->locations[i].mapping = 0;
}

/* Another run of the same program: loaded elsewhere, other figures. */
static void vary(struct profile *p)
{
	for (size_t i = 0; i < p->n_mappings; i++) {
		p->mappings[i].start += 0x10000;
		p->mappings[i].limit += 0x10000;
	}
	for (size_t i = 0; i < p->n_locations; i++)
		if (p->locations[i].mapping != PROFILE_NONE)
			p->locations[i].address += 0x10000;
	for (size_t i = 0; i < p->n_samples * p->n_sample_types; i++)
		p->values[i] = i % 5 == 1 ? 0 : p->values[i] / 3 + 1;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	if (!strcmp(verb, "raw")) {
		for (int i = 2; i < argc; i++)
			raw(argv[i]);
	} else if (!strcmp(verb, "copy") && argc == 4) {
		struct profile *p = load(argv[3]);
		store(argv[2], p);
		profile_free(p);
	} else if (!strcmp(verb, "merge") && argc > 3 && argc < 19) {
		merge(argv[2], argv + 3, argc - 3);
	} else if (!strcmp(verb, "subtract") && argc == 5) {
		subtract(argv[2], argv[3], argv[4]);
	} else if ((!strcmp(verb, "random") || !strcmp(verb, "another")) &&
		   argc == 4) {
		struct profile *p = fixture_random(strtoull(argv[3], NULL, 10));
		tame(p);
		if (*verb == 'a')
			vary(p);
		store(argv[2], p);
		profile_free(p);
	} else {
		die(argv[0], "see the head of profile_convert.c");
	}
	return EXIT_SUCCESS;
}
