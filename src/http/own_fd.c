/* own_fd.c - see own_fd.h. */
#include "http/own_fd.h"

#include <errno.h>
#include <sys/stat.h>

struct own_fd own_fd_of(int fd)
{
	struct stat st = { 0 };
	fstat(fd, &st);
	return (struct own_fd){ .fd = fd, .dev = st.st_dev, .ino = st.st_ino };
}

bool own_fd_is_ours(const struct own_fd *own)
{
	struct stat st;
	const int saved = errno;
	const bool same = fstat(own->fd, &st) == 0 && st.st_dev == own->dev &&
			  st.st_ino == own->ino;
	errno = saved;
	return same;
}
