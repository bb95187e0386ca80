/* findings.c - see findings.h. */
#include "tools/findings_private.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20, MAX_STANZAS = 500 };

int findings_bad(const struct parser *p, int line, const char *what,
		 const char *value, const char *allowed)
{
	return err_set(p->e, ERR_FORMAT, "%s:%d: %s \"%.80s\": %s", p->path,
		       line, what, value, allowed);
}

static const struct pair *find_pair(const struct stanza *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->pairs[i].key, key))
			return &s->pairs[i];
	return NULL;
}

static const char *find_value(const struct stanza *s, const char *key)
{
	const struct pair *p = find_pair(s, key);
	return p ? p->value : NULL;
}

static const char *const profile_names[] = {
	"cpu", "heap", "allocs", "threads", "mutex", "block", "wall", "stats",
};

/* "heap", or "heap.after" */
static int parse_profile(const struct parser *p, const struct stanza *s,
			 const char *name)
{
	const size_t n = name ? strcspn(name, ".") : 0;
	const bool bare_dot = name && name[n] && !name[n + 1];
	for (size_t i = 0; !bare_dot && i < ARRAY_SIZE(profile_names); i++)
		if (n && strlen(profile_names[i]) == n &&
		    !strncmp(name, profile_names[i], n))
			return 0;
	return findings_bad(
		p, s->line, "profile", name ? name : "",
		"must be cpu, heap, allocs, threads, mutex, block, wall or "
		"stats, with or without .NAME");
}

/* "route=/cpu, method=GET" */
static int parse_labels(const struct parser *p, const struct stanza *s,
			struct selection *sel)
{
	const struct pair *pair = find_pair(s, "labels");
	if (!pair)
		return 0;
	char *save;
	for (char *item = strtok_r(pair->value, ",", &save); item;
	     item = strtok_r(NULL, ",", &save)) {
		item += strspn(item, " ");
		char *eq = strchr(item, '=');
		if (!eq || eq == item ||
		    sel->n_labels == ARRAY_SIZE(sel->label_keys))
			return findings_bad(
				p, pair->line, "label", item,
				"must be KEY=VALUE, at most 4 of them");
		*eq = '\0';
		sel->label_keys[sel->n_labels] = item;
		sel->label_values[sel->n_labels++] = eq + 1;
	}
	return 0;
}

static int parse_selection(const struct parser *p, const struct stanza *s,
			   struct selection *sel)
{
	sel->profile = find_value(s, "profile");
	sel->base = find_value(s, "base");
	sel->value = find_value(s, "value");
	int rc = parse_profile(p, s, sel->profile);
	if (!rc && sel->base)
		rc = parse_profile(p, s, sel->base);
	return rc ? rc : parse_labels(p, s, sel);
}

static int check_keys(const struct parser *p, const struct stanza *s,
		      const char *const *allowed, size_t n, const char *list)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t k = 0;
		while (k < n && strcmp(s->pairs[i].key, allowed[k]))
			k++;
		if (k == n)
			return findings_bad(p, s->pairs[i].line, "key",
					    s->pairs[i].key, list);
	}
	return 0;
}

/* Fields are for stats, and stats have nothing else. */
static int check_subject(const struct parser *p, const struct pair *pair,
			 const struct selection *sel, const struct measure *m)
{
	const bool field = m->of.kind == SUBJECT_FIELD;
	const bool stats = !strncmp(sel->profile, "stats", 5);
	if (field == stats)
		return 0;
	return findings_bad(p, pair->line, "profile", sel->profile,
			    "stats and a .FIELD go together");
}

static int parse_finding(const struct parser *p, const struct stanza *s,
			 struct finding *f)
{
	const struct pair *measure = find_pair(s, "measure");
	const struct pair *expect = find_pair(s, "expect");
	if (!f->title || !measure || !expect || !f->pass || !f->fail)
		return findings_bad(p, s->line, "finding", f->name,
				    "needs title, profile, measure, expect, "
				    "pass and fail");
	for (size_t i = 0; i < p->f->n_findings; i++)
		if (!strcmp(p->f->findings[i].name, f->name))
			return findings_bad(p, s->line, "finding", f->name,
					    "is in the file already");
	f->measure_text = strdup(measure->value);
	if (!f->measure_text)
		return ERR_NOMEM;
	int rc = parse_selection(p, s, &f->selection);
	if (!rc)
		rc = findings_parse_measure(p, measure->line, measure->value,
					    &f->measure);
	if (!rc)
		rc = check_subject(p, measure, &f->selection, &f->measure);
	if (!rc)
		rc = findings_parse_expect(p, expect, f->measure.kind,
					   &f->expect);
	if (rc)
		free((char *)f->measure_text);
	return rc;
}

static int add_finding(const struct parser *p, const struct stanza *s)
{
	static const char *const keys[] = { "finding",	"title",  "profile",
					    "base",	"value",  "labels",
					    "measure",	"chosen", "expect",
					    "recorded", "pass",	  "fail",
					    "invariant" };
	int rc = check_keys(p, s, keys, ARRAY_SIZE(keys),
			    "a finding has finding, title, profile, base, "
			    "value, labels, measure, chosen, expect, "
			    "recorded, pass, fail");
	if (rc)
		return rc;
	struct finding f = { .name = s->pairs[0].value,
			     .invariant = s->pairs[0].key[0] == 'i',
			     .title = find_value(s, "title"),
			     .recorded = find_value(s, "recorded"),
			     .pass = find_value(s, "pass"),
			     .fail = find_value(s, "fail"),
			     .line = s->line };
	rc = parse_finding(p, s, &f);
	if (!rc)
		p->f->findings[p->f->n_findings++] = f;
	return rc;
}

/* "first flat", "line RE", "number share cum RE", "word RE" */
static int parse_answer(const struct parser *p, const struct pair *pair,
			struct question *q)
{
	char *s = pair->value;
	if (!strcmp(s, "first flat") || !strcmp(s, "first cum")) {
		q->kind = ANSWER_FIRST;
		q->measure.of.kind =
			strcmp(s, "first cum") ? SUBJECT_FLAT : SUBJECT_CUM;
		return 0;
	}
	if (!strncmp(s, "first label ", 12) && s[12]) {
		q->kind = ANSWER_LABEL;
		q->accept = s + 12;
		return 0;
	}
	if (!strncmp(s, "line ", 5) && s[5]) {
		q->kind = ANSWER_LINE;
		q->accept = s + 5;
		return 0;
	}
	if (!strncmp(s, "number ", 7)) {
		q->kind = ANSWER_NUMBER;
		return findings_parse_measure(p, pair->line, s + 7,
					      &q->measure);
	}
	if (!strncmp(s, "word ", 5)) {
		q->kind = ANSWER_WORD;
		q->accept = s + 5;
		return 0;
	}
	return findings_bad(
		p, pair->line, "answer", s,
		"must be first flat, first cum, first label KEY, line RE, "
		"number MEASURE, or word RE");
}

static int add_question(const struct parser *p, const struct stanza *s)
{
	static const char *const keys[] = { "question", "title", "profile",
					    "base",	"value", "labels",
					    "answer",	"hint",	 "tolerance" };
	int rc = check_keys(
		p, s, keys, ARRAY_SIZE(keys),
		"a question has question, title, profile, base, value, "
		"labels, answer, hint, tolerance");
	if (rc)
		return rc;
	struct question q = { .name = s->pairs[0].value,
			      .title = find_value(s, "title"),
			      .hint = find_value(s, "hint"),
			      .line = s->line };
	const struct pair *answer = find_pair(s, "answer");
	const char *tolerance = find_value(s, "tolerance");
	if (!q.title || !answer)
		return findings_bad(p, s->line, "question", q.name,
				    "needs title, profile and answer");
	char *end = NULL;
	if (tolerance) {
		q.tolerance = strtod(tolerance, &end);
		q.is_relative = *end == '%';
		end += q.is_relative;
		q.tolerance /= q.is_relative ? 100 : 1;
	}
	if (tolerance && (end == tolerance || *end || !(q.tolerance >= 0)))
		return findings_bad(p, s->line, "tolerance", tolerance,
				    "must be a number that is not negative");
	rc = parse_selection(p, s, &q.selection);
	if (!rc)
		rc = parse_answer(p, answer, &q);
	if (!rc && q.kind == ANSWER_NUMBER)
		rc = check_subject(p, answer, &q.selection, &q.measure);
	if (!rc)
		p->f->questions[p->f->n_questions++] = q;
	return rc;
}

static int add_minimum(const struct parser *p, const struct stanza *s)
{
	static const char *const keys[] = { "minimum", "samples", "duration" };
	int rc = check_keys(p, s, keys, ARRAY_SIZE(keys),
			    "a minimum has minimum, samples, duration");
	if (rc)
		return rc;
	struct minimum m = { .profile = s->pairs[0].value };
	rc = parse_profile(p, s, m.profile);
	const char *samples = find_value(s, "samples");
	const char *duration = find_value(s, "duration");
	struct err e;
	if (!rc && samples &&
	    parse_int(samples, "samples", 0, 1000000000, &m.samples, &e))
		return findings_bad(p, s->line, "samples", samples, e.text);
	if (!rc && duration &&
	    parse_duration(duration, "duration", 0, INT64_C(3600000000000),
			   &m.duration_ns, &e))
		return findings_bad(p, s->line, "duration", duration, e.text);
	if (!rc)
		p->f->minimums[p->f->n_minimums++] = m;
	return rc;
}

static int add_stanza(const struct parser *p, const struct stanza *s)
{
	static const struct {
		const char *key;
		int (*add)(const struct parser *, const struct stanza *);
	} kinds[] = { { "finding", add_finding },
		      { "invariant", add_finding },
		      { "question", add_question },
		      { "minimum", add_minimum } };
	if (!s->n)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(s->pairs[0].key, kinds[i].key))
			continue;
		if (p->f->n_findings + p->f->n_questions + p->f->n_minimums >=
		    MAX_STANZAS)
			return findings_bad(p, s->line, "stanza", kinds[i].key,
					    "a file holds at most 500");
		return kinds[i].add(p, s);
	}
	return findings_bad(
		p, s->line, "first key", s->pairs[0].key,
		"a stanza begins with finding, invariant, question or "
		"minimum");
}

/* Add one line to the stanza; the line's memory is the file's. */
static int add_line(const struct parser *p, struct stanza *s, char *line,
		    int number)
{
	char *end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (*line == ' ' || *line == '\t') {
		if (!s->n)
			return findings_bad(p, number, "line", line,
					    "continues nothing");
		/* Join to the value before: move it up behind one blank. */
		char *value = s->pairs[s->n - 1].value;
		char *tail = value + strlen(value);
		line += strspn(line, " \t");
		*tail++ = ' ';
		memmove(tail, line, strlen(line) + 1);
		return 0;
	}
	char *colon = strchr(line, ':');
	if (!colon)
		return findings_bad(p, number, "line", line,
				    "must be KEY: VALUE");
	if (s->n == FINDINGS_MAX_KEYS)
		return findings_bad(p, number, "line", line, "too many keys");
	*colon = '\0';
	if (find_pair(s, line))
		return findings_bad(p, number, "key", line,
				    "stands here twice");
	if (!s->n)
		s->line = number;
	s->pairs[s->n++] = (struct pair){
		.key = line,
		.value = colon + 1 + strspn(colon + 1, " \t"),
		.line = number,
	};
	return 0;
}

static int parse_text(const struct parser *p)
{
	struct stanza s = { .n = 0 };
	int number = 0, rc = 0;
	char *line = p->f->text;
	while (line && !rc) {
		char *next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (!line[strspn(line, " \t\r")]) {
			rc = add_stanza(p, &s);
			s.n = 0;
		} else if (*line != '#') {
			rc = add_line(p, &s, line, number);
		}
		line = next;
	}
	return rc ? rc : add_stanza(p, &s);
}

static int read_text(const char *path, char **ret_text, struct err *e)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	char *text = calloc(1, MAX_FILE + 1);
	const size_t n = text ? fread(text, 1, MAX_FILE + 1, file) : 0;
	const int failed = ferror(file);
	fclose(file);
	if (!text)
		return ERR_NOMEM;
	if (failed || n > MAX_FILE || memchr(text, '\0', n)) {
		free(text);
		return err_set(e, failed ? ERR_IO : ERR_FORMAT, "%s: %s", path,
			       failed ? "cannot be read"
				      : "is not a text of at most 1 MiB");
	}
	*ret_text = text;
	return 0;
}

int findings_read(const char *path, struct findings **ret, struct err *e)
{
	struct findings *f = calloc(1, sizeof(*f));
	if (!f)
		return ERR_NOMEM;
	int rc = read_text(path, &f->text, e);
	if (rc)
		goto out;
	f->findings = calloc(MAX_STANZAS, sizeof(*f->findings));
	f->questions = calloc(MAX_STANZAS, sizeof(*f->questions));
	f->minimums = calloc(MAX_STANZAS, sizeof(*f->minimums));
	rc = ERR_NOMEM;
	if (!f->findings || !f->questions || !f->minimums)
		goto out;
	const struct parser p = { .f = f, .path = path, .e = e };
	rc = parse_text(&p);
	if (!rc && !f->n_findings && !f->n_questions)
		rc = err_set(e, ERR_FORMAT, "%s: holds no finding", path);
out:
	if (rc)
		findings_free(f);
	else
		*ret = f;
	return rc;
}

/* Is `kind` (heap.cleared) the wanted one, or of the wanted family (heap)? */
static bool is_of(const char *kind, const char *wanted)
{
	const size_t n = strlen(wanted);
	return !strncmp(kind, wanted, n) &&
	       (!kind[n] || (kind[n] == '.' && !strchr(wanted, '.')));
}

void findings_keep(struct findings *f, const char *profile)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n_findings; i++) {
		if (is_of(f->findings[i].selection.profile, profile))
			f->findings[n++] = f->findings[i];
		else
			free((char *)f->findings[i].measure_text);
	}
	f->n_findings = n;
	n = 0;
	for (size_t i = 0; i < f->n_questions; i++)
		if (is_of(f->questions[i].selection.profile, profile))
			f->questions[n++] = f->questions[i];
	f->n_questions = n;
	n = 0;
	for (size_t i = 0; i < f->n_minimums; i++)
		if (is_of(f->minimums[i].profile, profile))
			f->minimums[n++] = f->minimums[i];
	f->n_minimums = n;
}

void findings_free(struct findings *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_findings; i++)
		free((char *)f->findings[i].measure_text);
	free(f->findings);
	free(f->questions);
	free(f->minimums);
	free(f->text);
	free(f);
}
