/*
 * ui.h - /debug/pprof/ui/: the profile page (src/web) of the running process.
 *
 *	GET  ui/                    the page
 *	GET  ui/api/kinds           what can be taken, and what is kept
 *	POST ui/take                kind=NAME, and that route's own parameters
 *	                            (seconds, hz, gc): take it and keep it
 *	POST ui/forget              p=ID: keep it no longer
 *	GET  ui/api/VIEW?p=ID       web.h's view of a kept profile; base=ID:
 *	                            against that one
 *	GET  ui/download?p=ID       the profile, byte for byte
 *
 * Profiles are kept here, not in the browser, since the views are computed
 * here: nothing that a stranger made is ever read, and a view's address can
 * be passed on.  What is kept is bounded (ui_store.h) and compressed.  All of
 * it but the page's name is worked on in the writer thread.
 *
 * There are two of it: ui.c, and ui_none.c for the preload library, which
 * must not bring pcre2 and the reader into every process.
 */
#ifndef PROFLAB_HTTP_UI_H
#define PROFLAB_HTTP_UI_H

#include "http/request.h"

struct http_ui;

/* Is it a path below ui/ (or ui itself)? */
bool http_ui_wants(const char *path);
enum http_next http_ui(struct http_request *r);
/* A line of HTML for the index. */
extern const char http_ui_index_line[];
/* NULL is allowed. */
void http_ui_free(struct http_ui *ui);

#endif
