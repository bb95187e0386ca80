/*
 * shorten.h - linked names as people read them.
 */
#ifndef PROFLAB_REPORT_SHORTEN_H
#define PROFLAB_REPORT_SHORTEN_H

#include "report/symbolize.h"

struct buf;

/*
 * A mangled name is demangled; parameters, template arguments and the return
 * type are left out as `how` says.  A name that looks like C++ demangled
 * before is cut the same way; any other stays.
 * Returns: 0 or ERR_NOMEM.
 */
int shorten_name(const char *name, enum symbolize_names how, struct buf *ret);

#endif
