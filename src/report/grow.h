/*
 * grow.h - room for one more row in a growing array.
 */
#ifndef PROFLAB_REPORT_GROW_H
#define PROFLAB_REPORT_GROW_H

#include <stddef.h>

/*
 * Make *items, an array of rows of `size` bytes, hold at least `need`; *cap
 * counts the rows that are allocated.
 * Returns: 0 or ERR_NOMEM, nothing changed.
 */
int grow_rows(void *items, size_t *cap, size_t need, size_t size);

#endif
