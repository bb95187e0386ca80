/*
 * ui_store.h - the profiles that the page has taken, as they were encoded;
 * the oldest go when there are too many, or they are too large together.
 * Thread: one (the writer's).
 */
#ifndef PROFLAB_HTTP_UI_STORE_H
#define PROFLAB_HTTP_UI_STORE_H

#include "base/buf.h"

#include <stdint.h>

enum { UI_KEPT_MAX = 16, UI_KEPT_BYTES = 32 << 20 };

struct ui_kept {
	uint64_t id; /* from 1; 0: an empty row */
	char kind[80];
	int64_t time_ms; /* when it was taken, since 1970 */
	int64_t seconds; /* for how long; 0: at one moment */
	struct buf data; /* profile.proto, gzip */
};

struct ui_store {
	struct ui_kept rows[UI_KEPT_MAX]; /* oldest first, then empty ones */
	uint64_t last_id;
};

/*
 * Keep it.  Owns: data's memory is taken, also when it is refused.
 * Returns: the new row, or NULL when it alone is more than half of all that
 * may be kept, so that two can always be compared.
 */
const struct ui_kept *ui_store_add(struct ui_store *s, const char *kind,
				   int64_t time_ms, int64_t seconds,
				   struct buf *data);
/* Returns: NULL when it is not (any more) there. */
const struct ui_kept *ui_store_find(const struct ui_store *s, uint64_t id);
void ui_store_drop(struct ui_store *s, uint64_t id);
void ui_store_free(struct ui_store *s);

#endif
