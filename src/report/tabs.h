/*
 * tabs.h - text in cells, each ended by a tab, to text in columns: as Go's
 * text/tabwriter does it with cells set to the right, one space apart.
 */
#ifndef PROFLAB_REPORT_TABS_H
#define PROFLAB_REPORT_TABS_H

struct buf;
struct out;

/* Returns: 0 or ERR_NOMEM. */
int tabs_write(const struct buf *text, struct out *o);

#endif
