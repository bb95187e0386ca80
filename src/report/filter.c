/*
 * filter.c - see filter.h.
 *
 * An expression is matched once for each function and mapping, never for each
 * sample: functions are few, samples are many.
 */
#include "report/filter.h"

#include "base/err.h"
#include "report/filter_private.h"
#include "report/regex.h"

#include <stdlib.h>
#include <string.h>

/* Which functions and mappings an expression matches. */
struct matches {
	bool *function, *mapping; /* owned */
};

static void matches_free(struct matches *m)
{
	free(m->function);
	free(m->mapping);
	*m = (struct matches){ 0 };
}

static bool match_str(const struct view *v, struct regex *rx, uint32_t string)
{
	return regex_match(rx, view_str(v, string), view_str_len(v, string));
}

static int matches_init(struct matches *m, const struct view *v,
			struct regex *rx)
{
	m->function = calloc(v->n_functions + 1, sizeof(bool));
	m->mapping = calloc(v->p->n_mappings + 1, sizeof(bool));
	if (!m->function || !m->mapping)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n_functions; i++)
		m->function[i] = match_str(v, rx, v->functions[i].name) ||
				 match_str(v, rx, v->functions[i].filename);
	for (size_t i = 0; i < v->p->n_mappings; i++)
		m->mapping[i] = match_str(v, rx, v->mappings[i].filename);
	return 0;
}

static bool line_matches(const struct matches *m, const struct profile_line *l)
{
	return l->function != PROFILE_NONE && m->function[l->function];
}

static bool mapping_matches(const struct matches *m,
			    const struct profile_location *l)
{
	return l->mapping != PROFILE_NONE && m->mapping[l->mapping];
}

static bool location_matches(const struct view *v, const struct matches *m,
			     const struct profile_location *l)
{
	for (uint32_t i = 0; i < l->line_count; i++)
		if (line_matches(m, &v->lines[l->line_first + i]))
			return true;
	return mapping_matches(m, l);
}

/* Keep the lines that match, or those that do not. */
static void keep_lines(struct view *v, const struct matches *m,
		       struct profile_location *l, bool matching)
{
	if (mapping_matches(m, l)) {
		if (!matching)
			l->line_count = 0;
		return;
	}
	uint32_t n = 0;
	for (uint32_t i = 0; i < l->line_count; i++) {
		const struct profile_line line = v->lines[l->line_first + i];
		/* A line without a function cannot be told apart: kept. */
		if (line.function == PROFILE_NONE ||
		    line_matches(m, &line) == matching)
			v->lines[l->line_first + n++] = line;
	}
	l->line_count = n;
}

int filter_compile(const char *name, const char *value,
		   struct regex **ret_regex, struct err *e)
{
	if (!filter_is_set(value))
		return 0;
	const int rc = regex_compile(value, ret_regex, e);
	return rc == ERR_INVALID ? err_prefix(e, rc, "parsing %s regexp", name)
				 : rc;
}

/* ---- focus, ignore, hide, show ------------------------------------------- */

enum verdict { NEITHER, FOCUSED, IGNORED };

struct by_name {
	struct regex *focus, *ignore, *hide, *show;
	struct matches m_focus, m_ignore, m_hide, m_show;
	bool saw_focus, saw_ignore, saw_hide, saw_show;
	unsigned char *verdict; /* by location */
	bool *hidden;		/* by location */
	bool any_hidden;
};

static void by_name_free(struct by_name *f)
{
	regex_free(f->focus);
	regex_free(f->ignore);
	regex_free(f->hide);
	regex_free(f->show);
	matches_free(&f->m_focus);
	matches_free(&f->m_ignore);
	matches_free(&f->m_hide);
	matches_free(&f->m_show);
	free(f->verdict);
	free(f->hidden);
}

static int by_name_init(struct by_name *f, const struct view *v,
			const struct report_options *o, struct err *e)
{
	int rc = filter_compile("focus", o->focus, &f->focus, e);
	if (!rc)
		rc = filter_compile("ignore", o->ignore, &f->ignore, e);
	if (!rc)
		rc = filter_compile("hide", o->hide, &f->hide, e);
	if (!rc)
		rc = filter_compile("show", o->show, &f->show, e);
	if (!rc && f->focus)
		rc = matches_init(&f->m_focus, v, f->focus);
	if (!rc && f->ignore)
		rc = matches_init(&f->m_ignore, v, f->ignore);
	if (!rc && f->hide)
		rc = matches_init(&f->m_hide, v, f->hide);
	if (!rc && f->show)
		rc = matches_init(&f->m_show, v, f->show);
	if (rc)
		return rc;
	f->verdict = calloc(v->n_locations + 1, 1);
	f->hidden = calloc(v->n_locations + 1, sizeof(bool));
	return f->verdict && f->hidden ? 0 : ERR_NOMEM;
}

static void judge_location(struct by_name *f, struct view *v, size_t i)
{
	struct profile_location *l = &v->locations[i];
	if (f->ignore && location_matches(v, &f->m_ignore, l)) {
		f->saw_ignore = true;
		f->verdict[i] = IGNORED;
	} else if (!f->focus || location_matches(v, &f->m_focus, l)) {
		f->saw_focus = true;
		f->verdict[i] = FOCUSED;
	}
	if (f->hide && location_matches(v, &f->m_hide, l)) {
		f->saw_hide = true;
		keep_lines(v, &f->m_hide, l, false);
		f->hidden[i] = l->line_count == 0;
	}
	if (f->show) {
		keep_lines(v, &f->m_show, l, true);
		if (l->line_count)
			f->saw_show = true;
		else
			f->hidden[i] = true;
	}
	f->any_hidden |= f->hidden[i];
}

static bool is_kept(const struct by_name *f, const struct view *v,
		    const struct view_sample *s)
{
	bool focused = false;
	for (uint32_t i = 0; i < s->count; i++) {
		const unsigned char verdict = f->verdict[v->locs[s->first + i]];
		if (verdict == IGNORED)
			return false;
		focused |= verdict == FOCUSED;
	}
	return focused;
}

static void hide_frames(const struct by_name *f, struct view *v,
			struct view_sample *s)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		const uint32_t loc = v->own_locs[s->first + i];
		if (!f->hidden[loc])
			v->own_locs[s->first + n++] = loc;
	}
	s->count = n;
}

static int filter_by_name(struct view *v, struct by_name *f)
{
	for (size_t i = 0; i < v->n_locations; i++)
		judge_location(f, v, i);
	if (f->any_hidden && view_own_stacks(v))
		return ERR_NOMEM;
	size_t n = 0;
	for (size_t i = 0; i < v->n_samples; i++) {
		struct view_sample *s = &v->samples[i];
		if (!is_kept(f, v, s))
			continue;
		if (f->any_hidden) {
			hide_frames(f, v, s);
			if (!s->count)
				continue;
		}
		v->samples[n++] = *s;
	}
	v->n_samples = n;
	return 0;
}

/* ---- show_from ----------------------------------------------------------- */

/* Cut the inlined callers above the last match; is there one? */
static bool show_location_from(struct view *v, const struct matches *m,
			       struct profile_location *l)
{
	if (mapping_matches(m, l))
		return true;
	for (uint32_t i = l->line_count; i-- > 0;) {
		if (!line_matches(m, &v->lines[l->line_first + i]))
			continue;
		l->line_count = i + 1;
		return true;
	}
	return false;
}

static int filter_show_from(struct view *v, struct regex *rx, bool *ret_matched)
{
	struct matches m = { 0 };
	bool *from = calloc(v->n_locations + 1, sizeof(*from));
	int rc = from ? matches_init(&m, v, rx) : ERR_NOMEM;
	if (rc)
		goto out;
	for (size_t i = 0; i < v->n_locations; i++) {
		from[i] = show_location_from(v, &m, &v->locations[i]);
		*ret_matched |= from[i];
	}
	size_t n = 0;
	for (size_t i = 0; i < v->n_samples; i++) {
		struct view_sample s = v->samples[i];
		while (s.count && !from[v->locs[s.first + s.count - 1]])
			s.count--;
		if (s.count)
			v->samples[n++] = s;
	}
	v->n_samples = n;
out:
	free(from);
	matches_free(&m);
	return rc;
}

/* ---- prune_from and the profile's own drop_frames ------------------------ */

/*
 * A C++ name without its argument list.  "(anonymous namespace)" and
 * "operator()" are no argument lists.
 */
static size_t simple_name_len(const char *name)
{
	static const char *const reserved[] = { "(anonymous namespace)",
						"operator()" };
	for (size_t i = 0; name[i];) {
		size_t skip = 0;
		for (size_t r = 0; r < 2 && !skip; r++)
			if (!strncmp(name + i, reserved[r],
				     strlen(reserved[r])))
				skip = strlen(reserved[r]);
		if (!skip && name[i] == '(')
			return i;
		i += skip ? skip : 1;
	}
	return strlen(name);
}

static bool simple_name_matches(const struct view *v, uint32_t function,
				struct regex *rx)
{
	if (function == PROFILE_NONE || !v->functions[function].name)
		return false;
	const char *name = view_str(v, v->functions[function].name);
	if (*name == '.')
		name++;
	return regex_match(rx, name, simple_name_len(name));
}

static int simple_matches(const struct view *v, struct regex *rx,
			  bool **ret_matches)
{
	bool *m = calloc(v->n_functions + 1, sizeof(*m));
	if (!m)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n_functions; i++)
		m[i] = simple_name_matches(v, (uint32_t)i, rx);
	*ret_matches = m;
	return 0;
}

static int prune_from(struct view *v, struct regex *rx)
{
	bool *matches = NULL;
	bool *from = calloc(v->n_locations + 1, sizeof(*from));
	const int rc = from ? simple_matches(v, rx, &matches) : ERR_NOMEM;
	for (size_t i = 0; !rc && i < v->n_locations; i++) {
		struct profile_location *l = &v->locations[i];
		for (uint32_t k = 0; k < l->line_count; k++) {
			const uint32_t f = v->lines[l->line_first + k].function;
			if (f == PROFILE_NONE || !matches[f])
				continue;
			from[i] = true;
			l->line_first += k;
			l->line_count -= k;
			break;
		}
	}
	for (size_t i = 0; !rc && i < v->n_samples; i++) {
		struct view_sample *s = &v->samples[i];
		uint32_t k = 0;
		while (k < s->count && !from[v->locs[s->first + k]])
			k++;
		if (k < s->count) {
			s->first += k;
			s->count -= k;
		}
	}
	free(from);
	free(matches);
	return rc;
}

enum prune { PRUNE_NOT, PRUNE_BENEATH, PRUNE_WHOLE };

/* Cut from the leaf up to the last dull frame below the first other one. */
static void prune_sample(const struct view *v, const unsigned char *prune,
			 struct view_sample *s)
{
	bool found_user = false;
	for (uint32_t i = s->count; i-- > 0;) {
		const unsigned char how = prune[v->locs[s->first + i]];
		if (how == PRUNE_NOT) {
			found_user = true;
		} else if (found_user) {
			const uint32_t cut = how == PRUNE_WHOLE ? i + 1 : i;
			s->first += cut;
			s->count -= cut;
			return;
		}
	}
}

static int prune_dull(struct view *v, struct regex *drop, struct regex *keep)
{
	bool *dull = NULL;
	unsigned char *prune = calloc(v->n_locations + 1, 1);
	const int rc = prune ? simple_matches(v, drop, &dull) : ERR_NOMEM;
	if (rc)
		goto out;
	for (size_t i = 0; keep && i < v->n_functions; i++)
		dull[i] = dull[i] && !simple_name_matches(v, (uint32_t)i, keep);
	for (size_t i = 0; i < v->n_locations; i++) {
		struct profile_location *l = &v->locations[i];
		for (uint32_t k = l->line_count; k-- > 0;) {
			const uint32_t f = v->lines[l->line_first + k].function;
			if (f == PROFILE_NONE || !dull[f])
				continue;
			prune[i] = PRUNE_BENEATH;
			if (k == l->line_count - 1) {
				prune[i] = PRUNE_WHOLE;
			} else {
				l->line_first += k + 1;
				l->line_count -= k + 1;
			}
			break;
		}
	}
	for (size_t i = 0; i < v->n_samples; i++)
		prune_sample(v, prune, &v->samples[i]);
out:
	free(dull);
	free(prune);
	return rc;
}

static int compile_whole(const struct view *v, uint32_t string,
			 struct regex **ret_regex, struct err *e)
{
	if (!string)
		return 0;
	char *text = arena_printf((struct arena *)&v->arena, "^(%s)$",
				  view_str(v, string));
	return text ? regex_compile(text, ret_regex, e) : ERR_NOMEM;
}

int filter_drop_frames(struct view *v, struct err *e)
{
	struct regex *drop = NULL, *keep = NULL;
	int rc = compile_whole(v, v->p->drop_frames, &drop, e);
	if (!rc && drop)
		rc = compile_whole(v, v->p->keep_frames, &keep, e);
	if (!rc && drop)
		rc = prune_dull(v, drop, keep);
	regex_free(drop);
	regex_free(keep);
	/* The tool takes a profile's bad expression for none. */
	return rc == ERR_INVALID ? 0 : rc;
}

/* ---- all of them --------------------------------------------------------- */

static int check_limit(const struct regex *rx, const char *name, struct err *e)
{
	if (rx && regex_gave_up(rx))
		return err_set(e, ERR_INVALID,
			       "%s regexp takes too long to match: %s", name,
			       regex_source(rx));
	return 0;
}

int filter_apply(struct view *v, const struct view_units *units,
		 const struct report_options *o, const struct report_warn *warn,
		 struct err *e)
{
	struct by_name f = { 0 };
	struct regex *from = NULL, *prune = NULL;
	bool saw_from = false;
	int rc = by_name_init(&f, v, o, e);
	if (!rc)
		rc = filter_compile("show_from", o->show_from, &from, e);
	if (!rc)
		rc = filter_compile("prune_from", o->prune_from, &prune, e);
	if (!rc)
		rc = filter_by_name(v, &f);
	if (rc)
		goto out;
	filter_warn_unmatched(warn, !f.focus || f.saw_focus,
			      "Focus expression matched no samples");
	filter_warn_unmatched(warn, !f.ignore || f.saw_ignore,
			      "Ignore expression matched no samples");
	filter_warn_unmatched(warn, !f.hide || f.saw_hide,
			      "Hide expression matched no samples");
	filter_warn_unmatched(warn, !f.show || f.saw_show,
			      "Show expression matched no samples");
	if (from)
		rc = filter_show_from(v, from, &saw_from);
	if (!rc)
		filter_warn_unmatched(warn, !from || saw_from,
				      "ShowFrom expression matched no samples");
	if (!rc)
		rc = filter_samples_by_tag(v, units, o, warn, e);
	if (!rc)
		rc = filter_tags_by_name(v, o, warn, e);
	if (!rc && prune)
		rc = prune_from(v, prune);
	const struct {
		const struct regex *rx;
		const char *name;
	} all[] = { { f.focus, "focus" },  { f.ignore, "ignore" },
		    { f.hide, "hide" },	   { f.show, "show" },
		    { from, "show_from" }, { prune, "prune_from" } };
	for (size_t i = 0; !rc && i < sizeof(all) / sizeof(all[0]); i++)
		rc = check_limit(all[i].rx, all[i].name, e);
out:
	by_name_free(&f);
	regex_free(from);
	regex_free(prune);
	return rc;
}
