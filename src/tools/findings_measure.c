/*
 * findings_measure.c - what a stanza measures and what it expects: see
 * findings.h for the grammar.
 */
#include "base/attr.h"
#include "tools/findings_private.h"

#include <stdlib.h>
#include <string.h>

static const char *const measure_names[MEASURE_KINDS] = {
	[MEASURE_SHARE] = "share", [MEASURE_AMOUNT] = "amount",
	[MEASURE_RATE] = "rate",   [MEASURE_GROWTH] = "growth",
	[MEASURE_RISE] = "rise",   [MEASURE_TREND] = "trend",
	[MEASURE_RANK] = "rank",   [MEASURE_RATIO] = "ratio",
	[MEASURE_TOTAL] = "total",
};

static const char grammar[] =
	"must be share|amount|rate|growth|rise|trend WHAT (WHAT is cum RE, "
	"flat RE, label KEY=VALUE, all, or .FIELD), rank cum|flat RE, "
	"ratio cum|flat RE / RE, ratio cum|flat RE / .FIELD x N, or total";

static const struct {
	const char *name;
	double factor;
} units[] = {
	{ "", 1 },     { "%", 0.01 },	{ "B", 1 },	    { "kB", 1e3 },
	{ "MB", 1e6 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "ns", 1 },
	{ "us", 1e3 }, { "ms", 1e6 },	{ "s", 1e9 },	    { "x", 1 },
};

/* "10 KiB": the whole of s.  Returns: is it one? */
static bool parse_quantity(const char *s, double *ret)
{
	char *end;
	const double value = strtod(s, &end);
	if (end == s)
		return false;
	const char *unit = end + strspn(end, " ");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!strcmp(unit, units[i].name)) {
			*ret = value * units[i].factor;
			return true;
		}
	}
	return false;
}

/* The first word of *s; *s is what follows.  NULL: there is none. */
static char *next_word(char **s)
{
	char *word = *s + strspn(*s, " ");
	if (!*word)
		return NULL;
	char *end = word + strcspn(word, " ");
	*s = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static bool parse_functions(char **s, const char *sort, struct subject *of)
{
	of->kind = strcmp(sort, "cum") ? SUBJECT_FLAT : SUBJECT_CUM;
	of->pattern = next_word(s);
	return of->pattern &&
	       (of->kind == SUBJECT_CUM || !strcmp(sort, "flat"));
}

/* The rest of a line is the label: its value may have blanks in it. */
static bool parse_label(char **s, struct subject *of)
{
	char *eq = strchr(*s, '=');
	of->kind = SUBJECT_LABEL;
	of->key = *s + strspn(*s, " ");
	if (!eq || eq == of->key)
		return false;
	*eq = '\0';
	of->label_value = eq + 1;
	*s = eq + 1 + strlen(eq + 1);
	return true;
}

static bool parse_subject(char **s, struct subject *of)
{
	const char *word = next_word(s);
	if (!word)
		return false;
	if (*word == '.') {
		of->kind = SUBJECT_FIELD;
		of->field = word + 1;
		return word[1] != '\0';
	}
	if (!strcmp(word, "all")) {
		of->kind = SUBJECT_ALL;
		return true;
	}
	return strcmp(word, "label") ? parse_functions(s, word, of)
				     : parse_label(s, of);
}

/* "/ RE" or "/ .FIELD x N" */
static bool parse_divisor(char **s, struct measure *m)
{
	const char *slash = next_word(s);
	const char *other = next_word(s);
	if (!slash || strcmp(slash, "/") || !other)
		return false;
	if (*other != '.') {
		m->other = other;
		return true;
	}
	m->other_field = other + 1;
	const char *times = next_word(s);
	const char *each = next_word(s);
	return times && !strcmp(times, "x") && each &&
	       parse_quantity(each, &m->each) && m->each > 0;
}

static bool parse_words(char *text, struct measure *m)
{
	const char *word = next_word(&text);
	size_t kind = 0;
	while (kind < MEASURE_KINDS &&
	       (!word || strcmp(word, measure_names[kind])))
		kind++;
	if (kind == MEASURE_KINDS)
		return false;
	m->kind = (enum measure_kind)kind;
	m->of.kind = SUBJECT_ALL;
	if (m->kind != MEASURE_TOTAL && !parse_subject(&text, &m->of))
		return false;
	const bool functions =
		m->of.kind == SUBJECT_CUM || m->of.kind == SUBJECT_FLAT;
	if (m->kind == MEASURE_RANK && !functions)
		return false;
	if (m->kind == MEASURE_RATIO &&
	    (!functions || !parse_divisor(&text, m)))
		return false;
	return !next_word(&text);
}

int findings_parse_measure(const struct parser *p, int line, char *text,
			   struct measure *ret)
{
	char shown[80];
	strncpy(shown, text, sizeof(shown) - 1);
	shown[sizeof(shown) - 1] = '\0';
	struct measure m = { .each = 1 };
	if (!parse_words(text, &m))
		return findings_bad(p, line, "measure", shown, grammar);
	*ret = m;
	return 0;
}

static const char expect_grammar[] =
	"must be >=, <= or = and a number with one of the units %, B, kB, MB, "
	"KiB, MiB, ns, us, ms, s, x or none; for a trend: steady, flat or "
	"sawtooth";

static int parse_trend(const char *text, enum trend *ret)
{
	static const char *const trends[] = {
		[TREND_FLAT] = "flat",
		[TREND_STEADY] = "steady",
		[TREND_SAWTOOTH] = "sawtooth",
	};
	for (size_t i = 0; i < ARRAY_SIZE(trends); i++) {
		if (!strcmp(text, trends[i])) {
			*ret = (enum trend)i;
			return true;
		}
	}
	return false;
}

int findings_parse_expect(const struct parser *p, const struct pair *pair,
			  enum measure_kind kind, struct expectation *ret)
{
	static const char *const ops[] = {
		[EXPECT_AT_LEAST] = ">=",
		[EXPECT_AT_MOST] = "<=",
		[EXPECT_EQUAL] = "=",
	};
	ret->text = pair->value;
	if (kind == MEASURE_TREND && parse_trend(pair->value, &ret->trend))
		return 0;
	for (size_t i = 0; kind != MEASURE_TREND && i < ARRAY_SIZE(ops); i++) {
		const size_t n = strlen(ops[i]);
		if (strncmp(pair->value, ops[i], n))
			continue;
		ret->op = (enum expect_op)i;
		if (parse_quantity(pair->value + n, &ret->value))
			return 0;
		break;
	}
	return findings_bad(p, pair->line, "expect", pair->value,
			    expect_grammar);
}
