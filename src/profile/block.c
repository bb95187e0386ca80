/* block.c - see block.h. */
#include "profile/block.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4 << 10, HUGE_PAGE = 2 << 20 };

void *block_resize(void *block, size_t size)
{
	void *resized = realloc(block, size);
	if (!resized || size < 2 * HUGE_PAGE)
		return resized;
	/* Whole pages inside the block: advice about no one else's memory. */
	const uintptr_t begin =
		((uintptr_t)resized + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	const uintptr_t end =
		((uintptr_t)resized + size) & ~(uintptr_t)(PAGE - 1);
	const int saved = errno;
	madvise((void *)begin, end - begin, MADV_HUGEPAGE);
	errno = saved;
	return resized;
}
