/* collect_report.c - proflab-collect report: growth by function over time. */
#include "tools/collect.h"

#include "base/attr.h"
#include "base/parse.h"
#include "tools/die.h"
#include "tools/growth.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage_text[] =
	"Usage: proflab-collect report [OPTION]... DIR|FILE...\n"
	"\n"
	"What grew, by function, over profiles of one kind: those of a folder\n"
	"(as proflab-collect fills it, or any other), or files in order of "
	"time.\n"
	"Worst regressions come first; each function has a verdict: grows\n"
	"steadily, saw-tooth, flat, shrinks.\n"
	"\n"
	"  -profile NAME   of a folder: heap, cpu, ... by the files' names\n"
	"                  (default heap, where there is one)\n"
	"  -sample_index T which figure: inuse_space, alloc_objects, delay, "
	"...\n"
	"                  or its number (default: the profile's own)\n"
	"  -cum            with what a function calls (default: its own "
	"alone)\n"
	"  -label KEY=VAL  only samples with this label; may be repeated\n"
	"  -n ROWS         functions to show (default 15; 0 all)\n"
	"  -svg FILE       a chart\n"
	"  -html FILE      a page with the chart and the table\n"
	"  -json           for machines\n"
	"  -fail           exit 1 when a function grows steadily\n"
	"  -help           this text\n"
	"\n"
	"CPU and wall profiles are told a second; what counts from the start "
	"of\n"
	"the process (alloc_space, delay, ...) is told as differences, a "
	"second.\n"
	"What cannot be read, or is of another kind, is skipped and said.\n"
	"\n"
	"Exit status: 0, 1 with -fail when something grows, 2 wrong usage or\n"
	"fewer than two profiles.\n";

struct report {
	struct growth_options options;
	const char *profile, *svg, *html;
	int64_t rows;
	bool json, fail;
	struct collect_files files;
};

/* Which of a folder's kinds, when nobody says. */
static const char *default_kind(const struct collect_files *f)
{
	const char *kind;
	for (size_t k = 0; (kind = collect_kind_at(k)); k++)
		for (size_t i = 0; i < f->n; i++)
			if (!f->files[i].why && !strcmp(f->files[i].kind, kind))
				return kind;
	return NULL; /* names that say nothing: all, and the first decides */
}

/* Of a folder only one kind is read; the others are named. */
static void choose_kind(struct report *r, const char *folder)
{
	struct collect_files *f = &r->files;
	struct buf others = { 0 };
	const char *kind = r->profile ? r->profile : default_kind(f);
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++) {
		struct collect_file *file = &f->files[i];
		if (file->why || !kind || !strcmp(file->kind, kind)) {
			n += !file->why;
			continue;
		}
		char *word = xasprintf(" %s,", file->kind);
		if (!strstr(buf_str(&others), word))
			buf_append_str(&others, word);
		free(word);
		file->why = xstrdup("");
	}
	if (others.len)
		others.data[others.len - 1] = '\0';
	if (!n && r->profile)
		die("%s has no profile called %s; there are:%s", folder,
		    r->profile, others.len ? buf_str(&others) : " none");
	if (!n)
		die("%s holds no profiles", folder);
	if (!r->profile && others.len)
		fprintf(stderr, "%s has also%s (-profile NAME)\n", folder,
			buf_str(&others));
	buf_free(&others);
}

static void add_argument(struct report *r, const char *path)
{
	struct stat st;
	if (stat(path, &st))
		die("%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		if (r->profile)
			die("-profile chooses from a folder, and %s is a file",
			    path);
		collect_files_add(&r->files, path, NULL);
		return;
	}
	if (r->files.n)
		die("%s: one folder, or files, not both", path);
	if (collect_files_scan(&r->files, path))
		die("%s: %s", path, strerror(errno));
	choose_kind(r, path);
}

/*
 * Who holds a lock and who waits for it have the same sample types: only their
 * names tell them apart.
 */
static void part_mutex_from_block(struct collect_files *f)
{
	const char *first = NULL;
	for (size_t i = 0; i < f->n; i++) {
		const char *kind = f->files[i].kind;
		if (f->files[i].why ||
		    (strcmp(kind, "mutex") != 0 && strcmp(kind, "block") != 0))
			continue;
		if (!first)
			first = kind;
		if (strcmp(kind, first) != 0)
			f->files[i].why = xasprintf(
				"it is called %s, and one before it %s", kind,
				first);
	}
}

static void write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "we");
	if (!f || fputs(buf_str(b), f) < 0 || fclose(f))
		die("%s: %s", path, strerror(errno));
}

static void print_result(const struct report *r, const struct growth *g)
{
	struct buf b = { 0 };
	if (r->svg) {
		growth_write_svg(g, &b);
		write_file(r->svg, &b);
		buf_clear(&b);
	}
	if (r->html) {
		growth_write_html(g, (size_t)r->rows, &b);
		write_file(r->html, &b);
		buf_clear(&b);
	}
	if (r->json)
		growth_write_json(g, (size_t)r->rows, &b);
	else
		growth_write_text(g, (size_t)r->rows, &b);
	if (b.failed)
		die("%s", err_name(b.failed));
	if (fputs(buf_str(&b), stdout) < 0 || fflush(stdout))
		die("standard output: %s", strerror(errno));
	buf_free(&b);
	for (size_t i = 0; i < g->n_skips && !r->json; i++)
		fprintf(stderr, "skipped %s: %s\n", g->skips[i].path,
			g->skips[i].why);
}

static int run(struct report *r)
{
	struct growth g;
	struct err e = { "" };
	growth_init(&g, &r->options);
	for (size_t i = 0; i < r->files.n; i++) {
		const struct collect_file *f = &r->files.files[i];
		if (f->why && *f->why)
			growth_add_skip(&g, f->path, f->why);
		if (!f->why && growth_add(&g, f->path, &e))
			die("%s", e.text);
	}
	if (growth_finish(&g, &e)) {
		for (size_t i = 0; i < g.n_skips; i++)
			fprintf(stderr, "skipped %s: %s\n", g.skips[i].path,
				g.skips[i].why);
		die("%s", e.text);
	}
	print_result(r, &g);
	bool grows = false;
	for (size_t i = 0; i < g.n_rows; i++)
		grows |= g.rows[i].verdict == GROWTH_STEADY;
	growth_free(&g);
	return r->fail && grows;
}

static void add_label(struct report *r, char *arg)
{
	struct selection *s = &r->options.labels;
	char *eq = strchr(arg, '=');
	if (!eq || eq == arg)
		die("-label is \"%s\": must be KEY=VALUE", arg);
	if (s->n_labels == ARRAY_SIZE(s->label_keys))
		die("-label: more than %zu", ARRAY_SIZE(s->label_keys));
	*eq = '\0';
	s->label_keys[s->n_labels] = arg;
	s->label_values[s->n_labels++] = eq + 1;
}

static void parse(struct report *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ "sample_index", required_argument, NULL, 'i' },
		{ "cum", no_argument, NULL, 'c' },
		{ "label", required_argument, NULL, 'l' },
		{ "n", required_argument, NULL, 'n' },
		{ "svg", required_argument, NULL, 's' },
		{ "html", required_argument, NULL, 'H' },
		{ "json", no_argument, NULL, 'j' },
		{ "fail", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct err e = { "" };
	int c;
	while ((c = getopt_long_only(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p':
			r->profile = optarg;
			break;
		case 'i':
			r->options.sample_index = optarg;
			break;
		case 'c':
			r->options.cum = true;
			break;
		case 'l':
			add_label(r, optarg);
			break;
		case 'n':
			if (parse_int(optarg, "-n", 0, 1000000, &r->rows, &e))
				die("%s", e.text);
			break;
		case 's':
			r->svg = optarg;
			break;
		case 'H':
			r->html = optarg;
			break;
		case 'j':
			r->json = true;
			break;
		case 'f':
			r->fail = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(COLLECT_OK);
		default:
			fputs(usage_text, stderr);
			exit(COLLECT_USAGE);
		}
	}
}

int collect_report_main(int argc, char **argv)
{
	struct report r = { .rows = 15 };
	parse(&r, argc, argv);
	if (optind == argc) {
		fputs(usage_text, stderr);
		return COLLECT_USAGE;
	}
	for (int i = optind; i < argc; i++)
		add_argument(&r, argv[i]);
	part_mutex_from_block(&r.files);
	const int status = run(&r);
	collect_files_free(&r.files);
	return status;
}
