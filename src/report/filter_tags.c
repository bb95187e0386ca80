/*
 * filter_tags.c - the filters on labels, and frames made of labels; see
 * filter.h.
 *
 * A value that looks like a number with a unit, or a range of two, is compared
 * with the numbers of a sample; any other is a list of expressions for its
 * texts.
 */
#include "report/filter_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"
#include "report/measure.h"
#include "report/regex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tag_filter {
	char *key; /* owned; NULL = any */
	bool is_range;
	/* a range, both ends included, in this unit */
	const char *unit;
	char *unit_text; /* owned */
	bool has_low, has_high, is_exact;
	double low, high;
	/* or expressions: with a key any, without one all must match */
	struct regex **rx;
	size_t n_rx, cap_rx;
};

static void tag_filter_free(struct tag_filter *f)
{
	free(f->key);
	free(f->unit_text);
	for (size_t i = 0; i < f->n_rx; i++)
		regex_free(f->rx[i]);
	free(f->rx);
}

/* [+-]digits then letters, or nothing.  Returns: its length, 0 = none. */
static size_t scan_number(const char *s, int64_t *ret_value, char *unit,
			  size_t unit_size)
{
	const char *p = s;
	if (*p == '+' || *p == '-')
		p++;
	if (!isdigit((unsigned char)*p))
		return 0;
	errno = 0;
	char *end;
	*ret_value = strtoll(s, &end, 10);
	if (errno)
		return 0;
	size_t n = 0;
	for (p = end; isalpha((unsigned char)*p); p++)
		if (n + 1 < unit_size)
			unit[n++] = *p;
	unit[n] = '\0';
	return (size_t)(p - s);
}

/* Is value a range?  Then fill it in. */
static int parse_range(struct tag_filter *f, const char *value)
{
	char unit1[64], unit2[64];
	int64_t v1, v2;
	const bool open_low = *value == ':';
	const size_t n =
		scan_number(value + open_low, &v1, unit1, sizeof(unit1));
	if (!n)
		return 0;
	f->unit_text = strdup(unit1);
	if (!f->unit_text)
		return ERR_NOMEM;
	const double low = measure_scale(v1, unit1, f->unit_text, &f->unit);
	const char *rest = value + open_low + n;
	if (open_low) {
		f->is_range = !*rest;
		f->has_high = true;
		f->high = low;
		return 0;
	}
	f->has_low = true;
	f->low = low;
	if (!*rest) {
		f->is_range = f->is_exact = true;
		return 0;
	}
	if (*rest != ':')
		return 0;
	if (!rest[1]) {
		f->is_range = true;
		return 0;
	}
	const size_t n2 = scan_number(rest + 1, &v2, unit2, sizeof(unit2));
	if (!n2 || rest[1 + n2])
		return 0;
	const char *got;
	f->high = measure_scale(v2, unit2, f->unit, &got);
	f->has_high = true;
	f->is_range = strcmp(got, f->unit) == 0;
	return 0;
}

static int add_expression(struct tag_filter *f, const char *name,
			  const char *text, size_t len, struct err *e)
{
	if (grow_rows(&f->rx, &f->cap_rx, f->n_rx + 1, sizeof(*f->rx)))
		return ERR_NOMEM;
	char *one = strndup(text, len);
	if (!one)
		return ERR_NOMEM;
	int rc = regex_compile(one, &f->rx[f->n_rx], e);
	free(one);
	if (rc == ERR_INVALID)
		return err_prefix(e, rc, "parsing %s regexp", name);
	if (!rc)
		f->n_rx++;
	return rc;
}

static int tag_filter_init(struct tag_filter *f, const char *name,
			   const char *value, const struct report_warn *warn,
			   struct err *e)
{
	const char *equals = strchr(value, '=');
	if (equals) {
		/* "=value" is of any key. */
		if (equals > value) {
			f->key = strndup(value, (size_t)(equals - value));
			if (!f->key)
				return ERR_NOMEM;
		}
		value = equals + 1;
	}
	int rc = parse_range(f, value);
	if (rc)
		return rc;
	if (f->is_range) {
		struct buf text = { 0 };
		buf_printf(&text, "%s:Interpreted '%s' as range, not regexp",
			   name, value);
		filter_warn_unmatched(warn, false, buf_str(&text));
		buf_free(&text);
		return 0;
	}
	for (;;) {
		const size_t n = strcspn(value, ",");
		rc = add_expression(f, name, value, n, e);
		if (rc || !value[n])
			return rc;
		value += n + 1;
	}
}

static bool in_range(const struct tag_filter *f, int64_t value,
		     const char *unit)
{
	const char *got;
	const double v = measure_scale(value, unit, f->unit, &got);
	if (strcmp(got, f->unit) != 0)
		return false;
	if (f->is_exact)
		return v == f->low;
	return (!f->has_low || v >= f->low) && (!f->has_high || v <= f->high);
}

static bool matches_range(const struct tag_filter *f, const struct view *v,
			  const struct view_units *units,
			  const struct view_labels *l)
{
	for (size_t i = l->n_texts; i < l->n; i++) {
		const struct profile_label *row = &l->rows[i];
		if (f->key && strcmp(view_str(v, row->key), f->key) != 0)
			continue;
		if (in_range(f, row->num, view_unit(v, units, row->key)))
			return true;
	}
	return false;
}

static bool matches_with_key(const struct tag_filter *f, const struct view *v,
			     const struct view_labels *l)
{
	for (size_t i = 0; i < l->n_texts; i++) {
		if (strcmp(view_str(v, l->rows[i].key), f->key) != 0)
			continue;
		const uint32_t str = l->rows[i].str;
		for (size_t r = 0; r < f->n_rx; r++)
			if (regex_match(f->rx[r], view_str(v, str),
					view_str_len(v, str)))
				return true;
	}
	return false;
}

/* Each expression must match some "key:value". */
static bool matches_any_key(const struct tag_filter *f, const struct view *v,
			    const struct view_labels *l, struct buf *pair)
{
	for (size_t r = 0; r < f->n_rx; r++) {
		bool found = false;
		for (size_t i = 0; i < l->n_texts && !found; i++) {
			buf_clear(pair);
			buf_append_str(pair, view_str(v, l->rows[i].key));
			buf_append_char(pair, ':');
			buf_append(pair, view_str(v, l->rows[i].str),
				   view_str_len(v, l->rows[i].str));
			found = regex_match(f->rx[r], buf_str(pair), pair->len);
		}
		if (!found)
			return false;
	}
	return true;
}

static bool tag_filter_matches(const struct tag_filter *f, const struct view *v,
			       const struct view_units *units,
			       const struct view_labels *l, struct buf *scratch)
{
	if (f->is_range)
		return matches_range(f, v, units, l);
	if (f->key)
		return matches_with_key(f, v, l);
	return matches_any_key(f, v, l, scratch);
}

int filter_samples_by_tag(struct view *v, const struct view_units *units,
			  const struct report_options *o,
			  const struct report_warn *warn, struct err *e)
{
	const bool focusing = filter_is_set(o->tagfocus);
	const bool ignoring = filter_is_set(o->tagignore);
	if (!focusing && !ignoring)
		return 0;
	struct tag_filter focus = { 0 }, ignore = { 0 };
	struct view_labels labels = { 0 };
	struct buf scratch = { 0 };
	bool saw_focus = false, saw_ignore = false;
	size_t n = 0;
	int rc = 0;
	if (focusing)
		rc = tag_filter_init(&focus, "tagfocus", o->tagfocus, warn, e);
	if (!rc && ignoring)
		rc = tag_filter_init(&ignore, "tagignore", o->tagignore, warn,
				     e);
	for (size_t i = 0; !rc && i < v->n_samples; i++) {
		const struct view_sample s = v->samples[i];
		rc = view_get_labels(v, &s, &labels);
		if (rc)
			break;
		const bool in =
			!focusing ||
			tag_filter_matches(&focus, v, units, &labels, &scratch);
		const bool out =
			ignoring && tag_filter_matches(&ignore, v, units,
						       &labels, &scratch);
		saw_focus |= in;
		saw_ignore |= out;
		if (in && !out)
			v->samples[n++] = s;
	}
	if (!rc) {
		v->n_samples = n;
		filter_warn_unmatched(warn, !focusing || saw_focus,
				      "TagFocus expression matched no samples");
		filter_warn_unmatched(
			warn, !ignoring || saw_ignore,
			"TagIgnore expression matched no samples");
	}
	tag_filter_free(&focus);
	tag_filter_free(&ignore);
	view_labels_free(&labels);
	buf_free(&scratch);
	return rc;
}

/* Mark the keys that occur in samples still there and are to be hidden. */
static int hide_keys(struct view *v, struct regex *show, struct regex *hide,
		     bool *ret_saw_show, bool *ret_saw_hide)
{
	const size_t n = profile_n_strings(v->p);
	bool *hidden = calloc(n, sizeof(*hidden));
	bool *judged = calloc(n, sizeof(*judged));
	if (!hidden || !judged) {
		free(hidden);
		free(judged);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < v->n_samples; i++) {
		const struct profile_span span =
			v->p->sample_labels[v->samples[i].row];
		for (uint32_t k = 0; k < span.count; k++) {
			const uint32_t key = v->p->labels[span.first + k].key;
			if (judged[key])
				continue;
			judged[key] = true;
			const char *s = view_str(v, key);
			const size_t len = view_str_len(v, key);
			const bool in = !show || regex_match(show, s, len);
			const bool out = hide && regex_match(hide, s, len);
			*ret_saw_show |= in;
			*ret_saw_hide |= out;
			hidden[key] = !in || out;
		}
	}
	free(judged);
	free(v->hidden_keys);
	v->hidden_keys = hidden;
	return 0;
}

int filter_tags_by_name(struct view *v, const struct report_options *o,
			const struct report_warn *warn, struct err *e)
{
	struct regex *show = NULL, *hide = NULL;
	bool saw_show = false, saw_hide = false;
	int rc = filter_compile("tagshow", o->tagshow, &show, e);
	if (!rc)
		rc = filter_compile("taghide", o->taghide, &hide, e);
	if (!rc && (show || hide))
		rc = hide_keys(v, show, hide, &saw_show, &saw_hide);
	if (!rc) {
		filter_warn_unmatched(warn, !show || saw_show,
				      "TagShow expression matched no samples");
		filter_warn_unmatched(warn, !hide || saw_hide,
				      "TagHide expression matched no samples");
	}
	regex_free(show);
	regex_free(hide);
	return rc;
}

/* ---- tagroot, tagleaf ---------------------------------------------------- */

/* The values of one key of a sample, joined by commas. */
static int format_values(const struct view *v, const struct view_labels *l,
			 const char *key, const char *unit, struct buf *ret)
{
	for (size_t i = 0; i < l->n; i = view_labels_run(l, i)) {
		if (strcmp(view_str(v, l->rows[i].key), key) != 0)
			continue;
		const size_t end = view_labels_run(l, i);
		const bool units = view_labels_have_units(l, i, end);
		for (size_t k = i; k < end; k++) {
			const struct profile_label *row = &l->rows[k];
			if (ret->len)
				buf_append_char(ret, ',');
			char label[MEASURE_LABEL_MAX];
			if (row->str)
				buf_append(ret, view_str(v, row->str),
					   view_str_len(v, row->str));
			else
				buf_append_str(
					ret,
					measure_label(
						row->num,
						units ? view_str(v,
								 row->num_unit)
						      : "",
						units ? unit : "", label));
		}
	}
	return ret->failed;
}

/* The location whose only frame is this text, of this "file". */
static int find_label_location(struct view *v, uint32_t name, uint32_t key,
			       struct map *known, uint32_t *ret_location)
{
	const uint64_t pair = (uint64_t)name << 32 | key;
	*ret_location = map_get(known, pair);
	if (*ret_location != MAP_NONE)
		return 0;
	if (grow_rows(&v->functions, &v->cap_functions, v->n_functions + 1,
		      sizeof(*v->functions)) ||
	    grow_rows(&v->lines, &v->cap_lines, v->n_lines + 1,
		      sizeof(*v->lines)) ||
	    grow_rows(&v->locations, &v->cap_locations, v->n_locations + 1,
		      sizeof(*v->locations)) ||
	    map_put(known, pair, (uint32_t)v->n_locations))
		return ERR_NOMEM;
	v->functions[v->n_functions] =
		(struct profile_function){ .name = name, .filename = key };
	v->lines[v->n_lines] =
		(struct profile_line){ .function = (uint32_t)v->n_functions++ };
	v->locations[v->n_locations] = (struct profile_location){
		.mapping = PROFILE_NONE,
		.line_first = (uint32_t)v->n_lines++,
		.line_count = 1,
	};
	*ret_location = (uint32_t)v->n_locations++;
	return 0;
}

struct key_list {
	char *text;   /* owned */
	char **names; /* owned */
	size_t n, cap;
	bool matched;
};

static int key_list_init(struct key_list *k, const char *list)
{
	k->text = strdup(list ? list : "");
	if (!k->text)
		return ERR_NOMEM;
	char *state = k->text, *word;
	while ((word = strsep(&state, ",")) != NULL) {
		if (!*word)
			continue;
		if (grow_rows(&k->names, &k->cap, k->n + 1, sizeof(*k->names)))
			return ERR_NOMEM;
		k->names[k->n++] = word;
	}
	return 0;
}

static void key_list_free(struct key_list *k)
{
	free(k->text);
	free(k->names);
}

/* Write the locations for all keys, the last key first. */
static int label_locations(struct view *v, struct key_list *keys,
			   const struct view_labels *l, const char *unit,
			   struct map *known, uint32_t *ret)
{
	struct buf text = { 0 };
	int rc = 0;
	for (size_t i = 0; i < keys->n && !rc; i++) {
		const char *key = keys->names[keys->n - 1 - i];
		buf_clear(&text);
		rc = format_values(v, l, key, unit, &text);
		if (rc)
			break;
		for (size_t k = 0; k < l->n; k++)
			keys->matched |=
				!strcmp(view_str(v, l->rows[k].key), key);
		const uint32_t name = view_intern(v, buf_str(&text), text.len);
		const uint32_t file = view_intern(v, key, strlen(key));
		rc = ERR_NOMEM;
		if (name != PROFILE_NONE && file != PROFILE_NONE)
			rc = find_label_location(v, name, file, known, &ret[i]);
	}
	buf_free(&text);
	return rc;
}

static int add_frames(struct view *v, struct key_list *roots,
		      struct key_list *leaves, const char *unit)
{
	struct view_labels labels = { 0 };
	struct map known = { 0 };
	size_t total = 0;
	int rc = 0;
	for (size_t i = 0; i < v->n_samples; i++)
		total += v->samples[i].count + roots->n + leaves->n;
	uint32_t *locs = calloc(total + 1, sizeof(*locs));
	if (!locs || total > UINT32_MAX)
		rc = ERR_NOMEM;
	uint32_t at = 0;
	for (size_t i = 0; i < v->n_samples && !rc; i++) {
		struct view_sample *s = &v->samples[i];
		const uint32_t first = at;
		rc = view_get_labels(v, s, &labels);
		/* Roots first: their locations get the lower numbers. */
		if (!rc)
			rc = label_locations(v, roots, &labels, unit, &known,
					     locs + at + leaves->n + s->count);
		if (!rc)
			rc = label_locations(v, leaves, &labels, unit, &known,
					     locs + at);
		if (rc)
			break;
		at += (uint32_t)leaves->n;
		if (s->count)
			memcpy(locs + at, v->locs + s->first,
			       s->count * sizeof(*locs));
		at += s->count + (uint32_t)roots->n;
		s->first = first;
		s->count = at - first;
	}
	view_labels_free(&labels);
	map_free(&known);
	if (rc) {
		free(locs);
		return rc;
	}
	free(v->own_locs);
	v->own_locs = locs;
	v->locs = locs;
	return 0;
}

int filter_add_label_frames(struct view *v, const struct report_options *o,
			    const struct report_warn *warn)
{
	if (!filter_is_set(o->tagroot) && !filter_is_set(o->tagleaf))
		return 0;
	struct key_list roots = { 0 }, leaves = { 0 };
	int rc = key_list_init(&roots, o->tagroot);
	if (!rc)
		rc = key_list_init(&leaves, o->tagleaf);
	if (!rc)
		rc = add_frames(v, &roots, &leaves, o->unit);
	if (!rc) {
		filter_warn_unmatched(
			warn, !filter_is_set(o->tagroot) || roots.matched,
			"TagRoot expression matched no samples");
		filter_warn_unmatched(
			warn, !filter_is_set(o->tagleaf) || leaves.matched,
			"TagLeaf expression matched no samples");
	}
	key_list_free(&roots);
	key_list_free(&leaves);
	return rc;
}
