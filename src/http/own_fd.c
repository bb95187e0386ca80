/* own_fd.c - see own_fd.h. */
#include "http/own_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

int own_fd_floor(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	return limit.rlim_cur / 2 < OWN_FD_FLOOR ? (int)(limit.rlim_cur / 2)
						 : OWN_FD_FLOOR;
}

int own_fd_raise(int fd)
{
	const int floor = own_fd_floor();
	if (fd < 0 || fd >= floor)
		return fd;
	const int high = fcntl(fd, F_DUPFD_CLOEXEC, floor);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

int own_fd_occupy(int fds[static OWN_FD_FLOOR])
{
	const int floor = own_fd_floor();
	int n = 0;
	int fd = eventfd(0, EFD_CLOEXEC);
	while (fd >= 0 && fd < floor) {
		fds[n++] = fd;
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	if (fd >= 0)
		close(fd);
	return n;
}

void own_fd_release(const int *fds, int n)
{
	const int saved = errno;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	errno = saved;
}
