/* lock_semantics.c - see lock_semantics.h: the helpers, and main. */
#include "tests/lock_semantics.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

const struct timespec past = { .tv_sec = 1 };
const struct timespec negative = { .tv_sec = 1, .tv_nsec = -1 };
const struct timespec too_many = { .tv_sec = 1, .tv_nsec = 1000000000 };

static char title[128];

void section(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(title, sizeof(title), format, ap);
	va_end(ap);
}

void answer(const char *what, int rc)
{
	const int err = errno;
	const char *name = rc > 0 ? strerrorname_np(rc) : NULL;
	printf("%s: %s = ", title, what);
	if (name)
		printf("%s", name);
	else
		printf("%d", rc);
	if (err != UNTOUCHED)
		printf(", errno %s", strerrorname_np(err));
	printf("\n");
}

void answer_c11(const char *what, int rc)
{
	static const char *const names[] = {
		[thrd_success] = "success",   [thrd_busy] = "busy",
		[thrd_error] = "error",	      [thrd_nomem] = "nomem",
		[thrd_timedout] = "timedout",
	};
	const int err = errno;
	printf("%s: %s = %s%s\n", title, what, names[rc],
	       err != UNTOUCHED ? ", and errno" : "");
}

struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/* ---- other threads ------------------------------------------------------- */

static void *helper_run(void *arg)
{
	struct helper *h = arg;
	h->tid = gettid();
	errno = UNTOUCHED;
	h->rc = h->fn(h->arg);
	if (errno != UNTOUCHED)
		h->rc += 1000;
	return NULL;
}

void helper_start(struct helper *h, int (*fn)(void *), void *arg)
{
	*h = (struct helper){ .fn = fn, .arg = arg };
	if (pthread_create(&h->thread, NULL, helper_run, h))
		abort();
	while (!h->tid)
		usleep(100);
}

/* Seen asleep twice: in the lock, not on its way there.  Or it has ended. */
void helper_asleep(struct helper *h)
{
	char path[64], line[512];
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", h->tid);
	for (int seen = 0; seen < 2;) {
		FILE *f = fopen(path, "r");
		if (!f)
			return;
		const char *at = NULL;
		if (fgets(line, sizeof(line), f))
			at = strrchr(line, ')');
		fclose(f);
		seen = at && at[2] == 'S' ? seen + 1 : 0;
		usleep(500);
	}
}

int helper_end(struct helper *h)
{
	if (pthread_join(h->thread, NULL))
		abort();
	return h->rc;
}

int elsewhere(int (*fn)(void *), void *arg)
{
	struct helper h;
	helper_start(&h, fn, arg);
	return helper_end(&h);
}

/* ---- main ---------------------------------------------------------------- */

/* Whose function is it that this program calls? */
static int bound(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		Dl_info info;
		void *fn = dlsym(RTLD_DEFAULT, argv[i]);
		if (!fn || !dladdr(fn, &info))
			return 1;
		printf("%s %s\n", argv[i], info.dli_fname);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct part {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{ "mutexes", mutexes },
		{ "rwlocks", rwlocks },
		{ "conditions", conditions },
		{ "semaphores", semaphores },
		{ "joins", joins },
		{ "barriers_and_spins", barriers_and_spins },
		{ "c11", c11 },
		{ "cancellation", cancellation },
		{ "hard_places", hard_places },
	};
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "bound") == 0)
		return bound(argc, argv);
	alarm(60);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (argc < 2 || strcmp(argv[1], parts[i].name) == 0)
			parts[i].run();
	return 0;
}
