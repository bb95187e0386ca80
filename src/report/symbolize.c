/* symbolize.c - see symbolize.h. */
#include "report/symbolize.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/binary.h"
#include "report/export.h"
#include "report/gopath.h"
#include "report/grow.h"
#include "report/report.h"
#include "report/shorten.h"
#include "report/view.h"
#include "symbol/object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void tell(const struct report_warn *w, const char *text)
{
	if (w && w->warn)
		w->warn(w->arg, text);
}

/* ---- the option ---------------------------------------------------------- */

static bool take_word(const char *word, struct symbolize_options *o,
		      bool *remote)
{
	if (!*word)
		return true;
	if (!strcmp(word, "local") || !strcmp(word, "fastlocal")) {
		*remote = false;
		o->local = true;
		o->is_fast = *word == 'f';
	} else if (!strcmp(word, "remote")) {
		*remote = true;
		o->local = false;
	} else if (!strcmp(word, "force")) {
		o->is_forced = true;
	} else if (!strcmp(word, "demangle=full")) {
		o->names = SYMBOLIZE_FULL;
		o->is_forced = true;
	} else if (!strcmp(word, "demangle=none")) {
		o->names = SYMBOLIZE_MANGLED;
		o->is_forced = true;
	} else if (!strcmp(word, "demangle=templates")) {
		o->names = SYMBOLIZE_TEMPLATES;
		o->is_forced = true;
	} else {
		return !strcmp(word, "demangle=default");
	}
	return true;
}

void symbolize_parse(const char *mode, const struct report_warn *warn,
		     struct symbolize_options *o, bool *ret_remote,
		     bool *ret_nothing)
{
	*o = (struct symbolize_options){ .local = true };
	*ret_remote = true;
	*ret_nothing = false;
	while (mode) {
		char word[32];
		const size_t n = strcspn(mode, ":");
		size_t k = 0;
		for (; k < n && k + 1 < sizeof(word); k++)
			word[k] = mode[k] >= 'A' && mode[k] <= 'Z'
					  ? (char)(mode[k] | 0x20)
					  : mode[k];
		word[k] = '\0';
		if (!strcmp(word, "none") || !strcmp(word, "no")) {
			*ret_nothing = true;
			return;
		}
		if (!take_word(word, o, ret_remote)) {
			struct buf b = { 0 };
			buf_printf(&b,
				   "ignoring unrecognized symbolization "
				   "option: %s\nexpecting -symbolize="
				   "[local|fastlocal|remote|none][:force]"
				   "[:demangle=[none|full|templates|default]",
				   mode);
			tell(warn, buf_str(&b));
			buf_free(&b);
		}
		mode = mode[n] ? mode + n + 1 : NULL;
	}
}

/* ---- names into a view --------------------------------------------------- */

struct namer {
	struct view *v;
	const struct symbolize_options *o;
	const struct report_warn *warn;
	bool *is_used; /* by mapping */
	bool changed, missing;
	struct map functions; /* hash -> function */
};

static int add_function(struct namer *n, const struct object_frame *f,
			uint32_t *ret_function)
{
	struct view *v = n->v;
	const char *file = n->o->is_fast ? "" : f->file;
	const struct profile_function want = {
		.name = view_intern(v, f->function, strlen(f->function)),
		.system_name =
			view_intern(v, f->system_name, strlen(f->system_name)),
		.filename = view_intern(v, file, strlen(file)),
		.start_line = n->o->is_fast ? 0 : f->start_line,
	};
	if (want.name == PROFILE_NONE || want.system_name == PROFILE_NONE ||
	    want.filename == PROFILE_NONE)
		return ERR_NOMEM;
	uint64_t key = map_hash(&want, sizeof(want), 0);
	for (;; key++) {
		const uint32_t i = map_get(&n->functions, key);
		if (i == MAP_NONE)
			break;
		*ret_function = i;
		if (memcmp(&v->functions[i], &want, sizeof(want)) == 0)
			return 0;
	}
	*ret_function = (uint32_t)v->n_functions;
	if (grow_rows(&v->functions, &v->cap_functions, v->n_functions + 1,
		      sizeof(*v->functions)) ||
	    map_put(&n->functions, key, *ret_function))
		return ERR_NOMEM;
	v->functions[v->n_functions++] = want;
	return 0;
}

static int set_frames(struct namer *n, struct profile_location *l,
		      struct profile_mapping *m,
		      const struct object_frame *frames, size_t count)
{
	struct view *v = n->v;
	if (grow_rows(&v->lines, &v->cap_lines, v->n_lines + count,
		      sizeof(*v->lines)))
		return ERR_NOMEM;
	const uint32_t first = (uint32_t)v->n_lines;
	for (size_t i = 0; i < count; i++) {
		struct profile_line *line = &v->lines[first + i];
		if (add_function(n, &frames[i], &line->function))
			return ERR_NOMEM;
		line->line = n->o->is_fast ? 0 : frames[i].line;
		m->has_functions |= *frames[i].function != '\0';
		m->has_filenames |= !n->o->is_fast && *frames[i].file;
		m->has_line_numbers |= line->line != 0;
	}
	v->n_lines += count;
	l->line_first = first;
	l->line_count = (uint32_t)count;
	l->is_folded = false;
	m->has_inline_frames |= !n->o->is_fast;
	n->changed = true;
	return 0;
}

enum { FRAMES_MAX = 64 };

static int name_mapping(struct namer *n, uint32_t mapping)
{
	struct view *v = n->v;
	struct profile_mapping *m = &v->mappings[mapping];
	struct binary b;
	struct err e = { "" };
	int rc = binary_open(v->p, m, &b, &e);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc) {
		struct buf text = { 0 }, base = { 0 };
		gopath_base(view_str(v, m->filename), &base);
		buf_printf(&text, "Local symbolization failed for %s",
			   buf_str(&base));
		if (m->build_id)
			buf_printf(&text, " (build ID %s)",
				   view_str(v, m->build_id));
		buf_printf(&text, ": %s", e.text);
		tell(n->warn, buf_str(&text));
		buf_free(&text);
		buf_free(&base);
		n->missing = true;
		return 0;
	}
	struct object_frame frames[FRAMES_MAX];
	for (size_t i = 0; i < v->n_locations && !rc; i++) {
		struct profile_location *l = &v->locations[i];
		if (l->mapping != mapping)
			continue;
		size_t count = object_lookup(b.object, l->address - b.bias,
					     frames, FRAMES_MAX);
		if (count && n->o->is_fast) {
			/* The function that was linked, without inlines. */
			frames[0] = frames[count - 1];
			count = 1;
		}
		if (count)
			rc = set_frames(n, l, m, frames, count);
	}
	binary_close(&b);
	return rc;
}

/* [vdso] and the like are no files. */
static bool is_nameless(const struct view *v, const struct profile_mapping *m)
{
	const char *file = view_str(v, m->filename);
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	return *base == '[' || !strncmp(base, "linux-vdso", 10) ||
	       !strncmp(file, "/dev/dri/", 9);
}

static int name_locally(struct namer *n)
{
	struct view *v = n->v;
	int rc = 0;
	for (uint32_t i = 0; i < v->p->n_mappings && !rc; i++) {
		const struct profile_mapping *m = &v->mappings[i];
		if (!n->is_used[i] || is_nameless(v, m) ||
		    (!n->o->is_forced &&
		     (m->has_functions || m->has_filenames ||
		      m->has_line_numbers)))
			continue;
		if (!m->filename && !m->build_id) {
			if (n->o->is_remote)
				continue;
			if (i == 0)
				tell(n->warn,
				     "Main binary filename not available.");
			else
				n->missing = true;
			continue;
		}
		rc = name_mapping(n, i);
	}
	if (n->missing && !rc)
		tell(n->warn,
		     "Some binary filenames not available. Symbolization may "
		     "be incomplete.\nTry setting PPROF_BINARY_PATH to the "
		     "search path for local binaries.");
	return rc;
}

/* ---- the server ---------------------------------------------------------- */

/* One line of the answer: "0xADDR name". */
static int take_answer(struct namer *n, uint32_t mapping, const char *line,
		       size_t len)
{
	struct view *v = n->v;
	char *end;
	const char *hex = memmem(line, len, "0x", 2);
	if (!hex)
		return 0;
	const uint64_t address = strtoull(hex, &end, 16);
	const char *name = end;
	while (name < line + len && (*name == ' ' || *name == '\t'))
		name++;
	if (name == end || name >= line + len)
		return 0;
	char *text = strndup(name, (size_t)(line + len - name));
	if (!text)
		return ERR_NOMEM;
	const struct object_frame frame = { .function = text,
					    .system_name = text,
					    .file = "" };
	struct profile_mapping unused = { 0 };
	int rc = 0;
	for (size_t i = 0; i < v->n_locations && !rc; i++)
		if (v->locations[i].mapping == mapping &&
		    v->locations[i].address == address)
			rc = set_frames(n, &v->locations[i], &unused, &frame,
					1);
	free(text);
	return rc;
}

static int ask_for_mapping(struct namer *n, uint32_t mapping, struct err *e)
{
	struct view *v = n->v;
	struct buf query = { .cap = 64 << 20 }, answer = { .cap = 256 << 20 };
	int rc = 0;
	for (size_t i = 0; i < v->n_locations; i++) {
		const struct profile_location *l = &v->locations[i];
		if (l->mapping == mapping && l->address && !l->line_count)
			buf_printf(&query, "%s0x%" PRIx64, query.len ? "+" : "",
				   l->address);
	}
	if (query.len)
		rc = n->o->ask(n->o->arg, buf_str(&query), &answer, e);
	for (size_t at = 0; at < answer.len && !rc;) {
		const char *line = answer.data + at;
		const char *end = memchr(line, '\n', answer.len - at);
		if (!end)
			break;
		rc = take_answer(n, mapping, line, (size_t)(end - line));
		at += (size_t)(end - line) + 1;
	}
	if (!rc)
		v->mappings[mapping].has_functions = true;
	buf_free(&query);
	buf_free(&answer);
	return rc;
}

static int name_remotely(struct namer *n, struct err *e)
{
	struct view *v = n->v;
	int rc = 0;
	for (uint32_t i = 0; i < v->p->n_mappings && !rc; i++)
		if ((n->o->is_forced || !v->mappings[i].has_functions) &&
		    !is_nameless(v, &v->mappings[i]))
			rc = ask_for_mapping(n, i, e);
	return rc;
}

/* ---- the whole ----------------------------------------------------------- */

/* Is there any mapping that could be named better? */
static bool needs_names(const struct profile *p,
			const struct symbolize_options *o)
{
	for (size_t i = 0; i < p->n_mappings; i++)
		if (!p->mappings[i].has_functions)
			return true;
	return o->is_forced && p->n_mappings;
}

static int mark_used(struct namer *n)
{
	const struct view *v = n->v;
	n->is_used = calloc(v->p->n_mappings + 1, sizeof(*n->is_used));
	if (!n->is_used)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n_locations; i++)
		if (v->locations[i].mapping != PROFILE_NONE)
			n->is_used[v->locations[i].mapping] = true;
	return 0;
}

static int find_names(struct profile **profile,
		      const struct symbolize_options *o,
		      const struct report_warn *warn, struct err *e)
{
	struct view v;
	struct namer n = { .v = &v, .o = o, .warn = warn };
	int rc = view_init(&v, *profile);
	if (rc)
		return rc;
	rc = mark_used(&n);
	if (!rc && o->local)
		rc = name_locally(&n);
	if (!rc && o->ask)
		rc = name_remotely(&n, e);
	if (!rc && n.changed) {
		const struct export_options plain = { 0 };
		struct profile *named;
		rc = export_view(&v, &plain, &named);
		if (!rc) {
			view_free(&v);
			profile_free(*profile);
			*profile = named;
		}
	}
	view_free(&v);
	free(n.is_used);
	map_free(&n.functions);
	return rc;
}

static int shorten_names(struct profile *p, const struct symbolize_options *o)
{
	for (size_t i = 0; i < p->n_functions; i++) {
		struct profile_function *f = &p->functions[i];
		if (o->is_forced && f->name && f->system_name)
			f->name = f->system_name;
		if (f->name && f->name != f->system_name)
			continue;
		const char *from = profile_str(p, f->system_name);
		struct buf b = { 0 };
		int rc = shorten_name(from, o->names, &b);
		if (!rc && strcmp(from, buf_str(&b)) != 0) {
			f->name = profile_intern_len(p, buf_str(&b), b.len);
			if (f->name == PROFILE_NONE)
				rc = ERR_NOMEM;
		} else {
			f->name = f->system_name;
		}
		buf_free(&b);
		if (rc)
			return rc;
	}
	return 0;
}

int symbolize_profile(struct profile **profile,
		      const struct symbolize_options *o,
		      const struct report_warn *warn, struct err *e)
{
	int rc = 0;
	if (needs_names(*profile, o))
		rc = find_names(profile, o, warn, e);
	if (!rc)
		rc = shorten_names(*profile, o);
	return rc == ERR_NOMEM ? err_set(e, rc, "out of memory") : rc;
}
