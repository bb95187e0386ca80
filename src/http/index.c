/* index.c - the page at /debug/pprof/, as Go lays it out. */
#include "http/request.h"
#include "http/ui.h"
#include "pprof/pprof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name, *description;
	int64_t count;
};

enum { ENTRIES_MAX = 1024 };

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		      ((const struct entry *)b)->name);
}

/* Profiles, and the routes that Go lists among them.  Returns: how many. */
static size_t collect(struct entry *entries, size_t max)
{
	size_t n = 0;
	const struct pprof_profile *p;
	for (size_t i = 0; n < max && (p = pprof_profile_at(i)); i++)
		entries[n++] = (struct entry){
			.name = pprof_profile_name(p),
			.description = pprof_profile_description(p),
			.count = pprof_profile_count(p),
		};
	const struct http_route *route;
	for (size_t i = 0; n < max && (route = http_route_at(i)); i++)
		if (route->description)
			entries[n++] = (struct entry){
				.name = route->path,
				.description = route->description,
			};
	qsort(entries, n, sizeof(*entries), by_name);
	return n;
}

static void append_escaped(struct buf *b, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			buf_append_str(b, "&amp;");
			break;
		case '<':
			buf_append_str(b, "&lt;");
			break;
		case '>':
			buf_append_str(b, "&gt;");
			break;
		case '"':
			buf_append_str(b, "&#34;");
			break;
		case '\'':
			buf_append_str(b, "&#39;");
			break;
		default:
			buf_append_char(b, *s);
		}
}

static void append_row(struct buf *b, const struct entry *e)
{
	buf_printf(b, "<tr><td>%" PRId64 "</td><td><a href='", e->count);
	append_escaped(b, e->name);
	buf_append_str(b, "?debug=1'>");
	append_escaped(b, e->name);
	buf_append_str(b, "</a></td></tr>\n");
}

static void append_description(struct buf *b, const struct entry *e)
{
	buf_append_str(b, "<li><div class=profile-name>");
	append_escaped(b, e->name);
	buf_append_str(b, ": </div> ");
	append_escaped(b, e->description ? e->description : "");
	buf_append_str(b, "</li>\n");
}

enum http_next http_index(struct http_request *r)
{
	struct buf *b = &r->reply.body;
	struct entry *entries = calloc(ENTRIES_MAX, sizeof(*entries));
	if (!entries) {
		http_reply_error(&r->reply, 500, "out of memory");
		return HTTP_REPLY;
	}
	const size_t n = collect(entries, ENTRIES_MAX);
	http_reply_begin(&r->reply, 200, "text/html; charset=utf-8");
	buf_append_str(b, "<html>\n<head>\n<title>");
	append_escaped(b, r->http->options.title);
	buf_append_str(b, "</title>\n<style>\n.profile-name{\n"
			  "\tdisplay:inline-block;\n\twidth:6rem;\n}\n"
			  "</style>\n</head>\n<body>\n");
	append_escaped(b, r->http->options.title);
	buf_append_str(b, "<br>\n<br>\nTypes of profiles available:\n<table>\n"
			  "<thead><td>Count</td><td>Profile</td></thead>\n");
	for (size_t i = 0; i < n; i++)
		append_row(b, &entries[i]);
	buf_append_str(b, "</table>\n<a href=\"goroutine?debug=2\">full "
			  "goroutine stack dump</a>\n<br>\n");
	buf_append_str(b, http_ui_index_line);
	buf_append_str(b, "<p>\nProfile Descriptions:\n<ul>\n");
	for (size_t i = 0; i < n; i++)
		append_description(b, &entries[i]);
	buf_append_str(b, "</ul>\n</p>\n</body>\n</html>");
	free(entries);
	return HTTP_REPLY;
}
