/*
 * collect.h - proflab-collect: what its files share.
 */
#ifndef PROFLAB_TOOLS_COLLECT_H
#define PROFLAB_TOOLS_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses, for cron and systemd. */
enum collect_status {
	COLLECT_OK = 0,
	COLLECT_PARTIAL = 1,	 /* some captures failed, others are kept */
	COLLECT_USAGE = 2,	 /* the command line, or a file that it names */
	COLLECT_LOCKED = 3,	 /* another collector works in that folder */
	COLLECT_UNREACHABLE = 4, /* nobody answered at the URL */
	COLLECT_STORAGE = 5,	 /* the folder cannot be written; disk full */
};

/* proflab-collect report ARGS...: argv[0] is "report". */
int collect_report_main(int argc, char **argv);

/* collect_files.c: the profiles that a report reads. */
struct collect_file {
	char *path; /* owned */
	char *kind; /* by its name: "heap" for go-heap_10.pb.gz; owned */
	char *why;  /* it is not read, because; NULL = it is; owned */
};

struct collect_files {
	struct collect_file *files;
	size_t n;
};

/*
 * All files below a folder, two deep (profiles/20260101_120000/heap.pb.gz),
 * in the order of their names, numbers by value: heap_2 before heap_10.  What
 * the collector itself writes beside profiles is left out, what is not named
 * like a profile is there with a reason.
 * Returns: 0, or -1 with errno.
 */
int collect_files_scan(struct collect_files *f, const char *folder);
void collect_files_add(struct collect_files *f, const char *path,
		       const char *why);
void collect_files_free(struct collect_files *f);
/* The kinds that names are looked through for, the most telling first; NULL
 * after the last. */
const char *collect_kind_at(size_t i);

#endif
