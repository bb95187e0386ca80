/*
 * legacy_maps.c - the map of memory behind a legacy profile, and with it the
 * mapping of each location.
 *
 * A line is one of /proc/PID/maps, or START-END FILE (@OFFSET) BUILD-ID with
 * nearly everything optional, or NAME=VALUE, after which $NAME means VALUE.
 * What is none of these is passed over.
 */
#include "base/buf.h"
#include "base/err.h"
#include "profile/legacy.h"
#include "profile/private.h"

#include <string.h>

enum {
	ATTRIBUTES_MAX = 64,
	LINE_MAX = 1 << 20, /* a line with its $NAMEs replaced */
};

/* Looking for each location in each mapping: no real profile comes near. */
static const uint64_t lookups_max = UINT64_C(1) << 31;

/* ---- one line ------------------------------------------------------------ */

struct entry {
	struct text start, limit, perm, file, offset, build_id;
};

/* Hex digits, behind an 0x if there is one. */
static bool hex(struct text *t, struct text *ret)
{
	struct text after = *t;
	if (text_skip(&after, "0x") && text_hex_digits(&after, ret)) {
		*t = after;
		return true;
	}
	return text_hex_digits(t, ret);
}

/*
 * START-END, with a blank or nothing for the dash.  With nothing but digits
 * the last one is the end, as google/pprof's pattern has it: so a line that
 * merely begins with two of them is an entry there, and here.
 */
static bool range(struct text *t, struct entry *en)
{
	text_skip_blanks(t);
	if (!hex(t, &en->start))
		return false;
	struct text rest = *t;
	if (!text_skip(&rest, "-"))
		text_skip_blanks(&rest);
	text_skip_blanks(&rest);
	if (hex(&rest, &en->limit)) {
		text_skip(&rest, ":");
		*t = rest;
		return true;
	}
	if (en->start.len < 2)
		return false;
	en->start.len--;
	en->limit = (struct text){ en->start.s + en->start.len, 1 };
	text_skip(t, ":");
	return true;
}

/* Blanks, and then r, w, x, p and dashes. */
static bool permissions(struct text *t, struct text *ret)
{
	struct text rest = *t;
	size_t n = 0;
	if (!text_skip_blanks(&rest))
		return false;
	while (n < rest.len && strchr("-rwxp", rest.s[n]) && rest.s[n])
		n++;
	if (!n)
		return false;
	*ret = (struct text){ rest.s, n };
	*t = (struct text){ rest.s + n, rest.len - n };
	return true;
}

static bool blank_then_hex(struct text *t, struct text *ret)
{
	struct text rest = *t;
	if (!text_skip_blanks(&rest) || !text_hex_digits(&rest, ret))
		return false;
	*t = rest;
	return true;
}

static bool blank_then_word(struct text *t, struct text *ret)
{
	struct text rest = *t;
	size_t n = 0;
	if (!text_skip_blanks(&rest) || !rest.len)
		return false;
	while (n < rest.len && rest.s[n] != ' ' &&
	       !(rest.s[n] >= '\t' && rest.s[n] <= '\r'))
		n++;
	*ret = (struct text){ rest.s, n };
	*t = (struct text){ rest.s + n, rest.len - n };
	return true;
}

/* MAJOR:MINOR INODE and perhaps a file. */
static bool device_and_file(struct text t, struct entry *en)
{
	struct text ignored;
	if (!blank_then_hex(&t, &ignored) || !text_skip(&t, ":") ||
	    !text_hex_digits(&t, &ignored) || !text_skip_blanks(&t) ||
	    !text_digits(&t, &ignored))
		return false;
	blank_then_word(&t, &en->file);
	return true;
}

/* Permissions and offset are optional, the device is not: what makes it fit. */
static bool proc_entry(struct text t, struct entry *en)
{
	for (int skipped = 0; skipped < 4; skipped++) {
		struct entry tried = *en;
		struct text rest = t;
		if (!(skipped & 2) && !permissions(&rest, &tried.perm))
			continue;
		if (!(skipped & 1) && !blank_then_hex(&rest, &tried.offset))
			continue;
		if (device_and_file(rest, &tried)) {
			*en = tried;
			return true;
		}
	}
	return false;
}

static void brief_entry(struct text t, struct entry *en)
{
	struct text rest;
	permissions(&t, &en->perm);
	blank_then_word(&t, &en->file);
	rest = t;
	if (text_skip_blanks(&rest) && text_skip(&rest, "(@") &&
	    text_hex_digits(&rest, &en->offset) && text_skip(&rest, ")"))
		t = rest;
	else
		en->offset = (struct text){ 0 };
	blank_then_hex(&t, &en->build_id);
}

/* "... file:line] message": a logger's prefix is taken off. */
static struct text without_log_prefix(struct text line)
{
	size_t n = 0, digits = 0;
	while (n < line.len && line.s[n] != '[' && line.s[n] != ']')
		n++;
	if (n + 1 >= line.len || line.s[n] == '[')
		return line;
	while (digits < n && line.s[n - 1 - digits] >= '0' &&
	       line.s[n - 1 - digits] <= '9')
		digits++;
	struct text rest = { line.s + n + 1, line.len - n - 1 };
	const struct text whole = rest;
	if (!digits || n < digits + 2 || line.s[n - 1 - digits] != ':' ||
	    !text_skip_blanks(&rest))
		return line;
	return (struct text){ whole.s + 1, whole.len - 1 };
}

/* ---- $NAME --------------------------------------------------------------- */

struct attributes {
	struct {
		struct text name, value;
	} of[ATTRIBUTES_MAX];
	size_t n;
	struct buf line; /* the one at hand with its names replaced */
};

static void remember(struct attributes *a, struct text line)
{
	const char *equals = text_find(line, "=");
	if (!equals || a->n == ATTRIBUTES_MAX)
		return;
	a->of[a->n].name =
		text_trim((struct text){ line.s, (size_t)(equals - line.s) });
	a->of[a->n].value = text_trim((struct text){
		equals + 1, (size_t)(line.s + line.len - equals - 1) });
	a->n++;
}

/* Of the names that stand at t, behind a $, the one that came first. */
static size_t replace_one(struct attributes *a, struct text t)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct text name = a->of[i].name;
		if (name.len <= t.len && !memcmp(name.s, t.s, name.len)) {
			buf_append(&a->line, a->of[i].value.s,
				   a->of[i].value.len);
			return name.len + 1;
		}
	}
	buf_append_char(&a->line, '$');
	return 1;
}

/*
 * The names point into the data and not into a->line, for a line that holds a
 * replacement is not remembered.
 */
static int replace(struct attributes *a, struct text line,
		   struct text *ret_line)
{
	*ret_line = line;
	if (!a->n || !line.len || !memchr(line.s, '$', line.len))
		return 0;
	buf_clear(&a->line);
	a->line.cap = LINE_MAX;
	for (size_t i = 0; i < line.len;) {
		const struct text rest = { line.s + i, line.len - i };
		const char *dollar = memchr(rest.s, '$', rest.len);
		const size_t plain =
			dollar ? (size_t)(dollar - rest.s) : rest.len;
		buf_append(&a->line, rest.s, plain);
		i += plain;
		if (dollar)
			i += replace_one(a,
					 (struct text){ dollar + 1,
							rest.len - plain - 1 });
	}
	if (a->line.failed == ERR_NOMEM)
		return ERR_NOMEM;
	*ret_line = (struct text){ buf_str(&a->line), a->line.len };
	return 0;
}

/* ---- the section --------------------------------------------------------- */

bool legacy_is_maps_sentinel(struct text line)
{
	return text_find(line, "--- Memory map: ---") ||
	       text_find(line, "MAPPED_LIBRARIES:");
}

/* Returns: 0, ERR_*; *ret_entry says whether the line was one at all. */
static int read_entry(struct legacy *l, struct text line, bool *ret_entry)
{
	struct entry en = { 0 };
	struct text t = line;
	struct profile_mapping m = { 0 };
	*ret_entry = false;
	if (!range(&t, &en))
		return 0;
	if (!proc_entry(t, &en))
		brief_entry(t, &en);
	*ret_entry = true;
	if (en.perm.len && !memchr(en.perm.s, 'x', en.perm.len))
		return 0; /* no code in there */
	if (!text_to_hex(en.start, &m.start) ||
	    !text_to_hex(en.limit, &m.limit) ||
	    (en.offset.len && !text_to_hex(en.offset, &m.offset))) {
		*ret_entry = false;
		return 0;
	}
	/* google/pprof would keep one that ends before it starts, for nothing
	 * is in it; our model does not. */
	if (m.start > m.limit)
		return 0;
	m.filename = profile_intern_len(l->p, en.file.s ? en.file.s : "",
					en.file.len);
	m.build_id = profile_intern_len(
		l->p, en.build_id.s ? en.build_id.s : "", en.build_id.len);
	if (m.filename == PROFILE_NONE || m.build_id == PROFILE_NONE ||
	    profile_add_mapping(l->p, &m) == PROFILE_NONE)
		return legacy_no_room(l, l->p->priv->failed);
	return 0;
}

static int read_maps(struct legacy *l)
{
	struct attributes a = { 0 };
	int rc = 0;
	while (!rc && legacy_next_line(l)) {
		const struct text plain = without_log_prefix(l->line);
		struct text line;
		bool is_entry = false;
		rc = replace(&a, plain, &line);
		if (rc)
			rc = legacy_no_room(l, rc);
		else
			rc = read_entry(l, line, &is_entry);
		if (!rc && !is_entry && line.s == plain.s)
			remember(&a, line);
	}
	buf_free(&a.line);
	return rc;
}

/* ---- mappings as the rest expects them ----------------------------------- */

/* Two pieces of one: next to each other, of the same file, offsets fitting. */
static bool adjacent(const struct profile_mapping *a,
		     const struct profile_mapping *b)
{
	return (!a->filename || !b->filename || a->filename == b->filename) &&
	       (!a->build_id || !b->build_id || a->build_id == b->build_id) &&
	       a->limit == b->start &&
	       (!a->offset || !b->offset ||
		a->offset + (a->limit - a->start) == b->offset);
}

static void join_adjacent(struct profile *p)
{
	size_t kept = 0;
	for (size_t i = 1; i < p->n_mappings; i++) {
		struct profile_mapping *last = &p->mappings[kept];
		const struct profile_mapping *m = &p->mappings[i];
		if (adjacent(last, m)) {
			last->limit = m->limit;
			if (m->filename)
				last->filename = m->filename;
			if (m->build_id)
				last->build_id = m->build_id;
		} else {
			p->mappings[++kept] = *m;
		}
	}
	if (p->n_mappings)
		p->n_mappings = kept + 1;
}

/* libfoo.so, libfoo.so.1, libfoo.so_1 */
static bool is_library(struct text file)
{
	if (file.len >= 3 && !memcmp(file.s + file.len - 3, ".so", 3))
		return true;
	for (const char *at; (at = text_find(file, ".so"));) {
		const size_t left = (size_t)(file.s + file.len - at) - 3;
		if (left >= 2 && (at[3] == '.' || at[3] == '_') &&
		    at[4] >= '0' && at[4] <= '9')
			return true;
		file = (struct text){ at + 3, left };
	}
	return false;
}

/* The name may have " (deleted)" behind it, which does not count. */
static bool looks_like_main(const struct profile *p,
			    const struct profile_mapping *m)
{
	struct text file = { profile_str(p, m->filename),
			     profile_str_len(p, m->filename) };
	const char *deleted = text_find(file, "(deleted)");
	if (deleted && deleted + 9 == file.s + file.len)
		file.len -= 9;
	file = text_trim(file);
	return file.len && file.s[0] != '[' && !is_library(file);
}

static void main_first(struct profile *p)
{
	for (size_t i = 0; i < p->n_mappings; i++) {
		if (!looks_like_main(p, &p->mappings[i]))
			continue;
		const struct profile_mapping swapped = p->mappings[0];
		p->mappings[0] = p->mappings[i];
		p->mappings[i] = swapped;
		return;
	}
}

/* Quirks of the handlers that write these maps. */
static void mend_main(struct profile *p)
{
	const struct text huge = {
		p->n_mappings ? profile_str(p, p->mappings[0].filename) : "",
		p->n_mappings ? profile_str_len(p, p->mappings[0].filename) : 0
	};
	if (p->n_mappings > 1 && text_starts(huge, "/anon_hugepage") &&
	    p->mappings[0].limit == p->mappings[1].start) {
		p->n_mappings--;
		memmove(p->mappings, p->mappings + 1,
			p->n_mappings * sizeof(*p->mappings));
	}
	if (p->n_mappings &&
	    p->mappings[0].start - p->mappings[0].offset == 0x400000) {
		p->mappings[0].start = 0x400000;
		p->mappings[0].offset = 0;
	}
}

/* ---- locations ----------------------------------------------------------- */

/* In the order in which the samples come to them, and no others. */
static int reorder_locations(struct legacy *l)
{
	struct profile *p = l->p;
	const size_t n = p->n_locations;
	void *new_index, *addresses;
	int rc = model_scratch(p, n, sizeof(uint32_t), &new_index);
	if (rc)
		return legacy_no_room(l, rc);
	rc = model_scratch(p, n, sizeof(uint64_t), &addresses);
	if (rc) {
		model_release(p, new_index, n, sizeof(uint32_t));
		return legacy_no_room(l, rc);
	}
	uint32_t *index = new_index, used = 0; /* index + 1; 0: unseen */
	uint64_t *address = addresses;
	size_t kept = 0; /* frames that were dropped left holes in the column */
	for (size_t i = 0; i < p->n_samples; i++) {
		const uint32_t *locs = p->locs + p->sample_locs[i].first;
		p->sample_locs[i].first = (uint32_t)kept;
		for (uint32_t k = 0; k < p->sample_locs[i].count; k++) {
			const uint32_t old = locs[k];
			if (!index[old]) {
				address[used] = p->locations[old].address;
				index[old] = ++used;
			}
			p->locs[kept++] = index[old] - 1;
		}
	}
	p->n_locs = kept;
	for (uint32_t i = 0; i < used; i++)
		p->locations[i].address = address[i];
	p->n_locations = used;
	model_release(p, new_index, n, sizeof(uint32_t));
	model_release(p, addresses, n, sizeof(uint64_t));
	return 0;
}

static uint32_t containing(const struct profile *p, uint64_t address)
{
	for (size_t i = 0; i < p->n_mappings; i++)
		if (p->mappings[i].start <= address &&
		    address < p->mappings[i].limit)
			return (uint32_t)i;
	return PROFILE_NONE;
}

/* Some handlers leave out the first part of a file: it is put back. */
static uint32_t containing_from_offset(struct profile *p, uint64_t address)
{
	for (size_t i = 0; i < p->n_mappings; i++) {
		struct profile_mapping *m = &p->mappings[i];
		if (m->offset && m->start - m->offset <= address &&
		    address < m->start) {
			m->start -= m->offset;
			m->offset = 0;
			return (uint32_t)i;
		}
	}
	return PROFILE_NONE;
}

/* What no mapping has goes to one that has everything: Go writes no maps. */
static int map_locations(struct legacy *l)
{
	struct profile *p = l->p;
	uint32_t anywhere = PROFILE_NONE;
	if (p->n_mappings && p->n_locations > lookups_max / p->n_mappings)
		return err_set(l->e, ERR_LIMIT,
			       "%zu locations in %zu mappings are too many",
			       p->n_locations, p->n_mappings);
	for (size_t i = 0; i < p->n_locations; i++) {
		struct profile_location *loc = &p->locations[i];
		if (!loc->address)
			continue;
		loc->mapping = containing(p, loc->address);
		if (loc->mapping == PROFILE_NONE)
			loc->mapping = containing_from_offset(p, loc->address);
		if (loc->mapping == PROFILE_NONE && anywhere == PROFILE_NONE) {
			const struct profile_mapping all = {
				.limit = UINT64_MAX
			};
			anywhere = profile_add_mapping(p, &all);
			if (anywhere == PROFILE_NONE)
				return legacy_no_room(l, p->priv->failed);
		}
		if (loc->mapping == PROFILE_NONE)
			loc->mapping = anywhere;
	}
	return 0;
}

int legacy_finish_maps(struct legacy *l)
{
	int rc = read_maps(l);
	if (rc)
		return rc;
	join_adjacent(l->p);
	main_first(l->p);
	rc = reorder_locations(l);
	if (rc)
		return rc;
	mend_main(l->p);
	return map_locations(l);
}

int legacy_finish_sections(struct legacy *l)
{
	while (!legacy_is_maps_sentinel(l->line) && legacy_next_line(l))
		;
	return legacy_finish_maps(l);
}
