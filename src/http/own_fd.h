/*
 * own_fd.h - a descriptor that is known again: a program that closes all that
 * it finds open (closefrom) closes ours, too, and its next file has the number.
 */
#ifndef PROFLAB_HTTP_OWN_FD_H
#define PROFLAB_HTTP_OWN_FD_H

#include <stdbool.h>
#include <sys/types.h>

/* Of a socket: each has an inode of its own. */
struct own_fd {
	int fd;
	dev_t dev;
	ino_t ino;
};

/* A descriptor that is open. */
struct own_fd own_fd_of(int fd);
/* Is the number still that file's?  errno is left alone. */
bool own_fd_is_ours(const struct own_fd *own);

#endif
