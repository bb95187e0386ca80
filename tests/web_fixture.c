/* web_fixture.c - see web_fixture.h. */
#include "tests/web_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t fixture_location(struct profile *p, const char *name, int64_t line)
{
	const struct profile_function f = {
		.name = profile_intern(p, name),
		.system_name = profile_intern(p, name),
		.filename = profile_intern(p, "dir/file.c"),
		.start_line = 1,
	};
	const struct profile_line l = { profile_add_function(p, &f), line };
	ck_assert_uint_ne(l.function, PROFILE_NONE);
	/* One location for each function and line. */
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct profile_line *have =
			&p->lines[p->locations[i].line_first];
		if (have->function == l.function && have->line == line)
			return i;
	}
	return profile_add_location(p, 0, 4096 + 16 * p->n_locations, &l, 1);
}

/* "root;middle:7;leaf 10", the line of a frame behind a colon. */
static void add_stack(struct profile *p, const char *text)
{
	uint32_t locs[16];
	char copy[512], *rest = copy, *frame;
	int n = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	char *space = strrchr(copy, ' ');
	const int64_t value = strtoll(space + 1, NULL, 10);
	*space = '\0';
	while ((frame = strsep(&rest, ";"))) {
		char *colon = strchr(frame, ':');
		const int64_t line = colon ? strtoll(colon + 1, NULL, 10) : 1;
		if (colon)
			*colon = '\0';
		locs[15 - n++] = fixture_location(p, frame, line);
	}
	ck_assert_uint_ne(profile_add_sample(p, locs + 16 - n, (size_t)n,
					     &value, NULL, 0),
			  PROFILE_NONE);
}

struct profile *fixture_empty(const char *type, const char *unit)
{
	struct profile *p = profile_new();
	const struct profile_mapping m = {
		.start = 4096,
		.limit = 1 << 20,
		.filename = profile_intern(p, "/bin/program"),
		.has_functions = true,
		.has_filenames = true,
		.has_line_numbers = true,
	};
	profile_add_mapping(p, &m);
	profile_add_sample_type(p, type, unit);
	p->period_type.type = profile_intern(p, type);
	p->period_type.unit = profile_intern(p, unit);
	p->period = 1;
	return p;
}

struct profile *fixture_stacks(const char *const *lines)
{
	struct profile *p = fixture_empty("cpu", "nanoseconds");
	for (; *lines; lines++)
		add_stack(p, *lines);
	return p;
}
