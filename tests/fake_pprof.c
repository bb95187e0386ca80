/* fake_pprof.c - see fake_pprof.h. */
#include "tests/fake_pprof.h"

#include "pprof/guard.h"
#include "pprof/pprof.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Thread_local unsigned guard_depth TLS_INITIAL_EXEC;

int fake_fail_start, fake_fail_stop, fake_fail_write;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int running, started, written, unfreed, cpu_running, cpu_hz;

struct pprof_profile {
	const char *name, *description;
	int64_t count;
	bool delta;
};

static struct pprof_profile profiles[] = {
	{ "allocs", "A sampling of all past memory allocations", 4, true },
	{ "block",
	  "Stack traces that led to blocking on synchronization primitives", 1,
	  true },
	{ "goroutine", "Stack traces of all current goroutines", 6, true },
	{ "heap",
	  "A sampling of memory allocations of live objects. You can specify "
	  "the gc GET parameter to run GC before taking the heap sample.",
	  4, true },
	{ "mutex", "Stack traces of holders of contended mutexes", 1, true },
	{ "my.files/<open>&", "Custom \"one\"", 2, false },
	{ "threadcreate",
	  "Stack traces that led to the creation of new OS threads", 7, true },
};
enum { PROFILES = sizeof(profiles) / sizeof(profiles[0]) };

struct pprof_capture {
	char name[64];
	int hz;
	bool open;
};

const char *pprof_strerror(int code)
{
	return code == PPROF_ERR_NOMEM ? "out of memory" : "an error";
}

int pprof_capture_start(const char *name,
			const struct pprof_capture_options *options,
			struct pprof_capture **ret_capture)
{
	const int hz = options && options->hz ? options->hz : 100;
	const bool cpu = strcmp(name, "profile") == 0;
	int rc = fake_fail_start;
	pthread_mutex_lock(&lock);
	if (!rc && cpu && cpu_running && cpu_hz != hz)
		rc = PPROF_ERR_BUSY;
	if (!rc) {
		struct pprof_capture *c = calloc(1, sizeof(*c));
		snprintf(c->name, sizeof(c->name), "%s", name);
		c->hz = hz;
		c->open = true;
		running++;
		started++;
		unfreed++;
		if (cpu) {
			cpu_running++;
			cpu_hz = hz;
		}
		*ret_capture = c;
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	if (rc)
		snprintf(options->reason, options->reason_size,
			 "%s is refused with %d", name, rc);
	return rc;
}

int pprof_capture_stop(struct pprof_capture *c)
{
	pthread_mutex_lock(&lock);
	if (c->open) {
		c->open = false;
		running--;
		if (strcmp(c->name, "profile") == 0)
			cpu_running--;
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return fake_fail_stop;
}

int pprof_capture_write(struct pprof_capture *c,
			const struct pprof_writer *writer)
{
	char text[128];
	const int n =
		snprintf(text, sizeof(text), "%s at %d Hz", c->name, c->hz);
	pthread_mutex_lock(&lock);
	written++;
	pthread_mutex_unlock(&lock);
	/* A failure comes after some output: it must not reach the client. */
	const int rc = writer->write(writer->arg, text, (size_t)n);
	return rc ? rc : fake_fail_write;
}

void pprof_capture_free(struct pprof_capture *c)
{
	if (!c)
		return;
	pprof_capture_stop(c);
	pthread_mutex_lock(&lock);
	unfreed--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	free(c);
}

static int read_counter(const int *counter)
{
	pthread_mutex_lock(&lock);
	const int n = *counter;
	pthread_mutex_unlock(&lock);
	return n;
}

int fake_running(void)
{
	return read_counter(&running);
}

int fake_written(void)
{
	return read_counter(&written);
}

int fake_unfreed(void)
{
	return read_counter(&unfreed);
}

/* Until the counter is n, for 20 s at most. */
static bool wait_for(const int *counter, int n)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	int rc = 0;
	pthread_mutex_lock(&lock);
	while (*counter != n && rc == 0)
		rc = pthread_cond_timedwait(&changed, &lock, &until);
	const bool reached = *counter == n;
	pthread_mutex_unlock(&lock);
	return reached;
}

bool fake_wait_running(int n)
{
	return wait_for(&running, n);
}

bool fake_wait_started(int n)
{
	return wait_for(&started, n);
}

struct pprof_profile *pprof_lookup(const char *name)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

struct pprof_profile *pprof_profile_at(size_t i)
{
	return i < PROFILES ? &profiles[i] : NULL;
}

const char *pprof_profile_name(const struct pprof_profile *p)
{
	return p->name;
}

const char *pprof_profile_description(const struct pprof_profile *p)
{
	return p->description;
}

int64_t pprof_profile_count(const struct pprof_profile *p)
{
	return p->count;
}

bool pprof_profile_has_delta(const struct pprof_profile *p)
{
	return p->delta;
}

int pprof_write_to(struct pprof_profile *p,
		   const struct pprof_write_options *options,
		   const struct pprof_writer *writer)
{
	char text[160];
	const int n = snprintf(text, sizeof(text), "%s debug=%d min_age=%lld",
			       p->name, options->debug,
			       (long long)options->min_age_ns);
	const int rc = writer->write(writer->arg, text, (size_t)n);
	if (!rc && fake_fail_write)
		snprintf(options->reason, options->reason_size,
			 "%s is refused with %d", p->name, fake_fail_write);
	return rc ? rc : fake_fail_write;
}

static int64_t mem_rate = 524288;
static int mutex_fraction;

int64_t pprof_set_mem_profile_rate(int64_t bytes)
{
	const int64_t before = mem_rate;
	mem_rate = bytes;
	return before;
}

int64_t pprof_mem_profile_rate(void)
{
	return mem_rate;
}

static int64_t block_rate;

void pprof_set_block_profile_rate(int64_t ns)
{
	block_rate = ns;
}

int64_t pprof_block_profile_rate(void)
{
	return block_rate;
}

int pprof_set_mutex_profile_fraction(int n)
{
	const int before = mutex_fraction;
	if (n >= 0)
		mutex_fraction = n;
	return before;
}

int pprof_symbol(uintptr_t pc, char *buf, size_t size)
{
	static const struct {
		uintptr_t pc;
		const char *name;
	} known[] = {
		{ 0x670a45, "sync.(*Mutex).Unlock" },
		{ 0x401000, "" },
		{ 0x5f2ecb, "vendor/golang.org/x/net/http2/hpack."
			    "(*headerFieldTable).addEntry" },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].pc == pc) {
			snprintf(buf, size, "%s", known[i].name);
			return 0;
		}
	return PPROF_ERR_NOTFOUND;
}
