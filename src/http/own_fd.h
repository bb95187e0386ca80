/*
 * own_fd.h - our descriptors beside the program's.  They have high numbers, for
 * a program may count on its own being the lowest, or choose them (a shell's
 * `exec 6>file`).  And they are known again: a program that closes all that it
 * finds open (closefrom) closes ours, too, and its next file has the number.
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

/* Below it numbers are left to the program: half of what it may have. */
enum { OWN_FD_FLOOR = 512 };
int own_fd_floor(void);

/* Move fd there.  Returns: its number now, or fd where there is no room. */
int own_fd_raise(int fd);

/*
 * Between the two, what a library opens gets a number that is not below the
 * floor.  fds: what own_fd_release closes.  Returns: how many of them.
 */
int own_fd_occupy(int fds[static OWN_FD_FLOOR]);
void own_fd_release(const int *fds, int n);

#endif
