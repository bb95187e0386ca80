/* view.c - see view.h. */
#include "report/view.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/grow.h"

#include <stdlib.h>
#include <string.h>

/* calloc, so that an empty table is not mistaken for a failure. */
static void *copy_rows(const void *rows, size_t n, size_t size)
{
	void *copy = calloc(n ? n : 1, size);
	if (copy && n)
		memcpy(copy, rows, n * size);
	return copy;
}

int view_init(struct view *v, const struct profile *p)
{
	*v = (struct view){ .p = p,
			    .n_functions = p->n_functions,
			    .n_lines = p->n_lines,
			    .n_locations = p->n_locations,
			    .n_samples = p->n_samples,
			    .locs = p->locs };
	v->mappings =
		copy_rows(p->mappings, p->n_mappings, sizeof(*v->mappings));
	v->functions =
		copy_rows(p->functions, p->n_functions, sizeof(*v->functions));
	v->lines = copy_rows(p->lines, p->n_lines, sizeof(*v->lines));
	v->locations =
		copy_rows(p->locations, p->n_locations, sizeof(*v->locations));
	v->samples =
		calloc(p->n_samples ? p->n_samples : 1, sizeof(*v->samples));
	if (!v->mappings || !v->functions || !v->lines || !v->locations ||
	    !v->samples) {
		view_free(v);
		return ERR_NOMEM;
	}
	v->cap_functions = v->n_functions ? v->n_functions : 1;
	v->cap_lines = v->n_lines ? v->n_lines : 1;
	v->cap_locations = v->n_locations ? v->n_locations : 1;
	for (size_t i = 0; i < p->n_samples; i++)
		v->samples[i] = (struct view_sample){
			.first = p->sample_locs[i].first,
			.count = p->sample_locs[i].count,
			.row = (uint32_t)i,
		};
	return 0;
}

void view_free(struct view *v)
{
	free(v->mappings);
	free(v->functions);
	free(v->lines);
	free(v->locations);
	free(v->samples);
	free(v->own_locs);
	free(v->hidden_keys);
	free(v->texts);
	map_free(&v->text_index);
	arena_free(&v->arena);
	*v = (struct view){ 0 };
}

const char *view_str(const struct view *v, uint32_t string)
{
	const size_t n = profile_n_strings(v->p);
	if (string < n || string - n >= v->n_texts)
		return profile_str(v->p, string);
	return v->texts[string - n].s;
}

size_t view_str_len(const struct view *v, uint32_t string)
{
	const size_t n = profile_n_strings(v->p);
	if (string < n || string - n >= v->n_texts)
		return profile_str_len(v->p, string);
	return v->texts[string - n].len;
}

uint32_t view_intern(struct view *v, const char *s, size_t len)
{
	char *copy = arena_text(&v->arena, s, len);
	if (!copy)
		return PROFILE_NONE;
	if (strlen(copy) == len) {
		const uint32_t known = profile_find_str(v->p, copy);
		if (known != PROFILE_NONE)
			return known;
	}
	uint64_t key = map_hash(s, len, 0);
	for (;; key++) {
		const uint32_t i = map_get(&v->text_index, key);
		if (i == MAP_NONE)
			break;
		if (v->texts[i].len == len && !memcmp(v->texts[i].s, s, len))
			return (uint32_t)profile_n_strings(v->p) + i;
	}
	if (grow_rows(&v->texts, &v->cap_texts, v->n_texts + 1,
		      sizeof(*v->texts)) ||
	    map_put(&v->text_index, key, (uint32_t)v->n_texts))
		return PROFILE_NONE;
	v->texts[v->n_texts] = (struct view_text){ copy, len };
	return (uint32_t)(profile_n_strings(v->p) + v->n_texts++);
}

int view_own_stacks(struct view *v)
{
	if (v->own_locs)
		return 0;
	size_t total = 0;
	for (size_t i = 0; i < v->n_samples; i++)
		total += v->samples[i].count;
	uint32_t *own = calloc(total ? total : 1, sizeof(*own));
	if (!own)
		return ERR_NOMEM;
	size_t at = 0;
	for (size_t i = 0; i < v->n_samples; i++) {
		struct view_sample *s = &v->samples[i];
		memcpy(own + at, v->locs + s->first, s->count * sizeof(*own));
		s->first = (uint32_t)at;
		at += s->count;
	}
	v->own_locs = own;
	v->locs = own;
	return 0;
}

/* ---- labels -------------------------------------------------------------- */

static bool is_before(const struct view *v, const struct profile_label *a,
		      const struct profile_label *b)
{
	if (!a->str != !b->str)
		return a->str;
	return a->key != b->key &&
	       strcmp(view_str(v, a->key), view_str(v, b->key)) < 0;
}

int view_get_labels(const struct view *v, const struct view_sample *s,
		    struct view_labels *l)
{
	const struct profile_span span = v->p->sample_labels[s->row];
	l->n = l->n_texts = 0;
	if (!span.count)
		return 0;
	if (grow_rows(&l->rows, &l->cap, span.count, sizeof(*l->rows)))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < span.count; i++) {
		const struct profile_label row = v->p->labels[span.first + i];
		if (v->hidden_keys && v->hidden_keys[row.key])
			continue;
		/* Neither text nor number: such a label does not exist. */
		if (!row.str && !row.num && !row.num_unit)
			continue;
		size_t at = l->n++;
		for (; at > 0 && is_before(v, &row, &l->rows[at - 1]); at--)
			l->rows[at] = l->rows[at - 1];
		l->rows[at] = row;
		l->n_texts += row.str != 0;
	}
	return 0;
}

void view_labels_free(struct view_labels *l)
{
	free(l->rows);
	*l = (struct view_labels){ 0 };
}

size_t view_labels_run(const struct view_labels *l, size_t i)
{
	const size_t limit = i < l->n_texts ? l->n_texts : l->n;
	size_t end = i + 1;
	while (end < limit && l->rows[end].key == l->rows[i].key)
		end++;
	return end;
}

bool view_labels_have_units(const struct view_labels *l, size_t i, size_t end)
{
	for (; i < end; i++)
		if (l->rows[i].num_unit)
			return true;
	return false;
}

/* ---- units --------------------------------------------------------------- */

/* A key that was seen with a unit other than its own. */
struct odd_unit {
	uint32_t key, unit;
};

struct odd_units {
	struct odd_unit *rows;
	size_t n, cap;
};

static int note_odd(struct odd_units *odd, uint32_t key, uint32_t unit)
{
	for (size_t i = 0; i < odd->n; i++)
		if (odd->rows[i].key == key && odd->rows[i].unit == unit)
			return 0;
	if (grow_rows(&odd->rows, &odd->cap, odd->n + 1, sizeof(*odd->rows)))
		return ERR_NOMEM;
	odd->rows[odd->n++] = (struct odd_unit){ key, unit };
	return 0;
}

static int see_units(const struct view *v, struct view_units *u,
		     struct odd_units *odd)
{
	for (size_t i = 0; i < v->p->n_labels; i++) {
		const struct profile_label *l = &v->p->labels[i];
		if (l->str || (!l->num && !l->num_unit) || l->key >= u->n)
			continue;
		uint32_t *unit = &u->unit[l->key];
		if (*unit == PROFILE_NONE || *unit == 0)
			*unit = l->num_unit;
		else if (l->num_unit && l->num_unit != *unit &&
			 note_odd(odd, l->key, l->num_unit))
			return ERR_NOMEM;
	}
	return 0;
}

static int compare_odd(const void *a, const void *b, void *arg)
{
	const struct view *v = arg;
	const struct odd_unit *x = a, *y = b;
	if (x->key != y->key)
		return strcmp(view_str(v, x->key), view_str(v, y->key));
	return strcmp(view_str(v, x->unit), view_str(v, y->unit));
}

static void tell_odd(const struct view *v, const struct view_units *u,
		     struct odd_units *odd,
		     void (*warn)(void *arg, const char *text), void *arg)
{
	if (odd->n)
		qsort_r(odd->rows, odd->n, sizeof(*odd->rows), compare_odd,
			(void *)v);
	for (size_t i = 0; i < odd->n;) {
		const uint32_t key = odd->rows[i].key;
		struct buf text = { .cap = 64 << 10 };
		buf_printf(&text,
			   "For tag %s used unit %s, also encountered unit(s) ",
			   view_str(v, key), view_str(v, u->unit[key]));
		for (const char *sep = "";
		     i < odd->n && odd->rows[i].key == key; i++, sep = ", ")
			buf_printf(&text, "%s%s", sep,
				   view_str(v, odd->rows[i].unit));
		warn(arg, buf_str(&text));
		buf_free(&text);
	}
}

int view_find_units(struct view *v, void (*warn)(void *arg, const char *text),
		    void *arg, struct view_units *ret_units)
{
	struct odd_units odd = { 0 };
	struct view_units u = { .n = profile_n_strings(v->p) };
	int rc = ERR_NOMEM;
	u.unit = malloc(u.n * sizeof(*u.unit));
	if (!u.unit)
		goto out;
	memset(u.unit, 0xff, u.n * sizeof(*u.unit));
	rc = see_units(v, &u, &odd);
	for (uint32_t key = 0; !rc && key < u.n; key++) {
		if (u.unit[key])
			continue;
		const char *name = view_str(v, key);
		u.unit[key] = key;
		if (!strcmp(name, "alignment") || !strcmp(name, "request"))
			u.unit[key] = view_intern(v, "bytes", 5);
		if (u.unit[key] == PROFILE_NONE)
			rc = ERR_NOMEM;
	}
	if (!rc && warn)
		tell_odd(v, &u, &odd, warn, arg);
out:
	free(odd.rows);
	if (rc)
		view_units_free(&u);
	else
		*ret_units = u;
	return rc;
}

void view_units_free(struct view_units *u)
{
	free(u->unit);
	*u = (struct view_units){ 0 };
}

const char *view_unit(const struct view *v, const struct view_units *u,
		      uint32_t key)
{
	if (key >= u->n || u->unit[key] == PROFILE_NONE)
		return "";
	return view_str(v, u->unit[key]);
}

/* ---- aggregation --------------------------------------------------------- */

void view_aggregate(struct view *v, const struct view_detail *keep)
{
	for (size_t i = 0; i < v->p->n_mappings; i++) {
		struct profile_mapping *m = &v->mappings[i];
		m->has_inline_frames &= keep->inlines;
		m->has_functions &= keep->function;
		m->has_filenames &= keep->filename;
		m->has_line_numbers &= keep->line;
	}
	for (size_t i = 0; i < v->n_functions; i++) {
		if (!keep->function)
			v->functions[i].name = v->functions[i].system_name = 0;
		if (!keep->filename)
			v->functions[i].filename = 0;
	}
	for (size_t i = 0; i < v->n_locations; i++) {
		struct profile_location *l = &v->locations[i];
		if (!keep->inlines && l->line_count > 1) {
			l->line_first += l->line_count - 1;
			l->line_count = 1;
		}
		if (!keep->address)
			l->address = 0;
	}
	for (size_t i = 0; !keep->line && i < v->n_lines; i++)
		v->lines[i].line = 0;
}
