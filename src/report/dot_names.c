/* dot_names.c - names short enough for a picture; see dot_private.h. */
#include "report/dot_private.h"

#include "base/attr.h"
#include "base/buf.h"
#include "report/regex.h"

#include <string.h>

int shortener_init(struct shortener *s, struct err *e)
{
	const struct {
		struct regex **rx;
		const char *pattern;
	} all[] = {
		/* C++: (anonymous namespace)::f */
		{ &s->anonymous, "^\\(anonymous namespace\\)::" },
		/* Go: the version of a module in a path */
		{ &s->version, "^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$" },
		/* Go: the folders of a package's path */
		{ &s->parts[0], "^(?:[\\w\\-\\.]+\\/)+(.+)" },
		/* Java: package and arguments */
		{ &s->parts[1], "^(?:[a-z]\\w*\\.)*([A-Z][\\w\\$]*\\.(?:<init>|"
				"[a-z][\\w\\$]*(?:\\$\\d+)?))(?:(?:\\()|$)" },
		/* C++: namespaces */
		{ &s->parts[2],
		  "^(?:[_a-zA-Z]\\w*::)+(_*[A-Z]\\w*::~?[_a-zA-Z]\\w*"
		  "(?:<.*>)?)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const int rc = regex_compile(all[i].pattern, all[i].rx, e);
		if (rc)
			return rc;
	}
	return 0;
}

void shortener_free(struct shortener *s)
{
	regex_free(s->anonymous);
	regex_free(s->version);
	for (size_t i = 0; i < ARRAY_SIZE(s->parts); i++)
		regex_free(s->parts[i]);
}

int shortener_cut(const struct shortener *s, const char *name, struct buf *b)
{
	size_t span[6];
	if (regex_find(s->anonymous, name, strlen(name), span))
		name += span[1];
	const size_t start = b->len;
	if (regex_find(s->version, name, strlen(name), span)) {
		buf_append(b, name, span[3]);
		buf_append_str(b, name + span[4]);
	} else {
		buf_append_str(b, name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(s->parts) && !b->failed; i++) {
		if (!regex_find(s->parts[i], b->data + start, b->len - start,
				span))
			continue;
		memmove(b->data + start, b->data + start + span[2],
			span[3] - span[2]);
		b->len = start + span[3] - span[2];
		b->data[b->len] = '\0';
		break;
	}
	return b->failed;
}
