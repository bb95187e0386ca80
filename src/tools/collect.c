/*
 * collect.c - proflab-collect: profiles of a running process, round by round,
 * and what they say together.
 */
#include "config.h"

#include "tools/collect.h"

#include "base/clock.h"
#include "base/rng.h"
#include "tools/collect_options.h"
#include "tools/collect_round.h"
#include "tools/collect_store.h"
#include "tools/die.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

/* What ends us, as a descriptor; a full disk or a limit is no reason to die. */
static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	const int fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd: %s", strerror(errno));
	return fd;
}

/* Until then, or until a signal.  Returns: may we go on? */
static bool wait_until(int64_t monotonic_ns, int stop_fd)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };
	for (;;) {
		const int64_t left = monotonic_ns - clock_monotonic_ns();
		const int64_t ms = left > 0 ? (left + 999999) / 1000000 : 0;
		const int n = poll(&p, 1, ms > 3600000 ? 3600000 : (int)ms);
		if (n > 0)
			return false;
		if (n == 0 && left <= 0)
			return true;
	}
}

/* How long after a failure: 1 s, twice that, and so on. */
static int64_t backoff(const struct collect_options *o, unsigned failures)
{
	const int64_t ns = SECOND_NS << (failures > 30 ? 30 : failures - 1);
	return ns < o->backoff_ns ? ns : o->backoff_ns;
}

static int64_t draw_jitter(struct rng *rng, int64_t most)
{
	return most > 0 ? (int64_t)rng_below(rng, (uint64_t)most + 1) : 0;
}

/* Round after round.  Returns: the exit status. */
static enum collect_status run(const struct collect_options *o,
			       struct collect_store *s, int stop_fd)
{
	struct rng rng;
	rng_seed_random(&rng);
	/* cron starts everyone's jobs in the same second: jitter there, too. */
	int64_t slot = clock_monotonic_ns();
	int64_t next = slot + (o->once ? draw_jitter(&rng, o->jitter_ns) : 0);
	enum collect_status status = COLLECT_OK;
	unsigned failures = 0;
	for (int64_t n = 0; !o->rounds || n < o->rounds; n++) {
		bool stopped = !wait_until(next, stop_fd);
		if (!stopped)
			status = collect_one_round(o, s, stop_fd, &stopped);
		if (stopped)
			return o->rounds ? status : COLLECT_OK;
		const int64_t now = clock_monotonic_ns();
		if (status == COLLECT_UNREACHABLE) {
			next = now + backoff(o, ++failures);
			continue;
		}
		failures = 0;
		/* A round that took longer than the interval skips a slot. */
		do
			slot += o->interval_ns;
		while (slot < now);
		next = slot + draw_jitter(&rng, o->jitter_ns);
	}
	return status;
}

static enum collect_status collect_main(const struct collect_options *o)
{
	struct collect_store store;
	struct err e = { "" };
	const int stop_fd = open_signals();
	const int rc = collect_store_open(&store, o->folder, &e);
	enum collect_status status = COLLECT_OK;
	if (rc) {
		fprintf(stderr, "proflab-collect: %s\n", e.text);
		status = rc == ERR_BUSY ? COLLECT_LOCKED : COLLECT_STORAGE;
	} else {
		if (curl_global_init(CURL_GLOBAL_DEFAULT))
			die("libcurl does not start");
		status = run(o, &store, stop_fd);
		curl_global_cleanup();
	}
	collect_store_close(&store);
	close(stop_fd);
	return status;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "report"))
		return collect_report_main(argc - 1, argv + 1);
	struct collect_options o;
	struct err e = { "" };
	int status = COLLECT_OK;
	if (collect_options_parse(argc, argv, &o, &e)) {
		fprintf(stderr, "proflab-collect: %s\n", e.text);
		status = COLLECT_USAGE;
	} else if (o.help) {
		fputs(collect_usage_text, stdout);
	} else if (o.version) {
		puts(PACKAGE_STRING);
	} else {
		status = collect_main(&o);
	}
	collect_options_free(&o);
	return status;
}
