/*
 * encode.c - see encode.h.
 *
 * A message's length stands before it, so each is measured first and then
 * written: two walks over its rows instead of a copy of it, and the memory
 * taken is two blocks of 64 KiB and zlib's, whatever the profile's size.
 * Fields are written in the order of their numbers, numbers that are zero
 * left out, repeated ones packed: the bytes are those of protobuf-c's own
 * encoder, which the tests hold them against.
 */
#include "profile/encode.h"

#include "base/err.h"
#include "profile/private.h"
#include "profile/wire.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BLOCK = 64 << 10, FIELD_MAX = 1 + 2 * WIRE_VARINT_MAX };

struct writer {
	const struct sink *sink;
	int failed; /* then nothing more is written */
	bool gzip;
	z_stream z;
	size_t len;
	uint8_t block[BLOCK];
	uint8_t deflated[BLOCK];
};

/* ---- bytes --------------------------------------------------------------- */

static void deflate_block(struct writer *w, int flush)
{
	w->z.next_in = w->block;
	w->z.avail_in = (uInt)w->len;
	do {
		w->z.next_out = w->deflated;
		w->z.avail_out = BLOCK;
		/* Cannot fail: the state is sound and there is room. */
		deflate(&w->z, flush);
		w->failed = sink_write(w->sink, w->deflated,
				       BLOCK - w->z.avail_out);
	} while (!w->failed && !w->z.avail_out);
}

static void flush_block(struct writer *w, bool last)
{
	if (!w->failed && w->gzip)
		deflate_block(w, last ? Z_FINISH : Z_NO_FLUSH);
	else if (!w->failed)
		w->failed = sink_write(w->sink, w->block, w->len);
	w->len = 0;
}

/* Where the next `size` bytes, at most a block, may be put. */
static inline uint8_t *room(struct writer *w, size_t size)
{
	if (UNLIKELY(BLOCK - w->len < size))
		flush_block(w, false);
	return w->block + w->len;
}

static inline void advance(struct writer *w, const uint8_t *to)
{
	w->len = (size_t)(to - w->block);
}

static void put_bytes(struct writer *w, const char *data, size_t len)
{
	while (len) {
		const size_t n = len < BLOCK ? len : BLOCK;
		memcpy(room(w, n), data, n);
		w->len += n;
		data += n;
		len -= n;
	}
}

/* ---- fields; all our field numbers are below 16: one byte of key --------- */

static size_t size_number(uint64_t v)
{
	return v ? 1 + wire_varint_size(v) : 0;
}

static void put_number(struct writer *w, unsigned int field, uint64_t v)
{
	if (!v)
		return;
	uint8_t *p = room(w, FIELD_MAX);
	*p++ = (uint8_t)(field << 3 | WIRE_VARINT);
	advance(w, wire_put_varint(p, v));
}

static size_t size_bytes(size_t len)
{
	return 1 + wire_varint_size(len) + len;
}

/* The key and length of a string, a message or a packed run. */
static void put_head(struct writer *w, unsigned int field, size_t len)
{
	uint8_t *p = room(w, FIELD_MAX);
	*p++ = (uint8_t)(field << 3 | WIRE_BYTES);
	advance(w, wire_put_varint(p, len));
}

/* ---- messages ------------------------------------------------------------ */

static void put_value_type(struct writer *w, unsigned int field,
			   const struct profile_value_type *t)
{
	put_head(w, field, size_number(t->type) + size_number(t->unit));
	put_number(w, 1, t->type);
	put_number(w, 2, t->unit);
}

static void put_mapping(struct writer *w, const struct profile_mapping *m,
			size_t id)
{
	const uint64_t fields[] = {
		id,
		m->start,
		m->limit,
		m->offset,
		m->filename,
		m->build_id,
		m->has_functions,
		m->has_filenames,
		m->has_line_numbers,
		m->has_inline_frames,
	};
	size_t size = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		size += size_number(fields[i]);
	put_head(w, 3, size);
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		put_number(w, i + 1, fields[i]);
}

static void put_function(struct writer *w, const struct profile_function *f,
			 size_t id)
{
	const uint64_t fields[] = { id, f->name, f->system_name, f->filename,
				    (uint64_t)f->start_line };
	size_t size = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		size += size_number(fields[i]);
	put_head(w, 5, size);
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		put_number(w, i + 1, fields[i]);
}

static size_t size_line(const struct profile_line *l)
{
	return size_number((uint64_t)l->function + 1) +
	       size_number((uint64_t)l->line);
}

static void put_location(struct writer *w, const struct profile *p, size_t i)
{
	const struct profile_location *l = &p->locations[i];
	const struct profile_line *lines = p->lines + l->line_first;
	const uint64_t mapping =
		l->mapping == PROFILE_NONE ? 0 : (uint64_t)l->mapping + 1;
	size_t size = size_number(i + 1) + size_number(mapping) +
		      size_number(l->address) + size_number(l->is_folded);
	for (uint32_t k = 0; k < l->line_count; k++)
		size += size_bytes(size_line(&lines[k]));
	put_head(w, 4, size);
	put_number(w, 1, i + 1);
	put_number(w, 2, mapping);
	put_number(w, 3, l->address);
	for (uint32_t k = 0; k < l->line_count; k++) {
		put_head(w, 4, size_line(&lines[k]));
		put_number(w, 1, (uint64_t)lines[k].function + 1);
		put_number(w, 2, (uint64_t)lines[k].line);
	}
	put_number(w, 5, l->is_folded);
}

static size_t size_label(const struct profile_label *l)
{
	return size_number(l->key) + size_number(l->str) +
	       size_number((uint64_t)l->num) + size_number(l->num_unit);
}

static void put_label(struct writer *w, const struct profile_label *l)
{
	put_head(w, 3, size_label(l));
	put_number(w, 1, l->key);
	put_number(w, 2, l->str);
	put_number(w, 3, (uint64_t)l->num);
	put_number(w, 4, l->num_unit);
}

static void put_sample(struct writer *w, const struct profile *p, size_t i)
{
	const uint32_t *locs = p->locs + p->sample_locs[i].first;
	const uint32_t n_locs = p->sample_locs[i].count;
	const struct profile_label *labels =
		p->labels + p->sample_labels[i].first;
	const uint32_t n_labels = p->sample_labels[i].count;
	const int64_t *values = p->values + i * p->n_sample_types;
	size_t locs_size = 0, values_size = 0, size = 0;
	for (uint32_t k = 0; k < n_locs; k++)
		locs_size += wire_varint_size((uint64_t)locs[k] + 1);
	for (size_t k = 0; k < p->n_sample_types; k++)
		values_size += wire_varint_size((uint64_t)values[k]);
	for (uint32_t k = 0; k < n_labels; k++)
		size += size_bytes(size_label(&labels[k]));
	if (n_locs)
		size += size_bytes(locs_size);
	size += size_bytes(values_size);

	put_head(w, 2, size);
	if (n_locs)
		put_head(w, 1, locs_size);
	for (uint32_t k = 0; k < n_locs; k++)
		advance(w, wire_put_varint(room(w, WIRE_VARINT_MAX),
					   (uint64_t)locs[k] + 1));
	put_head(w, 2, values_size);
	for (size_t k = 0; k < p->n_sample_types; k++)
		advance(w, wire_put_varint(room(w, WIRE_VARINT_MAX),
					   (uint64_t)values[k]));
	for (uint32_t k = 0; k < n_labels; k++)
		put_label(w, &labels[k]);
}

static void put_comments(struct writer *w, const struct profile *p)
{
	size_t size = 0;
	if (!p->n_comments)
		return;
	for (size_t i = 0; i < p->n_comments; i++)
		size += wire_varint_size(p->comments[i]);
	put_head(w, 13, size);
	for (size_t i = 0; i < p->n_comments; i++)
		advance(w, wire_put_varint(room(w, WIRE_VARINT_MAX),
					   p->comments[i]));
}

/* With the NULs that another byte stands for. */
static void put_string(struct writer *w, const struct profile *p,
		       const struct string_entry *s)
{
	const char byte = p->priv->nul_byte;
	const char *at = s->text, *end = s->text + s->len;
	put_head(w, 6, s->len);
	for (const char *nul; byte && (nul = memchr(at, byte, end - at));) {
		put_bytes(w, at, nul - at);
		put_bytes(w, "", 1);
		at = nul + 1;
	}
	put_bytes(w, at, end - at);
}

static void put_profile(struct writer *w, const struct profile *p)
{
	for (size_t i = 0; i < p->n_sample_types; i++)
		put_value_type(w, 1, &p->sample_types[i]);
	for (size_t i = 0; i < p->n_samples && !w->failed; i++)
		put_sample(w, p, i);
	for (size_t i = 0; i < p->n_mappings; i++)
		put_mapping(w, &p->mappings[i], i + 1);
	for (size_t i = 0; i < p->n_locations && !w->failed; i++)
		put_location(w, p, i);
	for (size_t i = 0; i < p->n_functions && !w->failed; i++)
		put_function(w, &p->functions[i], i + 1);
	for (size_t i = 0; i < p->priv->n_strings && !w->failed; i++)
		put_string(w, p, &p->priv->strings[i]);
	put_number(w, 7, p->drop_frames);
	put_number(w, 8, p->keep_frames);
	put_number(w, 9, (uint64_t)p->time_nanos);
	put_number(w, 10, (uint64_t)p->duration_nanos);
	if (p->period_type.type || p->period_type.unit)
		put_value_type(w, 11, &p->period_type);
	put_number(w, 12, (uint64_t)p->period);
	put_comments(w, p);
	put_number(w, 14, p->default_sample_type);
	put_number(w, 15, p->doc_url);
}

int profile_encode(const struct profile *p, enum profile_encoding encoding,
		   const struct sink *sink, struct err *e)
{
	int rc = profile_validate(p, e);
	if (rc)
		return rc;
	struct writer *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ERR_NOMEM, "out of memory");
	w->sink = sink;
	w->gzip = encoding == PROFILE_GZIP;
	if (w->gzip &&
	    deflateInit2(&w->z, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS,
			 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		rc = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	put_profile(w, p);
	flush_block(w, true);
	rc = w->failed;
	if (rc)
		err_set(e, rc, "writing the profile: %s", err_name(rc));
	if (w->gzip)
		deflateEnd(&w->z);
out:
	free(w);
	return rc;
}
