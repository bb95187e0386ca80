/* scenario.c - see scenario.h. */
#include "load/scenario.h"

#include "base/attr.h"

#include <string.h>

#define MINUTES(n) ((n)*INT64_C(60000000000))

/* clang-format off: one line a route, to be read as a table. */
const struct scenario scenarios[] = {
	{ "cpu",
	  "numeric work",
	  10,
	  MINUTES(2),
	  0,
	  {
		  { "/cpu",
		    1,
		    { { "iterations",
			{ "100000", "500000", "1000000", "2000000" } } } },
	  } },
	{ "memory",
	  "allocation",
	  5,
	  MINUTES(2),
	  0,
	  {
		  { "/memory",
		    1,
		    { { "size", { "1000", "5000", "10000", "20000" } } } },
	  } },
	{ "mixed",
	  "something of everything",
	  20,
	  MINUTES(3),
	  50,
	  {
		  { "/cpu",
		    3,
		    { { "iterations", { "100000", "500000", "1000000" } } } },
		  { "/memory", 2, { { "size", { "1000", "5000", "10000" } } } },
		  { "/database",
		    4,
		    { { "type", { "select", "insert", "update" } },
		      { "records", { "10", "50", "100", "200" } } } },
		  { "/cache",
		    5,
		    { { "key",
			{ "user_1", "user_2", "user_3", "config",
			  "settings" } },
		      { "ttl", { "30s", "60s", "120s" } } } },
		  { "/concurrent",
		    2,
		    { { "workers", { "5", "10", "20" } },
		      { "tasks", { "50", "100", "200" } } } },
		  { "/inefficient", 1, { { 0 } } },
		  { "/stats", 1, { { 0 } } },
	  } },
	{ "leaky",
	  "memory that stays",
	  3,
	  MINUTES(5),
	  10,
	  {
		  { "/leaky", 1, { { "size", { "100", "200", "500" } } } },
	  } },
	/* One for each of the routes that have none of their own above. */
	{ "inefficient",
	  "strings, slices and maps",
	  10,
	  MINUTES(2),
	  0,
	  {
		  { "/inefficient",
		    1,
		    { { "start", .prefix = "", .count = 500 } } },
	  } },
	{ "database",
	  "queries and writes",
	  10,
	  MINUTES(2),
	  0,
	  {
		  { "/database",
		    1,
		    { { "type", { "select", "insert", "update" } },
		      { "records", { "10", "50", "100", "200" } } } },
	  } },
	{ "cache",
	  "300 keys, and waiting",
	  20,
	  MINUTES(2),
	  0,
	  {
		  { "/cache",
		    1,
		    { { "key", .prefix = "user", .count = 300 },
		      { "ttl", { "30s", "60s", "120s" } } } },
	  } },
	{ "concurrent",
	  "threads and locks",
	  5,
	  MINUTES(2),
	  0,
	  {
		  { "/concurrent",
		    1,
		    { { "workers", { "5", "10", "20" } },
		      { "tasks", { "50", "100", "200" } } } },
	  } },
};
/* clang-format on */
const size_t scenario_count = ARRAY_SIZE(scenarios);

const struct scenario *scenario_find(const char *name)
{
	for (size_t i = 0; i < scenario_count; i++)
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	return NULL;
}
