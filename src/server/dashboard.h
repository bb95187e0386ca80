/*
 * dashboard.h - /dashboard: one page that draws the server's figures live.  It
 * asks /metrics of the same origin, and needs nothing from anywhere else.
 */
#ifndef PROFLAB_SERVER_DASHBOARD_H
#define PROFLAB_SERVER_DASHBOARD_H

#include "base/buf.h"

struct dashboard {
	struct buf html;
	struct buf policy; /* the value of Content-Security-Policy */
};

/*
 * Put the page together.  pprof: where the profiles are, as
 * pprof_http_url says, when that is another place than this server; else NULL.
 * Returns: 0 or ERR_NOMEM.  Owns: the caller, dashboard_clear.
 */
int dashboard_make(const char *pprof, struct dashboard *ret_dashboard);
void dashboard_clear(struct dashboard *d);

#endif
