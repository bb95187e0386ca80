/* run.c - see run.h. */
#include "load/run.h"

#include "base/clock.h"
#include "base/err.h"
#include "load/client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	CLIENTS_MAX = 4,
	CONNECTIONS_EACH = 128, /* from here on another thread helps */
	URL_TEXT = 2048,
};
#define HEALTH_TIMEOUT_NS INT64_C(5000000000)

struct run {
	const struct load_options *options;
	struct plan plan;
	struct schedule schedule;
	char url[URL_TEXT];
	int done_fd;
	_Atomic size_t running; /* relaxed; the last one writes to done_fd */
	size_t count;
	struct client *clients[CLIENTS_MAX];
	pthread_t threads[CLIENTS_MAX];
};

/* Without the final slash, since every path begins with one. */
static int copy_url(const char *url, char *to, struct err *e)
{
	size_t length = strlen(url);
	while (length && url[length - 1] == '/')
		length--;
	if (length >= URL_TEXT)
		return err_set(e, ERR_INVALID, "the URL is too long");
	memcpy(to, url, length);
	to[length] = '\0';
	return 0;
}

int run_check_health(const struct load_options *o, struct err *e)
{
	char url[URL_TEXT];
	const int rc = copy_url(o->url, url, e);
	return rc ? rc
		  : client_get_once(url, "/health", o->headers, o->header_count,
				    HEALTH_TIMEOUT_NS, e);
}

struct thread_start {
	struct run *run;
	struct client *client;
};

static void *run_client(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;
	free(arg);
	client_run(start.client);
	if (--start.run->running == 0) {
		const uint64_t one = 1;
		if (write(start.run->done_fd, &one, sizeof(one)) < 0)
			abort(); /* an eventfd of ours takes a 1 */
	}
	return NULL;
}

static int start_client(struct run *run, size_t connections, struct err *e)
{
	const struct load_options *o = run->options;
	const struct client_config config = {
		.url = run->url,
		.plan = &run->plan,
		.schedule = &run->schedule,
		.headers = o->headers,
		.header_count = o->header_count,
		.timeout_ns = o->timeout_ns,
		.grace_ns = o->grace_ns,
		.connections = connections,
	};
	struct client *client = NULL;
	int rc = client_create(&config, &client, e);
	if (rc)
		return rc;
	struct thread_start *start = malloc(sizeof(*start));
	if (start) {
		*start = (struct thread_start){ run, client };
		run->running++;
		rc = pthread_create(&run->threads[run->count], NULL, run_client,
				    start);
	}
	if (!start || rc) {
		if (start)
			run->running--;
		free(start);
		client_free(client);
		return err_set(e, start ? ERR_IO : ERR_NOMEM,
			       "a thread could not be started");
	}
	run->clients[run->count++] = client;
	return 0;
}

int run_start(const struct load_options *o, struct run **ret_run, struct err *e)
{
	struct run *run = calloc(1, sizeof(*run));
	if (!run)
		return err_set(e, ERR_NOMEM, "out of memory");
	run->options = o;
	run->plan = (struct plan){ o->scenario, (uint64_t)o->seed };
	run->done_fd = eventfd(0, EFD_CLOEXEC);
	int rc = copy_url(o->url, run->url, e);
	if (!rc && run->done_fd < 0)
		rc = err_set(e, ERR_IO, "no eventfd");
	schedule_init(&run->schedule, clock_monotonic_ns(), o->duration_ns,
		      o->rps, o->requests);
	const size_t total = (size_t)o->concurrency;
	size_t count = (total + CONNECTIONS_EACH - 1) / CONNECTIONS_EACH;
	if (count > CLIENTS_MAX)
		count = CLIENTS_MAX;
	/* Not before all are there: the last to end says so. */
	run->running = 1;
	for (size_t i = 0; i < count && !rc; i++)
		rc = start_client(run, total / count + (i < total % count), e);
	if (--run->running == 0 && !rc) {
		const uint64_t one = 1;
		if (write(run->done_fd, &one, sizeof(one)) < 0)
			rc = err_set(e, ERR_IO, "no eventfd");
	}
	if (rc) {
		struct results none = { 0 };
		int64_t elapsed;
		run_abort(run);
		run_finish(run, &none, &elapsed);
		return rc;
	}
	*ret_run = run;
	return 0;
}

int run_fd(const struct run *run)
{
	return run->done_fd;
}

void run_snapshot(struct run *run, struct results *ret_results,
		  int64_t *ret_elapsed_ns)
{
	memset(ret_results, 0, sizeof(*ret_results));
	for (size_t i = 0; i < run->count; i++)
		client_add_results(run->clients[i], ret_results);
	*ret_elapsed_ns = clock_monotonic_ns() - run->schedule.start_ns;
}

static void end_run(struct run *run, bool abort)
{
	schedule_end(&run->schedule, clock_monotonic_ns());
	for (size_t i = 0; i < run->count; i++)
		client_wake(run->clients[i], abort);
}

void run_stop(struct run *run)
{
	end_run(run, false);
}

void run_abort(struct run *run)
{
	end_run(run, true);
}

/* What was due and not sent has waited, too: from its time to the end. */
static void add_not_sent(struct run *run, struct results *results)
{
	struct schedule *s = &run->schedule;
	const uint64_t due = schedule_due_count(s);
	for (uint64_t i = s->next; i < due; i++)
		results_add_not_sent(results,
				     s->end_ns - schedule_due_ns(s, i));
}

void run_finish(struct run *run, struct results *ret_results,
		int64_t *ret_elapsed_ns)
{
	for (size_t i = 0; i < run->count; i++)
		pthread_join(run->threads[i], NULL);
	run_snapshot(run, ret_results, ret_elapsed_ns);
	add_not_sent(run, ret_results);
	*ret_elapsed_ns = run->schedule.end_ns - run->schedule.start_ns;
	for (size_t i = 0; i < run->count; i++)
		client_free(run->clients[i]);
	if (run->done_fd >= 0)
		close(run->done_fd);
	free(run);
}
