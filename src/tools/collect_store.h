/*
 * collect_store.h - a folder of collections that is whole at every moment.
 *
 * A round is built in a folder of a temporary name (.tmp-...), each file under
 * a temporary name of its own; files are synced before they are renamed, the
 * round after all of its files.  So what has a name that does not begin with a
 * dot is complete, whatever happened: a signal, a full disk, a power cut.
 * What a collector left behind that was killed is removed by the next one.
 *
 * Errors of the system: ERR_IO with text.
 */
#ifndef PROFLAB_TOOLS_COLLECT_STORE_H
#define PROFLAB_TOOLS_COLLECT_STORE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct collect_store {
	const char *path;
	int dir_fd, lock_fd;
};

/*
 * Make the folder where there is none, lock it, clear away the leftovers.
 * Owns: collect_store_close.
 * Returns: 0, ERR_BUSY (another collector has the lock), ERR_IO.
 */
int collect_store_open(struct collect_store *s, const char *path,
		       struct err *e);
void collect_store_close(struct collect_store *s);

enum { COLLECT_NAME_MAX = 80 };

struct collect_round {
	struct collect_store *store;
	char temporary[COLLECT_NAME_MAX];
	char name[COLLECT_NAME_MAX]; /* YYYYmmdd_HHMMSS, UTC; _2 and so on
				      * when that is taken */
	int dir_fd;
};

/* Owns: collect_round_publish or collect_round_abandon. */
int collect_round_begin(struct collect_round *r, struct collect_store *s,
			int64_t realtime_ns, struct err *e);

/* A new file "NAME.part" in the round.  Returns: its descriptor or ERR_IO. */
int collect_round_create(struct collect_round *r, const char *name,
			 struct err *e);
/* The path of NAME.part, for one who reads by path.  Owns: the caller. */
char *collect_round_path(const struct collect_round *r, const char *name);
/* Sync and close fd, and give NAME.part its last name. */
int collect_round_keep(struct collect_round *r, int fd, const char *name,
		       const char *last, struct err *e);
/* Close fd and remove NAME.part. */
void collect_round_drop(struct collect_round *r, int fd, const char *name);

/*
 * Add collection.json with that text (one line), and let the round appear.
 * On an error nothing of it is left.
 */
int collect_round_publish(struct collect_round *r, const char *json,
			  struct err *e);
void collect_round_abandon(struct collect_round *r);

/*
 * Remove the oldest rounds: those older than age_ns at now_ns (0: none), and
 * as many as make the rest at most max_bytes in size (0: no limit).  One stays:
 * the round called `newest`, which need not be the last by name after a clock
 * was set back; NULL: the last by name.
 * Returns: how many were removed, or ERR_IO.
 */
int collect_store_prune(struct collect_store *s, const char *newest,
			int64_t now_ns, int64_t age_ns, int64_t max_bytes,
			struct err *e);

/* Write index.jsonl anew from every round's collection.json. */
int collect_store_index(struct collect_store *s, struct err *e);

#endif
