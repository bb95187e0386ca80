/* kinds.c - every kind of report, one row each. */
#include "report/context.h"

#include "base/attr.h"

#include <string.h>

#define ALL_DETAIL (KIND_UNTRIMMED | KIND_ADDRESSES | KIND_FORCE_INLINES)

const struct report_kind report_kinds[] = {
	{ .name = "callgrind",
	  .flags = ALL_DETAIL | KIND_OBJECT_NAMES | KIND_TREE | KIND_EDGES |
		   KIND_INTEGERS,
	  .write = text_write_callgrind },
	{ .name = "comments", .write = text_write_comments },
	{ .name = "disasm",
	  .has_parameter = true,
	  .flags = KIND_UNTRIMMED | KIND_ADDRESSES | KIND_NO_INLINES |
		   KIND_OBJECT_NAMES,
	  .write = text_write_disasm },
	{ .name = "dot",
	  .flags = KIND_VISUAL | KIND_TREE | KIND_EDGES,
	  .write = text_write_dot },
	{ .name = "flame", .write = text_write_flame },
	{ .name = "graph", /* dot, safe to draw whatever the names are */
	  .flags = KIND_VISUAL | KIND_TREE | KIND_EDGES | KIND_QUOTED,
	  .write = text_write_dot },
	{ .name = "list",
	  .has_parameter = true,
	  .flags = KIND_UNTRIMMED | KIND_LINES | KIND_OBJECT_NAMES,
	  .write = text_write_list },
	{ .name = "peek",
	  .has_parameter = true,
	  .flags = KIND_UNTRIMMED | KIND_EDGES,
	  .write = text_write_tree },
	{ .name = "proto", .flags = ALL_DETAIL, .write = proto_write },
	{ .name = "raw", .flags = ALL_DETAIL, .write = text_write_raw },
	{ .name = "tags", .write = text_write_tags },
	{ .name = "text", .flags = KIND_ALL_NODES, .write = text_write_top },
	{ .name = "top", .flags = KIND_ALL_NODES, .write = text_write_top },
	{ .name = "topproto",
	  .flags = KIND_ALL_NODES,
	  .write = proto_write_top },
	{ .name = "traces", .write = text_write_traces },
	{ .name = "tree", .flags = KIND_EDGES, .write = text_write_tree },
	{ .name = "weblist",
	  .has_parameter = true,
	  .flags = ALL_DETAIL | KIND_OBJECT_NAMES,
	  .write = text_write_weblist },
};
const size_t report_n_kinds = ARRAY_SIZE(report_kinds);

const struct report_kind *report_find_kind(const char *name)
{
	for (size_t i = 0; i < report_n_kinds; i++)
		if (strcmp(report_kinds[i].name, name) == 0)
			return &report_kinds[i];
	return NULL;
}
