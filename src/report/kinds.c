/* kinds.c - every kind of report, one row each. */
#include "report/context.h"

#include "base/attr.h"

#include <string.h>

#define ALL_DETAIL (KIND_UNTRIMMED | KIND_ADDRESSES | KIND_FORCE_INLINES)

const struct report_kind report_kinds[] = {
	{ .name = "comments",
	  .description = "Output all profile comments",
	  .write = text_write_comments },
	{ .name = "list",
	  .has_parameter = true,
	  .description = "Output annotated source for functions matching "
			 "regexp",
	  .flags = KIND_UNTRIMMED | KIND_LINES | KIND_OBJECT_NAMES,
	  .write = text_write_list },
	{ .name = "peek",
	  .has_parameter = true,
	  .description = "Output callers/callees of functions matching regexp",
	  .flags = KIND_UNTRIMMED | KIND_EDGES,
	  .write = text_write_tree },
	{ .name = "raw",
	  .description = "Outputs a text representation of the raw profile",
	  .flags = ALL_DETAIL | KIND_OBJECT_NAMES,
	  .write = text_write_raw },
	{ .name = "text",
	  .description = "Outputs top entries in text form",
	  .flags = KIND_ALL_NODES,
	  .write = text_write_top },
	{ .name = "top",
	  .description = "Outputs top entries in text form",
	  .flags = KIND_ALL_NODES,
	  .write = text_write_top },
	{ .name = "traces",
	  .description = "Outputs all profile samples in text form",
	  .write = text_write_traces },
	{ .name = "tree",
	  .description = "Outputs a text rendering of call graph",
	  .flags = KIND_EDGES,
	  .write = text_write_tree },
};
const size_t report_n_kinds = ARRAY_SIZE(report_kinds);

const struct report_kind *report_find_kind(const char *name)
{
	for (size_t i = 0; i < report_n_kinds; i++)
		if (strcmp(report_kinds[i].name, name) == 0)
			return &report_kinds[i];
	return NULL;
}
