/* grow.c - see grow.h. */
#include "report/grow.h"

#include "base/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int grow_rows(void *items, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return 0;
	size_t n = *cap ? *cap : 16;
	while (n < need) {
		if (n > SIZE_MAX / 2 / size)
			return ERR_NOMEM;
		n *= 2;
	}
	void *old;
	memcpy(&old, items, sizeof(old));
	void *rows = realloc(old, n * size);
	if (!rows)
		return ERR_NOMEM;
	memcpy(items, &rows, sizeof(rows));
	*cap = n;
	return 0;
}
