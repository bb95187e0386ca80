/* reader_config.c - see reader_config.h. */
#include "tools/reader_config.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "tools/die.h"
#include "tools/reader_number.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELD(member) offsetof(struct reader_config, member)

static const struct config_choice sorts[] = {
	{ "flat", "Sort entries by their own value" },
	{ "cum", "Sort entries by their cumulative value" },
	{ 0 },
};

/* In the order of enum report_granularity. */
static const struct config_choice granularities[] = {
	{ "functions", "Sum up by function, in whichever file" },
	{ "filefunctions", "Sum up by function and file" },
	{ "files", "Sum up by source file" },
	{ "lines", "Sum up by source line" },
	{ "addresses", "Sum up by address, and show the addresses" },
	{ 0 },
};

const struct config_field config_fields[] = {
	{ "output", CONFIG_TEXT, FIELD(output), "Write the report to this file",
	  NULL },
	{ "call_tree", CONFIG_BOOL, FIELD(call_tree),
	  "Make a tree of calls, not a graph\n"
	  "A function that is reached on two ways is shown twice.",
	  NULL },
	{ "relative_percentages", CONFIG_BOOL, FIELD(relative_percentages),
	  "Percentages of what the filters leave\n"
	  "Otherwise they refer to the whole profile.",
	  NULL },
	{ "unit", CONFIG_TEXT, FIELD(unit),
	  "Unit of the values shown\n"
	  "For time: seconds, milliseconds, microseconds, nanoseconds.\n"
	  "For memory: megabytes, kilobytes, bytes.\n"
	  "auto chooses for each value, minimum (the default) once for all.",
	  NULL },
	{ "compact_labels", CONFIG_BOOL, FIELD(compact_labels),
	  "Leave out the lines about the profile", NULL },
	{ "source_path", CONFIG_TEXT, FIELD(source_path),
	  "Folders to look for source files in, divided by :", NULL },
	{ "trim_path", CONFIG_TEXT, FIELD(trim_path),
	  "Prefixes to cut from file names before the look-up", NULL },
	{ "intel_syntax", CONFIG_BOOL, FIELD(intel_syntax),
	  "Show assembly in Intel syntax\nFor disasm and weblist.", NULL },
	{ "mean", CONFIG_BOOL, FIELD(mean),
	  "Divide each value by the first one (a count)\n"
	  "For memory: bytes per allocation.  For time: time per event.",
	  NULL },
	{ "sample_index", CONFIG_TEXT, FIELD(sample_index),
	  "Which value of each sample to show: its name, or number from 0\n",
	  NULL },
	{ "divide_by", CONFIG_FLOAT, FIELD(divide_by),
	  "Divide all values by this number\n"
	  "For example by the number of processors, or of requests.",
	  NULL },
	{ "normalize", CONFIG_BOOL, FIELD(normalize),
	  "Scale the profile to the total of the base", NULL },
	{ "sort", CONFIG_CHOICE, FIELD(sort), "", sorts },
	{ "tagroot", CONFIG_TEXT, FIELD(tagroot),
	  "Frames made of labels, at the root of each stack\n"
	  "A list of label keys, divided by commas; the first is the root.",
	  NULL },
	{ "tagleaf", CONFIG_TEXT, FIELD(tagleaf),
	  "Frames made of labels, at the leaf of each stack\n"
	  "A list of label keys, divided by commas; the last is the leaf.",
	  NULL },
	{ "drop_negative", CONFIG_BOOL, FIELD(drop_negative),
	  "Do not show entries with negative values", NULL },
	{ "nodecount", CONFIG_INT, FIELD(node_count),
	  "Show at most this many entries\n"
	  "In graphs, dotted edges stand for paths through others.",
	  NULL },
	{ "nodefraction", CONFIG_FLOAT, FIELD(node_fraction),
	  "Hide entries below this fraction of the total", NULL },
	{ "edgefraction", CONFIG_FLOAT, FIELD(edge_fraction),
	  "Hide edges below this fraction of the total", NULL },
	{ "trim", CONFIG_BOOL, FIELD(trim),
	  "Heed nodecount, nodefraction and edgefraction\n"
	  "Set it to false to see everything.",
	  NULL },
	{ "focus", CONFIG_TEXT, FIELD(focus),
	  "Only samples through a frame that matches this expression\n"
	  "A frame matches by its function, its file or its binary.",
	  NULL },
	{ "ignore", CONFIG_TEXT, FIELD(ignore),
	  "No samples through any frame that matches this expression\n"
	  "A frame matches by its function, its file or its binary.",
	  NULL },
	{ "prune_from", CONFIG_TEXT, FIELD(prune_from),
	  "Cut off what is below a frame that matches\n"
	  "The frame that matches stays.",
	  NULL },
	{ "hide", CONFIG_TEXT, FIELD(hide),
	  "Leave out frames that match; the rest of the stack stays\n"
	  "A frame matches by its function, its file or its binary.",
	  NULL },
	{ "show", CONFIG_TEXT, FIELD(show),
	  "Leave out frames that do not match\n"
	  "A frame matches by its function, its file or its binary.",
	  NULL },
	{ "show_from", CONFIG_TEXT, FIELD(show_from),
	  "Cut off what is above the highest frame that matches\n"
	  "A frame matches by its function, its file or its binary.",
	  NULL },
	{ "tagfocus", CONFIG_TEXT, FIELD(tagfocus),
	  "Only samples with a label in this range, or that matches\n"
	  "name=value looks at the label of that name alone.\n"
	  "Ranges: 1kb, 1kb:10kb, memory=32mb:\n"
	  "Texts: foo, foo.*bar, mytag=foo.*bar",
	  NULL },
	{ "tagignore", CONFIG_TEXT, FIELD(tagignore),
	  "No samples with a label in this range, or that matches\n"
	  "name=value looks at the label of that name alone.\n"
	  "Ranges: 1kb, 1kb:10kb, memory=32mb:\n"
	  "Texts: foo, foo.*bar, mytag=foo.*bar",
	  NULL },
	{ "tagshow", CONFIG_TEXT, FIELD(tagshow),
	  "Only labels whose name matches this expression", NULL },
	{ "taghide", CONFIG_TEXT, FIELD(taghide),
	  "No labels whose name matches this expression", NULL },
	{ "noinlines", CONFIG_BOOL, FIELD(noinlines),
	  "Count inlined functions as the function that contains them", NULL },
	{ "granularity", CONFIG_CHOICE, FIELD(granularity), "", granularities },
};
const size_t config_n_fields = ARRAY_SIZE(config_fields);

void *config_value(const struct reader_config *c, const struct config_field *f)
{
	return (char *)c + f->offset;
}

void config_init(struct reader_config *c)
{
	*c = (struct reader_config){ .node_count = -1,
				     .node_fraction = 0.005,
				     .edge_fraction = 0.001,
				     .trim = true,
				     .divide_by = 1 };
	for (size_t i = 0; i < config_n_fields; i++)
		if (config_fields[i].kind == CONFIG_TEXT)
			*(char **)config_value(c, &config_fields[i]) =
				xstrdup("");
	config_set_text(&c->unit, "minimum");
}

void config_copy(struct reader_config *to, const struct reader_config *from)
{
	*to = *from;
	for (size_t i = 0; i < config_n_fields; i++) {
		if (config_fields[i].kind != CONFIG_TEXT)
			continue;
		char **text = config_value(to, &config_fields[i]);
		*text = xstrdup(*text);
	}
}

void config_free(struct reader_config *c)
{
	for (size_t i = 0; i < config_n_fields; i++)
		if (config_fields[i].kind == CONFIG_TEXT)
			free(*(char **)config_value(c, &config_fields[i]));
	*c = (struct reader_config){ 0 };
}

const struct config_field *config_find(const char *name, int *ret_choice)
{
	*ret_choice = -1;
	for (size_t i = 0; i < config_n_fields; i++) {
		const struct config_field *f = &config_fields[i];
		if (strcmp(f->name, name) == 0)
			return f;
		for (int k = 0; f->choices && f->choices[k].name; k++)
			if (strcmp(f->choices[k].name, name) == 0) {
				*ret_choice = k;
				return f;
			}
	}
	return NULL;
}

void config_set_text(char **field, const char *value)
{
	char *copy = xstrdup(value);
	free(*field);
	*field = copy;
}

static int set_bool(bool *field, const char *value, struct err *e)
{
	static const struct {
		const char *name;
		bool value;
	} names[] = { { "true", true },	  { "t", true },  { "yes", true },
		      { "y", true },	  { "1", true },  { "", true },
		      { "false", false }, { "f", false }, { "no", false },
		      { "n", false },	  { "0", false } };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i].name, value) == 0) {
			*field = names[i].value;
			return 0;
		}
	return err_set(e, ERR_INVALID, "illegal value \"%s\" for bool variable",
		       value);
}

static int set_number(void *field, bool is_int, const char *value,
		      struct err *e)
{
	const enum number_result result =
		is_int ? number_parse_int(value, 10, field)
		       : number_parse_float(value, field);
	if (result == NUMBER_OK)
		return 0;
	return err_set(e, ERR_INVALID, "strconv.%s: parsing \"%s\": %s",
		       is_int ? "Atoi" : "ParseFloat", value,
		       result == NUMBER_RANGE ? "value out of range"
					      : "invalid syntax");
}

int config_set(struct reader_config *c, const struct config_field *f,
	       const char *value, struct err *e)
{
	void *field = config_value(c, f);
	switch (f->kind) {
	case CONFIG_BOOL:
		return set_bool(field, value, e);
	case CONFIG_INT:
	case CONFIG_FLOAT:
		return set_number(field, f->kind == CONFIG_INT, value, e);
	case CONFIG_TEXT:
		config_set_text(field, value);
		return 0;
	case CONFIG_CHOICE:
		for (int i = 0; f->choices[i].name; i++)
			if (strcmp(f->choices[i].name, value) == 0) {
				*(int *)field = i;
				return 0;
			}
		break;
	}
	return err_set(e, ERR_INVALID, "invalid \"%s\" value \"%s\"", f->name,
		       value);
}

void config_get(const struct reader_config *c, const struct config_field *f,
		struct buf *b)
{
	const void *field = config_value(c, f);
	switch (f->kind) {
	case CONFIG_BOOL:
		buf_append_str(b, *(const bool *)field ? "true" : "false");
		break;
	case CONFIG_INT:
		buf_printf(b, "%" PRId64, *(const int64_t *)field);
		break;
	case CONFIG_FLOAT:
		number_format_float(b, *(const double *)field);
		break;
	case CONFIG_TEXT:
		buf_append_str(b, *(char *const *)field);
		break;
	case CONFIG_CHOICE:
		buf_append_str(b, f->choices[*(const int *)field].name);
		break;
	}
}

struct report_options config_options(const struct reader_config *c)
{
	return (struct report_options){
		.sample_index = c->sample_index,
		.mean = c->mean,
		.unit = c->unit,
		.divide_by = c->divide_by,
		.cum = c->sort == 1,
		.granularity = (enum report_granularity)c->granularity,
		.noinlines = c->noinlines,
		.focus = c->focus,
		.ignore = c->ignore,
		.hide = c->hide,
		.show = c->show,
		.show_from = c->show_from,
		.prune_from = c->prune_from,
		.tagfocus = c->tagfocus,
		.tagignore = c->tagignore,
		.tagshow = c->tagshow,
		.taghide = c->taghide,
		.tagroot = c->tagroot,
		.tagleaf = c->tagleaf,
		.node_count = c->node_count,
		.node_fraction = c->node_fraction,
		.edge_fraction = c->edge_fraction,
		.trim = c->trim,
		.relative_percentages = c->relative_percentages,
		.call_tree = c->call_tree,
		.compact_labels = c->compact_labels,
		.drop_negative = c->drop_negative,
		.intel_syntax = c->intel_syntax,
		.source_path = c->source_path,
		.trim_path = c->trim_path,
	};
}
