/* ui_store.c - see ui_store.h. */
#include "http/ui_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop_row(struct ui_store *s, size_t i)
{
	buf_free(&s->rows[i].data);
	memmove(&s->rows[i], &s->rows[i + 1],
		(UI_KEPT_MAX - 1 - i) * sizeof(*s->rows));
	s->rows[UI_KEPT_MAX - 1] = (struct ui_kept){ 0 };
}

static size_t count(const struct ui_store *s, size_t *ret_bytes)
{
	size_t n = 0;
	*ret_bytes = 0;
	for (; n < UI_KEPT_MAX && s->rows[n].id; n++)
		*ret_bytes += s->rows[n].data.size;
	return n;
}

/* A buffer grows by doubling; what is kept has no room to spare. */
static int shrink(struct buf *data)
{
	char *tight = realloc(data->data, data->len + 1);
	if (!tight)
		return -1;
	data->data = tight;
	data->size = data->len + 1;
	return 0;
}

const struct ui_kept *ui_store_add(struct ui_store *s, const char *kind,
				   int64_t time_ms, int64_t seconds,
				   struct buf *data)
{
	size_t bytes;
	if (!data->len || data->len > UI_KEPT_BYTES / 2 || shrink(data)) {
		buf_free(data);
		return NULL;
	}
	while (count(s, &bytes) == UI_KEPT_MAX ||
	       (s->rows[0].id && bytes + data->size > UI_KEPT_BYTES))
		drop_row(s, 0);
	struct ui_kept *k = &s->rows[count(s, &bytes)];
	*k = (struct ui_kept){ .id = ++s->last_id,
			       .time_ms = time_ms,
			       .seconds = seconds,
			       .data = *data };
	snprintf(k->kind, sizeof(k->kind), "%s", kind);
	*data = (struct buf){ .cap = data->cap };
	return k;
}

const struct ui_kept *ui_store_find(const struct ui_store *s, uint64_t id)
{
	for (size_t i = 0; id && i < UI_KEPT_MAX; i++)
		if (s->rows[i].id == id)
			return &s->rows[i];
	return NULL;
}

void ui_store_drop(struct ui_store *s, uint64_t id)
{
	for (size_t i = 0; id && i < UI_KEPT_MAX; i++)
		if (s->rows[i].id == id)
			drop_row(s, i);
}

void ui_store_free(struct ui_store *s)
{
	while (s->rows[0].id)
		drop_row(s, 0);
}
