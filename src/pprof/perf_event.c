/* perf_event.c - see perf_event.h. */
#include "pprof/perf_event.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FD_WANTED = 512 }; /* out of the way of the program's own */

static int open_event(pid_t tid, int64_t period_ns, bool exclude_kernel)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = (uint64_t)period_ns,
		.disabled = 1,
		.exclude_kernel = exclude_kernel,
		.exclude_hv = exclude_kernel,
		.wakeup_events = 1,
	};
	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static int error_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return ERR_LIMIT;
	case ESRCH:
		return ERR_NOTFOUND;
	default:
		return ERR_UNSUPPORTED;
	}
}

/* A quarter of the descriptors that the program may have, at most, and none
 * of the low ones when there is room above. */
static int move_up(int fd)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return fd;
	if (limit.rlim_cur > FD_WANTED * 2) {
		const int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_WANTED);
		if (high >= 0) {
			close(fd);
			fd = high;
		}
	}
	if (fd >= PERF_EVENT_FD_LIMIT ||
	    (rlim_t)fd >= limit.rlim_cur - limit.rlim_cur / 4) {
		close(fd);
		return -1;
	}
	return fd;
}

static int aim(int fd, pid_t tid, int signo)
{
	const struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = tid };
	const int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETOWN_EX, &owner) ||
	    fcntl(fd, F_SETSIG, signo) ||
	    fcntl(fd, F_SETFL, flags | O_ASYNC | O_NONBLOCK))
		return ERR_UNSUPPORTED;
	return 0;
}

int perf_event_open(pid_t tid, int signo, int64_t first_ns,
		    void (*before_arm)(int fd, void *arg), void *arg,
		    struct perf_event *ret_event)
{
	int fd = open_event(tid, first_ns, false);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		fd = open_event(tid, first_ns, true);
	if (fd < 0)
		return error_of(errno);
	fd = move_up(fd);
	if (fd < 0)
		return ERR_LIMIT;
	struct perf_event e = { .fd = fd };
	int rc = aim(fd, tid, signo);
	if (rc == 0 && ioctl(fd, PERF_EVENT_IOC_ID, &e.id))
		rc = ERR_UNSUPPORTED;
	if (rc) {
		close(fd);
		return rc;
	}
	before_arm(fd, arg);
	*ret_event = e;
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
		return 0;
	perf_event_close(ret_event);
	return ERR_UNSUPPORTED;
}

void perf_event_set_period(int fd, int64_t period_ns)
{
	uint64_t period = (uint64_t)period_ns;
	ioctl(fd, PERF_EVENT_IOC_PERIOD, &period);
}

void perf_event_enable(const struct perf_event *e, bool enable)
{
	ioctl(e->fd, enable ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE,
	      0);
}

/* A program that closes every descriptor it can find, and then opens its own,
 * must not lose one of those to us. */
static bool still_ours(const struct perf_event *e)
{
	uint64_t id = 0;
	return ioctl(e->fd, PERF_EVENT_IOC_ID, &id) == 0 && id == e->id;
}

void perf_event_close(struct perf_event *e)
{
	if (e->fd >= 0 && still_ours(e)) {
		ioctl(e->fd, PERF_EVENT_IOC_DISABLE, 0);
		close(e->fd);
	}
	e->fd = -1;
}
