/* ui_none.c - ui.h where there is no page: the preload library. */
#include "http/ui.h"

#include <string.h>

const char http_ui_index_line[] =
	"The page of flame graphs is not part of the preload library; "
	"<code>proflab-pprof -http=: URL</code> has it.<br>\n";

bool http_ui_wants(const char *path)
{
	return strncmp(path, "ui/", 3) == 0 || strcmp(path, "ui") == 0;
}

enum http_next http_ui(struct http_request *r)
{
	http_reply_error(&r->reply, 404,
			 "the profile page is not part of the preload library: "
			 "use proflab-pprof -http=: URL");
	return HTTP_REPLY;
}

void http_ui_free(struct http_ui *ui)
{
	(void)ui;
}
