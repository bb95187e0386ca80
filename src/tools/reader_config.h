/*
 * reader_config.h - the options of proflab-pprof that flags, and assignments
 * at the prompt, set: one table of fields for both.
 */
#ifndef PROFLAB_TOOLS_READER_CONFIG_H
#define PROFLAB_TOOLS_READER_CONFIG_H

#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct buf;

/* All texts are owned, and never NULL: "" is unset. */
struct reader_config {
	char *output;
	bool call_tree, relative_percentages, compact_labels, intel_syntax;
	bool mean, normalize, drop_negative, trim, noinlines;
	char *unit, *source_path, *trim_path, *sample_index;
	double divide_by, node_fraction, edge_fraction;
	int64_t node_count;
	char *tagroot, *tagleaf;
	char *focus, *ignore, *prune_from, *hide, *show, *show_from;
	char *tagfocus, *tagignore, *tagshow, *taghide;
	int sort, granularity; /* index of the choice */
};

enum config_kind {
	CONFIG_BOOL,
	CONFIG_INT,
	CONFIG_FLOAT,
	CONFIG_TEXT,
	CONFIG_CHOICE,
};

struct config_choice {
	const char *name, *help;
};

struct config_field {
	const char *name;
	enum config_kind kind;
	size_t offset;
	const char *help; /* first line: in lists; all: "help NAME" */
	const struct config_choice *choices; /* ended by a NULL name */
};

extern const struct config_field config_fields[];
extern const size_t config_n_fields;

/* The defaults.  Ends the program without memory, as all here. */
void config_init(struct reader_config *c);
void config_copy(struct reader_config *to, const struct reader_config *from);
void config_free(struct reader_config *c);

/*
 * The field of this name, or that has a choice of this name (then
 * *ret_choice is its index, else -1).  NULL: none.
 */
const struct config_field *config_find(const char *name, int *ret_choice);

/*
 * Set a field from text.  Returns: 0 or ERR_INVALID with Go's words.
 */
int config_set(struct reader_config *c, const struct config_field *f,
	       const char *value, struct err *e);
/* Replace one text. */
void config_set_text(char **field, const char *value);
/* The value as text, appended. */
void config_get(const struct reader_config *c, const struct config_field *f,
		struct buf *ret);
/* A pointer to the value, of the type that f->kind says. */
void *config_value(const struct reader_config *c, const struct config_field *f);

/* The options as src/report takes them; texts stay c's. */
struct report_options config_options(const struct reader_config *c);

#endif
